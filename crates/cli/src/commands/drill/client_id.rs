//! What a stolen client id opens: nothing, in every way a thief could think of trying it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use keyless_model::Secret;
use serde_json::{Value, json};

use super::scene::{DEPLOYMENTS, Scene};
use super::{Finding, Loot};
use crate::client::{AI_RESOURCE, Chat, Credential, Reply, System};
use crate::commands::token::refusal;
use crate::failure::{Explain as _, Failure};
use crate::machine::{fresh_secret, fresh_uuid, now};

/// Tries it everywhere, and then shows that the identity itself works.
pub(super) async fn reach(system: &System, scene: &Scene) -> Result<Vec<Finding>, Failure> {
    let mut findings = vec![
        imds(system, scene).await?,
        app_service(system, scene, None).await?,
        app_service(system, scene, Some(fresh_secret())).await?,
        authority(system, scene, None).await?,
        authority(system, scene, Some(fresh_secret())).await?,
    ];
    let name = Secret::new(scene.client_id.clone());
    findings.push(model(system, scene, "show it as an API key", &Credential::Key(&name)).await?);
    let forged = unsigned(system, scene);
    findings.push(model(system, scene, "forge an unsigned token around it", &Credential::Token(&forged)).await?);

    let token = system.ai_token(&scene.client_id).await?;
    let rightful = model(system, scene, "call the deployment `chat`", &Credential::Token(&token)).await?;
    let evidence = format!("it answers: {}; the audit names {}", rightful.evidence, scene.principal_id);
    findings.push(Finding { loot: Loot::Rightful, should_succeed: true, evidence, ..rightful });
    Ok(findings)
}

/// The machine's metadata endpoint: the identity is not attached to this machine.
async fn imds(system: &System, scene: &Scene) -> Result<Finding, Failure> {
    let url = format!("{}/metadata/identity/oauth2/token?{}", system.status.metadata, query("2018-02-01", &scene.client_id));
    let headers = [(HeaderName::from_static("metadata"), HeaderValue::from_static("true"))];
    let reply = sent(system, Method::GET, &url, &headers, String::new()).await?;
    Ok(refused("ask this machine's IMDS for its token", &reply))
}

/// The endpoint of `keyless run`: without the run's own secret, and with a guessed one.
async fn app_service(system: &System, scene: &Scene, guess: Option<Secret<String>>) -> Result<Finding, Failure> {
    let url = format!("{}/msi/token?{}", system.status.metadata, query("2019-08-01", &scene.client_id));
    let attempt =
        if guess.is_some() { "the same with a guessed identity header" } else { "ask a run's token endpoint, without its header" };
    let mut headers = Vec::new();
    if let Some(guess) = guess {
        let value = HeaderValue::from_str(guess.expose()).explain(|| "the guess is no header value".to_owned(), "report this")?;
        headers.push((HeaderName::from_static("x-identity-header"), value));
    }
    let reply = sent(system, Method::GET, &url, &headers, String::new()).await?;
    Ok(refused(attempt, &reply))
}

/// The authority: a client id proves nothing without a credential, and a managed identity has none to guess.
async fn authority(system: &System, scene: &Scene, guess: Option<Secret<String>>) -> Result<Finding, Failure> {
    let url = format!("{}/{}/oauth2/v2.0/token", system.status.authority, system.status.tenant_id);
    let attempt = if guess.is_some() { "the same with a guessed secret" } else { "ask the authority, with the client id alone" };
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials").append_pair("client_id", &scene.client_id);
    form.append_pair("scope", &format!("{AI_RESOURCE}/.default"));
    if let Some(guess) = guess {
        form.append_pair("client_secret", guess.expose());
    }
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))];
    let reply = sent(system, Method::POST, &url, &headers, form.finish()).await?;
    Ok(refused(attempt, &reply))
}

