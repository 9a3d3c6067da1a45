use std::collections::BTreeSet;

use keyless_config::{Catalogue, File, Given, Purpose, load};
use keyless_testkit::TestPlatform;

use super::*;
use crate::trust;

/// Settings that are no role's: each is read where the process itself is made, and shown by the test that is named.
const ELSEWHERE: &[(&str, &str)] = &[
    ("audit.keep", "interop/test_audit_keeping.py"),
    ("audit.spare", "interop/test_audit_keeping.py"),
    ("audit.max_size", "interop/test_audit_keeping.py"),
    ("audit.strict_durability", "interop/test_crash.py"),
    ("data", "interop/test_configuration.py"),
    ("first_start", "interop/test_configuration.py"),
    ("gateway.default_upstream", "interop/test_configuration.py"),
    ("lifetimes.identity_token", "interop/test_configuration.py"),
    ("lifetimes.owner_token", "interop/test_configuration.py"),
    ("listen.gateway_http", "interop/test_gateway_http.py"),
    ("listen.https", "interop/support/keyless.py"),
    ("listen.metadata", "interop/support/keyless.py"),
    ("listen.operations", "interop/test_stopping.py"),
    ("listen.wildcard_domain", "interop/test_configuration.py"),
    ("log.format", "crates/cli/src/commands/up.rs"),
    ("log.level", "crates/server/src/faults.rs"),
    ("process.drain", "interop/test_stopping.py"),
    ("process.drain_delay", "interop/test_stopping.py"),
    ("process.ready_file", "interop/support/keyless.py"),
    ("process.workers", "interop/test_configuration.py"),
    ("sign_in.ca", "interop/test_sign_in_provider.py"),
    ("sign_in.client_secret_file", "interop/test_sign_in_provider.py"),
    ("state.without", "interop/test_audit_keeping.py"),
    ("timeouts.handshake", "crates/server/src/worker.rs"),
    ("timeouts.head", "crates/server/src/connection/tests.rs"),
    ("timeouts.idle_connection", "crates/server/src/connection/tests.rs"),
    ("timeouts.plane", "crates/server/src/app.rs"),
    ("timeouts.unread_connection", "crates/server/src/progress.rs"),
    ("trust.issuer_ca", "interop/test_faults.py"),
    ("trust.tenant_authority", "interop/test_entra_tenants.py"),
    ("trust.tenant_ca", "interop/test_entra_tenants.py"),
    ("trust.tenants", "interop/test_entra_tenants.py"),
    ("upstreams.*.api_key_file", "interop/test_stopping.py"),
    ("upstreams.*.ca", "interop/test_configuration.py"),
    ("upstreams.*.models", "interop/test_configuration.py"),
    ("upstreams.*.url", "interop/test_configuration.py"),
];

fn nothing() -> Chosen {
    let (chat_model, embed_model) = (String::new(), String::new());
    Chosen { default: None, upstreams: Vec::new(), shown: Vec::new(), chat_model, embed_model, child: None, watched: Vec::new() }
}

/// The roles' own defaults are what their tests run with.
#[test]
fn the_defaults_of_the_settings_are_those_of_the_roles() {
    let settings = Settings::default();
    let same = |told: &dyn std::fmt::Debug, own: &dyn std::fmt::Debug| assert_eq!(format!("{told:#?}"), format!("{own:#?}"));
    same(&trust::authority_config(&settings, &[]).unwrap(), &keyless_authority::Config::default());
    same(&gateway_config(&settings, &nothing(), Vec::new(), None), &keyless_gateway::Config::default());
    same(&control_config(&settings, &nothing(), None), &keyless_control::Config::default());
    same(&rotation_policy(&settings.keys), &DEFAULT_ROTATION);
}

/// All that the roles are told, as text.
fn told(platform: &TestPlatform, text: &str) -> String {
    let file = File { name: "keyless.toml".to_owned(), folder: "/".into(), text: text.to_owned() };
    let loaded = load(Given { purpose: Purpose::Serve, file: Some(file), environment: Vec::new(), flags: Vec::new() });
    assert_eq!(loaded.problems, [], "{text}");
    let settings = loaded.settings;
    let chosen = nothing();
    format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}",
        trust::authority_config(&settings, &[]).unwrap(),
        gateway_config(&settings, &chosen, Vec::new(), None),
        control_config(&settings, &chosen, None),
        metadata_config(&settings, &platform.platform, platform.host.clone()),
        rotation_policy(&settings.keys),
        signing_algorithms(&settings),
    )
}

/// A value that is not the default, as TOML.
fn another(path: &str, default: &serde_json::Value) -> String {
    match path {
        "gateway.max_calls" => "4000".to_owned(),
        "gateway.max_request" => "\"16MiB\"".to_owned(),
        "gateway.body_memory" => "\"512MiB\"".to_owned(),
        "authority.assertion_audience" => "\"issuer\"".to_owned(),
        "authority.assertion_reuse" => "\"never\"".to_owned(),
        "trust.issuers" => "[\"https://x.example\"]".to_owned(),
        "keys.rotate_every" | "lifetimes.sign_in" | "lifetimes.sign_in_idle" => "\"60d\"".to_owned(),
        "sign_in.issuer" => "\"https://z.example\"".to_owned(),
        _ => match default {
            serde_json::Value::Number(_) => "7".to_owned(),
            serde_json::Value::String(time) if time.ends_with(['s', 'm', 'h', 'd']) && time.starts_with(|c: char| c.is_ascii_digit()) => {
                "\"11m\"".to_owned()
            }
            serde_json::Value::Array(_) => "[\"other.example\"]".to_owned(),
            serde_json::Value::Null if path.starts_with("gateway.identity") => "7".to_owned(),
            _ => "\"other\"".to_owned(),
        },
    }
}

/// Whoever adds a setting meets this test: it must reach a role, or be named above with the test that shows what it does.
#[tokio::test]
async fn every_setting_reaches_its_role_or_is_shown_elsewhere() {
    const SIGN_IN: &str = "issuer = \"https://y.example\"\nclient_id = \"y\"\n";
    let platform = TestPlatform::new().await;
    let told = |text: &str| told(&platform, text);
    let (without, with) = (told(""), told(&format!("[sign_in]\n{SIGN_IN}")));
    let mut elsewhere: BTreeSet<_> = ELSEWHERE.iter().map(|(path, _)| *path).collect();
    for setting in Catalogue::new().settings() {
        if elsewhere.remove(setting.path.as_str()) {
            continue;
        }
        let (section, name) = setting.path.rsplit_once('.').unwrap_or(("", &setting.path));
        let needed: String = if section == "sign_in" {
            SIGN_IN.lines().filter(|line| !line.starts_with(name)).map(|line| format!("{line}\n")).collect()
        } else {
            String::new()
        };
        let text = format!("[{section}]\n{name} = {}\n{needed}", another(&setting.path, &setting.default));
        let usual = if section == "sign_in" { &with } else { &without };
        assert!(&told(&text) != usual, "{} reaches no role; pass it on, or name its test in ELSEWHERE", setting.path);
    }
    assert!(elsewhere.is_empty(), "no setting is called {elsewhere:?}");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (path, test) in ELSEWHERE {
        assert!(root.join(test).exists(), "{path}: {test} is not there");
    }
}
