//! `POST …/accounts/{name}/regenerateKey`: the old key is dead in the snapshot that this answer waits for.

use keyless_directory::plan::account;
use keyless_model::entity::Mutation;
use serde::Deserialize;

use super::{key_document, require_local_auth, shape};
use crate::answer::Reply;
use crate::arm::within;
use crate::call::{Call, Plan};
use crate::failure::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    key_name: String,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let slot = match body.key_name.to_ascii_lowercase().as_str() {
        "key1" => 1,
        "key2" => 2,
        _ => return Err(Failure::invalid("InvalidKeyName", "The property 'keyName' must be Key1 or Key2.").at("keyName")),
    };
    let (_, next) = call
        .commit(|snapshot| {
            let current = within::account(snapshot, &call.scope)?;
            require_local_auth(current)?;
            let next = account::regenerate(current, slot, call.means());
            let shown = shape(call, snapshot, &next);
            Ok((Plan::new(vec![Mutation::put(next.clone())], Some(shape(call, snapshot, current)), Some(shown)), next))
        })
        .await?;
    Ok(Reply::ok(key_document(&account::keys(&next, &call.control.platform.sealer)?)))
}
