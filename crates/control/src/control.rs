//! What every request of the control plane works on.

use std::sync::Arc;

use keyless_web::{Audiences, Authenticator, Platform};

use crate::Config;
use crate::route::Table;

/// The control plane of this process.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) platform: Arc<Platform>,
    pub(crate) config: Config,
    /// Takes tokens for ARM's audiences.
    pub(crate) arm_tokens: Authenticator,
    /// Takes tokens for Graph's audiences.
    pub(crate) graph_tokens: Authenticator,
    pub(crate) arm: Table,
    pub(crate) graph: Table,
}

impl Control {
    pub(crate) fn new(platform: Arc<Platform>, config: Config) -> Arc<Self> {
        let base = platform.endpoints.control.clone();
        Arc::new(Self {
            arm_tokens: Authenticator::new(Arc::clone(&platform), Audiences::control(&base)).trusting(config.trusted_tenants.clone()),
            graph_tokens: Authenticator::new(Arc::clone(&platform), Audiences::graph(&base)),
            arm: Table::new(crate::routes::arm()),
            graph: Table::new(crate::routes::graph()),
            platform,
            config,
        })
    }
}
