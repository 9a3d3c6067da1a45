//! Glue between roles that must not know each other.

mod activity;
mod tenant_keys;

use keyless_authority::{IssueError, IssueRequest, Issuer};
use keyless_metadata::{IssuedToken, TokenRequest, TokenSource, TokenSourceError};
use keyless_model::OpContext;
use keyless_token::TokenSubject;

pub(crate) use activity::ActivityLog;
pub(crate) use tenant_keys::TenantKeys;

/// Metadata's port to the authority.
#[derive(Debug)]
pub(crate) struct AuthorityTokens {
    pub(crate) issuer: Issuer,
    /// A long one is safe here because a token only identifies: the snapshot decides at every call.
    pub(crate) lifetime_secs: i64,
}

impl TokenSource for AuthorityTokens {
    fn issue(&self, ctx: &OpContext, request: &TokenRequest<'_>) -> Result<IssuedToken, TokenSourceError> {
        let identity = request.identity;
        let subject = TokenSubject::ManagedIdentity {
            client_id: identity.client_id,
            object_id: identity.principal_id,
            resource_id: identity.scope.to_string(),
            host: Some(request.host.to_string()),
        };
        let mut wanted =
            IssueRequest::new(identity.tenant, request.resource, subject, self.lifetime_secs, "managed_identity", request.credential);
        wanted.proof = Some(format!("by {}", request.holder));
        match self.issuer.issue(ctx, wanted) {
            Ok(issued) => Ok(IssuedToken {
                token: issued.token,
                token_id: issued.token_id,
                issued: issued.issued,
                expires: issued.expires,
                kid: issued.kid,
            }),
            Err(IssueError::ResourceUnknown(resource)) => Err(TokenSourceError::UnknownResource(resource)),
            Err(error) => Err(TokenSourceError::Unavailable(Box::new(error))),
        }
    }
}
