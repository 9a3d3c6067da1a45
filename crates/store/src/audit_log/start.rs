//! Where a log begins whose older part is gone, and who says so: a file beside the segments, `start.json`.
//!
//! Whoever removes old segments by hand leaves a log that does not begin at its beginning, which is what a forger would leave. The owner's
//! way leaves this record: after which event the log goes on, and a MAC over that under a key that is derived from the master key. A MAC
//! and not a signature: who checks it is who made it, the owner of the data folder; for everybody else the log's own events
//! (`System_AuditPrune`, `System_AuditLost`) name the same event, and they are part of the chain.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use aws_lc_rs::hmac;
use keyless_audit::{Anchor, Chain};
use keyless_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::AuditLogError;
use crate::Sealer;

const NAME: &str = "start.json";

/// Makes and checks start records.
#[derive(Debug, Clone)]
pub struct StartKey(hmac::Key);

impl StartKey {
    #[must_use]
    pub fn of(sealer: &Sealer) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, sealer.key_for("audit-start").expose()))
    }
}

/// Where a log begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// The first segment.
    pub segment: u64,
    /// The event right before it.
    pub after: Anchor,
    pub time: Timestamp,
    pub why: StartReason,
    /// What the event says that this record goes with.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) told: String,
    mac: String,
}

/// Why a log begins later than at its first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StartReason {
    /// Older events were removed by age, size or command.
    Pruned,
    /// The owner went on without events that were lost.
    Lost,
}

impl Start {
    pub(super) fn new(segment: u64, after: Anchor, time: Timestamp, (why, told): (StartReason, String), key: &StartKey) -> Self {
        let mut start = Self { segment, after, time, why, told, mac: String::new() };
        start.mac = hmac::sign(&key.0, start.stated().as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        start
    }

    /// What the MAC is over. Records of earlier versions tell nothing.
    fn stated(&self) -> String {
        let told = if self.told.is_empty() { String::new() } else { format!("\n{}", self.told) };
        format!("{}\n{}\n{}\n{}\n{:?}{told}", self.segment, self.after.sequence, self.after.hash, self.time.unix_millis(), self.why)
    }

    /// Whether the owner of the key made this record.
    #[must_use]
    pub fn is_by(&self, key: &StartKey) -> bool {
        let bytes = |at: usize| self.mac.get(2 * at..2 * at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let mac: Vec<u8> = (0..self.mac.len() / 2).map_while(bytes).collect();
        self.mac.len() == 64 && hmac::verify(&key.0, self.stated().as_bytes(), &mac).is_ok()
    }

    pub(super) const fn chain(&self) -> Chain {
        Chain::after(self.after)
    }

    /// The record of a folder, if it has one.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, AuditLogError> {
        let path = folder.join(NAME);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| AuditLogError::Io { path, source: error.into() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(AuditLogError::Io { path, source }),
        }
    }

    /// Puts the record into a folder, whole or not at all, on the disk when this returns.
    pub(super) fn write(&self, folder: &Path) -> Result<(), AuditLogError> {
        let io = || AuditLogError::io(folder);
        let next = folder.join("start.json.new");
        let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&next).map_err(io())?;
        let text = serde_json::to_vec(self).map_err(|error| AuditLogError::Io { path: next.clone(), source: error.into() })?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(io())?;
        fs::rename(&next, folder.join(NAME)).and_then(|()| fs::File::open(folder)?.sync_all()).map_err(io())
    }

    /// Takes the record away with what it belongs to.
    pub(super) fn name() -> &'static str {
        NAME
    }
}
