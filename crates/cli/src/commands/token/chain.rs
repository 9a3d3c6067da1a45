//! The credentials a program's environment offers, tried in the official chain's order: environment, workload identity, managed
//! identity. A credential that is not configured is passed over; one that is configured and fails ends the search, as in the
//! official chains, because going on would act as somebody else.

use http::{HeaderName, HeaderValue, Method, header};
use keyless_model::{Secret, Timestamp};
use keyless_wire::oauth::{JWT_BEARER_ASSERTION, OAuthError};
use serde::Deserialize;
use serde_json::Value;

use super::{Acquired, resource_of};
use crate::args::CredentialName;
use crate::client::{Reply, Web};
use crate::env_registry::*;
use crate::failure::{Explain as _, Failure};
use crate::machine::now;

/// What one credential came to.
enum Attempt {
    Token(Acquired),
    /// What would have to be set.
    NotConfigured(&'static str),
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    expires_in: Option<Value>,
    #[serde(default)]
    expires_on: Option<Value>,
}

/// A token through the first credential that is configured, or through `only`.
///
/// # Errors
/// When none is configured, or the one that is fails.
pub(crate) async fn acquire(environment: &Environment, scope: &str, only: Option<CredentialName>) -> Result<Acquired, Failure> {
    let mut missing = Vec::new();
    for name in [CredentialName::Environment, CredentialName::WorkloadIdentity, CredentialName::ManagedIdentity] {
        if only.is_some_and(|only| only != name) || !is_wanted(environment, name, only.is_some())? {
            continue;
        }
        let attempt = match name {
            CredentialName::Environment => client_secret(environment, scope).await?,
            CredentialName::WorkloadIdentity => workload_identity(environment, scope).await?,
            CredentialName::ManagedIdentity => managed_identity(environment, scope).await?,
        };
        match attempt {
            Attempt::Token(acquired) => return Ok(acquired),
            Attempt::NotConfigured(what) => missing.push(what),
        }
    }
    let what = format!("no credential is configured here: {}", missing.join("; "));
    Err(Failure::new(what, "name an identity with --as, or run this inside `keyless run -- keyless token`"))
}

/// Whether `AZURE_TOKEN_CREDENTIALS` lets the chain try this one.
fn is_wanted(environment: &Environment, name: CredentialName, named: bool) -> Result<bool, Failure> {
    let value = environment.text(AZURE_TOKEN_CREDENTIALS).map(|value| value.trim().to_ascii_lowercase());
    let class = match name {
        CredentialName::Environment => "environmentcredential",
        CredentialName::WorkloadIdentity => "workloadidentitycredential",
        CredentialName::ManagedIdentity => "managedidentitycredential",
    };
    match value.as_deref() {
        None | Some("prod") => Ok(true),
        _ if named => Ok(true),
        Some("environmentcredential" | "workloadidentitycredential" | "managedidentitycredential") => Ok(value.as_deref() == Some(class)),
        Some(other) => Err(Failure::new(
            format!("AZURE_TOKEN_CREDENTIALS is `{other}`, and none of that group is supported here"),
            "unset it, set it to `prod`, or name an identity with --as",
        )),
    }
}

async fn client_secret(environment: &Environment, scope: &str) -> Result<Attempt, Failure> {
    let (Some(tenant), Some(client), Some(secret)) =
        (environment.text(AZURE_TENANT_ID), environment.text(AZURE_CLIENT_ID), environment.text(AZURE_CLIENT_SECRET))
    else {
        return Ok(Attempt::NotConfigured("environment needs AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"));
    };
    let form = [("client_id", client), ("client_secret", secret), ("grant_type", "client_credentials"), ("scope", scope)];
    let reply = token_endpoint(environment, tenant, &form).await?;
    read(&reply, "environment (client secret)").map(Attempt::Token)
}

async fn workload_identity(environment: &Environment, scope: &str) -> Result<Attempt, Failure> {
    let (Some(tenant), Some(client), Some(file)) =
        (environment.text(AZURE_TENANT_ID), environment.text(AZURE_CLIENT_ID), environment.value(AZURE_FEDERATED_TOKEN_FILE))
    else {
        return Ok(Attempt::NotConfigured("workload identity needs AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE"));
    };
    let assertion = std::fs::read_to_string(file)
        .map(Secret::new)
        .explain(|| format!("the workload's token in {} cannot be read", file.display()), "check AZURE_FEDERATED_TOKEN_FILE")?;
    let form = [
        ("client_id", client),
        ("client_assertion", assertion.expose().trim()),
        ("client_assertion_type", JWT_BEARER_ASSERTION),
        ("grant_type", "client_credentials"),
        ("scope", scope),
    ];
    let reply = token_endpoint(environment, tenant, &form).await?;
    read(&reply, "workload identity (exchanged token)").map(Attempt::Token)
}

async fn managed_identity(environment: &Environment, scope: &str) -> Result<Attempt, Failure> {
    let app_service = environment.text(IDENTITY_ENDPOINT).zip(environment.text(IDENTITY_HEADER));
    let imds = environment
        .text(AZURE_POD_IDENTITY_AUTHORITY_HOST)
        .map(|host| format!("{}/metadata/identity/oauth2/token", host.trim_end_matches('/')));
    let (endpoint, api_version, proof, through) = match (app_service, imds) {
        (Some((endpoint, header)), _) => {
            let mut proof = HeaderValue::from_str(header)
                .explain(|| "IDENTITY_HEADER is no header value".to_owned(), "run this inside `keyless run`")?;
            proof.set_sensitive(true);
            (
                endpoint.to_owned(),
                "2019-08-01",
                (HeaderName::from_static("x-identity-header"), proof),
                "managed identity (App Service form)",
            )
        }
        (None, Some(endpoint)) => {
            let proof = (HeaderName::from_static("metadata"), HeaderValue::from_static("true"));
            (endpoint, "2018-02-01", proof, "managed identity (IMDS)")
        }
        (None, None) => {
            return Ok(Attempt::NotConfigured(
                "managed identity needs IDENTITY_ENDPOINT and IDENTITY_HEADER, or AZURE_POD_IDENTITY_AUTHORITY_HOST",
            ));
        }
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("api-version", api_version).append_pair("resource", resource_of(scope));
    if let Some(client) = environment.text(AZURE_CLIENT_ID) {
        query.append_pair("client_id", client);
    }
    let url = format!("{endpoint}?{}", query.finish());
    let reply = web(environment)?.send(Method::GET, &url, &[proof], "").await;
    let reply = reply.explain(
        || format!("the managed identity endpoint {endpoint} does not answer"),
        "does the system still run? see `keyless status`",
    )?;
    read(&reply, through).map(Attempt::Token)
}

async fn token_endpoint(environment: &Environment, tenant: &str, form: &[(&str, &str)]) -> Result<Reply, Failure> {
    let authority = environment.text(AZURE_AUTHORITY_HOST).unwrap_or("https://login.microsoftonline.com").trim_end_matches('/');
    if !authority.starts_with("https://") {
        // SECURITY: a secret would travel in the clear.
        return Err(Failure::new("AZURE_AUTHORITY_HOST is no https address", "give the authority's https URL"));
    }
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))];
    let url = format!("{authority}/{tenant}/oauth2/v2.0/token");
    let reply = web(environment)?.send(Method::POST, &url, &headers, body).await;
    reply.explain(|| format!("the authority {authority} does not answer"), "check AZURE_AUTHORITY_HOST and SSL_CERT_FILE")
}

