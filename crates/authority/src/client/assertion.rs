//! Client assertions: an application's own, signed with its registered certificate, or a token of an external issuer that a
//! federated credential names (RFC 7523).

use keyless_model::entity::Application;
use keyless_model::{CredentialId, Timestamp};
use keyless_token::assertion::{self, AssertionError, AssertionRules, ProvenAssertion};
use keyless_token::{Algorithm, AppCredential, Certificate, TokenError, Unverified};
use keyless_web::Form;
use keyless_wire::oauth::JWT_BEARER_ASSERTION;

use super::presented::{CLIENTS_LEEWAY_SECS, Presented, time_refusal, token_refusal};
use super::{federated, reuse};
use crate::codes;
use crate::config::AssertionAudience;
use crate::refusal::Refusal;
use crate::state::Attempt;

/// Longest life of an application's own assertion. Azure's libraries ask for at most half of it.
const MAX_LIFETIME_SECS: i64 = 3600;
/// What an application may sign with at most: what Azure's libraries send. Each certificate may take less (case 7).
const ALGORITHMS: &[Algorithm] = &[Algorithm::RS256, Algorithm::PS256];

/// Judges the assertion of a known client.
pub(super) async fn check(
    presented: Presented<'_>,
    segment: &str,
    form: &Form,
    text: &str,
    attempt: &mut Attempt,
) -> Result<AppCredential, Refusal> {
    if form.field("client_assertion_type") != Some(JWT_BEARER_ASSERTION) {
        let text = format!("The parameter 'client_assertion_type' must be '{JWT_BEARER_ASSERTION}'.");
        return Err(Refusal::new(&codes::MALFORMED_REQUEST).with(text));
    }
    let token = Unverified::parse_assertion(text).map_err(|error| presented.failed(token_refusal(error)))?;
    let own = assertion::is_own(&token, presented.client.client_id).map_err(|error| presented.failed(token_refusal(error)))?;
    // Only an application can hold a certificate; a managed identity has none that anybody could sign with.
    if let (true, Some(application)) = (own, presented.client.application()) {
        attempt.credential = "certificate".into();
        let proven = own_assertion(&presented, segment, application, &token).await.map_err(|refusal| presented.failed(refusal))?;
        if !issuers(&presented).contains(&proven.audience) {
            // RFC 7523bis asks for the issuer here; MSAL sends the token endpoint. The audit tells which clients still do (case 37).
            attempt.credential = "certificate_endpoint_audience".into();
        }
        attempt.proof = Some(format!("the assertion is signed with certificate {}", proven.credential));
        return Ok(AppCredential::Certificate);
    }
    attempt.credential = "federated".into();
    let proof = federated::check(presented, &token).await.map_err(|refusal| presented.failed(refusal))?;
    attempt.proof = Some(proof);
    Ok(AppCredential::Federated)
}

async fn own_assertion(
    presented: &Presented<'_>,
    segment: &str,
    application: &Application,
    token: &Unverified<'_>,
) -> Result<ProvenAssertion, Refusal> {
    let now = presented.facts.ctx.now;
    let certificates = registered(application, token);
    let audiences = audiences(presented, segment);
    let rules = AssertionRules {
        client_id: presented.client.client_id,
        audiences: &audiences,
        algorithms: ALGORITHMS,
        now,
        leeway_secs: CLIENTS_LEEWAY_SECS,
        max_lifetime_secs: MAX_LIFETIME_SECS,
    };
    let proven = assertion::check(token, &certificates, &rules).map_err(|error| assertion_refusal(error, now))?;
    let registered = application.certificates.iter().find(|one| one.id == proven.credential && one.starts <= now && now < one.expires);
    let registered = registered.ok_or_else(|| assertion_refusal(AssertionError::CertificateOutOfTime, now))?;
    if !registered.algorithms.iter().any(|one| Algorithm::from(*one) == token.algorithm()) {
        return Err(token_refusal(TokenError::Algorithm));
    }
    reuse::admit(presented, &application.client_id.to_string(), &proven.jti, proven.replayable_until).await?;
    Ok(proven)
}

