//! One call, step by step. Each step is a file of its own; this one only says in which order they come.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use keyless_audit::MOST_KEPT;
use keyless_model::entity::Account;
use keyless_model::{Actor, Scope};
use keyless_rbac::Permit;
use keyless_store::{Revision, Snapshot};
use keyless_web::{Audiences, Authenticator, AuthnError, Platform, claims_challenge};

use crate::address::{Address, address_of};
use crate::admit::{Budgets, Limits, admit, estimate};
use crate::answer::{self, Asks, Head};
use crate::authenticate::{AccountKeys, Callers, Identity};
use crate::authorize::{Permitted, decide, decide_below, scope_of};
use crate::body::Body;
use crate::config::{Config, ConfigError, UpstreamConfig};
use crate::forward::{Onward, UpstreamFault, Upstreams, send};
use crate::plan::Plans;
use crate::prompt::{Outgoing, Prompt, PromptFault, Until, Wanted, gather};
use crate::record::{Call, Recorder};
use crate::refuse::Refusal;
use crate::route::{Operation, Route, Serve, Shape, Version, route_of};
use crate::shares::{Bounds, Held, Shares};
use crate::standing::Standing;
use crate::{models, network};

/// Up to here a request body is read before it is forwarded: enough to know what nearly every call will cost. Longer ones stream.
const READ_AHEAD: u64 = 256 * 1024;

/// How much of a refused call's body is read, and for how long.
const DRAINED_BYTES: usize = 64 * 1024;
const DRAIN_FOR: Duration = Duration::from_millis(500);

/// The data plane. One per process; any number of threads call [`Gateway::handle`].
#[derive(Debug)]
pub struct Gateway {
    platform: Arc<Platform>,
    config: Config,
    callers: Arc<Callers>,
    upstreams: ArcSwap<Upstreams>,
    plans: Plans,
    budgets: Budgets,
    shares: Arc<Shares>,
    recorder: Arc<Recorder>,
}

/// What answers the calls of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answering {
    pub upstream: String,
    /// The model there; another than the deployment names where the server does not have that one.
    pub model: String,
}

/// The request, understood and not yet judged.
struct Asked<'a> {
    head: &'a Parts,
    address: Address<'a>,
    route: Route<'a>,
    ids: &'a Head,
}

/// A caller who is known: at which account, as whom, and as of which revision of the directory.
struct Known {
    account: Arc<Account>,
    identity: Identity,
    revision: Revision,
}

impl Gateway {
    /// # Errors
    /// With everything that is wrong with the configuration.
    pub fn new(platform: Arc<Platform>, config: Config) -> Result<Arc<Self>, ConfigError> {
        let upstreams = Upstreams::new(config.default_upstream.as_deref(), &config.upstreams, &config)?;
        let callers = Arc::new(Callers {
            tokens: Authenticator::new(Arc::clone(&platform), Audiences::gateway()).trusting(config.trusted_tenants.clone()),
            keys: AccountKeys::new(Arc::clone(&platform.sealer)),
        });
        let Config { body_memory_bytes: bytes, max_calls: calls, max_calls_of_one: calls_of_one, .. } = config;
        // INVARIANT: the audit log can keep an event of every call, see `Shares`.
        let shares = Shares::new(Bounds { bytes, calls: calls.min(MOST_KEPT), calls_of_one });
        let recorder = Recorder::new(&platform.audit);
        Ok(Arc::new(Self {
            platform,
            config,
            callers,
            upstreams: ArcSwap::from_pointee(upstreams),
            plans: Plans::default(),
            budgets: Budgets::default(),
            shares,
            recorder,
        }))
    }

    /// Replaces the upstreams, among which the configured default must be; calls under way finish with those they began with.
    ///
    /// # Errors
    /// With everything that is wrong; the present upstreams then stay.
    pub fn set_upstreams(&self, upstreams: Vec<UpstreamConfig>) -> Result<(), ConfigError> {
        self.upstreams.store(Arc::new(Upstreams::new(self.config.default_upstream.as_deref(), &upstreams, &self.config)?));
        Ok(())
    }

