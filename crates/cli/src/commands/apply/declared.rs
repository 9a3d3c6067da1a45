//! What files declare: the resources as ARM's documents, holding only what the files say, and the roles and grants with names that
//! are not looked up yet. Knows nothing of what exists.

use std::net::IpAddr;

use keyless_model::name;
use serde_json::{Value, json};

use super::fields::{Fields, Located, Problems};
use super::node::{Content, Node, Place};

mod access;

pub(super) use access::{Deny, Grant, Role, Who, Whom};

/// What a resource is, in the order in which resources must be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Kind {
    ResourceGroup,
    Identity,
    FederatedCredential,
    Account,
    Deployment,
    RoleDefinition,
    RoleAssignment,
    DenyAssignment,
}

impl Kind {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::ResourceGroup => "resource group",
            Self::Identity => "identity",
            Self::FederatedCredential => "federated credential",
            Self::Account => "account",
            Self::Deployment => "deployment",
            Self::RoleDefinition => "role",
            Self::RoleAssignment => "role assignment",
            Self::DenyAssignment => "deny assignment",
        }
    }
}

/// A resource with a place of its own.
#[derive(Debug, Clone)]
pub(super) struct Declared {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) at: Place,
    /// ARM's document, with what the file says and nothing else.
    pub(super) wanted: Value,
    /// What a creation needs besides.
    pub(super) defaults: Value,
    pub(super) children: Vec<Declared>,
}

/// Everything that the files of one command declare.
#[derive(Debug, Default)]
pub(super) struct Declaration {
    /// Whose things these are.
    pub(super) name: Option<Located<String>>,
    pub(super) groups: Vec<Declared>,
    pub(super) roles: Vec<Role>,
    pub(super) grants: Vec<Grant>,
    pub(super) denies: Vec<Deny>,
}

impl Declaration {
    /// Adds what one file declares.
    pub(super) fn add(&mut self, file: &Node, problems: &Problems) {
        if file.value == Content::Nothing {
            return problems.add(&file.at, "the file declares nothing", "see docs/apply.md for an example");
        }
        let Some(mut fields) = Fields::of(file, "a file", problems) else { return };
        if let Some(name) = fields.text("name") {
            match &self.name {
                Some(first) if first.value != name.value => {
                    let what = format!("the files name different sets: `{}` here, `{}` at {}", name.value, first.value, first.at);
                    problems.add(&name.at, what, "apply different sets with a command each");
                }
                Some(_) => {}
                None if is_plain(&name.value) => self.name = Some(name),
                None => problems.add(
                    &name.at,
                    format!("`{}` is no name of a set", name.value),
                    "use up to 64 letters, digits, `-`, `_` and `.`",
                ),
            }
        }
        each(&mut fields, "resourceGroups", |node| group(node, problems), &mut self.groups);
        each(&mut fields, "roleDefinitions", |node| Role::read(node, problems), &mut self.roles);
        each(&mut fields, "roleAssignments", |node| Grant::read(node, problems), &mut self.grants);
        each(&mut fields, "denyAssignments", |node| Deny::read(node, problems), &mut self.denies);
        fields.done();
    }

    /// Everyone whom grants and deny assignments name.
    pub(super) fn named(&self) -> impl Iterator<Item = &Who> {
        let denied = self.denies.iter().flat_map(|deny| deny.principals.iter().chain(&deny.excluded));
        let denied = denied.filter_map(|whom| match &whom.value {
            Whom::One(who) => Some(who),
            Whom::Everyone => None,
        });
        self.grants.iter().map(|grant| &grant.who.value).chain(denied)
    }

