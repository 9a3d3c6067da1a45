//! `/v1.0/users`

use http::Method;
use keyless_directory::plan::sessions;
use keyless_model::ObjectId;
use keyless_model::entity::{Mutation, Principal, User};
use keyless_store::BlockingError;
use keyless_token::password::PasswordError;
use keyless_web::PasswordFailure;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{bad, last, page_of, page_of_one, starts_with, terms, unsupported};
use crate::access::Access::{DirectoryRead, DirectoryWrite};
use crate::answer::Reply;
use crate::arm::page::Page;
use crate::call::{Call, Content};
use crate::failure::Failure;
use crate::filter::Term;
use crate::graph::{find, shape};
use crate::permitted::{Allowed, Plan};
use crate::route::Route;
use keyless_directory::Planned;
use keyless_directory::plan::removal;
use keyless_directory::plan::user::{self, UserRefused};
use keyless_model::name;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new(Method::GET, "", "/v1.0/users", DirectoryRead, list),
        Route::new(Method::GET, "", "/v1.0/users/{id}", DirectoryRead, show),
        Route::new(Method::POST, "", "/v1.0/users", DirectoryWrite, create),
        Route::new(Method::PATCH, "", "/v1.0/users/{id}", DirectoryWrite, update),
        Route::new(Method::DELETE, "", "/v1.0/users/{id}", DirectoryWrite, delete),
        Route::new(Method::POST, "", "/v1.0/users/{id}/revokeSignInSessions", DirectoryWrite, revoke_sessions),
    ]
}

/// `GET /v1.0/users[?$filter=userPrincipalName eq 'X' | displayName eq 'N' | startswith(displayName,'N')]`
async fn list(call: Allowed) -> Result<Reply, Failure> {
    let snapshot = &call.snapshot;
    let wanted = match terms(&call)?.as_slice() {
        [] => None,
        // By name: one look-up.
        [Term::Equals(name, value)] if name == "userPrincipalName" => {
            return page_of_one(&call, find::user(&call, snapshot, value).ok(), shown);
        }
        [term @ (Term::Equals(name, _) | Term::StartsWith(name, _))] if name == "displayName" => Some(term.clone()),
        [term @ Term::StartsWith(name, _)] if name == "userPrincipalName" => Some(term.clone()),
        _ => return Err(unsupported(&call)),
    };
    let page = Page::asked(&call)?;
    let all = snapshot.users_after(last(&page)?).filter_map(|user| Some((snapshot.principal(user.id)?.as_ref(), user.as_ref())));
    let own = all.filter(|(principal, user): &(&Principal, &User)| {
        principal.tenant == call.tenant() && wanted.as_ref().is_none_or(|term| matches(term, principal, user))
    });
    page_of(&call, &page, own.map(|row| (row.1.id.to_string(), row)), shown)
}

fn matches(term: &Term, principal: &Principal, user: &User) -> bool {
    match term {
        Term::Equals(_, value) => principal.display_name.eq_ignore_ascii_case(value),
        Term::StartsWith(name, value) if name == "displayName" => starts_with(&principal.display_name, value),
        Term::StartsWith(_, value) => starts_with(&user.user_principal_name, value),
        _ => false,
    }
}

fn shown((principal, user): &(&Principal, &User)) -> Value {
    shape::user(principal, user)
}

