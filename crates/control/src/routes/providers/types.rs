//! `GET /subscriptions/{id}/providers/{namespace}/resourceTypes`

use serde_json::json;

use super::show;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let shown = show::handle(call).await?;
    let types = shown.body.and_then(|mut provider| provider.get_mut("resourceTypes").map(serde_json::Value::take));
    Ok(Reply::ok(json!({ "value": types })))
}
