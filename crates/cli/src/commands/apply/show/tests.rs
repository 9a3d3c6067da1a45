use super::*;
use crate::commands::apply::declared::Kind;
use crate::commands::apply::desired::tests::resolved;
use crate::commands::apply::fields::Problems;
use crate::commands::apply::plan::change;

const TEAM_A: &str = include_str!("../../../../../../examples/apply/team-a.yaml");

fn creations() -> Vec<Change> {
    let (desired, _) = resolved(&[("team-a.yaml", TEAM_A)]);
    desired.iter().filter_map(|one| change(one, None, &Problems::default())).collect()
}

fn deletion(kind: Kind, title: &str, takes_along: &[&str]) -> Change {
    let takes_along = takes_along.iter().map(|text| (*text).to_owned()).collect();
    Change { action: Action::Delete, kind, title: title.to_owned(), properties: Vec::new(), takes_along, ..creations().remove(0) }
}

fn plain_text(changes: &[Change], left: &[Change]) -> String {
    let all: Vec<&Change> = changes.iter().collect();
    let text = plan("team-a", &all, left);
    anstream::adapter::strip_str(&text).to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_plan_that_creates() {
    insta::assert_snapshot!(plain_text(&creations(), &[]));
}

#[test]
fn a_plan_that_changes_and_deletes() {
    let mut update = creations().remove(4);
    update.action = Action::Update;
    update.properties = vec![Difference { property: "disableLocalAuth".into(), from: false.into(), to: true.into() }];
    let mut same = creations().remove(0);
    same.action = Action::Unchanged;
    let gone = deletion(Kind::Identity, "old-app", &["/subscriptions/s/roleAssignments/1"]);
    insta::assert_snapshot!(plain_text(&[same, update, gone], &[]));
}

#[test]
fn what_is_no_longer_declared_is_said_and_left() {
    let mut same = creations().remove(0);
    same.action = Action::Unchanged;
    insta::assert_snapshot!(plain_text(&[same], &[deletion(Kind::Identity, "old-app", &[])]));
}

#[test]
fn a_set_that_declares_nothing_is_said_to_u3() {
    assert_eq!(anstream::adapter::strip_str(&summary("deny", &[])).to_string(), "deny: nothing to do: the files declare nothing");
}

#[test]
fn programs_get_the_same() {
    let all = creations();
    let all: Vec<&Change> = all.iter().take(1).collect();
    insta::assert_snapshot!(format!("{:#}", json("team-a", &all, Some(&[State::Done]), &[])));
}
