//! `POST …/checkDomainAvailability`

use keyless_model::name;
use serde::Deserialize;
use serde_json::json;

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    subdomain_name: String,
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    let wished = body.subdomain_name.to_ascii_lowercase();
    let reason = match name::custom_subdomain(&wished) {
        Err(error) => Some(error.to_string()),
        Ok(()) => call.snapshot.account_at(&wished).map(|_| "The subdomain name is already used by a resource.".to_owned()),
    };
    Ok(Reply::ok(
        json!({ "isSubdomainAvailable": reason.is_none(), "reason": reason, "subdomainName": wished, "type": "Microsoft.CognitiveServices/accounts" }),
    ))
}
