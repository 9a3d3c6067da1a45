//! What must change for the system to be as desired. Pure: documents in, changes out.

use serde::Serialize;
use serde_json::{Map, Value};

use super::declared::Kind;
use super::desired::{Desired, text};
use super::fields::Problems;

/// What happens to one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Action {
    Create,
    Update,
    Unchanged,
    Delete,
}

/// One property that changes; null stands for nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Difference {
    pub(super) property: String,
    pub(super) from: Value,
    pub(super) to: Value,
}

/// One resource and what happens to it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Change {
    pub(super) action: Action,
    pub(super) kind: Kind,
    #[serde(rename = "name")]
    pub(super) title: String,
    pub(super) id: String,
    pub(super) properties: Vec<Difference>,
    /// What else a deletion removes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) takes_along: Vec<String>,
    /// What is sent; for a deletion, what is there.
    #[serde(skip)]
    pub(super) body: Value,
    /// The version that the plan was made from, where the resource has one.
    #[serde(skip)]
    pub(super) etag: Option<String>,
    #[serde(skip)]
    pub(super) waits_for: Option<String>,
}

/// What cannot be changed once a resource exists.
const FIXED: [&str; 2] = ["location", "kind"];
/// Maps that a file states whole: what it leaves out goes.
const WHOLE: [&str; 2] = ["tags", "properties.model"];

/// The change that makes `current` as desired. None, and a problem told, when that cannot be.
pub(super) fn change(desired: &Desired, current: Option<&Value>, problems: &Problems) -> Option<Change> {
    let change = |action, id: String, properties, body| Change {
        action,
        kind: desired.kind,
        title: desired.title.clone(),
        id,
        properties,
        takes_along: Vec::new(),
        body,
        etag: current.and_then(|current| text(current, "/etag")),
        waits_for: desired.waits_for.clone(),
    };
    let Some(current) = current else {
        let body = merged(&desired.defaults, &desired.wanted);
        return Some(change(Action::Create, desired.id.clone(), differences(&Value::Null, &shown(desired, &body)), body));
    };
    // The system's own spelling.
    let id = text(current, "/id").unwrap_or_else(|| desired.id.clone());
    let properties = differences(current, &shown(desired, &desired.wanted));
    if properties.is_empty() {
        return Some(change(Action::Unchanged, id, properties, Value::Null));
    }
    if let Some(fixed) = properties.iter().find(|difference| FIXED.contains(&difference.property.as_str())) {
        let what =
            format!("the {} of `{}` is {} and cannot become {}", fixed.property, desired.title, plain(&fixed.from), plain(&fixed.to));
        problems.add(&desired.at, what, "write what it is, or choose another name");
        return None;
    }
    Some(change(Action::Update, id, properties, update(desired, current)))
}

/// All changes in the order in which they are made: deletions last, so that nobody loses what the new state gives - but for a
/// federated credential whose issuer and subject another one of the same identity takes over, which cannot exist twice.
pub(super) fn ordered<'a>(wanted: &'a [Change], deletions: &'a [Change]) -> Vec<&'a Change> {
    let trust = |change: &Change| {
        let identity = change.id.to_lowercase().split("/federatedidentitycredentials/").next().map(str::to_owned);
        (identity, text(&change.body, "/properties/issuer"), text(&change.body, "/properties/subject"))
    };
    let taken_over = |deletion: &&Change| {
        deletion.kind == Kind::FederatedCredential
            && wanted.iter().any(|change| change.kind == Kind::FederatedCredential && trust(change) == trust(deletion))
    };
    let (first, last): (Vec<&Change>, Vec<&Change>) = deletions.iter().partition(taken_over);
    first.into_iter().chain(wanted).chain(last).collect()
}

