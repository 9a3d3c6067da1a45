//! People's accounts: added by an operator, made by the invited, signed out everywhere.

use std::sync::Arc;

mod first;
mod invitation;
mod link;
mod reset;

use keyless_audit::{ActorRecord, AuditEvent, AuditUnavailable, Category, DecisionRecord, Outcome};
use keyless_directory::invariant::Violation;
use keyless_directory::plan::sessions;
use keyless_directory::plan::user::{self, NewUser as NewPerson, UserRefused};
use keyless_model::entity::{Invitation, InvitedAs, Mutation, PrincipalKind, RoleAssignment, UserPassword};
use keyless_model::{AssignmentId, ObjectId, OpContext, Scope, Secret, TenantId, Timestamp};
use keyless_rbac::{Permit, builtin};
use keyless_store::{Change, Snapshot, StoreError, UpdateError};
use keyless_web::{PasswordFailure, Platform};

pub use first::has_administrator;
pub use invitation::{NewInvitation, invite, pending, withdraw};
pub(crate) use invitation::{accept, open};
pub use link::{link_user, unlink_user};
pub use reset::{NewPassword, reset_password};

/// A person to add.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub tenant: TenantId,
    /// Such as `ada@keyless.local`; unique in the system.
    pub user_principal_name: String,
    pub display_name: String,
    /// None for a person who signs in with the provider of [`crate::SignInProvider`] only.
    pub password: Option<Secret<String>>,
    /// Whether the person must choose another at the first sign-in.
    pub must_change: bool,
}

/// Why an account was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error(transparent)]
    User(#[from] UserRefused),
    #[error("{MOST} invitations are open; withdraw some first, `keyless user invitations` lists them", MOST = invitation::MOST)]
    TooManyInvitations,
    #[error("there is no open invitation of that name; `keyless user invitations` lists them")]
    NotInvited,
    #[error("no such user; check the name or object id")]
    Unknown,
    #[error("the moment has not come yet; to keep someone out from now on, disable the principal")]
    Future,
    #[error("a person who may give roles is there already; ask them, or use `keyless user invite NAME --owner`")]
    AdministratorExists,
    #[error("the subject has 1 to 255 ASCII characters; copy it from the page or the audit event of the refused sign-in")]
    Subject,
    #[error("another user is linked to this subject; end that with `keyless user unlink` first")]
    SubjectTaken,
    #[error("the user is linked to another subject; end that with `keyless user unlink` first")]
    Linked,
    #[error("the user is not linked to any subject")]
    NotLinked,
    #[error(transparent)]
    Password(#[from] PasswordFailure),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Audit(#[from] AuditUnavailable),
    #[error(transparent)]
    Violation(#[from] Violation),
}

impl From<UpdateError<Self>> for AccountError {
    fn from(error: UpdateError<Self>) -> Self {
        match error {
            UpdateError::Refused(error) => error,
            UpdateError::Store(error) => error.into(),
            UpdateError::Audit(error) => error.into(),
            UpdateError::Violation(error) => error.into(),
        }
    }
}

/// Adds a person who may sign in with this password.
///
/// # Errors
/// [`AccountError`].
pub async fn add_user(platform: &Arc<Platform>, ctx: &OpContext, permit: &Permit, new: NewUser) -> Result<ObjectId, AccountError> {
    let hash = match new.password {
        Some(password) => Some(platform.passwords.known.hash(password).await?),
        None => None,
    };
    let invitation = Invitation {
        tenant: new.tenant,
        user: ObjectId::new(platform.entropy.uuid()),
        user_principal_name: new.user_principal_name,
        display_name: new.display_name,
        rights: InvitedAs::Member,
        invited: ctx.now,
        expires: ctx.now,
    };
    let plan = |snapshot: &Snapshot| account(snapshot, ctx, &invitation, hash.clone(), new.must_change, None);
    platform.directory.update(ctx, permit, plan).await?;
    Ok(invitation.user)
}

/// Signs a person or program out everywhere: every token issued before that moment stops working on all planes, and so does every
/// refresh token of a sign-in until then. They may sign in again.
///
/// # Errors
/// [`AccountError`].
pub async fn revoke_sessions(
    platform: &Platform,
    ctx: &OpContext,
    permit: &Permit,
    id: ObjectId,
    before: Timestamp,
) -> Result<(), AccountError> {
    // A moment that has not come would keep the principal out until then; that is what disabling is for.
    if before > ctx.now {
        return Err(AccountError::Future);
    }
    let plan = |snapshot: &Snapshot| {
        let mutations = sessions::revoked(snapshot, id, before).ok_or(AccountError::Unknown)?;
        let event = AuditEvent::new(ctx, Category::Control, "Principal_RevokeSessions", Outcome::Allowed);
        Ok::<_, AccountError>(Change::new(mutations, event))
    };
    platform.directory.update(ctx, permit, plan).await?;
    Ok(())
}

/// The account of a person, and of an invited one the first role.
fn account(
    snapshot: &Snapshot,
    ctx: &OpContext,
    new: &Invitation,
    hash: Option<String>,
    must_change: bool,
    assignment: Option<AssignmentId>,
) -> Result<Change, AccountError> {
    let person = NewPerson {
        id: new.user,
        tenant: new.tenant,
        user_principal_name: new.user_principal_name.clone(),
        display_name: new.display_name.clone(),
        mail_nickname: None,
        enabled: true,
        password: hash.map(|hash| UserPassword { hash, must_change, changed: ctx.now }),
    };
    let mut mutations = user::add(snapshot, person, ctx.now)?.mutations;
    mutations.extend(assignment.map(|id| Mutation::put(ownership(new, ctx, id))));
    // The name has its person: whoever else was invited under it came too late.
    mutations.extend(invitation::ended(snapshot, |open| open.is_for(&new.user_principal_name)));
    let mut event = AuditEvent::new(ctx, Category::Control, "User_Create", Outcome::Allowed);
    if matches!(event.actor, ActorRecord::Anonymous) {
        event.actor = ActorRecord::Principal { object_id: new.user, tenant: new.tenant, client_id: None };
    }
    Ok(Change::new(mutations, event))
}

fn ownership(new: &Invitation, ctx: &OpContext, id: AssignmentId) -> RoleAssignment {
    let description = if new.rights == InvitedAs::Owner { "invited as an owner" } else { "the first administrator" };
    let row = RoleAssignment::new(id, Scope::root(), builtin::OWNER, (new.user, PrincipalKind::User), ctx.now);
    RoleAssignment { description: Some(description.to_owned()), ..row }
}

fn decision(because: String) -> DecisionRecord {
    DecisionRecord::allowed(because)
}
