//! Comparisons of an attribute with values.

use keyless_model::ObjectId;

use super::lexer::Token;
use super::{AttributeName, Truth};
use crate::attributes::{AttributeValue, Attributes};

/// How two values are compared; the flag `negated` of [`Operator`] turns each into its `Not` form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    StringStartsWith,
    GuidEquals,
    BoolEquals,
}

/// `ForAnyOf…` / `ForAllOf…`: how many values of a side must take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    Any,
    All,
}

impl Quantifier {
    /// Whether `test` holds for any or all of `items`; unknown when it cannot be told for one of them.
    fn over<T>(self, items: impl IntoIterator<Item = T>, test: impl Fn(T) -> Option<bool>) -> Option<bool> {
        let mut results = items.into_iter().map(test);
        match self {
            Self::Any => results.try_fold(false, |any, result| result.map(|result| any | result)),
            Self::All => results.try_fold(true, |all, result| result.map(|result| all & result)),
        }
    }
}

/// An operator with its negation and its quantifiers, (left, right).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    test: Test,
    negated: bool,
    pub(super) quantifiers: Option<(Quantifier, Quantifier)>,
}

impl Operator {
    pub(super) fn parse(word: &str) -> Option<Self> {
        let folded = word.to_ascii_lowercase();
        let (quantifiers, name) = match folded.split_once(':') {
            None => (None, folded.as_str()),
            Some((prefix, name)) => {
                let quantifiers = match prefix {
                    "foranyofanyvalues" => (Quantifier::Any, Quantifier::Any),
                    "forallofanyvalues" => (Quantifier::All, Quantifier::Any),
                    "foranyofallvalues" => (Quantifier::Any, Quantifier::All),
                    "forallofallvalues" => (Quantifier::All, Quantifier::All),
                    _ => return None,
                };
                (Some(quantifiers), name)
            }
        };
        let (test, negated) = match name {
            "stringequals" => (Test::StringEquals, false),
            "stringnotequals" => (Test::StringEquals, true),
            "stringequalsignorecase" => (Test::StringEqualsIgnoreCase, false),
            "stringnotequalsignorecase" => (Test::StringEqualsIgnoreCase, true),
            "stringlike" => (Test::StringLike, false),
            "stringnotlike" => (Test::StringLike, true),
            "stringstartswith" => (Test::StringStartsWith, false),
            "stringnotstartswith" => (Test::StringStartsWith, true),
            "guidequals" => (Test::GuidEquals, false),
            "guidnotequals" => (Test::GuidEquals, true),
            "boolequals" => (Test::BoolEquals, false),
            "boolnotequals" => (Test::BoolEquals, true),
            _ => return None,
        };
        Some(Self { test, negated, quantifiers })
    }

    /// What a literal must be, for error messages.
    pub(super) const fn wants(&self) -> &'static str {
        match self.test {
            Test::GuidEquals => "a GUID",
            Test::BoolEquals => "`true` or `false`",
            _ => "a text in single quotes",
        }
    }

    pub(super) fn literal(&self, token: Token) -> Option<Literal> {
        match (self.test, token) {
            (Test::GuidEquals, Token::Word(text) | Token::Text(text)) => guid(&text).map(Literal::Guid),
            (Test::BoolEquals, Token::Word(text)) => bool_of(&text).map(Literal::Bool),
            (Test::GuidEquals | Test::BoolEquals, _) => None,
            (_, Token::Text(text)) => Some(Literal::Text(text)),
            _ => None,
        }
    }

    /// One value against one value; none when the types do not fit.
    fn pair(&self, left: &AttributeValue, right: Value<'_>) -> Option<bool> {
        let result = match self.test {
            Test::StringEquals => text_of(left)? == right.text()?,
            Test::StringEqualsIgnoreCase => text_of(left)?.eq_ignore_ascii_case(right.text()?),
            Test::StringLike => like(right.text()?, text_of(left)?),
            Test::StringStartsWith => text_of(left)?.starts_with(right.text()?),
            Test::GuidEquals => guid(text_of(left)?)? == right.guid()?,
            Test::BoolEquals => matches!(left, AttributeValue::Bool(value) if *value == right.bool()?),
        };
        if self.test == Test::BoolEquals && !matches!(left, AttributeValue::Bool(_)) {
            return None;
        }
        Some(result != self.negated)
    }
}

