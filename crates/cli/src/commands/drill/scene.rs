//! The throw-away account with keys, and the throw-away identity that may call it.

use keyless_model::Secret;
use keyless_rbac::builtin::COGNITIVE_SERVICES_OPENAI_USER;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Arm, System};
use crate::failure::Failure;
use crate::machine::fresh_uuid;

/// Two, so that it shows that a key opens every one.
pub(super) const DEPLOYMENTS: [&str; 2] = ["chat", "chat-internal"];

/// What the drill is played with.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) account_name: String,
    pub(super) account: String,
    pub(super) endpoint: String,
    pub(super) key: Secret<String>,
    pub(super) identity_name: String,
    identity: String,
    pub(super) client_id: String,
    pub(super) principal_id: String,
    location: String,
    assignment: String,
}

#[derive(Deserialize)]
struct Keys {
    key1: String,
}

impl Scene {
    pub(super) async fn set(system: &System) -> Result<Self, Failure> {
        let control = system.operator().await?;
        let model = system.account(None)?;
        let like: Value = control.get(&model.id).await?;
        let location = like.get("location").and_then(Value::as_str).unwrap_or("local").to_owned();
        let group = model.id.split("/providers/").next().unwrap_or_default();
        let suffix: String = fresh_uuid().chars().take(8).collect();
        let (account_name, identity_name) = (format!("drill-{suffix}"), format!("drill-app-{suffix}"));
        let account = format!("{group}/providers/Microsoft.CognitiveServices/accounts/{account_name}");
        let identity = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{identity_name}");
        let assignment = assignment(&account);
        // What was made so far is cleared away even when a later step fails.
        let mut scene = Self {
            account_name,
            account,
            endpoint: String::new(),
            key: Secret::new(String::new()),
            identity_name,
            identity,
            client_id: String::new(),
            principal_id: String::new(),
            location,
            assignment,
        };
        match scene.build(&control, &model.id, model.deployments.first().map_or("chat", String::as_str)).await {
            Ok(()) => Ok(scene),
            Err(failure) => {
                // The first failure is the one to tell; things that were never made cannot be deleted anyway.
                _ = scene.clear(system).await;
                Err(failure)
            }
        }
    }

    async fn build(&mut self, control: &Arm, like: &str, deployment: &str) -> Result<(), Failure> {
        let body = json!({
            "location": self.location, "kind": "OpenAI", "sku": { "name": "S0" },
            "properties": { "customSubDomainName": self.account_name, "disableLocalAuth": false },
        });
        let made = control.put(&self.account, &body).await?;
        self.endpoint = text(&made, "/properties/endpoint")?;
        let like: Value = control.get(&format!("{like}/deployments/{deployment}")).await?;
        let model = like.pointer("/properties/model").cloned().unwrap_or_else(|| json!({ "format": "OpenAI", "name": deployment }));
        for name in DEPLOYMENTS {
            let body = json!({ "sku": { "name": "Standard", "capacity": 100 }, "properties": { "model": model } });
            control.put(&format!("{}/deployments/{name}", self.account), &body).await?;
        }
        let keys: Keys = control.post(&format!("{}/listKeys", self.account)).await?;
        self.key = Secret::new(keys.key1);

        let made = control.put(&self.identity, &json!({ "location": self.location })).await?;
        self.client_id = text(&made, "/properties/clientId")?;
        self.principal_id = text(&made, "/properties/principalId")?;
        assign(control, &self.assignment, &self.account, &self.principal_id).await
    }

    /// Deletes all of it. Each part is tried even when another cannot be deleted.
    pub(super) async fn clear(&self, system: &System) -> Result<(), Failure> {
        let control = system.operator().await?;
        let group = self.account.split("/providers/").next().unwrap_or_default();
        let (subscription, name) = group.split_once("/resourceGroups/").unwrap_or_default();
        // Deleted accounts can be restored for a while; this one shall not.
        let purge = format!(
            "{subscription}/providers/Microsoft.CognitiveServices/locations/{}/resourceGroups/{name}/deletedAccounts/{}",
            self.location, self.account_name
        );
        let mut first = Ok(());
        for id in [&self.assignment, &self.identity, &self.account, &purge] {
            first = first.and(control.delete(id).await);
        }
        first.map_err(|refusal| {
            let failure = Failure::from(refusal);
            Failure { what: format!("the throw-away account {} is still there: {}", self.account_name, failure.what), ..failure }
        })
    }
}

/// A new assignment's id at a scope.
pub(crate) fn assignment(scope: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", fresh_uuid())
}

/// Lets the principal call the models at `scope`.
pub(crate) async fn assign(control: &Arm, assignment: &str, scope: &str, principal: &str) -> Result<(), Failure> {
    let subscription = scope.split("/resourceGroups/").next().unwrap_or_default();
    let role = format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{COGNITIVE_SERVICES_OPENAI_USER}");
    let properties = json!({ "roleDefinitionId": role, "principalId": principal, "principalType": "ServicePrincipal" });
    control.put(assignment, &json!({ "properties": properties })).await?;
    Ok(())
}

/// A text that the control plane must have sent.
pub(crate) fn text(answer: &Value, pointer: &str) -> Result<String, Failure> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("the control plane's answer has no {pointer}"), "restart `keyless up` with this version"))
}
