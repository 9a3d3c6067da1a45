//! From options to a running system, and down again.

use std::sync::{Arc, RwLock};
use std::thread;

use anyhow::{Context as _, bail};
use keyless_audit::AuditSink;
use keyless_authority::{Issuer, KeyRotation, SignInProvider};
use keyless_directory::plan::Means;
use keyless_gateway::Gateway;
use keyless_metadata::Metadata;
use keyless_model::entity::SigningAlgorithm;
use keyless_model::{Actor, Clock, Entropy, OpContext, RequestId};
use keyless_rbac::SystemRight;
use keyless_store::audit_log::{AuditLog, AuditLogError, AuditLogOptions, Durability, StartKey};
use keyless_store::{Blocking, Directory, KeyRing, Store};
use keyless_store::{MasterKey, Sealer};
use keyless_store_sqlite::SqliteStore;
use keyless_web::{Passwords, Platform, Refusals};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::adapter::{ActivityLog, AuthorityTokens};
use crate::app::App;
use crate::bodies::Bodies;
use crate::capacity::Capacity;
use crate::certificate::ListenerCertificate;
use crate::clock::{SteadyClock, ThisMachine};
use crate::crew::Crew;
use crate::data::DataFolder;
use crate::listen::{Bound, Service, bind_all, endpoints, shares};
use crate::local::api::{SignInStatus, Status};
use crate::local::{Door, Facts, Invited, first_administrator, recall, status};
use crate::operations::Operations;
use crate::options::Options;
use crate::roles::{control_config, gateway_config, metadata_config, rotation_policy, signing_algorithms};
use crate::signals::Signals;
use crate::system::SystemEntropy;
use crate::tls::LocalCa;
use crate::upkeep::{
    catch_up, look_after_the_log, renew_certificate, rotate_keys, settle, settle_often, until, write_counts, write_counts_often,
};
use crate::upstreams::Servers;
use crate::worker::Worker;
use crate::{bootstrap, process, restored, trust, upstreams};

/// Runs a system until it is told to stop (SIGTERM, SIGINT), then drains. `on_ready` is called once every listener answers, with what
/// became of the invitation that was asked for; `tell` hears each step that takes time, for people.
///
/// # Errors
/// When the system cannot start; the message says what to do.
pub fn run(options: Options, tell: impl Fn(&str), on_ready: impl FnOnce(&Status, Option<&Invited>)) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(start(options, tell, on_ready))
}

async fn start(options: Options, tell: impl Fn(&str), on_ready: impl FnOnce(&Status, Option<&Invited>)) -> anyhow::Result<()> {
    let settings = &options.settings;
    // Before anything else, so that a signal during a slow start ends it in order, and before any key is in memory.
    let mut signals = Signals::listen()?;
    process::keep_memory_private();
    let parts = tokio::select! {
        parts = prepare(&options, &tell) => parts?,
        () = signals.stop() => return Ok(()),
    };
    let invited = match options.invite.as_deref() {
        Some(name) => Some(first_administrator(&parts.door, name).await?),
        None => None,
    };
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let workers = parts.start(&options, &mut tasks, &stopped)?;

    parts.operations.set_ready(true);
    let status = status(&parts.door);
    if let Some(file) = &settings.process.ready_file {
        crate::data::replace(file, &serde_json::to_vec_pretty(&status)?)
            .with_context(|| format!("cannot write the ready file {}", file))?;
    }
    on_ready(&status, invited.as_ref());

    signals.stop().await;
    tell(&format!("stopping: no new connections; running calls may take {} s more", settings.process.drain.as_secs()));
    parts.operations.set_ready(false);
    if let Some(file) = &settings.process.ready_file {
        _ = std::fs::remove_file(&**file);
    }
    if let Some(delay) = settings.process.drain_delay {
        // Whoever does not want to wait sends the signal again.
        _ = timeout(delay.duration(), signals.stop()).await;
    }
    stop.send_replace(true);
    // Joining blocks, and the tasks of this thread must go on meanwhile: calls that drain still commit and audit.
    let thread = Blocking::new(1, 0);
    thread.run(move || workers.into_iter().for_each(|worker| _ = worker.join())).await?;
    // Refusals of the running minute are only numbers until now.
    write_counts(&parts.door.platform, true);
    // The log first, then the store's note of how far it goes: a log that is cut later is found out to the last event.
    let audit = Arc::clone(&parts.audit);
    if let Err(error) = thread.run(move || audit.close()).await? {
        tracing::error!(%error, "the end of the audit log is perhaps not on disk");
    }
    settle(&parts.door.platform, &parts.door.platform.begin(Actor::System("stop"))).await;
    parts.door.platform.directory.close().await;
    while tasks.join_next().await.is_some() {}
    _ = std::fs::remove_file(crate::data::socket_path(parts.door.data.root())?.0);
    Ok(())
}

