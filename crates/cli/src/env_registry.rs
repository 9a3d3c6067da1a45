//! Every environment variable this program reads, gives to a child or takes away from one, in one table; and the environment
//! itself as a value, so that tests bring their own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

/// What a variable is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Read: where things are and how they look.
    Setting,
    /// Read by `keyless token` without `--as`, as the official chains read it.
    Credential,
    /// Given to the program of `run` and the shell of `env`.
    Given,
    /// Given by `keyless az` to a shell whose owner signs in with `az login`.
    SignedIn,
    /// Taken from both: a key, or a credential that the chain would take before the identity.
    Removed,
}

/// One variable of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) roles: &'static [Role],
    /// For `Removed` why, otherwise what for.
    pub(crate) about: &'static str,
}

macro_rules! variables {
    (@name $name:ident) => { stringify!($name) };
    (@name $name:ident $spelling:literal) => { $spelling };
    ($($name:ident $(= $spelling:literal)?: $($role:ident)|+, $about:literal;)*) => {
        $(pub(crate) const $name: Variable =
            Variable { name: variables!(@name $name $($spelling)?), roles: &[$(Role::$role),+], about: $about };)*

        /// The whole table.
        pub(crate) const ALL: &[Variable] = &[$($name),*];
    };
}

variables! {
    KEYLESS_DATA: Setting, "the data folder, unless --data names it";
    KEYLESS_CONFIG: Setting, "the configuration file, unless --config names it";
    XDG_STATE_HOME: Setting, "where the default data folder is";
    XDG_CACHE_HOME: Setting, "where `demo` keeps the Python environment between runs";
    HOME: Setting, "where both are when the two above are not set";
    PATH: Setting, "where `demo` finds Python";
    TMPDIR: Setting, "where `demo` makes its throw-away folder";

    IDENTITY_ENDPOINT: Credential | Given, "where the program asks for tokens (App Service form)";
    IDENTITY_HEADER: Credential | Given, "the secret that entitles it to; dies with the program";
    AZURE_CLIENT_ID: Credential | Given, "which identity; a name, not a secret";
    AZURE_TENANT_ID: Credential | Given, "the tenant";
    AZURE_AUTHORITY_HOST: Credential | Given, "the authority";
    AZURE_OPENAI_ENDPOINT: Given, "the account's endpoint";
    OPENAI_API_VERSION: Given, "for clients that name no api-version themselves; kept when set";
    AZURE_CORE_INSTANCE_DISCOVERY: Given, "off, so that `az` does not ask the public cloud whether this authority exists";
    AZURE_CORE_COLLECT_TELEMETRY: Given, "off, so that the `az` which `keyless az` runs tells nobody of it";
    AZURE_CONFIG_DIR: Setting | Given, "the settings folder of `az`; one of its own for `keyless az -- ...`";
    SSL_CERT_FILE: Credential | Given, "trust roots: those in use before, and the local CA";
    REQUESTS_CA_BUNDLE: Given, "the same for Python's requests";
    CURL_CA_BUNDLE: Given, "the same for curl";
    NODE_EXTRA_CA_CERTS: Given, "the local CA, which Node adds to its own roots";
    NO_PROXY: Given, "gets this machine added, when a proxy is configured";
    NO_PROXY_LOWER = "no_proxy": Given, "the other spelling of the same";

    HTTP_PROXY: Setting, "tells that a proxy is configured";
    HTTPS_PROXY: Setting, "tells that a proxy is configured";
    ALL_PROXY: Setting, "tells that a proxy is configured";
    HTTP_PROXY_LOWER = "http_proxy": Setting, "tells that a proxy is configured";
    HTTPS_PROXY_LOWER = "https_proxy": Setting, "tells that a proxy is configured";
    ALL_PROXY_LOWER = "all_proxy": Setting, "tells that a proxy is configured";

    AZURE_OPENAI_API_KEY: Removed, "a key: the client would send it in place of the identity";
    OPENAI_API_KEY: Removed, "a key; --keep OPENAI_API_KEY leaves it to a program that calls OpenAI as well";
    AZURE_OPENAI_AD_TOKEN: Removed, "a fixed token: the client would send it in place of a fresh one";
    AZURE_CLIENT_SECRET: Credential | Removed, "a secret that the credential chain takes before the identity";
    AZURE_CLIENT_CERTIFICATE_PATH: Removed, "a certificate that the credential chain takes before the identity";
    AZURE_CLIENT_CERTIFICATE_PASSWORD: Removed, "the password of such a certificate";
    AZURE_USERNAME: Removed, "a user name that the credential chain takes before the identity";
    AZURE_PASSWORD: Removed, "a password that the credential chain takes before the identity";
    AZURE_FEDERATED_TOKEN_FILE: Credential | Removed, "a workload identity that the credential chain takes before this one";
    AZURE_TOKEN_CREDENTIALS: Credential | SignedIn | Removed, "it keeps the credential chain from managed identities";
    IDENTITY_SERVER_THUMBPRINT: Removed, "it makes clients take this machine for Service Fabric";
    IMDS_ENDPOINT: Removed, "it makes clients take this machine for Azure Arc";
    MSI_ENDPOINT: Removed, "it makes clients take this machine for Cloud Shell";
    MSI_SECRET: Removed, "it makes clients take this machine for Azure Machine Learning";
    AZURE_POD_IDENTITY_AUTHORITY_HOST: Credential, "where the IMDS endpoint is, when not at its well-known address";
}

