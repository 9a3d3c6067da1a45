//! `keyless drill`: a stolen key against a stolen client id, live.

use serde::Serialize;

use super::Context;
use crate::args::Drill;
use crate::client::System;
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{Screen, Stage, Table, bad, faint, good, heading, strong, wrapped};

mod client_id;
mod key;
mod scene;

use scene::Scene;
pub(super) use scene::{assign, assignment, text};

/// What the thief holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Loot {
    Key,
    ClientId,
    /// Nothing stolen: the program that the identity belongs to, for comparison.
    Rightful,
}

/// One attempt and what came of it.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) loot: Loot,
    pub(super) attempt: String,
    /// Whether it should get through, given what API keys and identities are.
    pub(super) should_succeed: bool,
    pub(super) succeeded: bool,
    /// Whether the answer is a refusal in the wire's own words. What neither succeeds nor is refused proves nothing: a system that
    /// is broken keeps thieves out, too.
    pub(super) refused: bool,
    /// The HTTP status of the answer.
    pub(super) status: u16,
    /// The system's own words, or what else proves it.
    pub(super) evidence: String,
}

impl Finding {
    const fn as_it_must_be(&self) -> bool {
        if self.should_succeed { self.succeeded } else { self.refused && !self.succeeded }
    }
}

/// The whole drill.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) account: String,
    pub(super) identity: String,
    pub(super) findings: Vec<Finding>,
    /// From the answer to "turn keys off" until the key was refused.
    pub(super) key_dead_after_millis: f64,
}

impl Report {
    pub(super) fn as_it_must_be(&self) -> bool {
        self.findings.iter().all(Finding::as_it_must_be)
    }
}

pub(super) async fn drill(context: &mut Context<'_>, args: &Drill) -> Ending {
    let system = System::find(context.data()?).await?;
    let report = perform(context.screen, &system).await?;
    if args.json {
        super::say_json(context, &report)?;
    } else {
        let text = shown(&report, context.screen.columns());
        context.screen.write(text)?;
    }
    Ok(if report.as_it_must_be() { Exit::Done } else { Exit::Failed })
}

/// Plays the drill on throw-away things, and clears them away whatever happens.
pub(super) async fn perform(screen: &mut Screen, system: &System) -> Result<Report, Failure> {
    let stage = Stage::brief(screen, "a throw-away account");
    let mut scene = match Scene::set(system).await {
        Ok(scene) => scene,
        Err(failure) => {
            stage.failed(screen, "");
            return Err(failure);
        }
    };
    stage.done(screen, &scene.account_name);
    let played = play(screen, system, &mut scene).await;
    let cleared = scene.clear(system).await;
    let report = played?;
    cleared?;
    Ok(report)
}

async fn play(screen: &mut Screen, system: &System, scene: &mut Scene) -> Result<Report, Failure> {
    let stage = Stage::brief(screen, "the key leaks");
    let mut findings = key::reach(system, scene).await?;
    stage.done(screen, "");
    let stage = Stage::brief(screen, "the client id leaks");
    findings.extend(client_id::reach(system, scene).await?);
    stage.done(screen, "");
    let stage = Stage::brief(screen, "keys are turned off");
    let (dead, after) = key::turn_off(system, scene).await?;
    findings.push(dead);
    stage.done(screen, "");
    Ok(Report {
        account: scene.account_name.clone(),
        identity: scene.identity_name.clone(),
        findings,
        key_dead_after_millis: (after.as_secs_f64() * 10_000.0).round() / 10.0,
    })
}

/// The findings for people.
pub(super) fn shown(report: &Report, columns: Option<usize>) -> String {
    let mut text = String::new();
    for (loot, title) in [
        (Loot::Key, "With the stolen API key"),
        (Loot::ClientId, "With the stolen client id"),
        (Loot::Rightful, "The program that has the identity, for comparison"),
    ] {
        let mut table = Table::new(["", "", "", ""]).indented(2).fitting(columns);
        for finding in report.findings.iter().filter(|finding| finding.loot == loot) {
            let (mark, word) = match (finding.succeeded, finding.refused, loot) {
                (true, _, Loot::Rightful) => ("✓", "answered"),
                (true, _, _) => ("!", "gets in"),
                (false, true, _) => ("x", "refused"),
                (false, false, _) => ("?", "no verdict"),
            };
            // A thief who gets in is bad news even where keys make it inevitable; a rightful program that does is good news.
            let paint: fn(String) -> String = if finding.succeeded == (loot == Loot::Rightful) { good } else { bad };
            let surprise = if finding.as_it_must_be() { "" } else { " UNEXPECTED" };
            table.row([
                paint(format!("{mark} {word}{surprise}")),
                finding.attempt.clone(),
                finding.status.to_string(),
                faint(&finding.evidence),
            ]);
        }
        text.push_str(&format!("{}\n{table}\n", heading(title)));
    }
    let verdict = if report.as_it_must_be() {
        let dead = format!("Turned off, the key was dead {} ms later", report.key_dead_after_millis);
        format!("{} The key is the permission; the client id is only a name. {}", strong("So:"), faint(dead))
    } else {
        bad("Something was not as it must be: see UNEXPECTED above")
    };
    format!("{text}{}\n", wrapped(verdict, columns, 0))
}

#[cfg(test)]
mod tests;
