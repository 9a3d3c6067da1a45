//! Which events are meant: the words of the command line, with names resolved and times fixed.

use keyless_audit::{AuditEvent, Category, Outcome};
use keyless_model::{ObjectId, Scope, Timestamp};
use keyless_server::local::nearest;
use keyless_store::audit_log::Filter;

use super::names::Names;
use crate::args::{self, AuditFilter};
use crate::client::{FORMS, Place};
use crate::failure::Failure;

/// Every condition given must hold.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) filter: Filter,
    /// Places by ARM id.
    below: Vec<Scope>,
    /// Places by names: kinds in an ARM id and what follows them. Places that are gone have events too, and no id that anyone remembers.
    named: Vec<(&'static str, String)>,
}

impl Wanted {
    /// # Errors
    /// When a principal is named that neither is an id nor known to the running system, or a place that is none.
    pub(super) fn new(words: &AuditFilter, names: &Names, now: Timestamp) -> Result<Self, Failure> {
        let filter = Filter {
            principal: words.principal.as_deref().map(|named| principal(named, names)).transpose()?,
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
            ..Filter::default()
        };
        let mut wanted = Self { filter, ..Self::default() };
        for asked in [&words.scope, &words.account].into_iter().flatten() {
            wanted.narrow(Place::read(asked)?)?;
        }
        match words.deployment.as_deref().map(Place::read).transpose()? {
            Some(Place::Account(name)) => wanted.filter.deployment = Some(name.to_owned()),
            Some(place) => wanted.narrow(place)?,
            None => {}
        }
        Ok(wanted)
    }

    fn narrow(&mut self, place: Place<'_>) -> Result<(), Failure> {
        match place {
            Place::Id("/") => {}
            Place::Id(id) => self.below.push(id.parse().map_err(|_| Failure::usage(format!("`{id}` is no ARM id"), FORMS))?),
            Place::Subscription => self.named.push(("subscriptions", String::new())),
            Place::ManagementGroup(name) => self.named.push(("managementGroups", name.to_owned())),
            Place::Group(name) => self.named.push(("resourceGroups", name.to_owned())),
            Place::Account(name) => self.named.push(("accounts", name.to_owned())),
            Place::Deployment { account, name } => {
                self.named.push(("accounts", account.to_owned()));
                self.filter.deployment = Some(name.to_owned());
            }
            Place::Identity(name) => self.named.push(("userAssignedIdentities", name.to_owned())),
            Place::Host(name) => self.named.push(("virtualMachines", name.to_owned())),
        }
        Ok(())
    }

    pub(super) fn matches(&self, event: &AuditEvent) -> bool {
        self.filter.matches(event) && self.is_there(event)
    }

    /// Whether it happened at the places that the log's own filter does not know.
    pub(super) fn is_there(&self, event: &AuditEvent) -> bool {
        let target = event.target.as_ref();
        let named = |(kind, name): &(&str, String)| {
            let found = target.and_then(|target| segment_after(target.as_str(), kind));
            // Any subscription: a system has one.
            found.is_some_and(|found| name.is_empty() || found.eq_ignore_ascii_case(name))
        };
        self.below.iter().all(|scope| target.is_some_and(|target| scope.covers(target))) && self.named.iter().all(named)
    }
}

/// The object id of a caller, by name or id.
pub(crate) fn principal(named: &str, names: &Names) -> Result<ObjectId, Failure> {
    names.object_id(named).unwrap_or(named).parse().map_err(|_| {
        let unknown = "names are known while the system runs and the identity exists; otherwise give the object id";
        let next = nearest(named, names.all()).map_or_else(|| unknown.to_owned(), |meant| format!("did you mean `{meant}`?"));
        Failure::new(format!("nobody here is called `{named}`"), next)
    })
}

/// The name of the account at which it happened.
pub(crate) fn account_of(event: &AuditEvent) -> Option<String> {
    segment_after(event.target.as_ref()?.as_str(), "accounts")
}

/// The deployment that was called, or changed.
pub(super) fn deployment_of(event: &AuditEvent) -> Option<String> {
    let called = event.data.as_ref().and_then(|data| data.deployment.as_deref().map(str::to_owned));
    called.or_else(|| segment_after(event.target.as_ref()?.as_str(), "deployments"))
}

/// What follows a kind in an id.
fn segment_after(id: &str, kind: &str) -> Option<String> {
    let mut segments = id.split('/').skip_while(|segment| !segment.eq_ignore_ascii_case(kind));
    segments.nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests;