async fn model(system: &System, scene: &Scene, attempt: &str, credential: &Credential<'_>) -> Result<Finding, Failure> {
    let chat = Chat::ask(&system.web, &scene.endpoint, DEPLOYMENTS[0], credential, "Say hello.").await;
    let chat = chat.explain(|| "the gateway does not answer".to_owned(), "look at the log of `keyless up`")?;
    Ok(Finding {
        loot: Loot::ClientId,
        attempt: attempt.to_owned(),
        should_succeed: false,
        succeeded: chat.answered(),
        refused: chat.refused,
        status: chat.status.as_u16(),
        evidence: if chat.answered() { chat.first_words() } else { chat.words },
    })
}

async fn sent(system: &System, method: Method, url: &str, headers: &[(HeaderName, HeaderValue)], body: String) -> Result<Reply, Failure> {
    let reply = system.web.send(method, url, headers, body).await;
    reply.explain(|| "an endpoint of the system does not answer".to_owned(), "look at the log of `keyless up`")
}

/// Whether a token endpoint says no: by its status, and in the shape of RFC 6749 section 5.2 (the authority, IMDS) or of App Service.
fn is_refusal(reply: &Reply) -> bool {
    let status = matches!(reply.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let body: Value = reply.json().unwrap_or(Value::Null);
    let says = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).is_some_and(|words| !words.is_empty());
    let app_service = || body.get("statusCode").is_some_and(Value::is_number) && says("/message");
    status && (says("/error") || says("/error/code") || app_service())
}

fn refused(attempt: &str, reply: &Reply) -> Finding {
    let (succeeded, refused) = (reply.status.is_success(), is_refusal(reply));
    // SECURITY: an answer that got through holds a token; it is not shown.
    let evidence = if succeeded { "a token was issued".to_owned() } else { refusal(reply) };
    let evidence = evidence.strip_prefix(reply.status.as_str()).map_or(evidence.clone(), |words| words.trim().to_owned());
    let (attempt, status) = (attempt.to_owned(), reply.status.as_u16());
    Finding { loot: Loot::ClientId, attempt, should_succeed: false, succeeded, refused, status, evidence }
}

fn query(api_version: &str, client_id: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("api-version", api_version)
        .append_pair("resource", AI_RESOURCE)
        .append_pair("client_id", client_id)
        .finish()
}

/// A token that says all the right things and is signed by nobody.
fn unsigned(system: &System, scene: &Scene) -> Secret<String> {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (now, tenant) = (now().unix_secs(), &system.status.tenant_id);
    let claims = json!({
        "aud": AI_RESOURCE, "iss": format!("{}/{tenant}/v2.0", system.status.authority), "iat": now, "nbf": now, "exp": now + 3600,
        "azp": scene.client_id, "oid": scene.principal_id, "sub": scene.principal_id, "tid": tenant, "uti": fresh_uuid(), "ver": "2.0",
    });
    Secret::new(format!("{}.{}.", part(json!({ "alg": "none", "typ": "JWT" })), part(claims)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> (bool, bool) {
        let reply = Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::copy_from_slice(body.as_bytes()),
        };
        let finding = refused("ask", &reply);
        (finding.succeeded, finding.refused)
    }

    #[test]
    fn only_a_refusal_in_the_wires_words_counts_as_one() {
        let oauth = r#"{"error":"invalid_client","error_description":"AADSTS7000218: ..."}"#;
        assert_eq!(judged(401, oauth), (false, true));
        assert_eq!(judged(400, r#"{"statusCode":400,"message":"no such identity"}"#), (false, true));
        assert_eq!(judged(200, r#"{"access_token":"x"}"#), (true, false));
        for (status, body) in [(500, oauth), (404, oauth), (502, "<html>"), (401, ""), (403, "{}"), (400, "<h1>Bad Request</h1>")] {
            assert_eq!(judged(status, body), (false, false), "{status} {body}: broken, and proves nothing");
        }
    }
}
