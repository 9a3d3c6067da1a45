//! One step: a line of the table, with names and a body chosen by a number.

use http::Method;
use keyless_rbac::builtin;
use keyless_testkit::SUBSCRIPTION;
use serde_json::{Value, json};

use super::{SECOND, World};
use crate::route::{ANYWHERE, Route};

const GUIDS: [&str; 3] =
    ["0f409a94-be60-4d1e-ba0a-48c48aa92a71", "7d2d6a1c-5c4f-4d43-8e5d-0a1b2c3d4e5f", "00000000-0000-0000-0000-000000000001"];
const GROUPS: [&str; 4] = ["home", "victim", "inner", "fresh"];
const MG: &str = "/providers/Microsoft.Management/managementGroups";

/// Choices drawn from one number (SplitMix64).
pub(in crate::routes::tests) struct Draw(pub(in crate::routes::tests) u64);

impl Draw {
    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) >> 8).unwrap() % most.max(1)
    }

    pub(super) fn of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }
}

/// Lines that change who may do what are tried more often than those that do not.
fn weight(route: &Route) -> usize {
    let path = format!("{}{}", route.at, route.tail);
    match () {
        () if path.contains("managementGroups") => 6,
        () if path.contains("/role") || path.contains("$ref") => 3,
        () => 1,
    }
}

pub(super) fn step(world: &World, routes: &[Route], number: u64) -> (Method, String, Value) {
    let mut draw = Draw(number);
    let lines: Vec<&Route> = routes.iter().flat_map(|route| std::iter::repeat_n(route, weight(route))).collect();
    let route = draw.of(&lines);
    request(world, route, &mut draw)
}

/// A request that the line takes, as far as its names and its body go.
pub(in crate::routes::tests) fn request(world: &World, route: &Route, draw: &mut Draw) -> (Method, String, Value) {
    let at = match (route.at, route.tail) {
        (ANYWHERE, "") => format!("{}/providers/Microsoft.Storage/storageAccounts/files", place(world, draw)),
        (ANYWHERE, _) => place(world, draw),
        (at, _) => at.to_owned(),
    };
    let mut path = format!("{at}{}", route.tail);
    let pattern = path.clone();
    while let Some((start, end)) = path.find('{').and_then(|start| Some((start, start + path[start..].find('}')?))) {
        let value = name(world, &pattern, &path[start + 1..end], draw);
        path.replace_range(start..=end, &value);
    }
    let mut body = body(world, draw);
    if route.at == ANYWHERE {
        // A resource without a meaning has none.
        _ = body.as_object_mut().map(|body| body.remove("identity"));
    }
    let body = match route.tail.trim_start_matches("/v1.0").trim_start_matches("/beta") {
        "/applications" | "/applications/{id}" => json!({ "displayName": "made" }),
        "/users/{id}" => json!({ "accountEnabled": true }),
        _ => body,
    };
    (route.method.clone(), path, body)
}

fn place(world: &World, draw: &mut Draw) -> String {
    let place = &world.places[draw.below(world.places.len())];
    place.as_str().trim_end_matches('/').to_owned()
}

/// A value for a brace: mostly of something that exists.
fn name(world: &World, pattern: &str, brace: &str, draw: &mut Draw) -> String {
    let snapshot = world.test.snapshot();
    let any = |ids: Vec<String>, draw: &mut Draw| ids.get(draw.below(ids.len())).cloned().unwrap_or_else(|| GUIDS[0].to_owned());
    match brace {
        "subscription" => any(vec![SUBSCRIPTION.to_string(), SECOND.to_string()], draw),
        "group" => draw.of(&["demo", "lab", "fresh"]).to_owned(),
        "account" => draw.of(&["demo-ai", "lab-ai"]).to_owned(),
        "deployment" => "chat".to_owned(),
        "location" => "local".to_owned(),
        "credential" => "github".to_owned(),
        "namespace" => "Microsoft.CognitiveServices".to_owned(),
        "member" => any(snapshot.principals().map(|row| row.id.to_string()).collect(), draw),
        "id" if pattern.contains("/applications") => any(snapshot.applications().map(|row| row.id.to_string()).collect(), draw),
        "id" if pattern.contains("/groups") => any(snapshot.groups().map(|row| row.id.to_string()).collect(), draw),
        "id" => any(snapshot.principals().map(|row| row.id.to_string()).collect(), draw),
        "name" if pattern.contains("managementGroups/{name}") => draw.of(&GROUPS).to_owned(),
        "name" if pattern.contains("roleAssignments") => {
            let known = snapshot.policy().assignments().map(|row| row.id.to_string());
            any(known.chain(GUIDS.map(str::to_owned)).collect(), draw)
        }
        "name" if pattern.contains("roleDefinitions") => draw.of(&GUIDS).to_owned(),
        "name" if pattern.contains("userAssignedIdentities") => draw.of(&["operator", "demo-app", "fresh"]).to_owned(),
        _ => draw.of(&["this-host", "fresh"]).to_owned(),
    }
}

/// One body for all: each handler reads what it knows.
fn body(world: &World, draw: &mut Draw) -> Value {
    let snapshot = world.test.snapshot();
    let roles = [builtin::OWNER, builtin::CONTRIBUTOR, builtin::READER, builtin::USER_ACCESS_ADMINISTRATOR, builtin::FOUNDRY_USER];
    let role = match draw.below(roles.len() + 1) {
        0 => GUIDS[0].to_owned(),
        number => roles[number - 1].to_string(),
    };
    let principals: Vec<String> = snapshot.principals().map(|row| row.id.to_string()).collect();
    let walker = world.walker.object_id.to_string();
    let principal = if draw.below(3) == 0 { draw.below(principals.len()) } else { usize::MAX };
    let principal = principals.get(principal).unwrap_or(&walker).clone();
    let parent = format!("{MG}/{}", draw.of(&GROUPS));
    let scope = place(world, draw);
    let identity =
        format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}", world.test.group, draw.of(&["operator", "demo-app"]));
    let application = snapshot.applications().map(|row| row.client_id.to_string()).last();
    json!({
        "location": "local",
        "kind": "OpenAI",
        "sku": { "name": "S0" },
        "identity": { "type": "SystemAssigned, UserAssigned", "userAssignedIdentities": { identity: {} } },
        "parentGroupId": parent,
        "displayName": "made",
        "mailNickname": "made",
        "userPrincipalName": format!("made{}@keyless.test", draw.below(3)),
        "appId": application,
        "name": "github",
        "keyId": GUIDS[1],
        "keyName": "Key1",
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": "repo:o/r:ref:refs/heads/main",
        "audiences": ["api://AzureADTokenExchange"],
        "@odata.id": format!("https://graph.microsoft.com/v1.0/directoryObjects/{principal}"),
        "properties": {
            "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            "principalId": principal,
            "roleName": format!("Made {}", draw.below(3)),
            "permissions": [{ "actions": [draw.of(&["*", "Microsoft.CognitiveServices/*", "Microsoft.Authorization/*"])] }],
            "assignableScopes": [if scope.is_empty() { "/".to_owned() } else { scope }],
            "details": { "parent": { "id": parent } },
            "level": "CanNotDelete",
            "model": { "format": "OpenAI", "name": "m", "version": "1" },
            "issuer": "https://token.actions.githubusercontent.com",
            "subject": "repo:o/r:ref:refs/heads/main",
            "audiences": ["api://AzureADTokenExchange"],
        },
    })
}
