//! What exists, asked of the control plane.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::declared::{Kind, Who};
use super::desired::{Catalog, Desired, text};
use super::fields::Problems;
use super::ledger::{Entry, Ledger};
use super::plan::{Action, Change, change};
use crate::client::{Arm, System};
use crate::failure::Failure;

const ASSIGNMENTS: &str = "providers/Microsoft.Authorization/roleAssignments";
const DENIALS: &str = "providers/Microsoft.Authorization/denyAssignments";

/// The names that files may refer to.
pub(super) async fn catalog(arm: &Arm, subscription: &str) -> Result<Catalog, Failure> {
    let root = format!("/subscriptions/{subscription}");
    let provider = |kind: &str| format!("{root}/providers/{kind}");
    Ok(Catalog {
        subscription: subscription.to_owned(),
        groups: arm.list(&format!("{root}/resourceGroups"), "").await?,
        accounts: arm.list(&provider("Microsoft.CognitiveServices/accounts"), "").await?,
        identities: arm.list(&provider("Microsoft.ManagedIdentity/userAssignedIdentities"), "").await?,
        roles: arm.list(&provider("Microsoft.Authorization/roleDefinitions"), "atScopeAndBelow()").await?,
        people: BTreeMap::new(),
    })
}

/// The object ids of those whom the files name. The directory is asked only when one does.
pub(super) async fn people(
    system: &System,
    identity: &str,
    named: impl Iterator<Item = &Who>,
) -> Result<BTreeMap<Who, Vec<String>>, Failure> {
    let mut found = BTreeMap::new();
    let mut graph = None;
    for who in named {
        let (list, property, name) = match who {
            Who::User(name) => ("/v1.0/users", "userPrincipalName", name),
            Who::Group(name) => ("/v1.0/groups", "displayName", name),
            Who::Application(name) => ("/v1.0/servicePrincipals", "displayName", name),
            Who::Identity(_) | Who::Principal(_) => continue,
        };
        let graph = match &graph {
            Some(graph) => graph,
            None => graph.insert(system.graph_as(identity).await?),
        };
        let rows: Vec<Value> = graph.list(list, &format!("{property} eq '{}'", name.replace('\'', "''"))).await?;
        found.insert(who.clone(), rows.iter().filter_map(|row| text(row, "/id")).collect());
    }
    Ok(found)
}

/// The changes that lead from what is there to what is desired, in the order in which they must be made.
pub(super) async fn changes(arm: &Arm, catalog: &Catalog, desired: &[Desired], problems: &Problems) -> Result<Vec<Change>, Failure> {
    let mut assignments = Assignments::default();
    check_scopes(arm, catalog, desired, problems).await?;
    let mut deleted: Option<Vec<Value>> = None;
    let mut changes = Vec::new();
    for one in desired {
        let current = match one.kind {
            Kind::RoleDefinition => catalog.role(&one.id).cloned(),
            Kind::RoleAssignment => assignments.find(arm, &catalog.subscription, one).await?,
            Kind::DenyAssignment => denied(arm, one).await?,
            _ => arm.find(&one.id).await?,
        };
        if one.kind == Kind::Account && current.is_none() {
            if deleted.is_none() {
                let list = format!("/subscriptions/{}/providers/Microsoft.CognitiveServices/deletedAccounts", catalog.subscription);
                deleted = Some(arm.list(&list, "").await?);
            }
            refuse_deleted(one, deleted.as_deref().unwrap_or_default(), problems);
        }
        changes.extend(change(one, current.as_ref(), problems));
    }
    Ok(changes)
}

/// A role or a grant at something that neither exists nor is declared would be refused half-way.
async fn check_scopes(arm: &Arm, catalog: &Catalog, desired: &[Desired], problems: &Problems) -> Result<(), Failure> {
    let mut known: BTreeSet<String> =
        desired.iter().filter(|one| one.kind < Kind::RoleDefinition).map(|one| one.id.to_lowercase()).collect();
    // The root, which is no document, and the subscription.
    known.extend([String::new(), format!("/subscriptions/{}", catalog.subscription)]);
    for one in desired.iter().filter(|one| one.kind >= Kind::RoleDefinition) {
        let scopes = match one.wanted.pointer("/properties/assignableScopes").and_then(Value::as_array) {
            Some(scopes) => scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => vec![one.id.clone()],
        };
        for scope in scopes {
            if known.contains(&scope.to_lowercase()) {
                continue;
            }
            if arm.find(&scope).await?.is_some() {
                known.insert(scope.to_lowercase());
            } else {
                problems.add(
                    &one.at,
                    format!("the scope {scope} does not exist"),
                    "declare it, or correct it; `keyless az -- resource list` shows what there is",
                );
            }
        }
    }
    Ok(())
}

/// An account that was deleted keeps its name until it is recovered or purged.
fn refuse_deleted(desired: &Desired, deleted: &[Value], problems: &Problems) {
    // The list's ids have another form; group and name are in both.
    let group = desired.id.split('/').nth(4).unwrap_or_default();
    let is_it = |row: &&Value| {
        let id = text(row, "/id").unwrap_or_default().to_lowercase();
        let named = text(row, "/name").is_some_and(|name| name.eq_ignore_ascii_case(&desired.title));
        named && id.contains(&format!("/resourcegroups/{}/", group.to_lowercase()))
    };
    if let Some(row) = deleted.iter().find(is_it) {
        let location = text(row, "/location").unwrap_or_else(|| "local".to_owned());
        let next = format!(
            "bring it back with `keyless az -- cognitiveservices account recover -g {group} -n {name} -l {location}`, or `purge` it",
            name = desired.title
        );
        problems.add(
            &desired.at,
            format!("the account `{}` was deleted and can be recovered, so its name is not free", desired.title),
            next,
        );
    }
}

