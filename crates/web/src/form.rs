//! Query strings and form bodies, read strictly: a parameter given twice could be one thing to us and another to a proxy.

use std::collections::BTreeMap;

use keyless_model::Secret;

/// The most bytes of a form body or query (case 81).
pub(crate) const MAX_BYTES: usize = 64 * 1024;
const MAX_PARAMETERS: usize = 100;

/// Why a form cannot be read. Never names a value: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    #[error("the request is larger than 64 kB")]
    TooLarge,
    #[error("the request has more than 100 parameters")]
    TooMany,
    #[error("the parameter `{0}` is given more than once")]
    Duplicate(String),
    #[error("the parameter `{0}` holds a control character; if it was read from a file, leave out the line break at its end")]
    ControlCharacter(String),
}

/// The parameters of a form or query. Values are wiped when dropped, because any of them may be a secret.
#[derive(Debug, Default)]
pub struct Form(BTreeMap<String, Secret<String>>);

impl Form {
    /// Reads `application/x-www-form-urlencoded` text. Names are compared in lower case, as Entra and IMDS do.
    ///
    /// # Errors
    /// When it is too large, or a name occurs twice, or a control character hides in a value.
    pub fn parse(text: &[u8]) -> Result<Self, FormError> {
        if text.len() > MAX_BYTES {
            return Err(FormError::TooLarge);
        }
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if parameters.len() == MAX_PARAMETERS {
                return Err(FormError::TooMany);
            }
            // SECURITY: CR and LF in a client id or a redirect would split a log line or a header (case 86).
            if name.chars().chain(value.chars()).any(char::is_control) {
                return Err(FormError::ControlCharacter(name.chars().filter(|letter| !letter.is_control()).take(40).collect()));
            }
            let name = name.to_ascii_lowercase();
            if parameters.contains_key(&name) {
                return Err(FormError::Duplicate(name.chars().take(40).collect()));
            }
            parameters.insert(name, Secret::new(value.into_owned()));
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter; an empty one counts as absent.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.expose().as_str()).filter(|value| !value.is_empty())
    }

    /// Whether the parameter is there, even empty.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Adds a parameter that came by another way than the form, unless the form has it.
    pub fn fill(&mut self, name: &str, value: Secret<String>) {
        self.0.entry(name.to_owned()).or_insert(value);
    }

    /// The parameters' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_parameters_are_refused_n76() {
        assert_eq!(Form::parse(b"scope=a&SCOPE=b").unwrap_err(), FormError::Duplicate("scope".into()));
    }

    #[test]
    fn line_breaks_in_values_are_refused_n86() {
        assert_eq!(Form::parse(b"client_id=a%0d%0aX").unwrap_err(), FormError::ControlCharacter("client_id".into()));
    }

    #[test]
    fn oversized_forms_are_refused_n81() {
        assert_eq!(Form::parse(&vec![b'a'; MAX_BYTES + 1]).unwrap_err(), FormError::TooLarge);
        let many = (0..101).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        assert_eq!(Form::parse(many.as_bytes()).unwrap_err(), FormError::TooMany);
    }

    #[test]
    fn values_are_decoded_and_never_printed() {
        let form = Form::parse(b"client_secret=a%2Bb+c&empty=").unwrap();
        assert_eq!(form.field("client_secret"), Some("a+b c"));
        assert_eq!((form.field("empty"), form.has("empty")), (None, true));
        assert!(!format!("{form:?}").contains("a+b"));
    }
}
