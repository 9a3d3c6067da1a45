//! Chooses what answers the model calls, and keeps the supervised model alive.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use http::Uri;
use keyless_config::{Settings, Upstream};
use keyless_gateway::detect::{self, Found, ListFault, Lister, is_embedding, stand_in};
use keyless_gateway::{BUILT_IN_MODEL, ConfigError, Gateway, UpstreamConfig};
use keyless_model::Secret;
use keyless_web::{PeerOwner, owner_of};
use rustls::pki_types::CertificateDer;
use tokio::sync::watch::Receiver;

use crate::local::api::UpstreamStatus;
use crate::model::{Addresses, ModelServer};
use crate::operations::Operations;
use crate::{stop, trust};

mod watch;

pub(crate) use watch::{Watched, Watchers, deployments, watch};

/// What a server is called that was found, and not configured.
const DEFAULT: &str = "default";
const EMBEDDINGS: &str = "embeddings";
/// The model names of the supervised model: one file, loaded once to write and once to embed.
const SMOLLM2: &str = "smollm2-135m-instruct";
const SMOLLM2_EMBEDDINGS: &str = "smollm2-135m-embeddings";
/// Wait before the supervised model is started again.
const RESTART_PAUSE: Duration = Duration::from_secs(2);

/// What was chosen.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// The name of the upstream that serves whatever no other one names.
    pub(crate) default: Option<String>,
    pub(crate) upstreams: Vec<UpstreamConfig>,
    pub(crate) shown: Vec<UpstreamStatus>,
    /// The models that a new system's deployments `chat` and `embed` name.
    pub(crate) chat_model: String,
    pub(crate) embed_model: String,
    pub(crate) child: Option<ModelServer>,
    /// Servers that are not ours to start, to be watched.
    pub(crate) watched: Vec<Watched>,
}

