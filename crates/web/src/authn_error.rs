//! Why nobody is authenticated, and what is missing to judge a token.

use keyless_model::{KeyId, ObjectId, TenantId, Timestamp};
use keyless_store::StoreError;
use keyless_token::TokenError;

/// Why there are no keys to judge a tenant's tokens with. For the operator; a caller only learns that it may try again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeysUnavailable(pub String);

/// A token that cannot be judged yet, for want of this key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysNeeded {
    pub(crate) tenant: TenantId,
    pub(crate) kid: KeyId,
}

/// Why nobody is authenticated.
#[derive(Debug, thiserror::Error)]
pub enum AuthnError {
    #[error("no bearer token was sent")]
    Missing,
    #[error("the authorization header is no single bearer token")]
    Header,
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is of another tenant than the resource.
    #[error("the token belongs to tenant {token}, the resource to {resource}")]
    OtherTenant { token: TenantId, resource: TenantId },
    #[error("the token's principal does not exist any more")]
    PrincipalGone,
    #[error("the token's principal is disabled")]
    PrincipalDisabled,
    /// Issued before "revoke sessions": the client may get a new one (claims challenge).
    #[error("the token was revoked")]
    Revoked { tokens_valid_from: Timestamp },
    #[error(transparent)]
    Keys(#[from] StoreError),
    /// Not judged yet: [`Authenticator::fetch_keys`], then ask again.
    #[error("the keys of the token's tenant are not at hand")]
    KeysNeeded(KeysNeeded),
    #[error("the keys of tenant {tenant} cannot be had")]
    TenantKeys {
        tenant: TenantId,
        #[source]
        source: KeysUnavailable,
    },
    /// Genuine, of a trusted tenant, and of nobody whom this directory knows.
    #[error("object {object_id} of tenant {tenant} is no guest here; `keyless guest add {object_id} --tenant {tenant}` makes it one")]
    NoGuest { tenant: TenantId, object_id: ObjectId },
    #[error("the guest {0} is registered as another kind of principal than its token says; remove it and add it as the right kind")]
    GuestKind(ObjectId),
    #[error("the guest's token delegates less than `user_impersonation`")]
    GuestScope,
}
