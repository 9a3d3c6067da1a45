//! `$filter`: the few OData forms that Azure's clients send, as a conjunction of terms.
//!
//! SECURITY: a filter that is not understood is an error. Answering it with everything made `az ad sp create-for-rbac` take over
//! a foreign service principal (`az-contract` rule 8).

use crate::failure::{Code, Failure};

/// One term of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    /// `name eq 'value'`, also with a bare value (`true`, a time).
    Equals(String, String),
    /// `startswith(name,'value')`.
    StartsWith(String, String),
    /// `names/any(c:c eq 'value')`.
    AnyEquals(String, String),
    /// `name()` and `name('value')`.
    Call(String, Option<String>),
    /// `name ge value` and its kin.
    Compare(String, Comparison, String),
}

/// How a term compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    AtLeast,
    AtMost,
    Above,
    Below,
}

/// The longest filter that is read.
const MAX_BYTES: usize = 2048;

/// Reads a filter.
///
/// # Errors
/// 400, when it is none of the forms above.
pub(crate) fn parse(text: &str) -> Result<Vec<Term>, Failure> {
    let mut reader = Reader { rest: text.trim() };
    if text.len() > MAX_BYTES {
        return Err(unsupported(text));
    }
    let mut terms = vec![reader.term().ok_or_else(|| unsupported(text))?];
    loop {
        reader.spaces();
        if reader.rest.is_empty() {
            return Ok(terms);
        }
        reader.word("and").ok_or_else(|| unsupported(text))?;
        terms.push(reader.term().ok_or_else(|| unsupported(text))?);
    }
}

/// 400 for a filter that this list does not know.
pub(crate) fn unsupported(text: &str) -> Failure {
    let shown: String = text.chars().take(200).filter(|c| !c.is_control()).collect();
    Failure::new(Code::InvalidFilterInQueryString, format!("Invalid or unsupported '$filter' for this list: '{shown}'.")).at("$filter")
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn symbol(&mut self, symbol: char) -> Option<()> {
        self.spaces();
        self.rest = self.rest.strip_prefix(symbol)?;
        Some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.spaces();
        let start = self.rest.get(..word.len())?;
        if !start.eq_ignore_ascii_case(word) {
            return None;
        }
        let rest = &self.rest[word.len()..];
        if rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    fn identifier(&mut self) -> Option<String> {
        self.spaces();
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    /// A quoted text (a quote inside is doubled), or a bare word such as a time.
    fn value(&mut self) -> Option<String> {
        self.spaces();
        let Some(mut rest) = self.rest.strip_prefix('\'') else {
            let end = self.rest.find(|c: char| c.is_whitespace() || c == ')' || c == ',').unwrap_or(self.rest.len());
            let (word, rest) = self.rest.split_at(end);
            self.rest = rest;
            return (!word.is_empty() && !word.contains('\'')).then(|| word.to_owned());
        };
        let mut value = String::new();
        loop {
            let quote = rest.find('\'')?;
            value.push_str(&rest[..quote]);
            rest = &rest[quote + 1..];
            match rest.strip_prefix('\'') {
                Some(after) => {
                    value.push('\'');
                    rest = after;
                }
                None => break,
            }
        }
        self.rest = rest;
        Some(value)
    }

    fn term(&mut self) -> Option<Term> {
        let name = self.identifier()?;
        if self.symbol('/').is_some() {
            return self.any(name);
        }
        if self.symbol('(').is_some() {
            return self.call(name);
        }
        if self.word("eq").is_some() {
            return Some(Term::Equals(name, self.value()?));
        }
        let comparisons = [("ge", Comparison::AtLeast), ("le", Comparison::AtMost), ("gt", Comparison::Above), ("lt", Comparison::Below)];
        let (_, comparison) = comparisons.into_iter().find(|(word, _)| self.word(word).is_some())?;
        Some(Term::Compare(name, comparison, self.value()?))
    }

    /// The rest of `names/any(c:c eq 'value')`.
    fn any(&mut self, name: String) -> Option<Term> {
        self.word("any")?;
        self.symbol('(')?;
        let variable = self.identifier()?;
        self.symbol(':')?;
        if self.identifier()? != variable {
            return None;
        }
        self.word("eq")?;
        let value = self.value()?;
        self.symbol(')')?;
        Some(Term::AnyEquals(name, value))
    }

    /// The rest of `name()`, `name('value')` and `startswith(name,'value')`.
    fn call(&mut self, name: String) -> Option<Term> {
        if self.symbol(')').is_some() {
            return Some(Term::Call(name, None));
        }
        if name.eq_ignore_ascii_case("startswith") {
            let property = self.identifier()?;
            self.symbol(',')?;
            let value = self.value()?;
            self.symbol(')')?;
            return Some(Term::StartsWith(property, value));
        }
        let value = self.value()?;
        self.symbol(')')?;
        Some(Term::Call(name, Some(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equals(name: &str, value: &str) -> Term {
        Term::Equals(name.into(), value.into())
    }

    #[test]
    fn the_forms_that_clients_send_are_read() {
        let cases = [
            ("roleName eq 'Cognitive Services OpenAI User'", vec![equals("roleName", "Cognitive Services OpenAI User")]),
            ("displayName eq 'O''Brien'", vec![equals("displayName", "O'Brien")]),
            ("atScope()", vec![Term::Call("atScope".into(), None)]),
            ("assignedTo('x')", vec![Term::Call("assignedTo".into(), Some("x".into()))]),
            ("atScope() and principalId eq 'x'", vec![Term::Call("atScope".into(), None), equals("principalId", "x")]),
            ("startswith(displayName,'my-')", vec![Term::StartsWith("displayName".into(), "my-".into())]),
            ("servicePrincipalNames/any(c:c eq 'x')", vec![Term::AnyEquals("servicePrincipalNames".into(), "x".into())]),
            (
                "eventTimestamp ge 2026-11-21T00:48:22.458138 and resourceGroupName eq 'my-rg'",
                vec![
                    Term::Compare("eventTimestamp".into(), Comparison::AtLeast, "2026-11-21T00:48:22.458138".into()),
                    equals("resourceGroupName", "my-rg"),
                ],
            ),
        ];
        for (text, terms) in cases {
            assert_eq!(parse(text).unwrap(), terms, "{text}");
        }
    }

    #[test]
    fn anything_else_is_an_error_never_everything() {
        for text in [
            "",
            "roleName",
            "roleName eq",
            "roleName ne 'x'",
            "roleName eq 'x' or roleName eq 'y'",
            "roleName eq 'x",
            "roleName eq 'x' and",
            "not (a eq 'b')",
            "names/all(c:c eq 'x')",
            "names/any(c:d eq 'x')",
            "a eq 'b' garbage",
            "contains(displayName,'x')()",
        ] {
            assert_eq!(parse(text).unwrap_err().status, 400, "{text}");
        }
        assert!(parse(&format!("a eq '{}'", "x".repeat(4000))).is_err());
    }
}
