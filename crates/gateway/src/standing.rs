//! Whether the right under which a call was begun still holds while its answer is under way.
//!
//! It is asked when the directory has changed and never for a piece of the answer. The lifetime of the token is no part of the
//! question: what was begun in time may end, as on Azure.

use std::net::IpAddr;
use std::sync::Arc;

use keyless_model::Timestamp;
use keyless_store::{Revision, Snapshot};
use keyless_web::Platform;

use crate::authenticate::{Callers, Identity};
use crate::authorize::decide;
use crate::network;
use crate::plan::Plan;
use crate::refuse::Refusal;
use crate::route::Operation;

/// What was judged when the call began, to be judged again.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) platform: Arc<Platform>,
    pub(crate) callers: Arc<Callers>,
    pub(crate) identity: Identity,
    pub(crate) operation: &'static Operation,
    pub(crate) plan: Arc<Plan>,
    pub(crate) source: Option<IpAddr>,
    pub(crate) began: Timestamp,
    /// The directory as of which the right is known to hold.
    pub(crate) seen: Revision,
}

impl Standing {
    /// # Errors
    /// When the call would be refused now.
    pub(crate) fn check(&mut self) -> Result<(), Refusal> {
        let snapshot = self.platform.directory.load();
        if snapshot.revision() == self.seen {
            return Ok(());
        }
        self.judge(&snapshot)?;
        self.seen = snapshot.revision();
        Ok(())
    }

    fn judge(&self, snapshot: &Snapshot) -> Result<(), Refusal> {
        let (account, deployment) = (&self.plan.account.scope, &self.plan.deployment.scope);
        let account = snapshot.account(account).filter(|account| account.deleted.is_none()).ok_or(Refusal::UnknownAccount)?;
        if let Some(source) = self.source {
            network::check(account, source)?;
        }
        self.callers.recognise_again(snapshot, account, &self.identity, self.began)?;
        decide(snapshot, account, &self.identity, self.operation, deployment)?;
        snapshot.deployment(&account.scope, deployment.name()).map(|_| ()).ok_or(Refusal::DeploymentNotFound)
    }
}
