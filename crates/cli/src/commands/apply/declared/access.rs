//! Roles and grants: who may do what, by names that are looked up later.

use serde_json::{Value, json};

use super::put;
use crate::commands::apply::fields::{Fields, Located, Problems};
use crate::commands::apply::node::{Content, Node, Place};

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
        let scopes = fields.filled_list("assignableScopes", "[subscription]` or `[resourceGroups/team-a]");
        let scopes = fields.texts_of("assignableScopes", scopes);
        let permissions = permissions(&mut fields);
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

impl Who {
    /// The one principal that a map names.
    fn read(fields: &mut Fields<'_>, what: &str, problems: &Problems) -> Option<Located<Self>> {
        let mut named: Vec<Located<Self>> = Vec::new();
        for (name, who) in [
            ("identity", Self::Identity as fn(String) -> Self),
            ("user", Self::User),
            ("group", Self::Group),
            ("application", Self::Application),
            ("principalId", Self::Principal),
        ] {
            named.extend(fields.text(name).map(|text| Located { value: who(text.value), at: text.at }));
        }
        let [who] = named.as_slice() else {
            let names = if named.is_empty() { "names no principal" } else { "names several principals" };
            problems.add(&fields.at, format!("{what} {names}"), "give one of identity, user, group, application, principalId");
            return None;
        };
        if let Self::Principal(id) = &who.value
            && id.parse::<keyless_model::ObjectId>().is_err()
        {
            problems.add(
                &who.at,
                format!("`{id}` is no object id"),
                "give the object id that `keyless user list`, `keyless identity show` or `keyless az -- ad group show` prints",
            );
        }
        Some(who.clone())
    }
}

/// Whom a deny assignment names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands::apply) enum Whom {
    Everyone,
    One(Who),
}

/// Something that some may not do somewhere, whatever their roles.
#[derive(Debug)]
pub(in crate::commands::apply) struct Deny {
    pub(in crate::commands::apply) name: Located<String>,
    pub(in crate::commands::apply) scope: Located<String>,
    pub(in crate::commands::apply) principals: Vec<Located<Whom>>,
    pub(in crate::commands::apply) excluded: Vec<Located<Whom>>,
    /// ARM's document without the scope and the principals.
    pub(in crate::commands::apply) wanted: Value,
}

impl Deny {
    pub(super) fn read(node: &Node, problems: &Problems) -> Option<Self> {
        let mut fields = Fields::of(node, "a deny assignment", problems)?;
        let name = fields.required("denyAssignmentName", "\"Nobody deletes\"");
        let scope = fields.required("scope", "resourceGroups/team-a");
        let description = fields.text("description").map_or_else(String::new, |text| text.value);
        let here_only = fields.truth("doNotApplyToChildScopes").unwrap_or_default();
        let permissions = permissions(&mut fields);
        let whom = |node: &Node| match &node.value {
            Content::Text(text) if text == "everyone" => Some(Located { value: Whom::Everyone, at: node.at.clone() }),
            _ => {
                let mut fields = Fields::of(node, "a principal", problems)?;
                let who = Who::read(&mut fields, "an item", problems);
                fields.done();
                who.map(|who| Located { value: Whom::One(who.value), at: who.at })
            }
        };
        let principals: Vec<_> = fields.filled_list("principals", "[everyone]").iter().filter_map(whom).collect();
        let excluded: Vec<_> = fields.list("excludePrincipals").unwrap_or_default().iter().filter_map(whom).collect();
        if let Some(everyone) = excluded.iter().find(|whom| whom.value == Whom::Everyone) {
            problems.add(&everyone.at, "a deny assignment cannot exclude everyone", "name those whom it spares");
        }
        fields.done();
        let name = name?;
        let properties = json!({
            "denyAssignmentName": name.value, "description": description, "doNotApplyToChildScopes": here_only, "permissions": [permissions],
        });
        Some(Self { name, scope: scope?, principals, excluded, wanted: json!({ "properties": properties }) })
    }
}

/// One block of permissions.
fn permissions(fields: &mut Fields<'_>) -> Value {
    let mut permissions = json!({});
    for list in ["actions", "notActions", "dataActions", "notDataActions"] {
        let texts = fields.texts(list).unwrap_or_default();
        permissions[list] = texts.into_iter().map(|text| text.value).collect();
    }
    permissions
}

impl Grant {
    pub(super) fn read(node: &Node, problems: &Problems) -> Option<Self> {
        let mut fields = Fields::of(node, "a role assignment", problems)?;
        let role = fields.required("role", "\"Cognitive Services OpenAI User\"");
        let scope = fields.required("scope", "team-a-ai");
        let who = Who::read(&mut fields, "a role assignment", problems);
        let mut wanted = json!({});
        put(&mut wanted, "/properties/description", fields.text("description").map(|text| text.value));
        if let Some(condition) = fields.text("condition") {
            if let Err(error) = keyless_rbac::condition::parse(&condition.value) {
                problems.add(&condition.at, error.to_string(), "correct it; a condition is never ignored");
            }
            put(&mut wanted, "/properties/condition", Some(&condition.value));
            put(&mut wanted, "/properties/conditionVersion", Some("2.0"));
        }
        let at = fields.at.clone();
        fields.done();
        Some(Self { at, role: role?, who: who?, scope: scope?, wanted })
    }
}
