//! Guests: principals of trusted Entra tenants, whom the owner makes known here by the object id that they have there.

use keyless_audit::{AuditEvent, Category, ControlDetail, Outcome};
use keyless_directory::plan::guest::{self, GuestRefused, NewGuest};
use keyless_model::entity::{Principal, PrincipalKind};
use keyless_model::{InvalidId, ObjectId, OpContext, TenantId};
use keyless_store::{Change, Snapshot, UpdateError};

use super::Door;
use super::administration::{OWNER, begin, tenant};
use super::api::{GuestRequest, GuestStatus, LocalError};
use super::door::refusal;

pub(super) fn list(door: &Door) -> Vec<GuestStatus> {
    let snapshot = door.platform.directory.snapshot();
    let mut guests: Vec<_> = snapshot.principals().filter_map(|row| Some(shown(door, row, row.home?))).collect();
    guests.sort_by(|a, b| (&a.tenant, &a.display_name, &a.object_id).cmp(&(&b.tenant, &b.display_name, &b.object_id)));
    guests
}

pub(super) async fn add(door: &Door, wanted: GuestRequest) -> Result<GuestStatus, LocalError> {
    let home: TenantId = wanted.tenant.parse().map_err(|error: InvalidId| refusal(error.to_string()))?;
    if !door.facts.trusted_tenants.contains(&home) {
        return Err(refusal(format!("tokens of tenant {home} do not count here; start the system with `--trust-tenant {home}`")));
    }
    let ctx = begin(door);
    let new = NewGuest {
        object_id: parse(&wanted.object_id)?,
        home,
        tenant: tenant(door)?,
        kind: if wanted.person { PrincipalKind::User } else { PrincipalKind::ServicePrincipal },
        display_name: wanted.display_name,
        now: ctx.now,
    };
    let plan = |snapshot: &Snapshot| {
        let mutations = guest::add(snapshot, &new)?;
        Ok::<_, GuestRefused>(Change::new(mutations, event(&ctx, "Guest_Add", None, Some(&new.principal()))))
    };
    door.platform.directory.update(&ctx, &door.system.permit(OWNER), plan).await.map_err(told)?;
    Ok(shown(door, &new.principal(), home))
}

pub(super) async fn remove(door: &Door, id: &str) -> Result<(), LocalError> {
    let (ctx, id) = (begin(door), parse(id)?);
    let plan = |snapshot: &Snapshot| {
        let (row, mutations) = guest::remove(snapshot, id)?;
        Ok::<_, GuestRefused>(Change::new(mutations, event(&ctx, "Guest_Remove", Some(&row), None)))
    };
    door.platform.directory.update(&ctx, &door.system.permit(OWNER), plan).await.map_err(told)?;
    Ok(())
}

fn told(error: UpdateError<GuestRefused>) -> LocalError {
    match error {
        UpdateError::Refused(why) => refusal(why.to_string()),
        other => refusal(other.to_string()),
    }
}

fn parse(id: &str) -> Result<ObjectId, LocalError> {
    id.parse().map_err(|error: InvalidId| refusal(error.to_string()))
}

fn shown(door: &Door, row: &Principal, home: TenantId) -> GuestStatus {
    GuestStatus {
        object_id: row.id.to_string(),
        tenant: home.to_string(),
        display_name: row.display_name.clone(),
        principal_type: row.kind.arm_name().to_owned(),
        enabled: row.enabled,
        trusted: door.facts.trusted_tenants.contains(&home),
        added: row.created,
    }
}

fn event(ctx: &OpContext, operation: &'static str, before: Option<&Principal>, after: Option<&Principal>) -> AuditEvent {
    let document = |row: Option<&Principal>| row.and_then(|row| serde_json::to_value(row).ok());
    let mut event = AuditEvent::new(ctx, Category::Control, operation, Outcome::Allowed);
    event.control = Some(ControlDetail { before: document(before), after: document(after) });
    event
}
