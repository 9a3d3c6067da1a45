//! Reads the `scope` parameter. It does not know which resources exist.

use crate::codes;
use crate::refusal::Refusal;

/// The one resource that a client-credentials scope names: `{resource}/.default`.
///
/// Exactly one slash belongs to the suffix: `https://localhost:8443//.default` names `https://localhost:8443/`.
pub(crate) fn default_scope_resource(scope: &str) -> Result<&str, Refusal> {
    let mut names = scope.split(' ').filter(|name| !name.is_empty());
    let first = names.next().ok_or_else(|| Refusal::new(&codes::PARAMETER_MISSING).with("scope"))?;
    if names.next().is_some() {
        return Err(Refusal::new(&codes::SEVERAL_RESOURCES).with(scope));
    }
    match first.strip_suffix("/.default") {
        Some(resource) if !resource.is_empty() => Ok(resource),
        _ => Err(Refusal::new(&codes::SCOPE_NOT_DEFAULT).with(first)),
    }
}

/// The resource behind scope names that have none, such as `User.Read`.
const GRAPH: &str = "https://graph.microsoft.com";

/// Longest scope, in bytes: it is kept in codes and tickets while a person signs in.
const MAX_SCOPE: usize = 2048;

/// What a person's client asks for: one resource, and the names that OpenID Connect defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PeopleScope {
    pub(crate) resource: String,
    /// The resource's scopes, as the client wrote them: MSAL files the token under them.
    names: Vec<String>,
    /// An id token is wanted.
    pub(crate) openid: bool,
    /// A refresh token is wanted.
    pub(crate) offline: bool,
}

impl PeopleScope {
    /// Reads `{resource}/.default`, `{resource}/user_impersonation`, `openid`, `profile`, `email`, `offline_access`.
    pub(crate) fn parse(scope: &str) -> Result<Self, Refusal> {
        if scope.len() > MAX_SCOPE {
            return Err(Refusal::new(&codes::MALFORMED_REQUEST).with("The parameter 'scope' is too long."));
        }
        let mut found = Self { resource: String::new(), names: Vec::new(), openid: false, offline: false };
        for name in scope.split(' ').filter(|name| !name.is_empty()) {
            match name {
                "openid" | "profile" | "email" => found.openid = true,
                "offline_access" => found.offline = true,
                _ => {
                    let resource = resource_of(name).ok_or_else(|| Refusal::new(&codes::SCOPE_NOT_VALID).with(name))?;
                    if found.resource.is_empty() {
                        resource.clone_into(&mut found.resource);
                    } else if found.resource != resource {
                        return Err(Refusal::new(&codes::SEVERAL_RESOURCES).with(scope));
                    }
                    found.names.push(name.to_owned());
                }
            }
        }
        if found.names.is_empty() {
            if !found.openid && !found.offline {
                return Err(Refusal::new(&codes::PARAMETER_MISSING).with("scope"));
            }
            GRAPH.clone_into(&mut found.resource);
        }
        Ok(found)
    }

    /// `scope` of the answer: what was asked for, and the one permission there is.
    pub(crate) fn granted(&self) -> String {
        let mut names = self.names.clone();
        let permission = format!("{}/{USER_IMPERSONATION}", self.resource);
        if !names.contains(&permission) {
            names.push(permission);
        }
        names.join(" ")
    }
}

/// The one delegated permission: the program acts as the person, and `rbac` decides what the person may do.
pub(crate) const USER_IMPERSONATION: &str = "user_impersonation";

fn resource_of(name: &str) -> Option<&str> {
    match name.rsplit_once('/') {
        None => Some(GRAPH),
        Some((resource, permission)) if !permission.is_empty() && !resource.is_empty() && !resource.ends_with(":/") => Some(resource),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_slash_belongs_to_the_suffix() {
        assert_eq!(default_scope_resource("https://localhost:8443//.default").unwrap(), "https://localhost:8443/");
        assert_eq!(default_scope_resource("https://localhost:8443/.default").unwrap(), "https://localhost:8443");
        assert_eq!(default_scope_resource(" api://x/.default ").unwrap(), "api://x");
    }

    #[test]
    fn scopes_of_people_and_several_resources_are_refused_n75() {
        for (scope, code) in [
            ("https://ai.azure.com/user_impersonation", 1_002_012),
            ("https://ai.azure.com", 1_002_012),
            (".default", 1_002_012),
            ("/.default", 1_002_012),
            ("https://ai.azure.com/.default https://graph.microsoft.com/.default", 28_000),
            ("https://ai.azure.com/.default openid", 28_000),
            ("", 900_144),
            ("   ", 900_144),
        ] {
            assert_eq!(default_scope_resource(scope).unwrap_err().code().number, code, "{scope}");
        }
    }

    #[test]
    fn endless_scopes_are_not_kept_i6() {
        let scope = |length: usize| format!("api://x/{}", "a".repeat(length - 8));
        assert!(PeopleScope::parse(&scope(2048)).is_ok());
        assert_eq!(PeopleScope::parse(&scope(2049)).unwrap_err().code().number, codes::MALFORMED_REQUEST.number);
    }

    #[test]
    fn a_persons_scopes_name_one_resource_and_what_openid_defines() {
        let scope = PeopleScope::parse("https://localhost:8443//.default offline_access openid profile").unwrap();
        assert_eq!((scope.resource.as_str(), scope.openid, scope.offline), ("https://localhost:8443/", true, true));
        assert_eq!(scope.granted(), "https://localhost:8443//.default https://localhost:8443//user_impersonation");
        assert_eq!(PeopleScope::parse("openid").unwrap().resource, GRAPH);
        assert_eq!(PeopleScope::parse("User.Read").unwrap().resource, GRAPH);
        assert_eq!(PeopleScope::parse("api://x/a api://x/b").unwrap().resource, "api://x");
        for (scope, code) in
            [("", 900_144), ("api://x/a api://y/b", 28_000), ("https://ai.azure.com", 70_011), ("https://ai.azure.com/", 70_011)]
        {
            assert_eq!(PeopleScope::parse(scope).unwrap_err().code().number, code, "{scope}");
        }
    }
}
