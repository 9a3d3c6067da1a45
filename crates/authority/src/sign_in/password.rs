//! Checks and changes passwords, with the same work whether or not the person exists.

use keyless_audit::{ActorRecord, AuditEvent, Category, DecisionRecord, Outcome};
use keyless_model::entity::{Mutation, Principal, PrincipalKind, User, UserPassword};
use keyless_model::{Actor, ObjectId, OpContext, Secret, TenantId};
use keyless_store::{Change, Snapshot, UpdateError};
use keyless_token::code::SignedIn;
use keyless_token::password::{self, PasswordError};
use keyless_web::{PasswordFailure, Refused, RefusedBy, RequestFacts};

use super::ticket::Changing;
use crate::codes::{self, Code};
use crate::refusal::Refusal;
use crate::state::Authority;
use crate::tenant::Realm;

/// Why a person is not signed in. The texts are for that person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignInError {
    /// One answer for unknown people and wrong passwords.
    #[error("The user name or the password is wrong.")]
    Wrong,
    #[error("Too many attempts. Wait {} minutes, then try again.", (.wait_secs + 59) / 60)]
    LockedOut { wait_secs: i64 },
    #[error("This account is disabled. Ask an administrator to enable it.")]
    Disabled,
    #[error("This account belongs to another organization than the one the program asks for.")]
    Elsewhere,
    #[error("The new password needs 12 characters or more, and 512 bytes at most.")]
    Unacceptable,
    #[error("The two new passwords differ. Type the same one twice.")]
    Different,
    #[error("The new password is the old one. Choose another.")]
    Unchanged,
    #[error("Too many people are signing in at the moment. Try again in a few seconds.")]
    Busy,
}

impl From<PasswordFailure> for SignInError {
    fn from(failure: PasswordFailure) -> Self {
        match failure {
            PasswordFailure::Password(PasswordError::TooShort | PasswordError::TooLong) => Self::Unacceptable,
            _ => Self::Busy,
        }
    }
}

impl SignInError {
    const fn code(self) -> &'static Code {
        match self {
            Self::Wrong => &codes::WRONG_PASSWORD,
            Self::LockedOut { .. } => &codes::LOCKED_OUT,
            Self::Disabled => &codes::USER_DISABLED,
            Self::Elsewhere => &codes::USER_ELSEWHERE,
            Self::Unacceptable | Self::Different | Self::Unchanged => &codes::PASSWORD_EXPIRED,
            Self::Busy => &codes::UNAVAILABLE,
        }
    }
}

/// A right password.
#[derive(Debug, Clone)]
pub(crate) enum Checked {
    In(SignedIn),
    /// Right, and to be changed before anything else.
    MustChange(Changing),
}

/// Checks a name and a password, and audits the outcome.
pub(crate) async fn check(
    authority: &Authority,
    facts: &RequestFacts,
    realm: &Realm,
    name: &str,
    given: Secret<String>,
) -> Result<Result<Checked, SignInError>, Refusal> {
    // One spelling for the look-up and for the count of failures: otherwise every space would buy five more guesses.
    let name = name.trim();
    let (ctx, lockout) = (&facts.ctx, &authority.sign_in.lockout);
    let snapshot = authority.platform.directory.snapshot();
    let known = known(&snapshot, name);
    // SECURITY: counted before the password is looked at, so that attempts side by side or with nobody left to hear count as well.
    let counted = match lockout.begin(name, facts.place(), ctx.now) {
        Ok(counted) => counted,
        Err(wait_secs) => {
            let error = SignInError::LockedOut { wait_secs };
            audit(authority, ctx, known.as_ref(), Some(error), "")?;
            return Ok(Err(error));
        }
    };
    let hash = known.as_ref().and_then(|(_, user)| user.password.as_ref()).map_or(password::NOBODY, |password| &password.hash).to_owned();
    let attempt = Attempt { authority, ctx, known: known.as_ref(), open: true };
    let verified = authority.platform.passwords.strangers.verify(given, hash).await;
    attempt.answered();
    let outcome = match verified {
        Ok(true) => {
            lockout.succeeded(counted, ctx.now);
            known.as_ref().map_or(Err(SignInError::Wrong), |known| allowed(authority, ctx, realm, known))
        }
        Ok(false) => Err(SignInError::Wrong),
        Err(failure) => {
            lockout.give_back(counted);
            Err(failure.into())
        }
    };
    audit(authority, ctx, known.as_ref(), outcome.as_ref().err().copied(), "")?;
    Ok(outcome)
}

/// An attempt whose caller still waits. One that hangs up is recorded, like those that hear the answer.
struct Attempt<'a> {
    authority: &'a Authority,
    ctx: &'a OpContext,
    known: Option<&'a (Principal, User)>,
    open: bool,
}

impl Attempt<'_> {
    fn answered(mut self) {
        self.open = false;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.open {
            // Nobody is left to be told that it could not be written; that is in the log.
            _ = audit(self.authority, self.ctx, self.known, Some(SignInError::Wrong), ", the caller hung up before the answer");
        }
    }
}

/// Whether somebody with the right password may sign in here. Only now: what is wrong with an account is its owner's business.
fn allowed(authority: &Authority, ctx: &OpContext, realm: &Realm, (principal, user): &(Principal, User)) -> Result<Checked, SignInError> {
    if !principal.enabled {
        return Err(SignInError::Disabled);
    }
    if !realm.includes(principal.tenant) {
        return Err(SignInError::Elsewhere);
    }
    if let Some(password) = user.password.as_ref().filter(|password| password.must_change) {
        return Ok(Checked::MustChange(Changing { user: principal.id, since: password.changed }));
    }
    Ok(Checked::In(signed_in(authority, ctx, principal.id, principal.tenant)))
}

