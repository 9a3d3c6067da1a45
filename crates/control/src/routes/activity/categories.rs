//! `GET /providers/Microsoft.Insights/eventcategories`: the kinds of event that Azure's activity log has. Here all are administrative.

use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

const CATEGORIES: [&str; 8] =
    ["Administrative", "Security", "ServiceHealth", "Alert", "Recommendation", "Policy", "Autoscale", "ResourceHealth"];

pub(in crate::routes) async fn handle(_: &Call) -> Result<Reply, Failure> {
    let rows: Vec<Value> = CATEGORIES.iter().map(|name| json!({ "value": name, "localizedValue": name })).collect();
    Ok(Reply::ok(json!({ "value": rows })))
}
