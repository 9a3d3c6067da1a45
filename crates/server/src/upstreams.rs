//! Chooses what answers the model calls, and keeps the supervised model alive.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http::Uri;
use keyless_gateway::detect::{self, ListFault, Lister, stand_in};
use keyless_gateway::{BUILT_IN_MODEL, Gateway, UpstreamConfig};
use keyless_model::Secret;
use keyless_web::{PeerOwner, owner_of};
use rustls::pki_types::CertificateDer;
use tokio::sync::watch::Receiver;

use crate::local::api::UpstreamStatus;
use crate::model::{Addresses, ModelServer};
use crate::operations::Operations;
use crate::options::UpstreamChoice;
use crate::stop;

mod watch;

pub(crate) use watch::{Watched, Watchers, deployments, watch};

/// The upstream that serves whatever no other one names.
pub(crate) const DEFAULT: &str = "default";
const EMBEDDINGS: &str = "embeddings";
/// The model names of the supervised model: one file, loaded once to write and once to embed.
const SMOLLM2: &str = "smollm2-135m-instruct";
const SMOLLM2_EMBEDDINGS: &str = "smollm2-135m-embeddings";
/// Wait before the supervised model is started again.
const RESTART_PAUSE: Duration = Duration::from_secs(2);

/// What was chosen.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) upstreams: Vec<UpstreamConfig>,
    pub(crate) shown: Vec<UpstreamStatus>,
    /// The models that a new system's deployments `chat` and `embed` name.
    pub(crate) chat_model: String,
    pub(crate) embed_model: String,
    pub(crate) child: Option<ModelServer>,
    /// A server that is not ours to start, to be watched.
    pub(crate) watched: Option<Watched>,
}

/// Whether what was asked for can be meant; asks no server.
pub(crate) fn check(choice: &UpstreamChoice) -> anyhow::Result<()> {
    match choice {
        UpstreamChoice::Url { url, api_key_file } => named(url, api_key_file.as_deref()).map(drop),
        UpstreamChoice::BuiltIn | UpstreamChoice::SmolLm2 | UpstreamChoice::Detect => Ok(()),
    }
}

