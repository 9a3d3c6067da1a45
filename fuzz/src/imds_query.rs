//! The query of a managed-identity request: what is understood was said once, and plainly.

use keyless_metadata::query::{Selector, parse};

const SELECTORS: [&str; 6] = ["client_id", "clientid", "object_id", "principal_id", "msi_res_id", "mi_res_id"];

pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(query) = parse(text, |version| matches!(version, "2018-02-01" | "2019-08-01")) else { return };

    assert!(matches!(query.api_version.as_str(), "2018-02-01" | "2019-08-01"), "an unknown version");
    assert!(!query.resource.is_empty() && !query.resource.chars().any(char::is_control), "{:?}", query.resource);

    // The same text by another reader: no name twice, and the selector is the one that was given.
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(text.as_bytes()).map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned())).collect();
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a parameter given twice");
    let given: Vec<&(String, String)> =
        pairs.iter().filter(|(name, value)| SELECTORS.contains(&name.as_str()) && !value.is_empty()).collect();
    match (&query.selector, given.as_slice()) {
        (Selector::Any, []) => (),
        (Selector::Client(id), [(_, value)]) => assert_eq!(id.to_string(), value.to_ascii_lowercase()),
        (Selector::Object(id), [(_, value)]) => assert_eq!(id.to_string(), value.to_ascii_lowercase()),
        // An id may end in a slash, which says nothing.
        (Selector::Resource(id), [(_, value)]) => {
            let value = value.to_ascii_lowercase();
            assert_eq!(id.as_str().to_ascii_lowercase().trim_end_matches('/'), value.trim_end_matches('/'));
        }
        (selector, given) => panic!("{selector:?} out of {given:?}"),
    }
}