/// Finds, starts or asks what is configured. `roots` are those of the operating system; `tell` hears each step that takes time.
pub(crate) async fn choose(
    settings: &Settings,
    cache: &Path,
    roots: &[CertificateDer<'static>],
    tell: impl Fn(&str),
) -> anyhow::Result<Chosen> {
    let mut chosen = Chosen {
        default: settings.default_upstream().map(str::to_owned),
        upstreams: Vec::new(),
        shown: Vec::new(),
        chat_model: "chat".into(),
        embed_model: "embed".into(),
        child: None,
        watched: Vec::new(),
    };
    for (name, upstream) in &settings.upstreams {
        chosen.ask(configured(name, upstream)?, "model server".to_owned(), !upstream.models.is_empty(), roots).await?;
    }
    match settings.default_upstream() {
        Some("built-in") => chosen.built_in(),
        Some("smollm2") => chosen.supervise(ModelServer::start(cache, tell).await?)?,
        Some("detect") => match detected(&tell).await {
            Some(found) => {
                tell(&format!("found {} at {}", found.name, found.base_url));
                let (models, trusts) = (found.models, Some(is_ours as fn(PeerOwner) -> bool));
                let upstream = UpstreamConfig { models, trusts, ..UpstreamConfig::open_ai(DEFAULT, found.base_url) };
                chosen.ask(upstream, format!("model server ({})", found.name), false, roots).await?;
                chosen.default = Some(DEFAULT.to_owned());
            }
            None => {
                tell("no model server answers on this machine; the built-in responder, which is no model, stands in");
                chosen.built_in();
            }
        },
        _ => {}
    }
    chosen.name_models();
    Ok(chosen)
}

async fn detected(tell: &impl Fn(&str)) -> Option<Found> {
    let found = detect::among(&detect::CANDIDATES, is_trusted).await;
    let (trusted, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| found.trusted);
    // SECURITY: prompts do not go to whoever on a shared machine was the first to listen on a well-known port.
    for other in others {
        tell(&format!("a model server at {} is another user's; to use it, name it with --upstream", other.base_url));
    }
    trusted.into_iter().next()
}

impl Chosen {
    /// A server with the models it names, whoever named the server. One that is down may come later: it is watched.
    async fn ask(&mut self, upstream: UpstreamConfig, kind: String, fixed: bool, roots: &[CertificateDer<'static>]) -> anyhow::Result<()> {
        let lister = Lister::new(&upstream, roots)?;
        let listed = if upstream.models.is_empty() { lister.models().await } else { Ok(upstream.models.clone()) };
        let down = listed.as_ref().err().is_some_and(ListFault::is_down);
        let trouble = listed.as_ref().err().map(shown_trouble);
        let upstream = UpstreamConfig { models: listed.unwrap_or_default(), ..upstream };
        let (name, url) = (upstream.name.clone(), upstream.base_url.to_string());
        self.shown.push(UpstreamStatus { name, url, kind, models: upstream.models.clone(), trouble, down });
        self.upstreams.push(upstream.clone());
        self.watched.push(Watched { lister, upstream, fixed });
        Ok(())
    }

    fn built_in(&mut self) {
        self.default = Some(DEFAULT.to_owned());
        self.shown.push(UpstreamStatus {
            name: DEFAULT.into(),
            url: String::new(),
            kind: "built-in responder (not a model)".into(),
            models: vec![BUILT_IN_MODEL.into()],
            trouble: None,
            down: false,
        });
        self.upstreams.push(UpstreamConfig::built_in(DEFAULT));
    }

    fn supervise(&mut self, server: ModelServer) -> anyhow::Result<()> {
        self.default = Some(DEFAULT.to_owned());
        for upstream in supervised(&server.addresses)? {
            self.shown.push(UpstreamStatus {
                name: upstream.name.clone(),
                url: upstream.base_url.to_string(),
                kind: format!("supervised model ({})", server.addresses.model),
                models: upstream.models.clone(),
                trouble: None,
                down: false,
            });
            self.upstreams.push(upstream);
        }
        self.child = Some(server);
        Ok(())
    }

    /// The models of a new system's deployments: what the default server has, else any.
    fn name_models(&mut self) {
        let all: Vec<_> = self.shown.iter().flat_map(|shown| &shown.models).cloned().collect();
        let own = self.shown.iter().find(|shown| Some(&shown.name) == self.default.as_ref());
        let own = own.map(|shown| shown.models.clone()).unwrap_or_default();
        let model = |embeds, of: &[String]| stand_in(of, embeds).cloned();
        let chat = model(false, &own).or_else(|| model(false, &all));
        let embed = all.iter().find(|model| is_embedding(model)).cloned().or_else(|| model(true, &own)).or_else(|| model(true, &all));
        self.chat_model = chat.unwrap_or_else(|| "chat".into());
        self.embed_model = embed.unwrap_or_else(|| "embed".into());
    }
}

/// Whether prompts may go to the server at this end of a connection without anyone having named it: it is the superuser's, a system
/// account's or our own.
fn is_trusted(server: SocketAddr, own: SocketAddr) -> bool {
    is_ours(owner_of(server, own))
}

fn is_ours(owner: PeerOwner) -> bool {
    is_trusted_owner(owner, rustix::process::geteuid().as_raw())
}

fn is_trusted_owner(owner: PeerOwner, own: u32) -> bool {
    const FIRST_PERSON: u32 = 1000;
    match owner {
        PeerOwner::Uid(uid) => uid < FIRST_PERSON || uid == own,
        PeerOwner::Unsupported | PeerOwner::Unknown => false,
    }
}

/// What some calls fail for, if anything.
pub(crate) fn degraded(shown: &[UpstreamStatus]) -> Option<String> {
    let troubled = shown.iter().find(|upstream| upstream.down)?;
    Some(format!("the model server {} {}", troubled.url, troubled.trouble.as_deref().unwrap_or_default()))
}

/// A configured server as the gateway wants it.
pub(crate) fn configured(name: &str, upstream: &Upstream) -> anyhow::Result<UpstreamConfig> {
    let url: Uri = upstream.url.parse().context("this is no URL")?;
    let base = if url.path().trim_matches('/').is_empty() {
        format!("{}/v1", upstream.url.trim_end_matches('/'))
    } else {
        upstream.url.to_string()
    };
    let key = upstream.api_key_file.as_deref();
    let key =
        key.map(|file| std::fs::read_to_string(file).with_context(|| format!("cannot read the upstream key file {}", file.display())));
    Ok(UpstreamConfig {
        models: upstream.models.clone(),
        api_key: key.transpose()?.map(|key| Secret::new(key.trim().to_owned())),
        ca: trust::certificates_in(upstream.ca.as_deref(), "upstream CA")?.into_iter().map(CertificateDer::from).collect(),
        ..UpstreamConfig::open_ai(name, base.trim_end_matches('/').parse()?)
    })
}

/// A fault, and what it means for calls.
fn shown_trouble(fault: &ListFault) -> String {
    let means = match fault {
        ListFault::NoList(_) => "deployments ask it for the model they name",
        ListFault::Unreachable(_) => "calls are answered 503 until it is there",
        ListFault::Credential(_) => "calls are answered 502; check its API key (--upstream-key-file, upstreams.NAME.api_key_file)",
    };
    format!("{fault}; {means}")
}

fn supervised(addresses: &Addresses) -> anyhow::Result<Vec<UpstreamConfig>> {
    let both = [(DEFAULT, &addresses.address, SMOLLM2), (EMBEDDINGS, &addresses.embedding_address, SMOLLM2_EMBEDDINGS)];
    let upstream = |(name, address, model): (&str, &String, &str)| {
        let url = format!("{}/v1", address.trim_end_matches('/')).parse()?;
        Ok(UpstreamConfig { models: vec![model.into()], ..UpstreamConfig::open_ai(name, url) })
    };
    both.into_iter().map(upstream).collect()
}

/// The servers in force; what is learnt of one leaves the others as they are.
#[derive(Debug)]
pub(crate) struct Servers {
    gateway: Arc<Gateway>,
    all: Mutex<Vec<UpstreamConfig>>,
}

impl Servers {
    pub(crate) fn new(gateway: Arc<Gateway>, all: Vec<UpstreamConfig>) -> Arc<Self> {
        Arc::new(Self { gateway, all: Mutex::new(all) })
    }

    fn replace(&self, changed: Vec<UpstreamConfig>) -> Result<(), ConfigError> {
        let mut all = self.all.lock().expect("no holder of this lock panics");
        let mut next = all.clone();
        for changed in changed {
            for one in next.iter_mut().filter(|one| one.name == changed.name) {
                one.clone_from(&changed);
            }
        }
        self.gateway.set_upstreams(next.clone())?;
        *all = next;
        Ok(())
    }
}

/// Starts the supervised model again whenever it ends, until `stop`.
pub(crate) async fn supervise(
    mut server: ModelServer,
    servers: Arc<Servers>,
    operations: Arc<Operations>,
    cache: std::path::PathBuf,
    mut stop: Receiver<bool>,
) {
    loop {
        tokio::select! {
            () = stop::told(&mut stop) => return,
            ended = server.wait() => tracing::warn!(?ended, "the supervised model ended; starting it again"),
        }
        operations.set_degraded(Some("the supervised model ended; it is being started again".to_owned()));
        server = loop {
            tokio::select! {
                () = stop::told(&mut stop) => return,
                () = tokio::time::sleep(RESTART_PAUSE) => {}
            }
            match ModelServer::start(&cache, |_| {}).await {
                Ok(server) => break server,
                Err(error) => tracing::error!(error = format!("{error:#}"), "the supervised model does not start"),
            }
        };
        let swapped = supervised(&server.addresses).and_then(|upstreams| Ok(servers.replace(upstreams)?));
        if let Err(error) = swapped {
            tracing::error!(error = format!("{error:#}"), "the restarted model could not be put in place");
        } else {
            operations.set_degraded(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_another_person_is_not_taken_by_itself_d16() {
        let taken = |owner| is_trusted_owner(owner, 1001);
        assert!([0, 113, 999, 1001].into_iter().all(|uid| taken(PeerOwner::Uid(uid))));
        assert!([1000, 1002, 65_534].into_iter().all(|uid| !taken(PeerOwner::Uid(uid))));
        assert!(!taken(PeerOwner::Unknown) && !taken(PeerOwner::Unsupported));
    }

    /// The kernel is asked about a real connection: the server that answers is this very process.
    #[tokio::test]
    async fn a_server_of_our_own_is_taken_d16() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (_accepted, _) = listener.accept().await.unwrap();
        assert!(is_trusted(ours.peer_addr().unwrap(), ours.local_addr().unwrap()));
    }
}