/// The deny assignment of the desired name at exactly the desired scope, with principals as files name them: by id only.
async fn denied(arm: &Arm, desired: &Desired) -> Result<Option<Value>, Failure> {
    let rows: Vec<Value> = arm.list(&format!("{}/{DENIALS}", desired.id), "atScope()").await?;
    let name = "/properties/denyAssignmentName";
    let is_it = |row: &Value| {
        text(row, "/properties/scope").is_some_and(|scope| scope.trim_end_matches('/').eq_ignore_ascii_case(&desired.id))
            && text(row, name).map(|name| name.to_lowercase()) == text(&desired.wanted, name).map(|name| name.to_lowercase())
    };
    let mut found = rows.into_iter().find(is_it);
    for list in ["/properties/principals", "/properties/excludePrincipals"] {
        let principals = found.as_mut().and_then(|row| row.pointer_mut(list)?.as_array_mut());
        principals.into_iter().flatten().filter_map(Value::as_object_mut).for_each(|principal| _ = principal.remove("type"));
    }
    Ok(found)
}

/// Lists of assignments by the scope they were asked at and their principal.
#[derive(Default)]
struct Assignments(BTreeMap<(String, String), Vec<Value>>);

impl Assignments {
    /// The assignment that gives the desired role to the desired principal at exactly the desired scope.
    async fn find(&mut self, arm: &Arm, subscription: &str, desired: &Desired) -> Result<Option<Value>, Failure> {
        let Some(principal) = text(&desired.wanted, "/properties/principalId") else { return Ok(None) };
        let root = format!("/subscriptions/{subscription}");
        let within = desired.id.to_lowercase().starts_with(&root.to_lowercase());
        let at = if within { root } else { desired.id.clone() };
        let key = (at, principal);
        if !self.0.contains_key(&key) {
            let (at, principal) = &key;
            let rows = arm.list(&format!("{at}/{ASSIGNMENTS}"), &format!("principalId eq '{principal}'")).await?;
            self.0.insert(key.clone(), rows);
        }
        let end = |id: Option<String>| id.and_then(|id| id.rsplit('/').next().map(str::to_lowercase));
        let role = end(text(&desired.wanted, "/properties/roleDefinitionId"));
        let is_it = |row: &&Value| {
            end(text(row, "/properties/roleDefinitionId")) == role
                && text(row, "/properties/scope").is_some_and(|scope| scope.trim_end_matches('/').eq_ignore_ascii_case(&desired.id))
        };
        Ok(self.0.get(&key).and_then(|rows| rows.iter().find(is_it)).cloned())
    }
}

/// What the set created earlier and its files no longer declare.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// Deletions, in the order in which they must be made.
    pub(super) deletions: Vec<Change>,
    /// No longer there, or no longer what was created.
    pub(super) gone: Vec<Entry>,
    /// Why something cannot be deleted.
    pub(super) held: Vec<String>,
}

pub(super) async fn leftovers(arm: &Arm, catalog: &Catalog, ledger: &Ledger, kept: &[Change]) -> Result<Leftovers, Failure> {
    let mut left = Leftovers::default();
    let dropped = |entry: &&Entry| !kept.iter().any(|change| entry.is(change.kind, &change.id));
    let mut ours = Vec::new();
    for entry in ledger.entries.iter().filter(dropped) {
        let current = match entry.kind {
            // A role outlives the scope through which it was made.
            Kind::RoleDefinition => catalog.role(&entry.id).cloned(),
            _ => arm.find(&entry.id).await?,
        };
        match current {
            Some(current) if entry.is_still(&current) => ours.push((entry, current)),
            _ => left.gone.push(entry.clone()),
        }
    }
    for (entry, current) in &ours {
        let others = |row: &Value| {
            let id = text(row, "/id").unwrap_or_default();
            (!ours.iter().any(|(entry, _)| entry.id.eq_ignore_ascii_case(&id))).then_some(id)
        };
        for id in children(arm, entry).await?.iter().filter_map(others) {
            left.held.push(format!("the {} `{}` holds {id}, which this set did not create", entry.kind.words(), entry.title));
        }
        left.deletions.push(Change {
            action: Action::Delete,
            kind: entry.kind,
            title: entry.title.clone(),
            id: text(current, "/id").unwrap_or_else(|| entry.id.clone()),
            properties: Vec::new(),
            takes_along: granted_at(arm, entry).await?.iter().filter_map(others).collect(),
            body: current.clone(),
            etag: None,
            waits_for: None,
        });
    }
    // What lies in something goes before it.
    left.deletions.sort_by_key(|change| std::cmp::Reverse(change.kind));
    Ok(left)
}

/// What lies in a resource and would go with it.
async fn children(arm: &Arm, entry: &Entry) -> Result<Vec<Value>, Failure> {
    let within = match entry.kind {
        Kind::ResourceGroup => "resources",
        Kind::Account => "deployments",
        Kind::Identity => "federatedIdentityCredentials",
        _ => return Ok(Vec::new()),
    };
    Ok(arm.list(&format!("{}/{within}", entry.id), "").await?)
}

/// The role assignments at a resource and below it, which go with it.
async fn granted_at(arm: &Arm, entry: &Entry) -> Result<Vec<Value>, Failure> {
    if !matches!(entry.kind, Kind::ResourceGroup | Kind::Account | Kind::Identity | Kind::Deployment) {
        return Ok(Vec::new());
    }
    let all: Vec<Value> = arm.list(&format!("{}/{ASSIGNMENTS}", entry.id), "").await?;
    let id = entry.id.to_lowercase();
    let below = |row: &Value| text(row, "/properties/scope").is_some_and(|scope| scope.to_lowercase().starts_with(&id));
    Ok(all.into_iter().filter(below).collect())
}
