//! The steps of every request: read, authenticate, find the route, permit, act, record a refusal, answer.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::any;
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use keyless_directory::invariant::locks;
use keyless_model::{ScopeKind, Timestamp};
use keyless_store::Snapshot;
use keyless_web::{Authenticator, AuthnError, Caller, Form, Refused, RefusedBy, RequestFacts};
use keyless_wire::arm::ArmError;
use keyless_wire::graph::GraphError;

use crate::answer::Reply;
use crate::arm::{authn, path};
use crate::bounds;
use crate::call::{Call, action_of};
use crate::control::Control;
use crate::failure::Failure;
use crate::route::{Access, Found, Missing, Table};
use crate::unsupported;

/// The most bytes of a request's body.
const MAX_BODY: usize = 1024 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-ms-correlation-request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
const GRAPH_REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// Which of the two APIs a request speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    Arm,
    Graph,
}

pub(crate) fn router(control: Arc<Control>) -> Router {
    let mut router = Router::new();
    for path in ["/metadata/endpoints", "/subscriptions", "/subscriptions/{*rest}", "/tenants", "/tenants/{*rest}", "/providers/{*rest}"] {
        // `az cloud register` with a trailing slash asks for `//metadata/endpoints`.
        router = router.route(path, any(arm)).route(&format!("/{path}"), any(arm));
    }
    for path in ["/subscriptions/", "/tenants/", "/providers", "/providers/"] {
        router = router.route(path, any(arm));
    }
    for path in ["/v1.0", "/v1.0/{*rest}", "//v1.0/{*rest}", "/beta/{*rest}", "//beta/{*rest}"] {
        router = router.route(path, any(graph));
    }
    router.with_state(control)
}

async fn arm(State(control): State<Arc<Control>>, request: Request<Body>) -> Response<Body> {
    answer(control, Api::Arm, request).await
}

async fn graph(State(control): State<Arc<Control>>, request: Request<Body>) -> Response<Body> {
    answer(control, Api::Graph, request).await
}

async fn answer(control: Arc<Control>, api: Api, request: Request<Body>) -> Response<Body> {
    let facts = RequestFacts::of(&control.platform, request.headers(), request.extensions());
    let mut response = match serve(&control, api, facts.clone(), request).await {
        Ok(reply) => reply.into_response(),
        Err(failure) => render(api, &facts, &failure),
    };
    let headers = response.headers_mut();
    let id = facts.ctx.request_id.to_string();
    let names: &[HeaderName] = match api {
        Api::Arm => &[REQUEST_ID, CORRELATION_ID],
        Api::Graph => &[GRAPH_REQUEST_ID],
    };
    for name in names {
        headers.insert(name, HeaderValue::from_str(&id).expect("a UUID is a header value"));
    }
    if let Some(Ok(value)) = facts.correlation.as_deref().map(HeaderValue::from_str) {
        headers.insert(CLIENT_REQUEST_ID, value);
    }
    response
}

async fn serve(control: &Arc<Control>, api: Api, facts: RequestFacts, request: Request<Body>) -> Result<Reply, Failure> {
    let (parts, body) = request.into_parts();
    let segments = path::segments(parts.uri.path()).ok_or_else(|| Failure::invalid("InvalidRequestUri", "The path is not UTF-8."))?;
    let table = match api {
        Api::Arm => &control.arm,
        Api::Graph => &control.graph,
    };
    if let Ok(Found { route: public, .. }) = table.find(&parts.method, &segments)
        && matches!(public.access, Access::Public)
    {
        return crate::routes::endpoints(control, parts.uri.query().unwrap_or_default());
    }
    // SECURITY: before anything is said about a path: an unknown one must not answer strangers differently (case 132).
    let tokens = match api {
        Api::Arm => &control.arm_tokens,
        Api::Graph => &control.graph_tokens,
    };
    let (snapshot, caller) = authenticate(control, tokens, &parts.headers, facts.ctx.now).await.map_err(|error| {
        let failure = authn::refusal(&control.platform, &error, facts.ctx.now);
        record_stranger(control, &facts, &parts.method, &error, failure)
    })?;
    let Found { route, scope, params } = find(table, &parts.method, &segments)?;
    let query = Form::parse(parts.uri.query().unwrap_or_default().as_bytes())
        .map_err(|error| Failure::invalid("InvalidQueryParameter", error.to_string()))?;
    if api == Api::Arm && query.field("api-version").is_none() {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Failure::invalid("MissingApiVersionParameter", message));
    }
    let body = read(body).await?;
    bounds::check_body(&body).map_err(|failure| in_words_of(api, failure))?;
    let mut ctx = facts.ctx;
    ctx.actor = caller.actor();
    let mut call = Call {
        control: Arc::clone(control),
        ctx,
        caller,
        snapshot,
        method: parts.method,
        path: path::canonical(parts.uri.path()).unwrap_or_default(),
        action: action_of(route, &scope, &params),
        scope,
        params,
        query,
        headers: parts.headers,
        body,
        access: route.access,
        permit: None,
    };
    let outcome = match permit(&mut call) {
        Ok(()) => (route.handle)(&call).await,
        Err(failure) => Err(failure),
    };
    match outcome {
        // Reads that fail for want of a thing are not worth a line in the audit; refusals and failed changes are.
        Err(failure) if call.method != Method::GET || failure.denial.is_some() => {
            call.record_refused(&failure)?;
            Err(failure)
        }
        other => other,
    }
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

