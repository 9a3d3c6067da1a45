//! `Microsoft.Authorization/locks`

pub(super) mod delete;
pub(super) mod list;
pub(super) mod put;
pub(super) mod show;

use keyless_model::Scope;
use keyless_model::entity::{Lock, LockLevel};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::failure::Failure;

fn find<'a>(snapshot: &'a Snapshot, scope: &'a Scope, name: &str) -> Option<&'a Lock> {
    snapshot.locks_below(scope).find(|lock| lock.scope == *scope && lock.name.eq_ignore_ascii_case(name)).map(AsRef::as_ref)
}

fn id_of(lock: &Lock) -> String {
    format!("{}/providers/Microsoft.Authorization/locks/{}", lock.scope.as_str().trim_end_matches('/'), lock.name)
}

fn shape(lock: &Lock) -> Value {
    json!({
        "id": id_of(lock),
        "name": lock.name,
        "type": "Microsoft.Authorization/locks",
        "properties": {
            "level": match lock.level {
                LockLevel::CanNotDelete => "CanNotDelete",
                LockLevel::ReadOnly => "ReadOnly",
            },
            "notes": lock.notes,
        },
    })
}

fn missing(name: &str) -> Failure {
    Failure::not_found("LockNotFound", format!("The lock '{name}' could not be found."))
}
