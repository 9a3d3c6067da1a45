//! `keyless role`: who has which role where, by name, through the control plane.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::Context;
use crate::args::{Grant, Role};
use crate::client::{Arm, System, meant, short};
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::machine::fresh_uuid;
use crate::ui::{Table, faint, good, strong};

const AUTHORIZATION: &str = "providers/Microsoft.Authorization";
/// How much of an assignment's id tells it from the others.
const SHORT_ID: usize = 8;
/// Fewer digits than these name no assignment.
const SHORTEST: usize = 6;

/// A role assignment for people and scripts.
#[derive(Debug, Clone, Serialize)]
struct Assignment {
    /// Its own id, without the place.
    id: String,
    role: String,
    /// The name of whoever has it, when the directory knows one.
    principal: Option<String>,
    principal_id: String,
    /// `ServicePrincipal`, `User` or `Group`.
    principal_type: String,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<String>,
}

pub(super) async fn role(context: &mut Context<'_>, args: &Role) -> Ending {
    let system = System::find(context.data()?).await?;
    let control = system.operator().await?;
    let desk = Desk::open(&system, control).await?;
    match args {
        Role::List { principal, scope, json } => desk.list(context, principal.as_deref(), scope.as_deref(), *json).await?,
        Role::Show { id, json } => show(context, &desk.by_id(id).await?, *json)?,
        Role::Create { grant, json } => desk.create(context, grant, *json).await?,
        Role::Remove { id: Some(id), .. } => desk.remove(context, &desk.by_id(id).await?).await?,
        Role::Remove { principal: Some(principal), role: Some(role), scope: Some(scope), .. } => {
            let grant = Grant { principal: principal.clone(), role: role.clone(), scope: scope.clone() };
            let found = desk.by_grant(&grant).await?;
            desk.remove(context, &found).await?;
        }
        Role::Remove { .. } => {
            return Err(Failure::usage("no role assignment is named", "name it by its id, or by --as, --role and --scope"));
        }
    }
    Ok(Exit::Done)
}

/// The control plane and the names of what it knows by id.
struct Desk<'a> {
    system: &'a System,
    control: Arm,
    subscription: String,
    /// Role id to name.
    roles: BTreeMap<String, String>,
    /// Object id to name.
    people: BTreeMap<String, String>,
}

impl<'a> Desk<'a> {
    async fn open(system: &'a System, control: Arm) -> Result<Self, Failure> {
        let subscription = format!("/subscriptions/{}", system.status.subscription_id);
        let roles: Vec<Value> = control.list(&format!("{subscription}/{AUTHORIZATION}/roleDefinitions"), "").await?;
        let role = |document: &Value| Some((last(document.get("id")?.as_str()?), text(document, "/properties/roleName")));
        let roles = roles.iter().filter_map(role).collect();
        let people = system.local.principals().await?.into_iter().map(|one| (one.object_id, one.name)).collect();
        Ok(Self { system, control, subscription, roles, people })
    }

    async fn all(&self, filter: &str) -> Result<Vec<Assignment>, Failure> {
        let list = format!("{}/{AUTHORIZATION}/roleAssignments", self.subscription);
        let rows: Vec<Value> = self.control.list(&list, filter).await?;
        Ok(rows.iter().map(|row| self.named(row)).collect())
    }

    fn named(&self, row: &Value) -> Assignment {
        let (role, principal_id) = (last(&text(row, "/properties/roleDefinitionId")), text(row, "/properties/principalId"));
        Assignment {
            id: text(row, "/name"),
            role: self.roles.get(&role).cloned().unwrap_or(role),
            principal: self.people.get(&principal_id).cloned(),
            principal_id,
            principal_type: text(row, "/properties/principalType"),
            scope: text(row, "/properties/scope"),
            condition: row.pointer("/properties/condition").and_then(Value::as_str).map(str::to_owned),
        }
    }

    async fn list(&self, context: &mut Context<'_>, principal: Option<&str>, scope: Option<&str>, json: bool) -> Result<(), Failure> {
        let filter = match principal {
            Some(asked) => format!("assignedTo('{}')", self.system.principal(asked).await?.object_id),
            None => String::new(),
        };
        let scope = scope.map(|asked| self.system.scope(asked)).transpose()?;
        let mut all = self.all(&filter).await?;
        all.retain(|one| scope.as_ref().is_none_or(|scope| holds_at_or_below(&one.scope, scope)));
        all.sort_by(|a, b| (&a.scope, &a.role, &a.principal).cmp(&(&b.scope, &b.role, &b.principal)));
        if json {
            return super::say_json(context, &all);
        }
        let mut table = Table::new(["id", "who", "at", "role"]).folding(context.screen.columns());
        for one in &all {
            let id = one.id.chars().take(SHORT_ID).collect();
            table.row([id, strong(who(one)), short(&one.scope), one.role.clone()]);
        }
        let text = if table.is_empty() { "no role assignment\n".to_owned() } else { table.to_string() };
        context.screen.write(text)?;
        Ok(())
    }

