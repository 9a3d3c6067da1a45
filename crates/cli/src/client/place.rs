//! A place - where a role holds, where something happened - as people write it and as every command prints it. The one parser of all
//! commands: whatever one of them prints, each of them takes. It does not know what exists.

use crate::failure::Failure;

/// How a place is written, for whoever wrote it otherwise.
pub(crate) const FORMS: &str = "write demo-ai (an account), demo-ai/chat (a deployment), group/demo, subscription, or an ARM id";

/// A place by the names in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// An ARM id, from its slash on.
    Id(&'a str),
    /// The system's subscription.
    Subscription,
    ManagementGroup(&'a str),
    Group(&'a str),
    Account(&'a str),
    Deployment {
        account: &'a str,
        name: &'a str,
    },
    Identity(&'a str),
    Host(&'a str),
}

impl<'a> Place<'a> {
    /// # Errors
    /// When the text has the form of no place.
    pub(crate) fn read(text: &'a str) -> Result<Self, Failure> {
        let wrong = || Failure::usage(format!("`{text}` is no place"), FORMS);
        if text.starts_with('/') {
            return Ok(Self::Id(if text.len() > 1 { text.trim_end_matches('/') } else { text }));
        }
        let words: Vec<&str> = text.trim_end_matches('/').split('/').collect();
        if words.iter().any(|word| word.trim().is_empty()) {
            return Err(wrong());
        }
        let kind = words.first().map(|word| word.to_lowercase()).unwrap_or_default();
        Ok(match (kind.as_str(), words.as_slice()) {
            ("everything", [_]) => Self::Id("/"),
            ("subscription", [_]) => Self::Subscription,
            ("group" | "resourcegroup" | "resourcegroups", [_, name]) => Self::Group(name),
            ("managementgroup" | "managementgroups", [_, name]) => Self::ManagementGroup(name),
            ("identity" | "userassignedidentities", [_, name]) => Self::Identity(name),
            ("host" | "virtualmachines", [_, name]) => Self::Host(name),
            ("account" | "accounts", [_, name]) | (_, [name]) => Self::Account(name),
            ("account" | "accounts", [_, account, name]) => Self::Deployment { account, name },
            (_, [account, name] | [account, _, name] | [_, account, _, name]) if is_deployment(&words) => {
                Self::Deployment { account, name }
            }
            _ => return Err(wrong()),
        })
    }
}

/// `ACCOUNT/NAME`, with or without the kinds of both.
fn is_deployment(words: &[&str]) -> bool {
    let is = |word: &str, kinds: &[&str]| kinds.iter().any(|kind| kind.eq_ignore_ascii_case(word));
    match words {
        [_, _] => true,
        [_, between, _] => is(between, &["deployment", "deployments"]),
        [kind, _, between, _] => is(kind, &["account", "accounts"]) && is(between, &["deployment", "deployments"]),
        _ => false,
    }
}

/// An ARM id as [`Place::read`] takes it and as people say it: `subscription`, `group/demo`, `demo-ai`, `demo-ai/chat`. The id itself
/// where no shorter form says as much.
pub(crate) fn short(id: &str) -> String {
    let words: Vec<&str> = id.split('/').filter(|word| !word.is_empty()).collect();
    let lower: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    match (lower.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), words.as_slice()) {
        ([], _) => "everything".to_owned(),
        (["subscriptions", _], _) => "subscription".to_owned(),
        (["subscriptions", _, "resourcegroups", _], [.., name]) => format!("group/{name}"),
        (["providers", "microsoft.management", "managementgroups", _], [.., name]) => format!("managementGroups/{name}"),
        ([.., "microsoft.cognitiveservices", "accounts", _], [.., name]) => (*name).to_owned(),
        ([.., "microsoft.cognitiveservices", "accounts", _, "deployments", _], [.., account, _, name]) => format!("{account}/{name}"),
        ([.., "microsoft.managedidentity", "userassignedidentities", _], [.., name]) => format!("identity/{name}"),
        ([.., "microsoft.compute", "virtualmachines", _], [.., name]) => format!("host/{name}"),
        _ => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "/subscriptions/s/resourceGroups/demo";

    /// Every form that some command prints, and what it stands for.
    #[test]
    fn every_printed_form_of_a_place_is_read_u1() {
        let chat = Place::Deployment { account: "demo-ai", name: "chat" };
        for (text, place) in [
            ("subscription", Place::Subscription),
            ("everything", Place::Id("/")),
            ("/", Place::Id("/")),
            ("group/demo", Place::Group("demo")),
            ("resourceGroups/demo", Place::Group("demo")),
            ("RESOURCEGROUPS/demo/", Place::Group("demo")),
            ("managementGroups/corp", Place::ManagementGroup("corp")),
            ("demo-ai", Place::Account("demo-ai")),
            ("account/demo-ai", Place::Account("demo-ai")),
            ("accounts/demo-ai", Place::Account("demo-ai")),
            ("demo-ai/chat", chat),
            ("demo-ai/deployments/chat", chat),
            ("account/demo-ai/chat", chat),
            ("accounts/demo-ai/deployments/chat", chat),
            ("userAssignedIdentities/demo-app", Place::Identity("demo-app")),
            ("host/this-host", Place::Host("this-host")),
            ("/subscriptions/s/", Place::Id("/subscriptions/s")),
        ] {
            assert_eq!(Place::read(text).unwrap(), place, "{text}");
        }
        for text in ["", " ", "a//b", "a/b/c", "group/a/b", "accounts/a/deployments/b/c", "x/a/deployments/b"] {
            assert!(Place::read(text).is_err(), "{text}");
        }
    }

    /// What is printed is read as the very place that it was printed for.
    #[test]
    fn a_short_form_stands_for_the_place_it_was_made_from_u1() {
        let account = format!("{GROUP}/providers/Microsoft.CognitiveServices/accounts/demo-ai");
        for (id, text, place) in [
            ("/".to_owned(), "everything", Place::Id("/")),
            ("/subscriptions/s".to_owned(), "subscription", Place::Subscription),
            (GROUP.to_owned(), "group/demo", Place::Group("demo")),
            (account.clone(), "demo-ai", Place::Account("demo-ai")),
            (format!("{account}/deployments/chat"), "demo-ai/chat", Place::Deployment { account: "demo-ai", name: "chat" }),
            (account.to_lowercase(), "demo-ai", Place::Account("demo-ai")),
            (format!("{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app"), "identity/app", Place::Identity("app")),
            (format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/h"), "host/h", Place::Host("h")),
            ("/providers/Microsoft.Management/managementGroups/corp".to_owned(), "managementGroups/corp", Place::ManagementGroup("corp")),
        ] {
            assert_eq!((short(&id).as_str(), Place::read(&short(&id)).unwrap()), (text, place), "{id}");
        }
        let other = format!("{GROUP}/providers/Microsoft.Storage/storageAccounts/s");
        assert_eq!((short(&other), Place::read(&other).unwrap()), (other.clone(), Place::Id(&other)));
    }
}
