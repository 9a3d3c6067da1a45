//! People: who may be added, whichever door they come through.

use keyless_model::entity::{Mutation, Principal, PrincipalKind, User, UserPassword};
use keyless_model::{ObjectId, TenantId, Timestamp};

use super::Planned;
use crate::Snapshot;

/// A person to be.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Never used before.
    pub id: ObjectId,
    /// The directory that the person belongs to.
    pub tenant: TenantId,
    /// A name at the directory's own domain, unique in the system.
    pub user_principal_name: String,
    /// As others see the person.
    pub display_name: String,
    /// What stands before the @ of the sign-in name, when nobody says otherwise.
    pub mail_nickname: Option<String>,
    /// Whether the person may sign in at once.
    pub enabled: bool,
    /// None for a person who signs in at an upstream provider only.
    pub password: Option<UserPassword>,
}

/// Why a person is not added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserRefused {
    /// The authority finds the tenant by the domain of the name.
    #[error("`{name}` is no sign-in name here; write a name at the directory's own domain, such as ada@{domain}")]
    Name {
        /// As it was given, without what cannot be shown.
        name: String,
        /// The directory's own.
        domain: String,
    },
    /// Somebody has the name, or the object id.
    #[error("the user name is taken; choose another")]
    Taken,
    /// There is no such directory.
    #[error("the tenant does not exist; use the id of one that `keyless status` shows")]
    TenantUnknown,
}

/// Whether somebody new may have this sign-in name.
///
/// # Errors
/// [`UserRefused`].
pub fn check_name(snapshot: &Snapshot, tenant: TenantId, name: &str) -> Result<(), UserRefused> {
    let domain = &snapshot.tenant(tenant).ok_or(UserRefused::TenantUnknown)?.domain;
    if !User::is_sign_in_name(name, domain) {
        let shown = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
        return Err(UserRefused::Name { name: shown, domain: domain.clone() });
    }
    if snapshot.user_named(name).is_some() { Err(UserRefused::Taken) } else { Ok(()) }
}

/// A person who may sign in.
///
/// # Errors
/// [`UserRefused`].
pub fn add(snapshot: &Snapshot, new: NewUser, now: Timestamp) -> Result<Planned<(Principal, User)>, UserRefused> {
    check_name(snapshot, new.tenant, &new.user_principal_name)?;
    if snapshot.principal(new.id).is_some() {
        return Err(UserRefused::Taken);
    }
    let first = || new.user_principal_name.split('@').next().unwrap_or_default().to_owned();
    let principal = Principal::new(new.id, new.tenant, PrincipalKind::User, new.display_name, now);
    let principal = Principal { enabled: new.enabled, ..principal };
    let mail_nickname = new.mail_nickname.unwrap_or_else(first);
    let user = User { id: new.id, user_principal_name: new.user_principal_name, mail_nickname, password: new.password, external: None };
    Ok(Planned { mutations: vec![Mutation::put(principal.clone()), Mutation::put(user.clone())], entity: (principal, user) })
}
