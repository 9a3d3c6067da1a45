//! Reads a condition by recursive descent, refusing what it cannot enforce.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::compare::{Comparison, Literal, Operator, Right};
use super::lexer::{Token, tokens};
use super::{Condition, ConditionError, Expression, MAX_BYTES};
use crate::pattern::{self, PatternSet, is_plain};

/// The deepest nesting of parentheses and negations; bounds the stack that reading and deciding take.
const MAX_DEPTH: usize = 32;

/// Reads a condition.
///
/// # Errors
/// When the text is longer than 8 KB, is not well-formed, or uses a part of the language that Keyless does not enforce; the error
/// says where and why.
pub fn parse(text: &str) -> Result<Condition, ConditionError> {
    if text.len() > MAX_BYTES {
        return Err(ConditionError::new(MAX_BYTES, "the condition is longer than 8 KB; shorten it"));
    }
    let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), end: text.len(), depth: 0 };
    let expression = parser.expression()?;
    match parser.tokens.next() {
        None => Ok(Condition(expression)),
        Some((at, token)) => Err(ConditionError::new(at, format!("{} comes after the condition's end", token.describe()))),
    }
}

struct Parser {
    tokens: Peekable<IntoIter<(usize, Token)>>,
    end: usize,
    depth: usize,
}

impl Parser {
    fn peek(&mut self) -> Option<&Token> {
        self.tokens.peek().map(|(_, token)| token)
    }

    fn next(&mut self, wanted: &str) -> Result<(usize, Token), ConditionError> {
        self.tokens.next().ok_or_else(|| ConditionError::new(self.end, format!("expected {wanted}, and the condition ends")))
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), ConditionError> {
        let (at, token) = self.next(&wanted.describe())?;
        if token == *wanted {
            return Ok(());
        }
        Err(ConditionError::new(at, format!("expected {}, not {}", wanted.describe(), token.describe())))
    }

    fn expression(&mut self) -> Result<Expression, ConditionError> {
        let first = self.unary()?;
        let Some(joint @ (Token::And | Token::Or)) = self.peek().cloned() else {
            return Ok(first);
        };
        let mut parts = vec![first];
        while let Some(token @ (Token::And | Token::Or)) = self.peek().cloned() {
            let (at, _) = self.next("`AND` or `OR`")?;
            if token != joint {
                return Err(ConditionError::new(at, "AND and OR are mixed; put parentheses around one of them"));
            }
            parts.push(self.unary()?);
        }
        Ok(if joint == Token::And { Expression::All(parts) } else { Expression::Any(parts) })
    }

    fn unary(&mut self) -> Result<Expression, ConditionError> {
        let (at, token) = self.next("an expression")?;
        match token {
            Token::Not => self.nested(at, Self::unary).map(|inner| Expression::Not(Box::new(inner))),
            Token::Open => {
                let inner = self.nested(at, Self::expression)?;
                self.expect(&Token::Close)?;
                Ok(inner)
            }
            Token::Attribute(left) => self.comparison(left).map(Expression::Compare),
            Token::Word(word) => self.function(at, &word),
            other => Err(ConditionError::new(at, format!("expected an expression, not {}", other.describe()))),
        }
    }

    /// Reads one level deeper.
    fn nested(&mut self, at: usize, read: fn(&mut Self) -> Result<Expression, ConditionError>) -> Result<Expression, ConditionError> {
        if self.depth == MAX_DEPTH {
            return Err(ConditionError::new(at, "the condition nests deeper than 32 levels; simplify it"));
        }
        self.depth += 1;
        let inner = read(self)?;
        self.depth -= 1;
        Ok(inner)
    }

    fn function(&mut self, at: usize, word: &str) -> Result<Expression, ConditionError> {
        match word.to_ascii_lowercase().as_str() {
            "actionmatches" => self.action_matches(),
            "exists" => match self.next("an attribute")? {
                (_, Token::Attribute(name)) => Ok(Expression::Exists(name)),
                (at, other) => Err(ConditionError::new(at, format!("expected an attribute, not {}", other.describe()))),
            },
            "suboperationmatches" => {
                Err(ConditionError::new(at, "SubOperationMatches is not supported; no operation here has suboperations"))
            }
            _ => Err(ConditionError::new(at, format!("`{word}` is not supported; expected ActionMatches, Exists or an attribute"))),
        }
    }

    fn action_matches(&mut self) -> Result<Expression, ConditionError> {
        self.expect(&Token::OpenBrace)?;
        let mut patterns = Vec::new();
        loop {
            match self.next("an action in quotes")? {
                (at, Token::Text(pattern)) => {
                    let plain = pattern.bytes().all(|byte| is_plain(byte) || byte == b'*');
                    if pattern.is_empty() || pattern.len() > pattern::MAX_BYTES || !plain {
                        return Err(ConditionError::new(at, format!("'{pattern}' is not an action pattern")));
                    }
                    patterns.push(pattern);
                }
                (at, other) => return Err(ConditionError::new(at, format!("expected an action in quotes, not {}", other.describe()))),
            }
            if !self.continues()? {
                return Ok(Expression::ActionMatches(PatternSet::compile(patterns.iter().map(String::as_str))));
            }
        }
    }

    /// After an item of a list: true for a comma, false for the closing brace.
    fn continues(&mut self) -> Result<bool, ConditionError> {
        match self.next("`,` or `}`")? {
            (_, Token::Comma) => Ok(true),
            (_, Token::CloseBrace) => Ok(false),
            (at, other) => Err(ConditionError::new(at, format!("expected `,` or `}}`, not {}", other.describe()))),
        }
    }

    fn comparison(&mut self, left: super::AttributeName) -> Result<Comparison, ConditionError> {
        let (at, token) = self.next("an operator")?;
        let Token::Word(word) = token else {
            return Err(ConditionError::new(at, format!("expected an operator, not {}", token.describe())));
        };
        let Some(operator) = Operator::parse(&word) else {
            return Err(ConditionError::new(at, format!("the operator `{word}` is not supported; use a String, Guid or Bool operator")));
        };
        let right = match self.next("a value")? {
            (_, Token::Attribute(name)) => Right::Attribute(name),
            (at, Token::OpenBrace) => {
                let mut values = Vec::new();
                loop {
                    let (at, token) = self.next("a value")?;
                    values.push(literal(&operator, at, token)?);
                    if !self.continues()? {
                        break;
                    }
                }
                if values.len() > 1 && operator.quantifiers.is_none() {
                    return Err(ConditionError::new(at, "several values need an operator such as ForAnyOfAnyValues:StringEquals"));
                }
                Right::Literals(values)
            }
            (at, token) => Right::Literals(vec![literal(&operator, at, token)?]),
        };
        Ok(Comparison { left, operator, right })
    }
}

fn literal(operator: &Operator, at: usize, token: Token) -> Result<Literal, ConditionError> {
    let text = token.describe();
    operator.literal(token).ok_or_else(|| ConditionError::new(at, format!("{text} is not {}", operator.wants())))
}
