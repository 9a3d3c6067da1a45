//! What may be wrong with a request body.

use crate::shares::Crowded;

/// Why a body is not forwarded. The text goes to the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PromptFault {
    #[error("the request body is not a JSON object (at byte {at})")]
    NotJson { at: u64 },
    #[error("the request must be `multipart/form-data` with one boundary")]
    NotForm,
    #[error("the request body is no multipart form that every server reads alike (at byte {at})")]
    BrokenForm { at: u64 },
    #[error("the form field `model` must come before files; it names the deployment")]
    ModelLate,
    #[error("the request body is nested too deeply")]
    TooDeep,
    #[error("the member `{0}` is given twice; send it once")]
    Twice(&'static str),
    #[error("the member `{0}` must be written in lower case")]
    Spelling(&'static str),
    #[error("names of top-level members must be plain ASCII, without escapes")]
    NameBytes,
    #[error("the value of `{0}` is too long")]
    TooLong(&'static str),
    #[error("the value of `{0}` has the wrong type")]
    Type(&'static str),
    #[error("`{0}` is not served by this gateway; leave it out")]
    NotServed(&'static str),
    #[error("the member `model` is missing; it names the deployment")]
    NoModel,
    #[error("too many bytes of your requests are on their way; wait for some of them to end")]
    CrowdedByCaller,
    #[error("too many bytes of requests are on their way; try again")]
    Crowded,
    #[error("the request body is larger than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("the request body did not arrive in time")]
    TooSlow,
    #[error("the request body ended early")]
    Broken,
}

impl From<Crowded> for PromptFault {
    fn from(crowded: Crowded) -> Self {
        match crowded {
            Crowded::Caller => Self::CrowdedByCaller,
            Crowded::Everyone => Self::Crowded,
        }
    }
}
