//! Paths as ARM reads them: literals in any case, doubled slashes collapsed, names kept as written.

use keyless_model::{InvalidScope, Scope};
use percent_encoding::percent_decode_str;

/// First words of the paths that are ours.
const ROOTS: &[&str] = &["subscriptions", "tenants", "providers", "metadata", "v1.0", "beta"];

/// The names that a path gave to a pattern's braces.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(&'static str, String)>);

impl Params {
    /// The value of a brace of the route's own pattern.
    pub(crate) fn named(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// See [`crate::canonical_path`].
pub(crate) fn canonical(path: &str) -> Option<String> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let first = segments.next()?;
    let root = ROOTS.iter().find(|root| root.eq_ignore_ascii_case(first))?;
    let rest: Vec<&str> = segments.collect();
    if *root == "metadata" && !rest.first().is_some_and(|word| word.eq_ignore_ascii_case("endpoints")) {
        return None;
    }
    Some(std::iter::once(*root).chain(rest).fold(String::new(), |path, segment| path + "/" + segment))
}

/// The decoded segments of a request's path; `None` when one is not UTF-8.
///
/// SECURITY: split first, decode afterwards, so that `%2F` stays inside its segment - where no scope accepts it.
pub(crate) fn segments(path: &str) -> Option<Vec<String>> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned))
        .collect()
}

/// Whether a route's scope and the rest of its path match; then the scope (or why it is none) and the names.
pub(crate) fn matches(at: &'static str, tail: &'static str, segments: &[String]) -> Option<Result<(Scope, Params), InvalidScope>> {
    let mut params = Params::default();
    let tail: Vec<&'static str> = pattern(tail).collect();
    let split = segments.len().checked_sub(tail.len())?;
    let (head, rest) = segments.split_at(split);
    bind(&tail, rest, &mut params)?;
    let scope = if at == "{*}" {
        any_scope(head)
    } else {
        let at: Vec<&'static str> = pattern(at).collect();
        bind(&at, head, &mut params)?;
        let spelled = at.iter().zip(head).map(|(word, given)| if word.starts_with('{') { given.as_str() } else { word });
        spelled.fold(String::new(), |path, segment| path + "/" + segment)
    };
    let scope = if scope.is_empty() { Ok(Scope::root()) } else { scope.parse() };
    Some(scope.map(|scope| (scope, params)))
}

fn pattern(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split('/').filter(|segment| !segment.is_empty())
}

fn bind(pattern: &[&'static str], segments: &[String], params: &mut Params) -> Option<()> {
    if pattern.len() != segments.len() {
        return None;
    }
    for (word, given) in pattern.iter().zip(segments) {
        match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
            Some(name) => params.0.push((name, given.clone())),
            None if word.eq_ignore_ascii_case(given) => {}
            None => return None,
        }
    }
    Some(())
}

/// The id that the segments spell, with ARM's own words in ARM's spelling.
fn any_scope(segments: &[String]) -> String {
    segments.iter().enumerate().fold(String::new(), |path, (at, segment)| {
        let word = match segment.to_ascii_lowercase().as_str() {
            "subscriptions" if at == 0 => "subscriptions",
            "resourcegroups" if at == 2 => "resourceGroups",
            "providers" => "providers",
            _ => segment.as_str(),
        };
        path + "/" + word
    })
}

#[cfg(test)]
mod tests;
