//! What a stolen API key opens, and how it dies.

use std::time::{Duration, Instant};

use serde_json::json;

use super::scene::{DEPLOYMENTS, Scene};
use super::{Finding, Loot};
use crate::client::{Chat, Credential, System};
use crate::commands::audit::newest;
use crate::failure::{Explain as _, Failure};
use keyless_audit::ActorRecord;
use keyless_store::audit_log::Filter;

/// How long a turned-off key may go on working before that counts as a failure of the drill.
const MUST_BE_DEAD_WITHIN: Duration = Duration::from_secs(5);

/// Uses the key from a connection that has nothing else to show.
pub(super) async fn reach(system: &System, scene: &Scene) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    let mut calls = Vec::new();
    for deployment in DEPLOYMENTS {
        let chat = ask(system, scene, deployment).await?;
        findings.push(Finding {
            loot: Loot::Key,
            attempt: format!("call the deployment `{deployment}`"),
            should_succeed: true,
            succeeded: chat.answered(),
            refused: chat.refused,
            status: chat.status.as_u16(),
            evidence: format!("it answers: {}", chat.first_words()),
        });
        calls.extend(chat.request_id);
    }
    findings.push(unseen(system, &calls)?);
    Ok(findings)
}

/// Looks the calls up in the audit: is anyone named?
fn unseen(system: &System, calls: &[String]) -> Result<Finding, Failure> {
    let mut events = Vec::new();
    for call in calls {
        let filter = Filter { request_id: call.parse().ok(), ..Filter::default() };
        events.extend(newest(&system.data.path, 1, filter, |_| true)?);
    }
    let nameless = events.iter().filter_map(|event| match &event.event.actor {
        ActorRecord::AccountKey { fingerprint } => Some(fingerprint.clone()),
        _ => None,
    });
    let nameless: Vec<String> = nameless.collect();
    let fingerprint = nameless.first().map(String::as_str).unwrap_or_default();
    Ok(Finding {
        loot: Loot::Key,
        attempt: "stay unknown".to_owned(),
        should_succeed: true,
        refused: false,
        succeeded: !nameless.is_empty() && nameless.len() == events.len(),
        status: 200,
        evidence: format!(
            "{} audit lines name the key {fingerprint} and no object id: whose program it was, nobody can say",
            nameless.len()
        ),
    })
}

/// Turns keys off, and measures how long this one goes on working.
pub(super) async fn turn_off(system: &System, scene: &Scene) -> Result<(Finding, Duration), Failure> {
    let control = system.operator().await?;
    control.patch(&scene.account, &json!({ "properties": { "disableLocalAuth": true } })).await?;
    let began = Instant::now();
    loop {
        let chat = ask(system, scene, DEPLOYMENTS[0]).await?;
        let after = began.elapsed();
        if !chat.refused && after < MUST_BE_DEAD_WITHIN {
            continue;
        }
        let finding = Finding {
            loot: Loot::Key,
            attempt: "call it once keys are turned off".to_owned(),
            should_succeed: false,
            succeeded: chat.answered(),
            refused: chat.refused,
            status: chat.status.as_u16(),
            evidence: chat.words,
        };
        return Ok((finding, after));
    }
}

async fn ask(system: &System, scene: &Scene, deployment: &str) -> Result<Chat, Failure> {
    let asked = Chat::ask(&system.web, &scene.endpoint, deployment, &Credential::Key(&scene.key), "Say hello.").await;
    asked.explain(|| "the gateway does not answer".to_owned(), "look at the log of `keyless up`")
}
