//! The one table of AADSTS codes: number, OAuth error, HTTP status and text of every refusal the authority can give.
//!
//! Texts are Entra's, because people search the web for them. `{}` takes the next argument. It does not know when a code applies.

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// The number after `AADSTS`.
    pub(crate) number: u32,
    /// `error` in the envelope: what clients decide by (RFC 6749 section 5.2).
    pub(crate) error: &'static str,
    /// The HTTP status.
    pub(crate) status: u16,
    /// `error_description` without its trailers.
    text: &'static str,
}

/// Longest text of one argument in an answer, in characters.
const MAX_ARGUMENT: usize = 200;

impl Code {
    /// Whether it only asks the client to come again: nothing was refused, so nothing is audited.
    pub(crate) fn is_wait(&self) -> bool {
        matches!(self.error, "authorization_pending" | "slow_down")
    }

    /// The text with its arguments in place. Arguments come from strangers: they are cut, and control characters become `?`.
    pub(crate) fn text(&self, arguments: &[String]) -> String {
        let mut arguments = arguments.iter();
        let mut parts = self.text.split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let argument = arguments.next().map(String::as_str).unwrap_or_default();
            text.extend(argument.chars().take(MAX_ARGUMENT).map(|c| if c.is_control() { '?' } else { c }));
            text.push_str(part);
        }
        text
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $error:literal, $status:literal, $text:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: Code = Code { number: $number, error: $error, status: $status, text: $text };)*

        #[cfg(test)]
        const ALL: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    // --- the request itself ---
    MALFORMED_REQUEST = 9002313, "invalid_request", 400, "Invalid request. Request is malformed or invalid. {}";
    REQUEST_TOO_LARGE = 90015, "invalid_request", 413, "The request is too long. {}";
    UNSUPPORTED_MEDIA_TYPE = 900561, "invalid_request", 415,
        "The endpoint only accepts requests with the content type application/x-www-form-urlencoded.";
    METHOD_NOT_ALLOWED = 900561, "invalid_request", 405, "The endpoint only accepts {} requests. Received a {} request.";
    PARAMETER_MISSING = 900144, "invalid_request", 400, "The request body must contain the following parameter: '{}'.";
    UNSUPPORTED_GRANT = 70003, "unsupported_grant_type", 400, "The app requested an unsupported grant type '{}'.";

    // --- tenant ---
    TENANT_NOT_FOUND = 90002, "invalid_request", 400,
        "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.";
    TENANT_INVALID = 90002, "invalid_tenant", 400,
        "Tenant '{}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.";
    NO_TENANT_INFORMATION = 50059, "invalid_request", 400,
        "No tenant-identifying information found in either the request or implied by any provided credentials.";
    UNKNOWN_INSTANCE = 50049, "invalid_instance", 400, "Unknown or invalid instance.";

    // --- client ---
    APPLICATION_NOT_FOUND = 700016, "unauthorized_client", 400,
        "Application with identifier '{}' was not found in the directory '{}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.";
    APPLICATION_DISABLED = 7000112, "unauthorized_client", 400, "Application '{}'({}) is disabled.";
    PRINCIPAL_GONE = 7000112, "unauthorized_client", 400, "The account that asks was disabled or deleted.";
    CREDENTIAL_MISSING = 7000216, "invalid_client", 401,
        "'client_assertion', 'client_secret' or 'request' is required for the '{}' grant type.";
    WRONG_SECRET = 7000215, "invalid_client", 401,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.";
    EXPIRED_SECRET = 7000222, "invalid_client", 401,
        "The provided client secret keys for app '{}' are expired. Create new keys for the app, or use a federated credential, which needs none.";
    PUBLIC_CLIENT = 700025, "invalid_client", 401,
        "Client '{}' is public so neither 'client_assertion' nor 'client_secret' should be presented.";
    ASSERTION_MALFORMED = 50027, "invalid_client", 401, "JWT token is invalid or malformed: {}.";
    ASSERTION_REFUSED = 700021, "invalid_client", 401, "Client assertion application identifier doesn't match or the assertion is not acceptable: {}.";
    ASSERTION_OUT_OF_TIME = 700024, "invalid_client", 401,
        "Client assertion is not within its valid time range. Current time: {}, assertion valid from {}, expiry time of assertion {}.";
    ASSERTION_REPLAYED = 700024, "invalid_client", 401,
        "Client assertion was used before. Sign a new assertion, with a new 'jti', for every request.";
    KEY_NOT_FOUND = 700027, "invalid_client", 401,
        "The certificate with identifier used to sign the client assertion is not registered on application. {}";
    NO_MATCHING_ISSUER = 700211, "invalid_request", 400,
        "No matching federated identity record found for presented assertion issuer '{}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.";
    NO_MATCHING_AUDIENCE = 700212, "invalid_request", 400,
        "No matching federated identity record found for presented assertion audience '{}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.";
    NO_MATCHING_SUBJECT = 700213, "invalid_request", 400,
        "No matching federated identity record found for presented assertion subject '{}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion.";
    SUBJECT_CASE = 7002138, "invalid_request", 400,
        "The presented assertion subject '{}' matches a federated identity record only when upper and lower case are ignored. The match must be exact.";
    ISSUER_UNAVAILABLE = 501661, "temporarily_unavailable", 503,
        "Request to the external OIDC endpoint failed. Its keys could not be fetched; the audit log says why. Please try again.";
    TOO_MANY_FAILURES = 90055, "temporarily_unavailable", 429,
        "The client '{}' sent too many wrong credentials. Wait, then retry with the right one.";

    TOO_MANY_ASSERTIONS = 90055, "temporarily_unavailable", 429,
        "The client '{}' has too many client assertions in use. Keep a token until it expires, and use an assertion again, or wait.";
    CREDENTIAL_REQUIRED = 7000218, "invalid_client", 401,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";

    // --- people ---
    REDIRECT_MISMATCH = 50011, "invalid_request", 400,
        "The redirect URI '{}' specified in the request does not match the redirect URIs configured for the application '{}'. Make sure the redirect URI sent in the request matches one added to the application exactly.";
    RESPONSE_TYPE = 700054, "unsupported_response_type", 400, "response_type '{}' is not enabled for the application. Use 'code'.";
    PKCE_REQUIRED = 9002325, "invalid_request", 400, "Proof Key for Code Exchange is required for cross-origin authorization code redemption: {}.";
    CROSS_ORIGIN = 9002326, "invalid_request", 400,
        "Cross-origin token redemption is permitted only for the 'Single-Page Application' client-type. Request origin: '{}'.";
    PAGE_ONLY = 9002327, "invalid_request", 400,
        "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.";
    SIGN_IN_REQUIRED = 50058, "login_required", 400, "Session information is not sufficient for single-sign-on: the user must sign in.";
    SIGN_IN_CANCELLED = 65004, "access_denied", 400, "User declined to consent to access the app.";
    CODE_UNKNOWN = 70000, "invalid_grant", 400, "The provided authorization code is invalid, expired or was used before. {}";
    WRONG_PASSWORD = 50126, "invalid_grant", 400, "Error validating credentials due to invalid username or password.";
    LOCKED_OUT = 50053, "invalid_grant", 400,
        "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.";
    USER_DISABLED = 50057, "invalid_grant", 400, "The user account is disabled.";
    USER_ELSEWHERE = 50020, "invalid_grant", 400, "The user account does not exist in tenant '{}'. Sign in with another account.";
    NOT_LINKED = 50020, "invalid_grant", 400,
        "User account '{}' from identity provider '{}' does not exist in this directory. Ask an administrator to link it to your user: keyless user link YOUR-NAME '{}'";
    PROVIDER_REFUSED = 50008, "invalid_grant", 400,
        "Unable to verify the answer of the identity provider '{}'. Start the sign-in again from your program; if that does not help, ask an administrator.";
    PROVIDER_UNAVAILABLE = 501661, "temporarily_unavailable", 503,
        "Request to the external OIDC endpoint failed. The identity provider '{}' did not answer. Please try again.";
    PASSWORD_EXPIRED = 50055, "invalid_grant", 400, "The password is expired or must be changed.";
    AUTHORIZATION_PENDING = 70016, "authorization_pending", 400,
        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
    SLOW_DOWN = 70016, "slow_down", 400, "OAuth 2.0 device flow error. Polling came too soon. Wait five seconds longer between polls.";
    AUTHORIZATION_DECLINED = 70017, "authorization_declined", 400, "The user declined the authorization request.";
    DEVICE_CODE_UNKNOWN = 70018, "bad_verification_code", 400, "The device code is unknown, was used before or belongs to another client.";
    DEVICE_CODE_EXPIRED = 70020, "expired_token", 400, "The device code has expired. Start the sign-in again.";
    TOO_MANY_SIGN_INS = 90055, "temporarily_unavailable", 429, "Too many sign-ins are waiting. Finish or abandon some, then retry.";
    REFRESH_UNKNOWN = 9002313, "invalid_grant", 400, "The refresh token is malformed or not of this system. Sign in again.";
    REFRESH_EXPIRED = 700082, "invalid_grant", 400, "The refresh token has expired due to inactivity or age. Sign in again.";
    REFRESH_REVOKED = 50173, "invalid_grant", 400,
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password, been signed out everywhere, or the token was used twice.";
    ON_BEHALF_OF_REFUSED = 50013, "invalid_grant", 400, "Assertion failed signature validation or is not acceptable: {}.";
    ON_BEHALF_OF_AUDIENCE = 500131, "invalid_grant", 400,
        "Assertion audience does not match the Client app presenting the assertion. The audience in the assertion must be the app's own.";
    ON_BEHALF_OF_ITSELF = 90009, "invalid_request", 400,
        "Application '{}' is requesting a token for itself. This scenario is not supported: ask for the resource that it calls.";
    ON_BEHALF_OF_APP = 7000114, "invalid_request", 400, "The assertion must be a user's token: an application cannot be acted for.";

    // --- scope and resource ---
    SCOPE_NOT_DEFAULT = 1002012, "invalid_scope", 400,
        "The provided value for scope {} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).";
    SCOPE_NOT_VALID = 70011, "invalid_scope", 400,
        "The provided value for the input parameter 'scope' isn't valid. The scope {} isn't valid.";
    SEVERAL_RESOURCES = 28000, "invalid_scope", 400,
        "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {} is not valid.";
    RESOURCE_NOT_FOUND = 500011, "invalid_resource", 400,
        "The resource principal named {} was not found in the tenant named {}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.";

    // --- the authority itself ---
    UNAVAILABLE = 90033, "temporarily_unavailable", 503, "A transient error has occurred. Please try again.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_cut_and_cannot_break_a_line() {
        let text = APPLICATION_NOT_FOUND.text(&["a\r\nSet-Cookie: x".to_owned(), "b".repeat(5000)]);
        assert!(text.starts_with("Application with identifier 'a??Set-Cookie: x' was not found in the directory 'bbb"));
        assert!(text.len() < 700, "{}", text.len());
    }

    #[test]
    fn every_row_is_an_error_that_oauth_knows() {
        let errors = [
            "invalid_request",
            "invalid_client",
            "invalid_grant",
            "unauthorized_client",
            "unsupported_grant_type",
            "invalid_scope",
            "invalid_resource",
            "invalid_instance",
            "invalid_tenant",
            "temporarily_unavailable",
            "authorization_pending",
            "slow_down",
            "expired_token",
            "authorization_declined",
            "bad_verification_code",
            "interaction_required",
            "access_denied",
            "login_required",
            "unsupported_response_type",
        ];
        for code in ALL {
            assert!(errors.contains(&code.error), "{code:?}");
            assert!((400..=503).contains(&code.status), "{code:?}");
            assert_eq!(code.error == "invalid_client", code.status == 401, "RFC 6749 section 5.2: {code:?}");
        }
    }
}
