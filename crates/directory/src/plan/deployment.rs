//! Deployments: models made callable under a name.

use keyless_model::entity::{Deployment, DeploymentModel, Mutation, Sku, Tags};
use keyless_model::{InvalidScope, Scope};

use super::{Means, Planned};

/// A wished deployment.
#[derive(Debug, Clone)]
pub struct NewDeployment {
    /// `{account}/deployments/{name}`.
    pub scope: Scope,
    pub model: DeploymentModel,
    pub sku: String,
    /// Thousands of tokens per minute.
    pub capacity: u32,
    /// The configured upstream that serves it; the default one when absent.
    pub upstream: Option<String>,
    pub tags: Tags,
}

/// The scope of an account's deployment.
///
/// # Errors
/// When the name holds a character that ARM forbids.
pub fn scope(account: &Scope, name: &str) -> Result<Scope, InvalidScope> {
    account.join(&format!("deployments/{name}"))
}

/// A deployment.
#[must_use]
pub fn deployment(new: NewDeployment, means: Means<'_>) -> Planned<Deployment> {
    let entity = Deployment {
        scope: new.scope,
        model: new.model,
        sku: Sku { name: new.sku, capacity: Some(new.capacity) },
        upstream: new.upstream,
        tags: new.tags,
        created: means.now,
        version: 1,
    };
    Planned { mutations: vec![Mutation::put(entity.clone())], entity }
}
