//! What the gateway knows about a request from its body.

use std::ops::Range;

use super::fault::PromptFault;
use super::scan::{Member, Name};

/// The watched members, typed. A wrong type is refused rather than ignored: some servers coerce (`"stream": "true"`), and would
/// then do something that was not accounted for.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) model: Option<Model>,
    pub(crate) stream: bool,
    pub(crate) stream_options: Option<StreamOptions>,
    /// The most tokens of one answer, when the caller set it.
    pub(crate) max_tokens: Option<u64>,
    choices: Option<u64>,
    best_of: Option<u64>,
    /// `encoding_format` is `base64`.
    pub(crate) base64: bool,
}

#[derive(Debug)]
pub(crate) struct Model {
    /// None for `null`, which is as good as absent.
    pub(crate) name: Option<String>,
    pub(crate) at: Range<u64>,
}

#[derive(Debug)]
pub(crate) struct StreamOptions {
    pub(crate) at: Range<u64>,
    /// None for `null`.
    pub(crate) members: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Facts {
    /// Takes note of a member.
    ///
    /// # Errors
    /// When its value has the wrong type.
    pub(crate) fn note(&mut self, member: Member) -> Result<(), PromptFault> {
        let Member { name, at, value } = member;
        let wrong = PromptFault::Type(name.as_str());
        match name {
            Name::Model => {
                let name = optional(&value, wrong)?;
                self.model = Some(Model { name, at });
            }
            Name::Stream => self.stream = optional(&value, wrong)?.unwrap_or(false),
            Name::StreamOptions => self.stream_options = Some(StreamOptions { at, members: optional(&value, wrong)? }),
            Name::MaxTokens | Name::MaxCompletionTokens | Name::MaxOutputTokens => {
                self.max_tokens = self.max_tokens.max(optional(&value, wrong)?);
            }
            Name::Choices => self.choices = optional(&value, wrong)?,
            Name::BestOf => self.best_of = optional(&value, wrong)?,
            Name::EncodingFormat => self.base64 = value == b"\"base64\"",
            Name::PreviousResponse | Name::Conversation | Name::Background | Name::DataSources => {
                if !matches!(value.as_slice(), b"null" | b"false") {
                    return Err(PromptFault::NotServed(name.as_str()));
                }
            }
        }
        Ok(())
    }

    /// How many answers are produced.
    pub(crate) fn answers(&self) -> u64 {
        self.choices.max(self.best_of).unwrap_or(1).max(1)
    }

    /// The caller itself asked for the usage at the end of the stream.
    pub(crate) fn asks_usage(&self) -> bool {
        let members = self.stream_options.as_ref().and_then(|options| options.members.as_ref());
        members.and_then(|members| members.get("include_usage")).is_some_and(|value| value.as_bool() == Some(true))
    }
}

fn optional<T: serde::de::DeserializeOwned>(value: &[u8], wrong: PromptFault) -> Result<Option<T>, PromptFault> {
    serde_json::from_slice(value).map_err(|_| wrong)
}
