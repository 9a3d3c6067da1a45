//! People's accounts: added by an operator, accepted through an invitation, signed out everywhere.

use std::sync::Arc;

mod first;
mod link;
mod reset;

use keyless_audit::{ActorRecord, AuditEvent, AuditUnavailable, Category, DecisionRecord, Outcome};
use keyless_model::entity::{Mutation, Principal, PrincipalKind, RoleAssignment, User, UserPassword};
use keyless_model::{AssignmentId, ObjectId, OpContext, Scope, Secret, TenantId, Timestamp};
use keyless_rbac::{Permit, builtin};
use keyless_store::{Change, Snapshot, StoreError, UpdateError, sessions};
use keyless_web::{PasswordFailure, Platform};

pub use first::has_administrator;
pub use link::{link_user, unlink_user};
pub use reset::{NewPassword, reset_password};

use crate::refusal::Refusal;
use crate::sign_in::{Invitation, SignInError, Then, Ticket, Tickets};
use crate::state::Authority;

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

/// What an invited person may do once the account is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum InvitedAs {
    /// Nothing yet.
    Member,
    /// Everything.
    Owner,
    /// Everything, unless a person who may give roles is there already when the invitation is accepted.
    FirstAdministrator,
}

/// Why an account was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("`{name}` is no sign-in name here; write a name at the directory's own domain, such as ada@{domain}")]
    Name { name: String, domain: String },
    #[error("the user name is taken; choose another")]
    Taken,
    #[error("the tenant does not exist; use the id of one that `keyless status` shows")]
    TenantUnknown,
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
}

impl From<UpdateError<Self>> for AccountError {
    fn from(error: UpdateError<Self>) -> Self {
        match error {
            UpdateError::Refused(error) => error,
            UpdateError::Store(error) => error.into(),
            UpdateError::Audit(error) => error.into(),
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
    };
    create(platform, ctx, permit, &invitation, hash, new.must_change).await?;
    Ok(invitation.user)
}

/// Makes a link with which one person can make this account, once. Whoever holds the link is that person: show it to them only.
///
/// # Errors
/// [`AccountError`].
pub fn invite(platform: &Platform, ctx: &OpContext, new: NewInvitation) -> Result<Secret<String>, AccountError> {
    let snapshot = platform.directory.snapshot();
    // Before the name: the administrator who is there may well have the very one.
    if new.rights == InvitedAs::FirstAdministrator && has_administrator(&snapshot) {
        return Err(AccountError::AdministratorExists);
    }
    check_new(&snapshot, new.tenant, &new.user_principal_name)?;
    let invitation = Invitation {
        tenant: new.tenant,
        user: ObjectId::new(platform.entropy.uuid()),
        user_principal_name: new.user_principal_name,
        display_name: new.display_name,
        rights: new.rights,
    };
    let mut event = AuditEvent::new(ctx, Category::Control, "User_Invite", Outcome::Allowed);
    let because = format!("{} is invited as {}, valid for {} s", invitation.user_principal_name, invitation.user, new.lifetime_secs);
    event.decision = Some(decision(because));
    platform.audit.record(&event)?;
    let ticket = Ticket { browser: None, expires: ctx.now.plus_secs(new.lifetime_secs), then: Then::Accept(invitation), changing: None };
    let text = Tickets::of(platform).write(&ticket);
    Ok(Secret::new(format!("{}/invite?ticket={text}", platform.endpoints.authority)))
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
        Ok::<_, AccountError>(Change { mutations, event })
    };
    platform.directory.update(ctx, permit, plan).await?;
    Ok(())
}

