//! Makes the changes, one after the other. It stops at the first that fails, and everything before it stays done.

use std::collections::BTreeMap;

use http::Method;
use serde::Serialize;
use serde_json::Value;

use super::declared::Kind;
use super::desired::text;
use super::ledger::{Entry, Ledger, mark};
use super::plan::{Action, Change};
use crate::client::{Arm, Local, Precondition};
use crate::commands::Context;
use crate::failure::Failure;
use crate::machine::fresh_uuid;
use crate::ui::{Stage, faint};

/// How far a change got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum State {
    Done,
    Failed,
    NotBegun,
}

/// How it went: a state for each change, and why it stopped.
pub(super) struct Outcome {
    pub(super) states: Vec<State>,
    pub(super) failure: Option<Failure>,
}

/// By which changes are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hands<'a> {
    pub(super) arm: &'a Arm,
    /// Deny assignments are made by the owner only.
    pub(super) local: &'a Local,
}

pub(super) async fn act(context: &mut Context<'_>, hands: Hands<'_>, ledger: &mut Ledger, changes: &[&Change]) -> Outcome {
    let mut outcome = Outcome { states: vec![State::NotBegun; changes.len()], failure: None };
    // Object ids of identities that were made on the way.
    let mut principals = BTreeMap::new();
    for (change, state) in changes.iter().zip(&mut outcome.states) {
        if outcome.failure.is_some() {
            context.screen.note(format_args!("  {} {}", faint("·"), faint(format_args!("{} - not begun", label(change)))));
            continue;
        }
        let stage = Stage::brief(context.screen, label(change));
        match make(hands, ledger, change, &mut principals).await {
            Ok(()) => {
                *state = State::Done;
                stage.done(context.screen, "");
            }
            Err(failure) => {
                *state = State::Failed;
                stage.failed(context.screen, "");
                outcome.failure = Some(failure);
            }
        }
    }
    outcome
}

fn label(change: &Change) -> String {
    let verb = match change.action {
        Action::Create => "create",
        Action::Update => "change",
        Action::Delete => "delete",
        Action::Unchanged => "leave",
    };
    format!("{verb} {} {}", change.kind.words(), change.title)
}

async fn make(hands: Hands<'_>, ledger: &mut Ledger, change: &Change, principals: &mut BTreeMap<String, String>) -> Result<(), Failure> {
    let arm = hands.arm;
    match change.action {
        Action::Create | Action::Update if change.kind == Kind::DenyAssignment => deny(hands, ledger, change, principals).await,
        Action::Unchanged => Ok(()),
        Action::Create => create(arm, ledger, change, principals).await,
        Action::Update => {
            let method = match change.kind {
                Kind::FederatedCredential | Kind::RoleDefinition | Kind::RoleAssignment => Method::PUT,
                _ => Method::PATCH,
            };
            let unchanged = change.etag.as_deref().map_or(Precondition::None, Precondition::Version);
            arm.write(method, &change.id, &change.body, unchanged).await?;
            Ok(())
        }
        Action::Delete => {
            match change.kind {
                Kind::DenyAssignment => hands.local.remove_deny_assignment(end(&change.id)).await?,
                _ => arm.delete(&change.id).await?,
            }
            ledger.forget(change.kind, &change.id)
        }
    }
}

async fn create(arm: &Arm, ledger: &mut Ledger, change: &Change, principals: &mut BTreeMap<String, String>) -> Result<(), Failure> {
    let (mut id, mut body) = (change.id.clone(), change.body.clone());
    if change.kind == Kind::RoleAssignment {
        id = format!("{id}/providers/Microsoft.Authorization/roleAssignments/{}", fresh_uuid());
        if let Some(identity) = &change.waits_for {
            let unknown = || Failure::new(format!("the object id of {identity} is not known"), "run the same command again");
            body["properties"]["principalId"] = principals.get(&identity.to_lowercase()).ok_or_else(unknown)?.as_str().into();
        }
    }
    let made: Value = arm.write(Method::PUT, &id, &body, Precondition::Absent).await?;
    if change.kind == Kind::Identity
        && let Some(principal) = text(&made, "/properties/principalId")
    {
        principals.insert(id.to_lowercase(), principal);
    }
    let id = text(&made, "/id").unwrap_or(id);
    ledger.created(Entry { kind: change.kind, mark: mark(change.kind, &made), id, title: change.title.clone() })
}

/// Makes or replaces a deny assignment. Identities that were made on the way stand in it by their ARM ids until now.
async fn deny(hands: Hands<'_>, ledger: &mut Ledger, change: &Change, principals: &BTreeMap<String, String>) -> Result<(), Failure> {
    let mut body = change.body.clone();
    for list in ["/properties/principals", "/properties/excludePrincipals"] {
        for principal in body.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(id) = text(principal, "/id").and_then(|id| principals.get(&id.to_lowercase())) {
                principal["id"] = id.as_str().into();
            }
        }
    }
    if change.action == Action::Update {
        body["name"] = end(&change.id).into();
    }
    let name = hands.local.put_deny_assignment(&body).await?.name;
    if change.action == Action::Update {
        return Ok(());
    }
    let id = format!("{}/providers/Microsoft.Authorization/denyAssignments/{name}", change.id);
    let made = hands.arm.find(&id).await?.unwrap_or_default();
    ledger.created(Entry { kind: change.kind, mark: mark(change.kind, &made), id, title: change.title.clone() })
}

fn end(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or_default()
}
