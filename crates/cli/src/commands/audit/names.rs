//! Names for the ids in the log, where a running system knows them or the log tells of them: an id is for ever, and a name can be given
//! anew.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use keyless_audit::{ActorRecord, AuditEvent, DecisionRecord, Outcome};
use keyless_model::ObjectId;
use keyless_rbac::Because;
use keyless_server::local::api::{RuleRequest, RuleStatus};
use keyless_store::audit_log::{Filter, Order};

use super::log::open;
use crate::client::{Local, short};

/// How far back the log is read for the names of those that were removed.
const MOST_READ: usize = 100_000;

/// What the running system calls the ids. Empty when none runs: ids are then shown as they are.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_object_id: HashMap<String, String>,
    /// Name or client id, in lower case, to object id.
    ids: HashMap<String, String>,
    rules: HashMap<RuleRequest, RuleStatus>,
    /// Callers whom the running system does not know any more, and their names, as far as the log had them.
    removed: HashMap<ObjectId, Option<String>>,
}

impl Names {
    pub(crate) async fn of(local: &Local) -> Self {
        let Ok(principals) = local.principals().await else { return Self::default() };
        Self::from_triples(principals.into_iter().map(|one| (one.name, one.client_id.unwrap_or_default(), one.object_id)))
    }

    /// The names as they are now. Of those that were removed it is known already what the log tells.
    pub(super) async fn again(self, local: &Local) -> Self {
        Self { removed: self.removed, ..Self::of(local).await }
    }

    /// Asks for the rules that these events name, each once, and for callers that were removed. Without a running system the ids have to
    /// do.
    pub(crate) async fn learn(&mut self, local: &Local, data: &Path, events: impl Iterator<Item = &AuditEvent> + Clone) {
        self.learn_removed(data, events.clone());
        for wanted in events.filter_map(|event| rule_of(event.decision.as_ref()?)) {
            if self.rules.contains_key(&wanted) {
                continue;
            }
            match local.rule(&wanted).await {
                Ok(Some(rule)) => _ = self.rules.insert(wanted, rule),
                Ok(None) => {}
                Err(_) => return,
            }
        }
    }

    fn learn_removed<'a>(&mut self, data: &Path, events: impl Iterator<Item = &'a AuditEvent>) {
        let callers: HashSet<ObjectId> = events
            .filter_map(|event| match event.actor {
                ActorRecord::Principal { object_id, .. } => Some(object_id),
                _ => None,
            })
            .collect();
        let unknown = |id: &ObjectId| !self.by_object_id.contains_key(&id.to_string()) && !self.removed.contains_key(id);
        let mut wanted: HashSet<ObjectId> = callers.into_iter().filter(unknown).collect();
        if wanted.is_empty() || self.by_object_id.is_empty() {
            return;
        }
        self.removed.extend(wanted.iter().map(|id| (*id, None)));
        // A name is a convenience: what is wrong with the log is told by what reads it.
        let Ok(Ok(entries)) = open(data).map(|log| log.events(Order::NewestFirst, Filter::default())) else { return };
        for entry in entries.take(MOST_READ).map_while(Result::ok) {
            if let Some((id, name)) = named_by(&entry.event).filter(|(id, _)| wanted.remove(id)) {
                self.removed.insert(id, Some(format!("{name} (removed)")));
            }
            if wanted.is_empty() {
                return;
            }
        }
    }

    /// The rule that a decision names, as far as it was learnt.
    pub(crate) fn rule(&self, decision: &DecisionRecord) -> Option<&RuleStatus> {
        self.rules.get(&rule_of(decision)?)
    }

    /// A decision's reason, its rule by name and place in place of ids.
    pub(crate) fn because(&self, decision: &DecisionRecord) -> String {
        let Some((rule, phrase)) = self.rule(decision).zip(phrase(decision)) else { return decision.because.to_string() };
        let at = rule.scope.as_ref().map_or_else(|| " (withdrawn since)".to_owned(), |scope| format!(" at {}", short(scope)));
        let through = rule.via_group.as_ref().map(|group| format!(" through group {group}")).unwrap_or_default();
        let kind = if rule.denies { "deny assignment " } else { "" };
        decision.because.replace(&phrase, &format!("{kind}{}{at}{through}", rule.name))
    }

    /// From name, client id (empty for who has none) and object id of each principal.
    pub(super) fn from_triples(triples: impl Iterator<Item = (String, String, String)>) -> Self {
        let mut names = Self::default();
        for (name, client_id, object_id) in triples {
            names.ids.insert(name.to_ascii_lowercase(), object_id.clone());
            if !client_id.is_empty() {
                names.ids.insert(client_id.to_ascii_lowercase(), object_id.clone());
            }
            names.by_object_id.insert(object_id, name);
        }
        names
    }

    pub(crate) fn of_principal(&self, id: ObjectId) -> Option<&str> {
        let known = self.by_object_id.get(&id.to_string());
        known.or_else(|| self.removed.get(&id)?.as_ref()).map(String::as_str)
    }

    /// Every name.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.by_object_id.values().map(String::as_str)
    }

    /// The object id of a name or client id.
    pub(super) fn object_id(&self, named: &str) -> Option<&str> {
        self.ids.get(&named.to_ascii_lowercase()).map(String::as_str)
    }
}

