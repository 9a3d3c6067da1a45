use std::collections::BTreeSet;

use super::*;
use crate::condition;
use crate::pattern::{MAX_BYTES, is_plain};

#[test]
fn every_role_is_complete_and_unique() {
    let roles = roles();
    let ids: BTreeSet<_> = roles.iter().map(|role| role.id).collect();
    let names: BTreeSet<_> = roles.iter().map(|role| role.role_name.to_lowercase()).collect();
    assert_eq!((ids.len(), names.len()), (roles.len(), roles.len()));
    for role in &roles {
        assert_ne!(role.id, BLANK.id, "{}", role.role_name);
        assert!(!role.description.is_empty(), "{}", role.role_name);
        assert_eq!(role.assignable_scopes, [Scope::root()]);
        let [permissions] = role.permissions.as_slice() else { panic!("{} has one block", role.role_name) };
        assert!(!permissions.actions.is_empty() || !permissions.data_actions.is_empty(), "{}", role.role_name);
        for pattern in
            permissions.actions.iter().chain(&permissions.not_actions).chain(&permissions.data_actions).chain(&permissions.not_data_actions)
        {
            assert!(pattern.len() <= MAX_BYTES && pattern.bytes().all(|byte| is_plain(byte) || byte == b'*'), "{pattern}");
        }
        if let Some(text) = &permissions.condition {
            condition::parse(text).unwrap_or_else(|error| panic!("{}: {error}", role.role_name));
        }
    }
}

#[test]
fn a_former_name_belongs_to_one_role_that_has_another_now() {
    let roles = roles();
    let former: Vec<_> = roles.iter().filter_map(|role| Some((former_name(role.id)?, role))).collect();
    assert_eq!(former.len(), 4);
    for (name, role) in former {
        assert!(roles.iter().all(|other| !other.role_name.eq_ignore_ascii_case(name)), "{name} is now {}", role.role_name);
    }
}
