//! `POST /v1.0/groups`: security groups.

use keyless_directory::plan::directory_object;
use keyless_model::name;
use serde::Deserialize;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::shape;
use crate::routes::directory::bad;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    display_name: String,
    mail_nickname: String,
    description: Option<String>,
    #[serde(default)]
    mail_enabled: bool,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    name::display(&body.display_name, "a group", 256).map_err(|error| bad(error.to_string()))?;
    name::display(&body.mail_nickname, "a group", 64).map_err(|error| bad(error.to_string()))?;
    if body.mail_enabled {
        return Err(bad("Groups here are security groups; 'mailEnabled' must be false."));
    }
    let description = body.description.as_ref().map(|text| text.chars().take(1024).collect::<String>());
    let (snapshot, group) = call
        .commit(|snapshot| {
            let means = call.means();
            let planned = directory_object::group(call.tenant(), &body.display_name, &body.mail_nickname, description.clone(), means);
            let next = snapshot.with(snapshot.revision(), &planned.mutations);
            let principal = next.principal(planned.entity.id).ok_or_else(Failure::internal)?;
            let shown = shape::group(principal, &planned.entity);
            Ok((Plan::new(planned.mutations, None, Some(shown)), planned.entity))
        })
        .await?;
    let principal = snapshot.principal(group.id).ok_or_else(Failure::internal)?;
    Ok(Reply::created(shape::group(principal, &group)))
}
