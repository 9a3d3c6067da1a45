//! The parameters of a managed-identity request, read strictly.

use keyless_model::{ClientId, ObjectId, Scope};
use keyless_web::{Form, FormError};

/// The versions Azure documents for IMDS; clients send the first.
pub(crate) const IMDS_VERSIONS: [&str; 8] =
    ["2018-02-01", "2018-04-02", "2018-10-01", "2019-08-01", "2019-11-01", "2020-06-01", "2021-02-01", "2021-12-13"];

/// Which identity the client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The host's own, or the only one.
    Any,
    Client(ClientId),
    Object(ObjectId),
    Resource(Scope),
}

/// A request that can be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenQuery {
    pub api_version: String,
    pub resource: String,
    pub selector: Selector,
}

/// Why it cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error(transparent)]
    Form(#[from] FormError),
    #[error("api-version is missing; add ?api-version=2018-02-01")]
    NoApiVersion,
    #[error("api-version `{0}` is not known")]
    ApiVersion(String),
    #[error("the parameter `resource` is missing")]
    NoResource,
    #[error("give one of client_id, object_id and msi_res_id, not several")]
    SeveralSelectors,
    #[error("the identity's id is not well formed")]
    BadSelector,
}

/// The selectors' names. IMDS says `msi_res_id`, App Service `mi_res_id` and `principal_id`; clients mix them, so both serve all.
const SELECTORS: [&str; 6] = ["client_id", "clientid", "object_id", "principal_id", "msi_res_id", "mi_res_id"];
/// A resource is a URI or an application id; nothing legitimate is longer.
const MAX_RESOURCE_BYTES: usize = 400;

/// Reads the query of `GET /metadata/identity/oauth2/token` or its App Service form.
///
/// # Errors
/// When a parameter is missing, doubled, or not well formed.
pub fn parse(query: &str, known_api_version: impl Fn(&str) -> bool) -> Result<TokenQuery, QueryError> {
    let form = Form::parse(query.as_bytes())?;
    let api_version = form.field("api-version").ok_or(QueryError::NoApiVersion)?;
    if !known_api_version(api_version) {
        return Err(QueryError::ApiVersion(api_version.chars().take(40).collect()));
    }
    let resource = form.field("resource").filter(|resource| resource.len() <= MAX_RESOURCE_BYTES).ok_or(QueryError::NoResource)?;
    let mut selectors = SELECTORS.iter().filter_map(|name| Some((*name, form.field(name)?)));
    let selector = match (selectors.next(), selectors.next()) {
        (None, _) => Selector::Any,
        (Some(_), Some(_)) => return Err(QueryError::SeveralSelectors),
        (Some((name, value)), None) => read_selector(name, value).ok_or(QueryError::BadSelector)?,
    };
    Ok(TokenQuery { api_version: api_version.to_owned(), resource: resource.to_owned(), selector })
}

fn read_selector(name: &str, value: &str) -> Option<Selector> {
    match name {
        "client_id" | "clientid" => value.parse().ok().map(Selector::Client),
        "object_id" | "principal_id" => value.parse().ok().map(Selector::Object),
        _ => value.parse().ok().map(Selector::Resource),
    }
}
