//! What people call things, as the ids that the control plane wants: names, ids and resource ids alike, and what was probably meant
//! when there is nothing of that name.

use keyless_server::local::api::{AccountStatus, PrincipalStatus};
use keyless_server::local::nearest;

use super::system::System;
use crate::failure::Failure;

/// A deployment by its account and name; it need not exist.
pub(crate) struct DeploymentName<'a> {
    pub(crate) account: &'a AccountStatus,
    pub(crate) name: String,
}

impl DeploymentName<'_> {
    pub(crate) fn id(&self) -> String {
        format!("{}/deployments/{}", self.account.id, self.name)
    }

    /// As people write it, and as every command takes it.
    pub(crate) fn short(&self) -> String {
        format!("{}/{}", self.account.name, self.name)
    }
}

/// What to do about a name that nothing has.
pub(crate) fn meant<'a>(asked: &str, known: impl Iterator<Item = &'a str> + Clone, otherwise: &str) -> String {
    match (nearest(asked, known.clone()), known.clone().next()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(_)) if known.clone().count() <= 8 => format!("choose one of: {}", known.collect::<Vec<_>>().join(", ")),
        _ => otherwise.to_owned(),
    }
}

impl System {
    /// `account/deployment`, a deployment of the default account, or an ARM id.
    ///
    /// # Errors
    /// When the account does not exist; the deployment may not.
    pub(crate) fn deployment_named(&self, asked: &str) -> Result<DeploymentName<'_>, Failure> {
        let (account, name) = match asked.to_lowercase().find("/deployments/") {
            Some(at) if asked.starts_with('/') => {
                (Some(asked.get(..at).unwrap_or_default()), asked.get(at + "/deployments/".len()..).unwrap_or_default())
            }
            _ => asked.rsplit_once('/').map_or((None, asked), |(account, name)| (Some(account), name)),
        };
        if name.is_empty() || name.contains('/') {
            return Err(Failure::usage(format!("`{asked}` names no deployment"), "write account/deployment, such as demo-ai/chat"));
        }
        Ok(DeploymentName { account: self.account(account)?, name: name.to_owned() })
    }

    /// A deployment that is there.
    ///
    /// # Errors
    /// When there is none such.
    pub(crate) fn deployment(&self, asked: &str) -> Result<DeploymentName<'_>, Failure> {
        let found = self.deployment_named(asked)?;
        let known = || found.account.deployments.iter().map(String::as_str);
        match known().find(|known| known.eq_ignore_ascii_case(&found.name)) {
            Some(name) => Ok(DeploymentName { account: found.account, name: name.to_owned() }),
            None => Err(Failure::new(
                format!("the account {} has no deployment `{}`", found.account.name, found.name),
                meant(&found.name, known(), "see `keyless deployment list`"),
            )),
        }
    }

    /// The ARM id of a place: an account, account/deployment, `group/NAME`, `subscription`, or an ARM id.
    ///
    /// # Errors
    /// When there is no such account or deployment. Whether a group or an ARM id exists, the control plane says.
    pub(crate) fn scope(&self, asked: &str) -> Result<String, Failure> {
        let subscription = format!("/subscriptions/{}", self.status.subscription_id);
        if asked.starts_with('/') {
            return Ok(asked.to_owned());
        }
        if asked.eq_ignore_ascii_case("subscription") {
            return Ok(subscription);
        }
        match asked.strip_prefix("account/").unwrap_or(asked).split_once('/') {
            Some(("group", name)) => Ok(format!("{subscription}/resourceGroups/{name}")),
            Some(_) => self.deployment(asked.strip_prefix("account/").unwrap_or(asked)).map(|found| found.id()),
            None => self.account(Some(asked)).map(|account| account.id.clone()),
        }
    }

    /// Whoever can have a role: an identity, a person, a group or an application, by name or any id.
    ///
    /// # Errors
    /// When there is nobody such, or several.
    pub(crate) async fn principal(&self, asked: &str) -> Result<PrincipalStatus, Failure> {
        let known = self.local.principals().await?;
        let by_resource = self.status.identities.iter().find(|identity| identity.id.eq_ignore_ascii_case(asked));
        let asked = by_resource.map_or(asked, |identity| identity.principal_id.as_str());
        let is = |one: &&PrincipalStatus| {
            let named = one.name.eq_ignore_ascii_case(asked) || one.object_id.eq_ignore_ascii_case(asked);
            named || one.client_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(asked))
        };
        let mut found = known.iter().filter(is);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one.clone()),
            (Some(_), Some(_)) => Err(Failure::new(format!("several are called `{asked}`"), "give the object id of the one meant")),
            (None, _) => {
                let next = meant(asked, known.iter().map(|one| one.name.as_str()), "see `keyless identity list` and `keyless user list`");
                Err(Failure::new(format!("nobody here is called `{asked}`"), next))
            }
        }
    }
}
