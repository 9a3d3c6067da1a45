//! Lending identities, and tokens for the owner.

use std::sync::Arc;

use keyless_authority::{IssueError, IssueRequest, Issued};
use keyless_metadata::{Attachment, AttachmentKind, NewAttachment};
use keyless_model::entity::ManagedIdentity;
use keyless_model::{Actor, OpContext, Scope};
use keyless_store::Snapshot;
use keyless_token::TokenSubject;

use super::Door;
use super::api::{AttachRequest, Attached, AttachmentStatus, LocalError, OutsideTokenRequest, TokenAnswer, TokenRequest};
use super::connection::{Guest, refusal};
use super::spelling::nearest;
use super::status::{identity_name, identity_status, is_own};

/// A shell's loan without a stated time.
const SHELL_TTL_SECS: u32 = 8 * 3600;
const MAX_TTL_SECS: u32 = 30 * 24 * 3600;

pub(super) fn attach(door: &Door, guest: &Guest<'_>, wanted: AttachRequest) -> Result<Attached, LocalError> {
    let platform = &door.platform;
    let snapshot = platform.directory.snapshot();
    let identity = find(&snapshot, &wanted.identity)?;
    let now = platform.clock.now();
    let (kind, until) = match wanted.kind.as_str() {
        "run" => (AttachmentKind::Run, None),
        "shell" => {
            let ttl = wanted.ttl_secs.unwrap_or(SHELL_TTL_SECS).min(MAX_TTL_SECS);
            (AttachmentKind::Shell, Some(now.plus_secs(i64::from(ttl))))
        }
        other => return Err(refusal(format!("an identity is lent to a `run` or a `shell`, not to `{other}`"))),
    };
    let new = NewAttachment { kind, identity: identity.client_id, uid: guest.uid, label: wanted.label, until };
    let attachments = door.metadata.attachments();
    let attachment = attachments.attach(new, &wanted.header, &*platform.entropy, now).map_err(|error| refusal(error.to_string()))?;
    if let Err(error) = record(door, &identity, &attachment) {
        attachments.detach(&attachment.id);
        return Err(error);
    }
    match kind {
        AttachmentKind::Run => guest.holds(attachment.id.clone()),
        AttachmentKind::Shell => remember(door),
    }
    Ok(Attached {
        id: attachment.id,
        identity: identity_status(&identity),
        identity_endpoint: format!("{}/msi/token", platform.endpoints.metadata),
        until,
    })
}

pub(super) fn detach(door: &Door, id: &str) -> Result<(), LocalError> {
    if !door.metadata.attachments().detach(id) {
        return Err(refusal(format!("nothing is lent under `{id}`; `keyless status` lists what is")));
    }
    remember(door);
    Ok(())
}

pub(super) fn list(door: &Door) -> Vec<AttachmentStatus> {
    let snapshot = door.platform.directory.snapshot();
    let name = |attachment: &Attachment| match snapshot.identity(attachment.identity) {
        Some(identity) => identity_name(identity),
        None => attachment.identity.to_string(),
    };
    let all = door.metadata.attachments().list(door.platform.clock.now());
    all.iter()
        .map(|attachment| AttachmentStatus {
            id: attachment.id.clone(),
            kind: match attachment.kind {
                AttachmentKind::Run => "run".to_owned(),
                AttachmentKind::Shell => "shell".to_owned(),
            },
            identity: name(attachment),
            label: attachment.label.clone(),
            since: attachment.since,
            until: attachment.until,
        })
        .collect()
}

pub(super) fn token(door: &Door, wanted: TokenRequest) -> Result<TokenAnswer, LocalError> {
    let identity = find(&door.platform.directory.snapshot(), &wanted.identity)?;
    let issued = door.issuer.issue(&begin(door), request(door, &identity, wanted.resource, door.facts.owner_token_secs));
    answer(&identity, issued)
}

/// For an audience outside of this system. The owner may name any; workloads only those of `keyless up --federation-audience`.
pub(super) fn outside_token(door: &Door, wanted: OutsideTokenRequest) -> Result<TokenAnswer, LocalError> {
    let identity = find(&door.platform.directory.snapshot(), &wanted.identity)?;
    // The issuer knows how long it may be at most.
    let issued = door.issuer.issue_outside(&begin(door), request(door, &identity, wanted.audience, i64::MAX));
    answer(&identity, issued)
}

fn begin(door: &Door) -> OpContext {
    door.platform.begin(Actor::System("the owner, over the local socket"))
}

fn request(door: &Door, identity: &ManagedIdentity, audience: String, lifetime_secs: i64) -> IssueRequest {
    let subject = TokenSubject::ManagedIdentity {
        client_id: identity.client_id,
        object_id: identity.principal_id,
        resource_id: identity.scope.to_string(),
        host: Some(door.facts.host.to_string()),
    };
    IssueRequest::new(identity.tenant, audience, subject, lifetime_secs, "managed_identity", "local_socket")
}

fn answer(identity: &ManagedIdentity, issued: Result<Issued, IssueError>) -> Result<TokenAnswer, LocalError> {
    let issued = issued.map_err(|error| refusal(error.to_string()))?;
    Ok(TokenAnswer { access_token: issued.token.expose().clone(), expires: issued.expires, identity: identity_status(identity) })
}

