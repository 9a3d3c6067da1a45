//! What a client may say about an application, in Graph's words. What is not supported is refused, not ignored: a client that
//! believes it replaced a credential must not be wrong.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyless_directory::plan::Means;
use keyless_model::entity::{Application, AssertionAlgorithm, CertificateCredential};
use keyless_model::{CredentialId, Timestamp};
use keyless_store::Snapshot;
use keyless_token::Certificate;
use keyless_wire::oauth::TOKEN_EXCHANGE_AUDIENCE;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::check_name;
use crate::call::{Call, Content};
use crate::failure::Failure;
use crate::graph::shape;
use crate::routes::directory::bad;

/// The most certificates, and the most addresses, of one application.
const MOST: usize = 20;
const MAX_URI_CHARS: usize = 255;

/// Properties to set; those that are absent stay as they are.
#[derive(Debug, Default)]
pub(super) struct Properties {
    display_name: Option<String>,
    identifier_uris: Option<Vec<String>>,
    web: Option<Vec<String>>,
    public: Option<Vec<String>>,
    spa: Option<Vec<String>>,
    public_client: Option<bool>,
    certificates: Option<Vec<Wished>>,
}

/// Graph's `keyCredential`. One that is already there comes back without its key.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wished {
    key_id: Option<CredentialId>,
    key: Option<String>,
    display_name: Option<String>,
    start_date_time: Option<String>,
    end_date_time: Option<String>,
    /// Ours, not Graph's: RS256, PS256 or both; both when absent.
    signing_algorithms: Option<Vec<AssertionAlgorithm>>,
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    usage: String,
}

impl Content for Properties {
    fn read(call: &Call) -> Result<Self, Failure> {
        Self::of(call.json()?)
    }
}

impl Properties {
    /// # Errors
    /// When a property is unknown here, or has the wrong type.
    fn of(body: Map<String, Value>) -> Result<Self, Failure> {
        let mut read = Self::default();
        for (name, value) in body {
            match name.as_str() {
                "displayName" => read.display_name = parsed(&name, value)?,
                "identifierUris" => read.identifier_uris = parsed(&name, value)?,
                "isFallbackPublicClient" => read.public_client = parsed(&name, value)?,
                "keyCredentials" => read.certificates = parsed(&name, value)?,
                "web" => read.web = redirect_uris(&name, &value)?,
                "publicClient" => read.public = redirect_uris(&name, &value)?,
                "spa" => read.spa = redirect_uris(&name, &value)?,
                "signInAudience" if value == "AzureADMyOrg" => {}
                _ if is_empty(&value) => {}
                _ => return Err(unsupported(&name)),
            }
        }
        Ok(read)
    }

    pub(super) fn display_name(&self) -> Option<&str> {
        self.display_name.as_deref()
    }

    /// The application with these properties.
    ///
    /// # Errors
    /// When a property breaks a rule.
    pub(super) fn applied_to(
        &self,
        row: &Application,
        snapshot: &Snapshot,
        means: Means<'_>,
        federation_audiences: &[String],
    ) -> Result<Application, Failure> {
        let mut next = row.clone();
        if let Some(name) = &self.display_name {
            check_name(name)?;
            next.display_name.clone_from(name);
        }
        if let Some(uris) = &self.identifier_uris {
            uris.iter().try_for_each(|uri| check_identifier(uri, row, snapshot, federation_audiences))?;
            next.identifier_uris.clone_from(uris);
        }
        self.redirects(row, &mut next)?;
        if let Some(wished) = &self.certificates {
            next.certificates = wished.iter().map(|one| certificate(one, row, means)).collect::<Result<_, _>>()?;
        }
        next.public_client = self.public_client.unwrap_or(row.public_client);
        if next.certificates.len().max(next.redirect_uris.len()).max(next.identifier_uris.len()) > MOST {
            return Err(bad(format!("An application has at most {MOST} certificates, addresses and identifiers; remove one first.")));
        }
        Ok(next)
    }

