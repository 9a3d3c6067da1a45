//! `keyless whoami`: an identity, its roles, and what they allow at each account.

use keyless_server::local::api::IdentityStatus;
use serde::{Deserialize, Serialize};

use super::Context;
use super::token::{Acquired, Decoded, acquire};
use crate::args::Whoami;
use crate::client::{Arm, System, short};
use crate::env_registry::{IDENTITY_ENDPOINT, IDENTITY_HEADER};
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{Table, faint, good, heading, strong, warn};

mod allowed;

use allowed::Allowed;

/// A role assignment as the control plane lists it.
#[derive(Debug, Clone, Deserialize)]
struct Assignment {
    name: String,
    properties: AssignmentProperties,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssignmentProperties {
    role_definition_id: String,
    principal_id: String,
    scope: String,
    condition: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Definition {
    properties: DefinitionProperties,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DefinitionProperties {
    role_name: String,
}

/// One role of the identity.
#[derive(Debug, Serialize)]
struct Role {
    role: String,
    scope: String,
    assignment: String,
    /// The group through which the identity has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    through_group: Option<String>,
    /// The role holds only where this is met.
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
}

/// Whom the report is about. Only managed identities have a resource, and people no client id.
#[derive(Debug, Clone, Serialize)]
struct Subject {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    principal_id: String,
}

impl Subject {
    /// # Errors
    /// When nobody is called so.
    async fn named(system: &System, named: Option<&str>) -> Result<Self, Failure> {
        let Some(named) = named else { return system.identity(None).map(Self::from) };
        let known = system.principal(named).await?;
        let identity = system.status.identities.iter().find(|identity| identity.principal_id.eq_ignore_ascii_case(&known.object_id));
        Ok(identity.map_or(Self { name: known.name, id: None, client_id: known.client_id, principal_id: known.object_id }, Self::from))
    }
}

impl From<&IdentityStatus> for Subject {
    fn from(identity: &IdentityStatus) -> Self {
        let IdentityStatus { name, id, client_id, principal_id } = identity.clone();
        Self { name, id: Some(id), client_id: Some(client_id), principal_id }
    }
}

#[derive(Debug, Serialize)]
struct Report {
    identity: Subject,
    tenant: String,
    roles: Vec<Role>,
    accounts: Vec<Account>,
}

#[derive(Debug, Serialize)]
struct Account {
    name: String,
    #[serde(flatten)]
    allowed: Allowed,
}

pub(super) async fn whoami(context: &mut Context<'_>, args: &Whoami) -> Ending {
    let borrowed = context.environment.value(IDENTITY_ENDPOINT).is_some() && context.environment.value(IDENTITY_HEADER).is_some();
    let system = System::find(context.data()?).await?;
    let named = match (&args.identity, borrowed) {
        (Some(named), _) => Some(named.clone()),
        (None, true) => Some(of_the_environment(context).await?),
        (None, false) => None,
    };
    let subject = Subject::named(&system, named.as_deref()).await?;
    let report = report(&system, subject).await?;
    if args.json {
        super::say_json(context, &report)?;
    } else {
        let text = shown(&report, context.screen.columns());
        context.screen.write(text)?;
    }
    Ok(Exit::Done)
}

/// The object id that a program here acts as, by its own token.
async fn of_the_environment(context: &Context<'_>) -> Result<String, Failure> {
    let Acquired { token, .. } = acquire(&context.environment, "https://cognitiveservices.azure.com/.default", None).await?;
    let decoded = Decoded::read(&token)?;
    let oid = decoded.text("oid").ok_or_else(|| Failure::new("the token names no object id", "name an identity with --as"))?;
    Ok(oid.to_owned())
}

async fn report(system: &System, identity: Subject) -> Result<Report, Failure> {
    let control = system.operator().await?;
    let roles = roles(&control, &system.status.subscription_id, &identity.principal_id).await?;
    let mut accounts = Vec::new();
    for account in &system.status.accounts {
        let allowed = Allowed::at(&system.local, &identity.principal_id, account).await?;
        accounts.push(Account { name: account.name.clone(), allowed });
    }
    Ok(Report { identity, tenant: system.status.tenant_id.clone(), accounts, roles })
}

/// The roles that the principal has, itself or through groups, in the subscription and below.
async fn roles(control: &Arm, subscription: &str, principal: &str) -> Result<Vec<Role>, Failure> {
    let list = format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleAssignments");
    let assignments: Vec<Assignment> = control.list(&list, &format!("assignedTo('{principal}')")).await?;
    let mut roles = Vec::new();
    for Assignment { name, properties } in assignments {
        let definition: Definition = control.get(&properties.role_definition_id).await?;
        roles.push(Role {
            role: definition.properties.role_name,
            scope: properties.scope,
            assignment: name,
            condition: properties.condition,
            through_group: (!properties.principal_id.eq_ignore_ascii_case(principal)).then_some(properties.principal_id),
        });
    }
    Ok(roles)
}

fn shown(report: &Report, columns: Option<usize>) -> String {
    let identity = &report.identity;
    let mut facts = Table::new(["", ""]).indented(2).folding(columns);
    for (name, value) in [
        ("object id", Some(&identity.principal_id)),
        ("client id", identity.client_id.as_ref()),
        ("tenant", Some(&report.tenant)),
        ("resource", identity.id.as_ref()),
    ] {
        if let Some(value) = value {
            facts.row([faint(name), value.clone()]);
        }
    }
    let mut text = format!("{}\n{facts}\n", heading(&identity.name));

    let mut roles = Table::new(["role", "at", "assignment"]).indented(2).folding(columns);
    for role in &report.roles {
        let through =
            role.through_group.as_ref().map(|group| format!(" {}", faint(format_args!("through group {group}")))).unwrap_or_default();
        let condition = if role.condition.is_some() { format!(" {}", warn("where its condition is met")) } else { String::new() };
        roles.row([strong(&role.role), format!("{}{condition}{through}", short(&role.scope)), role.assignment.clone()]);
    }
    text.push_str(&if roles.is_empty() { format!("  {}\n", warn("no role assigned: every call is refused")) } else { roles.to_string() });

    let mut accounts = Table::new(["account", "call models", "manage", "read keys", "give roles"]).indented(2).folding(columns);
    let mark = |allowed: bool| if allowed { good("yes") } else { faint("no") };
    for Account { name, allowed } in &report.accounts {
        accounts.row([strong(name), mark_partial(allowed), mark(allowed.manage), mark(allowed.read_keys), mark(allowed.give_roles)]);
    }
    format!("{text}\n{accounts}")
}

fn mark_partial(allowed: &Allowed) -> String {
    match (allowed.call_models, allowed.deployments.as_slice()) {
        (true, _) => good("yes"),
        (false, []) => faint("no"),
        (false, some) => good(format_args!("only {}", some.join(", "))),
    }
}

#[cfg(test)]
mod tests;
