//! Times as people write them. By hand: `humantime` takes many more spellings, and has texts of its own.

use keyless_config::TimeSpan;
use keyless_model::Timestamp;

/// A moment, absolute or counted back from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    /// Seconds ago.
    Ago(u32),
}

impl Moment {
    pub(crate) fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(secs) => now.plus_secs(-i64::from(secs)),
        }
    }
}

/// `90s`, `30m`, `8h`, `2d` or `1h30m`, in seconds.
pub(crate) fn parse_ttl(text: &str) -> Result<u32, String> {
    text.parse().map(TimeSpan::as_secs)
}

/// RFC 3339, or a time ago as [`parse_ttl`] reads it.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, String> {
    if let Ok(secs) = parse_ttl(text) {
        return Ok(Moment::Ago(secs));
    }
    Timestamp::parse_rfc3339(text)
        .map(Moment::At)
        .ok_or_else(|| format!("`{text}` is no moment; write 2026-11-21T03:04:05Z, or how long ago, such as 15m"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_seconds_minutes_hours_and_days() {
        assert_eq!(["90s", "30m", "8h", "2d"].map(parse_ttl), [Ok(90), Ok(1800), Ok(28_800), Ok(172_800)]);
        for wrong in ["", "8", "h", "0h", "-1h", "1w", "30m1h", "99999999999d", "1.5h"] {
            assert!(parse_ttl(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_moment_is_absolute_or_counted_back() {
        let now = Timestamp::from_unix_secs(1_000_000);
        assert_eq!(parse_moment("15m").unwrap().resolve(now), now.plus_secs(-900));
        assert_eq!(parse_moment("1970-01-01T00:00:07Z").unwrap().resolve(now), Timestamp::from_unix_secs(7));
        assert!(parse_moment("yesterday").is_err());
    }
}
