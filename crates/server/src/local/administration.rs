//! What only the owner of the data folder may do: keys, people, sessions.

use std::sync::Arc;

use anyhow::Context as _;
use keyless_authority::{
    AccountError, KeysError, NewInvitation, NewPassword, NewUser, add_user, invite, link_user, pending, revoke_sessions, unlink_user,
    withdraw,
};
use keyless_model::entity::InvitedAs;
use keyless_model::{Actor, KeyId, OpContext, Secret};
use keyless_store::Blocking;
use keyless_store::audit_log::Retention;
use keyless_token::rotation::Urgency;

use super::api::{
    InvitationAnswer, InvitationRequest, InvitationStatus, KeyStatus, LinkRequest, LocalError, PasswordRequest, PruneAnswer, PruneRequest,
    RevokeKey, RevokeSessions, RotateKeys, UserRequest,
};
use super::door::refusal;
use super::{Door, names};

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
    door.rotation.rotate(&begin(door), &door.system.permit(OWNER), urgency).await.map_err(told)?;
    Ok(keys(door))
}

pub(super) async fn revoke(door: &Door, wanted: RevokeKey) -> Result<Vec<KeyStatus>, LocalError> {
    let kid = KeyId::new(&wanted.kid).map_err(|error| refusal(error.to_string()))?;
    door.rotation.revoke(&begin(door), &door.system.permit(OWNER), &kid).await.map_err(told)?;
    Ok(keys(door))
}

pub(super) async fn user(door: &Door, wanted: UserRequest) -> Result<(), LocalError> {
    let new = NewUser {
        tenant: tenant(door)?,
        user_principal_name: wanted.user_principal_name,
        display_name: wanted.display_name,
        password: wanted.password.map(Secret::new),
        must_change: wanted.must_change,
    };
    add_user(&door.platform, &begin(door), &door.system.permit(OWNER), new).await.map(|_| ()).map_err(|error| refusal(error.to_string()))
}

pub(super) async fn reset_password(door: &Door, wanted: PasswordRequest) -> Result<(), LocalError> {
    let new = NewPassword {
        user_principal_name: wanted.user_principal_name,
        password: Secret::new(wanted.password),
        must_change: wanted.must_change,
    };
    keyless_authority::reset_password(&door.platform, &begin(door), &door.system.permit(OWNER), new)
        .await
        .map(drop)
        .map_err(|error| refusal(error.to_string()))
}

pub(super) async fn invitation(door: &Door, wanted: InvitationRequest) -> Result<InvitationAnswer, LocalError> {
    let new = NewInvitation {
        tenant: tenant(door)?,
        user_principal_name: wanted.user_principal_name,
        display_name: wanted.display_name,
        rights: if wanted.owner { InvitedAs::Owner } else { InvitedAs::Member },
        lifetime_secs: i64::from(wanted.lifetime_secs.unwrap_or(INVITATION_SECS)),
    };
    let link = invite(&door.platform, &begin(door), &door.system.permit(OWNER), new).await.map_err(|error| refusal(error.to_string()))?;
    Ok(InvitationAnswer { link: link.expose().clone() })
}

pub(super) fn invitations(door: &Door) -> Vec<InvitationStatus> {
    let open = pending(&door.platform.directory.snapshot(), begin(door).now);
    let shown = open.iter().map(|one| InvitationStatus {
        user_principal_name: one.user_principal_name.clone(),
        display_name: one.display_name.clone(),
        owner: one.rights != InvitedAs::Member,
        invited: one.invited,
        expires: one.expires,
    });
    shown.collect()
}

pub(super) async fn withdraw_invitation(door: &Door, name: &str) -> Result<(), LocalError> {
    withdraw(&door.platform, &begin(door), &door.system.permit(OWNER), name).await.map_err(|error| refusal(error.to_string()))
}

/// What became of the wish to invite the first administrator.
#[derive(Debug)]
pub enum Invited {
    /// Whoever holds the link becomes the administrator of this name.
    Link { name: String, link: Secret<String> },
    /// There is one: nobody was invited.
    NotNeeded,
}

/// A link for the first administrator, while there is none.
pub(crate) async fn first_administrator(door: &Door, name: &str) -> anyhow::Result<Invited> {
    let snapshot = door.platform.directory.snapshot();
    let tenant = snapshot.tenants().next().context("the system has no tenant")?;
    let name = if name.is_empty() { format!("admin@{}", tenant.domain) } else { name.to_owned() };
    let new = NewInvitation {
        tenant: tenant.id,
        user_principal_name: name.clone(),
        display_name: name.clone(),
        rights: InvitedAs::FirstAdministrator,
        lifetime_secs: i64::from(INVITATION_SECS),
    };
    match invite(&door.platform, &begin(door), &door.system.permit(OWNER), new).await {
        Ok(link) => Ok(Invited::Link { name, link }),
        Err(AccountError::AdministratorExists) => Ok(Invited::NotNeeded),
        Err(error) => Err(anyhow::Error::from(error).context(format!("{name} cannot be invited"))),
    }
}

pub(super) async fn link(door: &Door, wanted: LinkRequest) -> Result<(), LocalError> {
    let (ctx, permit) = (begin(door), door.system.permit(OWNER));
    let (platform, name) = (&door.platform, &wanted.user_principal_name);
    let done = match &wanted.subject {
        Some(subject) => {
            let none = "people sign in with passwords only; start the system with `keyless up --sign-in-with ISSUER`";
            let provider = door.facts.sign_in.as_ref().ok_or_else(|| refusal(none))?;
            link_user(platform, &ctx, &permit, name, &provider.issuer, subject).await
        }
        None => unlink_user(platform, &ctx, &permit, name).await,
    };
    done.map(|_| ()).map_err(|error| refusal(error.to_string()))
}

pub(super) async fn sessions(door: &Door, wanted: RevokeSessions) -> Result<(), LocalError> {
    let id = names::principal(&door.platform.directory.snapshot(), &wanted.principal)?;
    let ctx = begin(door);
    let before = wanted.before.unwrap_or(ctx.now);
    revoke_sessions(&door.platform, &ctx, &door.system.permit(OWNER), id, before).await.map_err(|error| refusal(error.to_string()))
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

/// Removes old files of the audit log.
pub(super) async fn prune(door: &Door, asked: PruneRequest) -> Result<PruneAnswer, LocalError> {
    let audit = Arc::clone(&door.audit);
    let keep = Retention { before: asked.before, max_bytes: asked.max_bytes, spare: None };
    let pruned = Blocking::new(1, 0).run(move || audit.prune(keep)).await.map_err(|error| refusal(error.to_string()))?;
    let pruned = pruned.map_err(|error| refusal(error.to_string()))?;
    let up_to = pruned.map(|pruned| format!("{}:{}", pruned.up_to.sequence, pruned.up_to.hash));
    Ok(PruneAnswer { files: pruned.map_or(0, |pruned| pruned.segments), bytes: pruned.map_or(0, |pruned| pruned.bytes), up_to })
}
