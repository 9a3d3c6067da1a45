//! Hosts: what identities are attached to.

use std::collections::BTreeSet;

use keyless_model::entity::{AssignedIdentities, Host, Mutation, Tags};
use keyless_model::{Scope, TenantId};

use super::{Means, Planned, identity};

/// A wished host.
#[derive(Debug, Clone)]
pub struct NewHost {
    /// A `Microsoft.Compute/virtualMachines` id.
    pub scope: Scope,
    pub tenant: TenantId,
    pub location: String,
    pub tags: Tags,
    /// Whether it gets an identity of its own.
    pub system_assigned: bool,
    /// The user-assigned identities attached to it.
    pub user_assigned: BTreeSet<Scope>,
}

/// A host, and its own identity when wished.
#[must_use]
pub fn host(new: NewHost, means: Means<'_>) -> Planned<Host> {
    let mut mutations = Vec::new();
    let mut system = None;
    if new.system_assigned {
        let own = identity::system_assigned(&new.scope, new.tenant, &new.location, means);
        system = Some(own.entity.client_id);
        mutations.extend(own.mutations);
    }
    let identity = AssignedIdentities { system, user: new.user_assigned };
    let entity = Host { scope: new.scope, location: new.location, identity, tags: new.tags, created: means.now };
    mutations.push(Mutation::put(entity.clone()));
    Planned { entity, mutations }
}
