//! The steps of every request: read, authenticate, find the route, permit, act, record a refusal, answer.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::any;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response};
use keyless_model::{ScopeKind, Timestamp};
use keyless_store::Snapshot;
use keyless_web::{Audiences, Authenticator, AuthnError, Caller, Form, Platform, Refused, RefusedBy, RequestFacts};

use crate::access::Access;
use crate::answer::Reply;
use crate::api::Api;
use crate::arm::{authn, path};
use crate::call::Call;
use crate::control::Control;
use crate::failure::{Code, Failure};
use crate::route::{Endpoint, Found, Missing, Route, Table};
use crate::{Config, bounds, routes, unsupported};

/// The most bytes of a request's body.
const MAX_BODY: usize = 1024 * 1024;

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

/// One of the two APIs: whose tokens it takes, and its routes.
struct Served {
    api: Api,
    control: Arc<Control>,
    tokens: Authenticator,
    table: Table,
}

pub(crate) fn router(platform: Arc<Platform>, config: Config) -> Router {
    let base = &platform.endpoints.control;
    let arm_tokens = Authenticator::new(Arc::clone(&platform), Audiences::control(base)).trusting(config.trusted_tenants.clone());
    let graph_tokens = Authenticator::new(Arc::clone(&platform), Audiences::graph(base));
    let control = Arc::new(Control { platform, config });
    let mut arm = Router::new();
    for path in ["/metadata/endpoints", "/subscriptions", "/subscriptions/{*rest}", "/tenants", "/tenants/{*rest}", "/providers/{*rest}"] {
        // `az cloud register` with a trailing slash asks for `//metadata/endpoints`.
        arm = arm.route(path, any(answer)).route(&format!("/{path}"), any(answer));
    }
    for path in ["/subscriptions/", "/tenants/", "/providers", "/providers/"] {
        arm = arm.route(path, any(answer));
    }
    let mut graph = Router::new();
    for path in ["/v1.0", "/v1.0/{*rest}", "//v1.0/{*rest}", "/beta/{*rest}", "//beta/{*rest}"] {
        graph = graph.route(path, any(answer));
    }
    let served = |api, tokens, routes| Arc::new(Served { api, control: Arc::clone(&control), tokens, table: Table::new(routes) });
    let arm = arm.with_state(served(Api::Arm, arm_tokens, routes::arm()));
    arm.merge(graph.with_state(served(Api::Graph, graph_tokens, routes::graph())))
}

async fn answer(State(served): State<Arc<Served>>, request: Request<Body>) -> Response<Body> {
    let facts = RequestFacts::of(&served.control.platform, request.headers(), request.extensions());
    let mut response = match serve(&served, facts.clone(), request).await {
        Ok(reply) => reply.into_response(),
        Err(failure) => served.api.render(&facts, &failure),
    };
    let headers = response.headers_mut();
    let id = facts.ctx.request_id.to_string();
    for name in served.api.id_headers() {
        headers.insert(*name, HeaderValue::from_str(&id).expect("a UUID is a header value"));
    }
    if let Some(Ok(value)) = facts.correlation.as_deref().map(HeaderValue::from_str) {
        headers.insert(CLIENT_REQUEST_ID, value);
    }
    response
}

async fn serve(served: &Served, facts: RequestFacts, request: Request<Body>) -> Result<Reply, Failure> {
    let Served { api, control, tokens, table } = served;
    let (parts, body) = request.into_parts();
    let segments = path::segments(parts.uri.path()).ok_or_else(|| Failure::new(Code::InvalidRequestUri, "The path is not UTF-8."))?;
    let found = table.find(&parts.method, &segments);
    if let Ok(Found { route: Route { endpoint: Endpoint::Public(handle), .. }, .. }) = found {
        return handle(control, parts.uri.query().unwrap_or_default());
    }
    // SECURITY: before anything is said about a path: an unknown one must not answer strangers differently (case 132).
    let (snapshot, caller) = authenticate(control, tokens, &parts.headers, facts.ctx.now).await.map_err(|error| {
        let failure = authn::refusal(&control.platform, &error, facts.ctx.now);
        record_stranger(control, &facts, &parts.method, &error, failure)
    })?;
    let Found { route, scope, params } = served_here(found, &parts.method, &segments)?;
    let Endpoint::Known(handle) = &route.endpoint else { return Err(Failure::internal()) };
    let query = Form::parse(parts.uri.query().unwrap_or_default().as_bytes())
        .map_err(|error| Failure::new(Code::InvalidQueryParameter, error.to_string()))?;
    if *api == Api::Arm && query.field("api-version").is_none() {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Failure::new(Code::MissingApiVersionParameter, message));
    }
    let content = read(body).await?;
    bounds::check_body(&content).map_err(|failure| api.in_own_words(failure))?;
    let mut ctx = facts.ctx;
    ctx.actor = caller.actor();
    let call = Call {
        control: Arc::clone(control),
        api: *api,
        ctx,
        caller,
        snapshot,
        method: parts.method,
        path: path::canonical(parts.uri.path()).unwrap_or_default(),
        action: route.action(&scope, &params),
        scope,
        params,
        query,
        headers: parts.headers,
        content,
        access: route.access,
    };
    own_tenant(&call).map_err(|failure| call.failed(None, failure))?;
    handle(Arc::new(call)).await
}

