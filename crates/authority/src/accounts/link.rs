//! Who a person is at the provider that people sign in with: linked and unlinked by an operator.

use keyless_audit::{AuditEvent, Category, Outcome};
use keyless_directory::plan::sessions;
use keyless_model::entity::{Mutation, User};
use keyless_model::{ObjectId, OpContext};
use keyless_rbac::Permit;
use keyless_store::{Change, Snapshot};
use keyless_web::Platform;

use super::{AccountError, decision};

/// Longest subject, in bytes (OpenID Connect Core 1.0, section 2).
const MAX_SUBJECT: usize = 255;

/// Lets a person sign in as this subject of an issuer, from now on. A link to another subject must be ended first.
///
/// # Errors
/// [`AccountError`].
pub async fn link_user(
    platform: &Platform,
    ctx: &OpContext,
    permit: &Permit,
    name: &str,
    issuer: &str,
    subject: &str,
) -> Result<ObjectId, AccountError> {
    if subject.is_empty() || subject.len() > MAX_SUBJECT || !subject.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(AccountError::Subject);
    }
    let external = (issuer.to_owned(), subject.to_owned());
    let plan = |snapshot: &Snapshot| {
        let user = snapshot.user_named(name).ok_or(AccountError::Unknown)?;
        // SECURITY: one subject is one person; whoever of two would be signed in must not depend on the order of a map.
        if snapshot.users().any(|other| other.id != user.id && other.external.as_ref() == Some(&external)) {
            return Err(AccountError::SubjectTaken);
        }
        if user.external.as_ref().is_some_and(|known| *known != external) {
            return Err(AccountError::Linked);
        }
        let mut linked = User::clone(user);
        linked.external = Some(external.clone());
        let mut event = AuditEvent::new(ctx, Category::Control, "User_Link", Outcome::Allowed);
        event.decision = Some(decision(format!("user {} is subject {subject} of {issuer}", user.id)));
        Ok(Change::new(vec![Mutation::put(linked)], event).telling(user.id))
    };
    Ok(platform.directory.update(ctx, permit, plan).await?.1)
}

/// Ends a person's link, and every session: what was signed in through it is signed out.
///
/// # Errors
/// [`AccountError`].
pub async fn unlink_user(platform: &Platform, ctx: &OpContext, permit: &Permit, name: &str) -> Result<ObjectId, AccountError> {
    let plan = |snapshot: &Snapshot| {
        let user = snapshot.user_named(name).ok_or(AccountError::Unknown)?;
        let (issuer, subject) = user.external.as_ref().ok_or(AccountError::NotLinked)?;
        let mut event = AuditEvent::new(ctx, Category::Control, "User_Unlink", Outcome::Allowed);
        event.decision = Some(decision(format!("user {} is no longer subject {subject} of {issuer}", user.id)));
        let mut unlinked = User::clone(user);
        unlinked.external = None;
        let mut mutations = sessions::revoked(snapshot, user.id, ctx.now).ok_or(AccountError::Unknown)?;
        mutations.push(Mutation::put(unlinked));
        Ok(Change::new(mutations, event).telling(user.id))
    };
    Ok(platform.directory.update(ctx, permit, plan).await?.1)
}
