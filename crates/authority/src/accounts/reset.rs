//! Another password for a person, given by an operator.

use keyless_audit::{AuditEvent, Category, Outcome};
use keyless_directory::plan::sessions;
use keyless_model::entity::{Mutation, User, UserPassword};
use keyless_model::{ObjectId, OpContext, Secret};
use keyless_rbac::Permit;
use keyless_store::{Change, Snapshot};
use keyless_web::Platform;

use super::{AccountError, decision};

/// A password for somebody who is there.
#[derive(Debug, Clone)]
pub struct NewPassword {
    pub user_principal_name: String,
    pub password: Secret<String>,
    /// Whether the person must choose another at the next sign-in.
    pub must_change: bool,
}

/// Gives a person another password and ends every session: whoever knew the old one is out.
///
/// # Errors
/// [`AccountError`].
pub async fn reset_password(platform: &Platform, ctx: &OpContext, permit: &Permit, new: NewPassword) -> Result<ObjectId, AccountError> {
    let name = new.user_principal_name.as_str();
    // Before the expensive step.
    let id = platform.directory.snapshot().user_named(name).map(|user| user.id).ok_or(AccountError::Unknown)?;
    let hash = platform.passwords.known.hash(new.password.clone()).await?;
    let plan = |snapshot: &Snapshot| {
        let user = snapshot.user_named(name).filter(|user| user.id == id).ok_or(AccountError::Unknown)?;
        let password = UserPassword { hash: hash.clone(), must_change: new.must_change, changed: ctx.now };
        let changed = User { password: Some(password), ..User::clone(user) };
        let mut mutations = sessions::revoked(snapshot, id, ctx.now).ok_or(AccountError::Unknown)?;
        mutations.push(Mutation::put(changed));
        let mut event = AuditEvent::new(ctx, Category::Control, "User_ResetPassword", Outcome::Allowed);
        event.decision = Some(decision(format!("user {id} has a new password and is signed out")));
        Ok::<_, AccountError>(Change::new(mutations, event))
    };
    platform.directory.update(ctx, permit, plan).await?;
    Ok(id)
}
