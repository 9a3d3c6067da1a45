//! Strict JSON for what strangers send: one meaning per text, flat memory, borrowed strings.
//!
//! SECURITY: two parsers that disagree about one text are a confused deputy. So duplicate members are refused at every depth (which
//! `sub` counts?), as are NUL characters, lone surrogates, bad UTF-8, deep nesting and long member lists.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Deepest nesting accepted. Kubernetes tokens need 3.
const MAX_DEPTH: u8 = 8;
/// Most members of one object and most elements of one array.
const MAX_MEMBERS: usize = 256;

/// A parsed JSON value; strings without escapes borrow from the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Object(Object<'a>),
}

/// An object whose member names are unique.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Object<'a> {
    /// Reads one object and nothing after it. `None` when any rule of this module is broken.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        // Once for the whole text: serde_json then skips the check per string.
        let text = std::str::from_utf8(bytes).ok()?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = Seed { depth: MAX_DEPTH }.deserialize(&mut reader).ok()?;
        reader.end().ok()?;
        match value {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }
}

struct Seed {
    depth: u8,
}

impl Seed {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        self.depth.checked_sub(1).map(|depth| Self { depth }).ok_or_else(|| E::custom("too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        // Beyond any real integer claim: a float is what refuses it later.
        #[allow(clippy::cast_precision_loss, reason = "the value is refused wherever an integer counts")]
        Ok(i64::try_from(value).map_or(Value::Float(value as f64), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'de>, E> {
        Ok(Value::Float(value))
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<Value<'de>, E> {
        plain(Cow::Borrowed(value)).map(Value::Text)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value<'de>, E> {
        plain(Cow::Owned(value.to_owned())).map(Value::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(self.deeper()?)? {
            if list.len() == MAX_MEMBERS {
                return Err(A::Error::custom("too many elements"));
            }
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Value<'de>)> = Vec::with_capacity(24);
        while let Some(name) = access.next_key_seed(Name)? {
            // Quadratic, and bounded by MAX_MEMBERS: for the sizes of real tokens faster than hashing.
            if members.len() == MAX_MEMBERS || members.iter().any(|(other, _)| *other == name) {
                return Err(A::Error::custom("duplicate or too many members"));
            }
            let value = access.next_value_seed(self.deeper()?)?;
            members.push((name, value));
        }
        Ok(Value::Object(Object(members)))
    }
}

/// A member name.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        plain(Cow::Borrowed(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Cow<'de, str>, E> {
        plain(Cow::Owned(value.to_owned()))
    }
}

/// Refuses NUL, which ends a string early in whatever C code sees the claim next.
fn plain<E: serde::de::Error>(text: Cow<'_, str>) -> Result<Cow<'_, str>, E> {
    if text.as_bytes().contains(&0) { Err(E::custom("NUL in a string")) } else { Ok(text) }
}