/// Everything that exists before the first call is answered.
struct Parts {
    door: Arc<Door>,
    app: Arc<App>,
    gateway: Arc<Gateway>,
    operations: Arc<Operations>,
    audit: Arc<AuditLog>,
    store: Arc<SqliteStore>,
    certificate: Arc<ListenerCertificate>,
    capacity: Arc<Capacity>,
    bound: std::sync::Mutex<Vec<Bound>>,
    model: std::sync::Mutex<Option<crate::model::ModelServer>>,
    watched: std::sync::Mutex<Vec<upstreams::Watched>>,
    servers: Arc<Servers>,
}

async fn prepare(options: &Options, tell: &impl Fn(&str)) -> anyhow::Result<Parts> {
    let clock: Arc<dyn Clock> = Arc::new(SteadyClock::new(ThisMachine));
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let ctx = OpContext::new(RequestId::new(entropy.uuid()), clock.now(), Actor::System("start"));

    // What cannot start is refused before the first start makes a folder. None is taken back afterwards: from the moment it is there,
    // another process may run in it.
    let settings = &options.settings;
    if let Some(fault) = crate::faults(settings).first() {
        bail!("{}: {}", fault.settings.join(", "), fault.what);
    }
    crate::data::free(&options.data)?;
    let workers = settings.process.workers.map(|workers| usize::from(workers.get()));
    let workers = workers.unwrap_or_else(|| thread::available_parallelism().map_or(2, usize::from));
    let owner = rustix::process::geteuid().as_raw();
    let capacity = Capacity::of(process::raise_descriptors(), workers, owner);
    let bound = bind_all(&settings.listen, workers)?;
    let endpoints = endpoints(&bound, &settings.listen);
    let roots = rustls_native_certs::load_native_certs().certs;
    let mut authority = trust::authority_config(settings, &roots)?;
    let data = DataFolder::open(&options.data)?;
    // A new master key would open nothing that an older one sealed, and hide that the right one is missing.
    if data.database().exists() && !data.master_key().exists() {
        bail!("{} is missing, but the state it sealed is there; put it back, or start anew in another folder", data.master_key().display());
    }
    let sealer = Arc::new(MasterKey::load_or_create(&data.master_key(), &*entropy)?.sealer());
    let store = Arc::new(SqliteStore::open(&data.database())?);
    let audit = open_audit(options, &data, &*store, (&clock, &entropy, &sealer), &ctx).await?;
    let (documents, events) = (Arc::clone(&store) as Arc<dyn Store>, Arc::clone(&audit) as Arc<dyn AuditSink>);
    let directory = Directory::open_without(documents, events, &ctx, settings.state.without.clone()).await?;
    restored::check(&*store, &audit, directory.load().revision(), options.accept_older_state, &ctx).await?;
    replay_outbox(&*store, &audit, &directory, &ctx).await?;

    let certificate = ListenerCertificate::new(LocalCa::open(&data, &sealer, &*entropy, ctx.now, &roots)?, ctx.now)?;
    let chosen = upstreams::choose(settings, &options.cache, &roots, tell).await?;
    let system = system_right();
    let first = (settings.first_start, &chosen);
    let means = Means { now: ctx.now, entropy: &*entropy, sealer: &sealer };
    let host = bootstrap::ensure(&directory, &system, &data, means, &ctx, first, &signing_algorithms(settings)).await?;
    let snapshot = directory.snapshot();
    let keyring = KeyRing::open(&snapshot, Arc::clone(&sealer))?;
    let platform = Arc::new(Platform {
        directory,
        keyring,
        sealer,
        audit: Arc::clone(&audit) as Arc<dyn AuditSink>,
        clock,
        passwords: Passwords::new(Arc::clone(&entropy)),
        entropy,
        endpoints,
        refusals: Refusals::default(),
    });

    // A verifier that keeps the key set for as long as it may has met a new key well before that key signs.
    authority.jwks_max_age_secs = authority.jwks_max_age_secs.min(settings.keys.publish_ahead.as_secs() / 2);
    let trusted = trust::trusted_tenants(settings, &snapshot, &platform.clock, &roots)?;
    let sign_in = authority.sign_in_with.as_ref().map(|provider| SignInStatus {
        name: provider.name.clone(),
        issuer: provider.issuer.clone(),
        redirect_uri: SignInProvider::redirect_uri(&platform.endpoints.authority),
    });
    let mut rotation = KeyRotation::new(Arc::clone(&platform), system.clone(), rotation_policy(&settings.keys))?;
    if signing_algorithms(settings).contains(&SigningAlgorithm::ES256) {
        rotation = rotation.with_es256();
    }
    let issuer = Issuer::of(Arc::clone(&platform), &authority);
    issuer.check_audiences()?;
    let tokens = AuthorityTokens { issuer: issuer.clone(), lifetime_secs: settings.lifetimes.identity_token.as_secs().into() };
    let metadata = Arc::new(Metadata::new(Arc::clone(&platform), metadata_config(settings, &platform, host.clone()), Arc::new(tokens)));
    let mut gateway = gateway_config(settings, &chosen, roots, trusted.clone());
    gateway.max_calls = gateway.max_calls.min(capacity.calls());
    gateway.max_calls_of_one = gateway.max_calls_of_one.min(capacity.calls_of_one());
    let gateway = Gateway::new(Arc::clone(&platform), gateway)?;
    let operations = Arc::new(Operations::new(Arc::clone(&platform), Arc::clone(&capacity)));
    operations.set_degraded(upstreams::degraded(&chosen.shown));
    let activity = Some(Arc::new(ActivityLog::new(Arc::clone(&audit))) as _);
    let control = keyless_control::Config { activity, ..control_config(settings, &chosen, trusted.clone()) };
    let planes = keyless_authority::router(Arc::clone(&platform), system.clone(), authority)
        .merge(keyless_control::router(Arc::clone(&platform), control));
    let app = App::new(
        certificate.server_config()?,
        Arc::clone(&gateway),
        Arc::clone(&metadata),
        (planes, Bodies::new(owner)),
        Arc::clone(&operations),
        Arc::clone(&platform.audit),
        settings,
    );
    let servers = Servers::new(Arc::clone(&gateway), chosen.upstreams);
    let address_of = |service| bound.iter().find(|found| found.service == service).map(|found| found.address);
    let facts = Facts {
        started: ctx.now,
        gateway_http: address_of(Service::PlainGateway).map(|address| format!("http://{address}")),
        operations_url: address_of(Service::Operations).map(|address| format!("http://{address}")).unwrap_or_default(),
        ca_file: certificate.ca().ca_file.display().to_string(),
        ca_bundle: certificate.ca().bundle_file.display().to_string(),
        host,
        operations: Arc::clone(&operations),
        sign_in,
        upstreams: Arc::new(RwLock::new(chosen.shown)),
        gateway: Arc::clone(&gateway),
        trusted_tenants: settings.trust.tenants.clone(),
        owner_token_secs: settings.lifetimes.owner_token.as_secs().into(),
    };
    let door = Arc::new(Door {
        audit: Arc::clone(&audit),
        platform,
        system,
        metadata,
        issuer,
        rotation,
        facts,
        data,
        connections: Arc::new(Semaphore::new(capacity.local())),
    });
    recall(&door);
    Ok(Parts {
        door,
        app: Arc::new(app),
        gateway,
        operations,
        audit,
        store,
        certificate,
        capacity,
        bound: bound.into(),
        model: chosen.child.into(),
        watched: chosen.watched.into(),
        servers,
    })
}

