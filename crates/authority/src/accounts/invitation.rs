//! Invitations: a link with which one person makes one account, until it is used, withdrawn, replaced or too old.
//!
//! The link only names the invitation. What it says, and whether it still counts, stands in the directory: so it ends for every node
//! at once, and stays ended over a restart.

use std::sync::Arc;

use keyless_audit::{AuditEvent, Category, Outcome};
use keyless_directory::plan::user::{UserRefused, check_name};
use keyless_model::entity::{Entity, Invitation, InvitedAs, Mutation};
use keyless_model::{AssignmentId, ObjectId, OpContext, Secret, TenantId, Timestamp};
use keyless_rbac::Permit;
use keyless_store::{Change, Snapshot, UpdateError};
use keyless_web::Platform;

use super::{AccountError, account, decision, has_administrator};
use crate::codes;
use crate::refusal::Refusal;
use crate::sign_in::{SignInError, Then, Ticket, Tickets};
use crate::state::Authority;

/// Invitations that may be open at once.
pub(super) const MOST: usize = 1000;

/// A person who is invited to make an account.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    pub tenant: TenantId,
    pub user_principal_name: String,
    pub display_name: String,
    pub rights: InvitedAs,
    /// How long the link works.
    pub lifetime_secs: i64,
}

/// Makes a link with which one person can make this account, once. Whoever holds the link is that person: show it to them only. An
/// earlier link for the same name ends.
///
/// # Errors
/// [`AccountError`].
pub async fn invite(platform: &Platform, ctx: &OpContext, permit: &Permit, new: NewInvitation) -> Result<Secret<String>, AccountError> {
    let invitation = Invitation {
        user: ObjectId::new(platform.entropy.uuid()),
        tenant: new.tenant,
        user_principal_name: new.user_principal_name,
        display_name: new.display_name,
        rights: new.rights,
        invited: ctx.now,
        expires: ctx.now.plus_secs(new.lifetime_secs),
    };
    let plan = |snapshot: &Snapshot| {
        // Before the name: the administrator who is there may well have the very one.
        if invitation.rights == InvitedAs::FirstAdministrator && has_administrator(snapshot) {
            return Err(AccountError::AdministratorExists);
        }
        check_name(snapshot, invitation.tenant, &invitation.user_principal_name)?;
        let mut mutations = ended(snapshot, |open| open.expires <= ctx.now || open.is_for(&invitation.user_principal_name));
        if snapshot.invitations().count() - mutations.len() >= MOST {
            return Err(AccountError::TooManyInvitations);
        }
        mutations.push(Mutation::put(invitation.clone()));
        let mut event = AuditEvent::new(ctx, Category::Control, "User_Invite", Outcome::Allowed);
        let because = format!("{} is invited as {}, valid for {} s", invitation.user_principal_name, invitation.user, new.lifetime_secs);
        event.decision = Some(decision(because));
        Ok(Change::new(mutations, event))
    };
    platform.directory.update(ctx, permit, plan).await?;
    let then = Then::Accept(invitation.user);
    let text = Tickets::of(platform).write(&Ticket { browser: None, expires: invitation.expires, then, changing: None });
    Ok(Secret::new(format!("{}/invite?ticket={text}", platform.endpoints.authority)))
}

/// The invitations whose links work, by name.
#[must_use]
pub fn pending(snapshot: &Snapshot, now: Timestamp) -> Vec<Arc<Invitation>> {
    let mut open: Vec<_> = snapshot.invitations().filter(|one| one.expires > now).cloned().collect();
    open.sort_by(|a, b| a.user_principal_name.cmp(&b.user_principal_name));
    open
}

/// Ends the invitation for a sign-in name: its link opens nothing any more.
///
/// # Errors
/// [`AccountError`].
pub async fn withdraw(platform: &Platform, ctx: &OpContext, permit: &Permit, name: &str) -> Result<(), AccountError> {
    let plan = |snapshot: &Snapshot| {
        let open = pending(snapshot, ctx.now).into_iter().find(|one| one.is_for(name)).ok_or(AccountError::NotInvited)?;
        let mut event = AuditEvent::new(ctx, Category::Control, "User_WithdrawInvitation", Outcome::Allowed);
        event.decision = Some(decision(format!("{} is not invited as {} any more", open.user_principal_name, open.user)));
        Ok(Change::new(ended(snapshot, |one| one.user == open.user), event))
    };
    platform.directory.update(ctx, permit, plan).await?;
    Ok(())
}

/// The invitation that a link or a page stands for, while it counts.
pub(crate) fn open(snapshot: &Snapshot, user: ObjectId, now: Timestamp) -> Result<Arc<Invitation>, Refusal> {
    let found = snapshot.invitation(user).filter(|one| one.expires > now).cloned().ok_or_else(closed)?;
    if found.rights == InvitedAs::FirstAdministrator && has_administrator(snapshot) {
        let text = "The system has an administrator by now. Ask them for an invitation.";
        return Err(Refusal::new(&codes::MALFORMED_REQUEST).with(text));
    }
    Ok(found)
}

fn closed() -> Refusal {
    let text = "The invitation was accepted or withdrawn, or has expired. Ask for a new one.";
    Refusal::new(&codes::MALFORMED_REQUEST).with(text)
}

/// Makes the account of an invitation, and ends the invitation.
pub(crate) async fn accept(
    authority: &Authority,
    ctx: &OpContext,
    user: ObjectId,
    password: &Secret<String>,
) -> Result<Result<(), SignInError>, Refusal> {
    let platform = &authority.platform;
    // Before the expensive step.
    open(&platform.directory.snapshot(), user, ctx.now)?;
    let hash = match platform.passwords.known.hash(password.clone()).await {
        Ok(hash) => hash,
        Err(error) => return Ok(Err(error.into())),
    };
    let assignment = AssignmentId::new(platform.entropy.uuid());
    let plan = |snapshot: &Snapshot| {
        // SECURITY: asked in the transaction: a link makes one account, and of two for the first administrator one makes an Owner.
        let invitation = open(snapshot, user, ctx.now)?;
        let assignment = (invitation.rights != InvitedAs::Member).then_some(assignment);
        account(snapshot, ctx, &invitation, Some(hash.clone()), false, assignment).map_err(|error| match error {
            AccountError::User(UserRefused::Taken) => closed(),
            error => Authority::unavailable(&error),
        })
    };
    match platform.directory.update(ctx, &authority.system.permit("an invited person accepted"), plan).await {
        Ok(_) => Ok(Ok(())),
        Err(UpdateError::Refused(refusal)) => Err(refusal),
        Err(error) => Err(Authority::unavailable(&error)),
    }
}

/// The end of those invitations.
pub(super) fn ended(snapshot: &Snapshot, which: impl Fn(&Invitation) -> bool) -> Vec<Mutation> {
    let gone = snapshot.invitations().filter(|one| which(one));
    gone.map(|one| Mutation::Delete(Entity::from(Invitation::clone(one)).key())).collect()
}
