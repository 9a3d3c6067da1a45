//! The rules for names that people choose.

/// A name that breaks its kind's rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{name}' is no valid name for {what}: {rule}")]
pub struct InvalidName {
    pub name: String,
    pub what: &'static str,
    pub rule: &'static str,
}

fn check(name: &str, what: &'static str, rule: &'static str, valid: impl Fn(&str) -> bool) -> Result<(), InvalidName> {
    if valid(name) { Ok(()) } else { Err(InvalidName { name: name.chars().take(100).collect(), what, rule }) }
}

fn made_of(name: &str, lengths: std::ops::RangeInclusive<usize>, extra: &[u8]) -> bool {
    lengths.contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || extra.contains(&b))
}

/// # Errors
/// When the name breaks the rule.
pub fn resource_group(name: &str) -> Result<(), InvalidName> {
    check(name, "a resource group", "1 to 90 letters, digits and -_.() and no dot at the end", |name| {
        made_of(name, 1..=90, b"-_.()") && !name.ends_with('.')
    })
}

/// # Errors
/// When the name breaks the rule.
pub fn identity(name: &str) -> Result<(), InvalidName> {
    check(name, "a managed identity", "3 to 128 letters, digits, - and _, a letter or digit first", |name| {
        made_of(name, 3..=128, b"-_") && name.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

/// # Errors
/// When the name breaks the rule.
pub fn account(name: &str) -> Result<(), InvalidName> {
    check(name, "an account", "2 to 64 letters, digits, -, _ and ., a letter or digit first and last", |name| {
        let edge = |c: char| c.is_ascii_alphanumeric();
        made_of(name, 2..=64, b"-_.") && name.starts_with(edge) && name.ends_with(edge)
    })
}

/// The name in an account's endpoint: a DNS label, because it may become one.
///
/// # Errors
/// When the name breaks the rule.
pub fn custom_subdomain(name: &str) -> Result<(), InvalidName> {
    check(name, "a custom subdomain", "2 to 63 lower-case letters, digits and -, a letter or digit first and last", |name| {
        let edge = |c: char| c.is_ascii_alphanumeric();
        made_of(name, 2..=63, b"-") && !name.bytes().any(|b| b.is_ascii_uppercase()) && name.starts_with(edge) && name.ends_with(edge)
    })
}

/// # Errors
/// When the name breaks the rule.
pub fn deployment(name: &str) -> Result<(), InvalidName> {
    check(name, "a deployment", "1 to 64 letters, digits, -, _ and .", |name| made_of(name, 1..=64, b"-_.") && name != "." && name != "..")
}

/// # Errors
/// When the name breaks the rule.
pub fn federated_credential(name: &str) -> Result<(), InvalidName> {
    check(name, "a federated credential", "3 to 120 letters, digits, - and _, a letter or digit first", |name| {
        made_of(name, 3..=120, b"-_") && name.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

/// # Errors
/// When the name breaks the rule.
pub fn host(name: &str) -> Result<(), InvalidName> {
    check(name, "a virtual machine", "1 to 64 letters, digits, -, _ and .", |name| made_of(name, 1..=64, b"-_."))
}

/// Names that people read: no control characters, no more than `most` characters.
///
/// # Errors
/// When the name breaks the rule.
pub fn display(name: &str, what: &'static str, most: usize) -> Result<(), InvalidName> {
    check(name, what, "not empty, not too long, no control characters", |name| {
        !name.trim().is_empty() && name.chars().count() <= most && !name.chars().any(char::is_control)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_read_as_paths_or_markup_are_refused() {
        for bad in ["", "..", "a/b", "a b", "a\n", "<script>", "a%2f", &"x".repeat(200)] {
            assert!(resource_group(bad).is_err(), "{bad:?}");
            assert!(identity(bad).is_err(), "{bad:?}");
            assert!(account(bad).is_err(), "{bad:?}");
            assert!(custom_subdomain(bad).is_err(), "{bad:?}");
            assert!(deployment(bad).is_err(), "{bad:?}");
            assert!(federated_credential(bad).is_err(), "{bad:?}");
        }
        // ARM's own pattern: ^[a-zA-Z0-9]{1}[a-zA-Z0-9-_]{2,119}$
        for (name, valid) in [("gh", false), ("gh1", true), ("-gh", false), ("g-_", true)] {
            assert_eq!(federated_credential(name).is_ok(), valid, "{name}");
        }
        assert!(federated_credential(&"x".repeat(120)).is_ok() && federated_credential(&"x".repeat(121)).is_err());
        assert!(custom_subdomain("My-openai").is_err());
        assert!(custom_subdomain("my-openai").is_ok() && deployment("gpt-4o").is_ok() && resource_group("my.rg(1)").is_ok());
    }
}
