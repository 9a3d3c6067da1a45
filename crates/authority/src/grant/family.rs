//! Lines of refresh tokens: begun at a sign-in, moved on with each use, ended when an old member turns up (RFC 9700, 4.14.2).
//!
//! Every sign-in has one, with refresh tokens or without: what acts for a person asks it whether the sign-in still counts.

use keyless_audit::{ActorRecord, AuditEvent, Category, DecisionRecord, Outcome};
use keyless_model::entity::{Entity, Mutation, RefreshFamily};
use keyless_model::{ClientId, CredentialId, OpContext, Secret, Timestamp};
use keyless_store::{Change, Snapshot, UpdateError};
use keyless_token::LEEWAY_SECS;
use keyless_token::code::{AuthorizationCode, SignedIn};
use keyless_token::opaque::RefreshToken;

use crate::codes;
use crate::config::Config;
use crate::refusal::Refusal;
use crate::scope::PeopleScope;
use crate::state::Authority;

/// The generation before counts this long, so that a client whose answer was lost, or two processes sharing one cache, are not
/// taken for thieves. They get a token of the current generation: a thief's use still collides with the owner's next one.
const GRACE_SECS: i64 = 60;
/// Lines per person and program; the least recently used one makes room.
const MAX_FAMILIES: usize = 50;

/// The generation of a line that has no refresh tokens: it only says that there was a sign-in, and whether it was ended.
pub(super) const NEVER_RENEWED: u64 = 0;

/// How long a program may act for the person who signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    /// As long as the tokens of the sign-in itself last.
    No,
    /// It renews them.
    Renewing,
    /// It is a page in a browser, and renews them for a day.
    RenewingInBrowser,
}

impl Stay {
    pub(super) fn of(scope: &PeopleScope, origin: Option<&str>) -> Self {
        match (scope.offline, origin) {
            (false, _) => Self::No,
            (true, None) => Self::Renewing,
            (true, Some(_)) => Self::RenewingInBrowser,
        }
    }
}

/// Begins the line of a sign-in and returns its first token, if there is to be one, and when the sign-in ends.
pub(super) async fn begin(
    authority: &Authority,
    ctx: &OpContext,
    signed_in: &SignedIn,
    client_id: ClientId,
    stay: Stay,
) -> Result<(Option<Secret<String>>, Timestamp), Refusal> {
    let family = line(authority, ctx, signed_in, client_id, stay)?;
    let permit = authority.system.permit("a person's sign-in");
    let plan = |snapshot: &Snapshot| {
        // The code was brought a second time while the first one was at work: that has ended the session before it began.
        if snapshot.refresh_family(family.id).is_some() {
            return Err(Refusal::new(&codes::CODE_UNKNOWN).because(format!("session {} has ended", family.id)));
        }
        let mut mutations = outdated(snapshot, &family, ctx.now);
        mutations.push(Mutation::put(family.clone()));
        let event = match stay {
            Stay::No => event(ctx, "Session_Begin", Outcome::Allowed, "the person signed in for as long as the tokens last"),
            Stay::Renewing | Stay::RenewingInBrowser => {
                event(ctx, "RefreshToken_Begin", Outcome::Allowed, "the person signed in and the program may stay signed in")
            }
        };
        Ok(Change::new(mutations, event))
    };
    match authority.platform.directory.update(ctx, &permit, plan).await {
        Ok(_) if family.generation == NEVER_RENEWED => Ok((None, family.expires)),
        Ok(_) => {
            let first = RefreshToken { family: family.id, generation: family.generation };
            Ok((Some(authority.sign_in.refresh.seal(first, &*authority.platform.entropy)), family.expires))
        }
        Err(UpdateError::Refused(refusal)) => Err(refusal),
        Err(error) => Err(Authority::unavailable(&error)),
    }
}

/// The line that a sign-in begins.
fn line(authority: &Authority, ctx: &OpContext, signed_in: &SignedIn, client_id: ClientId, stay: Stay) -> Result<RefreshFamily, Refusal> {
    let id: CredentialId = signed_in.session.parse().map_err(|_| Refusal::new(&codes::UNAVAILABLE).because("a session without an id"))?;
    let in_browser = stay == Stay::RenewingInBrowser;
    Ok(RefreshFamily {
        id,
        user: signed_in.user,
        client_id,
        generation: if stay == Stay::No { NEVER_RENEWED } else { 1 },
        rotated: ctx.now,
        signed_in: signed_in.at,
        expires: expiry(&authority.config, ctx.now, signed_in.at, in_browser),
        revoked: false,
        in_browser,
        method: signed_in.methods.join(" "),
    })
}