/// Finds or starts what was asked for. `roots` are those of the operating system; `tell` hears each step that takes time.
pub(crate) async fn choose(
    choice: &UpstreamChoice,
    cache: &Path,
    roots: &[CertificateDer<'static>],
    tell: impl Fn(&str),
) -> anyhow::Result<Chosen> {
    match choice {
        UpstreamChoice::Url { url, api_key_file } => asked(named(url, api_key_file.as_deref())?, "model server".to_owned(), roots).await,
        UpstreamChoice::BuiltIn => Ok(built_in()),
        UpstreamChoice::SmolLm2 => {
            let server = ModelServer::start(cache, tell).await?;
            let (upstreams, shown) = supervised(&server.addresses)?;
            let child = Some(server);
            Ok(Chosen { upstreams, shown, chat_model: SMOLLM2.into(), embed_model: SMOLLM2_EMBEDDINGS.into(), child, watched: None })
        }
        UpstreamChoice::Detect => {
            let (trusted, others): (Vec<_>, Vec<_>) =
                detect::among(&detect::CANDIDATES, is_trusted).await.into_iter().partition(|found| found.trusted);
            // SECURITY: prompts do not go to whoever on a shared machine was the first to listen on a well-known port.
            for other in others {
                tell(&format!("a model server at {} is another user's; to use it, name it with --upstream", other.base_url));
            }
            match trusted.into_iter().next() {
                Some(found) => {
                    tell(&format!("found {} at {}", found.name, found.base_url));
                    let (models, trusts) = (found.models, Some(is_ours as fn(PeerOwner) -> bool));
                    let upstream = UpstreamConfig { models, trusts, ..UpstreamConfig::open_ai(DEFAULT, found.base_url) };
                    asked(upstream, format!("model server ({})", found.name), roots).await
                }
                None => {
                    tell("no model server answers on this machine; the built-in responder, which is no model, stands in");
                    Ok(built_in())
                }
            }
        }
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

fn named(url: &str, api_key_file: Option<&Path>) -> anyhow::Result<UpstreamConfig> {
    let wrong = || format!("`{url}` is no upstream; give the base URL of an OpenAI-compatible server, such as http://127.0.0.1:11434");
    let parsed: Uri = url.parse().with_context(wrong)?;
    if !matches!(parsed.scheme_str(), Some("http" | "https")) || parsed.authority().is_none() || parsed.query().is_some() {
        bail!(wrong());
    }
    let path = parsed.path().trim_end_matches('/');
    let text = format!(
        "{}://{}{}",
        parsed.scheme_str().unwrap_or("http"),
        parsed.authority().map(http::uri::Authority::as_str).unwrap_or_default(),
        if path.is_empty() { "/v1" } else { path }
    );
    let api_key = api_key_file
        .map(|file| std::fs::read_to_string(file).with_context(|| format!("cannot read the upstream key file {}", file.display())))
        .transpose()?
        .map(|key| Secret::new(key.trim().to_owned()));
    Ok(UpstreamConfig { api_key, ..UpstreamConfig::open_ai(DEFAULT, text.parse()?) })
}

/// A server with the models it names, whoever named the server. One that is down may come later: it is watched.
async fn asked(upstream: UpstreamConfig, kind: String, roots: &[CertificateDer<'static>]) -> anyhow::Result<Chosen> {
    let lister = Lister::new(&upstream, roots)?;
    let listed = if upstream.models.is_empty() { lister.models().await } else { Ok(upstream.models.clone()) };
    let down = listed.as_ref().err().is_some_and(ListFault::is_down);
    let trouble = listed.as_ref().err().map(shown_trouble);
    let upstream = UpstreamConfig { models: listed.unwrap_or_default(), ..upstream };
    let model = |embeds| stand_in(&upstream.models, embeds).cloned();
    let shown =
        UpstreamStatus { name: DEFAULT.into(), url: upstream.base_url.to_string(), kind, models: upstream.models.clone(), trouble, down };
    Ok(Chosen {
        chat_model: model(false).unwrap_or_else(|| "chat".into()),
        embed_model: model(true).unwrap_or_else(|| "embed".into()),
        upstreams: vec![upstream.clone()],
        shown: vec![shown],
        child: None,
        watched: Some(Watched { lister, upstream }),
    })
}

/// A fault, and what it means for calls.
fn shown_trouble(fault: &ListFault) -> String {
    let means = match fault {
        ListFault::NoList(_) => "deployments ask it for the model they name",
        ListFault::Unreachable(_) => "calls are answered 503 until it is there",
        ListFault::Credential(_) => "calls are answered 502; check --upstream-key-file",
    };
    format!("{fault}; {means}")
}

fn built_in() -> Chosen {
    let shown = vec![UpstreamStatus {
        name: DEFAULT.into(),
        url: String::new(),
        kind: "built-in responder (not a model)".into(),
        models: vec![BUILT_IN_MODEL.into()],
        trouble: None,
        down: false,
    }];
    Chosen {
        upstreams: vec![UpstreamConfig::built_in(DEFAULT)],
        shown,
        chat_model: BUILT_IN_MODEL.into(),
        embed_model: BUILT_IN_MODEL.into(),
        child: None,
        watched: None,
    }
}

fn supervised(addresses: &Addresses) -> anyhow::Result<(Vec<UpstreamConfig>, Vec<UpstreamStatus>)> {
    let mut upstreams = Vec::new();
    let mut shown = Vec::new();
    for (name, address, model) in [(DEFAULT, &addresses.address, SMOLLM2), (EMBEDDINGS, &addresses.embedding_address, SMOLLM2_EMBEDDINGS)] {
        let url = format!("{}/v1", address.trim_end_matches('/'));
        shown.push(UpstreamStatus {
            name: name.into(),
            url: url.clone(),
            kind: format!("supervised model ({})", addresses.model),
            models: vec![model.into()],
            trouble: None,
            down: false,
        });
        upstreams.push(UpstreamConfig { models: vec![model.into()], ..UpstreamConfig::open_ai(name, url.parse()?) });
    }
    Ok((upstreams, shown))
}

/// Starts the supervised model again whenever it ends, until `stop`.
pub(crate) async fn supervise(
    mut server: ModelServer,
    gateway: Arc<Gateway>,
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
        let swapped = supervised(&server.addresses).and_then(|(upstreams, _)| Ok(gateway.set_upstreams(upstreams)?));
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
