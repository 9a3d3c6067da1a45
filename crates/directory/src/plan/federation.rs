//! Federated credentials: the rules for trusting an issuer's subject, before anything is trusted.

use std::net::IpAddr;

use keyless_model::CredentialId;
use keyless_model::entity::{AssertionAlgorithm, FederatedCredential, FederatedOwner, SubjectMatch};
use keyless_model::name::{self, InvalidName};
use keyless_token::Expression;
use serde::Deserialize;

use super::Means;
use crate::Snapshot;

/// The longest issuer, subject and audience (case 64).
const MAX_CHARS: usize = 600;

/// The only version of the expression language.
pub const LANGUAGE_VERSION: i32 = 1;

/// Why a federated credential is not made or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FederationRefused {
    /// Its name breaks the rule for names.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A property cannot be taken.
    #[error("the property '{property}' of the federated credential is invalid: {why}")]
    Invalid {
        /// In ARM's and Graph's spelling.
        property: &'static str,
        /// What is wrong with it, and what would be right.
        why: String,
    },
    /// The owner has as many as it may.
    #[error("an identity or application has at most {0} federated credentials; delete one first")]
    TooMany(usize),
    /// Another credential of the owner trusts the same subject of the same issuer.
    #[error("another credential of the same owner has this issuer and subject; use that one")]
    Taken,
}

/// What a client wishes, in ARM's and Graph's words alike.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wished {
    pub issuer: Option<String>,
    pub subject: Option<String>,
    #[serde(default)]
    pub audiences: Vec<String>,
    pub description: Option<String>,
    pub claims_matching_expression: Option<ClaimsMatchingExpression>,
    /// Ours, not Azure's: what the issuer's tokens may be signed with. RS256 when absent, as at Entra.
    pub signing_algorithms: Option<Vec<AssertionAlgorithm>>,
}

/// What stands in place of a subject in a flexible federated credential.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimsMatchingExpression {
    value: Option<String>,
    language_version: Option<i32>,
}

impl ClaimsMatchingExpression {
    /// The wish that a stored expression fulfils.
    pub fn stored(value: &str) -> Self {
        Self { value: Some(value.to_owned()), language_version: Some(LANGUAGE_VERSION) }
    }
}

impl Wished {
    fn algorithms(&self) -> Result<Vec<AssertionAlgorithm>, FederationRefused> {
        match &self.signing_algorithms {
            None => Ok(AssertionAlgorithm::of_issuers()),
            Some(none) if none.is_empty() => Err(invalid("signingAlgorithms", "it is empty; name RS256, PS256 or ES256")),
            Some(some) => Ok(some.clone()),
        }
    }

    /// The subject, named exactly or by an expression; never both, so that nobody takes the wider one for the narrower.
    fn subject(&self) -> Result<SubjectMatch, FederationRefused> {
        const PROPERTY: &str = "claimsMatchingExpression";
        let Some(expression) = &self.claims_matching_expression else {
            let subject = text("subject", self.subject.as_deref())?;
            // SECURITY: a star matches nothing but a star here. Whoever writes one expects it to match everything (case 67).
            if subject.contains('*') {
                return Err(invalid("subject", "it holds a wildcard; name the subject exactly, or use claimsMatchingExpression"));
            }
            return Ok(SubjectMatch::Exact(subject.to_owned()));
        };
        if self.subject.as_deref().is_some_and(|subject| !subject.is_empty()) {
            return Err(invalid(PROPERTY, "either it or 'subject' must be defined, but not both"));
        }
        if expression.language_version != Some(LANGUAGE_VERSION) {
            return Err(invalid(PROPERTY, "its languageVersion must be 1"));
        }
        let value = text(PROPERTY, expression.value.as_deref())?;
        Expression::parse(value).map_err(|error| invalid(PROPERTY, &error.to_string()))?;
        Ok(SubjectMatch::Expression(value.to_owned()))
    }
}