fn web(environment: &Environment) -> Result<Web, Failure> {
    match environment.value(SSL_CERT_FILE) {
        Some(file) => Web::trusting(file.as_ref())
            .explain(|| "SSL_CERT_FILE cannot be used".to_owned(), "name a file of PEM certificates, or unset it"),
        None => Ok(Web::trusting_the_system()),
    }
}

fn read(reply: &Reply, through: &'static str) -> Result<Acquired, Failure> {
    if !reply.status.is_success() {
        return Err(Failure::new(
            format!("{through} was refused: {}", refusal(reply)),
            "check the identity and what it is attached to; `keyless whoami` shows it",
        ));
    }
    // SECURITY: serde's message could quote the token, so it is not passed on.
    let answer: Answer = reply.json().map_err(|_| {
        Failure::new(format!("{through} answered something that is no token"), "check that the endpoint is a token endpoint")
    })?;
    let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok());
    let at = answer.expires_on.as_ref().and_then(number).map(Timestamp::from_unix_secs);
    let within = answer.expires_in.as_ref().and_then(number).map(|secs| now().plus_secs(secs));
    Ok(Acquired { token: Secret::new(answer.access_token), through, expires: at.or(within) })
}

/// The first sentence of the server's own words, whichever envelope it uses.
pub(crate) fn refusal(reply: &Reply) -> String {
    let body: Value = reply.json().unwrap_or(Value::Null);
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let words = reply.json::<OAuthError>().map(|error| error.error_description).ok();
    let words = words.or_else(|| text("/error_description")).or_else(|| text("/message")).or_else(|| text("/error/message"));
    let words = words.unwrap_or_else(|| "it did not say why".to_owned());
    let first = words.split(" Trace ID:").next().unwrap_or_default();
    format!("{} {first}", reply.status.as_u16())
}

#[cfg(test)]
mod tests;