/// Whom a change made, altered or removed, and the name in its documents.
///
/// SECURITY: of these operations only. The documents of others may hold whatever their writer likes, another's id included.
fn named_by(event: &AuditEvent) -> Option<(ObjectId, &str)> {
    let detail = event.control.as_ref().filter(|_| event.outcome == Outcome::Allowed)?;
    let document = detail.before.as_ref().or(detail.after.as_ref())?;
    let (id, name) = match event.operation.rsplit_once('/')?.0 {
        "Microsoft.ManagedIdentity/userAssignedIdentities" => ("/properties/principalId", "/name"),
        "Microsoft.Graph/servicePrincipals" => ("/id", "/displayName"),
        "Microsoft.Graph/users" => ("/id", "/userPrincipalName"),
        _ => return None,
    };
    let text = |member| document.pointer(member)?.as_str();
    Some((text(id)?.parse().ok()?, text(name)?))
}

/// What to ask about the rule behind a decision; none when no rule decided.
fn rule_of(decision: &DecisionRecord) -> Option<RuleRequest> {
    let DecisionRecord { assignment, role, via_group, deny, .. } = decision.clone();
    (assignment.is_some() || deny.is_some()).then_some(RuleRequest { assignment, role, via_group, deny })
}

/// The words with which the policy names the rule.
fn phrase(decision: &DecisionRecord) -> Option<String> {
    if let Some(id) = decision.deny {
        return Some(Because::DenyAssignment { id }.to_string().replace(" forbids it", ""));
    }
    let (id, role) = (decision.assignment?, decision.role);
    let granted = role.map(|role| Because::Assignment { id, role, via_group: decision.via_group }.to_string());
    Some(granted.unwrap_or_else(|| format!("assignment {id}")))
}

#[cfg(test)]
mod tests {
    use keyless_audit::{Category, ControlDetail};
    use keyless_model::{Actor, AssignmentId, DenyAssignmentId, OpContext, RequestId, RoleId, Timestamp};
    use serde_json::json;

    use super::*;

    #[test]
    fn only_changes_of_a_principal_name_it() {
        let id = ObjectId::from_u128(7);
        let named = |operation: &'static str, document: &serde_json::Value| {
            let ctx = OpContext::new(RequestId::from_u128(1), Timestamp::from_unix_secs(0), Actor::Anonymous);
            let mut event = AuditEvent::new(&ctx, Category::Control, operation, Outcome::Allowed);
            event.control = Some(ControlDetail { before: Some(document.clone()), after: None });
            let found = named_by(&event).map(|(id, name)| (id, name.to_owned()));
            event.outcome = Outcome::Denied;
            assert_eq!(named_by(&event), None, "nothing came of it");
            found
        };
        let identity = json!({ "name": "night-job", "properties": { "principalId": id } });
        let person = json!({ "id": id, "userPrincipalName": "ada@keyless.test", "displayName": "operator" });
        assert_eq!(named("Microsoft.ManagedIdentity/userAssignedIdentities/delete", &identity), Some((id, "night-job".to_owned())));
        assert_eq!(named("Microsoft.Graph/users/delete", &person), Some((id, "ada@keyless.test".to_owned())));
        assert_eq!(named("Microsoft.Graph/servicePrincipals/write", &person), Some((id, "operator".to_owned())));
        assert_eq!(named("Microsoft.Storage/storageAccounts/delete", &identity), None, "may hold anything");
        assert_eq!(named("Microsoft.Graph/users/delete", &json!({ "id": "me", "userPrincipalName": "x" })), None);
    }

    fn told(because: &Because, cause: &str, scope: Option<&str>) -> String {
        let mut decision = DecisionRecord { because: format!("{cause}{because}").into(), ..DecisionRecord::default() };
        match because {
            Because::Assignment { id, role, via_group } => {
                (decision.assignment, decision.role, decision.via_group) = (Some(*id), Some(*role), *via_group);
            }
            Because::DenyAssignment { id } => decision.deny = Some(*id),
            Because::ConditionNotMet { id } => decision.assignment = Some(*id),
            _ => {}
        }
        let rule = RuleStatus {
            id: String::new(),
            name: "Reader".into(),
            scope: scope.map(str::to_owned),
            via_group: decision.via_group.map(|_| "Auditors".to_owned()),
            denies: decision.deny.is_some(),
        };
        let rules = HashMap::from([(rule_of(&decision).unwrap(), rule)]);
        Names { rules, ..Names::default() }.because(&decision)
    }

    #[test]
    fn a_reason_names_its_rule_and_where_it_was_made_u8() {
        let (id, role) = (AssignmentId::from_u128(1), RoleId::from_u128(2));
        let own = Because::Assignment { id, role, via_group: None };
        let group = Because::Assignment { id, role, via_group: Some(ObjectId::from_u128(3)) };
        let (here, deny) = (Some("/subscriptions/s"), Because::DenyAssignment { id: DenyAssignmentId::from_u128(4) });
        assert_eq!(told(&own, "", here), "Reader at subscription");
        assert_eq!(told(&group, "no answer: ", here), "no answer: Reader at subscription through group Auditors");
        assert_eq!(told(&own, "", None), "Reader (withdrawn since)");
        assert_eq!(told(&deny, "", here), "deny assignment Reader at subscription forbids it");
        assert_eq!(told(&Because::ConditionNotMet { id }, "", here), "the condition of Reader at subscription is not met");
        let unknown = DecisionRecord { assignment: Some(id), because: own.to_string().into(), ..DecisionRecord::default() };
        assert_eq!(Names::default().because(&unknown), own.to_string(), "without a running system the ids stay");
    }
}
