//! What a browser finds at `/`: what this is, and how to trust it. The same for everybody, and nothing that only some may know.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Keyless</title>\
<h1>Keyless</h1>\
<p>An identity service and AI gateway that speaks Azure's interfaces. This address is for programs; there is nothing to click here.</p>\
<h2>The browser warns about the certificate?</h2>\
<p>It is signed by this system's own authority, which is valid for its own names only. The authority's certificate is the file \
<code>tls/ca.pem</code> in the data folder; <code>keyless status</code> shows its path. Programs trust it with \
<code>SSL_CERT_FILE</code> or <code>REQUESTS_CA_BUNDLE</code>; <code>keyless run</code>, <code>keyless env</code> and <code>keyless az</code> set that by themselves. A browser takes \
it under its certificate settings, as an authority for web sites.</p>\
<h2>Next</h2>\
<p><code>keyless status</code> lists what there is; <code>keyless run --as IDENTITY -- PROGRAM</code> runs a program as one of its identities.</p>\
</html>\n";
const FACTS: &str = "{\"name\":\"Keyless\",\"about\":\"an identity service and AI gateway that speaks Azure's interfaces\",\
\"caFile\":\"tls/ca.pem in the data folder; `keyless status` shows its path\",\
\"trust\":\"set SSL_CERT_FILE or REQUESTS_CA_BUNDLE to it; `keyless run`, `env` and `az` do\",\"next\":\"keyless status\"}\n";

pub(crate) fn answer(headers: &HeaderMap) -> Response<Full<Bytes>> {
    let wants_page = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    let (kind, body) = if wants_page { ("text/html; charset=utf-8", PAGE) } else { ("application/json; charset=utf-8", FACTS) };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}