/// What of a document people want to see: not what found the resource, which its title says.
fn shown(desired: &Desired, document: &Value) -> Value {
    let mut document = document.clone();
    let known: &[&str] = match desired.kind {
        Kind::RoleAssignment => &["roleDefinitionId", "principalId", "conditionVersion"],
        Kind::RoleDefinition => &["roleName", "type"],
        Kind::DenyAssignment => &["denyAssignmentName", "scope"],
        _ => &[],
    };
    if let Some(properties) = document.get_mut("properties").and_then(Value::as_object_mut) {
        known.iter().for_each(|known| _ = properties.remove(*known));
    }
    document
}

/// The body of an update. What files do not mention stays as it is.
fn update(desired: &Desired, current: &Value) -> Value {
    match desired.kind {
        // One PUT says all of an assignment.
        Kind::RoleAssignment => {
            let kept = ["roleDefinitionId", "principalId", "description", "condition", "conditionVersion"];
            let properties: Map<_, _> =
                kept.iter().filter_map(|name| Some(((*name).to_owned(), current.get("properties")?.get(name)?.clone()))).collect();
            merged(&serde_json::json!({ "properties": properties }), &desired.wanted)
        }
        Kind::Account => {
            let mut body = desired.wanted.clone();
            // The rules are replaced as a whole, and these have no place in files.
            if let (Some(acls), Some(networks)) =
                (body.pointer_mut("/properties/networkAcls"), current.pointer("/properties/networkAcls/virtualNetworkRules"))
            {
                acls["virtualNetworkRules"] = networks.clone();
            }
            body
        }
        _ => desired.wanted.clone(),
    }
}

/// `over` laid over `base`, object by object.
pub(super) fn merged(base: &Value, over: &Value) -> Value {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            let mut all = base.clone();
            for (name, value) in over {
                let below = all.get(name).map_or_else(|| value.clone(), |base| merged(base, value));
                all.insert(name.clone(), below);
            }
            Value::Object(all)
        }
        (_, over) => over.clone(),
    }
}

/// Where `wanted` differs from `current`; only what `wanted` mentions counts, but in maps that are stated whole.
fn differences(current: &Value, wanted: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", current, wanted, &mut found);
    for difference in &mut found {
        if let Some(short) = difference.property.strip_prefix("properties.") {
            difference.property = short.to_owned();
        }
    }
    found
}

fn compare(path: &str, current: &Value, wanted: &Value, found: &mut Vec<Difference>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match wanted {
        Value::Object(names) => {
            for (name, wanted) in names {
                compare(&below(name), &current[name], wanted, found);
            }
            let left_out = current.as_object().into_iter().flatten().filter(|(name, value)| !names.contains_key(*name) && !value.is_null());
            for (name, value) in left_out.filter(|_| WHOLE.contains(&path)) {
                found.push(Difference { property: below(name), from: value.clone(), to: Value::Null });
            }
        }
        // One block of permissions, as roles have here.
        Value::Array(items) if items.len() == 1 && items.iter().all(|item| item.get("actions").is_some()) => {
            compare(path, &current[0], &wanted[0], found);
        }
        wanted if same(current, wanted) => {}
        wanted => found.push(Difference { property: path.to_owned(), from: current.clone(), to: wanted.clone() }),
    }
}

/// Lists are sets here; ids are equal in any case; nothing is as good as an empty list.
fn same(current: &Value, wanted: &Value) -> bool {
    match (current, wanted) {
        (Value::String(current), Value::String(wanted)) if wanted.starts_with('/') => current.eq_ignore_ascii_case(wanted),
        (Value::Array(_) | Value::Null, Value::Array(wanted)) => {
            let empty = Vec::new();
            let current = current.as_array().unwrap_or(&empty);
            let holds = |all: &[Value], one: &Value| all.iter().any(|other| same(other, one));
            current.len() == wanted.len() && wanted.iter().all(|one| holds(current, one)) && current.iter().all(|one| holds(wanted, one))
        }
        _ => current == wanted,
    }
}

/// A value as people read it.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        // An address of a rule.
        Value::Object(fields) if fields.len() == 1 => fields.values().map(plain).collect(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests;
