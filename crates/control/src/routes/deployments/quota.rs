//! That a subscription's deployments of one model and SKU stay within its quota: what `usages` states is what is enforced.

use keyless_model::entity::{Account, Deployment};
use keyless_store::Snapshot;

use crate::call::Call;
use crate::failure::Failure;
use crate::routes::cognitive_services::usages::{Usage, taken};

/// Refuses a capacity beyond what is left. One that is not raised stands, whatever the quota has become since.
pub(super) fn check(
    call: &Call,
    snapshot: &Snapshot,
    account: &Account,
    current: Option<&Deployment>,
    next: &Deployment,
) -> Result<(), Failure> {
    let (usage, wished) = (Usage::of(next), u64::from(next.sku.capacity.unwrap_or_default()));
    let held = current.filter(|row| Usage::of(row) == usage).map_or(0, |row| u64::from(row.sku.capacity.unwrap_or_default()));
    if wished <= held {
        return Ok(());
    }
    let taken = taken(snapshot, account).get(&usage).copied().unwrap_or_default();
    let available = u64::from(call.control.config.quota).saturating_sub(taken.saturating_sub(held));
    if wished <= available {
        return Ok(());
    }
    let message = format!(
        "The specified capacity '{wished}' of account deployment is bigger than available capacity '{available}' for UsageName '{}'.",
        usage.title()
    );
    Err(Failure::invalid("InsufficientQuota", message).at("sku.capacity"))
}
