//! `keyless guest`: principals of an Entra tenant who call with the tokens that they have.

use keyless_server::local::api::{GuestRequest, GuestStatus};

use super::Context;
use crate::args::Guest;
use crate::client::Local;
use crate::data_dir::DataDir;
use crate::exit::Exit;
use crate::failure::{Ending, Failure};
use crate::ui::{Table, code, faint, good, strong};

pub(super) async fn guest(context: &mut Context<'_>, args: &Guest) -> Ending {
    let data = context.data()?;
    let local = Local::of(&data.path);
    match args {
        Guest::Add { object_id, tenant, name, person } => {
            let request = GuestRequest {
                object_id: object_id.to_string(),
                tenant: tenant.to_string(),
                display_name: name.clone().unwrap_or_else(|| object_id.to_string()),
                person: *person,
            };
            added(context, &data, &local.add_guest(&request).await?)?;
        }
        Guest::List { json: true } => context.screen.say(serde_json::to_string_pretty(&local.guests().await?).unwrap_or_default())?,
        Guest::List { json: false } => list(context, &local.guests().await?)?,
        Guest::Remove { object_id } => {
            local.remove_guest(*object_id).await?;
            context.screen.say(format_args!("{} {object_id} is no guest any more, and its role assignments are gone", good("✓")))?;
        }
    }
    Ok(Exit::Done)
}

fn added(context: &mut Context<'_>, data: &DataDir, guest: &GuestStatus) -> Result<(), Failure> {
    let GuestStatus { object_id, tenant, display_name, principal_type, .. } = guest;
    context.screen.say(format_args!("{} {} of tenant {tenant} is a guest, and has no role yet", good("✓"), strong(display_name)))?;
    let next = data.az(&format!(
        "role assignment create --assignee-object-id {object_id} --assignee-principal-type {principal_type} --role ROLE --scope SCOPE"
    ));
    context.screen.note(format_args!("{} {}", faint("give it one with"), code(next)));
    Ok(())
}

fn list(context: &mut Context<'_>, guests: &[GuestStatus]) -> Result<(), Failure> {
    let mut table = Table::new(["guest", "object id", "tenant", "kind", "state"]).folding(context.screen.columns());
    for guest in guests {
        // A guest of a tenant that this start does not trust is known and cannot come in.
        let state = match (guest.enabled, guest.trusted) {
            (false, _) => "disabled",
            (true, false) => "tenant not trusted now",
            (true, true) => "enabled",
        };
        let kind = if guest.principal_type == "User" { "person" } else { "program" };
        table.row([strong(&guest.display_name), guest.object_id.clone(), guest.tenant.clone(), kind.to_owned(), state.to_owned()]);
    }
    let text =
        if table.is_empty() { format!("no guests; {} says how to add one\n", code("keyless guest --help")) } else { table.to_string() };
    context.screen.write(text)?;
    Ok(())
}
