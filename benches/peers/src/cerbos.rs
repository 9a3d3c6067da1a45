//! The drawn directory for Cerbos, and our decision behind the same HTTP request.
//!
//! Cerbos keeps no groups and no hierarchy of places: a member's policy holds its groups' assignments, and each request names the
//! places that the resource lies in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::extract::State;
use axum::{Json, Router, routing::post};
use keyless_model::ObjectId;
use keyless_model::Scope;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cedar::grants;
use crate::drawn::{ACTIONS, Drawn, Question};
use crate::ours::Ours;

/// Writes one principal policy per identity to `FOLDER/policies`, and `requests` and `answers` beside it, a line for each question.
pub(crate) fn write(drawn: Drawn, folder: &Path, questions: &[Question]) -> Result<()> {
    let mut places: BTreeMap<ObjectId, BTreeMap<&str, BTreeSet<String>>> = BTreeMap::new();
    let members: BTreeMap<ObjectId, _> = drawn.groups().map(|group| (group.id, group.members)).collect();
    for assignment in (0..drawn.assignments).map(|number| drawn.assignment(number)) {
        let holders =
            members.get(&assignment.principal).map_or_else(|| vec![assignment.principal], |members| members.iter().copied().collect());
        for holder in holders {
            for action in grants(assignment.role) {
                places.entry(holder).or_default().entry(action).or_default().insert(assignment.scope.folded().to_owned());
            }
        }
    }
    let policies = folder.join("policies");
    std::fs::create_dir_all(&policies)?;
    for (holder, actions) in &places {
        std::fs::write(policies.join(format!("{holder}.yaml")), policy(*holder, actions)?)?;
    }
    let ours = Ours::load(drawn);
    let (mut requests, mut answers) = (String::new(), String::new());
    for question in questions {
        writeln!(requests, "{}", request(question))?;
        writeln!(answers, "{}", ours.allows(question))?;
    }
    std::fs::write(folder.join("requests"), requests)?;
    std::fs::write(folder.join("answers"), answers)?;
    Ok(())
}

/// YAML by hand: every name in it is an id or an address of known form.
fn policy(holder: ObjectId, actions: &BTreeMap<&str, BTreeSet<String>>) -> Result<String> {
    let mut text = format!(
        "apiVersion: api.cerbos.dev/v1\nprincipalPolicy:\n  principal: \"{holder}\"\n  version: default\n  rules:\n  - resource: scope\n    actions:\n"
    );
    for (action, places) in actions {
        let places = serde_json::to_string(places)?;
        write!(text, "    - action: \"{action}\"\n      effect: EFFECT_ALLOW\n      condition:\n        match:\n")?;
        writeln!(text, "          expr: 'hasIntersection(R.attr.chain, {places})'")?;
    }
    Ok(text)
}

fn request(question: &Question) -> Value {
    let chain: Vec<String> =
        std::iter::successors(Some(question.scope.clone()), Scope::parent).map(|scope| scope.folded().to_owned()).collect();
    json!({
        "requestId": "bench",
        "principal": {"id": question.principal, "roles": ["identity"]},
        "resources": [{"actions": [question.action], "resource": {"kind": "scope", "id": question.scope.folded(), "attr": {"chain": chain}}}],
    })
}

#[derive(Deserialize)]
struct Check {
    principal: Asking,
    resources: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asking {
    id: ObjectId,
}

#[derive(Deserialize)]
struct Asked {
    actions: Vec<String>,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    id: String,
    kind: String,
}

/// Answers Cerbos's request from our decision, on as many threads as there are cores.
pub(crate) fn serve(drawn: Drawn, port: u16) -> Result<()> {
    let app = Router::new().route("/api/check/resources", post(check)).with_state(Arc::new(Ours::load(drawn)));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.context("the port is taken")?;
        Ok(axum::serve(listener, app).await?)
    })
}

async fn check(State(ours): State<Arc<Ours>>, Json(check): Json<Check>) -> Result<Json<Value>, (axum::http::StatusCode, String)> {
    let bad = |what: String| (axum::http::StatusCode::BAD_REQUEST, what);
    let mut results = Vec::new();
    for asked in check.resources {
        let scope: Scope = asked.resource.id.parse().map_err(|error| bad(format!("{error}")))?;
        let mut actions = serde_json::Map::new();
        for action in asked.actions {
            let known = ACTIONS.iter().find(|(known, _)| *known == action);
            let (action, plane) = *known.ok_or_else(|| bad(format!("nobody asks for {action}")))?;
            let allowed = ours.allows(&Question { principal: check.principal.id, action, plane, scope: scope.clone() });
            actions.insert(action.to_owned(), json!(if allowed { "EFFECT_ALLOW" } else { "EFFECT_DENY" }));
        }
        results.push(json!({"resource": {"id": asked.resource.id, "kind": asked.resource.kind}, "actions": actions}));
    }
    Ok(Json(json!({"requestId": "bench", "results": results})))
}