    /// Each kind of client has addresses of its own; a kind that the body does not name keeps them.
    fn redirects(&self, row: &Application, next: &mut Application) -> Result<(), Failure> {
        let web = self.web.clone().unwrap_or_else(|| shape::web_redirect_uris(row).cloned().collect());
        next.public_redirect_uris = self.public.clone().unwrap_or_else(|| row.public_redirect_uris.clone());
        next.spa_redirect_uris = self.spa.clone().unwrap_or_else(|| row.spa_redirect_uris.clone());
        next.redirect_uris = [&web, &next.public_redirect_uris, &next.spa_redirect_uris].into_iter().flatten().cloned().collect();
        if next.redirect_uris.iter().collect::<BTreeSet<_>>().len() < next.redirect_uris.len() {
            return Err(bad("The redirect URIs of an application must be distinct, across web, publicClient and spa too."));
        }
        next.redirect_uris.iter().filter(|uri| !row.redirect_uris.contains(uri)).try_for_each(|uri| check_redirect(uri))
    }
}

/// The addresses of one kind of client, when the body names any list of them.
fn redirect_uris(name: &str, value: &Value) -> Result<Option<Vec<String>>, Failure> {
    match value.get("redirectUris") {
        Some(uris) => Ok(Some(parsed(name, uris.clone())?.unwrap_or_default())),
        None if is_empty(value) => Ok(None),
        None => Err(unsupported(name)),
    }
}

/// The value, or nothing for a null.
fn parsed<T: for<'d> Deserialize<'d>>(name: &str, value: Value) -> Result<Option<T>, Failure> {
    // SECURITY: serde's own words may quote the value: say which property, not what it holds.
    serde_json::from_value(value).map_err(|_| bad(format!("The property '{name}' of the application has the wrong type.")))
}

/// Clients send what they do not set as null, as an empty list or as an object of those.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
        _ => false,
    }
}

fn unsupported(name: &str) -> Failure {
    bad(format!("The property '{}' of an application cannot be set here.", name.chars().take(60).collect::<String>()))
}

/// A name that a token's audience may call the application by.
///
/// SECURITY: never one of somebody else's, nor one that reads like a resource of Azure.
fn check_identifier(uri: &str, row: &Application, snapshot: &Snapshot, federation_audiences: &[String]) -> Result<(), Failure> {
    let refuse = |why: &str| Err(bad(format!("An identifier URI of the application is invalid: {why}.")));
    let Some(rest) = uri.strip_prefix("api://") else { return refuse("it must start with api://") };
    let plain = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte));
    if !plain || rest.ends_with('/') || uri.len() > MAX_URI_CHARS {
        return refuse("after api:// come letters, digits, -, ., _ and /, and no slash at the end");
    }
    if uri.eq_ignore_ascii_case(TOKEN_EXCHANGE_AUDIENCE) {
        return refuse("that name means the exchange of tokens");
    }
    if federation_audiences.iter().any(|audience| audience.eq_ignore_ascii_case(uri)) {
        return refuse("that name is somebody else's: workloads get tokens for it");
    }
    let taken = |other: &Application| other.id != row.id && other.identifier_uris.iter().any(|known| known.eq_ignore_ascii_case(uri));
    if snapshot.applications().any(|other| taken(other)) { refuse("another application has it") } else { Ok(()) }
}

/// An address that answers of a sign-in may go to.
fn check_redirect(uri: &str) -> Result<(), Failure> {
    let refuse = |why: &str| Err(bad(format!("A redirect URI of the application is invalid: {why}.")));
    let Ok(parsed) = uri.parse::<http::Uri>() else { return refuse("it is no absolute URI") };
    let Some(authority) = parsed.authority() else { return refuse("it is no absolute URI") };
    if uri.contains(['#', '*', '\\']) || authority.as_str().contains('@') || uri.len() > MAX_URI_CHARS {
        return refuse("it must have no user, fragment or wildcard, and at most 255 characters");
    }
    match (parsed.scheme_str(), authority.host()) {
        (Some("https"), _) | (Some("http"), "localhost" | "127.0.0.1" | "[::1]") => Ok(()),
        _ => refuse("it must start with https://, or with http:// and be on this machine"),
    }
}

