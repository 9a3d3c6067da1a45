//! `GET /metadata/instance`: what a program may learn of its host. Only what is known is told.
//! <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use keyless_model::Actor;
use keyless_web::{Form, PeerOwner};
use serde_json::json;

use crate::caller::Connection;
use crate::{Metadata, refuse};

pub(super) fn document<B>(metadata: &Metadata, request: &Request<B>, connection: &Connection) -> Response<Full<Bytes>> {
    let config = &metadata.config;
    let ctx = metadata.platform.begin(Actor::Anonymous);
    if request.headers().get("metadata").is_none_or(|value| value != "true") {
        return refuse::imds(metadata, &ctx, refuse::Imds::MetadataHeader);
    }
    let version =
        Form::parse(request.uri().query().unwrap_or_default().as_bytes()).map(|form| form.field("api-version").map(str::to_owned));
    match version {
        Err(error) => return refuse::imds(metadata, &ctx, refuse::Imds::Query(error.into())),
        Ok(None) => return refuse::imds(metadata, &ctx, refuse::Imds::Query(crate::query::QueryError::NoApiVersion)),
        Ok(Some(_)) => {}
    }
    let allowed = matches!(connection.owner, PeerOwner::Uid(uid) if config.allowed_uids.contains(&uid));
    let snapshot = metadata.platform.directory.load();
    let Some(host) = snapshot.host(&config.host).filter(|_| allowed) else {
        return refuse::imds(metadata, &ctx, refuse::Imds::UnknownSource);
    };
    let scope = &host.scope;
    let subscription = scope.subscription_id().map(|id| id.to_string()).unwrap_or_default();
    refuse::json(
        StatusCode::OK,
        &json!({"compute": {
            "azEnvironment": "Keyless",
            "location": config.location,
            "name": scope.name(),
            "osType": std::env::consts::OS,
            "resourceGroupName": scope.resource_group().unwrap_or_default(),
            "resourceId": scope.as_str(),
            "subscriptionId": subscription,
        }}),
    )
}
