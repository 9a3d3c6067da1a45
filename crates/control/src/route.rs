//! One line per route: method, path, what the caller must be allowed, and the handler that is reached then.

use std::fmt;
use std::pin::Pin;

use http::Method;
use keyless_model::Scope;
use keyless_rbac::Attributes;
use keyless_store::Snapshot;

use crate::answer::Reply;
use crate::arm::path::{self, Params};
use crate::call::Call;
use crate::failure::Failure;

/// The future of a handler.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send + 'a>>;

/// What a caller must be allowed before the handler runs. There is no variant for "nothing said".
#[derive(Clone, Copy)]
pub(crate) enum Access {
    /// Anyone, without a token: the document that tells clients where to get one.
    Public,
    /// Anyone with a token: the handler shows what the caller may read, or what is the caller's own.
    Own,
    /// This action, at the route's scope.
    Action(&'static str),
    /// This action, decided with attributes of the request, which conditions of role assignments look at.
    Attributed(&'static str, fn(&Call, &Snapshot) -> Result<Attributes, Failure>),
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

/// A route of the table.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// The part of the path that is the scope of the decision. Literals are in ARM's spelling, which is also what stored ids get.
    /// `{*}` stands for any scope.
    pub(crate) at: &'static str,
    /// The rest of the path.
    pub(crate) tail: &'static str,
    pub(crate) access: Access,
    pub(crate) handle: for<'a> fn(&'a Call) -> Answering<'a>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{} {:?}", self.method, self.at, self.tail, self.access)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Own => f.write_str("any caller, own view"),
            Self::Action(action) => f.write_str(action),
            Self::Attributed(action, _) => write!(f, "{action} (with attributes)"),
            Self::List(action) | Self::Children(action) => write!(f, "{action} (list)"),
            Self::Namespace(verb) => write!(f, "{{namespace}}/{verb}"),
            Self::Resource => f.write_str("the generic resource's own action"),
            Self::DirectoryRead => f.write_str("directory read"),
            Self::DirectoryWrite => f.write_str("directory write"),
        }
    }
}

/// A line of the table: method, scope and rest of the path, access, handler.
macro_rules! route {
    ($method:ident $at:literal $tail:literal, $access:expr, $($handler:ident)::+) => {
        $crate::route::Route {
            method: http::Method::$method,
            at: $at,
            tail: $tail,
            access: $access,
            handle: |call| Box::pin($($handler)::+(call)),
        }
    };
}
pub(crate) use route;

/// The routes of one API, searched in order.
#[derive(Debug)]
pub(crate) struct Table(Vec<Route>);

/// A route, and what the path says.
#[derive(Debug)]
pub(crate) struct Found<'t> {
    pub(crate) route: &'t Route,
    pub(crate) scope: Scope,
    pub(crate) params: Params,
}

/// Why no route was found.
#[derive(Debug)]
pub(crate) enum Missing {
    Path,
    /// The path exists, with other methods.
    Method,
    /// The path is no well-formed id.
    Id(String),
}

impl Table {
    pub(crate) const fn new(routes: Vec<Route>) -> Self {
        Self(routes)
    }

    /// The route for a method and the decoded segments of a path.
    pub(crate) fn find(&self, method: &Method, segments: &[String]) -> Result<Found<'_>, Missing> {
        let (mut missing, mut claimed) = (Missing::Path, false);
        for route in &self.0 {
            let generic = matches!(route.access, Access::Resource);
            // SECURITY: the generic routes match anything. A path that a specific route claims is never theirs, whatever the
            // method: else an unsupported verb on a role assignment would be stored as a resource of that name.
            if generic && claimed {
                continue;
            }
            let Some(matched) = path::matches(route, segments) else { continue };
            claimed |= !generic;
            match matched {
                Err(error) => missing = Missing::Id(error.to_string()),
                Ok((scope, params)) if route.method == *method => return Ok(Found { route, scope, params }),
                Ok(_) => missing = Missing::Method,
            }
        }
        Err(missing)
    }
}
