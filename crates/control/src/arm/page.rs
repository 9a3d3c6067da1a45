//! Lists in pages. The link to the next page is absolute and its token opaque: clients follow it as it is.
//!
//! A list is read in the order of its rows' keys from where the last page ended, so a page costs what it shows and not what the list
//! holds. SECURITY: the token is a place in that order and nothing else. Every row of every page is asked for again, so a token that
//! was made up, or taken from another list or reader, shows nothing that its bearer may not see.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_model::Scope;
use keyless_rbac::Attributes;
use keyless_store::Below;
use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;
use crate::route::Access;

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

    /// A page of a short list whose rows come in any order, the earlier ones too.
    pub(crate) fn of_all<T>(
        &self,
        call: &Call,
        rows: impl Iterator<Item = Row<T>>,
        action: &str,
        show: impl Fn(&T) -> Value,
    ) -> Result<Reply, Failure> {
        let mut rows: Vec<Row<T>> = rows.filter(|row| self.after.as_ref().is_none_or(|after| row.key > *after)).collect();
        rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        self.of(call, rows.into_iter(), action, show)
    }

    /// A page of the rows that the caller may see: all of them with the list's action at its scope, else those at whose own scope
    /// the caller holds it. The rows come in order of their keys, from `after` on.
    pub(crate) fn of<T>(
        &self,
        call: &Call,
        rows: impl Iterator<Item = Row<T>>,
        action: &str,
        show: impl Fn(&T) -> Value,
    ) -> Result<Reply, Failure> {
        self.of_seen(call, rows.filter(|row| call.permit.is_some() || call.may(&call.snapshot, action, &row.scope)), show)
    }

    /// A page of rows that the caller is known to see.
    pub(crate) fn of_seen<T>(&self, call: &Call, rows: impl Iterator<Item = Row<T>>, show: impl Fn(&T) -> Value) -> Result<Reply, Failure> {
        let mut rows = rows.peekable();
        let (mut shown, mut last) = (Vec::new(), None);
        for row in rows.by_ref().take(self.size) {
            shown.push(show(&row.item));
            last = Some(row.key);
        }
        if let (Access::Children(action), true, None) = (call.access, shown.is_empty(), &call.permit) {
            call.ask(&call.snapshot, action, &call.scope, Attributes::NONE).map_err(|denial| call.unauthorized(*denial))?;
        }
        let mut body = json!({ "value": shown });
        if let (Some(last), true, Some(body)) = (last, rows.peek().is_some(), body.as_object_mut()) {
            body.insert(next_name(call).to_owned(), next_link(call, &last).into());
        }
        Ok(Reply::ok(body))
    }
}

fn size(call: &Call) -> Result<usize, Failure> {
    let Some(top) = call.query.field("$top") else { return Ok(call.control.config.page_size.max(1)) };
    match top.parse::<usize>() {
        Ok(top) if (1..=MAX_TOP).contains(&top) => Ok(top),
        _ => Err(Failure::invalid("InvalidTopParameter", format!("The '$top' parameter must be a number from 1 to {MAX_TOP}.")).at("$top")),
    }
}

/// 400 for a token that no list of this kind issues.
pub(crate) fn foreign_token() -> Failure {
    Failure::invalid("InvalidSkipToken", "The '$skiptoken' parameter was not issued by this list; start again without it.")
}

fn after(call: &Call) -> Result<Option<String>, Failure> {
    let Some(token) = call.query.field("$skiptoken") else { return Ok(None) };
    let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    key.map(Some).ok_or_else(foreign_token)
}

fn next_name(call: &Call) -> &'static str {
    if ["/v1.0/", "/beta/"].iter().any(|graph| call.path.starts_with(graph)) { "@odata.nextLink" } else { "nextLink" }
}

fn next_link(call: &Call, last: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in call.query.names().filter(|name| *name != "$skiptoken") {
        query.append_pair(name, call.query.field(name).unwrap_or_default());
    }
    query.append_pair("$skiptoken", &URL_SAFE_NO_PAD.encode(last));
    format!("{}{}?{}", call.control.platform.endpoints.control, call.path, query.finish())
}
