//! From declarations to resources with ids: names are looked up among what the files declare and what exists. Pure.

use std::collections::{BTreeMap, BTreeSet};

use keyless_model::entity::{Permissions, RoleDefinition, RoleKind};
use keyless_model::{RoleId, Scope, Timestamp};
use keyless_server::local::nearest;
use serde_json::{Value, json};

use super::declared::{Declaration, Declared, Deny, Grant, Kind, Role, Who, Whom};
use super::fields::{Located, Problems};
use super::node::Place;
use crate::client;

const AUTHORIZATION: &str = "providers/Microsoft.Authorization";
/// ARM's id for everybody.
const EVERYONE: &str = "00000000-0000-0000-0000-000000000000";

/// A resource as it should be.
#[derive(Debug, Clone)]
pub(super) struct Desired {
    pub(super) kind: Kind,
    /// What people call it, such as `team-a-ai/chat`.
    pub(super) title: String,
    pub(super) at: Place,
    pub(super) id: String,
    /// ARM's document, with what the file says and nothing else.
    pub(super) wanted: Value,
    /// What a creation needs besides.
    pub(super) defaults: Value,
    /// An identity that is made first, and whose object id goes into this document.
    pub(super) waits_for: Option<String>,
}

/// Names that exist already, by what they belong to.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub(super) subscription: String,
    /// ARM documents.
    pub(super) accounts: Vec<Value>,
    pub(super) identities: Vec<Value>,
    pub(super) roles: Vec<Value>,
    pub(super) groups: Vec<Value>,
    /// Object ids of those whom the files name and the directory knows.
    pub(super) people: BTreeMap<Who, Vec<String>>,
}

impl Catalog {
    /// The role whose id ends as this one does.
    pub(super) fn role(&self, id: &str) -> Option<&Value> {
        let name = id.rsplit('/').next().unwrap_or_default();
        self.roles.iter().find(|role| text(role, "/name").is_some_and(|known| known.eq_ignore_ascii_case(name)))
    }
}

/// Resources by their names in lower case: the name as it is written, and the ids that it may stand for.
type Names = BTreeMap<String, (String, Vec<String>)>;
/// Roles by their names in lower case: the name as it is written, and the id.
type Roles = BTreeMap<String, (String, String)>;

/// Resolves a whole declaration. `fresh` makes ids for roles that do not exist; assignments get theirs when they are found to be new.
pub(super) fn resolve(
    declaration: &Declaration,
    catalog: &Catalog,
    problems: &Problems,
    mut fresh: impl FnMut() -> String,
) -> Vec<Desired> {
    let mut all = Vec::new();
    let root = format!("/subscriptions/{}", catalog.subscription);
    for group in &declaration.groups {
        place(group, &format!("{root}/resourceGroups/{}", group.name), "", &mut all);
    }
    let names = Known::of(&all, catalog);
    let named = |role| Some((text(role, "/properties/roleName")?, text(role, "/name")?));
    let mut roles: Roles = catalog.roles.iter().filter_map(named).map(|(name, id)| (name.to_lowercase(), (name, id))).collect();
    for role in &declaration.roles {
        all.extend(custom(role, catalog, &names, problems, &mut roles, &mut fresh));
    }
    let mut granted = BTreeMap::new();
    for grant in &declaration.grants {
        let Some(desired) = grant_of(grant, &names, &roles, catalog, problems) else { continue };
        let property = |name: &str| text(&desired.wanted, &format!("/properties/{name}"));
        let same = (desired.id.to_lowercase(), property("roleDefinitionId"), property("principalId"), desired.waits_for.clone());
        if let Some(first) = granted.insert(same, &grant.at) {
            problems.add(&grant.at, format!("this role assignment is declared twice; first at {first}"), "remove one of them");
        }
        all.push(desired);
    }
    let mut denied = BTreeMap::new();
    for deny in &declaration.denies {
        let Some(desired) = deny_of(deny, &names, catalog, problems) else { continue };
        if let Some(first) = denied.insert((desired.id.to_lowercase(), deny.name.value.to_lowercase()), &deny.name.at) {
            problems.add(&deny.name.at, format!("this deny assignment is declared twice; first at {first}"), "rename one of them");
        }
        all.push(desired);
    }
    all
}

