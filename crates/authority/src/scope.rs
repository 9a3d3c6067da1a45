//! Reads the `scope` parameter of programs. It does not know which resources exist.

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
}