/// The credential that fulfils the wish: a new one, or the owner's of that name with its id kept.
pub fn plan(
    snapshot: &Snapshot,
    owner: FederatedOwner,
    name: &str,
    wished: &Wished,
    (trusted_issuers, quota): (&[String], usize),
    means: Means<'_>,
) -> Result<FederatedCredential, FederationRefused> {
    name::federated_credential(name)?;
    let issuer = text("issuer", wished.issuer.as_deref())?;
    let subject = wished.subject()?;
    check_issuer(issuer, trusted_issuers)?;
    let [audience] = wished.audiences.as_slice() else {
        return Err(invalid("audiences", "exactly one audience is needed, such as api://AzureADTokenExchange"));
    };
    let audience = text("audiences", Some(audience))?;
    let mut others = snapshot.federated_of(&owner).filter(|row| !row.name.eq_ignore_ascii_case(name)).peekable();
    let current = snapshot.federated_of(&owner).find(|row| row.name.eq_ignore_ascii_case(name));
    if current.is_none() && others.peek().is_some() && snapshot.federated_of(&owner).count() >= quota {
        return Err(FederationRefused::TooMany(quota));
    }
    if others.any(|row| row.issuer == issuer && row.subject == subject) {
        return Err(FederationRefused::Taken);
    }
    Ok(FederatedCredential {
        id: current.map_or_else(|| CredentialId::new(means.entropy.uuid()), |row| row.id),
        owner,
        name: current.map_or_else(|| name.to_owned(), |row| row.name.clone()),
        issuer: issuer.to_owned(),
        subject,
        audience: audience.to_owned(),
        description: wished.description.as_deref().map(|text| text.chars().take(MAX_CHARS).collect()),
        created: current.map_or(means.now, |row| row.created),
        algorithms: wished.algorithms()?,
    })
}

fn invalid(property: &'static str, why: &str) -> FederationRefused {
    FederationRefused::Invalid { property, why: why.to_owned() }
}

fn text<'a>(property: &'static str, value: Option<&'a str>) -> Result<&'a str, FederationRefused> {
    let value = value.filter(|value| !value.is_empty()).ok_or_else(|| invalid(property, "it is missing or empty"))?;
    if value.chars().count() > MAX_CHARS {
        return Err(invalid(property, "it is longer than 600 characters"));
    }
    if value.chars().any(char::is_control) || value.trim() != value {
        return Err(invalid(property, "it holds control characters or starts or ends with a space"));
    }
    Ok(value)
}

/// An issuer whose keys may be fetched: https, a name, and none of this machine or its network - unless the operator named it in
/// the configuration (case 53).
///
/// SECURITY: the authority will fetch this address. Without this rule, whoever may write a credential makes it ask anything.
fn check_issuer(issuer: &str, trusted: &[String]) -> Result<(), FederationRefused> {
    if trusted.iter().any(|known| known == issuer) {
        return Ok(());
    }
    let refuse = |why: &str| Err(invalid("issuer", why));
    let Some(rest) = issuer.strip_prefix("https://") else { return refuse("it must start with https://") };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if issuer.contains(['?', '#', '\\', ' ']) || authority.contains('@') {
        return refuse("it must have no user, query or fragment");
    }
    let host = match authority.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    // The other spellings of an IPv4 address - `0x7f000001`, `2130706433`, `127.1` - all end in a label that is a number.
    let numeric = host.rsplit('.').next().is_none_or(|label| label.starts_with("0x") || label.bytes().all(|b| b.is_ascii_digit()));
    if authority.starts_with('[') || host.parse::<IpAddr>().is_ok() || numeric {
        return refuse("its host must be a name, not an address");
    }
    let local = ["localhost", "local", "internal", "localdomain", "home", "lan"];
    if !host.contains('.') || local.iter().any(|suffix| host.rsplit('.').next() == Some(suffix)) {
        return refuse("its host must be a public name; list a private issuer in the configuration");
    }
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') && !host.split('.').any(str::is_empty);
    if plain { Ok(()) } else { refuse("its host is no DNS name") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_that_lead_back_inside_are_refused_n53() {
        for issuer in [
            "http://token.example.com",
            "https://127.0.0.1",
            "https://169.254.169.254/metadata",
            "https://[::ffff:127.0.0.1]/",
            "https://[::1]:8443",
            "https://localhost",
            "https://localhost.",
            "https://foo.localhost",
            "https://metadata.google.internal",
            "https://2130706433",
            "https://0x7f000001",
            "https://127.1",
            "https://0177.0.0.1",
            "https://user@example.com",
            "https://example.com?x=1",
            "https://",
            "https://intranet",
            "ftp://example.com",
            "https://exa mple.com",
        ] {
            assert!(matches!(check_issuer(issuer, &[]), Err(FederationRefused::Invalid { property: "issuer", .. })), "{issuer}");
        }
        assert!(check_issuer("https://token.actions.githubusercontent.com", &[]).is_ok());
        assert!(check_issuer("https://login.example.com:8443/tenant/v2.0", &[]).is_ok());
    }

    #[test]
    fn an_issuer_that_the_operator_named_is_taken_as_it_is() {
        let named = ["http://127.0.0.1:9000".to_owned()];
        assert!(check_issuer("http://127.0.0.1:9000", &named).is_ok());
        assert!(check_issuer("http://127.0.0.1:9000/", &named).is_err());
    }
}
