//! A token's payload, parsed strictly and read by type. Reading a claim here says nothing about whether it is true.

use std::borrow::Cow;

use crate::error::TokenError;
use crate::json::{Object, Value};

/// The claims of one token. Every accessor refuses a claim of the wrong JSON type instead of treating it as absent.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims<'a>(Object<'a>);

impl<'a> Claims<'a> {
    /// # Errors
    /// [`TokenError::Malformed`] when the payload is not one strict JSON object.
    pub fn parse(payload: &'a [u8]) -> Result<Self, TokenError> {
        Object::parse(payload).map(Self).ok_or(TokenError::Malformed("the payload is not strict JSON"))
    }

    /// A claim's text, when it is a string.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.member(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether a claim is the JSON value `true`. The text "true" is not: who writes that may write "false" and mean it as true.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        matches!(self.0.member(name), Some(Value::Bool(true)))
    }

    /// # Errors
    /// [`TokenError::Claim`] when absent, empty or no string.
    pub fn required(&self, name: &'static str) -> Result<&str, TokenError> {
        self.text(name).filter(|text| !text.is_empty()).ok_or(TokenError::Claim(name))
    }

    /// # Errors
    /// [`TokenError::Claim`] when present and no string.
    pub fn optional(&self, name: &'static str) -> Result<Option<&str>, TokenError> {
        match self.0.member(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(TokenError::Claim(name)),
        }
    }

    /// A `NumericDate` in whole seconds; fractions are refused, as our own tokens never have them.
    ///
    /// # Errors
    /// [`TokenError::Claim`] when present and no integer.
    pub fn seconds(&self, name: &'static str) -> Result<Option<i64>, TokenError> {
        match self.0.member(name) {
            None => Ok(None),
            Some(Value::Int(secs)) => Ok(Some(*secs)),
            Some(_) => Err(TokenError::Claim(name)),
        }
    }

    /// A `NumericDate` that may have a fraction (MSAL for Python sends one), rounded down to seconds.
    ///
    /// # Errors
    /// [`TokenError::Claim`] when present and no number, or one beyond the year 9999.
    pub fn seconds_lenient(&self, name: &'static str) -> Result<Option<i64>, TokenError> {
        const YEAR_9999: f64 = 253_402_300_799.0;
        match self.0.member(name) {
            Some(Value::Float(secs)) if secs.is_finite() && (0.0..=YEAR_9999).contains(secs) =>
            {
                #[allow(clippy::cast_possible_truncation, reason = "the range was checked one line above")]
                Ok(Some(secs.floor() as i64))
            }
            _ => self.seconds(name),
        }
    }

    /// `aud` as a list: a string is a list of one.
    ///
    /// # Errors
    /// [`TokenError::Claim`] when absent, empty, or anything else than a string or strings.
    pub fn audiences(&self) -> Result<Vec<&str>, TokenError> {
        let found = self.strings("aud")?;
        if found.is_empty() || found.iter().any(|text| text.is_empty()) { Err(TokenError::Claim("aud")) } else { Ok(found) }
    }

    /// A list of strings; a single string is a list of one, an absent claim is an empty list.
    ///
    /// # Errors
    /// [`TokenError::Claim`] when anything in it is no string.
    pub fn strings(&self, name: &'static str) -> Result<Vec<&str>, TokenError> {
        match self.0.member(name) {
            None => Ok(Vec::new()),
            Some(Value::Text(text)) => Ok(vec![text]),
            Some(Value::List(list)) => list
                .iter()
                .map(|item| match item {
                    Value::Text(text) => Ok(Cow::as_ref(text)),
                    _ => Err(TokenError::Claim(name)),
                })
                .collect(),
            Some(_) => Err(TokenError::Claim(name)),
        }
    }
}
