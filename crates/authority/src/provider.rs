//! An OpenID provider that people may sign in with instead of a password: the code flow with PKCE (OpenID Connect Core 1.0, 3.1).
//!
//! It knows one provider, whom the operator named, and says which of its subjects signed in. It creates nobody: `person` finds who
//! that is here, and whoever is not linked stays outside.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Uri;
use keyless_model::{Clock, Secret, Timestamp};
use keyless_token::replay::{ReplayKey, ReplaySet};
use keyless_web::Platform;

use crate::federation::{ExternalIssuers, FetchError, HttpPost, Place};
use crate::throttle::Throttle;

mod exchange;
mod known;
mod metadata;
mod person;
mod round;

pub(crate) use exchange::ProviderError;
use known::Known;
use metadata::Metadata;
pub(crate) use person::{Unknown, find};
pub(crate) use round::Round;

/// The path to which the provider sends people back.
pub(crate) const CALLBACK: &str = "/common/provider/callback";
/// One answer of the provider takes at most this long: a person waits.
const DEADLINE: Duration = Duration::from_secs(5);
/// Answers of the provider that one address may bring in a minute, right or wrong: each makes us ask the provider.
const CALLBACKS_PER_MINUTE: u32 = 30;
/// Finished sign-ins that are remembered until their state would have expired. Only people whom the provider knows get in here.
const MAX_FINISHED: usize = 100_000;

/// A provider that the operator named, and how this system is registered there.
#[derive(Debug, Clone)]
pub struct SignInProvider {
    /// Exactly the `iss` of its id tokens: an https URL.
    pub issuer: String,
    /// What people call it: the button says "Sign in with" and this.
    pub name: String,
    pub client_id: String,
    /// None where the provider knows this system as a public client; PKCE is used either way.
    pub client_secret: Option<Secret<String>>,
    /// Certificates (DER) trusted for the issuer's host instead of the system's.
    pub certificates: Vec<Vec<u8>>,
    /// Domains of which the provider's word is taken: a verified e-mail address there is the user of that name. Empty: only people
    /// who were linked may sign in.
    pub email_domains: Vec<String>,
}

impl SignInProvider {
    /// Where people are sent back, below an authority: to be registered at the provider.
    #[must_use]
    pub fn redirect_uri(authority: &str) -> String {
        format!("{authority}{CALLBACK}")
    }

    /// # Errors
    /// When the issuer is no https URL, or an e-mail domain is none.
    pub fn check(&self) -> Result<(), ProviderSettingsError> {
        let issuer: Option<Uri> = self.issuer.parse().ok();
        let sound =
            issuer.as_ref().is_some_and(|url| url.scheme_str() == Some("https") && url.authority().is_some() && url.query().is_none());
        // SECURITY: in plain HTTP anybody on the way could be anybody here, so there is no exception for private addresses.
        if !sound || self.issuer.contains(['#', '@']) {
            return Err(ProviderSettingsError::Issuer(self.issuer.clone()));
        }
        let domain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        match self.email_domains.iter().find(|text| !domain(text)) {
            Some(wrong) => Err(ProviderSettingsError::Domain(wrong.clone())),
            None => Ok(()),
        }
    }
}

/// Why a provider cannot be used as it is set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderSettingsError {
    #[error(
        "the sign-in provider `{0}` is not an https URL without user name, query and fragment; write its issuer as it appears in its tokens"
    )]
    Issuer(String),
    #[error("`{0}` is no e-mail domain; write it such as corp.example, in ASCII")]
    Domain(String),
}

/// The provider at work.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) settings: SignInProvider,
    web: Arc<dyn HttpPost>,
    clock: Arc<dyn Clock>,
    /// Our own address at which the provider delivers people again.
    redirect_uri: String,
    known: Known,
    keys: ExternalIssuers,
    pub(crate) callbacks: Throttle<keyless_web::Place>,
    finished: Mutex<ReplaySet>,
}

