//! A request of the token endpoint, as every grant and the authentication of its client read it.

use keyless_web::{Form, RequestFacts};

/// Which of Entra's two token endpoints was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `/oauth2/token`: the client names a `resource`, times are strings.
    V1,
    /// `/oauth2/v2.0/token`: the client names a `scope`.
    V2,
}

/// A token request whose form was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenRequest<'a> {
    pub(crate) facts: &'a RequestFacts,
    /// The path segment that names the tenant.
    pub(crate) tenant: &'a str,
    pub(crate) protocol: Protocol,
    pub(crate) form: &'a Form,
    /// The origin of the page in a browser that asks; empty when it is none that could be registered.
    pub(crate) origin: Option<&'a str>,
}
