use std::fs;

use super::*;
use crate::fake;

struct Setup {
    folder: tempfile::TempDir,
    status: Status,
}

fn setup() -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let mut status = fake::status();
    for (file, name) in [(&mut status.ca_file, "ca.pem"), (&mut status.ca_bundle, "bundle.pem")] {
        let path = folder.path().join(name);
        fs::write(&path, format!("-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n")).unwrap();
        *file = path.display().to_string();
    }
    Setup { folder, status }
}

impl Setup {
    fn child(&self, outer: &[(&str, &str)], keep: &[&str]) -> ChildEnvironment {
        let attached = Attached {
            id: "a1".into(),
            identity: fake::identity("demo-app", '1'),
            identity_endpoint: "http://127.0.0.1:8440/msi/token".into(),
            until: None,
        };
        let header = Secret::new("the-header".to_owned());
        let loan = Loan { attached: &attached, header: &header, status: &self.status, account: Some(&self.status.accounts[0]) };
        let bundles = Bundles::new(self.folder.path(), self.status.ca_file.as_ref(), self.status.ca_bundle.as_ref()).unwrap();
        let keep: Vec<String> = keep.iter().map(ToString::to_string).collect();
        ChildEnvironment::new(&outer.iter().copied().collect(), &loan, &bundles, &keep)
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }
}

fn removed(child: &ChildEnvironment) -> Vec<&'static str> {
    child.removed.iter().map(|variable| variable.name).collect()
}

#[test]
fn a_program_gets_an_identity_and_where_to_use_it() {
    let setup = setup();
    let child = setup.child(&[], &[]);
    let text = |name: &str| child.given[name].to_str().unwrap().to_owned();
    assert_eq!(text("IDENTITY_ENDPOINT"), "http://127.0.0.1:8440/msi/token");
    assert_eq!(text("IDENTITY_HEADER"), "the-header");
    assert_eq!(text("AZURE_CLIENT_ID"), fake::identity("demo-app", '1').client_id);
    assert_eq!(text("AZURE_OPENAI_ENDPOINT"), "https://localhost:8443/ai/demo-ai");
    assert_eq!(text("OPENAI_API_VERSION"), API_VERSION);
    assert_eq!(text("SSL_CERT_FILE"), setup.status.ca_bundle);
    assert_eq!(text("REQUESTS_CA_BUNDLE"), setup.status.ca_bundle);
    assert_eq!(text("NODE_EXTRA_CA_CERTS"), setup.status.ca_file);
    assert!(!child.given.contains_key("NO_PROXY") && !child.given.contains_key("AZURE_TOKEN_CREDENTIALS"));
    assert!(child.removed.is_empty() && child.remarks.is_empty());
}

#[test]
fn everything_given_and_removed_is_in_the_table() {
    let all: Vec<(&str, &str)> = ALL.iter().map(|variable| (variable.name, "x")).collect();
    let child = setup().child(&all, &[]);
    let table = |name: &str, role| ALL.iter().any(|variable| variable.name == name && variable.roles.contains(&role));
    assert!(child.given.keys().all(|name| table(name, Role::Given)));
    assert!(removed(&child).iter().all(|name| table(name, Role::Removed)));
    let removable = ALL.iter().filter(|variable| variable.roles.contains(&Role::Removed)).count();
    assert_eq!(child.removed.len(), removable);
}

#[test]
fn keys_and_earlier_credentials_are_taken_away_unless_kept() {
    let setup = setup();
    let outer = [("AZURE_OPENAI_API_KEY", "k"), ("OPENAI_API_KEY", "k"), ("AZURE_CLIENT_SECRET", ""), ("AZURE_SUBSCRIPTION_ID", "s")];
    assert_eq!(removed(&setup.child(&outer, &[])), ["AZURE_OPENAI_API_KEY", "OPENAI_API_KEY", "AZURE_CLIENT_SECRET"]);
    assert_eq!(removed(&setup.child(&outer, &["OPENAI_API_KEY"])), ["AZURE_OPENAI_API_KEY", "AZURE_CLIENT_SECRET"]);
}

