//! The environment of a program that has an identity and no key: what is given to it, and what is taken away.
//!
//! `AZURE_TOKEN_CREDENTIALS` is not given: with the managed identity's endpoint at hand and every earlier credential of the chain
//! taken away, an unmodified `DefaultAzureCredential` arrives there at once, and a program that reads the variable sees what it
//! saw before. It is taken away only when it would keep the chain from managed identities.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use keyless_model::Secret;
use keyless_server::local::api::{AccountStatus, Attached, Status};

use crate::ca_bundle::Bundles;
use crate::client::API_VERSION;
use crate::env_registry::*;

/// Values of `AZURE_TOKEN_CREDENTIALS` under which a chain still tries managed identities (trimmed, in lower case).
const REACHES_MANAGED_IDENTITY: [&str; 2] = ["prod", "managedidentitycredential"];
/// The value of `AZURE_TOKEN_CREDENTIALS` under which a chain tries the tools that a person signs in with, and nothing else.
const SIGNED_IN_DEVELOPER: &str = "dev";
/// What must not go through a proxy.
const THIS_MACHINE: &str = "localhost,127.0.0.1,::1";

/// What changes for a child; everything else it inherits.
#[derive(Debug, Default)]
pub(crate) struct ChildEnvironment {
    pub(crate) given: BTreeMap<&'static str, OsString>,
    /// Those that were there.
    pub(crate) removed: Vec<Variable>,
    /// What could not be done as wished, for people.
    pub(crate) remarks: Vec<String>,
}

/// What an identity's borrower needs to know. `header` is the secret.
#[derive(Debug)]
pub(crate) struct Loan<'a> {
    pub(crate) attached: &'a Attached,
    pub(crate) header: &'a Secret<String>,
    pub(crate) status: &'a Status,
    /// The account that the program is to call, if any.
    pub(crate) account: Option<&'a AccountStatus>,
}

impl ChildEnvironment {
    /// `keep` names variables that stay although the table says to remove them.
    pub(crate) fn new(outer: &Environment, loan: &Loan<'_>, bundles: &Bundles, keep: &[String]) -> Self {
        let mut child = Self { removed: removed(outer, keep), ..Self::default() };
        child.give(IDENTITY_ENDPOINT, &loan.attached.identity_endpoint);
        child.give(IDENTITY_HEADER, loan.header.expose());
        child.give(AZURE_CLIENT_ID, &loan.attached.identity.client_id);
        child.give(AZURE_TENANT_ID, &loan.status.tenant_id);
        child.give(AZURE_AUTHORITY_HOST, &loan.status.authority);
        if let Some(account) = loan.account {
            child.give(AZURE_OPENAI_ENDPOINT, &account.endpoint);
        }
        child.give(AZURE_CORE_INSTANCE_DISCOVERY, "false");
        if outer.value(OPENAI_API_VERSION).is_none() {
            child.give(OPENAI_API_VERSION, API_VERSION);
        }
        child.give_roots(outer, loan.status, bundles);
        child.give_no_proxy(outer);
        child
    }

    /// What a person's own `az` needs to work with this system - to trust its certificates, and to ask nobody else about it - and
    /// what the programs of a person who signed in with it need besides.
    pub(crate) fn of_az(outer: &Environment, status: &Status, account: Option<&AccountStatus>, bundles: &Bundles) -> Self {
        let mut child = Self::default();
        child.give(AZURE_CORE_INSTANCE_DISCOVERY, "false");
        if let Some(account) = account {
            child.give(AZURE_OPENAI_ENDPOINT, &account.endpoint);
        }
        if outer.value(OPENAI_API_VERSION).is_none() {
            child.give(OPENAI_API_VERSION, API_VERSION);
        }
        // A chain that is told nothing asks the machine's metadata endpoint before it asks az: another identity, or a long wait.
        if outer.value(AZURE_TOKEN_CREDENTIALS).is_none() {
            child.give(AZURE_TOKEN_CREDENTIALS, SIGNED_IN_DEVELOPER);
        }
        child.give_roots(outer, status, bundles);
        child.give_no_proxy(outer);
        child
    }

    fn give(&mut self, variable: Variable, value: impl AsRef<OsStr>) {
        self.given.insert(variable.name, value.as_ref().to_owned());
    }

    /// Each variable's bundle starts from what that variable's readers trust without us.
    fn give_roots(&mut self, outer: &Environment, status: &Status, bundles: &Bundles) {
        self.give_root(outer, bundles, SSL_CERT_FILE, &[SSL_CERT_FILE]);
        self.give_root(outer, bundles, REQUESTS_CA_BUNDLE, &[REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE]);
        self.give_root(outer, bundles, CURL_CA_BUNDLE, &[CURL_CA_BUNDLE, SSL_CERT_FILE]);
        let ca_file = Path::new(&status.ca_file);
        let extra = match outer.value(NODE_EXTRA_CA_CERTS) {
            Some(file) => self.bundle(NODE_EXTRA_CA_CERTS, file, bundles, ca_file),
            None => ca_file.as_os_str().to_owned(),
        };
        self.give(NODE_EXTRA_CA_CERTS, extra);
    }

    fn give_root(&mut self, outer: &Environment, bundles: &Bundles, variable: Variable, bases: &[Variable]) {
        let base = bases.iter().find_map(|base| Some((*base, outer.value(*base)?)));
        let bundle = match base {
            Some((base, file)) => self.bundle(base, file, bundles, bundles.of_the_system()),
            None => bundles.of_the_system().as_os_str().to_owned(),
        };
        self.give(variable, bundle);
    }

    /// A file of roots that cannot be used is no reason to refuse: its readers had no use of it before either.
    fn bundle(&mut self, variable: Variable, file: &OsStr, bundles: &Bundles, otherwise: &Path) -> OsString {
        match bundles.added_to(file) {
            Ok(bundle) => bundle.into_os_string(),
            Err(error) => {
                let remark =
                    format!("{} names {}, which cannot be used ({error}); the system's roots stand in", variable.name, file.display());
                if !self.remarks.contains(&remark) {
                    self.remarks.push(remark);
                }
                otherwise.as_os_str().to_owned()
            }
        }
    }

    /// A proxy cannot reach this machine's loopback, and must not see what is sent there.
    fn give_no_proxy(&mut self, outer: &Environment) {
        let proxies = [HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, HTTP_PROXY_LOWER, HTTPS_PROXY_LOWER, ALL_PROXY_LOWER];
        if !proxies.into_iter().any(|proxy| outer.value(proxy).is_some()) {
            return;
        }
        let before = outer.value(NO_PROXY_LOWER).or_else(|| outer.value(NO_PROXY));
        let mut value = before.map(|before| [before, OsStr::new(",")].join(OsStr::new(""))).unwrap_or_default();
        value.push(THIS_MACHINE);
        self.give(NO_PROXY, &value);
        self.give(NO_PROXY_LOWER, value);
    }
}

fn removed(outer: &Environment, keep: &[String]) -> Vec<Variable> {
    let chain_is_fine = outer
        .text(AZURE_TOKEN_CREDENTIALS)
        .is_some_and(|value| REACHES_MANAGED_IDENTITY.contains(&value.trim().to_ascii_lowercase().as_str()));
    ALL.iter()
        .filter(|variable| variable.roles.contains(&Role::Removed) && outer.has(**variable))
        .filter(|variable| !keep.iter().any(|name| name == variable.name))
        .filter(|variable| **variable != AZURE_TOKEN_CREDENTIALS || !chain_is_fine)
        .copied()
        .collect()
}

#[cfg(test)]
mod tests;