/// Ends what a code began: the line of refresh tokens, and on every plane the access tokens of its session. The line is written even
/// where none was begun, because the planes look for it.
pub(super) async fn end(authority: &Authority, ctx: &OpContext, code: &AuthorizationCode) -> Result<(), Refusal> {
    let line = ended(authority, ctx, line(authority, ctx, &code.signed_in, code.client_id, Stay::No)?);
    let plan = |snapshot: &Snapshot| {
        let begun = snapshot.refresh_family(line.id);
        if begun.is_some_and(|line| line.revoked) {
            return Err(NothingToEnd);
        }
        let mut mutations = if begun.is_some() { Vec::new() } else { outdated(snapshot, &line, ctx.now) };
        mutations.push(Mutation::put(begun.map_or_else(|| line.clone(), |begun| ended(authority, ctx, RefreshFamily::clone(begun)))));
        let event = event(ctx, "RefreshToken_Revoke", Outcome::Denied, "the authorization code behind it was used twice");
        Ok(Change::new(mutations, event))
    };
    match authority.platform.directory.update(ctx, &authority.system.permit("a code that was used twice"), plan).await {
        Ok(_) | Err(UpdateError::Refused(NothingToEnd)) => Ok(()),
        Err(error) => Err(Authority::unavailable(&error)),
    }
}

/// The line from now on: it stays until no token of its session counts any more.
fn ended(authority: &Authority, ctx: &OpContext, line: RefreshFamily) -> RefreshFamily {
    let last = ctx.now.plus_secs(*authority.config.user_token_secs.end());
    RefreshFamily { revoked: true, expires: line.expires.min(last), ..line }
}

/// The session has ended already.
#[derive(Debug, thiserror::Error)]
#[error("there is nothing to end")]
struct NothingToEnd;

/// Takes a refresh token and returns the sign-in it stands for, with the token to use next and when the sign-in ends. What `allow` refuses leaves the token
/// as it was: a mistaken request must not cost a person their sign-in.
pub(super) async fn take(
    authority: &Authority,
    ctx: &OpContext,
    presented: &str,
    (client_id, origin): (ClientId, Option<&str>),
    allow: impl Fn(&Snapshot, &SignedIn) -> Result<(), Refusal>,
) -> Result<(SignedIn, Secret<String>, Timestamp), Refusal> {
    let token = authority.sign_in.refresh.open(presented).map_err(|error| Refusal::new(&codes::REFRESH_UNKNOWN).because(error))?;
    let permit = authority.system.permit("refresh token rotation");
    let plan = |snapshot: &Snapshot| {
        let family = current(snapshot, token, client_id, origin, ctx.now)?;
        let person = signed_in_of(snapshot, &family)?;
        allow(snapshot, &person)?;
        let actor = ActorRecord::Principal { object_id: person.user, tenant: person.tenant, client_id: Some(client_id) };
        let mut next = family.clone();
        let (found, mut event) = if token.generation == family.generation {
            next.generation += 1;
            next.rotated = ctx.now;
            next.expires = expiry(&authority.config, ctx.now, family.signed_in, family.in_browser);
            (Some(next.generation), event(ctx, "RefreshToken_Rotate", Outcome::Allowed, "the refresh token is the current one"))
        } else if token.generation + 1 == family.generation && (0..GRACE_SECS * 1000).contains(&ctx.now.millis_since(family.rotated)) {
            // The one before, a moment ago: the current one is given again.
            (Some(family.generation), event(ctx, "RefreshToken_Repeat", Outcome::Allowed, "the refresh token was replaced a moment ago"))
        } else {
            next = ended(authority, ctx, next);
            (None, event(ctx, "RefreshToken_Revoke", Outcome::Denied, "a refresh token was used after it had been replaced"))
        };
        event.actor = actor;
        let until = next.expires;
        let mutations = if next == family { Vec::new() } else { vec![Mutation::put(next)] };
        Ok(Change::new(mutations, event).telling((person, found, until)))
    };
    let (signed_in, generation, until) = match authority.platform.directory.update(ctx, &permit, plan).await {
        Ok((_, told)) => told,
        Err(UpdateError::Refused(refusal)) => return Err(refusal),
        Err(error) => return Err(Authority::unavailable(&error)),
    };
    let replayed = || Refusal::new(&codes::REFRESH_REVOKED).because(format!("refresh family {} was replayed and is revoked", token.family));
    let generation = generation.ok_or_else(replayed)?;
    let next = RefreshToken { family: token.family, generation };
    Ok((signed_in, authority.sign_in.refresh.seal(next, &*authority.platform.entropy), until))
}

