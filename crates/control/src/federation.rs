//! Federated credentials in the words of both APIs: what they have in common.

use keyless_directory::plan::federation::{FederationRefused, LANGUAGE_VERSION};
use keyless_model::entity::{AssertionAlgorithm, FederatedCredential, SubjectMatch};
use serde_json::{Value, json};

use crate::failure::{Code, Failure};

/// Adds to ARM's and Graph's shapes what they have in common beyond Azure's plain case: the expression in place of a subject, and
/// algorithms other than Entra's.
pub(crate) fn show(row: &FederatedCredential, shape: &mut Value) {
    match &row.subject {
        SubjectMatch::Exact(subject) => shape["subject"] = subject.as_str().into(),
        SubjectMatch::Expression(value) => {
            shape["claimsMatchingExpression"] = json!({ "value": value, "languageVersion": LANGUAGE_VERSION });
        }
    }
    if row.algorithms != AssertionAlgorithm::of_issuers() {
        shape["signingAlgorithms"] = json!(row.algorithms);
    }
}

impl From<FederationRefused> for Failure {
    fn from(refused: FederationRefused) -> Self {
        match refused {
            FederationRefused::Name(error) => Self::new(Code::InvalidFederatedIdentityCredentialName, error.to_string()),
            FederationRefused::Invalid { property, why } => {
                let message = format!("The property '{property}' of the federated identity credential is invalid: {why}.");
                Self::new(Code::BadRequest, message).at(property)
            }
            FederationRefused::TooMany(most) => {
                let message = format!("Too many federated identity credentials: an identity or application has at most {most}.");
                Self::new(Code::FederatedIdentityCredentialQuotaExceeded, message)
            }
            FederationRefused::Taken => {
                Self::new(Code::Conflict, "Issuer and subject combination already exists for this Managed Identity.")
            }
        }
    }
}