impl Parts {
    /// Starts the workers and this thread's own tasks.
    fn start(
        &self,
        options: &Options,
        tasks: &mut JoinSet<()>,
        stop: &watch::Receiver<bool>,
    ) -> anyhow::Result<Vec<thread::JoinHandle<()>>> {
        let local = self.door.bind()?;
        tasks.spawn(Arc::clone(&self.door).run(local, stop.clone()));
        tasks.spawn(Arc::clone(&self.audit).run(until(stop.clone())));
        tasks.spawn(rotate_keys(self.door.rotation.clone(), stop.clone()));
        tasks.spawn(catch_up(Arc::clone(&self.door.platform), stop.clone()));
        let platform = || Arc::clone(&self.door.platform);
        tasks.spawn(write_counts_often(platform(), stop.clone()));
        tasks.spawn(look_after_the_log(Arc::clone(&self.audit), platform(), options.settings.audit.clone(), stop.clone()));
        tasks.spawn(settle_often(platform(), Arc::clone(&self.store), Arc::clone(&self.operations), stop.clone()));
        tasks.spawn(renew_certificate(platform(), Arc::clone(&self.certificate), stop.clone()));
        let watchers = upstreams::Watchers {
            platform: platform(),
            gateway: Arc::clone(&self.gateway),
            servers: Arc::clone(&self.servers),
            operations: Arc::clone(&self.operations),
            shown: Arc::clone(&self.door.facts.upstreams),
        };
        let watched = std::mem::take(&mut *self.watched.lock().expect("no holder of this lock panics"));
        tasks.spawn(upstreams::watch(watched, watchers, stop.clone()));
        if let Some(model) = self.model.lock().expect("no holder of this lock panics").take() {
            tasks.spawn(upstreams::supervise(
                model,
                Arc::clone(&self.servers),
                Arc::clone(&self.operations),
                options.cache.clone(),
                stop.clone(),
            ));
        }
        let shares = shares(self.bound.lock().expect("no holder of this lock panics").drain(..).collect());
        let (crew, arrivals) = Crew::of(shares.len());
        let workers = shares.into_iter().zip(arrivals).enumerate();
        let started = workers.map(|(number, (listeners, arrivals))| {
            let (crew, capacity) = (crew.clone(), Arc::clone(&self.capacity));
            Worker { number, crew, capacity, arrivals, listeners, drain: options.settings.process.drain.duration() }
                .start(Arc::clone(&self.app), stop.clone())
        });
        Ok(started.collect::<std::io::Result<_>>()?)
    }
}

