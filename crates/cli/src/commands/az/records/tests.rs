use serde_json::json;

use super::*;

const CONTROL: &str = "https://localhost:8443";

fn clouds(active: &str) -> Vec<Cloud> {
    let row = |name: &str| json!({ "name": name, "isActive": name == active, "endpoints": { "resourceManager": null } });
    serde_json::from_value(json!(["AzureCloud", "stack", "keyless"].map(row))).unwrap()
}

fn child(bundle: &str) -> ChildEnvironment {
    let given = [(REQUESTS_CA_BUNDLE.name, bundle.into()), (AZURE_CORE_INSTANCE_DISCOVERY.name, "false".into())];
    ChildEnvironment { given: given.into(), ..Default::default() }
}

fn record(active: &str, known: Option<Record>, outer: &[(&str, &str)]) -> Record {
    Record::new(&clouds(active), "keyless", CONTROL, known, &child("/k/bundle.pem"), &outer.iter().copied().collect())
}

#[test]
fn what_was_before_stays_what_was_before_when_registered_again() {
    let first = record("stack", None, &[("REQUESTS_CA_BUNDLE", "/corporate.pem")]);
    assert_eq!(first.before, "stack");
    let again = record("keyless", Some(first.clone()), &[("REQUESTS_CA_BUNDLE", "/k/bundle.pem")]);
    assert_eq!(again, first);
    assert_eq!(record("keyless", None, &[]).before, "AzureCloud");
}

#[test]
fn a_shell_gets_back_what_it_had_and_keeps_what_it_changed() {
    let record = record("AzureCloud", None, &[("REQUESTS_CA_BUNDLE", "/corporate.pem")]);
    let back = |outer: &[(&str, &str)]| record.variables_from_before(&outer.iter().copied().collect());
    let (given, removed) = back(&[("REQUESTS_CA_BUNDLE", "/k/bundle.pem"), ("AZURE_CORE_INSTANCE_DISCOVERY", "false")]);
    assert_eq!(given, BTreeMap::from([("REQUESTS_CA_BUNDLE", OsString::from("/corporate.pem"))]));
    assert_eq!(removed, [AZURE_CORE_INSTANCE_DISCOVERY]);
    assert_eq!(back(&[("REQUESTS_CA_BUNDLE", "/new.pem")]), Default::default());
}

#[test]
fn records_are_kept_by_settings_folder_and_cloud() {
    let data = tempfile::tempdir().unwrap();
    let of = |folder: &str| Records::of(data.path(), &[("AZURE_CONFIG_DIR", folder)].into_iter().collect()).unwrap();
    let kept = record("stack", None, &[]);
    of("/a").write("keyless", &kept).unwrap();
    of("/b").write("other", &kept).unwrap();
    assert_eq!(of("/a").read("keyless").unwrap(), Some(kept));
    assert_eq!((of("/a").read("other").unwrap(), of("/b").read("keyless").unwrap()), (None, None));
    of("/a").forget("keyless").unwrap();
    assert_eq!(of("/a").read("keyless").unwrap(), None);
    assert!(of("/b").read("other").unwrap().is_some());
}

#[test]
fn without_a_home_the_command_says_what_to_set() {
    let failure = Records::of(Path::new("/d"), &Environment::default()).err().unwrap();
    assert!(failure.next.unwrap().contains("AZURE_CONFIG_DIR"));
}
