//! `keyless audit export`: events for another system, one JSON object a line, in order and each once.

use std::path::{Path, PathBuf};

use keyless_audit::{Anchor, monitor};
use keyless_store::audit_log::{AuditLogError, Entry, Walk};

use super::verify::{anchor, kept_anchor};
use super::{FOLLOW_PAUSE, Names, Wanted, log, unreadable};
use crate::args::{Export, ExportFormat};
use crate::client::Local;
use crate::commands::Context;
use crate::data_dir::DataDir;
use crate::exit::Exit;
use crate::failure::{Ending, Explain as _, Failure};
use crate::machine::now;

/// How much is written at once, in bytes. A write holds whole lines only.
const BATCH: usize = 64 << 10;

pub(super) async fn export(context: &mut Context<'_>, data: &DataDir, args: &Export) -> Ending {
    let names = Names::of(&Local::of(&data.path)).await;
    let wanted = Wanted::new(&args.filter, &names, now())?;
    let cursor = args.cursor.clone().map(Cursor);
    let after = match (&cursor, &args.after) {
        (Some(cursor), _) => cursor.read()?,
        (None, Some(text)) => Some(anchor(text)?),
        (None, None) => None,
    };
    let kept = kept_anchor(context, &data.path);
    let reader = log::open(&data.path)?;
    let mut walk = match reader.walk(after, kept) {
        Err(error @ AuditLogError::Pruned { .. }) if args.from_start_of_log => {
            context.screen.note(format_args!("{error:#}"));
            reader.walk(None, kept)
        }
        walk => walk,
    }
    .map_err(unreadable)?;
    let mut copy = Copy { format: args.format, wanted, cursor, batch: String::new(), last: after, kept: after, lines: 0, left_out: 0 };
    let told = copy.up_to_now(context, &mut walk);
    copy.summary(context);
    told?;
    if !args.follow {
        return Ok(Exit::Done);
    }
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
            () = tokio::time::sleep(FOLLOW_PAUSE) => {}
        }
        copy.up_to_now(context, &mut walk)?;
    }
}

/// An export under way.
struct Copy {
    format: ExportFormat,
    wanted: Wanted,
    cursor: Option<Cursor>,
    batch: String,
    /// The last event that was looked at.
    last: Option<Anchor>,
    /// What the cursor's file says.
    kept: Option<Anchor>,
    lines: u64,
    /// Events that were wanted and have no shape in the format.
    left_out: u64,
}

impl Copy {
    /// Exports what the log holds and was not exported. What was sound before damage is written before the damage is told.
    fn up_to_now(&mut self, context: &mut Context<'_>, walk: &mut Walk) -> Result<(), Failure> {
        let ended = loop {
            match walk.step() {
                Ok(Some(entry)) => self.take(&entry)?,
                Ok(None) => break walk.finish().map(|_| ()),
                Err(error) => break Err(error),
            }
            if self.batch.len() >= BATCH {
                self.flush(context)?;
            }
        };
        self.flush(context)?;
        ended.map_err(unreadable)
    }

    fn take(&mut self, entry: &Entry) -> Result<(), Failure> {
        self.last = Some(Anchor { sequence: entry.sequence, hash: entry.hash });
        if !self.wanted.matches(&entry.event) {
            return Ok(());
        }
        let before = self.lines;
        match self.format {
            ExportFormat::Keyless => self.line(&entry.line),
            ExportFormat::AzureMonitor => {
                for record in monitor::records(&entry.event) {
                    let line = serde_json::to_string(&record).explain(|| "a record cannot be written".to_owned(), "report this")?;
                    self.line(&line);
                }
            }
        }
        self.left_out += u64::from(self.lines == before);
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.batch.push_str(line);
        self.batch.push('\n');
        self.lines += 1;
    }

    /// The lines first, the cursor after: whoever is killed in between repeats lines and loses none.
    fn flush(&mut self, context: &mut Context<'_>) -> Result<(), Failure> {
        if !self.batch.is_empty() {
            context.screen.write(&self.batch)?;
            self.batch.clear();
        }
        match (&self.cursor, self.last) {
            (Some(cursor), Some(last)) if self.kept != self.last => {
                cursor.write(last)?;
                self.kept = self.last;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn summary(&self, context: &mut Context<'_>) {
        let left_out = match (self.format, self.left_out) {
            (ExportFormat::Keyless, _) | (_, 0) => String::new(),
            (_, 1) => "; 1 event has no shape in Azure Monitor".to_owned(),
            (_, many) => format!("; {many} events have no shape in Azure Monitor"),
        };
        let lines = if self.lines == 1 { "line" } else { "lines" };
        let next = match (self.last, &self.cursor) {
            (Some(last), None) => format!("; the next export goes on with --after {}:{}", last.sequence, last.hash),
            _ => String::new(),
        };
        context.screen.note(format_args!("{} {lines} exported{left_out}{next}", self.lines));
    }
}

/// A file that holds the place of the last exported event: `SEQUENCE:HASH`.
struct Cursor(PathBuf);

impl Cursor {
    fn read(&self) -> Result<Option<Anchor>, Failure> {
        match std::fs::read_to_string(&self.0) {
            Ok(text) => anchor(text.trim()).map(Some).map_err(|_| {
                Failure::new(
                    format!("{} is no cursor of an export", self.0.display()),
                    "name another file, or remove it to export everything again",
                )
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Whole or not at all: a cursor that was half written would lose its place.
    fn write(&self, last: Anchor) -> Result<(), Failure> {
        let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let written = tempfile::NamedTempFile::new_in(folder).and_then(|file| {
            std::fs::write(file.path(), format!("{}:{}\n", last.sequence, last.hash))?;
            file.persist(&self.0).map(|_| ()).map_err(|error| error.error)
        });
        written.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: std::io::Error) -> Failure {
        let what = format!("the cursor {} cannot be used: {error}", self.0.display());
        Failure::new(what, "name a file in a folder that you can write to")
    }
}
