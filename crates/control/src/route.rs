//! One line per route: method, path, what the caller must be allowed, and the handler that is reached then.
//!
//! A handler's argument says what was asked for it: [`Allowed`] holds a permit, [`Listing`] what of a list may be seen, a plain
//! [`Call`] nothing. None of them can be had without the question.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use http::Method;
use keyless_model::Scope;

use crate::access::Access;
use crate::answer::Reply;
use crate::arm::page::Listing;
use crate::arm::path::{self, Params};
use crate::call::{Call, Content};
use crate::control::Control;
use crate::failure::Failure;
use crate::graph::permission;
use crate::permitted::{self, Allowed, AttributesOf};

type Answer = Result<Reply, Failure>;
type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What answers a request of a route.
pub(crate) enum Endpoint {
    /// Before anyone is asked who they are; from the query.
    Public(fn(&Control, &str) -> Answer),
    /// A caller that is known.
    Known(Box<dyn Fn(Arc<Call>) -> Answering + Send + Sync>),
}

/// A route of the table.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// The part of the path that is the scope of the decision. Literals are in ARM's spelling, which is also what stored ids get.
    /// `{*}` stands for any scope.
    pub(crate) at: &'static str,
    /// The rest of the path.
    pub(crate) tail: &'static str,
    pub(crate) access: Access,
    pub(crate) endpoint: Endpoint,
}

/// Scopes that many routes have.
pub(crate) const ANYWHERE: &str = "{*}";
pub(crate) const SUBSCRIPTION: &str = "/subscriptions/{subscription}";
pub(crate) const RESOURCE_GROUP: &str = "/subscriptions/{subscription}/resourceGroups/{group}";

impl Route {
    /// Anyone may ask, without a token.
    pub(crate) fn public(tail: &'static str, handle: fn(&Control, &str) -> Answer) -> Self {
        Self { method: Method::GET, at: "", tail, access: Access::Public, endpoint: Endpoint::Public(handle) }
    }

    /// Any caller may ask, and is shown its own view.
    pub(crate) fn own<H, F>(at: &'static str, tail: &'static str, handle: H) -> Self
    where
        H: Fn(Arc<Call>) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        Self::known(Method::GET, at, tail, Access::Own, move |call| async move {
            handle(Arc::clone(&call)).await.map_err(|failure| call.failed(None, failure))
        })
    }

    /// A list of what the caller may see of it; see [`Access::List`] and [`Access::Children`].
    pub(crate) fn list<H, F>(at: &'static str, tail: &'static str, access: Access, handle: H) -> Self
    where
        H: Fn(Listing) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        Self::known(Method::GET, at, tail, access, move |call| async move {
            let listing = Listing::of(Arc::clone(&call)).ok_or_else(Failure::internal)?;
            handle(listing).await.map_err(|failure| call.failed(None, failure))
        })
    }

    /// Whoever has a permit for what `access` says, as far as the body says `B`.
    pub(crate) fn new<B, H, F>(method: Method, at: &'static str, tail: &'static str, access: Access, handle: H) -> Self
    where
        B: Content,
        H: Fn(Allowed<B>) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        Self::known(method, at, tail, access, move |call| permitted::answer(call, None, handle))
    }

    /// As [`Route::new`], decided with attributes of the request, which conditions of role assignments look at.
    pub(crate) fn attributed<B, H, F>(
        method: Method,
        at: &'static str,
        tail: &'static str,
        access: Access,
        of: AttributesOf<B>,
        handle: H,
    ) -> Self
    where
        B: Content,
        H: Fn(Allowed<B>) -> F + Copy + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        Self::known(method, at, tail, access, move |call| permitted::answer(call, Some(of), handle))
    }

    fn known<F>(
        method: Method,
        at: &'static str,
        tail: &'static str,
        access: Access,
        answer: impl Fn(Arc<Call>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self { method, at, tail, access, endpoint: Endpoint::Known(Box::new(move |call| Box::pin(answer(call)))) }
    }

    /// The action that the route decides on, when it names one.
    pub(crate) fn action(&self, scope: &Scope, params: &Params) -> Option<String> {
        match self.access {
            Access::Action(action) | Access::List(action) | Access::Children(action) => Some(action.to_owned()),
            Access::Namespace(verb) => Some(format!("{}/{verb}", params.named("namespace"))),
            Access::Resource => {
                let verb = match self.method {
                    Method::GET | Method::HEAD => "read",
                    Method::DELETE => "delete",
                    _ => "write",
                };
                scope.resource_type().map(|kind| format!("{kind}/{verb}"))
            }
            Access::DirectoryRead | Access::DirectoryWrite => Some(permission::operation(&self.method, self.tail)),
            Access::Public | Access::Own => None,
        }
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{} {:?}", self.method, self.at, self.tail, self.access)
    }
}

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
            let Some(matched) = path::matches(route.at, route.tail, segments) else { continue };
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
