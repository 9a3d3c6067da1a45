//! What only the owner of the data folder may do: keys, people, sessions.

use keyless_authority::{KeysError, NewInvitation, NewUser, add_user, invite, revoke_sessions};
use keyless_model::{Actor, KeyId, OpContext, Secret};
use keyless_rbac::Permit;
use keyless_token::rotation::Urgency;

use super::Door;
use super::api::{InvitationAnswer, InvitationRequest, KeyStatus, LocalError, RevokeKey, RevokeSessions, RotateKeys, UserRequest};
use super::door::refusal;

pub(super) const OWNER: &str = "the owner, over the local socket";
/// How long an invitation works when nobody says.
const INVITATION_SECS: u32 = 24 * 3600;

pub(super) fn keys(door: &Door) -> Vec<KeyStatus> {
    let snapshot = door.platform.directory.snapshot();
    snapshot
        .signing_keys()
        .map(|key| KeyStatus { kid: key.kid.to_string(), algorithm: key.algorithm, state: key.state, since: key.since })
        .collect()
}

pub(super) async fn rotate(door: &Door, wanted: RotateKeys) -> Result<Vec<KeyStatus>, LocalError> {
    let urgency = if wanted.now { Urgency::Now } else { Urgency::Graceful };
    door.rotation.rotate(&begin(door), &Permit::system(OWNER), urgency).await.map_err(told)?;
    Ok(keys(door))
}

pub(super) async fn revoke(door: &Door, wanted: RevokeKey) -> Result<Vec<KeyStatus>, LocalError> {
    let kid = KeyId::new(&wanted.kid).map_err(|error| refusal(error.to_string()))?;
    door.rotation.revoke(&begin(door), &Permit::system(OWNER), &kid).await.map_err(told)?;
    Ok(keys(door))
}

pub(super) async fn user(door: &Door, wanted: UserRequest) -> Result<(), LocalError> {
    let new = NewUser {
        tenant: tenant(door)?,
        user_principal_name: wanted.user_principal_name,
        display_name: wanted.display_name,
        password: Secret::new(wanted.password),
        must_change: wanted.must_change,
    };
    add_user(&door.platform, &begin(door), &Permit::system(OWNER), new).await.map(|_| ()).map_err(|error| refusal(error.to_string()))
}

pub(super) fn invitation(door: &Door, wanted: InvitationRequest) -> Result<InvitationAnswer, LocalError> {
    let new = NewInvitation {
        tenant: tenant(door)?,
        user_principal_name: wanted.user_principal_name,
        display_name: wanted.display_name,
        owner: wanted.owner,
        lifetime_secs: i64::from(wanted.lifetime_secs.unwrap_or(INVITATION_SECS)),
    };
    let link = invite(&door.platform, &begin(door), new).map_err(|error| refusal(error.to_string()))?;
    Ok(InvitationAnswer { link: link.expose().clone() })
}

pub(super) async fn sessions(door: &Door, wanted: RevokeSessions) -> Result<(), LocalError> {
    let id = wanted.object_id.parse().map_err(|error: keyless_model::InvalidId| refusal(error.to_string()))?;
    revoke_sessions(&door.platform, &begin(door), &Permit::system(OWNER), id).await.map_err(|error| refusal(error.to_string()))
}

pub(super) fn begin(door: &Door) -> OpContext {
    door.platform.begin(Actor::System(OWNER))
}

fn told(error: KeysError) -> LocalError {
    refusal(error.to_string())
}

pub(super) fn tenant(door: &Door) -> Result<keyless_model::TenantId, LocalError> {
    let snapshot = door.platform.directory.snapshot();
    snapshot.tenants().next().map(|tenant| tenant.id).ok_or_else(|| refusal("the system has no tenant; start it with `keyless up` once"))
}
