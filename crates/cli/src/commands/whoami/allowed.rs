//! What a set of roles allows at an account, for a person's overview. The system itself decides each call; it also knows deny
//! assignments and conditions, which this overview leaves out.

use serde::{Deserialize, Serialize};

const CHAT: &str = "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action";
const MANAGE: &str = "Microsoft.CognitiveServices/accounts/write";
const READ_KEYS: &str = "Microsoft.CognitiveServices/accounts/listKeys/action";
const GIVE_ROLES: &str = "Microsoft.Authorization/roleAssignments/write";

/// One permission of a role definition, in Azure's form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Permissions {
    actions: Vec<String>,
    not_actions: Vec<String>,
    data_actions: Vec<String>,
    not_data_actions: Vec<String>,
}

/// What may be done at one account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Allowed {
    pub(super) call_models: bool,
    /// Deployments that may be called where the whole account may not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) deployments: Vec<String>,
    pub(super) manage: bool,
    pub(super) read_keys: bool,
    pub(super) give_roles: bool,
}

impl Allowed {
    /// `roles` are the scopes of assignments with the permissions of their roles.
    pub(super) fn at<'a>(account: &str, roles: impl Iterator<Item = (&'a str, &'a [Permissions])>) -> Self {
        let mut allowed = Self::default();
        for (scope, permissions) in roles {
            let any = |holds: fn(&Permissions, &str) -> bool, action| permissions.iter().any(|permission| holds(permission, action));
            if covers(scope, account) {
                allowed.call_models |= any(Permissions::data, CHAT);
                allowed.manage |= any(Permissions::control, MANAGE);
                allowed.read_keys |= any(Permissions::control, READ_KEYS);
                allowed.give_roles |= any(Permissions::control, GIVE_ROLES);
            } else if let Some(name) = deployment_of(scope, account).filter(|_| any(Permissions::data, CHAT)) {
                allowed.deployments.push(name.to_owned());
            }
        }
        allowed
    }
}

impl Permissions {
    fn data(&self, action: &str) -> bool {
        held(&self.data_actions, &self.not_data_actions, action)
    }

    fn control(&self, action: &str) -> bool {
        held(&self.actions, &self.not_actions, action)
    }
}

fn held(given: &[String], taken: &[String], action: &str) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()));
    any(given) && !any(taken)
}

/// Azure's wildcard: `*` stands for any text, across `/` too.
fn matches(pattern: &str, action: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == action };
    let Some(mut left) = action.strip_prefix(start) else { return false };
    let mut pieces = rest.split('*').collect::<Vec<_>>();
    let Some(end) = pieces.pop() else { return true };
    for piece in pieces {
        match left.find(piece) {
            Some(at) => left = left.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    left.ends_with(end)
}

/// Whether the scope is the resource or one of its ancestors, by whole segments.
fn covers(scope: &str, resource: &str) -> bool {
    let (scope, resource) = (scope.trim_end_matches('/').to_ascii_lowercase(), resource.to_ascii_lowercase());
    resource.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn deployment_of<'a>(scope: &'a str, account: &str) -> Option<&'a str> {
    covers(account, scope).then(|| scope.rsplit_once("/deployments/")).flatten().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "/subscriptions/s/resourceGroups/demo/providers/Microsoft.CognitiveServices/accounts/demo-ai";

    fn user() -> Vec<Permissions> {
        vec![Permissions {
            data_actions: vec!["Microsoft.CognitiveServices/accounts/OpenAI/deployments/*/action".into()],
            ..Permissions::default()
        }]
    }

    fn owner() -> Vec<Permissions> {
        vec![Permissions { actions: vec!["*".into()], ..Permissions::default() }]
    }

    fn at(roles: &[(&str, Vec<Permissions>)]) -> Allowed {
        Allowed::at(ACCOUNT, roles.iter().map(|(scope, permissions)| (*scope, permissions.as_slice())))
    }

    #[test]
    fn a_data_role_calls_and_an_owner_manages() {
        assert_eq!(at(&[(ACCOUNT, user())]), Allowed { call_models: true, ..Allowed::default() });
        assert_eq!(at(&[("/subscriptions/S", owner())]), Allowed { manage: true, read_keys: true, give_roles: true, ..Allowed::default() });
    }

    #[test]
    fn a_role_elsewhere_allows_nothing_here() {
        assert_eq!(at(&[(&format!("{ACCOUNT}-2"), user()), ("/subscriptions/s/resourceGroups/dem", owner())]), Allowed::default());
    }

    #[test]
    fn a_role_on_a_deployment_is_named() {
        assert_eq!(at(&[(&format!("{ACCOUNT}/deployments/chat"), user())]).deployments, ["chat"]);
    }

    #[test]
    fn what_a_role_takes_away_is_not_held() {
        let role = vec![Permissions {
            actions: vec!["*".into()],
            not_actions: vec!["Microsoft.Authorization/*/Write".into()],
            ..Permissions::default()
        }];
        assert!(!at(&[(ACCOUNT, role)]).give_roles);
    }

    #[test]
    fn wildcards_match_as_in_azure() {
        for (pattern, text, expected) in [
            ("a/*/c", "a/b/x/c", true),
            ("a/*", "a/", true),
            ("*", "x", true),
            ("a/b", "a/b/c", false),
            ("*/read", "a/write", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
