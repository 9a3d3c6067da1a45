//! Which account a request is addressed to, and the path below that account's endpoint.

use http::header::HOST;
use http::request::Parts;

/// An account's endpoint is `{gateway}/ai/{subdomain}`, and `https://{subdomain}.openai.{domain}` where a wildcard domain is set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// In lower case.
    pub(crate) subdomain: std::borrow::Cow<'a, str>,
    /// Starts with a slash.
    pub(crate) path: &'a str,
}

const PREFIX: &str = "/ai/";

/// Reads the address; none when the request is for no account at all.
pub(crate) fn address_of<'a>(head: &'a Parts, wildcard_domain: Option<&str>) -> Option<Address<'a>> {
    let path = head.uri.path();
    // The host is asked first: below an account's own host, `/ai/other/…` is only a path that does not exist.
    if let Some(domain) = wildcard_domain
        && let Some(subdomain) = subdomain_of(host_of(head)?, domain)
    {
        return Some(Address { subdomain: folded(subdomain), path });
    }
    let rest = path.strip_prefix(PREFIX)?;
    let (subdomain, _) = rest.split_once('/')?;
    let path = path.get(PREFIX.len() + subdomain.len()..)?;
    (!subdomain.is_empty()).then(|| Address { subdomain: folded(subdomain), path })
}

/// The host without its port. SECURITY: two hosts, or a request line and a header that differ, could send us and a proxy in front
/// of us to different accounts; such a request has no host.
fn host_of(head: &Parts) -> Option<&str> {
    let mut headers = head.headers.get_all(HOST).iter();
    let header = headers.next().map(|value| value.to_str());
    if headers.next().is_some() {
        return None;
    }
    match (head.uri.authority().map(http::uri::Authority::as_str), header) {
        (Some(line), None) => Some(without_port(line)),
        (None, Some(Ok(header))) => Some(without_port(header)),
        (Some(line), Some(Ok(header))) if line.eq_ignore_ascii_case(header) => Some(without_port(line)),
        // No host at all (HTTP/1.0) reaches accounts by path only.
        (None, None) => Some(""),
        _ => None,
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn subdomain_of<'a>(host: &'a str, domain: &str) -> Option<&'a str> {
    let (subdomain, rest) = host.split_once('.')?;
    let rest = rest.get(.."openai.".len()).filter(|word| word.eq_ignore_ascii_case("openai.")).and_then(|word| rest.get(word.len()..))?;
    (rest.eq_ignore_ascii_case(domain) && !subdomain.is_empty()).then_some(subdomain)
}

fn folded(subdomain: &str) -> std::borrow::Cow<'_, str> {
    if subdomain.bytes().any(|b| b.is_ascii_uppercase()) { subdomain.to_ascii_lowercase().into() } else { subdomain.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(uri: &str, hosts: &[&str], domain: Option<&str>) -> Option<(String, String)> {
        let mut request = http::Request::builder().uri(uri);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        address_of(&head, domain).map(|found| (found.subdomain.into_owned(), found.path.to_owned()))
    }

    fn found(subdomain: &str, path: &str) -> Option<(String, String)> {
        Some((subdomain.to_owned(), path.to_owned()))
    }

    #[test]
    fn an_account_is_addressed_by_path_or_by_host() {
        assert_eq!(address("/ai/Demo-AI/openai/v1/models?x=1", &["localhost:8443"], None), found("demo-ai", "/openai/v1/models"));
        assert_eq!(
            address("/openai/v1/models", &["Demo.OpenAI.keyless.test:8443"], Some("keyless.test")),
            found("demo", "/openai/v1/models")
        );
        assert_eq!(address("https://demo.openai.keyless.test/openai", &[], Some("keyless.test")), found("demo", "/openai"));
        assert_eq!(address("/ai/demo/x", &["localhost"], Some("keyless.test")), found("demo", "/x"));
        for path in ["/openai/v1/models", "/ai", "/ai/", "/ai/demo", "/ai//openai", "/AI/demo/x"] {
            assert_eq!(address(path, &["localhost"], Some("keyless.test")), None, "{path}");
        }
    }

    #[test]
    fn an_account_host_does_not_reach_another_account_by_path() {
        let got = address("/ai/other/openai/v1/models", &["demo.openai.keyless.test"], Some("keyless.test"));
        assert_eq!(got, found("demo", "/ai/other/openai/v1/models"));
    }

    #[test]
    fn hosts_that_disagree_reach_no_account() {
        let domain = Some("keyless.test");
        assert_eq!(address("/ai/demo/x", &["a.openai.keyless.test", "b.openai.keyless.test"], domain), None);
        assert_eq!(address("https://a.openai.keyless.test/ai/demo/x", &["b.openai.keyless.test"], domain), None);
        for host in
            ["openai.keyless.test", ".openai.keyless.test", "a.openai.keyless.test.evil.example", "a.b.openai.keyless.test", "a.openai"]
        {
            assert_eq!(address("/openai/v1/models", &[host], domain), None, "{host}");
        }
    }
}