/// Gives a resource and those below it their ids.
fn place(declared: &Declared, id: &str, above: &str, all: &mut Vec<Desired>) {
    let title = match declared.kind {
        Kind::FederatedCredential | Kind::Deployment => format!("{above}/{}", declared.name),
        _ => declared.name.clone(),
    };
    all.push(Desired {
        kind: declared.kind,
        title: title.clone(),
        at: declared.at.clone(),
        id: id.to_owned(),
        wanted: declared.wanted.clone(),
        defaults: declared.defaults.clone(),
        waits_for: None,
    });
    for child in &declared.children {
        let within = match child.kind {
            Kind::Identity => "providers/Microsoft.ManagedIdentity/userAssignedIdentities",
            Kind::Account => "providers/Microsoft.CognitiveServices/accounts",
            Kind::FederatedCredential => "federatedIdentityCredentials",
            _ => "deployments",
        };
        place(child, &format!("{id}/{within}/{}", child.name), &title, all);
    }
}

/// What names stand for, in the files and in the system together.
struct Known {
    groups: Names,
    accounts: Names,
    identities: Names,
    /// Object ids of identities that exist, by ARM id in lower case.
    principals: BTreeMap<String, String>,
    /// The ids in lower case of everything that the files declare.
    declared: BTreeSet<String>,
}

impl Known {
    fn of(declared: &[Desired], catalog: &Catalog) -> Self {
        let names = |kind: Kind, existing: &[Value]| {
            let mut names = Names::new();
            let here = declared.iter().filter(|one| one.kind == kind).map(|one| (one.title.clone(), one.id.clone()));
            let there = existing.iter().filter_map(|row| Some((text(row, "/name")?, text(row, "/id")?)));
            for (name, id) in here.chain(there) {
                let (_, ids) = names.entry(name.to_lowercase()).or_insert_with(|| (name, Vec::new()));
                if !ids.iter().any(|known| known.eq_ignore_ascii_case(&id)) {
                    ids.push(id);
                }
            }
            names
        };
        let principals =
            catalog.identities.iter().filter_map(|row| Some((text(row, "/id")?.to_lowercase(), text(row, "/properties/principalId")?)));
        Self {
            groups: names(Kind::ResourceGroup, &catalog.groups),
            accounts: names(Kind::Account, &catalog.accounts),
            identities: names(Kind::Identity, &catalog.identities),
            principals: principals.collect(),
            declared: declared.iter().map(|one| one.id.to_lowercase()).collect(),
        }
    }

    /// The one resource of that name.
    fn one(names: &Names, kind: &str, name: &str, at: &Place, problems: &Problems) -> Option<String> {
        match names.get(&name.to_lowercase()).map(|(_, ids)| ids.as_slice()) {
            Some([id]) => return Some(id.clone()),
            Some([_, ..]) => problems.add(at, format!("there are several {kind}s named `{name}`"), "write the ARM id of the one meant"),
            _ => {
                let known: Vec<&str> = names.values().map(|(name, _)| name.as_str()).collect();
                let next = meant(name, &known, "declare it in the file, or correct the name");
                problems.add(at, format!("there is no {kind} `{name}`, in the files or in the system"), next);
            }
        }
        None
    }

    /// An identity by its name or its ARM id.
    fn identity(&self, name: &str, at: &Place, problems: &Problems) -> Option<String> {
        if !name.starts_with('/') {
            return Self::one(&self.identities, "identity", name, at, problems);
        }
        let id = name.to_lowercase();
        if self.principals.contains_key(&id) || self.declared.contains(&id) {
            return Some(name.to_owned());
        }
        problems.add(at, format!("there is no identity `{name}`"), "copy its id from `keyless identity show NAME`, or declare it");
        None
    }