    /// What answers a deployment now. None when no upstream is configured for it.
    #[must_use]
    pub fn answering(&self, deployment: &keyless_model::entity::Deployment) -> Option<Answering> {
        let served = self.upstreams.load().serving(deployment)?;
        Some(Answering { upstream: served.upstream.name.clone(), model: served.shown() })
    }

    /// Bytes of request bodies that are in memory now.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        self.shares.bytes()
    }

    /// Calls of models under way, answers included.
    #[must_use]
    pub fn calls_under_way(&self) -> usize {
        self.shares.calls()
    }

    /// Answers one request. `peer` is the other end of the connection. Works on any runtime and thread; connections to model
    /// servers are pooled per thread.
    pub async fn handle(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
        let (head, body) = request.into_parts();
        let mut body = Some(body);
        let mut ctx = self.platform.begin(Actor::Anonymous);
        ctx.source = Some(peer.ip().to_canonical());
        let ids = Head::new(ctx.request_id, &head.headers);
        ctx.client_request_id = ids.correlation();
        let mut call = Call::begin(&self.platform, &self.recorder, ctx);
        match self.serve(&head, &mut body, &ids, &mut call).await {
            Ok(reply) => reply.finish(call, &ids).await,
            Err(refusal) => {
                drain(&head, body).await;
                refuse(refusal, call, &ids).await
            }
        }
    }

    async fn serve(&self, head: &Parts, body: &mut Option<Incoming>, ids: &Head, call: &mut Call) -> Result<answer::Reply, Refusal> {
        let domain = self.platform.endpoints.wildcard_domain.as_deref();
        let address = address_of(head, domain).ok_or(Refusal::UnknownAccount)?;
        let route = route_of(&head.method, address.path, head.uri.query());
        call.operation = route.operation;
        let asked = Asked { head, address, route, ids };
        let known = self.recognise(&asked, call).await?;
        if asked.route.operation.action.is_empty() {
            return Err(Refusal::UnknownPath);
        }
        match &asked.route.version {
            Version::Served(version) => call.detail.api_version = Some(version.clone().into_owned()),
            Version::Missing => return Err(Refusal::NoApiVersion),
            Version::NotSupported => return Err(Refusal::ApiVersion),
        }
        match asked.route.operation.serve {
            Serve::Model(shape) => self.complete(shape, &asked, body, known, call).await,
            Serve::ModelList | Serve::ModelItem => self.models(&asked, &known, call),
            Serve::Nobody => {
                let scope = asked.route.deployment.map_or_else(|| known.account.scope.clone(), |name| scope_of(&known.account, name));
                permit(&self.platform.directory.load(), &asked, &known, &scope, call)?;
                Err(Refusal::NotServed(asked.route.operation))
            }
        }
    }

    /// Recognises the caller. Only a token of a trusted tenant whose keys are not at hand waits.
    async fn recognise(&self, asked: &Asked<'_>, call: &mut Call) -> Result<Known, Refusal> {
        match self.recognise_now(asked, call) {
            Err(Refusal::Token(AuthnError::KeysNeeded(needed))) => {
                self.callers.tokens.fetch_keys(&needed).await.map_err(Refusal::Token)?;
                self.recognise_now(asked, call)
            }
            known => known,
        }
    }

    /// Finds the account, asks its network rules, and recognises the caller.
    fn recognise_now(&self, asked: &Asked<'_>, call: &mut Call) -> Result<Known, Refusal> {
        let snapshot = self.platform.directory.load();
        let account = snapshot.account_at(&asked.address.subdomain).ok_or(Refusal::UnknownAccount)?;
        call.addressed(account);
        if let Some(source) = call.ctx.source {
            network::check(account, source)?;
        }
        let identity = self.callers.recognise(&snapshot, account, &asked.head.headers, asked.route.operation.dialect, call.ctx.now)?;
        call.called_by(identity.actor(), identity.caller());
        Ok(Known { account: Arc::clone(account), identity, revision: snapshot.revision() })
    }

    /// Decides at the deployment, whether or not it exists, and only then says whether it does.
    fn permit_deployment(&self, asked: &Asked<'_>, known: &Known, name: &str, call: &mut Call) -> Result<Permitted, Refusal> {
        let snapshot = self.platform.directory.load();
        let Some(deployment) = snapshot.deployment(&known.account.scope, name) else {
            permit(&snapshot, asked, known, &scope_of(&known.account, name), call)?;
            return Err(Refusal::DeploymentNotFound);
        };
        let permit = permit(&snapshot, asked, known, &deployment.scope, call)?;
        let plan = self.plans.plan(&known.account, deployment, &self.upstreams.load(), &self.budgets, call.ctx.now);
        call.planned(&plan);
        Permitted::new(permit, plan)
    }

    fn models(&self, asked: &Asked<'_>, known: &Known, call: &mut Call) -> Result<answer::Reply, Refusal> {
        let snapshot = self.platform.directory.load();
        permit(&snapshot, asked, known, &known.account.scope, call)?;
        let (account, dialect) = (&known.account, asked.route.operation.dialect);
        let body = match asked.route.item {
            None => models::list(&snapshot, account, dialect),
            Some(id) => models::item(&snapshot, account, dialect, id).ok_or(Refusal::UnknownPath)?,
        };
        Ok(answer::Reply::json(&body))
    }

    /// A call of a model: permit, read, permit again if the world changed meanwhile, admit, forward.
    async fn complete(
        &self,
        shape: Shape,
        asked: &Asked<'_>,
        body: &mut Option<Incoming>,
        mut known: Known,
        call: &mut Call,
    ) -> Result<answer::Reply, Refusal> {
        let (route, timeouts, limit) = (&asked.route, self.config.timeouts, self.config.max_request_bytes);
        let mut decided = match route.deployment {
            Some(name) => Some(self.permit_deployment(asked, &known, name, call)?),
            None => {
                // SECURITY: the body names the deployment, and nobody's body is read who may call none.
                decide_below(&self.platform.directory.load(), &known.account, &known.identity, route.operation)?;
                None
            }
        };
        let seat = self.shares.seat(known.identity.whose()).map_err(Refusal::TooManyCalls)?;
        call.seated(Arc::clone(&seat));
        let body = body.take().expect("the body is taken here, once");
        let until = if decided.is_some() { Until::Bytes(READ_AHEAD) } else { Until::Model(READ_AHEAD) };
        let prompt = if shape.is_form() { Prompt::form(asked.head.headers.get(CONTENT_TYPE))? } else { Prompt::object() };
        let mut held = Held::by(seat);
        let (mut prompt, rest) = gather(prompt, body, &mut held, until, limit, timeouts.request_body).await?;
        call.detail.request_bytes = prompt.received();
        // SECURITY: a body that trickles in for a minute must not outlive a revocation.
        if self.platform.directory.load().revision() != known.revision {
            known = self.recognise(asked, call).await?;
            decided = None;
        }
        let permitted = match decided {
            Some(permitted) => permitted,
            None => {
                let name = route.deployment.or_else(|| prompt.model()).ok_or(PromptFault::NoModel)?;
                self.permit_deployment(asked, &known, name, call)?
            }
        };
        self.platform.audit.ready()?;
        // The bytes of a file say nothing about tokens.
        let unread = rest.as_ref().map_or(0, |rest| hyper::body::Body::size_hint(rest).lower());
        let body_bytes = if prompt.is_form() { 0 } else { prompt.received() + unread };
        self.admit(&permitted, &known.identity, &prompt, body_bytes, call)?;

        let asks = Asks { shape, base64: prompt.facts().base64 };
        if let Some(served) = &permitted.plan().served {
            prompt.want(Wanted { model: served.model.clone(), usage: matches!(shape, Shape::Chat | Shape::Completions) });
        }
        let content_type = prompt.content_type();
        let (outgoing, late) = Outgoing::new(prompt, rest, held, limit, timeouts.upload_idle);
        let onward = Onward {
            shape,
            headers: &asked.head.headers,
            content_type,
            body: outgoing,
            request_id: asked.ids.request_id.clone(),
            now: call.ctx.now,
            first_byte: timeouts.first_byte,
        };
        call.forwarded();
        let limits = answer::Limits { idle: timeouts.idle, unread: timeouts.unread, ends: call.started + timeouts.call };
        let received = send(&permitted, onward).await;
        call.detail.request_bytes = late.received();
        match received {
            Ok(received) => {
                let mut standing = self.standing(known, route.operation, &permitted, call);
                let reply = answer::Reply::of(received, asks, late.asked_usage(), permitted, call, limits).await?;
                // SECURITY: a model server that thinks for a minute must not outlive a revocation either.
                standing.check()?;
                Ok(reply.under(standing))
            }
            Err(fault) => {
                // A server that said nothing in time may have worked all the while: the estimate stands.
                if fault != UpstreamFault::FirstByte {
                    call.turned_down();
                }
                // A body that broke off is the caller's fault, whatever the server made of it.
                Err(late.fault().cloned().map_or_else(|| Refusal::Upstream(fault), Refusal::Prompt))
            }
        }
    }

    fn standing(&self, known: Known, operation: &'static Operation, permitted: &Permitted, call: &Call) -> Standing {
        Standing {
            platform: Arc::clone(&self.platform),
            callers: Arc::clone(&self.callers),
            identity: known.identity,
            operation,
            plan: Arc::clone(permitted.plan()),
            source: call.ctx.source,
            began: call.ctx.now,
            seen: known.revision,
        }
    }

    fn admit(&self, permitted: &Permitted, identity: &Identity, prompt: &Prompt, body_bytes: u64, call: &mut Call) -> Result<(), Refusal> {
        let (plan, now) = (permitted.plan(), call.ctx.now);
        let mut budgets = Vec::new();
        budgets.extend(plan.budget.clone());
        if let (Some(limit), Some(caller)) = (self.config.per_identity, identity.caller()) {
            let limits = Limits::per_minute(limit.tokens_per_minute, limit.requests_per_minute);
            budgets.push(self.budgets.budget(plan.deployment.scope.folded(), Some(caller.principal.id), limits, now));
        }
        let most = estimate(body_bytes, prompt.facts().max_tokens, prompt.facts().answers());
        let reservation = admit(&budgets, most, now).map_err(|over| Refusal::OverBudget {
            over,
            remaining: plan.budget.as_ref().map(|budget| budget.remaining(now)),
            plan: Arc::clone(plan),
            operation: call.operation,
            api_version: call.detail.api_version.clone().unwrap_or_default(),
        })?;
        call.admitted(reservation, body_bytes / 4);
        Ok(())
    }
}

