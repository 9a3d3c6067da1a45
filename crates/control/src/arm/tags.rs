//! `tags` of a request's body.

use std::collections::BTreeMap;

use keyless_model::entity::Tags;
use serde::Deserialize;

use crate::failure::{Code, Failure};

const MOST: usize = 50;
const NAME: usize = 512;
const VALUE: usize = 256;

/// Tags as clients send them: absent, null, or a map whose values may be null.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct TagsBody(Option<BTreeMap<String, Option<String>>>);

impl TagsBody {
    /// The tags after a write: those sent, or `current` when the body says nothing.
    pub(crate) fn over(&self, current: &Tags) -> Result<Tags, Failure> {
        let Some(sent) = &self.0 else { return Ok(current.clone()) };
        let invalid = |why: &str| Failure::new(Code::InvalidTagNameOrValue, why.to_owned()).at("tags");
        if sent.len() > MOST {
            return Err(invalid("A resource has at most 50 tags."));
        }
        sent.iter()
            .map(|(name, value)| {
                let value = value.clone().unwrap_or_default();
                let named = (1..=NAME).contains(&name.chars().count()) && !name.contains(['<', '>', '%', '&', '\\', '?', '/']);
                let plain = !name.chars().chain(value.chars()).any(char::is_control) && value.chars().count() <= VALUE;
                if named && plain {
                    Ok((name.clone(), value))
                } else {
                    Err(invalid("A tag's name has 1 to 512 and its value at most 256 characters, without <>%&\\?/ in the name."))
                }
            })
            .collect()
    }
}
