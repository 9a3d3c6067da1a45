//! Claims-matching expressions of flexible federated credentials:
//! `claims['sub'] matches 'repo:my-org/*' and claims['job_workflow_ref'] eq 'my-org/ci/.github/workflows/deploy.yml@refs/heads/main'`.
//!
//! `eq` compares byte for byte; in `matches`, `*` stands for any text and `?` for any one character. `and` is the only connective.

use std::fmt;

use crate::claims::Claims;

/// Longest expression, in bytes, and most terms.
const MAX_TEXT: usize = 1024;
const MAX_TERMS: usize = 10;
/// A longer claim matches nothing; bounds the work that a stranger's token can cause.
const MAX_CLAIM: usize = 4096;
/// Segments that the fixed beginning of a `sub` pattern must complete, none of them empty. One is too few: `repo:*` is every repository
/// of everybody on the same issuer. Two reach past the owner in the forms of GitHub (`repo:my-org/`), GitLab (`project_path:my-group/`),
/// Buildkite (`organization:my-org:`) and Kubernetes (`system:serviceaccount:`).
const MIN_SEGMENTS: usize = 2;
/// The same after `scheme://`, where the owner comes first: SPIFFE (`spiffe://domain/`), Azure DevOps (`sc://my-org/`). On the web it
/// comes after the host, which many share.
const MIN_SEGMENTS_OF_URI: usize = 1;

/// A parsed expression. It names `sub`, and cannot match everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression(Vec<Term>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    claim: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Equals(String),
    Matches(String),
}

/// Why an expression is refused when a credential is made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    #[error("the expression is longer than 1024 bytes or has more than 10 terms; make it shorter")]
    TooLong,
    #[error(
        "the expression is malformed at byte {at}; write claims['name'] eq 'value' or claims['name'] matches 'pattern', joined by `and`"
    )]
    Syntax { at: usize },
    #[error("the expression names claim `{0}` twice; name each claim once")]
    Repeated(String),
    #[error("the pattern for claim `{0}` matches everything; give it fixed text")]
    MatchesEverything(String),
    #[error(
        "the expression does not tie `sub` to one owner; use `eq`, or a pattern whose fixed beginning names the owner, such as 'repo:my-org/*'"
    )]
    Unanchored,
}

impl Expression {
    /// # Errors
    /// [`ExpressionError`] for anything outside the grammar, and for expressions that would let strangers in.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        if text.len() > MAX_TEXT {
            return Err(ExpressionError::TooLong);
        }
        let mut reader = Reader { text, at: 0 };
        let mut terms: Vec<Term> = Vec::new();
        loop {
            let term = reader.term().ok_or(ExpressionError::Syntax { at: reader.at })?;
            if terms.iter().any(|other| other.claim == term.claim) {
                return Err(ExpressionError::Repeated(term.claim));
            }
            if terms.len() == MAX_TERMS {
                return Err(ExpressionError::TooLong);
            }
            terms.push(term);
            if reader.rest().trim_start_matches(' ').is_empty() {
                break;
            }
            reader.word("and").ok_or(ExpressionError::Syntax { at: reader.at })?;
        }
        let expression = Self(terms);
        expression.check_narrow()?;
        Ok(expression)
    }

    fn check_narrow(&self) -> Result<(), ExpressionError> {
        for term in &self.0 {
            match &term.test {
                Test::Matches(pattern) if pattern.chars().all(|letter| matches!(letter, '*' | '?')) => {
                    return Err(ExpressionError::MatchesEverything(term.claim.clone()));
                }
                _ => {}
            }
        }
        let anchored = self.0.iter().any(|term| {
            term.claim == "sub"
                && match &term.test {
                    Test::Equals(value) => !value.is_empty(),
                    Test::Matches(pattern) => names_owner(pattern.split(['*', '?']).next().unwrap_or_default()),
                }
        });
        if anchored { Ok(()) } else { Err(ExpressionError::Unanchored) }
    }

    /// Whether every term holds. A claim that is absent or no string fails its term.
    #[must_use]
    pub fn matches(&self, claims: &Claims<'_>) -> bool {
        self.0.iter().all(|term| {
            claims.text(&term.claim).filter(|text| text.len() <= MAX_CLAIM).is_some_and(|text| match &term.test {
                Test::Equals(value) => value == text,
                Test::Matches(pattern) => glob(pattern, text),
            })
        })
    }
}

/// Writes the expression in its canonical spelling.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Term { claim, test }) in self.0.iter().enumerate() {
            let joint = if index == 0 { "" } else { " and " };
            let (operator, value) = match test {
                Test::Equals(value) => ("eq", value),
                Test::Matches(pattern) => ("matches", pattern),
            };
            write!(f, "{joint}claims['{claim}'] {operator} '{}'", value.replace('\'', "''"))?;
        }
        Ok(())
    }
}

/// Whether a `sub` that begins so belongs to one owner on its issuer.
fn names_owner(fixed: &str) -> bool {
    let scheme = fixed.split_once("://").filter(|(scheme, _)| !scheme.is_empty() && !scheme.contains([':', '/']));
    let (needed, separators, rest): (usize, &[char], &str) = match scheme {
        Some(("http" | "https", rest)) => (MIN_SEGMENTS, &['/'], rest),
        Some((_, rest)) => (MIN_SEGMENTS_OF_URI, &['/'], rest),
        None => (MIN_SEGMENTS, &[':', '/'], fixed),
    };
    // What comes after the last separator may go on in the part that matches anything.
    let complete = rest.rsplit_once(separators).map_or("", |(complete, _)| complete);
    let mut segments = complete.split(separators);
    (0..needed).all(|_| segments.next().is_some_and(|segment| !segment.is_empty()))
}

/// Wildcard match without recursion: on a mismatch only the last `*` gives way, so the work is at most pattern times text.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(&letter) if letter == '?' || letter == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&letter| letter == '*')
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    fn literal(&mut self, expected: &str) -> Option<()> {
        self.rest().starts_with(expected).then(|| self.at += expected.len())
    }

    /// A keyword with space on both sides.
    fn word(&mut self, expected: &str) -> Option<()> {
        let word = self.rest().trim_start_matches(' ');
        let spaces = self.rest().len() - word.len();
        let found = spaces > 0 && word.strip_prefix(expected)?.starts_with(' ');
        found.then(|| self.at += spaces + expected.len())
    }

    fn term(&mut self) -> Option<Term> {
        self.skip_space();
        self.literal("claims[")?;
        let claim = self.quoted()?;
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.' | ':' | '/');
        if claim.is_empty() || !claim.chars().all(plain) {
            return None;
        }
        self.literal("]")?;
        if self.word("eq").is_some() {
            self.skip_space();
            return Some(Term { claim, test: Test::Equals(self.quoted()?) });
        }
        self.word("matches")?;
        self.skip_space();
        Some(Term { claim, test: Test::Matches(self.quoted()?) })
    }

    /// `'text'`, where `''` stands for one quote.
    fn quoted(&mut self) -> Option<String> {
        self.literal("'")?;
        let mut value = String::new();
        loop {
            let (before, _) = self.rest().split_once('\'')?;
            value.push_str(before);
            self.at += before.len() + 1;
            if self.literal("'").is_none() {
                return Some(value);
            }
            value.push('\'');
        }
    }
}

#[cfg(test)]
mod tests;