/// Opens the audit log and holds it against what the store last knew of it.
async fn open_audit(
    options: &Options,
    data: &DataFolder,
    store: &dyn Store,
    (clock, entropy, sealer): (&Arc<dyn Clock>, &Arc<dyn Entropy>, &Sealer),
    ctx: &OpContext,
) -> anyhow::Result<Arc<AuditLog>> {
    let durability = if options.settings.audit.strict_durability { Durability::Strict } else { Durability::Written };
    let settings = AuditLogOptions { durability, ..Default::default() };
    let (folder, key, anchor) = (data.audit(), StartKey::of(sealer), store.audit_anchor(ctx).await?);
    let opened = AuditLog::open(&folder, settings, &key, Arc::clone(clock), Arc::clone(entropy))
        .and_then(|log| anchor.map_or(Ok(()), |anchor| log.check(anchor)).map(|()| log));
    let lost = matches!(opened, Err(AuditLogError::Broken { .. } | AuditLogError::ForeignStart { .. }));
    let log = match opened {
        Err(error) if lost && options.accept_lost_log => {
            AuditLog::begin_after_loss(&folder, settings, Arc::clone(clock), Arc::clone(entropy), anchor, &error.to_string(), &key)?
        }
        opened => opened?,
    };
    Ok(Arc::new(log))
}

/// Writes what was committed but not audited before a crash.
async fn replay_outbox(store: &dyn Store, audit: &AuditLog, directory: &Directory, ctx: &OpContext) -> anyhow::Result<()> {
    let pending = store.pending_audit(ctx).await?;
    directory.audited_up_to(audit.ensure(&pending)?);
    Ok(())
}

/// What acts as Keyless itself gets it from here: the first start, key rotation, sign-ins, the owner's door.
#[expect(clippy::disallowed_methods, reason = "the one place")]
const fn system_right() -> SystemRight {
    SystemRight::claim()
}
