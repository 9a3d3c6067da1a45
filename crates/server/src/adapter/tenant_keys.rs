//! The keys of trusted Entra tenants, fetched as those of federated credentials' issuers are: the same bounds, the same cache.

use std::sync::Arc;

use async_trait::async_trait;
use keyless_authority::{ExternalIssuers, Want};
use keyless_token::jwks::ExternalKeys;
use keyless_web::{KeySource, KeysUnavailable};

/// The planes' port to the fetcher.
#[derive(Debug)]
pub(crate) struct TenantKeys(pub(crate) ExternalIssuers);

#[async_trait]
impl KeySource for TenantKeys {
    async fn keys(&self, issuer: &str, kid: &str) -> Result<Arc<ExternalKeys>, KeysUnavailable> {
        self.0.keys(issuer, Want::Kid(kid)).await.map_err(|error| KeysUnavailable(error.to_string()))
    }
}
