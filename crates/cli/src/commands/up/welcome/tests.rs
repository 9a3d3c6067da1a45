use std::path::PathBuf;

use super::*;
use crate::fake;

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn upstream(kind: &str, models: Vec<String>) -> UpstreamStatus {
    UpstreamStatus { name: "default".into(), url: "http://u".into(), kind: kind.into(), models, trouble: None, down: false }
}

#[test]
fn a_server_that_is_down_and_a_model_that_stands_in_are_said() {
    let down = UpstreamStatus { trouble: Some("cannot be reached".into()), down: true, ..upstream("model server", Vec::new()) };
    assert_eq!(plain(&model(&down)), "model server, http://u  cannot be reached");
    let deployment = |answered_by: &str, stands_in| DeploymentStatus {
        name: "demo-ai/gpt".into(),
        model: "gpt-4o".into(),
        answered_by: answered_by.into(),
        stands_in,
    };
    assert_eq!(plain(&answered(&deployment("llama3", true))), "demo-ai/gpt  llama3 answers; the model server does not have gpt-4o");
    assert_eq!(plain(&answered(&deployment("gpt-4o", false))), "demo-ai/gpt  gpt-4o");
    assert_eq!(plain(&answered(&deployment("", false))), "demo-ai/gpt  nothing answers: no model server is configured for gpt-4o");
}

#[test]
fn a_new_system_says_where_it_is_and_what_to_try() {
    let data = DataDir::named(PathBuf::from("/tmp/k"));
    insta::assert_snapshot!(plain(&welcome(&fake::status(), None, &data, Duration::from_millis(212), None)));
}

#[test]
fn what_is_no_model_never_looks_like_one() {
    let shown = plain(&model(&upstream("built-in responder (not a model)", vec!["keyless-built-in-responder".into()])));
    assert!(shown.starts_with("built-in responder (not a model)"), "{shown}");
}

#[test]
fn a_long_list_of_models_is_cut() {
    let models: Vec<String> = (1..=9).map(|number| format!("m{number}")).collect();
    assert_eq!(plain(&model(&upstream("model server", models))), "m1, m2, m3, m4 and 5 more  model server, http://u");
}

#[test]
fn a_system_with_a_provider_and_no_administrator_says_what_to_do_about_both() {
    let data = DataDir::named(PathBuf::from("/tmp/k"));
    let sign_in = keyless_server::local::api::SignInStatus {
        name: "login.corp.example".to_owned(),
        issuer: "https://login.corp.example".to_owned(),
        redirect_uri: "https://localhost:8443/common/provider/callback".to_owned(),
    };
    let status = Status { sign_in: Some(sign_in), ..fake::status() };
    let link = "https://localhost:8443/invite?ticket=abc".to_owned().into();
    let invited = Invited::Link { name: "admin@keyless.local".to_owned(), link };
    insta::assert_snapshot!(plain(&welcome(&status, Some(&invited), &data, Duration::from_millis(212), None)));
    let shown = plain(&welcome(&status, Some(&Invited::NotNeeded), &data, Duration::from_millis(212), None));
    assert!(shown.contains("nobody is invited: a person is administrator already"), "{shown}");
}

#[test]
fn the_welcome_fits_eighty_columns_u13() {
    let data = DataDir::named(PathBuf::from("/home/ada/.local/state/keyless-of-the-team"));
    let none = Invited::NotNeeded;
    crate::commands::screens::check_at_eighty("welcome", |columns| {
        welcome(&fake::status(), Some(&none), &data, Duration::from_millis(212), columns)
    });
}
