//! Security groups.

use std::collections::BTreeSet;

use keyless_model::entity::{Group, Mutation, Principal, PrincipalKind};
use keyless_model::{ObjectId, TenantId};

use super::{Means, Planned};

/// A security group without members.
#[must_use]
pub fn group(
    tenant: TenantId,
    display_name: &str,
    mail_nickname: &str,
    description: Option<String>,
    means: Means<'_>,
) -> Planned<(Principal, Group)> {
    let id = ObjectId::new(means.entropy.uuid());
    let group = Group { id, mail_nickname: mail_nickname.to_owned(), description, members: BTreeSet::new() };
    let principal = Principal::new(id, tenant, PrincipalKind::Group, display_name, means.now);
    Planned { mutations: vec![Mutation::put(principal.clone()), Mutation::put(group.clone())], entity: (principal, group) }
}
