//! Locations. They are labels here: any name is accepted, and nothing runs elsewhere because of one.

pub(super) mod list;

use crate::call::Call;
use crate::failure::Failure;

/// A location in ARM's normal form: lower case, no spaces (`"East US"` is `eastus`).
pub(super) fn normal(text: &str) -> Result<String, Failure> {
    let name: String = text.chars().filter(|c| *c != ' ').collect::<String>().to_ascii_lowercase();
    let valid = (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if valid {
        return Ok(name);
    }
    Err(Failure::invalid("LocationNotAvailableForResourceType", "The location must be 1 to 64 letters, digits and -.").at("location"))
}

/// The location of a request's body, or the parent's, or the configured one.
pub(super) fn wished(call: &Call, location: Option<&str>, parent: Option<&str>) -> Result<String, Failure> {
    normal(location.or(parent).unwrap_or(&call.control.config.location))
}
