//! What an identity may do at an account, for a person's overview. The system answers each question itself, so deny assignments,
//! conditions and groups count here as they do for a call.

use keyless_server::local::api::{AccountStatus, CanIRequest};
use serde::Serialize;

use crate::client::Local;
use crate::failure::Failure;

const CHAT: &str = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action";
const MANAGE: &str = "Microsoft.CognitiveServices/accounts/write";
const READ_KEYS: &str = "Microsoft.CognitiveServices/accounts/listKeys/action";
const GIVE_ROLES: &str = "Microsoft.Authorization/roleAssignments/write";

/// What may be done at one account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Allowed {
    pub(super) call_models: bool,
    /// Deployments that may be called where the whole account may not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) deployments: Vec<String>,
    pub(super) manage: bool,
    pub(super) read_keys: bool,
    /// Some role to somebody; a condition may still narrow which and to whom.
    pub(super) give_roles: bool,
}

impl Allowed {
    /// # Errors
    /// When the system does not answer.
    pub(super) async fn at(local: &Local, principal: &str, account: &AccountStatus) -> Result<Self, Failure> {
        let may = async |action: &str, scope: &str| {
            let (principal, action, scope) = (principal.to_owned(), action.to_owned(), scope.to_owned());
            let answer = local.can_i(&CanIRequest { principal, action, scope, terse: true, as_recorded: false }).await?;
            Ok::<_, Failure>(answer.allowed)
        };
        // Each by itself: a deny assignment may hold at one of them only.
        let mut deployments = Vec::new();
        for name in &account.deployments {
            if may(CHAT, &format!("{}/deployments/{name}", account.id)).await? {
                deployments.push(name.clone());
            }
        }
        let call_models = deployments.len() == account.deployments.len() && may(CHAT, &account.id).await?;
        deployments.retain(|_| !call_models);
        Ok(Self {
            call_models,
            deployments,
            manage: may(MANAGE, &account.id).await?,
            read_keys: may(READ_KEYS, &account.id).await?,
            give_roles: may(GIVE_ROLES, &account.id).await?,
        })
    }
}