/// Makes the account of an invitation.
pub(crate) async fn accept(
    authority: &Authority,
    ctx: &OpContext,
    invitation: &Invitation,
    password: &Secret<String>,
) -> Result<Result<(), SignInError>, Refusal> {
    let hash = match authority.platform.passwords.known.hash(password.clone()).await {
        Ok(hash) => hash,
        Err(error) => return Ok(Err(error.into())),
    };
    let permit = Permit::system("an invited person accepted");
    match create(&authority.platform, ctx, &permit, invitation, Some(hash), false).await {
        Ok(()) => Ok(Ok(())),
        Err(AccountError::Taken) => {
            let text = "The invitation was accepted already. Ask for a new one.";
            Err(Refusal::new(&crate::codes::MALFORMED_REQUEST).with(text))
        }
        Err(AccountError::AdministratorExists) => {
            let text = "The system has an administrator by now. Ask them for an invitation.";
            Err(Refusal::new(&crate::codes::MALFORMED_REQUEST).with(text))
        }
        Err(error) => Err(Authority::unavailable(&error)),
    }
}

async fn create(
    platform: &Platform,
    ctx: &OpContext,
    permit: &Permit,
    new: &Invitation,
    hash: Option<String>,
    must_change: bool,
) -> Result<(), AccountError> {
    let assignment = AssignmentId::new(platform.entropy.uuid());
    let plan = |snapshot: &Snapshot| {
        check_new(snapshot, new.tenant, &new.user_principal_name)?;
        if snapshot.principal(new.user).is_some() {
            return Err(AccountError::Taken);
        }
        // SECURITY: asked in the transaction: of two links for the first administrator one makes an Owner.
        if new.rights == InvitedAs::FirstAdministrator && has_administrator(snapshot) {
            return Err(AccountError::AdministratorExists);
        }
        let mut mutations = vec![Mutation::put(principal(new, ctx)), Mutation::put(user(new, ctx, hash.clone(), must_change))];
        if new.rights != InvitedAs::Member {
            mutations.push(Mutation::put(ownership(new, ctx, assignment)));
        }
        let mut event = AuditEvent::new(ctx, Category::Control, "User_Create", Outcome::Allowed);
        if matches!(event.actor, ActorRecord::Anonymous) {
            event.actor = ActorRecord::Principal { object_id: new.user, tenant: new.tenant, client_id: None };
        }
        Ok(Change { mutations, event })
    };
    platform.directory.update(ctx, permit, plan).await?;
    Ok(())
}

fn check_new(snapshot: &Snapshot, tenant: TenantId, name: &str) -> Result<(), AccountError> {
    let domain = &snapshot.tenant(tenant).ok_or(AccountError::TenantUnknown)?.domain;
    if !User::is_sign_in_name(name, domain) {
        let shown = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
        return Err(AccountError::Name { name: shown, domain: domain.clone() });
    }
    if snapshot.user_named(name).is_some() { Err(AccountError::Taken) } else { Ok(()) }
}

fn principal(new: &Invitation, ctx: &OpContext) -> Principal {
    Principal {
        id: new.user,
        tenant: new.tenant,
        kind: PrincipalKind::User,
        display_name: new.display_name.clone(),
        client_id: None,
        enabled: true,
        home: None,
        tokens_valid_from: None,
        created: ctx.now,
    }
}

fn user(new: &Invitation, ctx: &OpContext, hash: Option<String>, must_change: bool) -> User {
    let nickname = new.user_principal_name.split('@').next().unwrap_or_default();
    User {
        id: new.user,
        user_principal_name: new.user_principal_name.clone(),
        mail_nickname: nickname.to_owned(),
        password: hash.map(|hash| UserPassword { hash, must_change, changed: ctx.now }),
        external: None,
    }
}

fn ownership(new: &Invitation, ctx: &OpContext, id: AssignmentId) -> RoleAssignment {
    RoleAssignment {
        id,
        scope: Scope::root(),
        role: builtin::OWNER,
        principal: new.user,
        principal_type: PrincipalKind::User.arm_name().to_owned(),
        condition: None,
        description: Some(if new.rights == InvitedAs::Owner { "invited as an owner" } else { "the first administrator" }.to_owned()),
        created: ctx.now,
        updated: ctx.now,
        created_by: None,
    }
}

fn decision(because: String) -> DecisionRecord {
    DecisionRecord::allowed(because)
}
