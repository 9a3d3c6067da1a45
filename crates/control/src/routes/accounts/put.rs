//! Accounts made and changed: `PUT` creates, replaces or - with `restore` - recovers a soft-deleted one.

use http::StatusCode;
use keyless_directory::invariant::scopes;
use keyless_model::Scope;
use keyless_model::entity::{Account, AssignedIdentities, Mutation};
use keyless_store::Snapshot;

use super::body::{Body, known_kind, sku_name, subdomain};
use super::shape;
use crate::answer::Reply;
use crate::arm::precondition::{self, etag};
use crate::arm::{identity, within};
use crate::call::Call;
use crate::failure::{Code, Failure};
use crate::permitted::{Allowed, Plan};
use crate::routes::locations;
use keyless_directory::plan::account::{self, NewAccount};
use keyless_model::name;

/// `PUT …/accounts/{name}`: creates, replaces or - with `restore` - recovers a soft-deleted account.
pub(super) async fn put(call: Allowed<Body>) -> Result<Reply, Failure> {
    let body = &call.body;
    name::account(call.scope.name()).map_err(|error| Failure::new(Code::AccountNameInvalid, error.to_string()))?;
    let (snapshot, (new, account)) = call
        .commit(|snapshot| {
            let scope = within::in_group(snapshot, &call.scope)?;
            let current = snapshot.account(&scope).map(AsRef::as_ref);
            let live = current.filter(|account| account.deleted.is_none());
            precondition::check(&call.headers, live.map(|account| account.version))?;
            let mut next = match current {
                None if body.properties.restore == Some(true) => return Err(not_deleted(&scope)),
                None => create(&call, snapshot, scope, body)?,
                Some(account) if account.deleted.is_some() => recover(snapshot, account, body)?,
                Some(account) => Account { version: account.version + 1, ..account.clone() },
            };
            same_place(&next, body)?;
            body.apply(snapshot, &mut next)?;
            let mut mutations = Vec::new();
            if let Some(block) = &body.identity {
                let wish = block.wish(&next.identity, false)?;
                (next.identity, mutations) = identity::change(&call, snapshot, (&next.scope, &next.location), &next.identity, &wish)?;
            }
            mutations.push(Mutation::put(next.clone()));
            let after = snapshot.with(snapshot.revision(), &mutations);
            let plan = Plan::new(mutations, current.map(|row| shape(&call, snapshot, row)), Some(shape(&call, &after, &next)));
            // A recovered account is new again.
            let plan = if live.is_none() { plan.answered(StatusCode::CREATED) } else { plan };
            Ok((plan, (live.is_none(), next)))
        })
        .await?;
    Ok(Reply::put(new, shape(&call, &snapshot, &account)).etag(&etag(account.version)))
}

fn create(call: &Call, snapshot: &Snapshot, scope: Scope, body: &Body) -> Result<Account, Failure> {
    let group = scopes::group_of(&scope).and_then(|group| snapshot.resource_group(&group));
    let location = locations::wished(call, body.location.as_deref(), group.map(|group| group.location.as_str()))?;
    let mut new = NewAccount::open_ai(scope, call.tenant(), &location);
    // Generic clients may leave the kind out (`az resource create`).
    new.account_kind = known_kind(body.kind.as_deref().unwrap_or("OpenAI"))?;
    if let Some(sku) = &body.sku {
        new.sku = sku_name(&sku.name)?;
    }
    new.custom_subdomain = match body.properties.custom_sub_domain_name.as_deref().filter(|domain| !domain.is_empty()) {
        Some(wished) => subdomain(snapshot, wished, &new.scope)?,
        None => free_subdomain(call, snapshot, &new.scope),
    };
    Ok(account::account(new, call.means()).entity)
}

/// An endpoint name made from the account's: itself when it is free, else with a random end.
fn free_subdomain(call: &Call, snapshot: &Snapshot, scope: &Scope) -> String {
    let plain: String =
        scope.name().to_ascii_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(50).collect();
    let base = plain.trim_matches('-').to_owned();
    if let Ok(free) = subdomain(snapshot, &base, scope) {
        return free;
    }
    let random = call.control.platform.entropy.uuid().simple().to_string();
    format!("{base}-{}", &random[..8])
}

fn recover(snapshot: &Snapshot, account: &Account, body: &Body) -> Result<Account, Failure> {
    if body.properties.restore != Some(true) {
        let message = format!(
            "An existing resource with ID '{}' has been soft-deleted. To restore the resource, you must specify 'restore' to be 'true' in \
             the property. If you don't want to restore existing resource, please purge it first.",
            account.scope
        );
        return Err(Failure::new(Code::FlagMustBeSetForRestore, message));
    }
    let custom_subdomain = subdomain(snapshot, &account.custom_subdomain, &account.scope)?;
    Ok(Account {
        deleted: None,
        identity: AssignedIdentities::default(),
        custom_subdomain,
        version: account.version + 1,
        ..account.clone()
    })
}

fn not_deleted(scope: &Scope) -> Failure {
    let message = format!("The resource '{scope}' cannot be restored because no soft-deleted resource of that id exists.");
    Failure::new(Code::CanNotRestoreANonExistingResource, message)
}

fn same_place(account: &Account, body: &Body) -> Result<(), Failure> {
    if let Some(kind) = &body.kind
        && known_kind(kind)? != account.account_kind
    {
        return Err(Failure::new(
            Code::InvalidResourceKind,
            format!("The account is of kind '{}', which cannot be changed.", account.account_kind),
        ));
    }
    if let Some(location) = &body.location
        && locations::normal(location)? != account.location
    {
        let message = format!(
            "The resource '{}' already exists in location '{}'. A resource with the same name cannot be created in location '{location}'. \
             Please select a new resource name.",
            account.scope.name(),
            account.location
        );
        return Err(Failure::new(Code::InvalidResourceLocation, message));
    }
    Ok(())
}

/// `PATCH …/accounts/{name}`
pub(super) async fn patch(call: Allowed<Body>) -> Result<Reply, Failure> {
    let body = &call.body;
    let (snapshot, account) = call
        .commit(|snapshot| {
            let current = within::account(snapshot, &call.scope)?;
            precondition::check(&call.headers, Some(current.version))?;
            let mut next = Account { version: current.version + 1, ..current.clone() };
            body.apply(snapshot, &mut next)?;
            let mut mutations = Vec::new();
            if let Some(block) = &body.identity {
                let wish = block.wish(&next.identity, true)?;
                (next.identity, mutations) = identity::change(&call, snapshot, (&next.scope, &next.location), &next.identity, &wish)?;
            }
            mutations.push(Mutation::put(next.clone()));
            let after = snapshot.with(snapshot.revision(), &mutations);
            Ok((Plan::new(mutations, Some(shape(&call, snapshot, current)), Some(shape(&call, &after, &next))), next))
        })
        .await?;
    Ok(Reply::ok(shape(&call, &snapshot, &account)).etag(&etag(account.version)))
}