#[cfg(test)]
std::thread_local! {
    /// How many certificates were parsed.
    static PARSED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The certificate that the token names, parsed. SECURITY: chosen by its thumbprint first: junk of strangers must not cost the
/// parsing of every certificate of the application.
fn registered(application: &Application, token: &Unverified<'_>) -> Vec<(CredentialId, Certificate)> {
    let read = |credential: &keyless_model::entity::CertificateCredential| {
        #[cfg(test)]
        PARSED.with(|parsed| parsed.set(parsed.get() + 1));
        match Certificate::read(credential.der.as_bytes()) {
            Ok(certificate) => Some((credential.id, certificate)),
            Err(error) => {
                tracing::warn!(client_id = %application.client_id, credential = %credential.id, %error, "a registered certificate is unreadable");
                None
            }
        }
    };
    let named = |credential: &&keyless_model::entity::CertificateCredential| {
        assertion::names_certificate(token, &credential.sha1, &credential.sha256)
    };
    application.certificates.iter().filter(named).filter_map(read).collect()
}

/// What an assertion may name as its audience: our issuer; where MSAL is to work, the token endpoint under the tenant's names.
fn audiences(presented: &Presented<'_>, segment: &str) -> Vec<String> {
    let mut audiences = issuers(presented).to_vec();
    if presented.authority.config.assertion_audience == AssertionAudience::IssuerOrEndpoint {
        let base = &presented.authority.platform.endpoints.authority;
        for name in [presented.tenant.id.to_string(), segment.to_owned()] {
            audiences.push(format!("{base}/{name}/oauth2/v2.0/token"));
            audiences.push(format!("{base}/{name}/oauth2/token"));
        }
    }
    audiences
}

fn issuers(presented: &Presented<'_>) -> [String; 2] {
    use keyless_token::Version;
    let base = &presented.authority.platform.endpoints.authority;
    [Version::V2.issuer(base, presented.tenant.id), Version::V1.issuer(base, presented.tenant.id)]
}

fn assertion_refusal(error: AssertionError, now: Timestamp) -> Refusal {
    match error {
        AssertionError::Token(error) => token_refusal(error),
        AssertionError::Time(error) => time_refusal(&error, now),
        AssertionError::UnknownCertificate => Refusal::new(&codes::KEY_NOT_FOUND).with("[Reason - The key was not found.]"),
        AssertionError::CertificateOutOfTime => Refusal::new(&codes::KEY_NOT_FOUND).with("[Reason - The key used is expired.]"),
        other => Refusal::new(&codes::ASSERTION_REFUSED).with(other),
    }
}

#[cfg(test)]
mod tests {
    use keyless_testkit::TestPlatform;
    use serde_json::json;

    use super::*;
    use crate::tests::forge::{Rsa, thumbprint};

    #[tokio::test]
    async fn of_twenty_certificates_only_the_named_one_is_parsed_i14() {
        let fixture = TestPlatform::new().await;
        let mut application = Application::clone(fixture.snapshot().application_of(fixture.app.client_id).unwrap());
        let certificate = |days: i64| {
            let now = fixture.platform.begin(keyless_model::Actor::Anonymous).now;
            Rsa::shared(0).certificate(now.plus_secs(-86_400 * days), now.plus_secs(86_400))
        };
        application.certificates = (1..=20).map(certificate).collect();
        let header = json!({"alg": "RS256", "x5t#S256": thumbprint(&application.certificates[7])});
        let text = Rsa::shared(0).sign(&header, &json!({}));
        for (_, other) in application.certificates.iter_mut().enumerate().filter(|(n, _)| *n != 7) {
            other.der = "AAAA".into();
        }
        let found = registered(&application, &Unverified::parse_assertion(&text).unwrap());
        let found: Vec<_> = found.iter().map(|(_, certificate)| *certificate.sha256()).collect();
        assert_eq!(PARSED.with(std::cell::Cell::get), 1);
        assert_eq!(found, [*Certificate::read(application.certificates[7].der.as_bytes()).unwrap().sha256()]);
        for header in [json!({"alg": "RS256"}), json!({"alg": "RS256", "x5t": "AAAA"}), json!({"alg": "RS256", "x5t#S256": "AAAA"})] {
            let text = Rsa::shared(0).sign(&header, &json!({}));
            assert!(registered(&application, &Unverified::parse_assertion(&text).unwrap()).is_empty());
        }
        assert_eq!(PARSED.with(std::cell::Cell::get), 1, "junk costs no parsing");
    }
}
