//! The two APIs that are spoken here, and how each says what both have to say.

use axum::body::Body;
use http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use keyless_web::RequestFacts;
use keyless_wire::arm::ArmError;
use keyless_wire::graph::GraphError;

use crate::failure::{Code, Failure};

/// Which of the two a request speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    Arm,
    Graph,
}

impl Api {
    /// The headers that carry a request's id.
    pub(crate) const fn id_headers(self) -> &'static [&'static str] {
        match self {
            Self::Arm => &["x-ms-request-id", "x-ms-correlation-request-id"],
            Self::Graph => &["request-id"],
        }
    }

    /// The member of a list that leads to its next page.
    pub(crate) const fn next_page(self) -> &'static str {
        match self {
            Self::Arm => "nextLink",
            Self::Graph => "@odata.nextLink",
        }
    }

    /// A refusal that is the same for both, under the code that clients of this one know.
    pub(crate) fn in_own_words(self, failure: Failure) -> Failure {
        match self {
            Self::Arm => failure,
            Self::Graph => Failure { code: Code::Request_BadRequest, ..failure },
        }
    }

    pub(crate) fn render(self, facts: &RequestFacts, failure: &Failure) -> Response<Body> {
        let mut response = match self {
            Self::Arm => {
                let mut body = ArmError::new(failure.code.as_str(), failure.message.clone());
                if let Some(target) = &failure.target {
                    body = body.target(target.clone());
                }
                keyless_web::json(failure.status, &body)
            }
            Self::Graph => {
                let (date, id) = (facts.ctx.now.rfc3339(), facts.ctx.request_id.to_string());
                let client = facts.correlation.clone().unwrap_or_else(|| id.clone());
                let date = date.split('.').next().unwrap_or_default().trim_end_matches('Z');
                keyless_web::json(
                    failure.status,
                    &GraphError::new(failure.code.as_str(), failure.message.clone()).of_request(date, &id, &client),
                )
            }
        };
        if failure.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if let Some(Ok(value)) = failure.challenge.as_deref().map(HeaderValue::from_str) {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
        response
    }
}