    async fn create(&self, context: &mut Context<'_>, grant: &Grant, json: bool) -> Result<(), Failure> {
        let (principal, scope) = (self.system.principal(&grant.principal).await?, self.system.scope(&grant.scope)?);
        let role = self.role(&grant.role)?;
        let id = format!("{}/{AUTHORIZATION}/roleAssignments/{}", scope.trim_end_matches('/'), fresh_uuid());
        let role_id = format!("{}/{AUTHORIZATION}/roleDefinitions/{role}", self.subscription);
        let made =
            self.control.put(&id, &json!({ "properties": { "roleDefinitionId": role_id, "principalId": principal.object_id } })).await?;
        let made = self.named(&made);
        if json {
            return super::say_json(context, &made);
        }
        let at = short(&made.scope);
        context.screen.say(format_args!("{} {} is {} at {at}", good("✓"), strong(who(&made)), strong(&made.role)))?;
        Ok(())
    }

    async fn remove(&self, context: &mut Context<'_>, found: &Assignment) -> Result<(), Failure> {
        let scope = found.scope.trim_end_matches('/');
        self.control.delete(&format!("{scope}/{AUTHORIZATION}/roleAssignments/{}", found.id)).await?;
        let at = short(&found.scope);
        context.screen.say(format_args!("{} {} is no longer {} at {at}", good("✓"), strong(who(found)), strong(&found.role)))?;
        Ok(())
    }

    /// The id of a role, by name or id.
    fn role(&self, asked: &str) -> Result<String, Failure> {
        let is = |(id, name): &(&String, &String)| name.eq_ignore_ascii_case(asked) || id.eq_ignore_ascii_case(&last(asked));
        match self.roles.iter().find(is) {
            Some((id, _)) => Ok(id.clone()),
            None => {
                let next =
                    meant(asked, self.roles.values().map(String::as_str), "see `keyless az -- role definition list --query [].roleName`");
                Err(Failure::new(format!("there is no role `{asked}`"), next))
            }
        }
    }

    async fn by_id(&self, asked: &str) -> Result<Assignment, Failure> {
        let (asked, all) = (last(asked), self.all("").await?);
        let begins = |one: &&Assignment| one.id.get(..asked.len()).is_some_and(|start| start.eq_ignore_ascii_case(&asked));
        let found: Vec<&Assignment> = if asked.len() < SHORTEST { Vec::new() } else { all.iter().filter(begins).collect() };
        match found.as_slice() {
            [one] => Ok((*one).clone()),
            [] => Err(Failure::new(format!("there is no role assignment `{asked}`"), "see `keyless role list`")),
            several => {
                let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
                Err(Failure::new(format!("several role assignments begin with `{asked}`"), format!("choose one of: {}", ids.join(", "))))
            }
        }
    }

    /// The assignment of exactly this role to exactly this principal at exactly this place.
    async fn by_grant(&self, grant: &Grant) -> Result<Assignment, Failure> {
        let (principal, scope) = (self.system.principal(&grant.principal).await?, self.system.scope(&grant.scope)?);
        let role = self.role(&grant.role)?;
        let name = self.roles.get(&role).cloned().unwrap_or_default();
        let of_theirs = self.all(&format!("principalId eq '{}'", principal.object_id)).await?;
        let is = |one: &&Assignment| one.role == name && same_place(&one.scope, &scope);
        of_theirs.iter().find(is).cloned().ok_or_else(|| {
            let what = format!("{} has no assignment of {name} at {}", principal.name, short(&scope));
            Failure::new(what, format!("see `keyless role list --as {}`: a role at a wider place is taken away there", principal.name))
        })
    }
}

fn show(context: &mut Context<'_>, one: &Assignment, json: bool) -> Result<(), Failure> {
    if json {
        return super::say_json(context, one);
    }
    let mut table = Table::new(["", ""]).folding(context.screen.columns());
    for (name, value) in
        [("id", &one.id), ("role", &one.role), ("who", &who(one).to_owned()), ("object id", &one.principal_id), ("at", &one.scope)]
    {
        table.row([faint(name), value.clone()]);
    }
    if let Some(condition) = &one.condition {
        table.row([faint("condition"), condition.clone()]);
    }
    context.screen.write(table)?;
    Ok(())
}

fn who(one: &Assignment) -> &str {
    one.principal.as_deref().unwrap_or(&one.principal_id)
}

fn text(document: &Value, path: &str) -> String {
    document.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn last(id: &str) -> String {
    id.rsplit('/').next().unwrap_or_default().to_lowercase()
}

fn same_place(one: &str, other: &str) -> bool {
    one.trim_end_matches('/').eq_ignore_ascii_case(other.trim_end_matches('/'))
}

/// Whether a role at `held` counts at `asked` or at something below it.
fn holds_at_or_below(held: &str, asked: &str) -> bool {
    let whole = |text: &str| format!("{}/", text.trim_end_matches('/').to_lowercase());
    let (held, asked) = (whole(held), whole(asked));
    held.starts_with(&asked) || asked.starts_with(&held)
}

#[cfg(test)]
mod tests {
    use super::holds_at_or_below;

    #[test]
    fn a_role_counts_below_its_place_and_shows_in_what_is_above() {
        let account = "/subscriptions/s/resourceGroups/demo/providers/Microsoft.CognitiveServices/accounts/demo-ai";
        assert!(holds_at_or_below("/", account), "inherited");
        assert!(holds_at_or_below(&format!("{account}/deployments/chat"), account), "below");
        assert!(holds_at_or_below(&account.to_uppercase(), account));
        assert!(!holds_at_or_below(&format!("{account}-2"), account), "another whose name begins the same");
    }
}
