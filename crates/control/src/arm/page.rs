//! Lists in pages. The link to the next page is absolute and its token opaque: clients follow it as it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_model::Scope;
use keyless_store::Snapshot;
use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::failure::Failure;

/// The most rows that a client may ask for at once.
const MAX_TOP: usize = 5000;

/// One row of a list: where it stands in the order, and how it is shown.
pub(crate) struct Row<T> {
    /// Unique within the list; rows are in the order of these.
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

/// The rows that the caller may see, page by page. Without the list's action at its scope each row is asked for itself; when
/// nothing is left then, the answer is the refusal.
pub(crate) fn page<T>(call: &Call, rows: impl Iterator<Item = Row<T>>, action: &str, show: impl Fn(&T) -> Value) -> Result<Reply, Failure> {
    let rows: Vec<Row<T>> = match call.permit {
        Some(_) => rows.collect(),
        None => rows.filter(|row| call.may(&call.snapshot, action, &row.scope)).collect(),
    };
    page_of_seen(call, rows, action, show)
}

/// A page of rows that the caller is known to see.
pub(crate) fn page_of_seen<T>(call: &Call, mut rows: Vec<Row<T>>, action: &str, show: impl Fn(&T) -> Value) -> Result<Reply, Failure> {
    if rows.is_empty() && call.permit.is_none() {
        require_anything(call, &call.snapshot, action)?;
    }
    rows.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    let after = after(call)?;
    let start = after.map_or(0, |after| rows.partition_point(|row| row.key <= after));
    let size = size(call)?;
    let end = rows.len().min(start.saturating_add(size));
    let shown: Vec<Value> = rows.get(start..end).unwrap_or_default().iter().map(|row| show(&row.item)).collect();
    let mut body = json!({ "value": shown });
    if end < rows.len()
        && let Some(last) = rows.get(end.saturating_sub(1))
        && let Some(body) = body.as_object_mut()
    {
        body.insert(next_name(call).to_owned(), next_link(call, &last.key).into());
    }
    Ok(Reply::ok(body))
}

/// Refuses a caller who may not ask for the list and sees no row of it.
fn require_anything(call: &Call, snapshot: &Snapshot, action: &str) -> Result<(), Failure> {
    match call.ask(snapshot, action, &call.scope, keyless_rbac::Attributes::NONE) {
        Ok(_) => Ok(()),
        Err(denial) => Err(call.unauthorized(*denial)),
    }
}

fn size(call: &Call) -> Result<usize, Failure> {
    let Some(top) = call.query.field("$top") else { return Ok(call.control.config.page_size.max(1)) };
    match top.parse::<usize>() {
        Ok(top) if (1..=MAX_TOP).contains(&top) => Ok(top),
        _ => Err(Failure::invalid("InvalidTopParameter", format!("The '$top' parameter must be a number from 1 to {MAX_TOP}.")).at("$top")),
    }
}

fn after(call: &Call) -> Result<Option<String>, Failure> {
    let Some(token) = call.query.field("$skiptoken") else { return Ok(None) };
    let key = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let invalid =
        || Failure::invalid("InvalidSkipToken", "The '$skiptoken' parameter was not issued by this list; start again without it.");
    key.map(Some).ok_or_else(invalid)
}

fn next_name(call: &Call) -> &'static str {
    if call.path.starts_with("/v1.0/") { "@odata.nextLink" } else { "nextLink" }
}

fn next_link(call: &Call, last: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in call.query.names().filter(|name| *name != "$skiptoken") {
        query.append_pair(name, call.query.field(name).unwrap_or_default());
    }
    query.append_pair("$skiptoken", &URL_SAFE_NO_PAD.encode(last));
    format!("{}{}?{}", call.control.platform.endpoints.control, call.path, query.finish())
}
