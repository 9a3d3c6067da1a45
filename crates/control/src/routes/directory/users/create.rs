//! `POST /v1.0/users`
//!
//! A password that is not text is refused: a client that believes it set one must not be wrong.

use keyless_directory::plan::directory_object;
use keyless_model::name;
use keyless_store::BlockingError;
use keyless_token::password::PasswordError;
use keyless_web::PasswordFailure;
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Reply;
use crate::call::{Call, Plan};
use crate::failure::Failure;
use crate::graph::shape;
use crate::routes::directory::bad;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    user_principal_name: String,
    display_name: String,
    mail_nickname: Option<String>,
    #[serde(default = "enabled")]
    account_enabled: bool,
    password_profile: Option<PasswordProfile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PasswordProfile {
    password: Option<Value>,
    #[serde(default)]
    force_change_password_next_sign_in: bool,
}

const fn enabled() -> bool {
    true
}

pub(in crate::routes) async fn handle(call: &Call) -> Result<Reply, Failure> {
    let body: Body = call.json()?;
    name::display(&body.display_name, "a user", 256).map_err(|error| bad(error.to_string()))?;
    let upn = body.user_principal_name.as_str();
    check_name(call, upn)?;
    let nickname = body.mail_nickname.clone().unwrap_or_else(|| upn.split('@').next().unwrap_or_default().to_owned());
    name::display(&nickname, "a user", 64).map_err(|error| bad(error.to_string()))?;
    let password = match &body.password_profile {
        Some(PasswordProfile { password: Some(Value::String(password)), force_change_password_next_sign_in }) => {
            let secret = keyless_model::Secret::new(password.clone());
            let hash = call.control.platform.passwords.known.hash(secret).await.map_err(unhashed)?;
            Some(keyless_model::entity::UserPassword { hash, must_change: *force_change_password_next_sign_in, changed: call.ctx.now })
        }
        Some(PasswordProfile { password: Some(_), .. }) => return Err(bad("The password must be text.")),
        _ => None,
    };
    let (_, (principal, user)) = call
        .commit(|snapshot| {
            if snapshot.user_named(upn).is_some() {
                let message = "Another object with the same value for property userPrincipalName already exists.";
                return Err(bad(message));
            }
            let means = call.means();
            let mut planned = directory_object::user(call.tenant(), upn, &body.display_name, &nickname, body.account_enabled, means);
            planned.entity.password = password.clone();
            let user = planned.entity;
            planned.mutations.retain(|mutation| mutation.key().kind != keyless_model::entity::EntityKind::User);
            planned.mutations.push(keyless_model::entity::Mutation::put(user.clone()));
            let next = snapshot.with(snapshot.revision(), &planned.mutations);
            let principal = next.principal(user.id).ok_or_else(Failure::internal)?.as_ref().clone();
            Ok((Plan::new(planned.mutations, None, Some(shape::user(&principal, &user))), (principal, user)))
        })
        .await?;
    Ok(Reply::created(shape::user(&principal, &user)))
}

/// Why a password cannot be kept. Never quotes it.
fn unhashed(failure: PasswordFailure) -> Failure {
    match failure {
        PasswordFailure::Blocking(BlockingError::Busy) => {
            Failure::unavailable("Too many passwords are being hashed; retry in a few seconds.")
        }
        PasswordFailure::Password(PasswordError::Hash) | PasswordFailure::Blocking(_) => Failure::internal(),
        PasswordFailure::Password(error) => bad(format!("The password is not accepted: {error}.")),
    }
}

/// A sign-in name of the tenant's own domain: the authority finds the tenant by it.
fn check_name(call: &Call, upn: &str) -> Result<(), Failure> {
    let domain = call.snapshot.tenant(call.tenant()).map(|tenant| tenant.domain.clone()).unwrap_or_default();
    if keyless_model::entity::User::is_sign_in_name(upn, &domain) {
        return Ok(());
    }
    Err(bad(format!("The userPrincipalName must be a name at the directory's own domain, such as alice@{domain}.")))
}