    /// What can be wrong between declarations: names that stand twice.
    pub(super) fn check(&self, problems: &Problems) {
        unique(&self.groups, problems);
        let mut seen: Vec<&Role> = Vec::new();
        for role in &self.roles {
            if let Some(first) = seen.iter().find(|first| first.name.value.eq_ignore_ascii_case(&role.name.value)) {
                problems.add(&role.name.at, twice("role", &role.name.value, &first.name.at), "rename one of them");
            }
            seen.push(role);
        }
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}

fn twice(kind: &str, name: &str, first: &Place) -> String {
    format!("the {kind} `{name}` is declared twice; first at {first}")
}

fn unique(siblings: &[Declared], problems: &Problems) {
    for (at, one) in siblings.iter().enumerate() {
        let same = |first: &&Declared| first.kind == one.kind && first.name.eq_ignore_ascii_case(&one.name);
        if let Some(first) = siblings.iter().take(at).find(same) {
            problems.add(&one.at, twice(one.kind.words(), &one.name, &first.at), "merge or rename them");
        }
        unique(&one.children, problems);
    }
}

fn each<T>(fields: &mut Fields<'_>, name: &'static str, read: impl Fn(&Node) -> Option<T>, into: &mut Vec<T>) {
    into.extend(fields.list(name).unwrap_or_default().iter().filter_map(read));
}

fn group(node: &Node, problems: &Problems) -> Option<Declared> {
    let mut fields = Fields::of(node, "a resource group", problems)?;
    let name = fields.required("name", "team-a");
    let wanted = common(&mut fields);
    let mut children = Vec::new();
    each(&mut fields, "identities", |node| identity(node, problems), &mut children);
    each(&mut fields, "accounts", |node| account(node, problems), &mut children);
    fields.done();
    declared(Kind::ResourceGroup, name?, wanted, json!({ "location": "local" }), children, problems)
}

fn identity(node: &Node, problems: &Problems) -> Option<Declared> {
    let mut fields = Fields::of(node, "an identity", problems)?;
    let name = fields.required("name", "summariser");
    let wanted = common(&mut fields);
    let mut children = Vec::new();
    each(&mut fields, "federatedCredentials", |node| federated(node, problems), &mut children);
    fields.done();
    declared(Kind::Identity, name?, wanted, json!({}), children, problems)
}

fn federated(node: &Node, problems: &Problems) -> Option<Declared> {
    let mut fields = Fields::of(node, "a federated credential", problems)?;
    let name = fields.required("name", "github");
    let issuer = fields.required("issuer", "https://token.actions.githubusercontent.com");
    let subject = fields.required("subject", "repo:team-a/app:ref:refs/heads/main");
    let audience = fields.text("audience").map_or_else(|| "api://AzureADTokenExchange".to_owned(), |text| text.value);
    fields.done();
    let properties = json!({ "issuer": issuer?.value, "subject": subject?.value, "audiences": [audience] });
    declared(Kind::FederatedCredential, name?, json!({ "properties": properties }), json!({}), Vec::new(), problems)
}

fn account(node: &Node, problems: &Problems) -> Option<Declared> {
    let mut fields = Fields::of(node, "an account", problems)?;
    let name = fields.required("name", "team-a-ai");
    let mut wanted = common(&mut fields);
    put(&mut wanted, "/kind", fields.one_of("kind", &["OpenAI", "AIServices"]));
    put(&mut wanted, "/sku/name", fields.text("sku").map(|sku| sku.value));
    if let Some(domain) = fields.text("customSubDomainName") {
        let wished = domain.value.to_ascii_lowercase();
        if let Err(error) = name::custom_subdomain(&wished) {
            problems.add(&domain.at, error.to_string(), "choose another name");
        }
        put(&mut wanted, "/properties/customSubDomainName", Some(wished));
    }
    put(&mut wanted, "/properties/disableLocalAuth", fields.truth("disableLocalAuth"));
    put(&mut wanted, "/properties/publicNetworkAccess", fields.one_of("publicNetworkAccess", &["Enabled", "Disabled"]));
    put(&mut wanted, "/properties/networkAcls", fields.map("networkAcls", "networkAcls").and_then(|acls| network(acls, problems)));
    let mut children = Vec::new();
    each(&mut fields, "deployments", |node| deployment(node, problems), &mut children);
    fields.done();
    declared(Kind::Account, name?, wanted, json!({ "kind": "OpenAI", "sku": { "name": "S0" } }), children, problems)
}

fn network(mut fields: Fields<'_>, problems: &Problems) -> Option<Value> {
    let at = fields.at.clone();
    let default = fields.one_of("defaultAction", &["Allow", "Deny"]);
    let rules = fields.texts("ipRules").unwrap_or_default();
    fields.done();
    // A list of addresses without it would be read as "these only", and mean "everybody".
    if default.is_none() {
        problems.add(&at, "networkAcls needs `defaultAction`", "add `defaultAction: Deny` to let in the ipRules only, or Allow");
    }
    for rule in &rules {
        let (address, length) = rule.value.split_once('/').unwrap_or((&rule.value, "0"));
        if address.parse::<IpAddr>().is_err() || length.parse::<u8>().is_err() {
            problems.add(
                &rule.at,
                format!("`{}` is neither an IP address nor a block of them", rule.value),
                "write 10.0.0.1 or 10.0.0.0/8",
            );
        }
    }
    let rules: Vec<Value> = rules.into_iter().map(|rule| json!({ "value": rule.value })).collect();
    Some(json!({ "defaultAction": default?, "ipRules": rules }))
}

fn deployment(node: &Node, problems: &Problems) -> Option<Declared> {
    let mut fields = Fields::of(node, "a deployment", problems)?;
    let name = fields.required("name", "chat");
    let mut wanted = json!({});
    put(&mut wanted, "/tags", fields.tags());
    let at = fields.at.clone();
    match fields.map("model", "a model") {
        None => problems.add(&at, "a deployment needs `model`", "add it, such as `model: { name: gpt-4o, version: \"2024-11-20\" }`"),
        Some(mut model) => {
            let name = model.required("name", "gpt-4o");
            let format = model.text("format").map_or_else(|| "OpenAI".to_owned(), |text| text.value);
            let version = model.text("version");
            model.done();
            put(&mut wanted, "/properties/model/format", Some(format));
            put(&mut wanted, "/properties/model/name", name.map(|name| name.value));
            put(&mut wanted, "/properties/model/version", version.map(|version| version.value));
        }
    }
    put(&mut wanted, "/sku/name", fields.text("sku").map(|sku| sku.value));
    put(&mut wanted, "/sku/capacity", fields.number("capacity", 100_000));
    fields.done();
    declared(Kind::Deployment, name?, wanted, json!({ "sku": { "name": "Standard" } }), Vec::new(), problems)
}

/// Location and tags, which most resources have.
fn common(fields: &mut Fields<'_>) -> Value {
    let mut wanted = json!({});
    let location = fields.text("location");
    // ARM's normal form: "East US" is `eastus`.
    put(&mut wanted, "/location", location.map(|location| location.value.replace(' ', "").to_ascii_lowercase()));
    put(&mut wanted, "/tags", fields.tags());
    wanted
}

fn declared(
    kind: Kind,
    name: Located<String>,
    wanted: Value,
    defaults: Value,
    children: Vec<Declared>,
    problems: &Problems,
) -> Option<Declared> {
    let rule = match kind {
        Kind::ResourceGroup => name::resource_group,
        Kind::Identity => name::identity,
        Kind::FederatedCredential => name::federated_credential,
        Kind::Account => name::account,
        // Roles and their assignments have no name in a path.
        Kind::Deployment | Kind::RoleDefinition | Kind::RoleAssignment | Kind::DenyAssignment => name::deployment,
    };
    if let Err(error) = rule(&name.value) {
        problems.add(&name.at, error.to_string(), "choose another name");
    }
    Some(Declared { kind, name: name.value, at: name.at, wanted, defaults, children })
}

/// Sets a value deep in a document, making the objects on the way.
fn put(document: &mut Value, path: &str, value: Option<impl serde::Serialize>) {
    let Some(value) = value.and_then(|value| serde_json::to_value(value).ok()) else { return };
    let mut target = document;
    for name in path.split('/').skip(1) {
        if !target.is_object() {
            *target = json!({});
        }
        target = &mut target[name];
    }
    *target = value;
}