    /// A scope in any form in which people write places.
    fn scope(&self, wanted: &Located<String>, catalog: &Catalog, problems: &Problems) -> Option<String> {
        let Located { value: text, at } = wanted;
        let place = client::Place::read(text).map_err(|failure| problems.add(at, failure.what, failure.next.unwrap_or_default())).ok()?;
        match place {
            client::Place::Id(id) => {
                if id.parse::<Scope>().is_err() {
                    problems.add(at, format!("`{id}` is no ARM id"), client::FORMS);
                    return None;
                }
                Some(id.trim_end_matches('/').to_owned())
            }
            client::Place::Subscription => Some(format!("/subscriptions/{}", catalog.subscription)),
            client::Place::ManagementGroup(name) => Some(format!("/providers/Microsoft.Management/managementGroups/{name}")),
            client::Place::Group(name) => Self::one(&self.groups, "resource group", name, at, problems),
            client::Place::Account(name) => Self::one(&self.accounts, "account", name, at, problems),
            client::Place::Identity(name) => self.identity(name, at, problems),
            client::Place::Host(_) => {
                problems.add(at, format!("`{text}` is no place for files"), "write the host's ARM id, which `keyless status` shows");
                None
            }
            client::Place::Deployment { account, name } => {
                let account = Self::one(&self.accounts, "account", account, at, problems)?;
                let id = format!("{account}/deployments/{name}");
                // Whether an account that the files do not declare has it is asked of the system.
                if !self.declared.contains(&account.to_lowercase()) || self.declared.contains(&id.to_lowercase()) {
                    return Some(id);
                }
                let prefix = format!("{account}/deployments/").to_lowercase();
                let known: Vec<&str> = self.declared.iter().filter_map(|id| id.strip_prefix(&prefix)).collect();
                problems.add(
                    at,
                    format!("the files declare no deployment `{text}`"),
                    meant(name, &known, "declare it, or write its ARM id"),
                );
                None
            }
        }
    }
}

/// What to do about a name that is not known.
fn meant(name: &str, known: &[&str], otherwise: &str) -> String {
    nearest(name, known.iter().copied()).map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"))
}

fn custom(
    role: &Role,
    catalog: &Catalog,
    names: &Known,
    problems: &Problems,
    roles: &mut Roles,
    fresh: &mut impl FnMut() -> String,
) -> Option<Desired> {
    let existing =
        catalog.roles.iter().find(|row| text(row, "/properties/roleName").is_some_and(|name| name.eq_ignore_ascii_case(&role.name.value)));
    if existing.is_some_and(|row| text(row, "/properties/type").as_deref() == Some("BuiltInRole")) {
        problems.add(&role.name.at, format!("`{}` is a built-in role", role.name.value), "give your role another name");
        return None;
    }
    let scopes: Vec<String> = role.scopes.iter().filter_map(|scope| names.scope(scope, catalog, problems)).collect();
    let first = scopes.first()?.clone();
    let id = existing.and_then(|row| text(row, "/name")).unwrap_or_else(fresh);
    roles.insert(role.name.value.to_lowercase(), (role.name.value.clone(), id.clone()));
    let mut wanted = role.wanted.clone();
    wanted["properties"]["assignableScopes"] = json!(scopes);
    check(role, &wanted, &scopes, problems);
    Some(Desired {
        kind: Kind::RoleDefinition,
        title: role.name.value.clone(),
        at: role.name.at.clone(),
        id: format!("{first}/{AUTHORIZATION}/roleDefinitions/{id}"),
        wanted,
        defaults: json!({}),
        waits_for: None,
    })
}

/// The control plane's own rules for roles, before anything is changed.
fn check(role: &Role, wanted: &Value, scopes: &[String], problems: &Problems) {
    let permissions: Result<Vec<Permissions>, _> = serde_json::from_value(wanted["properties"]["permissions"].clone());
    let (Ok(permissions), Ok(id)) = (permissions, "00000000-0000-4000-8000-000000000000".parse::<RoleId>()) else { return };
    let definition = RoleDefinition {
        id,
        role_name: role.name.value.clone(),
        description: text(wanted, "/properties/description").unwrap_or_default(),
        role_kind: RoleKind::CustomRole,
        permissions,
        assignable_scopes: scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
        created: Timestamp::from_unix_secs(0),
        updated: Timestamp::from_unix_secs(0),
        updated_by: None,
    };
    if let Err(error) = keyless_rbac::validate_custom_role(&definition) {
        problems.add(&role.name.at, format!("the role `{}` cannot be: {error}", role.name.value), "correct its actions or scopes");
    }
}

