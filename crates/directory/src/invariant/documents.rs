//! How large a document may be.

use keyless_model::entity::Mutation;

use super::Violation;

/// The largest document kept, as JSON.
pub const MAX: usize = 256 * 1024;

/// Refuses a change that would keep a larger document than any other part of the system expects: one that grew by many small
/// changes too.
///
/// # Errors
/// [`Violation::TooLarge`].
pub fn check(mutations: &[Mutation]) -> Result<(), Violation> {
    let large = |mutation: &Mutation| match mutation {
        // What cannot be written is refused where it would be.
        Mutation::Put(entity) => serde_json::to_vec(entity).is_ok_and(|bytes| bytes.len() > MAX),
        Mutation::Delete(_) => false,
    };
    if mutations.iter().any(large) { Err(Violation::TooLarge) } else { Ok(()) }
}
