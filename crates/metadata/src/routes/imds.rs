//! `GET /metadata/identity/oauth2/token`: Azure's Instance Metadata Service.
//! <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use keyless_model::Actor;
use keyless_web::PeerOwner;

use crate::caller::Connection;
use crate::query::IMDS_VERSIONS;
use crate::source::TokenRequest;
use crate::{Metadata, query, refuse, select};

pub(super) fn token<B>(metadata: &Metadata, request: &Request<B>, connection: &Connection) -> Response<Full<Bytes>> {
    let (platform, config) = (&metadata.platform, &metadata.config);
    let mut ctx = platform.begin(Actor::Anonymous);
    ctx.source = Some(connection.peer.ip());
    // Lower case only: the header proves intent, and a proxy that rewrites headers would not keep it so (cases 87, 88).
    if request.headers().get("metadata").is_none_or(|value| value != "true") {
        return refuse::imds(metadata, &ctx, refuse::Imds::MetadataHeader);
    }
    let asked = match query::parse(request.uri().query().unwrap_or_default(), |version| IMDS_VERSIONS.contains(&version)) {
        Ok(asked) => asked,
        Err(error) => return refuse::imds(metadata, &ctx, refuse::Imds::Query(error)),
    };
    // Fails closed: an owner the kernel cannot name is nobody we know (cases 100, 101).
    let allowed = matches!(connection.owner, PeerOwner::Uid(uid) if config.allowed_uids.contains(&uid));
    if !allowed {
        return refuse::imds(metadata, &ctx, refuse::Imds::UnknownSource);
    }
    let snapshot = platform.directory.load();
    let Some(host) = snapshot.host(&config.host) else { return refuse::imds(metadata, &ctx, refuse::Imds::UnknownSource) };
    let identity = match select::among(&snapshot, &host.identity, &asked.selector) {
        Ok(identity) => identity,
        Err(error) => return refuse::imds(metadata, &ctx, refuse::Imds::Select(error)),
    };
    let holder = format!("IMDS, to a process of {}", connection.user());
    let wanted = TokenRequest { identity: &identity, resource: &asked.resource, host: &config.host, credential: "imds", holder: &holder };
    match metadata.broker.token(platform, &snapshot, &ctx, &wanted, connection.uid()) {
        Ok(token) => refuse::imds_success(&identity, &asked.resource, &token, ctx.now),
        Err(error) => refuse::imds(metadata, &ctx, refuse::Imds::Broker(error)),
    }
}
