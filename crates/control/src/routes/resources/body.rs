//! The body of a generic resource: a few known members, and what is kept as it came.

use keyless_model::entity::Tags;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::arm::tags::TagsBody;
use crate::failure::Failure;

/// Members that are kept as they are written.
const KEPT: &[&str] = &["sku", "kind", "plan", "managedBy", "zones", "extendedLocation", "properties"];

#[derive(Deserialize)]
pub(super) struct Body {
    pub(super) location: Option<String>,
    #[serde(default)]
    tags: TagsBody,
    identity: Option<Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Body {
    pub(super) fn tags(&self, current: &Tags) -> Result<Tags, Failure> {
        self.tags.over(current)
    }

    /// What is kept of the body.
    pub(super) fn kept(&self) -> Result<Map<String, Value>, Failure> {
        // SECURITY: an identity on such a resource would be text that looks like one; better none.
        if self.identity.as_ref().is_some_and(|block| !block.is_null()) {
            return Err(Failure::invalid("IdentityNotSupported", "Resources of this type cannot carry identities here.").at("identity"));
        }
        let kept = self.rest.iter().filter(|(name, _)| KEPT.contains(&name.as_str()));
        Ok(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

/// RFC 7396 on `properties`, as ARM's PATCH does; other members are replaced.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}