/// Checks that the scope is one of the caller's own tenant, and that the caller may.
fn permit(call: &mut Call) -> Result<(), Failure> {
    let snapshot = Arc::clone(&call.snapshot);
    if let Some(id) = call.scope.subscription_id() {
        let subscription = snapshot.subscription(id).ok_or_else(|| Failure::no_subscription(&id.to_string()))?;
        if subscription.tenant != call.tenant() {
            // The subscription itself tells a client which tenant to sign in to, as ARM does (case 82); what is in it is
            // nobody else's business, not even that it exists (case 127).
            return Err(match call.scope.kind() {
                ScopeKind::Subscription if call.method == Method::GET => {
                    authn::other_tenant(&call.control.platform, call.tenant(), subscription.tenant)
                }
                _ => Failure::no_subscription(&id.to_string()),
            });
        }
    }
    call.permit = call.permit_at(&snapshot)?;
    // A POST to a resource counts as a change for locks, even one that only shows something: what it shows are keys.
    if call.method == Method::POST && call.scope.kind() == ScopeKind::Resource {
        locks::check(&snapshot, &call.scope, call.action.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

fn find<'t>(table: &'t Table, method: &Method, segments: &[String]) -> Result<Found<'t>, Failure> {
    let found = table.find(method, segments);
    // The generic routes take any path; none of these would mean anything there.
    let specific = found.as_ref().is_ok_and(|found| !matches!(found.route.access, Access::Resource));
    if let (false, Some(reason)) = (specific, unsupported::reason(segments)) {
        return Err(reason);
    }
    found.map_err(|missing| match missing {
        Missing::Path => {
            Failure::not_found("NotFound", "The requested path does not exist here; check the resource type and its spelling.")
        }
        Missing::Method => {
            let message = format!("The requested resource does not support http method '{method}'.");
            Failure::new(StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb", message)
        }
        Missing::Id(why) => Failure::invalid("InvalidResourceId", format!("The path holds no valid resource id: {why}.")),
    })
}

async fn read(body: Body) -> Result<Bytes, Failure> {
    axum::body::to_bytes(body, MAX_BODY).await.map_err(|_| {
        Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestContentTooLarge",
            "The request's body did not arrive whole or is larger than 1 MB.",
        )
    })
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

/// A refusal that is the same for both APIs, under the code that clients of this one know.
fn in_words_of(api: Api, failure: Failure) -> Failure {
    match api {
        Api::Arm => failure,
        Api::Graph => Failure { code: "Request_BadRequest".into(), ..failure },
    }
}

fn render(api: Api, facts: &RequestFacts, failure: &Failure) -> Response<Body> {
    let mut response = match api {
        Api::Arm => {
            let mut body = ArmError::new(&failure.code, failure.message.clone());
            if let Some(target) = &failure.target {
                body = body.target(target.clone());
            }
            keyless_web::json(failure.status, &body)
        }
        Api::Graph => {
            let (date, id) = (facts.ctx.now.rfc3339(), facts.ctx.request_id.to_string());
            let client = facts.correlation.clone().unwrap_or_else(|| id.clone());
            let date = date.split('.').next().unwrap_or_default().trim_end_matches('Z');
            keyless_web::json(failure.status, &GraphError::new(&failure.code, failure.message.clone()).of_request(date, &id, &client))
        }
    };
    if failure.status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    if let Some(Ok(value)) = failure.challenge.as_deref().map(HeaderValue::from_str) {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    response
}
