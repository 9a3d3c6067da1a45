//! Finds the end of a log, so that writing can go on.
//!
//! The last part of the last segment is verified; the whole log is `keyless audit verify`'s business. What follows the last newline
//! was never acknowledged (a line is written with its newline, in one call) and is cut. Anything else that is wrong is not repaired:
//! it was acknowledged once, so it is evidence.

use std::fs::File;

use keyless_audit::verify::{Verifier, Why, resume_after};
use keyless_audit::{Chain, Line, LineError};

use super::error::AuditLogError;
use super::lines::{Backwards, Forwards, RawLine};
use super::segment::Folder;

/// How much of the end is verified, in bytes.
const WINDOW: u64 = 1 << 20;

/// The end of a log.
#[derive(Debug)]
pub(super) struct Tail {
    /// The last segment, open for writing.
    pub(super) file: File,
    pub(super) segment: u64,
    /// The length of its good part; the file ends here now.
    pub(super) offset: u64,
    pub(super) chain: Chain,
    /// How many bytes of an unfinished line were cut.
    pub(super) cut: u64,
}

/// Opens the last segment (the first, for an empty folder) and cuts an unfinished line.
pub(super) fn recover(folder: &Folder) -> Result<Tail, AuditLogError> {
    let numbers = folder.segments()?;
    let segment = match (numbers.last(), folder.start()?) {
        (Some(last), _) => *last,
        (None, Some(start)) => start.segment,
        (None, None) => 1,
    };
    let path = folder.segment(segment);
    let io = || AuditLogError::io(&path);
    let file = folder.open(segment).map_err(io())?;
    let length = file.metadata().map_err(io())?.len();
    let verified = verify_end(folder, segment, length)?;
    let (offset, chain) = match verified {
        Some((offset, chain)) => (offset, chain),
        // No line at all: the process died between making the file and writing its header.
        None => (0, last_chain_before(folder, &numbers, segment)?),
    };
    if offset < length {
        file.set_len(offset).map_err(io())?;
        file.sync_all().map_err(io())?;
    }
    Ok(Tail { file, segment, offset, chain, cut: length - offset })
}

/// Verifies the last [`WINDOW`] of a segment: where its last line ends, and the chain there.
fn verify_end(folder: &Folder, segment: u64, length: u64) -> Result<Option<(u64, Chain)>, AuditLogError> {
    let path = folder.segment(segment);
    let io = || AuditLogError::io(&path);
    let broken = || AuditLogError::broken(folder.path());
    let from = length.saturating_sub(WINDOW);
    let mut lines = Forwards::from(File::open(&path).map_err(io())?, from).map_err(io())?;
    let mut line = RawLine::new();
    let mut verifier;
    let mut end = None;
    if from == 0 {
        verifier = Verifier::from_segment(segment, []);
        verifier.segment(segment).map_err(broken())?;
    } else {
        // The window starts inside some line; the next one is the first whole one.
        lines.read(&mut line).map_err(io())?;
        let unreadable = || Verifier::after(segment, Chain::new());
        if !lines.read(&mut line).map_err(io())? || !line.ended {
            return end_of_long_line(folder, segment);
        }
        let first = Line::parse(&line.text).map_err(|why| unreadable().refuse(line.offset, why.into())).map_err(broken())?;
        let chain = resume_after(&first).ok_or_else(|| unreadable().refuse(line.offset, Why::Header)).map_err(broken())?;
        end = Some((line.offset + line.text.len() as u64 + 1, chain));
        verifier = Verifier::after(segment, chain);
    }
    while lines.read(&mut line).map_err(io())? && line.ended {
        verifier.line(line.offset, &line.text).map_err(broken())?;
        end = Some((line.offset + line.text.len() as u64 + 1, verifier.chain()));
    }
    Ok(end)
}

/// The last lines are longer than the window: goes by the last whole line.
fn end_of_long_line(folder: &Folder, segment: u64) -> Result<Option<(u64, Chain)>, AuditLogError> {
    let path = folder.segment(segment);
    let io = || AuditLogError::io(&path);
    let file = File::open(&path).map_err(io())?;
    let Some(line) = Backwards::new(file).and_then(|mut lines| lines.read()).map_err(io())? else { return Ok(None) };
    let refuse =
        |why: LineError| AuditLogError::broken(folder.path())(Verifier::after(segment, Chain::new()).refuse(line.offset, why.into()));
    let chain = resume_after(&Line::parse(&line.text).map_err(refuse)?);
    let chain = chain.ok_or(LineError::Malformed("its number is missing")).map_err(refuse)?;
    Ok(Some((line.offset + line.text.len() as u64 + 1, chain)))
}

/// The chain that the header of the still empty `segment` must go on from.
fn last_chain_before(folder: &Folder, numbers: &[u64], segment: u64) -> Result<Chain, AuditLogError> {
    if let Some(start) = folder.start()?.filter(|start| start.segment == segment) {
        return Ok(start.chain());
    }
    let Some(before) = segment.checked_sub(1).filter(|before| *before > 0) else { return Ok(Chain::new()) };
    let missing = |why| AuditLogError::broken(folder.path())(Verifier::after(before, Chain::new()).refuse(0, why));
    if !numbers.contains(&before) {
        return Err(missing(Why::Segment { expected: before, found: segment }));
    }
    let path = folder.segment(before);
    let length = std::fs::metadata(&path).map_err(AuditLogError::io(&path))?.len();
    match verify_end(folder, before, length)? {
        Some((end, chain)) if end == length => Ok(chain),
        Some((end, _)) => Err(AuditLogError::broken(folder.path())(Verifier::after(before, Chain::new()).refuse(end, Why::Torn))),
        None => Err(missing(Why::NoHeader)),
    }
}
