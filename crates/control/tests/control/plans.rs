//! What a server plans for a fresh directory.

use keyless_directory::plan::{account, application, container, host, identity};
use keyless_model::Clock as _;
use keyless_model::entity::{Mutation, Tags};
use keyless_testkit::{TENANT, TestPlatform};

#[tokio::test]
async fn planned_documents_make_a_directory() {
    let test = TestPlatform::new().await;
    let means = test.platform.means(test.clock.now());
    let tenant = container::tenant("T", "t.test", means);
    let subscription = container::subscription(tenant.entity.id, "S", means);
    let scope = container::resource_group_scope(subscription.entity.id, "rg").unwrap();
    let group = container::resource_group(scope.clone(), "local", Tags::new(), means);
    let planned = identity::user_assigned(
        scope.join("providers/Microsoft.ManagedIdentity/userAssignedIdentities/app").unwrap(),
        tenant.entity.id,
        "local",
        Tags::new(),
        means,
    );
    let vm = host::host(
        host::NewHost {
            scope: scope.join("providers/Microsoft.Compute/virtualMachines/vm").unwrap(),
            tenant: tenant.entity.id,
            location: "local".into(),
            tags: Tags::new(),
            system_assigned: true,
            user_assigned: [planned.entity.scope.clone()].into(),
        },
        means,
    );
    let all = [tenant.mutations, subscription.mutations, group.mutations, planned.mutations.clone(), vm.mutations].concat();
    test.apply(all).await;
    let snapshot = test.snapshot();
    assert_eq!(snapshot.service_principal(planned.entity.client_id).unwrap().id, planned.entity.principal_id);
    assert!(snapshot.identity(vm.entity.identity.system.unwrap()).is_some());
}

#[tokio::test]
async fn an_accounts_keys_open_for_their_own_slot_and_are_never_printed() {
    let test = TestPlatform::new().await;
    let means = test.platform.means(test.clock.now());
    let scope = test.group.join("providers/Microsoft.CognitiveServices/accounts/new").unwrap();
    let planned = account::account(account::NewAccount::open_ai(scope, TENANT, "local"), means).entity;
    assert!(planned.disable_local_auth);
    let keys = account::keys(&planned, &test.platform.sealer).unwrap();
    let next = account::regenerate(&planned, 2, means);
    let after = account::keys(&next, &test.platform.sealer).unwrap();
    assert_eq!(after[0].expose(), keys[0].expose());
    assert_ne!(after[1].expose(), keys[1].expose());
    let mut swapped = planned.clone();
    swapped.keys.reverse();
    assert!(account::keys(&swapped, &test.platform.sealer).is_err(), "a ciphertext opens in its own place only");
    let printed = format!("{planned:?} {:?}", Mutation::put(planned.clone()));
    assert!(keys.iter().all(|key| !printed.contains(key.expose().as_str())));
}

#[tokio::test]
async fn a_client_secret_has_entras_form_and_only_its_hash_is_kept() {
    let test = TestPlatform::new().await;
    let means = test.platform.means(test.clock.now());
    let (kept, text) = application::secret(None, means.now, means.now.plus_secs(60), means);
    let text = text.expose();
    assert_eq!((text.len(), &text[3..6]), (40, "8Q~"));
    assert!(test.platform.sealer.secret_matches(text, &kept.hash));
    assert!(!format!("{kept:?}").contains(text.as_str()));
    assert_eq!(kept.hint, text[..3]);
}
