use std::path::PathBuf;

use super::*;
use crate::fake;

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_new_system_says_where_it_is_and_what_to_try() {
    let data = DataDir::named(PathBuf::from("/tmp/k"));
    insta::assert_snapshot!(plain(&welcome(&fake::status(), None, &data, Duration::from_millis(212))));
}

#[test]
fn what_is_no_model_never_looks_like_one() {
    let shown = plain(&model("built-in responder (not a model)", &["keyless-built-in-responder".into()], ""));
    assert!(shown.starts_with("built-in responder (not a model)"), "{shown}");
}

#[test]
fn a_long_list_of_models_is_cut() {
    let models: Vec<String> = (1..=9).map(|number| format!("m{number}")).collect();
    assert_eq!(plain(&model("model server", &models, "http://u")), "m1, m2, m3, m4 and 5 more  model server, http://u");
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
    insta::assert_snapshot!(plain(&welcome(&status, Some(&invited), &data, Duration::from_millis(212))));
    let shown = plain(&welcome(&status, Some(&Invited::NotNeeded), &data, Duration::from_millis(212)));
    assert!(shown.contains("nobody is invited: a person is administrator already"), "{shown}");
}
