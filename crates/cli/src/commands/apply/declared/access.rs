//! Roles and grants: who may do what, by names that are looked up later.

use serde_json::{Value, json};

use super::put;
use crate::commands::apply::fields::{Fields, Located, Problems};
use crate::commands::apply::node::{Node, Place};

/// A custom role.
#[derive(Debug)]
pub(in crate::commands::apply) struct Role {
    pub(in crate::commands::apply) name: Located<String>,
    /// As scopes are written in files; at least one.
    pub(in crate::commands::apply) scopes: Vec<Located<String>>,
    /// ARM's document without the scopes.
    pub(in crate::commands::apply) wanted: Value,
}

impl Role {
    pub(super) fn read(node: &Node, problems: &Problems) -> Option<Self> {
        let mut fields = Fields::of(node, "a role", problems)?;
        let name = fields.required("roleName", "\"Chat only\"");
        let description = fields.text("description").map_or_else(String::new, |text| text.value);
        let scopes = fields.texts("assignableScopes").unwrap_or_default();
        if scopes.is_empty() {
            let next = "add it, such as `assignableScopes: [subscription]` or `[resourceGroups/team-a]`";
            problems.add(&fields.at, "a role needs `assignableScopes`", next);
        }
        let mut permissions = json!({});
        for list in ["actions", "notActions", "dataActions", "notDataActions"] {
            let texts = fields.texts(list).unwrap_or_default();
            permissions[list] = texts.into_iter().map(|text| text.value).collect();
        }
        fields.done();
        let name = name?;
        let properties = json!({
            "roleName": name.value, "type": "CustomRole", "description": description, "permissions": [permissions],
        });
        Some(Self { name, scopes, wanted: json!({ "properties": properties }) })
    }
}

/// A role given to somebody somewhere.
#[derive(Debug)]
pub(in crate::commands::apply) struct Grant {
    pub(in crate::commands::apply) at: Place,
    pub(in crate::commands::apply) role: Located<String>,
    pub(in crate::commands::apply) who: Located<Who>,
    pub(in crate::commands::apply) scope: Located<String>,
    /// ARM's document: description and condition.
    pub(in crate::commands::apply) wanted: Value,
}

/// Who gets a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::commands::apply) enum Who {
    /// An identity's name, or its ARM id.
    Identity(String),
    /// A person's sign-in name.
    User(String),
    /// A group's display name.
    Group(String),
    /// An application's display name.
    Application(String),
    /// An object id.
    Principal(String),
}

impl Grant {
    pub(super) fn read(node: &Node, problems: &Problems) -> Option<Self> {
        let mut fields = Fields::of(node, "a role assignment", problems)?;
        let role = fields.required("role", "\"Cognitive Services OpenAI User\"");
        let scope = fields.required("scope", "team-a-ai");
        let mut named: Vec<Located<Who>> = Vec::new();
        for (name, who) in [
            ("identity", Who::Identity as fn(String) -> Who),
            ("user", Who::User),
            ("group", Who::Group),
            ("application", Who::Application),
            ("principalId", Who::Principal),
        ] {
            named.extend(fields.text(name).map(|text| Located { value: who(text.value), at: text.at }));
        }
        let who = match named.as_slice() {
            [who] => Some(who.clone()),
            none_or_several => {
                let what = if none_or_several.is_empty() { "names no principal" } else { "names several principals" };
                problems.add(
                    &fields.at,
                    format!("a role assignment {what}"),
                    "give one of identity, user, group, application, principalId",
                );
                None
            }
        };
        let mut wanted = json!({});
        put(&mut wanted, "/properties/description", fields.text("description").map(|text| text.value));
        if let Some(condition) = fields.text("condition") {
            if let Err(error) = keyless_rbac::condition::parse(&condition.value) {
                problems.add(&condition.at, error.to_string(), "correct it; a condition is never ignored");
            }
            put(&mut wanted, "/properties/condition", Some(&condition.value));
            put(&mut wanted, "/properties/conditionVersion", Some("2.0"));
        }
        if let Some(Located { value: Who::Principal(id), at }) = &who
            && id.parse::<keyless_model::ObjectId>().is_err()
        {
            problems.add(
                at,
                format!("`{id}` is no object id"),
                "give the id that `keyless az -- ad user show` or `keyless az -- ad group show` prints as id",
            );
        }
        let at = fields.at.clone();
        fields.done();
        Some(Self { at, role: role?, who: who?, scope: scope?, wanted })
    }
}
