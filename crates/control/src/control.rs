//! What every request of the control plane works on.

use std::sync::Arc;

use keyless_web::Platform;

use crate::Config;

/// The control plane of this process.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) platform: Arc<Platform>,
    pub(crate) config: Config,
}
