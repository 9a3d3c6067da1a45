//! A state database restored from a backup that is older than the audit log: refused at start, unless the owner says otherwise.

use keyless_audit::AuditSink as _;
use keyless_model::OpContext;
use keyless_store::audit_log::{AuditLog, AuditLogError};
use keyless_store::{Revision, Store};

/// The state has seen every change that the log tells of; or it has not, the owner accepts that, and the log says so.
///
/// # Errors
/// When the state is older than the log, with what to do.
pub(crate) async fn check(store: &dyn Store, audit: &AuditLog, revision: Revision, accept: bool, ctx: &OpContext) -> anyhow::Result<()> {
    let kept = store.audit_anchor(ctx).await?;
    match audit.check_state(kept, revision) {
        Err(AuditLogError::StateIsOlder { state, logged, .. }) if accept => {
            audit.accept_older_state(state, logged)?;
            // From here on the database knows the log as it is now, so the next start needs no flag.
            Ok(store.note_audited(ctx, 0, audit.anchor()).await?)
        }
        checked => Ok(checked?),
    }
}
