//! Chooses what answers the model calls, and keeps the supervised model alive.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http::Uri;
use keyless_gateway::{Gateway, UpstreamConfig, UpstreamKind, detect};
use keyless_model::Secret;
use tokio::sync::watch;

use crate::local::api::UpstreamStatus;
use crate::model::{Addresses, ModelServer};
use crate::options::UpstreamChoice;
use crate::stop;

/// The upstream that serves whatever no other one names.
pub(crate) const DEFAULT: &str = "default";
const EMBEDDINGS: &str = "embeddings";
/// The model names of the supervised model: one file, loaded once to write and once to embed.
const SMOLLM2: &str = "smollm2-135m-instruct";
const SMOLLM2_EMBEDDINGS: &str = "smollm2-135m-embeddings";
const BUILT_IN: &str = "keyless-built-in-responder";
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
}

/// Finds or starts what was asked for. `tell` hears each step that takes time.
pub(crate) async fn choose(choice: &UpstreamChoice, cache: &Path, tell: impl Fn(&str)) -> anyhow::Result<Chosen> {
    match choice {
        UpstreamChoice::Url { url, api_key_file } => named(url, api_key_file.as_deref()),
        UpstreamChoice::BuiltIn => Ok(built_in()),
        UpstreamChoice::SmolLm2 => {
            let server = ModelServer::start(cache, tell).await?;
            let (upstreams, shown) = supervised(&server.addresses)?;
            Ok(Chosen { upstreams, shown, chat_model: SMOLLM2.into(), embed_model: SMOLLM2_EMBEDDINGS.into(), child: Some(server) })
        }
        UpstreamChoice::Detect => match detect::local().await.into_iter().next() {
            Some(found) => {
                tell(&format!("found {} at {}", found.name, found.base_url));
                Ok(detected(found))
            }
            None => {
                tell("no model server answers on this machine; the built-in responder, which is no model, stands in");
                Ok(built_in())
            }
        },
    }
}

fn named(url: &str, api_key_file: Option<&Path>) -> anyhow::Result<Chosen> {
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
    let upstream = UpstreamConfig {
        name: DEFAULT.into(),
        kind: UpstreamKind::OpenAi,
        base_url: text.parse()?,
        models: Vec::new(),
        api_key,
        ca: Vec::new(),
    };
    let shown = vec![UpstreamStatus { name: DEFAULT.into(), url: text, kind: "model server".into(), models: Vec::new() }];
    Ok(Chosen { upstreams: vec![upstream], shown, chat_model: "chat".into(), embed_model: "embed".into(), child: None })
}

fn detected(found: detect::Found) -> Chosen {
    let embeds = |model: &&String| model.to_ascii_lowercase().contains("embed");
    let chat = found.models.iter().find(|model| !embeds(model)).or(found.models.first()).cloned().unwrap_or_else(|| "chat".into());
    let embed = found.models.iter().find(embeds).cloned().unwrap_or_else(|| chat.clone());
    let url = found.base_url.to_string();
    let shown =
        vec![UpstreamStatus { name: DEFAULT.into(), url, kind: format!("model server ({})", found.name), models: found.models.clone() }];
    let upstream = UpstreamConfig {
        name: DEFAULT.into(),
        kind: UpstreamKind::OpenAi,
        base_url: found.base_url,
        models: found.models,
        api_key: None,
        ca: Vec::new(),
    };
    Chosen { upstreams: vec![upstream], shown, chat_model: chat, embed_model: embed, child: None }
}

fn built_in() -> Chosen {
    let upstream = UpstreamConfig {
        name: DEFAULT.into(),
        kind: UpstreamKind::BuiltInResponder,
        base_url: Uri::from_static("http://127.0.0.1/v1"),
        models: Vec::new(),
        api_key: None,
        ca: Vec::new(),
    };
    let shown = vec![UpstreamStatus {
        name: DEFAULT.into(),
        url: String::new(),
        kind: "built-in responder (not a model)".into(),
        models: vec![BUILT_IN.into()],
    }];
    Chosen { upstreams: vec![upstream], shown, chat_model: BUILT_IN.into(), embed_model: BUILT_IN.into(), child: None }
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
        });
        upstreams.push(UpstreamConfig {
            name: name.into(),
            kind: UpstreamKind::OpenAi,
            base_url: url.parse()?,
            models: vec![model.into()],
            api_key: None,
            ca: Vec::new(),
        });
    }
    Ok((upstreams, shown))
}

/// Starts the supervised model again whenever it ends, until `stop`.
pub(crate) async fn supervise(mut server: ModelServer, gateway: Arc<Gateway>, cache: std::path::PathBuf, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = stop::told(&mut stop) => return,
            ended = server.wait() => tracing::warn!(?ended, "the supervised model ended; starting it again"),
        }
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
        }
    }
}
