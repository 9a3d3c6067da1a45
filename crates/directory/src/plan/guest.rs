//! Guests: principals that live in another tenant, known here by the object id that they have there.

use keyless_model::entity::{Mutation, Principal, PrincipalKind};
use keyless_model::{ObjectId, TenantId, Timestamp};

use super::removal;
use crate::Snapshot;

/// The longest name of a directory object at Entra.
const MAX_NAME: usize = 256;

/// A guest to be.
#[derive(Debug, Clone)]
pub struct NewGuest {
    /// In its home tenant, and therefore here.
    pub object_id: ObjectId,
    /// The tenant whose tokens speak for it.
    pub home: TenantId,
    /// The directory that it becomes a guest of.
    pub tenant: TenantId,
    /// A user or a service principal.
    pub kind: PrincipalKind,
    pub display_name: String,
    pub now: Timestamp,
}

/// Why a guest is not added or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuestRefused {
    #[error("{0} is the object id of a principal that exists already; `keyless guest list` shows the guests")]
    Exists(ObjectId),
    #[error(
        "role assignments of an earlier principal with the object id {0} are left, and a guest must not inherit them; remove them with \
         `keyless az -- role assignment delete`"
    )]
    Orphans(ObjectId),
    #[error("the name is empty, longer than 256 characters, or holds a control character")]
    Name,
    #[error("{0} is no guest here; `keyless guest list` shows the guests")]
    Unknown(ObjectId),
}

impl NewGuest {
    /// The guest's document.
    #[must_use]
    pub fn principal(&self) -> Principal {
        let row = Principal::new(self.object_id, self.tenant, self.kind, self.display_name.as_str(), self.now);
        Principal { home: Some(self.home), ..row }
    }
}

/// Makes a guest, without any right.
///
/// # Errors
/// When the object id is taken or was, or the name cannot be shown.
pub fn add(snapshot: &Snapshot, new: &NewGuest) -> Result<Vec<Mutation>, GuestRefused> {
    let name = new.display_name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(GuestRefused::Name);
    }
    // SECURITY: an object id is unique within its tenant only. One that stands for somebody here already, whoever it is, must not
    // stand for somebody else too, and one that stood for somebody must not bring their grants back (case 125).
    if snapshot.principal(new.object_id).is_some() {
        return Err(GuestRefused::Exists(new.object_id));
    }
    if snapshot.policy().assignments_of(new.object_id).next().is_some() {
        return Err(GuestRefused::Orphans(new.object_id));
    }
    Ok(vec![Mutation::put(new.principal())])
}

/// Removes a guest with its role assignments and group memberships: the same object id may become a guest again, and starts with
/// nothing then.
///
/// # Errors
/// When there is no such guest.
pub fn remove(snapshot: &Snapshot, id: ObjectId) -> Result<(Principal, Vec<Mutation>), GuestRefused> {
    let row = snapshot.principal(id).filter(|row| row.home.is_some()).ok_or(GuestRefused::Unknown(id))?;
    let mut mutations = removal::principal(snapshot, id);
    mutations.extend(snapshot.policy().assignments_of(id).map(|row| Mutation::Delete(keyless_model::entity::Entity::from(row).key())));
    Ok((Principal::clone(row), mutations))
}