/// The variables of a process, as a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Those this process was started with.
    pub(crate) fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The value of a variable of the table; an empty one counts as unset, as Azure's libraries count it.
    pub(crate) fn value(&self, variable: Variable) -> Option<&OsStr> {
        self.0.get(OsStr::new(variable.name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The value as text; one that is no Unicode counts as unset, because every variable read this way holds an id or a URL.
    pub(crate) fn text(&self, variable: Variable) -> Option<&str> {
        self.value(variable).and_then(OsStr::to_str)
    }

    /// The settings of a system that are variables, see `docs/configuration.md`. Their names come from the settings, not from this table.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let text = |(name, value): (&OsString, &OsString)| Some((name.to_str()?.to_owned(), value.to_str()?.to_owned()));
        self.0.iter().filter_map(text).filter(|(name, _)| name.starts_with("KEYLESS_")).collect()
    }

    /// Whether the variable is there at all, even with nothing in it.
    pub(crate) fn has(&self, variable: Variable) -> bool {
        self.0.contains_key(OsStr::new(variable.name))
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_variable_is_listed_once_with_a_role_and_a_reason() {
        let names: HashSet<_> = ALL.iter().map(|variable| variable.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(ALL.iter().all(|variable| !variable.roles.is_empty() && !variable.about.is_empty()));
    }

    #[test]
    fn nothing_is_both_given_and_removed() {
        let both = |variable: &&Variable| variable.roles.contains(&Role::Given) && variable.roles.contains(&Role::Removed);
        assert_eq!(ALL.iter().find(both), None);
    }

    #[test]
    fn every_credential_that_chains_try_before_the_identity_is_removed() {
        for name in
            ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME", "AZURE_PASSWORD", "AZURE_FEDERATED_TOKEN_FILE"]
        {
            assert!(ALL.iter().any(|variable| variable.name == name && variable.roles.contains(&Role::Removed)), "{name}");
        }
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let environment: Environment = [("HOME", "")].into_iter().collect();
        assert_eq!(environment.value(HOME), None);
        assert!(environment.has(HOME));
    }

    /// The table is complete: no source file of this crate names another way to the environment.
    #[test]
    fn the_environment_is_read_nowhere_else() {
        fn sources(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    sources(&path, found);
                } else {
                    found.push(path);
                }
            }
        }
        let mut files = Vec::new();
        sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        assert!(files.len() > 10);
        for file in files.iter().filter(|file| !file.ends_with("env_registry.rs")) {
            let text = std::fs::read_to_string(file).unwrap();
            for way in [concat!("env::", "var"), concat!("temp", "_dir()")] {
                assert!(!text.contains(way), "{} uses {way}; add the variable to the table", file.display());
            }
        }
    }
}
