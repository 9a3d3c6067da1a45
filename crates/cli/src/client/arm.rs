//! The control plane, called as an operator's own tools would call it.

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use keyless_model::Secret;
use keyless_wire::arm::{ArmError, ArmList};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::exchange::TransportError;
use super::web::Web;
use crate::failure::Failure;

/// The audience of the control plane.
pub(crate) const RESOURCE: &str = "https://management.azure.com";
const AUTHORIZATION_API: &str = "2022-04-01";
const ACCOUNTS_API: &str = "2024-10-01";
const IDENTITIES_API: &str = "2023-01-31";
const HOSTS_API: &str = "2024-07-01";
/// What would end a segment of a path or be no part of one; a `%` of the name's own is one too.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

/// The control plane, or the directory on the same address, under someone's token.
#[derive(Debug)]
pub(crate) struct Arm {
    web: Web,
    base: String,
    bearer: Secret<String>,
}

/// What must hold for a write (RFC 9110 section 13.1).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Precondition<'a> {
    None,
    /// Nothing is there yet.
    Absent,
    /// It still has this etag.
    Version(&'a str),
}

/// Why a call of the control plane failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArmRefusal {
    #[error("{status}: {message} ({code})")]
    Refused { status: StatusCode, code: String, message: String },
    #[error("the control plane does not answer")]
    Transport(#[from] TransportError),
    #[error("the control plane's answer cannot be understood")]
    Answer(#[from] serde_json::Error),
}

impl From<ArmRefusal> for Failure {
    fn from(refusal: ArmRefusal) -> Self {
        let next = match &refusal {
            ArmRefusal::Refused { status: StatusCode::NOT_FOUND, .. } => "run `keyless status` to see what there is",
            ArmRefusal::Refused { status: StatusCode::FORBIDDEN, .. } => "run `keyless whoami --as NAME` to see what that identity may do",
            ArmRefusal::Refused { status: StatusCode::PRECONDITION_FAILED, .. } => {
                "somebody changed it meanwhile: look again before you write"
            }
            // The control plane's own words say what is wrong with the request; "correct it" would add nothing.
            ArmRefusal::Refused { status, .. } if status.is_client_error() => "",
            _ => "look at the log of `keyless up`",
        };
        let next = Some(next.to_owned()).filter(|next| !next.is_empty());
        Self { next, ..Self::new(format!("{:#}", anyhow::Error::from(refusal)), "") }
    }
}

impl Arm {
    pub(super) fn new(web: Web, base: &str, token: &Secret<String>) -> Self {
        Self { web, base: base.trim_end_matches('/').to_owned(), bearer: Secret::new(format!("Bearer {}", token.expose())) }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, id: &str) -> Result<T, ArmRefusal> {
        self.call(Method::GET, id, "", None).await
    }

    /// The document at an id, if there is one.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Value>, ArmRefusal> {
        match self.get(id).await {
            Ok(document) => Ok(Some(document)),
            Err(ArmRefusal::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// A write that is refused when somebody else was faster.
    pub(crate) async fn write(&self, method: Method, id: &str, body: &Value, only: Precondition<'_>) -> Result<Value, ArmRefusal> {
        let header = match only {
            Precondition::None => None,
            Precondition::Absent => Some((header::IF_NONE_MATCH, HeaderValue::from_static("*"))),
            // An etag that is no header value came from no header; the write goes without it.
            Precondition::Version(etag) => HeaderValue::from_str(etag).ok().map(|etag| (header::IF_MATCH, etag)),
        };
        let url = format!("{}{}?api-version={}", self.base, path(id), api_version(id));
        self.send(method, url, Some(body), header).await
    }

    pub(crate) async fn put(&self, id: &str, body: &Value) -> Result<Value, ArmRefusal> {
        self.call(Method::PUT, id, "", Some(body)).await
    }

    pub(crate) async fn patch(&self, id: &str, body: &Value) -> Result<Value, ArmRefusal> {
        self.call(Method::PATCH, id, "", Some(body)).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, id: &str) -> Result<T, ArmRefusal> {
        self.call(Method::POST, id, "", None).await
    }

    pub(crate) async fn delete(&self, id: &str) -> Result<(), ArmRefusal> {
        self.call::<Value>(Method::DELETE, id, "", None).await.map(drop)
    }

    /// A whole list, page by page.
    pub(crate) async fn list<T: DeserializeOwned>(&self, id: &str, filter: &str) -> Result<Vec<T>, ArmRefusal> {
        let mut page: ArmList<T> = self.call(Method::GET, id, filter, None).await?;
        let mut all = std::mem::take(&mut page.value);
        while let Some(next) = page.next_link.take() {
            // SECURITY: the token goes to the control plane only, wherever a link may point.
            if !next.starts_with(&format!("{}/", self.base)) {
                return Err(TransportError::Address(next).into());
            }
            page = self.send(Method::GET, next, None, None).await?;
            all.append(&mut page.value);
        }
        Ok(all)
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, id: &str, filter: &str, body: Option<&Value>) -> Result<T, ArmRefusal> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("api-version", api_version(id));
        if !filter.is_empty() {
            query.append_pair("$filter", filter);
        }
        self.send(method, format!("{}{}?{}", self.base, path(id), query.finish()), body, None).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        url: String,
        body: Option<&Value>,
        condition: Option<(HeaderName, HeaderValue)>,
    ) -> Result<T, ArmRefusal> {
        let mut bearer = HeaderValue::from_str(self.bearer.expose()).map_err(|_| TransportError::Address("the token".to_owned()))?;
        bearer.set_sensitive(true);
        let mut headers = vec![(header::AUTHORIZATION, bearer), (header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        headers.extend(condition);
        let body = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let reply = self.web.send(method, &url, &headers, body).await?;
        if !reply.status.is_success() {
            let (code, message) = match reply.json::<ArmError>() {
                Ok(envelope) => (envelope.error.code, envelope.error.message),
                Err(_) => ("no code".to_owned(), "the control plane did not say why".to_owned()),
            };
            return Err(ArmRefusal::Refused { status: reply.status, code, message });
        }
        // Deletions have no body.
        let body: &[u8] = if reply.body.is_empty() { b"null" } else { &reply.body };
        Ok(serde_json::from_slice(body)?)
    }
}

/// An id in a URL. A name that none can have reaches the control plane as it was written, which says what is wrong with it.
fn path(id: &str) -> String {
    id.split('/').map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect::<Vec<_>>().join("/")
}

/// The API version for a resource id, by the provider that owns its last part.
fn api_version(id: &str) -> &'static str {
    let owner = id.rsplit("/providers/").next().unwrap_or_default();
    match owner.split('/').next().unwrap_or_default() {
        "Microsoft.CognitiveServices" => ACCOUNTS_API,
        "Microsoft.ManagedIdentity" => IDENTITIES_API,
        "Microsoft.Compute" => HOSTS_API,
        _ => AUTHORIZATION_API,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_none_can_have_is_still_a_path_u3() {
        assert_eq!(path("/subscriptions/s/resourceGroups/a b?c#d%41"), "/subscriptions/s/resourceGroups/a%20b%3Fc%23d%2541");
        assert_eq!(path("/x/(y)!z-_.~"), "/x/(y)!z-_.~");
    }

    #[test]
    fn what_the_control_plane_refuses_is_followed_by_no_empty_advice_u3() {
        let refusal = |status| ArmRefusal::Refused { status, code: "BadRequest".into(), message: "it says what".into() };
        assert_eq!(Failure::from(refusal(StatusCode::BAD_REQUEST)).next, None);
        assert!(Failure::from(refusal(StatusCode::FORBIDDEN)).next.is_some());
    }

    #[test]
    fn the_provider_of_the_last_part_gives_the_version() {
        let account = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a";
        assert_eq!(api_version(account), ACCOUNTS_API);
        assert_eq!(api_version(&format!("{account}/providers/Microsoft.Authorization/roleAssignments/x")), AUTHORIZATION_API);
    }
}
