//! Splits a condition into words.

use super::{AttributeName, ConditionError};
use crate::attributes::AttributeSource;
use crate::pattern::is_plain;

/// The longest attribute name, in bytes.
const MAX_NAME_BYTES: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    OpenBrace,
    CloseBrace,
    Comma,
    Not,
    And,
    Or,
    /// A name, a literal without quotes, or a GUID.
    Word(String),
    /// What stood between single quotes.
    Text(String),
    Attribute(AttributeName),
}

impl Token {
    /// How an error names it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::OpenBrace => "`{`".to_owned(),
            Self::CloseBrace => "`}`".to_owned(),
            Self::Comma => "`,`".to_owned(),
            Self::Not => "`NOT`".to_owned(),
            Self::And => "`AND`".to_owned(),
            Self::Or => "`OR`".to_owned(),
            Self::Word(word) => format!("`{word}`"),
            Self::Text(text) => format!("'{text}'"),
            Self::Attribute(attribute) => format!("@{:?}[{}]", attribute.source, attribute.name),
        }
    }
}

/// The tokens of `text`, each with its position in bytes.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ConditionError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.as_bytes().get(at) {
        let (token, length) = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'(' => (Token::Open, 1),
            b')' => (Token::Close, 1),
            b'{' => (Token::OpenBrace, 1),
            b'}' => (Token::CloseBrace, 1),
            b',' => (Token::Comma, 1),
            b'!' => (Token::Not, 1),
            b'&' if text[at..].starts_with("&&") => (Token::And, 2),
            b'|' if text[at..].starts_with("||") => (Token::Or, 2),
            b'\'' => quoted(text, at)?,
            b'@' => attribute(text, at)?,
            byte if byte.is_ascii_alphanumeric() => word(text, at),
            _ => {
                let unexpected = text[at..].chars().next().unwrap_or_default();
                return Err(ConditionError::new(at, format!("`{}` has no meaning here", unexpected.escape_default())));
            }
        };
        found.push((at, token));
        at += length;
    }
    Ok(found)
}

fn word(text: &str, at: usize) -> (Token, usize) {
    let rest = &text[at..];
    let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_' | b'.')).count();
    let word = &rest[..length];
    let token = match word.to_ascii_uppercase().as_str() {
        "AND" => Token::And,
        "OR" => Token::Or,
        "NOT" => Token::Not,
        _ => Token::Word(word.to_owned()),
    };
    (token, length)
}

fn quoted(text: &str, at: usize) -> Result<(Token, usize), ConditionError> {
    let rest = &text[at + 1..];
    let Some(length) = rest.find('\'') else {
        return Err(ConditionError::new(at, "the quoted text has no end; close it with `'`"));
    };
    let inside = &rest[..length];
    // An escape that one reader honours and another does not would give a condition two meanings.
    if inside.contains('\\') {
        return Err(ConditionError::new(at, "escapes (`\\`) in quoted text are not supported"));
    }
    Ok((Token::Text(inside.to_owned()), length + 2))
}

fn attribute(text: &str, at: usize) -> Result<(Token, usize), ConditionError> {
    let rest = &text[at + 1..];
    let (word, after) = rest.split_once('[').unwrap_or((rest, ""));
    let source = match word.trim_end().to_ascii_lowercase().as_str() {
        "request" => AttributeSource::Request,
        "resource" => AttributeSource::Resource,
        "principal" => AttributeSource::Principal,
        "environment" => AttributeSource::Environment,
        _ => return Err(ConditionError::new(at, "expected @Request[…], @Resource[…], @Principal[…] or @Environment[…]")),
    };
    let Some((name, _)) = after.split_once(']') else {
        return Err(ConditionError::new(at, "the attribute's name has no end; close it with `]`"));
    };
    let plain = name.bytes().all(|byte| is_plain(byte) || byte == b':');
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !plain {
        return Err(ConditionError::new(at, "an attribute's name holds 1 to 256 letters, digits and . / : - _ only"));
    }
    let token = Token::Attribute(AttributeName { source, name: name.to_ascii_lowercase() });
    // `@`, the word, `[`, the name, `]`
    Ok((token, word.len() + name.len() + 3))
}
