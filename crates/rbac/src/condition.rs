//! ABAC conditions, version 2.0: the part of Azure's language that delegates role assignment.
//!
//! ```text
//! condition  = unary (AND unary)* | unary (OR unary)*          mixed AND and OR need parentheses
//! unary      = (! | NOT) unary | ( condition ) | ActionMatches{'pattern', …} | Exists attribute | comparison
//! comparison = attribute [For(Any|All)Of(Any|All)Values:]operator (literal | {literal, …} | attribute)
//! attribute  = @(Request | Resource | Principal | Environment)[name]
//! operator   = String[Not]Equals[IgnoreCase] | String[Not]Like | String[Not]StartsWith | Guid[Not]Equals | Bool[Not]Equals
//! ```
//!
//! SECURITY: everything else is refused when the condition is written, never skipped. At run time logic has three values: a
//! comparison with a missing or ill-typed attribute is *unknown*, `NOT unknown` is unknown, and only *true* grants. Two-valued
//! logic would turn `!(@Request[x] StringEquals 'y')` into a yes for whoever leaves `x` out.

use crate::Attributes;
use crate::attributes::AttributeSource;
use crate::pattern::{Action, PatternSet};

mod compare;
mod lexer;
mod parser;

use compare::Comparison;
pub use parser::parse;

/// The longest condition, in bytes; Azure's limit.
pub const MAX_BYTES: usize = 8 * 1024;

/// Why a condition was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the condition cannot be enforced: at byte {at}, {why}")]
pub struct ConditionError {
    /// Where, in bytes from the start.
    pub at: usize,
    pub why: String,
}

impl ConditionError {
    fn new(at: usize, why: impl Into<String>) -> Self {
        Self { at, why: why.into() }
    }
}

/// A condition that was understood whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition(Expression);

impl Condition {
    /// Each attribute that the condition looks at, with its name in lower case. Whoever stores a condition should refuse
    /// attributes that nobody will ever supply: such a condition could never be met.
    pub fn attributes(&self) -> Vec<(AttributeSource, &str)> {
        let mut found = Vec::new();
        self.0.collect(&mut found);
        found
    }

    pub(crate) fn truth(&self, action: &Action, attributes: &Attributes) -> Truth {
        self.0.truth(action, attributes)
    }
}

/// Kleene's three values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    Unknown,
}

impl Truth {
    const fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// Names an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
struct AttributeName {
    source: AttributeSource,
    /// In lower case.
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    ActionMatches(PatternSet),
    Exists(AttributeName),
    Compare(Comparison),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Expression {
    fn truth(&self, action: &Action, attributes: &Attributes) -> Truth {
        match self {
            Self::ActionMatches(patterns) => patterns.matches(action).into(),
            Self::Exists(name) => (!attributes.values(name.source, &name.name).is_empty()).into(),
            Self::Compare(comparison) => comparison.truth(attributes),
            Self::Not(inner) => inner.truth(action, attributes).not(),
            Self::All(parts) => fold(parts, Truth::False, action, attributes),
            Self::Any(parts) => fold(parts, Truth::True, action, attributes),
        }
    }

    fn collect<'a>(&'a self, found: &mut Vec<(AttributeSource, &'a str)>) {
        match self {
            Self::ActionMatches(_) => {}
            Self::Exists(name) => found.push((name.source, &name.name)),
            Self::Compare(comparison) => found.extend(comparison.names().map(|name| (name.source, name.name.as_str()))),
            Self::Not(inner) => inner.collect(found),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect(found)),
        }
    }
}

/// `AND` (decided by the first false) or `OR` (decided by the first true); otherwise unknown if any part is.
fn fold(parts: &[Expression], decisive: Truth, action: &Action, attributes: &Attributes) -> Truth {
    let mut answer = decisive.not();
    for part in parts {
        match part.truth(action, attributes) {
            truth if truth == decisive => return decisive,
            Truth::Unknown => answer = Truth::Unknown,
            _ => {}
        }
    }
    answer
}

#[cfg(test)]
mod tests;
