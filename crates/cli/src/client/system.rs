//! A running system, found by its data folder, and the operator's way into it.

use keyless_model::Secret;
use keyless_server::local::api::{AccountStatus, IdentityStatus, Status};

use super::arm::{self, Arm};
use super::local::Local;
use super::meant::meant;
use super::place::Place;
use super::web::Web;
use crate::data_dir::DataDir;
use crate::failure::{Explain as _, Failure};

/// The identity with which the owner of the data folder operates the system.
pub(crate) const OPERATOR: &str = "operator";
/// The identity that a new system has for programs.
pub(crate) const DEFAULT_IDENTITY: &str = "demo-app";
/// The audience of the directory.
const GRAPH_RESOURCE: &str = "https://graph.microsoft.com";
/// The audience of models.
pub(crate) const AI_RESOURCE: &str = "https://cognitiveservices.azure.com";

#[derive(Debug)]
pub(crate) struct System {
    pub(crate) data: DataDir,
    pub(crate) local: Local,
    pub(crate) status: Status,
    pub(crate) web: Web,
}

impl System {
    /// # Errors
    /// When no system runs in that folder.
    pub(crate) async fn find(data: DataDir) -> Result<Self, Failure> {
        let local = Local::of(&data.path);
        let status = local.status().await?;
        let web = Web::trusting(status.ca_file.as_ref())
            .explain(|| "the local certificate authority cannot be used".to_owned(), "restart `keyless up`, which makes it")?;
        Ok(Self { data, local, status, web })
    }

    /// The control plane, as the operator.
    pub(crate) async fn operator(&self) -> Result<Arm, Failure> {
        self.control_as(OPERATOR).await
    }

    /// The control plane, as any identity.
    pub(crate) async fn control_as(&self, identity: &str) -> Result<Arm, Failure> {
        let (token, _) = self.local.token(identity, arm::RESOURCE).await?;
        Ok(Arm::new(self.web.clone(), &self.status.control, &token))
    }

    /// The directory's objects (Graph), as any identity.
    pub(crate) async fn graph_as(&self, identity: &str) -> Result<Arm, Failure> {
        let (token, _) = self.local.token(identity, GRAPH_RESOURCE).await?;
        Ok(Arm::new(self.web.clone(), &self.status.control, &token))
    }

    /// A token that opens models, if the identity's roles do.
    pub(crate) async fn ai_token(&self, identity: &str) -> Result<Secret<String>, Failure> {
        Ok(self.local.token(identity, AI_RESOURCE).await?.0)
    }

    /// The identity the user means: by name, client id, object id or ARM id; by default the one a new system has.
    ///
    /// # Errors
    /// When there is none such.
    pub(crate) fn identity(&self, asked: Option<&str>) -> Result<&IdentityStatus, Failure> {
        let known = &self.status.identities;
        let names = || known.iter().map(|identity| identity.name.as_str()).collect::<Vec<_>>().join(", ");
        match asked {
            Some(asked) => identity_of(known, asked),
            None => known.iter().find(|identity| identity.name == DEFAULT_IDENTITY).ok_or_else(|| {
                Failure::usage("there is no `demo-app` here to act as by default", format!("choose with --as one of: {}", names()))
            }),
        }
    }

    /// The account the user means: by name or ARM id; by default the only one, or else the first made.
    ///
    /// # Errors
    /// When there is none such.
    pub(crate) fn account(&self, asked: Option<&str>) -> Result<&AccountStatus, Failure> {
        let known = &self.status.accounts;
        match asked {
            Some(asked) => {
                let name = match Place::read(asked) {
                    Ok(Place::Account(name)) => name,
                    _ => asked.trim_end_matches('/'),
                };
                let is = |account: &&AccountStatus| account.name.eq_ignore_ascii_case(name) || account.id.eq_ignore_ascii_case(name);
                let mut found = known.iter().filter(is);
                match (found.next(), found.next()) {
                    (Some(account), None) => Ok(account),
                    (Some(_), Some(_)) => {
                        Err(Failure::new(format!("several accounts are called `{name}`"), "give the ARM id of the one meant"))
                    }
                    (None, _) => {
                        let next = meant(name, known.iter().map(|account| account.name.as_str()), "see `keyless status`");
                        Err(Failure::new(format!("there is no account `{name}`"), next))
                    }
                }
            }
            None => known.iter().find(|account| account.name == "demo-ai").or(known.first()).ok_or_else(|| {
                Failure::new("there is no AI account here", "create one with `keyless az -- cognitiveservices account create`")
            }),
        }
    }
}

/// The identity that a person means. SECURITY: whoever makes identities chooses their names, so an id means whose it is, and of
/// namesakes only the system's own, which are listed first, keep the name.
fn identity_of<'a>(known: &'a [IdentityStatus], asked: &str) -> Result<&'a IdentityStatus, Failure> {
    let has_id = |one: &&IdentityStatus| [&one.client_id, &one.principal_id, &one.id].iter().any(|id| id.eq_ignore_ascii_case(asked));
    if let Some(identity) = known.iter().find(has_id) {
        return Ok(identity);
    }
    let named: Vec<_> = known.iter().filter(|one| one.name.eq_ignore_ascii_case(asked)).collect();
    match named.as_slice() {
        [identity] => Ok(identity),
        [own, ..] if [OPERATOR, DEFAULT_IDENTITY].contains(&own.name.as_str()) => Ok(own),
        [] => {
            let next = meant(asked, known.iter().map(|identity| identity.name.as_str()), "see `keyless identity list`");
            Err(Failure::new(format!("there is no identity `{asked}`"), next))
        }
        _ => Err(Failure::new(format!("several identities are called `{asked}`"), "use the client id; `keyless status` shows it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namesake_is_not_taken_for_the_systems_own_identity_nor_for_whose_id_it_bears_d16() {
        let one = |name: &str, client_id: &str| IdentityStatus {
            name: name.into(),
            id: format!("/x/{name}/{client_id}"),
            client_id: client_id.into(),
            principal_id: format!("of-{client_id}"),
        };
        let known = [one("2", "1"), one("operator", "2"), one("operator", "3"), one("app", "4"), one("app", "5")];
        let of = |asked| identity_of(&known, asked).ok().map(|found| found.client_id.as_str());
        assert_eq!([of("operator"), of("2"), of("of-3"), of("app"), of("absent")], [Some("2"), Some("2"), Some("3"), None, None]);
    }
}
