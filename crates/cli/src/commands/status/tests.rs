use keyless_model::Timestamp;

use super::*;
use crate::fake;

#[test]
fn a_running_system_at_a_glance() {
    let now = Timestamp::from_unix_secs(1_795_219_200 + 7_384);
    let loan = |kind: &str, until| AttachmentStatus {
        id: format!("{kind}-1"),
        kind: kind.into(),
        identity: "demo-app".into(),
        label: "python".into(),
        since: now.plus_secs(-65),
        until,
    };
    let text = report(&fake::status(), &[loan("run", None), loan("shell", Some(now.plus_secs(3600)))], now, None);
    let plain = anstream::adapter::strip_str(&text).to_string();
    insta::assert_snapshot!(plain.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"));
}

#[test]
fn an_unhealthy_system_says_so_first() {
    let status = Status { health: "the audit log cannot be written".into(), ..fake::status() };
    let text = report(&status, &[], status.started, None);
    assert!(text.lines().next().unwrap().contains("the audit log cannot be written"));
}

#[test]
fn time_is_told_in_its_two_largest_units() {
    let told = [0, 59, 61, 3_600, 90_061, -5].map(human_secs);
    assert_eq!(told, ["0 s", "59 s", "1 min 1 s", "1 h", "1 d 1 h", "0 s"]);
}

#[test]
fn the_status_fits_eighty_columns_u13() {
    let now = fake::status().started;
    let lent = [AttachmentStatus {
        id: "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4".into(),
        kind: "shell".into(),
        identity: "demo-app".into(),
        label: "a program with a long name".into(),
        since: now,
        until: Some(now.plus_secs(3600)),
    }];
    super::super::screens::check_at_eighty("status", |columns| report(&fake::status(), &lent, now, columns));
}