#[test]
fn a_choice_of_credentials_stays_when_it_reaches_managed_identities() {
    let setup = setup();
    for (value, goes) in [("prod", false), (" ManagedIdentityCredential ", false), ("dev", true), ("AzureCliCredential", true)] {
        assert_eq!(removed(&setup.child(&[("AZURE_TOKEN_CREDENTIALS", value)], &[])).is_empty(), !goes, "{value}");
    }
}

#[test]
fn an_api_version_that_was_chosen_stays() {
    assert!(!setup().child(&[("OPENAI_API_VERSION", "2024-06-01")], &[]).given.contains_key("OPENAI_API_VERSION"));
}

#[test]
fn each_bundle_starts_from_what_its_readers_trusted() {
    let setup = setup();
    let certificate = |name: &str| format!("-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n");
    let (ssl, requests) = (setup.file("ssl.pem", &certificate("ssl")), setup.file("requests.pem", &certificate("requests")));
    let child = setup.child(&[("SSL_CERT_FILE", &ssl), ("REQUESTS_CA_BUNDLE", &requests), ("NODE_EXTRA_CA_CERTS", &ssl)], &[]);
    let holds = |name: &str| {
        let text = fs::read_to_string(&child.given[name]).unwrap();
        ["ssl", "requests", "ca.pem"].map(|certificate| text.contains(&format!("\n{certificate}\n")))
    };
    assert_eq!(holds("SSL_CERT_FILE"), [true, false, true]);
    assert_eq!(holds("REQUESTS_CA_BUNDLE"), [false, true, true]);
    assert_eq!(holds("CURL_CA_BUNDLE"), [true, false, true]);
    assert_eq!(holds("NODE_EXTRA_CA_CERTS"), [true, false, true]);
}

#[test]
fn roots_that_cannot_be_read_are_replaced_and_that_is_said_once() {
    let setup = setup();
    let child = setup.child(&[("SSL_CERT_FILE", "/nowhere/roots.pem")], &[]);
    assert_eq!(child.given["SSL_CERT_FILE"].to_str().unwrap(), setup.status.ca_bundle);
    assert_eq!(child.remarks.len(), 1, "{:?}", child.remarks);
    assert!(child.remarks[0].contains("/nowhere/roots.pem"));
}

#[test]
fn a_shell_that_signs_in_with_az_gets_what_its_programs_need_u6() {
    let setup = setup();
    let bundles = Bundles::new(setup.folder.path(), setup.status.ca_file.as_ref(), setup.status.ca_bundle.as_ref()).unwrap();
    let given = |outer: &[(&str, &str)]| {
        let outer = outer.iter().copied().collect();
        ChildEnvironment::of_az(&outer, &setup.status, setup.status.accounts.first(), &bundles).given
    };
    let plain = given(&[]);
    for variable in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "OPENAI_API_VERSION"] {
        assert!(plain.contains_key(variable), "{variable}");
    }
    assert_eq!(plain["AZURE_OPENAI_ENDPOINT"], "https://localhost:8443/ai/demo-ai");
    assert_eq!(plain["AZURE_TOKEN_CREDENTIALS"], "dev", "else the chain asks the machine's metadata endpoint first");
    assert!(!plain.contains_key("IDENTITY_HEADER") && !plain.contains_key("AZURE_CLIENT_ID"), "the person is the identity");
    assert!(!given(&[("AZURE_TOKEN_CREDENTIALS", "prod")]).contains_key("AZURE_TOKEN_CREDENTIALS"));
}

#[test]
fn a_proxy_is_told_to_leave_this_machine_alone() {
    let setup = setup();
    let child = setup.child(&[("https_proxy", "http://proxy:3128"), ("NO_PROXY", "internal")], &[]);
    assert_eq!(child.given["NO_PROXY"], "internal,localhost,127.0.0.1,::1");
    assert_eq!(child.given["no_proxy"], child.given["NO_PROXY"]);
    assert_eq!(setup.child(&[("HTTP_PROXY", "p")], &[]).given["NO_PROXY"], "localhost,127.0.0.1,::1");
}
