//! The table of used assertions: who was first, and when a row may go.

use std::net::IpAddr;

use keyless_model::Timestamp;
use keyless_store::{Admission, Presented};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

/// Expired rows that one presentation clears away: more than it adds, few enough that nobody waits for them.
const FORGET_AT_ONCE: u32 = 1000;

/// An assertion, and when it is presented.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) presented: Presented,
    pub(crate) now: Timestamp,
}

/// Admits the assertions in order, in one transaction.
pub(crate) fn admit(connection: &mut Connection, batch: &[Asked]) -> Result<Vec<Admission>, rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let before = Memory::read(&transaction)?;
    let mut memory = before;
    let admissions = batch.iter().map(|asked| memory.admit(&transaction, asked)).collect::<Result<_, _>>()?;
    if memory != before {
        memory.write(&transaction)?;
    }
    transaction.commit()?;
    Ok(admissions)
}

/// The one row about all the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Memory {
    forgotten: i64,
    kept: u64,
}

impl Memory {
    fn read(transaction: &Transaction<'_>) -> Result<Self, rusqlite::Error> {
        let mut statement = transaction.prepare_cached("SELECT forgotten, kept FROM assertion_memory")?;
        statement.query_row([], |row| Ok(Self { forgotten: row.get(0)?, kept: row.get(1)? }))
    }

    fn write(self, transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
        transaction
            .prepare_cached("UPDATE assertion_memory SET forgotten = ?1, kept = ?2")?
            .execute(params![self.forgotten, self.kept])
            .map(|_| ())
    }

    fn admit(&mut self, transaction: &Transaction<'_>, asked: &Asked) -> Result<Admission, rusqlite::Error> {
        let Asked { presented: Presented { key, until, source, capacity }, now } = asked;
        self.forget(transaction, *now)?;
        let first: Option<Option<String>> = transaction
            .prepare_cached("SELECT source FROM assertions WHERE key = ?1")?
            .query_row([key.as_bytes()], |row| row.get(0))
            .optional()?;
        // SECURITY: where the clock was set back, `now` alone would let an assertion in whose row is gone already (fault F7).
        if until <= now || until.unix_millis() <= self.forgotten {
            return Ok(Admission::TooLate);
        }
        if let Some(first) = first {
            return Ok(Admission::Again { first: first.and_then(|text| text.parse::<IpAddr>().ok()) });
        }
        if self.kept >= *capacity {
            return Ok(Admission::Full);
        }
        transaction.prepare_cached("INSERT INTO assertions (key, until, source) VALUES (?1, ?2, ?3)")?.execute(params![
            key.as_bytes(),
            until.unix_millis(),
            source.map(|address| address.to_string())
        ])?;
        self.kept += 1;
        Ok(Admission::First)
    }

    /// Deletes the rows that expired first, and notes how late the latest of them was.
    fn forget(&mut self, transaction: &Transaction<'_>, now: Timestamp) -> Result<(), rusqlite::Error> {
        let last: Option<i64> = transaction
            .prepare_cached("SELECT max(until) FROM (SELECT until FROM assertions WHERE until <= ?1 ORDER BY until LIMIT ?2)")?
            .query_row(params![now.unix_millis(), FORGET_AT_ONCE], |row| row.get(0))?;
        let Some(last) = last else { return Ok(()) };
        let gone = transaction
            .prepare_cached("DELETE FROM assertions WHERE key IN (SELECT key FROM assertions WHERE until <= ?1 ORDER BY until LIMIT ?2)")?
            .execute(params![last, FORGET_AT_ONCE])?;
        self.kept = self.kept.saturating_sub(gone as u64);
        self.forgotten = self.forgotten.max(last);
        Ok(())
    }
}
