//! The body of a deployment's PUT and PATCH.

use keyless_model::entity::{Deployment, DeploymentModel};
use serde::Deserialize;

use crate::arm::tags::TagsBody;
use crate::failure::{Code, Failure};
use crate::routes::models::MAX_CAPACITY;
use keyless_model::name;

#[derive(Deserialize)]
pub(super) struct Body {
    pub(super) sku: Option<SkuBody>,
    #[serde(default)]
    pub(super) tags: TagsBody,
    #[serde(default)]
    pub(super) properties: Properties,
}

#[derive(Default, Deserialize)]
pub(super) struct Properties {
    pub(super) model: Option<DeploymentModel>,
    /// Ours, not Azure's: the upstream that shall serve it; an empty name takes it back.
    pub(super) upstream: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct SkuBody {
    pub(super) name: Option<String>,
    pub(super) capacity: Option<Capacity>,
}

/// `az` sends the capacity as text (`az-contract` section 6).
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Capacity {
    Number(u64),
    Text(String),
}

impl Capacity {
    fn read(&self) -> Result<u32, Failure> {
        let number = match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        };
        let fits = number.and_then(|number| u32::try_from(number).ok()).filter(|number| (1..=MAX_CAPACITY).contains(number));
        fits.ok_or_else(|| {
            let message = format!("The capacity must be a number from 1 to {MAX_CAPACITY}, in thousands of tokens per minute.");
            Failure::new(Code::InvalidCapacity, message).at("sku.capacity")
        })
    }
}

impl Body {
    /// Applies the body to `deployment`.
    pub(super) fn apply(&self, deployment: &mut Deployment, upstreams: &[String]) -> Result<(), Failure> {
        deployment.tags = self.tags.over(&deployment.tags)?;
        if let Some(sku) = &self.sku {
            if let Some(name) = &sku.name {
                deployment.sku.name = check("sku.name", name)?;
            }
            if let Some(capacity) = &sku.capacity {
                deployment.sku.capacity = Some(capacity.read()?);
            }
        }
        if let Some(model) = &self.properties.model {
            deployment.model = DeploymentModel {
                format: check("properties.model.format", &model.format)?,
                name: check("properties.model.name", &model.name)?,
                version: model.version.as_deref().map(|version| check("properties.model.version", version)).transpose()?,
            };
        }
        if let Some(upstream) = &self.properties.upstream {
            if !upstream.is_empty() && !upstreams.contains(upstream) {
                let message = format!("No upstream is called '{upstream}'. Name one of: {}.", upstreams.join(", "));
                return Err(Failure::new(Code::InvalidResourceProperties, message).at("properties.upstream"));
            }
            deployment.upstream = (!upstream.is_empty()).then(|| upstream.clone());
        }
        Ok(())
    }
}

fn check(property: &'static str, text: &str) -> Result<String, Failure> {
    match name::display(text, "a model or SKU", 128) {
        Ok(()) => Ok(text.to_owned()),
        Err(error) => Err(Failure::new(Code::InvalidResourceProperties, error.to_string()).at(property)),
    }
}
