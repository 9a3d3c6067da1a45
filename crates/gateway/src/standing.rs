//! Whether the right under which a call was begun still holds while its answer is under way.
//!
//! It is asked when the directory has changed and never for a piece of the answer. The lifetime of the token is no part of the
//! question: what was begun in time may end, as on Azure.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use keyless_model::Timestamp;
use keyless_store::{Revision, Snapshot};
use keyless_web::Platform;
use tokio::sync::watch;

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

    pub(crate) fn watched(self) -> Watched {
        Watched { change: Box::pin(next_change(self.platform.directory.revisions())), standing: self }
    }
}

type Change = Pin<Box<dyn Future<Output = watch::Receiver<Revision>> + Send>>;

/// A right that is watched for as long as an answer is under way.
pub(crate) struct Watched {
    standing: Standing,
    change: Change,
}

impl Watched {
    /// Ready once the call would be refused.
    pub(crate) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<Refusal> {
        loop {
            if let Err(refusal) = self.standing.check() {
                return Poll::Ready(refusal);
            }
            match self.change.as_mut().poll(cx) {
                Poll::Ready(revisions) => self.change = Box::pin(next_change(revisions)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("standing", &self.standing).finish_non_exhaustive()
    }
}

async fn next_change(mut revisions: watch::Receiver<Revision>) -> watch::Receiver<Revision> {
    if revisions.changed().await.is_err() {
        // No directory, no more changes.
        std::future::pending::<()>().await;
    }
    revisions
}