/// `GET /v1.0/users/{object id or sign-in name}`
async fn show(call: Allowed) -> Result<Reply, Failure> {
    let (principal, user) = find::user(&call, &call.snapshot, call.param("id"))?;
    Ok(Reply::ok(shape::user(principal, user)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewUser {
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

/// `POST /v1.0/users`
///
/// A password that is not text is refused: a client that believes it set one must not be wrong.
async fn create(call: Allowed<NewUser>) -> Result<Reply, Failure> {
    let body = &call.body;
    name::display(&body.display_name, "a user", 256).map_err(|error| bad(error.to_string()))?;
    // Before the expensive step.
    user::check_name(&call.snapshot, call.tenant(), &body.user_principal_name)?;
    if let Some(nickname) = &body.mail_nickname {
        name::display(nickname, "a user", 64).map_err(|error| bad(error.to_string()))?;
    }
    let password = match &body.password_profile {
        Some(PasswordProfile { password: Some(Value::String(password)), force_change_password_next_sign_in }) => {
            let secret = keyless_model::Secret::new(password.clone());
            let hash = call.control.platform.passwords.known.hash(secret).await.map_err(unhashed)?;
            Some(keyless_model::entity::UserPassword { hash, must_change: *force_change_password_next_sign_in, changed: call.ctx.now })
        }
        Some(PasswordProfile { password: Some(_), .. }) => return Err(bad("The password must be text.")),
        _ => None,
    };
    let new = user::NewUser {
        id: ObjectId::new(call.control.platform.entropy.uuid()),
        tenant: call.tenant(),
        user_principal_name: body.user_principal_name.clone(),
        display_name: body.display_name.clone(),
        mail_nickname: body.mail_nickname.clone(),
        enabled: body.account_enabled,
        password,
    };
    let (_, shown) = call
        .commit(|snapshot| {
            let Planned { entity: (principal, user), mutations } = user::add(snapshot, new.clone(), call.ctx.now)?;
            let shown = shape::user(&principal, &user);
            Ok((Plan::new(mutations, None, Some(shown.clone())), shown))
        })
        .await?;
    Ok(Reply::created(shown))
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

impl From<UserRefused> for Failure {
    fn from(refused: UserRefused) -> Self {
        bad(match refused {
            UserRefused::Taken => "Another object with the same value for property userPrincipalName already exists.".to_owned(),
            UserRefused::Name { domain, .. } => {
                format!("The userPrincipalName must be a name at the directory's own domain, such as alice@{domain}.")
            }
            UserRefused::TenantUnknown => "The directory does not exist.".to_owned(),
        })
    }
}

/// What may be changed of a user. Whatever else a body names is refused: its sender must not believe that it was.
struct Change {
    display_name: Option<String>,
    enabled: Option<bool>,
}

impl Content for Change {
    fn read(call: &Call) -> Result<Self, Failure> {
        let mut change = Self { display_name: None, enabled: None };
        for (property, value) in call.json::<Map<String, Value>>()? {
            match (property.as_str(), value) {
                ("displayName", Value::String(name)) => {
                    name::display(&name, "a user", 256).map_err(|error| bad(error.to_string()))?;
                    change.display_name = Some(name);
                }
                ("accountEnabled", Value::Bool(on)) => change.enabled = Some(on),
                _ => {
                    let shown: String = property.chars().take(60).collect();
                    return Err(bad(format!("The property '{shown}' of a user cannot be changed here.")));
                }
            }
        }
        Ok(change)
    }
}

/// `PATCH /v1.0/users/{object id or sign-in name}`: display name, and enable or disable.
async fn update(call: Allowed<Change>) -> Result<Reply, Failure> {
    let Change { display_name, enabled } = &call.body;
    call.commit(|snapshot| {
        let (principal, user) = find::user(&call, snapshot, call.param("id"))?;
        let next = Principal {
            display_name: display_name.clone().unwrap_or_else(|| principal.display_name.clone()),
            enabled: enabled.unwrap_or(principal.enabled),
            ..principal.clone()
        };
        let (before, after) = (shape::user(principal, user), shape::user(&next, user));
        Ok((Plan::new(vec![Mutation::put(next)], Some(before), Some(after)).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}

/// `DELETE /v1.0/users/{object id or sign-in name}`: with the sign-ins. Tokens stop working at once.
async fn delete(call: Allowed) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let (principal, user) = find::user(&call, snapshot, call.param("id"))?;
        Ok((Plan::new(removal::principal(snapshot, principal.id), Some(shape::user(principal, user)), None).unanswered(), ()))
    })
    .await?;
    Ok(Reply::no_content())
}

/// `POST /v1.0/users/{object id or sign-in name}/revokeSignInSessions`: refuses every token and sign-in until now, on every plane.
async fn revoke_sessions(call: Allowed) -> Result<Reply, Failure> {
    call.commit(|snapshot| {
        let (principal, _) = find::user(&call, snapshot, call.param("id"))?;
        let shown = |from| Some(json!({ "id": principal.id, "signInSessionsValidFromDateTime": from }));
        let mutations = sessions::revoked(snapshot, principal.id, call.ctx.now).ok_or_else(Failure::internal)?;
        let (before, after) = (shown(principal.tokens_valid_from), shown(Some(call.ctx.now)));
        Ok((Plan::new(mutations, before, after), ()))
    })
    .await?;
    let context = format!("{}/v1.0/$metadata#Edm.Boolean", call.control.platform.endpoints.control);
    Ok(Reply::ok(json!({ "@odata.context": context, "value": true })))
}
