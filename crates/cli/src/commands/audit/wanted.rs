//! Which events are meant: the words of the command line, with names resolved and times fixed.

use keyless_audit::{AuditEvent, Category, Outcome};
use keyless_model::{ObjectId, Timestamp};
use keyless_store::audit_log::Filter;

use super::names::Names;
use crate::args::{self, AuditFilter};
use crate::failure::Failure;

/// Every condition given must hold.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) filter: Filter,
    /// An account's name, in lower case: accounts that are gone have events too, and no id that anyone remembers.
    account: Option<String>,
}

impl Wanted {
    /// # Errors
    /// When a principal is named that neither is an id nor known to the running system.
    pub(super) fn new(words: &AuditFilter, names: &Names, now: Timestamp) -> Result<Self, Failure> {
        let account = words.account.as_deref();
        let filter = Filter {
            principal: words.principal.as_deref().map(|named| principal(named, names)).transpose()?,
            scope: account.filter(|account| account.starts_with('/')).and_then(|account| account.parse().ok()),
            deployment: words.deployment.clone(),
            since: words.since.map(|moment| moment.resolve(now)),
            until: words.until.map(|moment| moment.resolve(now)),
            outcome: words.outcome.map(|outcome| match outcome {
                args::Outcome::Allowed => Outcome::Allowed,
                args::Outcome::Denied => Outcome::Denied,
                args::Outcome::Failed => Outcome::Failed,
            }),
            category: words.category.map(|category| match category {
                args::Category::Control => Category::Control,
                args::Category::Data => Category::Data,
                args::Category::Token => Category::Token,
                args::Category::System => Category::System,
            }),
            request_id: None,
        };
        let account = account
            .filter(|_| filter.scope.is_none())
            .map(|account| account.strip_prefix("account/").unwrap_or(account).to_ascii_lowercase());
        Ok(Self { filter, account })
    }

    pub(super) fn matches(&self, event: &AuditEvent) -> bool {
        self.filter.matches(event) && self.is_at_account(event)
    }

    pub(super) fn is_at_account(&self, event: &AuditEvent) -> bool {
        self.account.as_ref().is_none_or(|account| account_of(event).is_some_and(|found| found.eq_ignore_ascii_case(account)))
    }
}

/// The object id of a caller, by name or id.
pub(crate) fn principal(named: &str, names: &Names) -> Result<ObjectId, Failure> {
    names.object_id(named).unwrap_or(named).parse().map_err(|_| {
        Failure::new(
            format!("nobody here is called `{named}`"),
            "names are known while the system runs and the identity exists; otherwise give the object id",
        )
    })
}

/// The name of the account at which it happened.
pub(crate) fn account_of(event: &AuditEvent) -> Option<String> {
    segment_after(event.target.as_ref()?.as_str(), "/accounts/")
}

/// The deployment that was called, or changed.
pub(super) fn deployment_of(event: &AuditEvent) -> Option<String> {
    let called = event.data.as_ref().and_then(|data| data.deployment.as_deref().map(str::to_owned));
    called.or_else(|| segment_after(event.target.as_ref()?.as_str(), "/deployments/"))
}

fn segment_after(id: &str, word: &str) -> Option<String> {
    let (_, rest) = id.split_once(word)?;
    rest.split('/').next().map(str::to_owned)
}

#[cfg(test)]
mod tests;