/// The line of a token that may still be used by this program.
fn current(
    snapshot: &Snapshot,
    token: RefreshToken,
    client_id: ClientId,
    origin: Option<&str>,
    now: Timestamp,
) -> Result<RefreshFamily, Refusal> {
    let family = snapshot
        .refresh_family(token.family)
        .ok_or_else(|| Refusal::new(&codes::REFRESH_EXPIRED).because(format!("refresh family {} does not exist any more", token.family)))?;
    // SECURITY: a token is bound to the program it was given to; another one that holds it has stolen it (RFC 6749 section 10.4).
    if family.client_id != client_id {
        return Err(Refusal::new(&codes::REFRESH_UNKNOWN).because(format!("refresh family {} belongs to another program", token.family)));
    }
    // SECURITY: what a page keeps is of no use outside the browser, and a program's token is of none to a page.
    if family.in_browser != origin.is_some() {
        return Err(Refusal::wrong_place(origin));
    }
    if family.revoked {
        return Err(Refusal::new(&codes::REFRESH_REVOKED).because(format!("refresh family {} is revoked", token.family)));
    }
    if now >= family.expires {
        return Err(Refusal::new(&codes::REFRESH_EXPIRED).because(format!("refresh family {} has expired", token.family)));
    }
    Ok(RefreshFamily::clone(family))
}

fn signed_in_of(snapshot: &Snapshot, family: &RefreshFamily) -> Result<SignedIn, Refusal> {
    let principal = snapshot.principal(family.user).ok_or_else(|| Refusal::new(&codes::PRINCIPAL_GONE))?;
    let signed_in = SignedIn {
        tenant: principal.tenant,
        user: family.user,
        methods: family.method.split(' ').map(str::to_owned).collect(),
        at: family.signed_in,
        session: family.id.to_string(),
    };
    // Before anything is rotated: a revoked person's tokens must not move on.
    super::people::person(snapshot, &signed_in)?;
    Ok(signed_in)
}

fn expiry(config: &Config, now: Timestamp, signed_in: Timestamp, in_browser: bool) -> Timestamp {
    if in_browser {
        return signed_in.plus_secs(super::people::IN_BROWSER_SECS);
    }
    now.plus_secs(config.sign_in_idle_secs).min(signed_in.plus_secs(config.sign_in_secs))
}

/// This person's lines that are over, and the oldest one when there are too many with this program. SECURITY: one that was ended makes
/// no room before its tokens are over: it says that they are refused, and that its code was used.
fn outdated(snapshot: &Snapshot, new: &RefreshFamily, now: Timestamp) -> Vec<Mutation> {
    let own: Vec<_> = snapshot.refresh_families_of(new.user).collect();
    let mut gone: Vec<_> = own.iter().filter(|family| family.expires.plus_secs(LEEWAY_SECS) <= now).copied().collect();
    let counts = |family: &RefreshFamily| !family.revoked && family.expires > now && family.client_id == new.client_id;
    let mut live: Vec<_> = own.iter().filter(|family| counts(family)).copied().collect();
    live.sort_by_key(|family| family.rotated);
    gone.extend(live.iter().take((live.len() + 1).saturating_sub(MAX_FAMILIES)).copied());
    gone.into_iter().map(|family| Mutation::Delete(Entity::from(RefreshFamily::clone(family)).key())).collect()
}

fn event(ctx: &OpContext, operation: &'static str, outcome: Outcome, because: &'static str) -> AuditEvent {
    let mut event = AuditEvent::new(ctx, Category::Token, operation, outcome);
    let allowed = outcome == Outcome::Allowed;
    event.decision = Some(DecisionRecord { allowed, because: because.into(), ..DecisionRecord::default() });
    event
}
