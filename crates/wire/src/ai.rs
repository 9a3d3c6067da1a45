//! Azure OpenAI's refusals, word for word: programs and runbooks match on these texts.
//!
//! Sources: the service's answers as recorded in issues and dumps of its SDKs. Note that a missing data action is 401, a foreign
//! tenant 400, and a bad token the only body that is not wrapped in `error`.

use std::fmt;

/// One refusal: the HTTP status and the exact JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AiError {
    pub status: u16,
    /// The machine-readable code in the body; empty for the unwrapped 401.
    pub code: &'static str,
    pub body: String,
}

/// Which limit a 429 speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AiLimit {
    /// Tokens per minute.
    Tokens,
    /// Requests per minute.
    Calls,
}

impl AiLimit {
    const fn word(self) -> &'static str {
        match self {
            Self::Tokens => "token",
            Self::Calls => "call",
        }
    }
}

impl AiError {
    /// 401: the API key is wrong or missing.
    #[must_use]
    pub fn wrong_key() -> Self {
        Self::wrapped(
            401,
            "401",
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active \
             subscription and use a correct regional API endpoint for your resource.",
        )
    }

    /// 401: the token is missing, expired, forged or for another audience. Not wrapped in `error`.
    #[must_use]
    pub fn unauthorized() -> Self {
        let message = "Unauthorized. Access token is missing, invalid, audience is incorrect (https://cognitiveservices.azure.com), \
                       or have expired.";
        Self { status: 401, code: "", body: format!(r#"{{"statusCode":401,"message":{}}}"#, Quoted(message)) }
    }

    /// 400: a genuine token of another tenant.
    #[must_use]
    pub fn wrong_tenant(token_tenant: impl fmt::Display) -> Self {
        Self::wrapped(
            400,
            "Tenant provided in token does not match resource token",
            &format!("Token tenant {token_tenant} does not match resource tenant."),
        )
    }

    /// 401: no role gives the data action. `data_action` in full; `operation` is the method and the route template, with its braces,
    /// such as `POST /openai/deployments/{deployment-id}/chat/completions`.
    #[must_use]
    pub fn permission_denied(principal: impl fmt::Display, data_action: &str, operation: &str) -> Self {
        Self::wrapped(
            401,
            "PermissionDenied",
            &format!("The principal `{principal}` lacks the required data action `{data_action}` to perform `{operation}` operation."),
        )
    }

    /// 403: a key was sent and the account takes none.
    #[must_use]
    pub fn local_auth_disabled() -> Self {
        Self::wrapped(403, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource.")
    }

    /// 403: the caller's address is outside the network rules.
    #[must_use]
    pub fn network_rules() -> Self {
        Self::wrapped(403, "403", "Access denied due to Virtual Network/Firewall rules.")
    }

    /// 403: the account answers on private networks only.
    #[must_use]
    pub fn public_access_disabled() -> Self {
        Self::wrapped(403, "403", "Public access is disabled. Please configure private endpoint.")
    }

    /// 404: no such deployment.
    #[must_use]
    pub fn deployment_not_found() -> Self {
        Self::wrapped(
            404,
            "DeploymentNotFound",
            "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait \
             a moment and try again.",
        )
    }

    /// 404: no such path.
    #[must_use]
    pub fn not_found() -> Self {
        Self::wrapped(404, "404", "Resource not found")
    }

    /// 404: a dated route without a date. Azure says no more than [`AiError::not_found`]; what is missing is said here, in the same shape.
    #[must_use]
    pub fn no_api_version() -> Self {
        Self::wrapped(404, "404", "Resource not found. Add the query parameter api-version, such as ?api-version=2024-10-21.")
    }

    /// 400: an `api-version` this route does not serve.
    #[must_use]
    pub fn api_version() -> Self {
        Self::wrapped(400, "BadRequest", "API version not supported")
    }

    /// 429.
    #[must_use]
    pub fn rate_limit(limit: AiLimit, refused: &RateLimited<'_>) -> Self {
        let RateLimited { deployment, model, region, tier, operation, api_version, retry_after_secs } = refused;
        let kind = limit.word();
        Self::wrapped(
            429,
            "RateLimitReached",
            &format!(
                "Your requests to {deployment} for {model} in {region} have exceeded the {kind} rate limit for your current OpenAI \
                 {tier} pricing tier. This request was for {operation} under Azure OpenAI API version {api_version}. Please retry after \
                 {retry_after_secs} seconds. To increase your default rate limit, visit: https://aka.ms/oai/quotaincrease."
            ),
        )
    }

    /// 400: the prompt was filtered. `filtered` names the categories at fault; the rest are shown as safe.
    #[must_use]
    pub fn content_filter(filtered: &[&str]) -> Self {
        let message = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify \
                       your prompt and retry. To learn more about our content filtering policies please read our documentation: \
                       https://go.microsoft.com/fwlink/?linkid=2198766";
        let result = ["hate", "self_harm", "sexual", "violence"]
            .map(|category| {
                let hit = filtered.contains(&category);
                format!(r#""{category}":{{"filtered":{hit},"severity":"{}"}}"#, if hit { "medium" } else { "safe" })
            })
            .join(",");
        let body = format!(
            r#"{{"error":{{"message":{},"type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{{"code":"ResponsibleAIPolicyViolation","content_filter_result":{{{result}}}}}}}}}"#,
            Quoted(message),
        );
        Self { status: 400, code: "content_filter", body }
    }

    /// 400: the request itself is wrong, in the words of the model server or ours.
    #[must_use]
    pub fn bad_request(message: &str) -> Self {
        Self::wrapped(400, "BadRequest", message)
    }

    /// Any other refusal in the common envelope.
    #[must_use]
    pub fn wrapped(status: u16, code: &'static str, message: &str) -> Self {
        let body = format!(r#"{{"error":{{"code":{},"message":{}}}}}"#, Quoted(code), Quoted(message));
        Self { status, code, body }
    }

    /// The body as an event of a stream that has begun: in the common envelope always, since the clients recognise an event as an error by
    /// its member `error`.
    #[must_use]
    pub fn event(&self) -> String {
        match self.body.strip_prefix(r#"{"statusCode":401,"#) {
            Some(rest) => format!("data: {{\"error\":{{\"code\":\"401\",{rest}}}\n\n"),
            None => format!("data: {}\n\n", self.body),
        }
    }
}

/// What [`AiError::rate_limit`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimited<'a> {
    pub deployment: &'a str,
    pub model: &'a str,
    /// As displayed: `East US`.
    pub region: &'a str,
    /// `S0`.
    pub tier: &'a str,
    /// `ChatCompletions_Create`, `Embeddings_Create`.
    pub operation: &'a str,
    pub api_version: &'a str,
    pub retry_after_secs: u64,
}

/// A JSON string with its quotes and escapes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self.0).map_err(|_| fmt::Error)?)
    }
}