/// A value written in the condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Guid(u128),
    Bool(bool),
}

/// What an attribute is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Right {
    Literals(Vec<Literal>),
    Attribute(AttributeName),
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Literal(&'a Literal),
    Attribute(&'a AttributeValue),
}

impl<'a> Value<'a> {
    fn text(self) -> Option<&'a str> {
        match self {
            Self::Literal(Literal::Text(text)) => Some(text),
            Self::Attribute(value) => text_of(value),
            Self::Literal(_) => None,
        }
    }

    fn guid(self) -> Option<u128> {
        match self {
            Self::Literal(Literal::Guid(id)) => Some(*id),
            Self::Attribute(value) => guid(text_of(value)?),
            Self::Literal(_) => None,
        }
    }

    fn bool(self) -> Option<bool> {
        match self {
            Self::Literal(Literal::Bool(value)) | Self::Attribute(AttributeValue::Bool(value)) => Some(*value),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) left: AttributeName,
    pub(super) operator: Operator,
    pub(super) right: Right,
}

impl Comparison {
    /// The attributes it looks at.
    pub(super) fn names(&self) -> impl Iterator<Item = &AttributeName> {
        let right = match &self.right {
            Right::Attribute(name) => Some(name),
            Right::Literals(_) => None,
        };
        std::iter::once(&self.left).chain(right)
    }

    pub(super) fn truth(&self, attributes: &Attributes) -> Truth {
        let left = attributes.values(self.left.source, &self.left.name);
        let known = match &self.right {
            Right::Literals(values) => self.quantified(left, values.iter().map(Value::Literal)),
            Right::Attribute(name) => self.quantified(left, attributes.values(name.source, &name.name).iter().map(Value::Attribute)),
        };
        known.map_or(Truth::Unknown, Truth::from)
    }

    fn quantified<'a>(&self, left: &[AttributeValue], right: impl ExactSizeIterator<Item = Value<'a>> + Clone) -> Option<bool> {
        // A missing side is unknown, even where "all of nothing" would be true.
        if left.is_empty() || right.len() == 0 {
            return None;
        }
        let Some((of_left, of_right)) = self.operator.quantifiers else {
            // Without quantifiers, one value is compared with one; which of several was meant cannot be known.
            let ([left], 1) = (left, right.len()) else { return None };
            return right.clone().next().and_then(|right| self.operator.pair(left, right));
        };
        of_left.over(left, |left| of_right.over(right.clone(), |right| self.operator.pair(left, right)))
    }
}

fn text_of(value: &AttributeValue) -> Option<&str> {
    match value {
        AttributeValue::Text(text) => Some(text),
        AttributeValue::Bool(_) => None,
    }
}

/// A GUID in its 36-character form, the only one accepted.
fn guid(text: &str) -> Option<u128> {
    text.parse::<ObjectId>().ok().map(|id| id.uuid().as_u128())
}

fn bool_of(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Whether `text` matches a pattern with `*` (any text) and `?` (one character), case-sensitively. Greedy with a single
/// point of return, so at most |pattern| x |text| steps, whatever the pattern.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last star is, and how much of the text it has swallowed so far.
    let mut star: Option<(usize, usize)> = None;
    while let Some(character) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || wanted == character => {
                p += 1;
                t += 1;
            }
            _ => match star {
                None => return false,
                Some((at, swallowed)) => {
                    star = Some((at, swallowed + 1));
                    p = at + 1;
                    t = swallowed + 1;
                }
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|rest| *rest == '*')
}
