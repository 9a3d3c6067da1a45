//! The newest events of a span of time, at the cost of that span: what is older or younger is neither hashed nor parsed.
//!
//! A list for people, who must see what there is also while somebody has changed the log: a changed line counts for nothing, stands
//! there as such, and is told to whoever asked. To find all changes is the verifier's work.

use std::fs::File;

use keyless_audit::{AuditEvent, Category, Line, readable};
use keyless_model::Timestamp;
use memchr::memmem;

use super::error::AuditLogError;
use super::filter::Filter;
use super::lines::{Forwards, RawLine};
use super::read::{AuditReader, Lines, entry, parse};

/// An event carries the time at which its request began and is written when it ends, so its line may stand among younger ones. No
/// request but a call of a model lasts longer than this.
const LONGEST_MILLIS: i64 = 15 * 60 * 1000;
/// Nor does a call of a model than this.
const LONGEST_CALL_MILLIS: i64 = 26 * 3600 * 1000;
/// The category is among the first members of a line.
const HEAD_BYTES: usize = 320;

/// What a list shows.
#[derive(Debug, Default)]
pub struct Recent {
    /// Newest first. Changed lines are there as what [`readable::changed`] makes of them.
    pub events: Vec<AuditEvent>,
    /// The first line that was found changed.
    pub changed: Option<AuditLogError>,
}

impl AuditReader {
    /// The newest `most` events that pass the filter, newest first. The filter's `since` ends the reading; `gone` is asked at each
    /// line and ends it too: nobody waits for the rest.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn recent(&self, filter: &Filter, most: usize, gone: &dyn Fn() -> bool) -> Result<Recent, AuditLogError> {
        let mut found = Recent::default();
        // Where a changed line stands in time: its own word does not count.
        let mut younger = filter.until;
        for line in Lines::back_from(self.folder(), self.last_segment_before(filter.until)?)? {
            let (path, line) = line?;
            if found.events.len() == most || gone() {
                break;
            }
            let mut changed = |error| {
                let time = younger.or(filter.since).unwrap_or_default();
                found.events.push(readable::changed(time, filter.category.unwrap_or(Category::System), filter.scope.clone()));
                found.changed.get_or_insert(error);
            };
            let Some(time) = readable::time_of(&line.text) else {
                if let Err(error) = parse(&path, &line) {
                    changed(error);
                }
                continue;
            };
            let category = category_of(&line.text);
            if let Some(since) = filter.since
                && time < since
            {
                // What would end the reading must be what was written, or a changed line would hide all before it.
                if let Err(error) = parse(&path, &line) {
                    changed(error);
                    continue;
                }
                let longest = if category == Some(Category::Data) { LONGEST_CALL_MILLIS } else { LONGEST_MILLIS };
                // Everything before this line was written before it, so nothing there can be as young as that.
                if time.plus_millis(longest) < since {
                    break;
                }
                continue;
            }
            let other_kind = filter.category.is_some() && category.is_some() && category != filter.category;
            if other_kind || filter.until.is_some_and(|until| time >= until) {
                continue;
            }
            match entry(&path, &line) {
                Ok(entry) => {
                    younger = Some(time);
                    found.events.extend(entry.map(|entry| entry.event).filter(|event| filter.matches(event)));
                }
                Err(error) => changed(error),
            }
        }
        Ok(found)
    }

    /// The last segment that can hold an event from before `until`: by the first event of each, read from its head.
    fn last_segment_before(&self, until: Option<Timestamp>) -> Result<u64, AuditLogError> {
        let segments = self.folder().segments()?;
        let last = segments.last().copied().unwrap_or_default();
        let Some(until) = until else { return Ok(last) };
        for &number in segments.iter().rev() {
            let path = self.folder().segment(number);
            let io = || AuditLogError::io(&path);
            let mut lines = Forwards::from(File::open(&path).map_err(io())?, 0).map_err(io())?;
            let mut line = RawLine::new();
            // The header, then the first event.
            let some = lines.read(&mut line).and_then(|_| lines.read(&mut line)).map_err(io())?;
            // A changed line says nothing of what its file holds.
            let whole = some && line.ended && Line::parse(&line.text).is_ok();
            let begins = if whole { readable::time_of(&line.text) } else { None };
            if begins.is_none_or(|begins| begins.plus_millis(-LONGEST_CALL_MILLIS) < until) {
                return Ok(number);
            }
        }
        Ok(0)
    }
}

/// The category of our own lines, without parsing them.
fn category_of(text: &[u8]) -> Option<Category> {
    let head = text.get(..HEAD_BYTES).unwrap_or(text);
    let at = memmem::find(head, br#","category":""#)? + br#","category":""#.len();
    [(&b"control\""[..], Category::Control), (b"data\"", Category::Data), (b"token\"", Category::Token), (b"system\"", Category::System)]
        .into_iter()
        .find_map(|(name, category)| head.get(at..)?.starts_with(name).then_some(category))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_read_from_the_head_of_a_line() {
        assert_eq!(category_of(br#"{"time":1,"requestId":"x","category":"control","operation":"y"}"#), Some(Category::Control));
        assert_eq!(category_of(br#"{"time":1,"operation":",\"category\":\"data\""}"#), None, "quotes are escaped within a text");
        assert_eq!(category_of(b""), None);
    }
}
