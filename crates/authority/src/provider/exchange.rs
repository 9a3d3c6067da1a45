//! A code of the provider becomes the person who signed in there (OpenID Connect Core 1.0, section 3.1.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use keyless_model::{Secret, Timestamp};
use keyless_token::sign_in::{self, ProvenPerson, SignInError, SignInRules};
use keyless_token::{LEEWAY_SECS, TokenError, Unverified};
use serde::Deserialize;

use super::metadata::{Metadata, MetadataError, SecretIn};
use super::{DEADLINE, Provider, Round};
use crate::federation::{FetchError, FormPost, KeysUnavailable, Want};

/// Longest life of an id token. Providers give them minutes to ten hours.
const MAX_LIFETIME_SECS: i64 = 24 * 3600 + 600;

/// Why the provider proved nobody. The texts are for the audit and the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("the provider was asked a moment ago and did not answer")]
    AskedJustNow,
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error(transparent)]
    Keys(#[from] KeysUnavailable),
    #[error("the answer is of another issuer than the provider, or does not say whose it is")]
    OtherIssuer,
    #[error("the provider did not take the code: status {status}, error `{error}`")]
    CodeRefused { status: u16, error: String },
    #[error("the provider's token endpoint answered with status {0}, which is neither an answer nor a refusal")]
    Unexpected(u16),
    #[error("the provider's answer holds no id token")]
    NoIdToken,
    #[error(transparent)]
    IdToken(#[from] SignInError),
}

impl ProviderError {
    /// Whether trying again may help: the provider did not say anything wrong, it said nothing.
    pub(crate) const fn is_silence(&self) -> bool {
        matches!(self, Self::Fetch(_) | Self::AskedJustNow | Self::Keys(_) | Self::Unexpected(_))
    }
}

#[derive(Deserialize)]
struct Answer {
    id_token: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Provider {
    /// Redeems a code that the browser brought, and checks the id token that it is worth.
    pub(crate) async fn prove(&self, round: &Round, code: &str, now: Timestamp) -> Result<ProvenPerson, ProviderError> {
        let metadata = self.metadata().await?;
        let text = self.redeem(&metadata, round, code).await?;
        let token = Unverified::parse(text.expose()).map_err(SignInError::from)?;
        let rules = SignInRules {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: &round.nonce,
            algorithms: &metadata.algorithms,
            now,
            leeway_secs: LEEWAY_SECS,
            max_lifetime_secs: MAX_LIFETIME_SECS,
        };
        let kid = token.kid().ok_or(SignInError::Token(TokenError::Malformed("no kid")))?;
        let place = self.place(&metadata.jwks_uri);
        let keys = |want| self.keys.keys_at(&self.settings.issuer, &metadata.jwks_uri, &place, want);
        let known = keys(Want::Kid(kid)).await?;
        match sign_in::check(&token, &known, &rules) {
            // The same name for new material: ask once whether the provider has other keys now.
            Err(SignInError::Token(TokenError::Signature)) => Ok(sign_in::check(&token, &*keys(Want::OtherThan(&known)).await?, &rules)?),
            checked => Ok(checked?),
        }
    }

    /// The id token for a code.
    async fn redeem(&self, metadata: &Metadata, round: &Round, code: &str) -> Result<Secret<String>, ProviderError> {
        let url = &metadata.token_endpoint;
        let place = self.place(url);
        let sent = self.web.post(url, &place, self.form(metadata.secret_in, round, code));
        let sent = tokio::time::timeout(DEADLINE, sent).await.map_err(|_| FetchError::Deadline(self.settings.issuer.clone()))?;
        let (status, body) = sent?;
        let body = Secret::new(body);
        if status != StatusCode::OK {
            let refused = serde_json::from_slice::<Refused>(body.expose()).ok().filter(|_| status.is_client_error());
            // The code of the error and not its description: that could say anything about anybody.
            return Err(refused.map_or(ProviderError::Unexpected(status.as_u16()), |refused| ProviderError::CodeRefused {
                status: status.as_u16(),
                error: refused.error.chars().filter(|letter| letter.is_ascii_graphic()).take(60).collect(),
            }));
        }
        let answer: Answer = serde_json::from_slice(body.expose()).map_err(|_| ProviderError::NoIdToken)?;
        answer.id_token.map(Secret::new).ok_or(ProviderError::NoIdToken)
    }

    fn form(&self, secret_in: SecretIn, round: &Round, code: &str) -> FormPost {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code").append_pair("code", code);
        form.append_pair("redirect_uri", &self.redirect_uri).append_pair("code_verifier", round.verifier.expose());
        let client_id = self.settings.client_id.as_str();
        let authorization = match (&self.settings.client_secret, secret_in) {
            (Some(secret), SecretIn::Header) => Some(basic(client_id, secret)),
            (Some(secret), SecretIn::Form) => {
                form.append_pair("client_id", client_id).append_pair("client_secret", secret.expose());
                None
            }
            (None, _) => {
                form.append_pair("client_id", client_id);
                None
            }
        };
        FormPost { body: Secret::new(form.finish()), authorization }
    }
}

/// RFC 6749 section 2.3.1: both halves are form-encoded first.
fn basic(client_id: &str, secret: &Secret<String>) -> Secret<String> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!("{}:{}", encode(client_id), encode(secret.expose())));
    Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())))
}
