//! Times as people write them. By hand: `humantime` takes many more spellings, and has texts of its own.

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

/// `90s`, `30m`, `8h` or `2d`, in seconds.
pub(crate) fn parse_ttl(text: &str) -> Result<u32, String> {
    let seconds = measured(text, &[("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)]);
    let wrong = || format!("`{text}` is no time; write a number and a unit, such as 90s, 30m, 8h or 2d");
    seconds.and_then(|seconds| u32::try_from(seconds).ok()).ok_or_else(wrong)
}

/// A size in bytes: a number and a unit of 1000.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let bytes = measured(text, &[("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)]);
    bytes.ok_or_else(|| format!("`{text}` is no size; write a number and a unit, such as 500MB or 50GB"))
}

/// A whole number above zero and one of these units.
fn measured(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok().filter(|number| *number > 0)?.checked_mul(*factor)
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
        for wrong in ["", "8", "h", "0h", "-1h", "1w", "1h30m", "99999999999d", "1.5h"] {
            assert!(parse_ttl(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        assert_eq!(["500MB", "50GB", "1TB"].map(parse_size), [Ok(500_000_000), Ok(50_000_000_000), Ok(1_000_000_000_000)]);
        for wrong in ["", "50", "GB", "0GB", "-1GB", "1.5GB", "50gb", "99999999999999TB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
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
