//! The settings as each role wants them. What a role is told at start is told here, and nowhere else.

use std::num::NonZeroU64;
use std::sync::Arc;

use keyless_authority::DEFAULT_ROTATION;
use keyless_config::{Keys, Settings};
use keyless_gateway::IdentityLimit;
use keyless_model::entity::{DeploymentModel, SigningAlgorithm};
use keyless_token::rotation::RotationPolicy;
use keyless_web::{Platform, TrustedTenants};
use rustls::pki_types::CertificateDer;

use crate::bootstrap;
use crate::upstreams::Chosen;

pub(crate) fn rotation_policy(keys: &Keys) -> RotationPolicy {
    let (interval_secs, publish_lead_secs) = (keys.rotate_every.as_secs().into(), keys.publish_ahead.as_secs().into());
    RotationPolicy { interval_secs, publish_lead_secs, ..DEFAULT_ROTATION }
}

/// What tokens are signed with: an ES256 key is made only where it is used.
pub(crate) fn signing_algorithms(settings: &Settings) -> Vec<SigningAlgorithm> {
    let es256 = (!settings.authority.es256_audiences.is_empty()).then_some(SigningAlgorithm::ES256);
    std::iter::once(SigningAlgorithm::RS256).chain(es256).collect()
}

/// Limits of one identity; the side that is not named is unlimited.
fn per_identity(gateway: &keyless_config::Gateway) -> Option<IdentityLimit> {
    let (tokens, requests) = (gateway.identity_tokens_per_minute, gateway.identity_requests_per_minute);
    let most = |limit: Option<NonZeroU64>| limit.map_or(u64::MAX, NonZeroU64::get);
    (tokens.is_some() || requests.is_some()).then(|| IdentityLimit { tokens_per_minute: most(tokens), requests_per_minute: most(requests) })
}

pub(crate) fn gateway_config(
    settings: &Settings,
    chosen: &Chosen,
    roots: Vec<CertificateDer<'static>>,
    trusted_tenants: Option<Arc<TrustedTenants>>,
) -> keyless_gateway::Config {
    let (gateway, times) = (&settings.gateway, &settings.timeouts);
    keyless_gateway::Config {
        default_upstream: chosen.default.clone(),
        upstreams: chosen.upstreams.clone(),
        roots,
        max_request_bytes: gateway.max_request.bytes(),
        max_calls: gateway.max_calls.get() as usize,
        max_calls_of_one: gateway.max_calls_of_one.get() as usize,
        body_memory_bytes: gateway.body_memory.bytes(),
        timeouts: keyless_gateway::Timeouts {
            connect: times.upstream_connect.duration(),
            first_byte: times.upstream_first_byte.duration(),
            idle: times.upstream_idle.duration(),
            request_body: times.request_body.duration(),
            upload_idle: times.upload_idle.duration(),
            unread: times.unread_answer.duration(),
            call: times.call.duration(),
            pool_idle: times.upstream_pool.duration(),
        },
        per_identity: per_identity(gateway),
        trusted_tenants,
    }
}

pub(crate) fn control_config(
    settings: &Settings,
    chosen: &Chosen,
    trusted_tenants: Option<Arc<TrustedTenants>>,
) -> keyless_control::Config {
    let models = chosen.shown.iter().flat_map(|upstream| &upstream.models);
    let model = |name: &String| DeploymentModel { format: "OpenAI".to_owned(), name: name.clone(), version: None };
    keyless_control::Config {
        cloud_name: settings.control.cloud_name.clone(),
        page_size: settings.control.page_size.get().into(),
        trusted_issuers: settings.trust.issuers.iter().map(ToString::to_string).collect(),
        federation_audiences: settings.authority.federation_audiences.clone(),
        trusted_tenants,
        federated_credentials: settings.quotas.federated_credentials.get() as usize,
        quota: settings.quotas.deployment_capacity.get(),
        upstreams: chosen.upstreams.iter().map(|upstream| upstream.name.clone()).collect(),
        models: models.map(model).collect(),
        ..Default::default()
    }
}

pub(crate) fn metadata_config(settings: &Settings, platform: &Platform, host: keyless_model::Scope) -> keyless_metadata::Config {
    let own = platform.endpoints.metadata.trim_start_matches("http://").to_owned();
    let port = own.rsplit(':').next().unwrap_or_default().to_owned();
    keyless_metadata::Config {
        host,
        location: bootstrap::LOCATION.to_owned(),
        allowed_uids: vec![rustix::process::geteuid().as_raw()],
        // Azure's own address is allowed for hosts that route it here.
        allowed_hosts: vec![own, format!("localhost:{port}"), "169.254.169.254".to_owned()],
        issues_per_second: settings.metadata.fresh_tokens_per_second.get(),
    }
}

#[cfg(test)]
mod tests;
