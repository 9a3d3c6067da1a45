//! Which identities are lent to which run or shell, and until when.
//!
//! A lent identity is reached with a header secret that only its borrower holds. The system keeps the secret's SHA-256: 256
//! random bits need no slow hash, and neither memory nor the file of remembered shells gives the secret away.

use std::collections::HashMap;
use std::sync::RwLock;

use keyless_model::{ClientId, Entropy, Timestamp};
use keyless_web::PeerOwner;
use serde::{Deserialize, Serialize};

use crate::caller::digest;

/// Names an attachment in lists; not secret, and useless for getting a token.
pub type AttachmentId = String;

/// What an identity was lent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AttachmentKind {
    /// One program, for its lifetime.
    Run,
    /// A shell, for a stated time.
    Shell,
}

/// An identity lent to someone on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    pub id: AttachmentId,
    pub kind: AttachmentKind,
    pub identity: ClientId,
    /// The user whose processes may use it, as a second lock beside the header.
    pub uid: u32,
    /// What it was lent to, for people: the program's name.
    pub label: String,
    pub since: Timestamp,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A request to lend an identity.
#[derive(Debug, Clone)]
pub struct NewAttachment {
    pub kind: AttachmentKind,
    pub identity: ClientId,
    pub uid: u32,
    pub label: String,
    pub until: Option<Timestamp>,
}

/// Why an identity is not lent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttachError {
    #[error("the identity header is too short to be a secret; use at least 32 random bytes")]
    WeakHeader,
    #[error("this identity header is in use already")]
    HeaderInUse,
}

/// The attachments of this process.
#[derive(Debug, Default)]
pub struct Attachments {
    /// By SHA-256 of the header.
    by_header: RwLock<HashMap<[u8; 32], Attachment>>,
}

impl Attachments {
    /// Lends an identity to whoever holds `header`.
    ///
    /// # Errors
    /// When the header is weak or in use.
    pub fn attach(&self, new: NewAttachment, header: &str, entropy: &dyn Entropy, now: Timestamp) -> Result<Attachment, AttachError> {
        if header.len() < 40 {
            return Err(AttachError::WeakHeader);
        }
        let attachment = Attachment {
            id: entropy.text(9),
            kind: new.kind,
            identity: new.identity,
            uid: new.uid,
            label: new.label.chars().filter(|c| !c.is_control()).take(80).collect(),
            since: now,
            until: new.until,
        };
        let mut map = self.by_header.write().expect("no holder of this lock panics");
        if map.contains_key(&digest(header)) {
            return Err(AttachError::HeaderInUse);
        }
        map.insert(digest(header), attachment.clone());
        Ok(attachment)
    }

    /// Ends an attachment at once. Returns whether it was there.
    pub fn detach(&self, id: &str) -> bool {
        let mut map = self.by_header.write().expect("no holder of this lock panics");
        let before = map.len();
        map.retain(|_, attachment| attachment.id != id);
        map.len() < before
    }

    /// The live attachments, oldest first.
    #[must_use]
    pub fn list(&self, now: Timestamp) -> Vec<Attachment> {
        let map = self.by_header.read().expect("no holder of this lock panics");
        let mut all: Vec<Attachment> = map.values().filter(|attachment| lives(attachment, now)).cloned().collect();
        all.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        all
    }

    /// The shells' attachments with the digests of their headers, to remember them across a restart.
    #[must_use]
    pub fn remember(&self, now: Timestamp) -> Vec<(String, Attachment)> {
        let map = self.by_header.read().expect("no holder of this lock panics");
        map.iter()
            .filter(|(_, attachment)| attachment.kind == AttachmentKind::Shell && lives(attachment, now))
            .map(|(header, attachment)| (hex(header), attachment.clone()))
            .collect()
    }

    /// Takes back what [`Attachments::remember`] gave before a restart; entries that make no sense are dropped.
    pub fn recall(&self, remembered: Vec<(String, Attachment)>) {
        let mut map = self.by_header.write().expect("no holder of this lock panics");
        map.extend(remembered.into_iter().filter_map(|(header, attachment)| Some((unhex(&header)?, attachment))));
    }

    /// The attachment whose header this is, if it lives and the owner of the connection may use it: the borrower's own user. Only where the
    /// system has no way to tell users apart the header counts alone.
    ///
    /// SECURITY: the look-up is by hash, so its time tells nothing about how much of a guessed header is right (case 106).
    pub(crate) fn of_header(&self, header: &str, owner: PeerOwner, now: Timestamp) -> Option<Attachment> {
        let map = self.by_header.read().expect("no holder of this lock panics");
        let attachment = map.get(&digest(header))?;
        let theirs = match owner {
            PeerOwner::Uid(uid) => uid == attachment.uid,
            PeerOwner::Unsupported => true,
            PeerOwner::Unknown => false,
        };
        (theirs && lives(attachment, now)).then(|| attachment.clone())
    }
}

fn lives(attachment: &Attachment, now: Timestamp) -> bool {
    attachment.until.is_none_or(|until| now < until)
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
