//! A document of the state database: what is read can be written and is read again, under the same key.

use keyless_model::entity::Entity;

pub(crate) fn run(data: &[u8]) {
    let Ok(entity) = serde_json::from_slice::<Entity>(data) else { return };
    let text = serde_json::to_vec(&entity).expect("what was read can be written");
    let again: Entity = serde_json::from_slice(&text).expect("what was written can be read");
    assert_eq!(again.key(), entity.key(), "writing changes the key");
}
