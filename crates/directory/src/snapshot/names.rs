//! The other names by which documents are found.

use imbl::{HashMap, HashSet, OrdMap, OrdSet};
use keyless_model::entity::FederatedOwner;
use keyless_model::{ClientId, CredentialId, ObjectId};

use super::origins::Origins;

/// From a second name to the key of the document.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// Every principal, in order of id, for lists in pages; decisions look principals up by hash.
    pub(super) principals: OrdSet<ObjectId>,
    /// Client id to the service principal's object id.
    pub(super) service_principals: HashMap<ClientId, ObjectId>,
    /// Client id to the application object's id.
    pub(super) applications: HashMap<ClientId, ObjectId>,
    /// Origins of applications' pages in a browser.
    pub(super) origins: Origins,
    /// Lower-case user principal name to object id.
    pub(super) users: HashMap<String, ObjectId>,
    /// Folded ARM id of a user-assigned identity to its client id.
    pub(super) user_assigned: OrdMap<String, ClientId>,
    /// Custom subdomain of a live account to its folded ARM id.
    pub(super) subdomains: HashMap<String, String>,
    /// Lines of refresh tokens by their person.
    pub(super) families: HashMap<ObjectId, HashSet<CredentialId>>,
    pub(super) federated: HashMap<FederatedOwner, HashSet<CredentialId>>,
}
