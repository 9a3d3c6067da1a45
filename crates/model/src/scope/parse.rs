//! The grammar of ARM ids.
//!
//! ```text
//! root            /
//! mgmt group      /providers/Microsoft.Management/managementGroups/{name}
//! subscription    /subscriptions/{uuid}
//! resource group  …/resourceGroups/{name}
//! resource        {any of these}/providers/{namespace}/{type}/{name}[/{type}/{name}]…   (repeatable: extension resources)
//! ```

use super::ScopeKind;
use crate::SubscriptionId;

/// Checks the segments of an id.
pub(super) fn check(segments: &[&str]) -> Result<(), &'static str> {
    for segment in segments {
        if matches!(*segment, "." | "..") {
            return Err("`.` and `..` are not names");
        }
        // SECURITY: control characters, quotes and separators would let an id be read differently by a log, a path or a query.
        if !segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.()@,~".contains(&b)) {
            return Err("names hold letters, digits and -_.()@,~ only");
        }
    }
    let rest = match segments {
        [] => return Ok(()),
        [word, id, rest @ ..] if word.eq_ignore_ascii_case("subscriptions") => {
            if id.parse::<SubscriptionId>().is_err() {
                return Err("the subscription is not a UUID");
            }
            match rest {
                [word, _, rest @ ..] if word.eq_ignore_ascii_case("resourceGroups") => rest,
                [word] if word.eq_ignore_ascii_case("resourceGroups") => return Err("the resource group's name is missing"),
                rest => rest,
            }
        }
        rest => rest,
    };
    check_resources(rest)
}

fn check_resources(mut rest: &[&str]) -> Result<(), &'static str> {
    while let [word, after @ ..] = rest {
        if !word.eq_ignore_ascii_case("providers") {
            return Err("expected `subscriptions`, `resourceGroups` or `providers`");
        }
        let end = after.iter().position(|s| s.eq_ignore_ascii_case("providers")).unwrap_or(after.len());
        let (resource, following) = after.split_at(end);
        // {namespace} and then pairs of {type}/{name}
        if resource.len() < 3 || resource.len() % 2 == 0 {
            return Err("after `providers` come a namespace and pairs of type and name");
        }
        rest = following;
    }
    Ok(())
}

/// The kind of a folded, well-formed id.
pub(super) fn kind_of(folded: &str) -> ScopeKind {
    const GROUPS: &str = "/providers/microsoft.management/managementgroups/";
    let count = folded.bytes().filter(|b| *b == b'/').count();
    match () {
        () if folded.is_empty() => ScopeKind::Root,
        () if folded.starts_with(GROUPS) && count == 4 => ScopeKind::ManagementGroup,
        () if folded.starts_with("/subscriptions/") && count == 2 => ScopeKind::Subscription,
        () if folded.starts_with("/subscriptions/") && count == 4 && folded.split('/').nth(3) == Some("resourcegroups") => {
            ScopeKind::ResourceGroup
        }
        () => ScopeKind::Resource,
    }
}

/// The folded id of the nearest ancestor: two segments less, and without a `providers/{namespace}` that this leaves behind.
pub(super) fn parent_of(folded: &str) -> Option<&str> {
    if folded.is_empty() {
        return None;
    }
    let shorter = drop_pair(folded);
    let second_last = shorter.rsplit('/').nth(1);
    Some(if second_last == Some("providers") { drop_pair(shorter) } else { shorter })
}

fn drop_pair(folded: &str) -> &str {
    let cut = folded.rfind('/').and_then(|last| folded[..last].rfind('/')).unwrap_or(0);
    &folded[..cut]
}

/// `{namespace}/{type}[/{type}]…` of the last `providers` section.
pub(super) fn resource_type_of(text: &str) -> Option<String> {
    let segments: Vec<&str> = text.split('/').collect();
    let at = segments.iter().rposition(|s| s.eq_ignore_ascii_case("providers"))?;
    let (namespace, pairs) = segments.get(at + 1..)?.split_first()?;
    let types: Vec<&str> = pairs.iter().step_by(2).copied().collect();
    (!types.is_empty()).then(|| format!("{namespace}/{}", types.join("/")))
}