/// The identity that a person means: by name, client id, object id or ARM id.
///
/// SECURITY: anyone who may make identities somewhere may call one `operator`, or by the id of another. An id means whose it is, and
/// the system's own, which were made with the tenant at the first start, keep their names; else a namesake would stop the owner.
pub(super) fn find(snapshot: &Snapshot, named: &str) -> Result<Arc<ManagedIdentity>, LocalError> {
    let by_scope = named.parse::<Scope>().ok();
    let has_id = |identity: &&Arc<ManagedIdentity>| {
        identity.client_id.to_string().eq_ignore_ascii_case(named)
            || identity.principal_id.to_string().eq_ignore_ascii_case(named)
            || by_scope.as_ref() == Some(&identity.scope)
    };
    if let Some(identity) = snapshot.identities().find(has_id) {
        return Ok(Arc::clone(identity));
    }
    let found: Vec<_> = snapshot.identities().filter(|identity| identity_name(identity).eq_ignore_ascii_case(named)).collect();
    let own: Vec<_> = found.iter().copied().filter(|identity| is_own(snapshot, identity)).collect();
    match (found.as_slice(), own.as_slice()) {
        ([identity], _) | (_, [identity]) => Ok(Arc::clone(identity)),
        ([_, ..], _) => Err(refusal(format!("several identities are called `{named}`; use the client id or the resource id"))),
        ([], _) => {
            let names: Vec<String> = snapshot.identities().map(|identity| identity_name(identity)).collect();
            let next = nearest(named, names.iter().map(String::as_str)).map_or_else(
                || "`keyless identity list` lists them, and `keyless identity create` makes one".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            );
            Err(refusal(format!("there is no identity `{named}`; {next}")))
        }
    }
}

/// That an identity was lent is an event of its own: later tokens say only that the header was right.
fn record(door: &Door, identity: &ManagedIdentity, attachment: &Attachment) -> Result<(), LocalError> {
    use keyless_audit::{AuditEvent, Category, ControlDetail, Outcome};
    let ctx = door.platform.begin(Actor::System("the owner, over the local socket"));
    let mut event = AuditEvent::new(&ctx, Category::Control, "Keyless.Host/attachments/write", Outcome::Allowed);
    event.target = Some(identity.scope.clone());
    let after = serde_json::json!({
        "attachment": attachment.id, "label": attachment.label, "uid": attachment.uid, "until": attachment.until,
        "principalId": identity.principal_id,
    });
    event.control = Some(ControlDetail { before: None, after: Some(after) });
    door.platform.audit.record(&event).map_err(|error| refusal(error.to_string()))
}

/// Keeps the shells' loans for the next start.
fn remember(door: &Door) {
    let remembered = door.metadata.attachments().remember(door.platform.clock.now());
    let written =
        serde_json::to_vec(&remembered).map_err(std::io::Error::other).and_then(|text| door.data.replace(&door.data.attachments(), &text));
    if let Err(error) = written {
        tracing::warn!(%error, "lent identities will not be remembered after a restart");
    }
}

/// Takes the shells' loans of the last run.
pub(crate) fn recall(door: &Door) {
    let Ok(text) = std::fs::read(door.data.attachments()) else { return };
    match serde_json::from_slice(&text) {
        Ok(remembered) => door.metadata.attachments().recall(remembered),
        Err(error) => tracing::warn!(%error, "the list of lent identities is damaged; shells must ask again"),
    }
}

#[cfg(test)]
mod tests {
    use keyless_model::entity::ManagedIdentity;
    use keyless_testkit::TestPlatform;

    use super::find;

    #[tokio::test]
    async fn a_namesake_made_later_does_not_take_the_name_of_the_systems_own_identity_d16() {
        let test = TestPlatform::new().await;
        let own = find(&test.snapshot(), "operator").expect("the fixture has one");
        let namesake = |number: u128| ManagedIdentity {
            scope: test
                .group
                .join(&format!("providers/Microsoft.ManagedIdentity/userAssignedIdentities/x{number}/y/operator"))
                .expect("a scope"),
            client_id: keyless_model::ClientId::from_u128(number),
            principal_id: keyless_model::ObjectId::from_u128(number + 1),
            created: own.created.plus_secs(1),
            ..own.as_ref().clone()
        };
        test.put(namesake(0x100)).await;
        assert_eq!(find(&test.snapshot(), "operator").map(|found| found.client_id).ok(), Some(own.client_id));
        // An identity named by another's id does not stand in for it.
        let by_id = ManagedIdentity {
            scope: test
                .group
                .join(&format!("providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}", own.client_id))
                .expect("a scope"),
            client_id: keyless_model::ClientId::from_u128(0x300),
            principal_id: keyless_model::ObjectId::from_u128(0x301),
            ..own.as_ref().clone()
        };
        test.put(by_id).await;
        assert_eq!(find(&test.snapshot(), &own.client_id.to_string()).map(|found| found.client_id).ok(), Some(own.client_id));
        // Among others a name that stands for two stands for none.
        test.delete(own.as_ref().clone()).await;
        test.put(namesake(0x200)).await;
        assert!(find(&test.snapshot(), "operator").is_err());
    }
}
