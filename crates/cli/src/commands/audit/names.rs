//! Names for the ids in the log, where a running system knows them. The log itself holds ids only: names can be given anew.

use std::collections::HashMap;

use keyless_model::ObjectId;

use crate::client::Local;

/// What the running system calls the ids. Empty when none runs: ids are then shown as they are.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_object_id: HashMap<String, String>,
    /// Name or client id, in lower case, to object id.
    ids: HashMap<String, String>,
}

impl Names {
    pub(crate) async fn of(local: &Local) -> Self {
        let Ok(principals) = local.principals().await else { return Self::default() };
        Self::from_triples(principals.into_iter().map(|one| (one.name, one.client_id.unwrap_or_default(), one.object_id)))
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
        self.by_object_id.get(&id.to_string()).map(String::as_str)
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
