//! Typed ids. Two ids of different nouns never compare, assign or mix; all of Azure's are UUIDs, except a signing key's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {noun}; expected a UUID such as 00000000-0000-0000-0000-000000000000")]
pub struct InvalidId {
    noun: &'static str,
    text: String,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $noun:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID that is known to name this noun.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// A constant id, for the fixed ids that Azure publishes (built-in roles, first-party applications).
            #[must_use]
            pub const fn from_u128(id: u128) -> Self {
                Self(Uuid::from_u128(id))
            }

            /// The plain UUID.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Accepts only the 36-character hyphenated form, in either case: the other spellings of a UUID (`urn:`, braces, no
            /// hyphens) would give one id several names.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let refused = || InvalidId { noun: $noun, text: text.chars().take(64).collect() };
                if text.len() != 36 {
                    return Err(refused());
                }
                Uuid::try_parse(text).map(Self).map_err(|_| refused())
            }
        }
    };
}

uuid_id!(
    /// An Entra directory.
    TenantId, "tenant id"
);
uuid_id!(
    /// An Azure subscription.
    SubscriptionId, "subscription id"
);
uuid_id!(
    /// The directory object of a principal, group or application (`oid`, `principalId`).
    ObjectId, "object id"
);
uuid_id!(
    /// The application (client) id by which a program names itself (`appid`, `azp`, `clientId`). Not a secret.
    ClientId, "client id"
);
uuid_id!(
    /// A role definition's GUID name.
    RoleId, "role definition id"
);
uuid_id!(
    /// A role assignment's GUID name.
    AssignmentId, "role assignment name"
);
uuid_id!(
    /// A deny assignment's GUID name.
    DenyAssignmentId, "deny assignment name"
);
uuid_id!(
    /// A password, certificate or federated credential of an application or identity (`keyId`).
    CredentialId, "credential id"
);
uuid_id!(
    /// One request, from its arrival to its audit event (`x-ms-request-id`, `apim-request-id`, `trace_id`).
    RequestId, "request id"
);

/// A signing key's name in a JWKS (`kid`): base64url, at most 64 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(String);

impl KeyId {
    /// # Errors
    /// When the text is empty, longer than 64 bytes or holds anything but base64url characters.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if text.is_empty() || text.len() > 64 || !plain {
            return Err(InvalidId { noun: "key id", text: text.chars().take(64).collect() });
        }
        Ok(Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_id_has_one_spelling() {
        let id = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd";
        assert_eq!(id.parse::<RoleId>().unwrap().to_string(), id);
        assert_eq!(id.to_uppercase().parse::<RoleId>().unwrap().to_string(), id);
        for other in [
            "5e0bd9bd7b934f28af8719fc36ad61bd",
            "{5e0bd9bd-7b93-4f28-af87-19fc36ad61bd}",
            "urn:uuid:5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
            "",
            "me",
        ] {
            assert!(other.parse::<RoleId>().is_err(), "{other}");
        }
    }

    #[test]
    fn key_id_that_could_be_a_path_or_a_query_is_refused() {
        for bad in ["", "../../dev/null", "x' UNION SELECT 1", "a b", &"k".repeat(65)] {
            assert!(KeyId::new(bad).is_err(), "{bad}");
        }
        assert!(KeyId::new("tB8Qz-_0").is_ok());
    }
}
