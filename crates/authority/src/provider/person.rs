//! Who a subject of the provider is here: the user linked to it, or, where the operator allowed it, the user whose name is its verified
//! e-mail address. Nobody else, and nobody is created.

use keyless_audit::{ActorRecord, AuditEvent, Category, DecisionRecord, Outcome};
use keyless_model::OpContext;
use keyless_model::entity::{Mutation, Principal, PrincipalKind, User};
use keyless_store::{Change, Snapshot, UpdateError};
use keyless_token::code::SignedIn;
use keyless_token::sign_in::ProvenPerson;
use keyless_web::{Refused, RefusedBy};

use super::SignInProvider;
use crate::codes::{self, Code};
use crate::refusal::Refusal;
use crate::state::Authority;
use crate::tenant::Realm;

/// Why somebody whom the provider knows is nobody here. The texts are for the audit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unknown {
    #[error("no user is linked to the subject {0}; `keyless user link NAME SUBJECT` links one")]
    NotLinked(String),
    #[error("the user of the verified e-mail address is linked to another subject than {0}; `keyless user unlink NAME` ends that")]
    LinkedElsewhere(String),
    #[error("the user account is disabled")]
    Disabled,
    #[error("the user belongs to another tenant than the program asks for")]
    Elsewhere,
}

impl Unknown {
    pub(crate) const fn code(&self) -> &'static Code {
        match self {
            Self::NotLinked(_) | Self::LinkedElsewhere(_) => &codes::NOT_LINKED,
            Self::Disabled => &codes::USER_DISABLED,
            Self::Elsewhere => &codes::USER_ELSEWHERE,
        }
    }
}

/// The user that this person is, signed in; audited either way.
pub(crate) async fn find(
    authority: &Authority,
    ctx: &OpContext,
    settings: &SignInProvider,
    realm: &Realm,
    proven: &ProvenPerson,
) -> Result<Result<SignedIn, Unknown>, Refusal> {
    let snapshot = authority.platform.directory.snapshot();
    let outcome = match judge(&snapshot, settings, realm, proven) {
        Ok((principal, Link::Made)) => Ok(principal),
        Ok((principal, Link::ByMail)) => link_first(authority, ctx, settings, realm, proven).await?.map(|()| principal),
        Err(unknown) => Err(unknown),
    };
    audit(authority, ctx, settings, proven, &outcome)?;
    Ok(outcome.map(|principal| SignedIn {
        tenant: principal.tenant,
        user: principal.id,
        // Entra's word for "somebody else vouched".
        methods: vec!["fed".to_owned()],
        at: ctx.now,
        session: authority.platform.entropy.uuid().hyphenated().to_string(),
    }))
}

/// How a user was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Made,
    /// By the verified e-mail address: to be linked now.
    ByMail,
}

fn judge(snapshot: &Snapshot, settings: &SignInProvider, realm: &Realm, proven: &ProvenPerson) -> Result<(Principal, Link), Unknown> {
    let subject = || proven.subject.clone();
    let wanted = (settings.issuer.as_str(), proven.subject.as_str());
    let linked = |user: &&std::sync::Arc<User>| user.external.as_ref().is_some_and(|(issuer, subject)| (&**issuer, &**subject) == wanted);
    let (user, link) = match snapshot.users().find(linked) {
        Some(user) => (user, Link::Made),
        None => {
            let user = named_by_mail(snapshot, settings, proven).ok_or_else(|| Unknown::NotLinked(subject()))?;
            // SECURITY: an address that was given to somebody else since does not carry the account along.
            if user.external.is_some() {
                return Err(Unknown::LinkedElsewhere(subject()));
            }
            (user, Link::ByMail)
        }
    };
    let principal = snapshot.principal(user.id).filter(|found| found.kind == PrincipalKind::User);
    let principal = principal.ok_or_else(|| Unknown::NotLinked(subject()))?;
    if !principal.enabled {
        return Err(Unknown::Disabled);
    }
    if !realm.includes(principal.tenant) {
        return Err(Unknown::Elsewhere);
    }
    Ok((Principal::clone(principal), link))
}

/// The user whose name is the verified e-mail address, in a domain of which the operator takes the provider's word.
fn named_by_mail<'s>(snapshot: &'s Snapshot, settings: &SignInProvider, proven: &ProvenPerson) -> Option<&'s std::sync::Arc<User>> {
    // SECURITY: ASCII only. Names are compared without case, and letters of other scripts fold to ours: the Kelvin sign is a `k`.
    let mail = proven.verified_email.as_deref().filter(|mail| mail.is_ascii())?;
    let (_, domain) = mail.rsplit_once('@')?;
    settings.email_domains.iter().any(|known| known.eq_ignore_ascii_case(domain)).then(|| snapshot.user_named(mail))?
}

/// Links the user to the subject for good: from now on the address does not matter.
async fn link_first(
    authority: &Authority,
    ctx: &OpContext,
    settings: &SignInProvider,
    realm: &Realm,
    proven: &ProvenPerson,
) -> Result<Result<(), Unknown>, Refusal> {
    let plan = |snapshot: &Snapshot| {
        let (principal, _) = judge(snapshot, settings, realm, proven)?;
        let mut user = User::clone(snapshot.user(principal.id).ok_or_else(|| Unknown::NotLinked(proven.subject.clone()))?);
        user.external = Some((settings.issuer.clone(), proven.subject.clone()));
        let mut event = AuditEvent::new(ctx, Category::Control, "User_Link", Outcome::Allowed);
        event.actor = ActorRecord::Principal { object_id: principal.id, tenant: principal.tenant, client_id: None };
        let because = format!("the verified e-mail address names the user; linked to subject {} of {}", proven.subject, settings.issuer);
        event.decision = Some(DecisionRecord::allowed(because));
        Ok(Change::new(vec![Mutation::put(user)], event))
    };
    let permit = authority.system.permit("a verified e-mail address of the operator's domains links its user");
    match authority.platform.directory.update(ctx, &permit, plan).await {
        Ok(_) => Ok(Ok(())),
        Err(UpdateError::Refused(unknown)) => Ok(Err(unknown)),
        Err(error) => Err(Authority::unavailable(&error)),
    }
}

fn audit(
    authority: &Authority,
    ctx: &OpContext,
    settings: &SignInProvider,
    proven: &ProvenPerson,
    outcome: &Result<Principal, Unknown>,
) -> Result<(), Refusal> {
    let allowed = outcome.is_ok();
    let mut event = AuditEvent::new(ctx, Category::Token, "User_SignIn", if allowed { Outcome::Allowed } else { Outcome::Denied });
    let because = match outcome {
        Ok(principal) => {
            event.actor = ActorRecord::Principal { object_id: principal.id, tenant: principal.tenant, client_id: None };
            format!("{} proved subject {}", settings.issuer, proven.subject)
        }
        Err(unknown) => format!("AADSTS{}: {unknown} ({} proved subject {})", unknown.code().number, settings.issuer, proven.subject),
    };
    event.decision = Some(DecisionRecord { allowed, because: because.into(), ..DecisionRecord::default() });
    let written = match outcome {
        Ok(_) => authority.platform.audit.record(&event),
        Err(unknown) => {
            let reason = format!("AADSTS{}", unknown.code().number);
            authority.platform.refused(Refused::new(RefusedBy::Authority, &reason), event)
        }
    };
    written.map_err(|error| Authority::unavailable(&error))
}
