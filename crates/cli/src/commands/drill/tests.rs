use super::*;

fn finding(loot: Loot, attempt: &str, should_succeed: bool, succeeded: bool, status: u16, evidence: &str) -> Finding {
    Finding {
        loot,
        attempt: attempt.into(),
        should_succeed,
        succeeded,
        refused: matches!(status, 400 | 401 | 403) && !succeeded,
        status,
        evidence: evidence.into(),
    }
}

fn report(client_id_gets_in: bool) -> Report {
    Report {
        account: "drill-1".into(),
        identity: "drill-app-1".into(),
        findings: vec![
            finding(Loot::Key, "call the deployment `chat`", true, true, 200, "it answers: Hello."),
            finding(Loot::Key, "call it once keys are turned off", false, false, 403, "AuthenticationTypeDisabled: …"),
            finding(Loot::ClientId, "ask the authority, with the client id alone", false, client_id_gets_in, 401, "AADSTS7000218: …"),
            finding(Loot::Rightful, "call the deployment `chat`", true, true, 200, "it answers: Hello."),
        ],
        key_dead_after_millis: 2.4,
    }
}

fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&shown(report, None)).to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_drill_as_it_must_be() {
    insta::assert_snapshot!(plain(&report(false)));
    assert!(report(false).as_it_must_be());
}

#[test]
fn a_client_id_that_gets_in_is_unexpected_and_said_so() {
    let report = report(true);
    assert!(!report.as_it_must_be());
    assert!(plain(&report).contains("! gets in UNEXPECTED  ask the authority"));
    assert!(plain(&report).contains("Something was not as it must be"));
}

#[test]
fn an_endpoint_that_is_broken_is_no_refusal() {
    let mut report = report(false);
    let broken = finding(Loot::ClientId, "ask the authority, with the client id alone", false, false, 500, "it did not say why");
    report.findings[2] = broken;
    assert!(!report.as_it_must_be());
    assert!(plain(&report).contains("? no verdict UNEXPECTED  ask the authority"), "{}", plain(&report));
}