/// The certificate that fulfils the wish: the one of that id when no key comes with it, else a new one.
fn certificate(wished: &Wished, row: &Application, means: Means<'_>) -> Result<CertificateCredential, Failure> {
    // A certificate is RSA here, so ES256 would be a promise that nothing can keep.
    if wished.signing_algorithms.as_ref().is_some_and(|list| list.is_empty() || list.contains(&AssertionAlgorithm::ES256)) {
        return Err(bad("The signingAlgorithms of a key credential are RS256, PS256 or both."));
    }
    let Some(key) = &wished.key else {
        let known = row.certificates.iter().find(|known| Some(known.id) == wished.key_id);
        let mut known = known.cloned().ok_or_else(|| bad("A key credential without a key must be one that the application has."))?;
        known.algorithms = wished.signing_algorithms.clone().unwrap_or(known.algorithms);
        return Ok(known);
    };
    if wished.r#type != "AsymmetricX509Cert" || wished.usage != "Verify" {
        return Err(bad("A key credential must be of type AsymmetricX509Cert and for usage Verify."));
    }
    let read =
        Certificate::read(key.as_bytes()).map_err(|error| bad(format!("The key credential's certificate cannot be used: {error}.")))?;
    let time = |text: &Option<String>, otherwise: Timestamp| match text {
        None => Ok(otherwise),
        Some(text) => Timestamp::parse_rfc3339(text).ok_or_else(|| bad("A date of the credential is no RFC 3339 time.")),
    };
    // The certificate's own dates are limits that nobody can move.
    let starts = time(&wished.start_date_time, read.not_before())?.max(read.not_before());
    let expires = time(&wished.end_date_time, read.not_after())?.min(read.not_after());
    if expires <= starts || expires <= means.now {
        return Err(bad("The key credential must end after it starts, and later than now."));
    }
    let taken = |id: &CredentialId| row.certificates.iter().any(|known| known.id == *id);
    Ok(CertificateCredential {
        id: wished.key_id.filter(|id| !taken(id)).unwrap_or_else(|| CredentialId::new(means.entropy.uuid())),
        display_name: wished.display_name.as_ref().map(|name| name.chars().filter(|c| !c.is_control()).take(256).collect()),
        der: STANDARD.encode(read.der()),
        sha1: hex(read.sha1()),
        sha256: hex(read.sha256()),
        starts,
        expires,
        algorithms: wished.signing_algorithms.clone().unwrap_or_else(AssertionAlgorithm::of_certificates),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<Properties, Failure> {
        let Value::Object(body) = body else { panic!("an object") };
        Properties::of(body)
    }

    #[test]
    fn what_az_sends_without_meaning_anything_is_taken() {
        let read = read(
            json!({"displayName": "n", "keyCredentials": [], "signInAudience": "AzureADMyOrg", "web": {"redirectUris": []}, "tags": null}),
        );
        assert_eq!(read.unwrap().display_name(), Some("n"));
    }

    #[test]
    fn what_is_not_supported_is_refused_and_not_ignored() {
        for (name, value) in [
            ("passwordCredentials", json!([{"secretText": "x"}])),
            ("signInAudience", json!("AzureADMultipleOrgs")),
            ("appId", json!("00000000-0000-0000-0000-000000000001")),
            ("web", json!({"implicitGrantSettings": {"enableIdTokenIssuance": true}})),
            ("displayName", json!(7)),
        ] {
            assert_eq!(read(json!({ name: value })).unwrap_err().status, 400, "{name}");
        }
    }

    #[test]
    fn answers_go_to_https_or_to_this_machine_only() {
        for good in ["https://app.example/cb", "http://localhost", "http://localhost:8400/cb", "http://127.0.0.1", "http://[::1]:9"] {
            assert!(check_redirect(good).is_ok(), "{good}");
        }
        for bad in [
            "http://app.example/cb",
            "https://app.example/*",
            "https://a@b/",
            "javascript:alert(1)",
            "/cb",
            "https://app.example/#x",
            "ftp://localhost",
        ] {
            assert_eq!(check_redirect(bad).unwrap_err().status, 400, "{bad}");
        }
    }
}
