//! What was probably meant by a name that nothing has.

use keyless_server::local::nearest;

/// What to do about a name that nothing has.
pub(crate) fn meant<'a>(asked: &str, known: impl Iterator<Item = &'a str> + Clone, otherwise: &str) -> String {
    match (nearest(asked, known.clone()), known.clone().next()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, Some(_)) if known.clone().count() <= 8 => format!("choose one of: {}", known.collect::<Vec<_>>().join(", ")),
        _ => otherwise.to_owned(),
    }
}
