//! The form of an upload: the first byte says in which pieces it comes, the rest is the text. What must hold is said beside the readers.

pub(crate) fn run(data: &[u8]) {
    keyless_gateway::fuzzing::form(data);
}
