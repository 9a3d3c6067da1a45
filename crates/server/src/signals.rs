//! What signals mean to a running system.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that would otherwise end the process at once, without a last word to callers or to the audit log.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hangup: Signal,
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal to stop. A hangup is none: to a service it means "read your configuration again", and a terminal that closes must
    /// not cut off what it started for others.
    pub(crate) async fn stop(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.quit.recv() => return,
                _ = self.hangup.recv() => tracing::warn!("hangup: ignored, there is no configuration to read again; SIGTERM stops the system"),
            }
        }
    }
}
