//! `POST /v1.0/servicePrincipals`: the principal of an application of this tenant.

use keyless_directory::plan::application;
use serde::Deserialize;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::shape;
use crate::routes::directory::bad;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    app_id: String,
    #[serde(default = "enabled")]
    account_enabled: bool,
}

const fn enabled() -> bool {
    true
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let (snapshot, row) = call
        .commit(|snapshot| {
            let application = body.app_id.parse().ok().and_then(|id| snapshot.application_of(id)).filter(|row| row.tenant == call.tenant());
            let Some(application) = application else {
                return Err(bad(format!(
                    "The appId '{}' of the service principal does not reference a valid application object.",
                    clean(&body.app_id)
                )));
            };
            if snapshot.service_principal(application.client_id).is_some() {
                let message = format!(
                    "The service principal cannot be created because the service principal name {} is already in use.",
                    application.client_id
                );
                return Err(Failure::conflict("Request_MultipleObjectsWithSameKeyValue", message));
            }
            let mut planned = application::service_principal(application, call.means());
            planned.entity.enabled = body.account_enabled;
            let row = planned.entity;
            let mutations = vec![keyless_model::entity::Mutation::put(row.clone())];
            Ok((Plan::new(mutations, None, Some(shape::service_principal(snapshot, &row))), row))
        })
        .await?;
    Ok(Reply::created(shape::service_principal(&snapshot, &row)))
}

fn clean(text: &str) -> String {
    text.chars().take(60).filter(|c| !c.is_control()).collect()
}
