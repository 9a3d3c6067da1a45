//! Lengths of time.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::text_value;

/// A length of time, such as `90s`, `30m`, `24h5m` or `2d`; never nought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(u32);

const UNITS: [(&str, u32); 4] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

impl TimeSpan {
    pub(super) const FORMAT: &str = "time";
    pub(super) const EXPECTS: &str = "a number and a unit, such as 90s, 30m, 8h or 2d";

    /// So many seconds.
    #[must_use]
    pub const fn secs(secs: u32) -> Self {
        Self(secs)
    }

    #[must_use]
    pub const fn as_secs(self) -> u32 {
        self.0
    }

    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

impl FromStr for TimeSpan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no time; write {}", Self::EXPECTS);
        let (mut rest, mut total, mut last) = (text, 0_u32, u32::MAX);
        while !rest.is_empty() {
            let unit_at = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
            let (number, after) = rest.split_at(unit_at);
            let unit_ends = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, after) = after.split_at(unit_ends);
            // Each unit once, the larger one first.
            let factor = UNITS.iter().find(|(name, factor)| *name == unit && *factor < last).ok_or_else(wrong)?.1;
            let part = number.parse::<u32>().ok().and_then(|number| number.checked_mul(factor));
            total = part.and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
            (rest, last) = (after, factor);
        }
        if total == 0 { Err(wrong()) } else { Ok(Self(total)) }
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0;
        for (unit, factor) in UNITS {
            if left >= factor {
                write!(out, "{}{unit}", left / factor)?;
                left %= factor;
            }
        }
        Ok(())
    }
}

text_value!(TimeSpan, number);
