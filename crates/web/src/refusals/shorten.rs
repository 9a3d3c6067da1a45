//! The length of a refused request's event.

use std::borrow::Cow;

use keyless_audit::AuditEvent;
use keyless_audit::redact::shortened;

/// Longer texts of a refused request are cut: they are the caller's own.
pub(super) const MAX_TEXT_BYTES: usize = 512;
/// Those of a stranger.
pub(super) const MAX_STRANGERS_TEXT_BYTES: usize = 256;
/// A scope is either whole or not there.
const MAX_TARGET_BYTES: usize = 1024;

/// Cuts what the caller chose the length of.
pub(super) fn shorten(event: &mut AuditEvent, most: usize) {
    let text = |text: &mut Cow<'static, str>| {
        if text.len() > most {
            *text = shortened(text, most).into();
        }
    };
    let string = |text: &mut Option<String>| {
        if let Some(long) = text.as_mut().filter(|text| text.len() > most) {
            *long = shortened(long, most);
        }
    };
    text(&mut event.operation);
    if let Some(decision) = &mut event.decision {
        text(&mut decision.because);
    }
    if let Some(token) = &mut event.token {
        text(&mut token.grant);
        text(&mut token.credential);
        string(&mut token.audience);
    }
    if let Some(data) = &mut event.data {
        string(&mut data.api_version);
        for name in [&mut data.deployment, &mut data.model].into_iter().flatten() {
            if name.len() > most {
                *name = shortened(name, most).into();
            }
        }
    }
    if event.target.as_ref().is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) {
        event.target = None;
    }
}
