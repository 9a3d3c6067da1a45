//! Which host IMDS speaks for: the one that the first start made, remembered by its ARM id beside the state.
//!
//! SECURITY: never looked up by name. Whoever may create virtual machines somewhere could name one alike, and the programs of this
//! machine would get the identities of that one.

use std::fs;
use std::io::ErrorKind;

use anyhow::Context as _;
use keyless_model::Scope;
use keyless_store::Snapshot;
use serde::{Deserialize, Serialize};

use crate::data::DataFolder;

/// The name that the first start gives it.
pub(crate) const NAME: &str = "this-host";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct System {
    host: Scope,
}

/// Keeps the id, before the host itself is committed: a start that was cut short in between makes another host and remembers that one.
pub(crate) fn remember(data: &DataFolder, host: &Scope) -> anyhow::Result<()> {
    let file = data.identity();
    let text = serde_json::to_vec_pretty(&System { host: host.clone() })?;
    data.replace(&file, &text).with_context(|| format!("cannot write {}", file.display()))
}

/// The host of a folder that has state already.
pub(crate) fn recall(data: &DataFolder, snapshot: &Snapshot) -> anyhow::Result<Scope> {
    let file = data.identity();
    match fs::read(&file) {
        Ok(text) => {
            let system: System = serde_json::from_slice(&text)
                .with_context(|| format!("{} is damaged; put back a copy of it, or delete it to have it made anew", file.display()))?;
            Ok(system.host)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // A folder of a version that did not keep it. The first start made the host in one commit with the tenant; no other has
            // that time of creation, also when the first one is gone: the oldest of those that are left may be anybody's.
            let everywhere = Scope::root();
            let mut named = snapshot.hosts_below(&everywhere).filter(|host| host.scope.name() == NAME);
            let first = named.find(|host| snapshot.tenants().any(|tenant| tenant.created == host.created));
            // An operator may have deleted it: IMDS then has nobody to speak for, and says so. That is not remembered, so nothing is put
            // in the place of one that comes back from a backup.
            let Some(host) = first.map(|host| host.scope.clone()) else { return Ok(Scope::root()) };
            remember(data, &host)?;
            Ok(host)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

#[cfg(test)]
mod tests {
    use keyless_model::Timestamp;
    use keyless_model::entity::Host;
    use keyless_testkit::TestPlatform;

    use super::*;

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let root = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&root.path().join("data")).unwrap();
        (root, data)
    }

    /// A machine of the same name in a group whose id sorts before the host's own.
    async fn namesake(test: &TestPlatform, created: Timestamp) -> Scope {
        let host = test.snapshot().host(&test.host).expect("the fixture has a host").as_ref().clone();
        let scope: Scope = test.host.as_str().replace("/resourceGroups/", "/resourceGroups/a").parse().expect("a scope");
        test.put(Host { scope: scope.clone(), created, ..host }).await;
        scope
    }

    #[tokio::test]
    async fn a_machine_of_the_same_name_is_not_this_host_d14() {
        let test = TestPlatform::new().await;
        let (_root, data) = folder();
        remember(&data, &test.host).unwrap();
        let other = namesake(&test, Timestamp::from_unix_secs(0)).await;
        assert!(other.folded() < test.host.folded());
        assert_eq!(recall(&data, &test.snapshot()).unwrap(), test.host);
    }

    #[tokio::test]
    async fn a_folder_that_remembers_no_host_takes_the_first_one_made_and_remembers_it_d14() {
        let test = TestPlatform::new().await;
        let (_root, data) = folder();
        let first = test.snapshot().host(&test.host).expect("the fixture has a host").created;
        namesake(&test, first.plus_secs(-60)).await;
        assert_eq!(recall(&data, &test.snapshot()).unwrap(), test.host);
        // From here on it does not depend on what there is.
        let host = test.snapshot().host(&test.host).expect("it is there").as_ref().clone();
        test.delete(host).await;
        assert_eq!(recall(&data, &test.snapshot()).unwrap(), test.host);
    }

    #[tokio::test]
    async fn a_namesake_does_not_take_the_place_of_a_host_that_is_gone_d14() {
        let test = TestPlatform::new().await;
        let (_root, data) = folder();
        let host = test.snapshot().host(&test.host).expect("the fixture has a host").as_ref().clone();
        namesake(&test, host.created.plus_secs(60)).await;
        test.delete(host).await;
        assert_eq!(recall(&data, &test.snapshot()).unwrap(), Scope::root());
        assert!(!data.identity().exists(), "that is not remembered");
    }

    #[tokio::test]
    async fn a_damaged_memory_is_no_reason_to_guess_d14() {
        let test = TestPlatform::new().await;
        let (_root, data) = folder();
        fs::write(data.identity(), b"{\"ho").unwrap();
        assert!(recall(&data, &test.snapshot()).unwrap_err().to_string().contains("system.json is damaged"));
    }
}
