//! ARM's answers to tokens that do not hold: exact codes, and the challenge that tells a client where to get a better one.

use keyless_model::{TenantId, Timestamp};
use keyless_token::TokenError;
use keyless_web::{AuthnError, Platform, claims_challenge};

use crate::failure::{Code, Failure};

/// The refusal of a request whose token does not hold.
pub(crate) fn refusal(platform: &Platform, error: &AuthnError, now: Timestamp) -> Failure {
    // A session that was ended, or a key that is out of rotation: the client may simply get a new token, and the claims tell it not to
    // offer the one it has cached.
    if let Some(valid_from) = error.newer_token(now) {
        return Failure::new(Code::TokenIssuedBeforeRevocationTimestamp, "The access token was revoked; get a new one.")
            .challenged(claims_challenge(&platform.endpoints.authority, valid_from));
    }
    let authority = &platform.endpoints.authority;
    let tenant = platform.directory.load().tenants().next().map_or_else(|| "common".to_owned(), |tenant| tenant.id.to_string());
    let plain = |code: Code, message: String, description: &str| {
        let challenge =
            format!(r#"Bearer authorization_uri="{authority}/{tenant}", error="invalid_token", error_description="{description}""#);
        Failure::new(code, message).challenged(challenge)
    };
    match error {
        AuthnError::Missing => plain(
            Code::AuthenticationFailed,
            "Authentication failed. The 'Authorization' header is missing.".to_owned(),
            "The authentication failed because of missing 'Authorization' header.",
        ),
        AuthnError::Header => plain(
            Code::AuthenticationFailedInvalidHeader,
            "Authentication failed. The 'Authorization' header is provided in an invalid format.".to_owned(),
            "The 'Authorization' header must hold one bearer token.",
        ),
        AuthnError::Token(TokenError::Expired) => plain(
            Code::ExpiredAuthenticationToken,
            format!("The access token expiry UTC time is earlier than current UTC time '{now}'."),
            "The access token has expired.",
        ),
        AuthnError::Token(TokenError::Audience) => {
            let base = &platform.endpoints.control;
            let message = format!(
                "The access token has been obtained for wrong audience or resource. It should exactly match with one of the allowed \
                 audiences '{base}/','https://management.azure.com/','https://management.core.windows.net/'."
            );
            plain(Code::InvalidAuthenticationTokenAudience, message, "The access token has been obtained for wrong audience or resource.")
        }
        AuthnError::Token(TokenError::Tenant(token)) => plain(
            Code::InvalidAuthenticationTokenTenant,
            format!("The access token is from the wrong issuer '{authority}/{token}/'."),
            "The access token is from the wrong issuer. It must match the tenant associated with this subscription.",
        ),
        AuthnError::OtherTenant { token, resource } => other_tenant(platform, *token, *resource),
        AuthnError::Keys(_) | AuthnError::KeysNeeded(_) | AuthnError::TenantKeys { .. } => {
            Failure::unavailable("The signing keys cannot be read; retry the operation later.")
        }
        // SECURITY: one answer for every other fault: a forger learns nothing about which rule failed.
        AuthnError::Token(_)
        | AuthnError::PrincipalGone
        | AuthnError::PrincipalDisabled
        | AuthnError::Revoked { .. }
        | AuthnError::NoGuest { .. }
        | AuthnError::GuestKind(_)
        | AuthnError::GuestScope => {
            plain(Code::InvalidAuthenticationToken, "The access token is invalid.".to_owned(), "The access token is invalid.")
        }
    }
}

/// 401 for a token of another tenant than the subscription's (case 82).
pub(crate) fn other_tenant(platform: &Platform, token: TenantId, resource: TenantId) -> Failure {
    let authority = &platform.endpoints.authority;
    let message = format!(
        "The access token is from the wrong issuer '{authority}/{token}/'. It must match the tenant '{authority}/{resource}/' associated \
         with this subscription. Please use the authority (URL) '{authority}/{resource}' to get the token."
    );
    let challenge = format!(
        r#"Bearer authorization_uri="{authority}/{resource}", error="invalid_token", error_description="The access token is from the wrong issuer. It must match the tenant associated with this subscription. Please use correct authority to get the token.""#
    );
    Failure::new(Code::InvalidAuthenticationTokenTenant, message).challenged(challenge)
}
