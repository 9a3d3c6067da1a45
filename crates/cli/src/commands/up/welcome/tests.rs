use std::path::PathBuf;

use super::*;
use crate::fake;

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_new_system_says_where_it_is_and_what_to_try() {
    let data = DataDir::named(PathBuf::from("/tmp/k"));
    insta::assert_snapshot!(plain(&welcome(&fake::status(), &data, Duration::from_millis(212))));
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
