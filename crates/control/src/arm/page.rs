//! Lists in pages. The link to the next page is absolute and its token opaque: clients follow it as it is.
//!
//! A list is read in the order of its rows' keys from where the last page ended, so a page costs what it shows and not what the list
//! holds. SECURITY: the token is a place in that order and nothing else. Every row of every page is asked for again, so a token that
//! was made up, or taken from another list or reader, shows nothing that its bearer may not see.

use std::ops::Deref;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_model::Scope;
use keyless_rbac::Attributes;
use keyless_store::Below;
use serde_json::{Value, json};

use crate::access::Access;
use crate::answer::Reply;
use crate::call::Call;
use crate::failure::{Code, Failure};

/// The most rows that a client may ask for at once.
const MAX_TOP: usize = 5000;

/// One row of a list: where it stands in the order, and how it is shown.
pub(crate) struct Row<T> {
    /// Unique within the list.
    pub(crate) key: String,
    /// Where the right to see this row is asked.
    pub(crate) scope: Scope,
    pub(crate) item: T,
}

impl<T> Row<T> {
    /// A row that is known by its scope.
    pub(crate) fn of(scope: &Scope, item: T) -> Self {
        Self { key: scope.folded().to_owned(), scope: scope.clone(), item }
    }
}

/// The part of the list that a request asks for.
pub(crate) struct Page {
    /// The key after which it starts.
    pub(crate) after: Option<String>,
    /// How many rows it holds at most.
    pub(crate) size: usize,
}

impl Page {
    pub(crate) fn asked(call: &Call) -> Result<Self, Failure> {
        Ok(Self { after: after(call)?, size: size(call)? })
    }

    /// What is at or below the call's scope, for rows that are known by their scope.
    pub(crate) fn below<'a>(&'a self, call: &'a Call) -> Below<'a> {
        Below { scope: &call.scope, after: self.after.as_deref() }
    }

    /// The rows of a short list that come in any order, from the page's start on.
    pub(crate) fn sorted<T>(&self, rows: impl Iterator<Item = Row<T>>) -> impl Iterator<Item = Row<T>> {
        let mut rows: Vec<Row<T>> = rows.filter(|row| self.after.as_ref().is_none_or(|after| row.key > *after)).collect();
        rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        rows.into_iter()
    }

    /// A page of the rows that the caller may see. They come in order of their keys, from `after` on.
    pub(crate) fn of<T>(&self, list: &Listing, rows: impl Iterator<Item = Row<T>>, show: impl Fn(&T) -> Value) -> Result<Reply, Failure> {
        let mut shown = 0_usize;
        let reply = self.of_seen(list, rows.filter(|row| list.sees(&row.scope)).inspect(|_| shown += 1), show)?;
        if shown == 0 {
            list.require_sight()?;
        }
        Ok(reply)
    }

    /// A page of rows that the caller is known to see.
    pub(crate) fn of_seen<T>(&self, call: &Call, rows: impl Iterator<Item = Row<T>>, show: impl Fn(&T) -> Value) -> Result<Reply, Failure> {
        let mut rows = rows.peekable();
        let (mut shown, mut last) = (Vec::new(), None);
        for row in rows.by_ref().take(self.size) {
            shown.push(show(&row.item));
            last = Some(row.key);
        }
        let mut body = json!({ "value": shown });
        if let (Some(last), true, Some(body)) = (last, rows.peek().is_some(), body.as_object_mut()) {
            body.insert(call.api.next_page().to_owned(), next_link(call, &last).into());
        }
        Ok(Reply::ok(body))
    }
}

/// A call for a list: what of it the caller may see.
#[derive(Debug)]
pub(crate) struct Listing {
    call: Arc<Call>,
    action: &'static str,
    /// The caller holds the action where the list is asked for, so sees every row.
    pub(crate) whole: bool,
}

impl Listing {
    /// None for a call that is for no list.
    pub(crate) fn of(call: Arc<Call>) -> Option<Self> {
        let (Access::List(action) | Access::Children(action)) = call.access else { return None };
        Some(Self { whole: call.may(&call.snapshot, action, &call.scope), action, call })
    }

    fn sees(&self, scope: &Scope) -> bool {
        self.whole || self.may(&self.snapshot, self.action, scope)
    }

    /// Refuses a caller who saw no row of what a resource holds.
    fn require_sight(&self) -> Result<(), Failure> {
        match self.access {
            Access::Children(action) if !self.whole => {
                self.ask(&self.snapshot, action, &self.scope, Attributes::NONE).map(drop).map_err(|denial| self.unauthorized(*denial))
            }
            _ => Ok(()),
        }
    }
}

impl Deref for Listing {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

fn size(call: &Call) -> Result<usize, Failure> {
    let Some(top) = call.query.field("$top") else { return Ok(call.control.config.page_size.max(1)) };
    match top.parse::<usize>() {
        Ok(top) if (1..=MAX_TOP).contains(&top) => Ok(top),
        _ => Err(Failure::new(Code::InvalidTopParameter, format!("The '$top' parameter must be a number from 1 to {MAX_TOP}.")).at("$top")),
    }
}

/// 400 for a token that no list of this kind issues.
pub(crate) fn foreign_token() -> Failure {
    Failure::new(Code::InvalidSkipToken, "The '$skiptoken' parameter was not issued by this list; start again without it.")
}

fn after(call: &Call) -> Result<Option<String>, Failure> {
    let Some(token) = call.query.field("$skiptoken") else { return Ok(None) };
    let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    key.map(Some).ok_or_else(foreign_token)
}

fn next_link(call: &Call, last: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in call.query.names().filter(|name| *name != "$skiptoken") {
        query.append_pair(name, call.query.field(name).unwrap_or_default());
    }
    query.append_pair("$skiptoken", &URL_SAFE_NO_PAD.encode(last));
    format!("{}{}?{}", call.control.platform.endpoints.control, call.path, query.finish())
}
