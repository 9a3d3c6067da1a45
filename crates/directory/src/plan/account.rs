//! AI accounts and their keys.

use std::collections::BTreeSet;

use keyless_model::entity::{Account, AssignedIdentities, Mutation, NetworkAcls, PublicNetworkAccess, Sealed, Sku, Tags};
use keyless_model::{Scope, Secret, TenantId};

use super::{Means, Planned, ai_key, identity};
use crate::sealer::{SealError, Sealer, account_key_purpose};

/// A wished account. Local authentication is off unless it is asked for.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// A `Microsoft.CognitiveServices/accounts` id.
    pub scope: Scope,
    pub tenant: TenantId,
    pub location: String,
    /// `OpenAI` or `AIServices`.
    pub account_kind: String,
    pub sku: String,
    /// The name in the endpoint: lower case, unique in the system.
    pub custom_subdomain: String,
    pub disable_local_auth: bool,
    pub public_network_access: PublicNetworkAccess,
    pub network_acls: NetworkAcls,
    pub tags: Tags,
    pub system_assigned: bool,
    pub user_assigned: BTreeSet<Scope>,
}

impl NewAccount {
    /// An OpenAI account as a newcomer wants it: reachable, without keys, its endpoint named like itself.
    #[must_use]
    pub fn open_ai(scope: Scope, tenant: TenantId, location: &str) -> Self {
        Self {
            custom_subdomain: scope.name().to_ascii_lowercase(),
            scope,
            tenant,
            location: location.to_owned(),
            account_kind: "OpenAI".to_owned(),
            sku: "S0".to_owned(),
            disable_local_auth: true,
            public_network_access: PublicNetworkAccess::Enabled,
            network_acls: NetworkAcls::default(),
            tags: Tags::new(),
            system_assigned: false,
            user_assigned: BTreeSet::new(),
        }
    }
}

/// An account with two fresh keys, sealed, and its own identity when wished.
#[must_use]
pub fn account(new: NewAccount, means: Means<'_>) -> Planned<Account> {
    let mut mutations = Vec::new();
    let mut system = None;
    if new.system_assigned {
        let own = identity::system_assigned(&new.scope, new.tenant, &new.location, means);
        system = Some(own.entity.client_id);
        mutations.extend(own.mutations);
    }
    let service = ai_key::Service::of_kind(&new.account_kind);
    let entity = Account {
        keys: [new_key(&new.scope, service, 1, means), new_key(&new.scope, service, 2, means)],
        identity: AssignedIdentities { system, user: new.user_assigned },
        scope: new.scope,
        location: new.location,
        account_kind: new.account_kind,
        sku: Sku { name: new.sku, capacity: None },
        custom_subdomain: new.custom_subdomain,
        disable_local_auth: new.disable_local_auth,
        public_network_access: new.public_network_access,
        network_acls: new.network_acls,
        tags: new.tags,
        created: means.now,
        deleted: None,
        version: 1,
    };
    mutations.push(Mutation::put(entity.clone()));
    Planned { entity, mutations }
}

/// The account with key `slot` (1 or 2) replaced; the other key stays.
#[must_use]
pub fn regenerate(account: &Account, slot: u8, means: Means<'_>) -> Account {
    let mut next = account.clone();
    let fresh = new_key(&account.scope, ai_key::Service::of_kind(&account.account_kind), slot, means);
    let [first, second] = &mut next.keys;
    *(if slot == 1 { first } else { second }) = fresh;
    next.version += 1;
    next
}

/// The account's two keys, opened.
///
/// # Errors
/// When a key does not open under the master key.
pub fn keys(account: &Account, sealer: &Sealer) -> Result<[Secret<String>; 2], SealError> {
    let open = |slot: u8, sealed: &Sealed| {
        let purpose = account_key_purpose(&account.scope, slot);
        let bytes = sealer.open(&purpose, sealed)?;
        let text = String::from_utf8(bytes.expose().clone()).map_err(|_| SealError { what: purpose })?;
        Ok::<_, SealError>(Secret::new(text))
    };
    Ok([open(1, &account.keys[0])?, open(2, &account.keys[1])?])
}

fn new_key(scope: &Scope, service: ai_key::Service, slot: u8, means: Means<'_>) -> Sealed {
    let key = ai_key::generate(service, means.now, means.entropy);
    means.sealer.seal(&account_key_purpose(scope, slot), key.expose().as_bytes(), means.entropy)
}
