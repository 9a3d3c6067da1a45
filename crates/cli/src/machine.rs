//! What the machine provides, real only here: the present, randomness, a runtime.

use keyless_model::{Clock as _, Entropy as _, Secret, Timestamp};
use keyless_server::{SystemClock, SystemEntropy};

use crate::failure::{Explain as _, Failure};

pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}

/// A fresh bearer secret of 256 bits.
pub(crate) fn fresh_secret() -> Secret<String> {
    Secret::new(SystemEntropy.text(32))
}

/// A fresh UUID, as names of role assignments are.
pub(crate) fn fresh_uuid() -> String {
    SystemEntropy.uuid().hyphenated().to_string()
}

/// Runs a command's conversation with the system, on this thread.
///
/// # Errors
/// The command's own failure, or that of starting the runtime.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .explain(|| "the asynchronous runtime does not start".to_owned(), "free some file descriptors and try again")?;
    runtime.block_on(work)
}
