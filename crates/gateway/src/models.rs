//! The list of models, answered from the directory.
//!
//! The v1 list names the account's deployments, because a deployment's name is what a v1 client passes as `model`. The dated list
//! names the models behind them, as Azure's does.

use std::collections::BTreeMap;

use keyless_model::entity::{Account, Deployment};
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::route::Dialect;

/// `GET …/models`.
pub(crate) fn list(snapshot: &Snapshot, account: &Account, dialect: Dialect) -> Value {
    // By id: two deployments of one model are one model in the dated list.
    let models: BTreeMap<String, Value> =
        snapshot.deployments_of(&account.scope).map(|deployment| (id_of(deployment, dialect), describe(deployment, dialect))).collect();
    json!({"object": "list", "data": models.into_values().collect::<Vec<_>>()})
}

/// `GET …/models/{id}`.
pub(crate) fn item(snapshot: &Snapshot, account: &Account, dialect: Dialect, id: &str) -> Option<Value> {
    let found = snapshot.deployments_of(&account.scope).find(|deployment| id_of(deployment, dialect).eq_ignore_ascii_case(id))?;
    Some(describe(found, dialect))
}

fn id_of(deployment: &Deployment, dialect: Dialect) -> String {
    match dialect {
        Dialect::V1 | Dialect::Inference => deployment.scope.name().to_owned(),
        Dialect::Dated => deployment.model.name.clone(),
    }
}

fn describe(deployment: &Deployment, dialect: Dialect) -> Value {
    let (id, created) = (id_of(deployment, dialect), deployment.created.unix_secs());
    match dialect {
        Dialect::V1 | Dialect::Inference => json!({"id": id, "object": "model", "created": created, "owned_by": "keyless"}),
        Dialect::Dated => {
            // The directory does not say what a model can do; the name is the only hint, as it is for Azure's own users.
            let embeds = id.contains("embed");
            json!({
                "id": id,
                "object": "model",
                "status": "succeeded",
                "created_at": created,
                "updated_at": created,
                "capabilities": {
                    "fine_tune": false, "inference": true, "completion": !embeds, "chat_completion": !embeds, "embeddings": embeds,
                },
                "lifecycle_status": "generally-available",
            })
        }
    }
}
