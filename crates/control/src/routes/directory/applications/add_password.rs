//! `POST /v1.0/applications/{object id}/addPassword`: the only time a secret is shown.

use keyless_directory::plan::application;
use keyless_model::Timestamp;
use keyless_model::entity::{Application, Mutation};
use serde::Deserialize;
use serde_json::json;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::{find, shape};
use crate::routes::directory::bad;

/// Lifetime of a secret whose writer names no end: Entra's two years are the most anyone should want; half of that is ours.
const DEFAULT_LIFETIME_SECS: i64 = 365 * 24 * 3600;
/// The longest lifetime, as in Entra's default policy.
const MAX_LIFETIME_SECS: i64 = 2 * 366 * 24 * 3600;
const MOST: usize = 20;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    password_credential: Wished,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wished {
    display_name: Option<String>,
    start_date_time: Option<String>,
    end_date_time: Option<String>,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let Body { password_credential: wished } = if call.body.is_empty() { Body::default() } else { call.json()? };
    let now = call.ctx.now;
    let time = |text: &Option<String>, otherwise: Timestamp| match text {
        None => Ok(otherwise),
        Some(text) => Timestamp::parse_rfc3339(text).ok_or_else(|| bad("A date of the credential is no RFC 3339 time.")),
    };
    let starts = time(&wished.start_date_time, now)?;
    let expires = time(&wished.end_date_time, starts.plus_secs(DEFAULT_LIFETIME_SECS))?;
    if expires <= starts || expires <= now || expires.millis_since(now) > MAX_LIFETIME_SECS * 1000 {
        return Err(bad("The credential must end after it starts, and within two years."));
    }
    let name = wished.display_name.map(|name| name.chars().filter(|c| !c.is_control()).take(256).collect::<String>());
    let (kept, text) = application::secret(name, starts, expires, call.means());
    call.commit(|snapshot| {
        let row = find::application(call, snapshot, call.param("id"))?;
        if row.secrets.len() >= MOST {
            return Err(bad(format!("An application has at most {MOST} passwords; remove one first.")));
        }
        let mut next: Application = row.clone();
        next.secrets.push(kept.clone());
        let (before, after) = (shape::application(row), shape::application(&next));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)), ()))
    })
    .await?;
    Ok(Reply::ok(json!({
        "keyId": kept.id,
        "displayName": kept.display_name,
        "hint": kept.hint,
        "startDateTime": kept.starts.rfc3339(),
        "endDateTime": kept.expires.rfc3339(),
        "customKeyIdentifier": null,
        "secretText": text.expose(),
    })))
}
