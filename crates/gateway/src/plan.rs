//! What every call of one deployment has in common, worked out once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderValue;
use keyless_model::Timestamp;
use keyless_model::entity::{Account, Deployment};

use crate::admit::{Budget, Budgets, limits_of};
use crate::forward::{Served, Upstreams};

/// A deployment ready to be called.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) account: Arc<Account>,
    pub(crate) deployment: Arc<Deployment>,
    /// The list of upstreams that `served` was chosen from.
    upstreams: Arc<Upstreams>,
    pub(crate) name: Arc<str>,
    pub(crate) model: Arc<str>,
    /// The model that answers; another than `model` where the server does not have that one.
    pub(crate) answered_by: Arc<str>,
    pub(crate) model_version: Option<Arc<str>>,
    /// Which server, under which model name; none when no upstream is configured for it.
    pub(crate) served: Option<Served>,
    /// The budget that its capacity gives; none is unlimited.
    pub(crate) budget: Option<Budget>,
    pub(crate) name_header: HeaderValue,
    pub(crate) region_header: HeaderValue,
}

/// Plans by deployment. A plan counts only for the very documents it was made from, so a change of the account, the deployment or
/// the upstreams takes effect with the next call.
#[derive(Debug, Default)]
pub(crate) struct Plans(RwLock<HashMap<Box<str>, Arc<Plan>>>);

/// Beyond this many, all are forgotten and made again: deleted deployments leave theirs behind.
const MANY: usize = 50_000;

impl Plans {
    pub(crate) fn plan(
        &self,
        account: &Arc<Account>,
        deployment: &Arc<Deployment>,
        upstreams: &Arc<Upstreams>,
        budgets: &Budgets,
        now: Timestamp,
    ) -> Arc<Plan> {
        let id = deployment.scope.folded();
        // A poisoned lock only means that another thread panicked; the map itself is whole.
        if let Some(plan) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(id)
            && Arc::ptr_eq(&plan.account, account)
            && Arc::ptr_eq(&plan.deployment, deployment)
            && Arc::ptr_eq(&plan.upstreams, upstreams)
        {
            return Arc::clone(plan);
        }
        let served = upstreams.serving(deployment);
        let answered_by = served.clone().map_or_else(|| deployment.model.name.clone(), Served::shown);
        // The version is that of the model which the deployment names; of the one that stands in nobody knows it.
        let version = deployment.model.version.as_deref().filter(|version| !version.is_empty() && answered_by == deployment.model.name);
        let plan = Arc::new(Plan {
            account: Arc::clone(account),
            deployment: Arc::clone(deployment),
            upstreams: Arc::clone(upstreams),
            name: deployment.scope.name().into(),
            model: deployment.model.name.as_str().into(),
            model_version: version.map(Into::into),
            answered_by: answered_by.into(),
            served,
            budget: limits_of(deployment).map(|limits| budgets.budget(id, None, limits, now)),
            name_header: header(deployment.scope.name()),
            region_header: header(&account.location),
        });
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MANY {
            all.clear();
        }
        all.insert(id.into(), Arc::clone(&plan));
        plan
    }
}

/// Names come from the directory; one that no header can carry is left out rather than trusted (case 86).
fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