impl Provider {
    pub(crate) fn new(settings: SignInProvider, web: Arc<dyn HttpPost>, platform: &Platform) -> Self {
        let clock = Arc::clone(&platform.clock);
        Self {
            // Of its own: what a federated credential may trust is decided by other rules.
            keys: ExternalIssuers::new(Arc::clone(&web) as _, Arc::clone(&clock), Vec::new()),
            redirect_uri: SignInProvider::redirect_uri(&platform.endpoints.authority),
            known: Known::default(),
            callbacks: Throttle::new(CALLBACKS_PER_MINUTE),
            finished: Mutex::new(ReplaySet::new(MAX_FINISHED)),
            settings,
            web,
            clock,
        }
    }

    /// The address at the provider that a round begins with, without its parameters, and those.
    pub(crate) async fn begin(&self, round: &Round, state: &str) -> Result<(String, Vec<(&'static str, String)>), ProviderError> {
        let metadata = self.metadata().await?;
        let scope = if self.settings.email_domains.is_empty() { "openid" } else { "openid email" };
        let parameters = vec![
            ("client_id", self.settings.client_id.clone()),
            ("response_type", "code".to_owned()),
            ("redirect_uri", self.redirect_uri.clone()),
            ("scope", scope.to_owned()),
            ("state", state.to_owned()),
            ("nonce", round.nonce.expose().clone()),
            ("code_challenge", round.challenge()),
            ("code_challenge_method", "S256".to_owned()),
        ];
        Ok((metadata.authorization_endpoint.clone(), parameters))
    }

    /// Whether an answer is this provider's. SECURITY: an answer of another issuer, with a code of its own, is how a mix-up begins
    /// (RFC 9207); where the provider says that it names itself, silence is refused too.
    pub(crate) async fn check_sender(&self, stated: Option<&str>) -> Result<(), ProviderError> {
        let metadata = self.metadata().await?;
        match stated {
            Some(issuer) if issuer == self.settings.issuer => Ok(()),
            None if !metadata.names_itself => Ok(()),
            _ => Err(ProviderError::OtherIssuer),
        }
    }

    /// Lets a round end in a sign-in once.
    pub(crate) fn finish(&self, round: &Round, now: Timestamp) -> bool {
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        finished.admit(ReplayKey::of(&self.settings.issuer, &round.id), round.expires, now).is_ok()
    }

    /// The provider's own description of itself.
    async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        let url = metadata::document_url(&self.settings.issuer)?;
        let (place, web, issuer) = (self.place(&url), Arc::clone(&self.web), self.settings.issuer.clone());
        let fetch = async move {
            let document = tokio::time::timeout(DEADLINE, web.get(&url, &place));
            let document = document.await.map_err(|_| FetchError::Deadline(issuer.clone()))??;
            Ok(Metadata::parse(&issuer, &document)?)
        };
        self.known.get(&self.clock, fetch).await
    }

    /// Where a URL of the provider may lead: the host that the operator named may be anywhere, every other one that it speaks of
    /// must be public.
    fn place(&self, url: &Uri) -> Place {
        let issuer: Option<Uri> = self.settings.issuer.parse().ok();
        match issuer {
            Some(issuer) if issuer.authority() == url.authority() => Place::Named { certificates: self.settings.certificates.clone() },
            _ => Place::Public,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(issuer: &str, domain: &str) -> SignInProvider {
        SignInProvider {
            issuer: issuer.into(),
            name: "Corp".into(),
            client_id: "keyless".into(),
            client_secret: None,
            certificates: Vec::new(),
            email_domains: vec![domain.into()],
        }
    }

    #[test]
    fn a_provider_is_an_https_url_and_vouches_for_plain_domains() {
        assert_eq!(settings("https://login.corp.example/t", "corp.example").check(), Ok(()));
        assert_eq!(settings("https://127.0.0.1:4444", "corp.example").check(), Ok(()), "named by the operator, so it may be anywhere");
        for issuer in [
            "http://localhost:4444",
            "login.corp.example",
            "https://",
            "https://u@corp.example",
            "https://corp.example/?x",
            "https://corp.example/#x",
        ] {
            assert_eq!(settings(issuer, "corp.example").check(), Err(ProviderSettingsError::Issuer(issuer.into())), "{issuer}");
        }
        for domain in ["", "@corp.example", "*", "c\u{f6}rp.example", "corp.example "] {
            assert!(matches!(settings("https://corp.example", domain).check(), Err(ProviderSettingsError::Domain(_))), "{domain}");
        }
    }
}