/// Replaces a password whose owner has just proved to know it: the very one, so that an old page changes nothing once more.
pub(crate) async fn change(
    authority: &Authority,
    ctx: &OpContext,
    changing: Changing,
    new: &Secret<String>,
    again: &Secret<String>,
) -> Result<Result<SignedIn, SignInError>, Refusal> {
    if !new.matches(again.expose().as_bytes()) {
        return Ok(Err(SignInError::Different));
    }
    if password::acceptable(new).is_err() {
        return Ok(Err(SignInError::Unacceptable));
    }
    let snapshot = authority.platform.directory.snapshot();
    let gone = || Refusal::new(&codes::PRINCIPAL_GONE);
    let Changing { user, since } = changing;
    let principal = snapshot.principal(user).filter(|found| found.enabled).ok_or_else(gone)?;
    let old = snapshot.user(user).and_then(|user| user.password.clone()).filter(|old| old.changed == since);
    let old = old.ok_or_else(|| {
        let text = "The password was changed already. Start the sign-in again from your program.";
        Refusal::new(&codes::MALFORMED_REQUEST).with(text)
    })?;
    let hashing = &authority.platform.passwords.known;
    let hashed = match hashing.verify(new.clone(), old.hash.clone()).await {
        Ok(true) => return Ok(Err(SignInError::Unchanged)),
        Ok(false) => hashing.hash(new.clone()).await,
        Err(error) => Err(error),
    };
    let hash = match hashed {
        Ok(hash) => hash,
        Err(PasswordFailure::Password(error)) => return Err(Authority::unavailable(&error)),
        Err(error) => return Ok(Err(error.into())),
    };
    let mut ctx = ctx.clone();
    ctx.actor = Actor::Principal { id: user, tenant: principal.tenant, client_id: None };
    let plan = |snapshot: &Snapshot| {
        let mut row = User::clone(snapshot.user(user).ok_or(SignInError::Wrong)?);
        // Somebody else changed it meanwhile: the proof was of the old one.
        if row.password.as_ref() != Some(&old) {
            return Err(SignInError::Wrong);
        }
        row.password = Some(UserPassword { hash: hash.clone(), must_change: false, changed: ctx.now });
        // Whoever knew the old password may hold tokens: they end with it.
        let mut principal = Principal::clone(snapshot.principal(user).ok_or(SignInError::Wrong)?);
        principal.tokens_valid_from = principal.tokens_valid_from.max(Some(ctx.now));
        let mut event = AuditEvent::new(&ctx, Category::Control, "User_ChangePassword", Outcome::Allowed);
        event.decision = Some(decision(true, "the owner proved to know the old password"));
        Ok(Change::new(vec![Mutation::put(row), Mutation::put(principal)], event))
    };
    match authority.platform.directory.update(&ctx, &authority.system.permit("a person changes their own password"), plan).await {
        Ok(_) => Ok(Ok(signed_in(authority, &ctx, user, principal.tenant))),
        Err(UpdateError::Refused(error)) => Ok(Err(error)),
        Err(error) => Err(Authority::unavailable(&error)),
    }
}

fn signed_in(authority: &Authority, ctx: &OpContext, user: ObjectId, tenant: TenantId) -> SignedIn {
    let session = authority.platform.entropy.uuid().hyphenated().to_string();
    SignedIn { tenant, user, methods: vec!["pwd".to_owned()], at: ctx.now, session }
}

fn known(snapshot: &Snapshot, name: &str) -> Option<(Principal, User)> {
    let user = snapshot.user_named(name)?;
    let principal = snapshot.principal(user.id).filter(|found| found.kind == PrincipalKind::User)?;
    Some((Principal::clone(principal), User::clone(user)))
}

/// The name that was typed is not recorded: it may be a password in the wrong field.
fn audit(
    authority: &Authority,
    ctx: &OpContext,
    known: Option<&(Principal, User)>,
    error: Option<SignInError>,
    remark: &str,
) -> Result<(), Refusal> {
    let principal = known.map(|(principal, _)| principal);
    let outcome = if error.is_none() { Outcome::Allowed } else { Outcome::Denied };
    let mut event = AuditEvent::new(ctx, Category::Token, "User_SignIn", outcome);
    if let (Some(principal), None) = (principal, error) {
        event.actor = ActorRecord::Principal { object_id: principal.id, tenant: principal.tenant, client_id: None };
    }
    let because = match (error, principal) {
        (None, _) => "the password is right".to_owned(),
        (Some(error), Some(principal)) => format!("AADSTS{}: {error} (user {}{remark})", error.code().number, principal.id),
        (Some(error), None) => format!("AADSTS{}: {error} (no such user{remark})", error.code().number),
    };
    event.decision = Some(decision(error.is_none(), because));
    let written = match error {
        None => authority.platform.audit.record(&event),
        // SECURITY: guesses at a known person have a share of their own in each minute: no other noise of strangers takes it. Of many
        // people whose passwords are guessed in one minute, the first have events of their own; the others are counted by name.
        Some(error) => {
            let reason = format!("AADSTS{}", error.code().number);
            let refused = Refused::new(RefusedBy::Authority, &reason).person(principal.map(|principal| principal.id));
            authority.platform.refused(refused, event)
        }
    };
    written.map_err(|error| Authority::unavailable(&error))
}

fn decision(allowed: bool, because: impl Into<std::borrow::Cow<'static, str>>) -> DecisionRecord {
    DecisionRecord { allowed, because: because.into(), ..DecisionRecord::default() }
}
