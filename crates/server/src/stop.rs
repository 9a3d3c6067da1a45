//! The signal to stop, as every task waits for it.

use tokio::sync::watch;

/// Ends when the system is told to stop, or when nobody is left to tell.
pub(crate) async fn told(stop: &mut watch::Receiver<bool>) {
    // The guard that this returns must not be held across the caller's next await.
    _ = stop.wait_for(|stop| *stop).await;
}
