//! What this process asks of the operating system for itself: descriptors, and that nobody looks into its memory.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Keeps keys and tokens in memory: a crash leaves no core dump, and other processes of the same user may not read this one's memory.
pub(crate) fn keep_memory_private() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps could not be switched off; one would hold signing keys");
    }
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "the memory of this process could not be closed to other processes of its user");
    }
}

/// Raises the limit of open descriptors as far as this process may, and returns it. The usual soft limit of 1,024 is for programs that use
/// `select`, which this one does not.
pub(crate) fn raise_descriptors() -> u64 {
    let found = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: found.maximum, maximum: found.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if limit < FEW_DESCRIPTORS {
        tracing::warn!(limit, "few files may be open, so few connections are accepted; raise the hard limit (`ulimit -Hn`, LimitNOFILE=)");
    }
    limit
}

/// Below this a busy system turns callers away.
const FEW_DESCRIPTORS: u64 = 4_096;

#[cfg(test)]
mod tests {
    use rustix::process::dumpable_behavior;

    use super::*;

    #[test]
    fn memory_goes_into_no_core_dump_and_no_other_process_n130() {
        keep_memory_private();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        assert_eq!(getrlimit(Resource::Core), Rlimit { current: Some(0), maximum: Some(0) });
    }

    #[test]
    fn as_many_files_may_be_open_as_the_hard_limit_allows_d10() {
        assert_eq!(Some(raise_descriptors()), getrlimit(Resource::Nofile).maximum);
        assert_eq!(getrlimit(Resource::Nofile).current, getrlimit(Resource::Nofile).maximum);
    }
}
