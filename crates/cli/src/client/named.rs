//! What people call things, as the ids that the control plane wants: names, ids and resource ids alike.

use keyless_server::local::api::{AccountStatus, PrincipalStatus};
use keyless_server::local::nearest;

use super::meant::meant;
use super::place::Place;
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

impl System {
    /// A deployment as [`Place`] reads it; a name alone is a deployment of the default account.
    ///
    /// # Errors
    /// When the account does not exist; the deployment may not.
    pub(crate) fn deployment_named(&self, asked: &str) -> Result<DeploymentName<'_>, Failure> {
        let no_deployment = || Failure::usage(format!("`{asked}` names no deployment"), "write account/deployment, such as demo-ai/chat");
        let (account, name) = match Place::read(asked).map_err(|_| no_deployment())? {
            Place::Account(name) => (None, name),
            Place::Deployment { account, name } => (Some(account), name),
            Place::Id(id) => {
                let at = id.to_lowercase().find("/deployments/").ok_or_else(no_deployment)?;
                (id.get(..at), id.get(at + "/deployments/".len()..).unwrap_or_default())
            }
            _ => return Err(no_deployment()),
        };
        if name.is_empty() || name.contains('/') {
            return Err(no_deployment());
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
            None => {
                let written = |name: &str| format!("{}/{name}", found.account.name);
                let all: Vec<String> = known().map(written).collect();
                let next = nearest(&found.name, known()).map_or_else(
                    || meant("", all.iter().map(String::as_str), "see `keyless deployment list`"),
                    |near| format!("did you mean `{}`?", written(near)),
                );
                Err(Failure::new(format!("the account {} has no deployment `{}`", found.account.name, found.name), next))
            }
        }
    }

    /// The ARM id of a place as [`Place`] reads it.
    ///
    /// # Errors
    /// When it has the form of no place, or there is no such account, deployment, identity or host. Whether a group or an ARM id exists,
    /// the control plane says.
    pub(crate) fn scope(&self, asked: &str) -> Result<String, Failure> {
        let subscription = format!("/subscriptions/{}", self.status.subscription_id);
        Ok(match Place::read(asked)? {
            Place::Id(id) => id.to_owned(),
            Place::Subscription => subscription,
            Place::Group(name) => format!("{subscription}/resourceGroups/{name}"),
            Place::ManagementGroup(name) => format!("/providers/Microsoft.Management/managementGroups/{name}"),
            Place::Account(name) => self.account(Some(name))?.id.clone(),
            Place::Deployment { account, name } => self.deployment(&format!("{account}/{name}"))?.id(),
            Place::Identity(name) => self.identity(Some(name))?.id.clone(),
            Place::Host(name) => {
                let host = &self.status.host;
                let known = host.rsplit('/').next().unwrap_or_default();
                if !known.eq_ignore_ascii_case(name) {
                    return Err(Failure::new(format!("there is no host `{name}`"), format!("this machine is `host/{known}`")));
                }
                host.clone()
            }
        })
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

#[cfg(test)]
mod tests {
    use super::super::local::Local;
    use super::super::place::short;
    use super::super::web::Web;
    use super::*;
    use crate::{data_dir::DataDir, fake};

    fn system() -> System {
        let data = DataDir::named("/d".into());
        System { local: Local::of(&data.path), data, status: fake::status(), web: Web::trusting_the_system() }
    }

    /// One table for every command that takes a scope: they have this parser and no other.
    #[test]
    fn whatever_form_a_place_has_it_is_the_same_place_u1() {
        let system = system();
        let subscription = format!("/subscriptions/{}", system.status.subscription_id);
        let group = format!("{subscription}/resourceGroups/demo");
        let (account, deployment) = (system.status.accounts[0].id.clone(), format!("{}/deployments/chat", system.status.accounts[0].id));
        for (id, forms) in [
            (&subscription, vec!["subscription", "Subscription"]),
            (&group, vec!["group/demo", "resourceGroups/demo"]),
            (&account, vec!["demo-ai", "DEMO-AI", "account/demo-ai", "accounts/demo-ai"]),
            (&deployment, vec!["demo-ai/chat", "demo-ai/deployments/chat", "accounts/demo-ai/deployments/chat"]),
        ] {
            let printed = short(id);
            for form in forms.into_iter().chain([id.as_str(), printed.as_str()]) {
                assert_eq!(system.scope(form).unwrap(), *id, "{form}");
            }
        }
        for form in ["chat", "demo-ai/chat", "demo-ai/deployments/CHAT", &deployment] {
            assert_eq!(system.deployment(form).unwrap().short(), "demo-ai/chat", "{form}");
        }
        assert!(system.deployment("group/demo").is_err() && system.deployment("subscription").is_err());
        let failure = system.scope("demo-ai/chatt").unwrap_err();
        assert_eq!(failure.next.as_deref(), Some("did you mean `demo-ai/chat`?"));
        assert_eq!(system.scope("demo-aj").unwrap_err().next.as_deref(), Some("did you mean `demo-ai`?"));
    }

    /// A role at the wrong one of two would be a right that nobody meant to give.
    #[test]
    fn of_two_accounts_of_one_name_none_is_meant_u1() {
        let mut system = system();
        let mut namesake = system.status.accounts[0].clone();
        namesake.id = namesake.id.replace("/demo/", "/other/");
        system.status.accounts.push(namesake);
        assert!(system.scope("demo-ai").unwrap_err().what.contains("several accounts"));
        assert!(system.scope(&system.status.accounts[1].id).is_ok());
    }
}
