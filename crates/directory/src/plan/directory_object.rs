//! Users and groups.

use std::collections::BTreeSet;

use keyless_model::entity::{Group, Mutation, Principal, PrincipalKind, User};
use keyless_model::{ObjectId, TenantId};

use super::{Means, Planned};

/// A person who may sign in under `user_principal_name`. Without a password the person signs in at an upstream provider only.
#[must_use]
pub fn user(
    tenant: TenantId,
    user_principal_name: &str,
    display_name: &str,
    mail_nickname: &str,
    enabled: bool,
    means: Means<'_>,
) -> Planned<User> {
    let entity = User {
        id: ObjectId::new(means.entropy.uuid()),
        user_principal_name: user_principal_name.to_owned(),
        mail_nickname: mail_nickname.to_owned(),
        password: None,
        external: None,
    };
    let principal = Principal { enabled, ..principal(entity.id, tenant, PrincipalKind::User, display_name, means) };
    Planned { mutations: vec![Mutation::put(principal), Mutation::put(entity.clone())], entity }
}

/// A security group without members.
#[must_use]
pub fn group(tenant: TenantId, display_name: &str, mail_nickname: &str, description: Option<String>, means: Means<'_>) -> Planned<Group> {
    let entity =
        Group { id: ObjectId::new(means.entropy.uuid()), mail_nickname: mail_nickname.to_owned(), description, members: BTreeSet::new() };
    let principal = principal(entity.id, tenant, PrincipalKind::Group, display_name, means);
    Planned { mutations: vec![Mutation::put(principal), Mutation::put(entity.clone())], entity }
}

fn principal(id: ObjectId, tenant: TenantId, kind: PrincipalKind, display_name: &str, means: Means<'_>) -> Principal {
    Principal {
        id,
        tenant,
        kind,
        display_name: display_name.to_owned(),
        client_id: None,
        enabled: true,
        home: None,
        tokens_valid_from: None,
        created: means.now,
    }
}
