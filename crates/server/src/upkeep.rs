//! What a running system does by itself, in the background, until it stops.

use std::sync::Arc;
use std::time::Duration;

use keyless_authority::KeyRotation;
use keyless_config::{Audit, ByteSize, TimeSpan};
use keyless_model::{Actor, OpContext};
use keyless_store::Blocking;
use keyless_store::audit_log::{AuditLog, Retention, confirmed};
use keyless_store_sqlite::SqliteStore;
use keyless_web::Platform;
use tokio::sync::watch;

use crate::certificate::ListenerCertificate;
use crate::operations::Operations;
use crate::stop;

/// How often other processes' commits are looked for, as a safety net under their notices.
const CATCH_UP: Duration = Duration::from_millis(250);
/// How often it is looked whether a minute of counted refusals is over.
const COUNTS: Duration = Duration::from_secs(5);
/// How many looks at the audit log's room are between two removals of what need not be kept.
const PRUNE_ROUNDS: u64 = 60;
/// How often the store learns how far the audit log is on disk. Each time costs one flush.
const SETTLE: Duration = Duration::from_secs(1);
/// How often it is looked whether the listener needs a new certificate.
const CERTIFICATE: Duration = Duration::from_secs(3_600);

/// Ends when `stop` becomes true.
pub(crate) async fn until(mut stop: watch::Receiver<bool>) {
    stop::told(&mut stop).await;
}

pub(crate) async fn rotate_keys(rotation: KeyRotation, stop: watch::Receiver<bool>) {
    rotation.run(until(stop)).await;
}

/// Follows the commits of other processes.
pub(crate) async fn catch_up(platform: Arc<Platform>, mut stop: watch::Receiver<bool>) {
    while !ended(&mut stop, CATCH_UP).await {
        let ctx = platform.begin(Actor::System("catch up"));
        if let Err(error) = platform.directory.catch_up(&ctx).await {
            tracing::warn!(%error, "the state database could not be read; decisions go on with the last snapshot");
        }
    }
}

/// Watches the room that the audit log has, and removes what need not be kept.
pub(crate) async fn look_after_the_log(audit: Arc<AuditLog>, platform: Arc<Platform>, settings: Audit, mut stop: watch::Receiver<bool>) {
    let thread = Blocking::new(1, 0);
    let mut rounds = 0_u64;
    loop {
        let ago = |span: TimeSpan| platform.clock.now().plus_secs(-i64::from(span.as_secs()));
        let (before, max_bytes) = (settings.keep.map(ago), settings.max_size.map(ByteSize::bytes));
        let keep = Retention { before, max_bytes, spare: Some(ago(settings.spare)) };
        let prunes = (before.is_some() || max_bytes.is_some()) && rounds.is_multiple_of(PRUNE_ROUNDS);
        let audit = Arc::clone(&audit);
        let looked = thread.run(move || {
            if prunes {
                audit.prune(keep)?;
            }
            audit.look_at_space()
        });
        if let Ok(Err(error)) = looked.await {
            tracing::warn!(%error, "the audit folder could not be looked after");
        }
        rounds += 1;
        if ended(&mut stop, COUNTS).await {
            return;
        }
    }
}

/// Writes the numbers of refusals that were counted.
pub(crate) async fn write_counts_often(platform: Arc<Platform>, mut stop: watch::Receiver<bool>) {
    while !ended(&mut stop, COUNTS).await {
        // Whatever the disk does not confirm, the log itself has raised the alarm for.
        _ = confirmed(&platform.audit, async { write_counts(&platform, false) }).await;
    }
}

pub(crate) fn write_counts(platform: &Platform, everything: bool) {
    if let Err(error) = platform.write_counts(everything) {
        tracing::warn!(%error, "counts of refusals wait for the audit log");
    }
}

/// Keeps the store's knowledge of the audit log fresh, and the operators' knowledge of the store.
pub(crate) async fn settle_often(
    platform: Arc<Platform>,
    store: Arc<SqliteStore>,
    operations: Arc<Operations>,
    mut stop: watch::Receiver<bool>,
) {
    while !ended(&mut stop, SETTLE).await {
        settle(&platform, &platform.begin(Actor::System("settle"))).await;
        operations.set_state(store.writable().await);
    }
}

/// Keeps the listener's certificate young.
pub(crate) async fn renew_certificate(platform: Arc<Platform>, certificate: Arc<ListenerCertificate>, mut stop: watch::Receiver<bool>) {
    while !ended(&mut stop, CERTIFICATE).await {
        certificate.renew(platform.clock.now());
    }
}

/// Waits; whether the system was told to stop meanwhile.
async fn ended(stop: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    tokio::time::timeout(pause, stop::told(stop)).await.is_ok()
}

/// Brings the store's knowledge of the audit log up to date, so that a log that is cut later is found out.
pub(crate) async fn settle(platform: &Platform, ctx: &OpContext) {
    if let Err(error) = platform.directory.settle_audit(ctx).await {
        tracing::warn!(%error, "the audit log and the state database could not be compared");
    }
}
