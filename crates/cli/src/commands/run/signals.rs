//! Signals for the program, told apart by who sent them.

use std::fs;

use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::iterator::{Handle, SignalsInfo};
use signal_hook::low_level::siginfo::{Cause, Origin};
use tokio::sync::mpsc;

use crate::failure::{Explain as _, Failure};

const PASSED_ON: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

/// The signals to hand on, in the order of their arrival.
#[derive(Debug)]
pub(crate) struct Signals {
    arrived: mpsc::UnboundedReceiver<Signal>,
    handle: Handle,
}

impl Signals {
    /// From now on signals no longer end this process; they wait here.
    ///
    /// # Errors
    /// When they cannot be caught.
    pub(crate) fn watch() -> Result<Self, Failure> {
        let (send, arrived) = mpsc::unbounded_channel();
        // Under `nohup` a signal is ignored, and the program must go on ignoring it: a handler would be reset to "end" for it.
        let ignored = fs::read_to_string("/proc/self/status").map(|status| ignored(&status)).unwrap_or_default();
        let wanted = PASSED_ON.into_iter().filter(|number| ignored & (1_u64 << (number - 1)) == 0);
        let advice = "run it again";
        let mut signals = SignalsInfo::<WithOrigin>::new(wanted).explain(|| "signals cannot be caught".to_owned(), advice)?;
        let handle = signals.handle();
        let pass_on = move || {
            for origin in signals.forever().filter(is_meant_for_us_alone) {
                let Some(signal) = Signal::from_named_raw(origin.signal) else { continue };
                if send.send(signal).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(pass_on).explain(|| "signals cannot be watched".to_owned(), advice)?;
        Ok(Self { arrived, handle })
    }

    /// The next signal for the program.
    pub(super) async fn next(&mut self) -> Option<Signal> {
        self.arrived.recv().await
    }
}

impl Drop for Signals {
    /// Ends the thread.
    fn drop(&mut self) {
        self.handle.close();
    }
}

/// The terminal sends Ctrl-C and its own closing to the whole process group: the program has them already, and a second Ctrl-C
/// would cut short what it does about the first.
fn is_meant_for_us_alone(origin: &Origin) -> bool {
    origin.cause != Cause::Kernel
}

/// The mask of ignored signals in the text of `/proc/self/status`; nothing where there is no such file.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        let status = "Name:\tkeyless\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000440\n";
        assert_eq!(ignored(status) & (1 << (SIGHUP - 1)), 1);
        assert_eq!(ignored(status) & (1 << (SIGTERM - 1)), 0);
        assert_eq!(ignored("Name:\tkeyless\n"), 0);
    }
}
