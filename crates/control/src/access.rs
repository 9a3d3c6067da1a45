//! What a caller must be allowed before a handler runs.

use std::fmt;

/// What a route asks for. There is no variant for "nothing said".
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone, without a token: the document that tells clients where to get one.
    Public,
    /// Anyone with a token: the handler shows what the caller may read, or what is the caller's own.
    Own,
    /// This action, at the route's scope.
    Action(&'static str),
    /// This action of the resource provider that the path names: `{namespace}/register/action`.
    Namespace(&'static str),
    /// A list of resources. With this action at the route's scope, all of it; without, the rows at whose own scope the caller holds
    /// it - possibly none, which is an empty list, as on Azure.
    List(&'static str),
    /// A list of what a resource holds: as [`Access::List`], but a caller who would see no row is refused.
    Children(&'static str),
    /// The action of the generic resource that the path names: `{type}/read`, `/write` or `/delete`, by method.
    Resource,
    /// Reading objects of the directory: decision record 0005.
    DirectoryRead,
    /// Changing objects of the directory: decision record 0005.
    DirectoryWrite,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Own => f.write_str("any caller, own view"),
            Self::Action(action) => f.write_str(action),
            Self::List(action) | Self::Children(action) => write!(f, "{action} (list)"),
            Self::Namespace(verb) => write!(f, "{{namespace}}/{verb}"),
            Self::Resource => f.write_str("the generic resource's own action"),
            Self::DirectoryRead => f.write_str("directory read"),
            Self::DirectoryWrite => f.write_str("directory write"),
        }
    }
}
