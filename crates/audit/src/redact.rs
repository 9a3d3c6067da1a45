//! Takes secrets out of the documents of control events: sealed and hashed ones too, since neither says anything to an auditor.

use serde::Serialize;
use serde_json::Value;

use crate::{ControlDetail, readable};

/// What stands in place of a removed value.
pub const REDACTED: &str = "[redacted]";

/// Members whose value is a secret, whatever its shape. Compared in lower case, without `_` and `-`.
const SECRET: &[&str] = &[
    "private",
    "keys",
    "key1",
    "key2",
    "hash",
    "password",
    "passwordhash",
    "secrettext",
    "clientsecret",
    "apikey",
    "accountkey",
    "accesskey",
    "primarykey",
    "secondarykey",
    "sharedaccesskey",
    "connectionstring",
    "sastoken",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "clientassertion",
    "authorization",
];

/// Members whose name holds one of these are secret too, unless they hold further objects (`secrets: [{…}]`), which are searched.
const SUSPECT: &[&str] = &["password", "secret", "apikey", "privatekey", "connectionstring"];

/// Writes an entity for a `before` or `after`, without its secrets.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn document(entity: &impl Serialize) -> Result<Value, serde_json::Error> {
    let mut value = serde_json::to_value(entity)?;
    redact(&mut value);
    Ok(value)
}

/// Removes secrets from a document, at any depth.
pub fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if is_secret(name, member) {
                    *member = Value::from(REDACTED);
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

/// The documents of a change as they may be kept: without secrets, and not deeper or larger than a reader takes.
#[must_use]
pub fn detail(detail: &ControlDetail) -> ControlDetail {
    let mut detail = detail.clone();
    [&mut detail.before, &mut detail.after].into_iter().flatten().for_each(redact);
    readable::limit(&mut detail);
    detail
}

/// At most `most` bytes of a text, and how long it was. What looks like a credential goes before the cut, which would hide it.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    // A string is always JSON, and scrubbing leaves it so.
    let mut json = serde_json::to_vec(text).unwrap_or_default();
    _ = crate::scrub::from(&mut json, 0);
    let scrubbed: String = serde_json::from_slice(&json).unwrap_or_default();
    format!("{}… ({} bytes)", start_of(&scrubbed, most), text.len())
}

/// The longest start of a text that has at most `most` bytes.
#[must_use]
pub fn start_of(text: &str, most: usize) -> &str {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= most).last().unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

fn is_secret(name: &str, value: &Value) -> bool {
    if matches!(value, Value::Null | Value::Bool(_)) {
        return false;
    }
    let name: String = name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect();
    SECRET.contains(&name.as_str()) || (SUSPECT.iter().any(|word| name.contains(word)) && !holds_objects(value))
}

fn holds_objects(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(items) => items.iter().any(holds_objects),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use keyless_model::entity::{
        Account, Application, AssignedIdentities, ClientSecret, Entity, KeyState, Sealed, SigningAlgorithm, SigningKey, Sku, User,
        UserPassword,
    };
    use keyless_model::{ClientId, CredentialId, KeyId, ObjectId, TenantId, Timestamp};
    use serde_json::json;

    use super::*;

    /// Each is unlike any other text, so that finding it proves a leak.
    const MARK: &str = "5EC4E7";

    fn sealed() -> Sealed {
        Sealed::from_ciphertext(MARK.as_bytes().to_vec())
    }

    fn entities() -> Vec<Entity> {
        let now = Timestamp::default();
        vec![
            SigningKey {
                kid: KeyId::new("k").unwrap(),
                algorithm: SigningAlgorithm::RS256,
                state: KeyState::Active,
                private: sealed(),
                public: "public".into(),
                since: now,
                created: now,
            }
            .into(),
            Account {
                scope:
                    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/r/providers/Microsoft.CognitiveServices/accounts/a"
                        .parse()
                        .unwrap(),
                location: "local".into(),
                account_kind: "OpenAI".into(),
                sku: Sku { name: "S0".into(), capacity: None },
                custom_subdomain: "a".into(),
                disable_local_auth: true,
                public_network_access: Default::default(),
                network_acls: Default::default(),
                identity: AssignedIdentities::default(),
                keys: [sealed(), sealed()],
                tags: Default::default(),
                created: now,
                deleted: None,
                version: 1,
            }
            .into(),
            Application {
                id: ObjectId::from_u128(1),
                tenant: TenantId::from_u128(1),
                client_id: ClientId::from_u128(1),
                display_name: "app".into(),
                identifier_uris: vec![],
                redirect_uris: vec![],
                public_redirect_uris: vec![],
                spa_redirect_uris: vec![],
                public_client: false,
                secrets: vec![ClientSecret {
                    id: CredentialId::from_u128(1),
                    display_name: Some("ci".into()),
                    hint: "abc".into(),
                    hash: MARK.into(),
                    starts: now,
                    expires: now,
                }],
                certificates: vec![],
                created: now,
            }
            .into(),
            User {
                id: ObjectId::from_u128(1),
                user_principal_name: "a@x.test".into(),
                mail_nickname: "a".into(),
                password: Some(UserPassword { hash: MARK.into(), must_change: false, changed: now }),
                external: None,
            }
            .into(),
        ]
    }

    #[test]
    fn no_sealed_or_hashed_secret_of_an_entity_reaches_the_log() {
        let ciphertext = serde_json::to_value(sealed()).unwrap();
        for entity in entities() {
            let whole = serde_json::to_string(&entity).unwrap();
            assert!(whole.contains(MARK) || whole.contains(ciphertext.as_str().unwrap()), "the test must start from a secret: {whole}");
            let text = document(&entity).unwrap().to_string();
            assert!(!text.contains(MARK) && !text.contains(ciphertext.as_str().unwrap()), "{text}");
            assert!(text.contains(REDACTED), "{text}");
        }
    }

    #[test]
    fn what_an_auditor_needs_stays() {
        let text = document(&entities()[2]).unwrap().to_string();
        assert!(text.contains(r#""displayName":"ci""#) && text.contains(r#""hint":"abc""#), "{text}");
        assert!(document(&entities()[1]).unwrap().to_string().contains(r#""disableLocalAuth":true"#));
    }

    #[test]
    fn secrets_in_resources_of_any_type_are_found_by_name_at_any_depth() {
        let mut value = json!({
            "properties": { "administratorLoginPassword": "x", "API-Key": "x", "list": [{ "connection_string": "x" }], "adminSecrets": ["x"] },
            "passwordPolicy": { "length": 12, "lastPassword": "x" }, "isSecret": true, "note": "y"
        });
        redact(&mut value);
        assert!(!value.to_string().contains(r#""x""#), "{value}");
        assert_eq!((&value["note"], &value["isSecret"], &value["passwordPolicy"]["length"]), (&json!("y"), &json!(true), &json!(12)));
    }
}
