//! ABAC conditions, version 2.0.

/// A condition that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {}

/// Why a condition was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the condition is not supported at byte {at}: {why}")]
pub struct ConditionError {
    pub at: usize,
    pub why: String,
}

/// # Errors
/// When the text is not a condition that Keyless enforces.
pub fn parse(text: &str) -> Result<Condition, ConditionError> {
    Err(ConditionError { at: 0, why: format!("`{text}` is not supported yet") })
}
