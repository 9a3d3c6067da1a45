//! Keeps an eye on the model server: whether it is there, which models it has, and which deployments another model answers.

use std::collections::HashSet;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use keyless_gateway::detect::{ListFault, Lister};
use keyless_gateway::{Gateway, UpstreamConfig};
use keyless_model::Scope;
use keyless_store::Snapshot;
use keyless_web::Platform;
use tokio::sync::watch;

use super::{Servers, degraded, shown_trouble};
use crate::local::api::{DeploymentStatus, UpstreamStatus};
use crate::operations::Operations;
use crate::stop;

/// How often the server is asked: a call that fails says so at once, this is for those who look before they call.
const EVERY: Duration = Duration::from_secs(10);
/// Changes of the directory that follow one another are looked at together.
const SETTLED: Duration = Duration::from_millis(200);
/// The most deployments that `status` shows.
const SHOWN: usize = 20;

/// A server to ask, as it was configured.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(super) lister: Lister,
    pub(super) upstream: UpstreamConfig,
    /// Its models are the owner's word, whatever it lists.
    pub(super) fixed: bool,
}

/// What learns of it.
#[derive(Debug)]
pub(crate) struct Watchers {
    pub(crate) platform: Arc<Platform>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) servers: Arc<Servers>,
    pub(crate) operations: Arc<Operations>,
    pub(crate) shown: Arc<RwLock<Vec<UpstreamStatus>>>,
}

/// Asks until `stop`, and tells whoever looks at the log what changed.
pub(crate) async fn watch(watched: Vec<Watched>, tell: Watchers, mut stop: watch::Receiver<bool>) {
    let mut told = stand_ins(&tell.platform.directory.snapshot(), &tell.gateway);
    let mut revisions = tell.platform.directory.revisions();
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + EVERY, EVERY);
    let known = |watched: &Watched| (!watched.upstream.models.is_empty()).then(|| Ok(watched.upstream.models.clone()));
    let mut last: Vec<_> = watched.iter().map(known).collect();
    loop {
        tokio::select! {
            () = stop::told(&mut stop) => return,
            _ = ticks.tick(), if !watched.is_empty() => {}
            changed = revisions.changed() => match changed {
                Ok(()) => tokio::time::sleep(SETTLED).await,
                Err(_) => return,
            },
        }
        for (watched, last) in watched.iter().zip(&mut last) {
            if revisions.has_changed().unwrap_or(true) {
                break;
            }
            let now = watched.lister.models().await;
            if last.as_ref() != Some(&now) {
                tell.learnt(watched, &now);
                *last = Some(now);
            }
        }
        let present = stand_ins(&tell.platform.directory.snapshot(), &tell.gateway);
        for (deployment, model, answered_by) in present.difference(&told) {
            tracing::warn!(%deployment, %model, %answered_by, "no model server has the model of this deployment; another model answers for it");
        }
        told = present;
    }
}

impl Watchers {
    fn learnt(&self, watched: &Watched, now: &Result<Vec<String>, ListFault>) {
        let trouble = now.as_ref().err().map(shown_trouble);
        let down = now.as_ref().err().is_some_and(ListFault::is_down);
        let mut before = Vec::new();
        let mut all = self.shown.write().expect("no holder of this lock panics");
        if let Some(shown) = all.iter_mut().find(|shown| shown.name == watched.upstream.name) {
            if down && shown.trouble != trouble {
                tracing::warn!(url = %shown.url, trouble = trouble.as_deref().unwrap_or_default(), "the model server is not there");
            } else if !down && shown.trouble.is_some() {
                tracing::warn!(url = %shown.url, "the model server is there again");
            }
            shown.trouble.clone_from(&trouble);
            shown.down = down;
            before = shown.models.clone();
            if let (Ok(models), false) = (now, watched.fixed) {
                shown.models.clone_from(models);
            }
        }
        self.operations.set_degraded(degraded(&all));
        drop(all);
        // A server that is down keeps the models it had: its deployments must not change their model because of a restart.
        if let Ok(models) = now
            && !watched.fixed
            && *models != before
            && let Err(error) = self.servers.replace(vec![UpstreamConfig { models: models.clone(), ..watched.upstream.clone() }])
        {
            tracing::error!(%error, "the model server's new list of models could not be put in place");
        }
    }
}

/// Deployments that another model answers than the one they name: id, model, and what answers.
fn stand_ins(snapshot: &Snapshot, gateway: &Gateway) -> HashSet<(String, String, String)> {
    let root = Scope::root();
    let statuses = served(snapshot, &root, gateway).filter(|served| served.stands_in);
    statuses.map(|served| (served.name, served.model, served.answered_by)).collect()
}

/// What answers each deployment, those that another model answers first; not all of a large directory.
pub(crate) fn deployments(snapshot: &Snapshot, gateway: &Gateway) -> Vec<DeploymentStatus> {
    let root = Scope::root();
    let mut shown: Vec<DeploymentStatus> = served(snapshot, &root, gateway).filter(|served| served.stands_in).take(SHOWN).collect();
    let room = SHOWN - shown.len();
    shown.extend(served(snapshot, &root, gateway).filter(|served| !served.stands_in).take(room));
    shown
}

fn served<'a>(snapshot: &'a Snapshot, root: &'a Scope, gateway: &'a Gateway) -> impl Iterator<Item = DeploymentStatus> + use<'a> {
    let accounts = snapshot.accounts_below(root).filter(|account| account.deleted.is_none());
    accounts.flat_map(|account| {
        snapshot.deployments_of(&account.scope).map(|deployment| {
            let answering = gateway.answering(deployment);
            DeploymentStatus {
                name: format!("{}/{}", account.scope.name(), deployment.scope.name()),
                model: deployment.model.name.clone(),
                stands_in: answering.as_ref().is_some_and(|answering| answering.model != deployment.model.name),
                answered_by: answering.map(|answering| answering.model).unwrap_or_default(),
            }
        })
    })
}