fn permit(snapshot: &Snapshot, asked: &Asked<'_>, known: &Known, scope: &Scope, call: &mut Call) -> Result<Permit, Refusal> {
    call.judged_at(scope);
    let permit = decide(snapshot, &known.account, &known.identity, asked.route.operation, scope)?;
    call.permitted(&permit);
    Ok(permit)
}

/// Reads what a refused caller is still sending, up to a small bound. An answer that leaves bytes unread ends in a reset connection, and a
/// reset can overtake the answer: the caller would see a broken connection instead of the reason.
async fn drain(head: &Parts, body: Option<Incoming>) {
    // Who waits for leave to send gets the answer first; reading would give that leave.
    let Some(mut body) = body.filter(|_| !head.headers.contains_key(http::header::EXPECT)) else { return };
    let reading = async {
        let mut left = DRAINED_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, bytes::Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    _ = tokio::time::timeout(DRAIN_FOR, reading).await;
}

async fn refuse(refusal: Refusal, mut call: Call, ids: &Head) -> Response<Body> {
    let mut answer = refusal.answer();
    if let Refusal::Token(error) = &refusal {
        let authority = &call.platform().endpoints.authority;
        answer.challenge = error.newer_token(call.ctx.now).map(|valid_from| claims_challenge(authority, valid_from));
    }
    if let Refusal::Upstream(fault) = &refusal {
        tracing::warn!(%fault, request_id = %call.ctx.request_id, "a model server did not answer");
    }
    match call.refused(&refusal, answer.error.status).await {
        Ok(()) => answer::refusal(answer, ids),
        // What cannot be audited is not answered, a refusal neither.
        Err(error) => answer::refusal(Refusal::Audit(error).answer(), ids),
    }
}