fn grant_of(grant: &Grant, names: &Known, roles: &Roles, catalog: &Catalog, problems: &Problems) -> Option<Desired> {
    let scope = names.scope(&grant.scope, catalog, problems);
    let role = roles.get(&grant.role.value.to_lowercase()).map(|(_, id)| id.clone());
    if role.is_none() {
        let known: Vec<&str> = roles.values().map(|(name, _)| name.as_str()).collect();
        let next = meant(&grant.role.value, &known, "see `keyless az -- role definition list --query [].roleName`");
        problems.add(&grant.role.at, format!("there is no role `{}`, in the files or in the system", grant.role.value), next);
    }
    let (title, principal, waits_for) = principal_of(&grant.who.value, &grant.who.at, names, catalog, problems)?;
    let scope = scope?;
    let mut wanted = grant.wanted.clone();
    wanted["properties"]["roleDefinitionId"] =
        format!("/subscriptions/{}/{AUTHORIZATION}/roleDefinitions/{}", catalog.subscription, role?).into();
    if let Some(principal) = principal {
        wanted["properties"]["principalId"] = principal.into();
    }
    Some(Desired {
        kind: Kind::RoleAssignment,
        title: format!("{} for {title} at {}", grant.role.value, grant.scope.value),
        at: grant.at.clone(),
        // Its own name is found or made later; until then, the scope stands for it.
        id: scope,
        wanted,
        defaults: json!({}),
        waits_for,
    })
}

/// What people call a principal, its object id, and the identity that is made first when there is none yet.
fn principal_of(
    who: &Who,
    at: &Place,
    names: &Known,
    catalog: &Catalog,
    problems: &Problems,
) -> Option<(String, Option<String>, Option<String>)> {
    Some(match who {
        Who::Principal(id) => (id.clone(), Some(id.to_lowercase()), None),
        who @ (Who::User(name) | Who::Group(name) | Who::Application(name)) => {
            let principal = match catalog.people.get(who).map(Vec::as_slice) {
                Some([id]) => Some(id.clone()),
                Some([_, ..]) => {
                    problems.add(at, format!("the directory has several named `{name}`"), "give `principalId` of the one meant");
                    None
                }
                _ => {
                    problems.add(
                        at,
                        format!("the directory has nobody named `{name}`"),
                        "see `keyless user list`, `keyless az -- ad group list`, `keyless az -- ad sp list`",
                    );
                    None
                }
            };
            (name.clone(), Some(principal?), None)
        }
        Who::Identity(name) => {
            let id = names.identity(name, at, problems)?;
            let principal = names.principals.get(&id.to_lowercase()).cloned();
            let waits = principal.is_none().then(|| id.clone());
            (name.rsplit('/').next().unwrap_or(name).to_owned(), principal, waits)
        }
    })
}

fn deny_of(deny: &Deny, names: &Known, catalog: &Catalog, problems: &Problems) -> Option<Desired> {
    let scope = names.scope(&deny.scope, catalog, problems);
    let ids = |all: &[Located<Whom>]| -> Option<Vec<Value>> {
        let found: Vec<_> = all
            .iter()
            .map(|whom| match &whom.value {
                Whom::Everyone => Some(EVERYONE.to_owned()),
                // An identity that is made first stands there by its ARM id.
                Whom::One(who) => {
                    let (_, principal, waits_for) = principal_of(who, &whom.at, names, catalog, problems)?;
                    principal.or(waits_for)
                }
            })
            .collect();
        found.into_iter().map(|id| Some(json!({ "id": id? }))).collect()
    };
    let (principals, excluded) = (ids(&deny.principals), ids(&deny.excluded));
    let scope = scope?;
    let mut wanted = deny.wanted.clone();
    let permissions = serde_json::from_value(wanted["properties"]["permissions"][0].clone()).unwrap_or_default();
    if let Err(error) = keyless_rbac::validate_permissions(&permissions) {
        problems.add(&deny.name.at, format!("the deny assignment `{}` cannot be: {error}", deny.name.value), "correct its actions");
    }
    wanted["properties"]["scope"] = scope.as_str().into();
    wanted["properties"]["principals"] = principals?.into();
    wanted["properties"]["excludePrincipals"] = excluded?.into();
    Some(Desired {
        kind: Kind::DenyAssignment,
        title: format!("{} at {}", deny.name.value, deny.scope.value),
        at: deny.name.at.clone(),
        // As for role assignments, the scope until it is found.
        id: scope,
        wanted,
        defaults: json!({}),
        waits_for: None,
    })
}

/// A text deep in a document.
pub(super) fn text(document: &Value, path: &str) -> Option<String> {
    document.pointer(path).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
pub(super) mod tests;
