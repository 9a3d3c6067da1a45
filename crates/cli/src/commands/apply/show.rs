//! The plan as people and as programs read it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::act::State;
use super::node::Problem;
use super::plan::{Action, Change, Difference, plain};
use crate::ui::{Table, bad, faint, good, strong, warn};

/// The plan: what changes, property by property, and what is only counted.
pub(super) fn plan(set: &str, changes: &[&Change], left: &[Change]) -> String {
    let mut text = format!("{}\n", summary(set, changes));
    if changes.iter().any(|change| change.action != Action::Unchanged) {
        text.push('\n');
    }
    let changed: Vec<&&Change> = changes.iter().filter(|change| change.action != Action::Unchanged).collect();
    let mut table = Table::new(["", "", ""]).indented(2);
    for change in &changed {
        table.row([verb(change.action), faint(change.kind.words()), strong(&change.title)]);
    }
    let table = table.to_string();
    for (change, row) in changed.iter().zip(table.lines()) {
        _ = writeln!(text, "{row}");
        change.properties.iter().for_each(|difference| _ = writeln!(text, "      {}", line(difference)));
        change.takes_along.iter().for_each(|other| _ = writeln!(text, "      {} {other}", bad("and with it")));
    }
    if !left.is_empty() {
        _ = writeln!(text, "\n{}", warn("left as they are, though an earlier apply created them and the files no longer declare them:"));
        let mut table = Table::new(["", ""]).indented(2);
        left.iter().for_each(|change| table.row([faint(change.kind.words()), strong(&change.title)]));
        _ = writeln!(text, "{table}{}", faint("--prune deletes them"));
    }
    text
}

/// `team-a: 2 to create, 1 to change, 5 unchanged`.
pub(super) fn summary(set: &str, changes: &[&Change]) -> String {
    let count = |action| changes.iter().filter(|change| change.action == action).count();
    let unchanged = count(Action::Unchanged);
    let parts: Vec<String> = [(Action::Create, "to create"), (Action::Update, "to change"), (Action::Delete, "to delete")]
        .into_iter()
        .filter_map(|(action, words)| Some(format!("{} {words}", Some(count(action)).filter(|count| *count > 0)?)))
        .chain((unchanged > 0).then(|| format!("{unchanged} unchanged")))
        .collect();
    let nothing = changes.iter().all(|change| change.action == Action::Unchanged);
    let parts = match (nothing, parts.is_empty()) {
        (true, true) => "nothing to do: the files declare nothing".to_owned(),
        (true, false) => format!("nothing to do ({})", parts.join(", ")),
        (false, _) => parts.join(", "),
    };
    format!("{}: {parts}", strong(set))
}

fn verb(action: Action) -> String {
    match action {
        Action::Create => good("+ create"),
        Action::Update => warn("~ change"),
        Action::Delete => bad("- delete"),
        Action::Unchanged => faint("= leave"),
    }
}

fn line(difference: &Difference) -> String {
    let Difference { property, from, to } = difference;
    let to = plain(to);
    match from {
        Value::Null => format!("{} {to}", faint(format_args!("{property}:"))),
        from => format!("{} {} -> {to}", faint(format_args!("{property}:")), plain(from)),
    }
}

/// The same for programs. `states` says how far each change got, when anything was attempted.
pub(super) fn json(set: &str, changes: &[&Change], states: Option<&[State]>, left: &[Change]) -> Value {
    let described = changes.iter().enumerate().map(|(at, change)| {
        let mut row = json!(change);
        if let Some(state) = states.and_then(|states| states.get(at)) {
            row["state"] = json!(state);
        }
        row
    });
    let left: Vec<Value> = left.iter().map(|change| json!({ "kind": change.kind, "name": change.title, "id": change.id })).collect();
    json!({ "set": set, "applied": states.is_some(), "changes": described.collect::<Vec<_>>(), "left": left })
}

/// What keeps files from being applied, for programs.
pub(super) fn problems(problems: &[Problem]) -> Value {
    let row = |problem: &Problem| json!({ "at": problem.at.to_string(), "what": problem.what, "next": problem.next });
    json!({ "problems": problems.iter().map(row).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests;
