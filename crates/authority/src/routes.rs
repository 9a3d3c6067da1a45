//! The authority's URLs: one file per handler, named as the path is.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::state::Authority;

mod authorize;
mod cors;
mod device;
mod devicecode;
mod finish;
mod instance;
mod invite;
mod keys;
mod login;
mod logout;
mod method;
mod openid_configuration;
mod password;
mod provider;
mod token;

pub(crate) fn router(authority: Arc<Authority>) -> Router {
    let documents = Router::new()
        .route("/{tenant}/v2.0/.well-known/openid-configuration", get(openid_configuration::v2))
        .route("/{tenant}/.well-known/openid-configuration", get(openid_configuration::v1))
        .route("/{tenant}/discovery/v2.0/keys", get(keys::keys))
        .route("/{tenant}/discovery/keys", get(keys::keys))
        .route("/common/discovery/instance", get(instance::instance))
        .route_layer(from_fn_with_state(Arc::clone(&authority), cors::documents));
    Router::new()
        .merge(documents)
        .route("/{tenant}/oauth2/v2.0/token", post(token::v2).options(cors::preflight))
        .route("/{tenant}/oauth2/token", post(token::v1))
        .route("/{tenant}/oauth2/v2.0/devicecode", post(devicecode::devicecode))
        .route("/{tenant}/oauth2/v2.0/authorize", get(authorize::authorize))
        .route("/{tenant}/oauth2/v2.0/logout", get(logout::logout))
        .route("/common/login", post(login::login))
        .route("/common/password", post(password::password))
        .route("/common/provider", get(provider::begin))
        .route(crate::provider::CALLBACK, get(provider::callback))
        .route("/device", get(device::get).post(device::post))
        .route("/invite", get(invite::invite))
        .method_not_allowed_fallback(method::not_allowed)
        .with_state(authority)
}
