//! `/v1.0/applications`

pub(in crate::routes) mod add_password;
pub(in crate::routes) mod create;
pub(in crate::routes) mod create_federated;
pub(in crate::routes) mod delete;
pub(in crate::routes) mod delete_federated;
pub(in crate::routes) mod list;
pub(in crate::routes) mod list_federated;
pub(in crate::routes) mod remove_password;
pub(in crate::routes) mod show;
pub(in crate::routes) mod show_federated;
pub(in crate::routes) mod update;
pub(in crate::routes) mod update_federated;

mod properties;

use keyless_model::entity::{Application, FederatedCredential, FederatedOwner};
use keyless_model::name;
use keyless_store::Snapshot;

use crate::failure::Failure;
use crate::graph::find::missing;
use crate::routes::directory::bad;

fn check_name(name: &str) -> Result<(), Failure> {
    name::display(name, "an application", 256).map_err(|error| bad(error.to_string()))
}

/// The application's federated credential of that name or id.
fn federated<'a>(snapshot: &'a Snapshot, application: &Application, named: &str) -> Result<&'a FederatedCredential, Failure> {
    let owner = FederatedOwner::Application(application.id);
    let found =
        snapshot.federated_of(&owner).find(|row| row.name.eq_ignore_ascii_case(named) || row.id.to_string().eq_ignore_ascii_case(named));
    found.map(AsRef::as_ref).ok_or_else(|| missing(named))
}
