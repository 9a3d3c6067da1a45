//! An account's network rules: which addresses it answers at all.
//!
//! The address is the one the connection came from. A forwarded-for header is never believed: anyone can write one.

use std::net::IpAddr;

use keyless_model::entity::{Account, NetworkDefault, PublicNetworkAccess};

use crate::refuse::Refusal;

/// # Errors
/// The refusal, when the account does not answer this address.
pub(crate) fn check(account: &Account, source: IpAddr) -> Result<(), Refusal> {
    if account.public_network_access == PublicNetworkAccess::Disabled {
        return Err(Refusal::PublicAccessDisabled);
    }
    if account.network_acls.default_action == NetworkDefault::Allow {
        return Ok(());
    }
    let source = source.to_canonical();
    if account.network_acls.ip_rules.iter().any(|rule| covers(&rule.value, source)) { Ok(()) } else { Err(Refusal::NetworkRules) }
}

/// Whether an address or CIDR block holds the address. A rule that is neither covers nothing.
fn covers(rule: &str, source: IpAddr) -> bool {
    let (base, length) = match rule.split_once('/') {
        Some((base, length)) => (base, length.parse::<u32>().ok()),
        None => (rule, Some(u32::MAX)),
    };
    let (Ok(base), Some(length)) = (base.trim().parse::<IpAddr>(), length) else { return false };
    let whole = !rule.contains('/');
    match (base.to_canonical(), source) {
        (IpAddr::V4(base), IpAddr::V4(source)) => {
            same_prefix(u128::from(base.to_bits()) << 96, u128::from(source.to_bits()) << 96, if whole { 32 } else { length }, 32)
        }
        (IpAddr::V6(base), IpAddr::V6(source)) => same_prefix(base.to_bits(), source.to_bits(), if whole { 128 } else { length }, 128),
        _ => false,
    }
}

/// Whether the first `length` bits agree; a length beyond `most` makes no sense and covers nothing.
fn same_prefix(base: u128, source: u128, length: u32, most: u32) -> bool {
    length <= most && (length == 0 || (base ^ source).checked_shr(128 - length).is_some_and(|rest| rest == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_what_they_say_and_nothing_else() {
        let covered = |rule: &str, source: &str| covers(rule, source.parse::<IpAddr>().unwrap().to_canonical());
        for (rule, source) in [
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.0/8", "10.255.0.1"),
            ("0.0.0.0/0", "192.0.2.1"),
            ("2001:db8::/32", "2001:db8:1::1"),
            ("::1", "::1"),
            ("10.0.0.1", "::ffff:10.0.0.1"),
        ] {
            assert!(covered(rule, source), "{rule} {source}");
        }
        for (rule, source) in [
            ("10.0.0.1", "10.0.0.2"),
            ("10.0.0.0/8", "11.0.0.1"),
            ("10.0.0.0/33", "10.0.0.0"),
            ("10.0.0.0/-1", "10.0.0.0"),
            ("0.0.0.0/0", "2001:db8::1"),
            ("::/0", "10.0.0.1"),
            ("", "10.0.0.1"),
            ("10.0.0.0/", "10.0.0.0"),
            ("everyone", "10.0.0.1"),
        ] {
            assert!(!covered(rule, source), "{rule} {source}");
        }
    }
}
