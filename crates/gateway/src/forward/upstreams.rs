//! The configured model servers, and which one serves a deployment.

use std::sync::Arc;

use http::{HeaderValue, Uri};
use keyless_model::entity::Deployment;

use super::client::Connecting;
use crate::config::{Config, ConfigError, UpstreamConfig, UpstreamKind, check};
use crate::detect::{is_embedding, knows, stand_in};
use crate::route::Shape;

/// What the built-in responder calls itself, so that it is never taken for a model.
pub const BUILT_IN_MODEL: &str = "keyless-built-in-responder";

/// The list that is in force.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    all: Vec<Arc<Upstream>>,
    default: Option<Arc<Upstream>>,
}

/// One model server.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    models: Vec<String>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    OpenAi(Box<OpenAi>),
    BuiltIn,
}

/// A server that speaks OpenAI's interface.
#[derive(Debug)]
pub(super) struct OpenAi {
    pub(super) connecting: Arc<Connecting>,
    pub(super) paths: Paths,
    pub(super) authorization: Option<HeaderValue>,
}

/// Where each shape of request goes; worked out once.
#[derive(Debug)]
pub(super) struct Paths([Uri; 9]);

/// How a deployment is served.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) upstream: Arc<Upstream>,
    /// The name that the server knows the model by.
    pub(crate) model: String,
}

impl Upstreams {
    /// # Errors
    /// With all that is wrong.
    pub(crate) fn new(default: Option<&str>, upstreams: &[UpstreamConfig], config: &Config) -> Result<Self, ConfigError> {
        check(default, upstreams, !config.roots.is_empty())?;
        let all = upstreams.iter().map(|upstream| Upstream::new(upstream, config).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
        let default = all.iter().find(|upstream| Some(upstream.name.as_str()) == default).cloned();
        Ok(Self { all, default })
    }

    /// The upstream that the deployment asks for, else one that names its model, else the default one. A deployment that asks for
    /// an upstream by name is never served by another.
    pub(crate) fn serving(&self, deployment: &Deployment) -> Option<Served> {
        let model = &deployment.model.name;
        let upstream = match &deployment.upstream {
            Some(name) => self.all.iter().find(|upstream| upstream.name == *name),
            None => self.all.iter().find(|upstream| knows(&upstream.models, model)).or(self.default.as_ref()),
        }?;
        // A server that names its models answers to those names only; then one of them stands in.
        let embeds = || is_embedding(model) || is_embedding(deployment.scope.name());
        let stand_in = if knows(&upstream.models, model) { None } else { stand_in(&upstream.models, embeds()) };
        Some(Served { upstream: Arc::clone(upstream), model: stand_in.unwrap_or(model).clone() })
    }
}

impl Served {
    /// What the model is called where people read it.
    pub(crate) fn shown(self) -> String {
        match self.upstream.kind {
            Kind::BuiltIn => BUILT_IN_MODEL.to_owned(),
            Kind::OpenAi(_) => self.model,
        }
    }
}

impl Upstream {
    fn new(config: &UpstreamConfig, gateway: &Config) -> Result<Self, ConfigError> {
        let kind = match config.kind {
            UpstreamKind::BuiltInResponder => Kind::BuiltIn,
            UpstreamKind::OpenAi => {
                let problem = |what| ConfigError { problems: vec![format!("the {what} of upstream `{}` cannot be used", config.name)] };
                let roots = if config.ca.is_empty() { &gateway.roots } else { &config.ca };
                let authorization = config.api_key.as_ref().map(|key| bearer(key.expose())).transpose();
                Kind::OpenAi(Box::new(OpenAi {
                    connecting: Arc::new(Connecting::new(roots, gateway.timeouts, config.trusts)),
                    paths: Paths::below(&config.base_url).map_err(|_| problem("base url"))?,
                    authorization: authorization.map_err(|_| problem("api key"))?,
                }))
            }
        };
        Ok(Self { name: config.name.clone(), models: config.models.clone(), kind })
    }
}

pub(super) fn bearer(key: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {key}"))?;
    // Keeps it out of `Debug` and out of HTTP/2's compression tables.
    value.set_sensitive(true);
    Ok(value)
}

impl Paths {
    fn below(base: &Uri) -> Result<Self, http::Error> {
        let base_path = base.path().trim_end_matches('/');
        let uri = |path: &str| {
            let mut parts = base.clone().into_parts();
            parts.path_and_query = Some(format!("{base_path}{path}").parse()?);
            Ok::<_, http::Error>(Uri::from_parts(parts)?)
        };
        Ok(Self([
            uri("/chat/completions")?,
            uri("/completions")?,
            uri("/embeddings")?,
            uri("/responses")?,
            uri("/audio/speech")?,
            uri("/images/generations")?,
            uri("/audio/transcriptions")?,
            uri("/audio/translations")?,
            uri("/images/edits")?,
        ]))
    }

    pub(super) fn of(&self, shape: Shape) -> Uri {
        let [chat, completions, embeddings, responses, speech, images, transcriptions, translations, edits] = &self.0;
        match shape {
            Shape::Chat => chat,
            Shape::Completions => completions,
            Shape::Embeddings => embeddings,
            Shape::Responses => responses,
            Shape::Speech => speech,
            Shape::Images => images,
            Shape::Transcriptions => transcriptions,
            Shape::Translations => translations,
            Shape::ImageEdits => edits,
        }
        .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(model: &str, upstream: Option<&str>) -> Deployment {
        serde_json::from_value(serde_json::json!({
            "scope": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/deployments/d",
            "model": {"format": "OpenAI", "name": model}, "sku": {"name": "Standard"}, "created": 0, "version": 1, "upstream": upstream,
        }))
        .unwrap()
    }

    #[test]
    fn a_deployment_is_served_by_name_then_by_model_then_by_default() {
        let named = |name: &str, models: &[&str]| UpstreamConfig {
            models: models.iter().map(|model| (*model).to_owned()).collect(),
            ..UpstreamConfig::open_ai(name, "http://127.0.0.1:1/v1/".parse().unwrap())
        };
        let list = [named("a", &["m1", "m2"]), named("b", &["m3"]), named("any", &[])];
        let served = |default, model: &str, upstream| {
            let upstreams = Upstreams::new(default, &list, &Config::default()).unwrap();
            upstreams.serving(&deployment(model, upstream)).map(|served| (served.upstream.name.clone(), served.model))
        };
        let expect = |name: &str, model: &str| Some((name.to_owned(), model.to_owned()));
        assert_eq!(served(None, "m3", None), expect("b", "m3"));
        assert_eq!(served(None, "m3", Some("a")), expect("a", "m1"), "a named server gets a name it knows");
        assert_eq!(served(None, "m3", Some("gone")), None, "never another than the one named");
        assert_eq!(served(Some("any"), "gpt-9", None), expect("any", "gpt-9"));
        assert_eq!(served(Some("a"), "gpt-9", None), expect("a", "m1"));
        assert_eq!(served(None, "gpt-9", None), None);
    }

    #[test]
    fn paths_hang_below_the_base_url() {
        let paths = Paths::below(&"http://127.0.0.1:8080/api/v1/".parse().unwrap()).unwrap();
        assert_eq!(paths.of(Shape::Chat).to_string(), "http://127.0.0.1:8080/api/v1/chat/completions");
        assert_eq!(Paths::below(&"http://127.0.0.1:8080".parse().unwrap()).unwrap().of(Shape::Images).path(), "/images/generations");
    }
}
