//! Fault F22 in full: a million used assertions in one database. Prints the memory they take, and shows that none is forgotten early.
//!
//! `cargo run -p keyless-store-sqlite --example used_assertions [COUNT]`

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use keyless_model::{Actor, OpContext, RequestId, Timestamp};
use keyless_store::{Admission, Presented, Store};
use keyless_store_sqlite::SqliteStore;
use keyless_token::replay::ReplayKey;
use tokio::task::JoinSet;

/// Requests that wait for the store together.
const AT_ONCE: u64 = 64;
/// The assertions expire in this second.
const UNTIL: i64 = 3600;

async fn offer(store: &dyn Store, n: u64, until: i64, now: i64, capacity: u64) -> Result<Admission, Box<dyn Error + Send + Sync>> {
    let ctx = OpContext::new(RequestId::from_u128(n.into()), Timestamp::from_unix_secs(now), Actor::System("used assertions"));
    let key = ReplayKey::of("client", &n.to_string());
    Ok(store.admit_assertion(&ctx, Presented { key, until: Timestamp::from_unix_secs(until), source: None, capacity }).await?)
}

/// Offers every `step`th assertion below `count` and tells how many were taken for new.
async fn first_among(
    store: &Arc<SqliteStore>,
    count: u64,
    step: u64,
    now: i64,
    capacity: u64,
) -> Result<u64, Box<dyn Error + Send + Sync>> {
    let mut tasks = JoinSet::new();
    for lane in 0..AT_ONCE {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            let mut first = 0;
            let mut n = lane * step;
            while n < count {
                first += u64::from(offer(&*store, n, UNTIL, now, capacity).await? == Admission::First);
                n += AT_ONCE * step;
            }
            Ok::<_, Box<dyn Error + Send + Sync>>(first)
        });
    }
    let mut first = 0;
    while let Some(lane) = tasks.join_next().await {
        first += lane??;
    }
    Ok(first)
}

/// A line of `/proc/self/status`, in MiB.
fn memory(line: &str) -> Result<u64, Box<dyn Error + Send + Sync>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kilobytes = status.lines().find_map(|text| text.strip_prefix(line)?.split_whitespace().nth(1)?.parse::<u64>().ok());
    Ok(kilobytes.ok_or("no such line in /proc/self/status")? / 1024)
}

fn disk(folder: &Path) -> Result<u64, std::io::Error> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum::<Result<u64, std::io::Error>>().map(|bytes| bytes >> 20)
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let count: u64 = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("state.db");
    let store = Arc::new(SqliteStore::open(&file)?);
    let before = memory("VmRSS")?;
    let started = Instant::now();
    let admitted = first_among(&store, count, 1, 0, count).await?;
    let took = started.elapsed();
    println!("{admitted} of {count} assertions admitted, {:.0} a second, {AT_ONCE} waiting at once", count as f64 / took.as_secs_f64());
    println!("resident memory: {before} MiB before, {} MiB at its peak; database: {} MiB", memory("VmHWM")?, disk(folder.path())?);
    println!("one more while full: {:?}", offer(&*store, count, UNTIL, 0, count).await?);
    println!("replays accepted, of {}: {}", count.div_ceil(10), first_among(&store, count, 10, UNTIL - 1, count).await?);
    drop(store);
    let started = Instant::now();
    let store = Arc::new(SqliteStore::open(&file)?);
    println!("opened again in {} ms", started.elapsed().as_millis());
    println!("replays accepted after that, of {}: {}", count.div_ceil(10), first_among(&store, count, 10, UNTIL - 1, count).await?);
    let started = Instant::now();
    println!(
        "one that comes when all have expired: {:?} after {} ms",
        offer(&*store, count, 2 * UNTIL, UNTIL, count).await?,
        started.elapsed().as_millis()
    );
    println!(
        "replays accepted with the clock an hour back, of {}: {}",
        count.div_ceil(10),
        first_among(&store, count, 10, 0, count).await?
    );
    Ok(())
}