/// The caller, as of the directory that it was found in. Only a token of a trusted tenant whose keys are not at hand waits.
async fn authenticate(
    control: &Control,
    tokens: &Authenticator,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<(Arc<Snapshot>, Caller), AuthnError> {
    let known = || {
        let snapshot = control.platform.directory.snapshot();
        let caller = tokens.authenticate(&snapshot, headers, now)?;
        Ok((snapshot, caller))
    };
    match known() {
        Err(AuthnError::KeysNeeded(needed)) => {
            tokens.fetch_keys(&needed).await?;
            known()
        }
        known => known,
    }
}

/// Refuses a scope of another tenant than the caller's own.
fn own_tenant(call: &Call) -> Result<(), Failure> {
    let Some(id) = call.scope.subscription_id() else { return Ok(()) };
    let subscription = call.snapshot.subscription(id).ok_or_else(|| Failure::no_subscription(&id.to_string()))?;
    if subscription.tenant == call.tenant() {
        return Ok(());
    }
    // The subscription itself tells a client which tenant to sign in to, as ARM does (case 82); what is in it is nobody else's
    // business, not even that it exists (case 127).
    Err(match call.scope.kind() {
        ScopeKind::Subscription if call.method == Method::GET => {
            authn::other_tenant(&call.control.platform, call.tenant(), subscription.tenant)
        }
        _ => Failure::no_subscription(&id.to_string()),
    })
}

/// What was found, or in ARM's words why nothing was.
fn served_here<'t>(found: Result<Found<'t>, Missing>, method: &Method, segments: &[String]) -> Result<Found<'t>, Failure> {
    // The generic routes take any path; none of these would mean anything there.
    let specific = found.as_ref().is_ok_and(|found| found.route.access != Access::Resource);
    if let (false, Some(reason)) = (specific, unsupported::reason(segments)) {
        return Err(reason);
    }
    found.map_err(|missing| match missing {
        Missing::Path => Failure::new(Code::NotFound, "The requested path does not exist here; check the resource type and its spelling."),
        Missing::Method => {
            let message = format!("The requested resource does not support http method '{method}'.");
            Failure::new(Code::UnsupportedHttpVerb, message)
        }
        Missing::Id(why) => Failure::new(Code::InvalidResourceId, format!("The path holds no valid resource id: {why}.")),
    })
}

async fn read(body: Body) -> Result<Bytes, Failure> {
    axum::body::to_bytes(body, MAX_BODY)
        .await
        .map_err(|_| Failure::new(Code::RequestContentTooLarge, "The request's body did not arrive whole or is larger than 1 MB."))
}

/// Records a token that was refused; many of them by number. A request without any token is not recorded: it says nothing, and everyone can send it.
fn record_stranger(control: &Control, facts: &RequestFacts, method: &Method, error: &AuthnError, failure: Failure) -> Failure {
    if matches!(error, AuthnError::Missing) {
        return failure;
    }
    use keyless_audit::{AuditEvent, Category, DecisionRecord, Outcome};
    let mut event = AuditEvent::new(&facts.ctx, Category::Control, format!("{method} with a refused token"), Outcome::Denied);
    event.status = Some(failure.status.as_u16());
    event.decision = Some(DecisionRecord::refused(error.to_string()));
    match control.platform.refused(Refused::new(RefusedBy::Control, "a refused token"), event) {
        Ok(()) => failure,
        Err(error) => error.into(),
    }
}
