//! A client's id and secret in the Authorization header (`client_secret_basic`, RFC 6749 section 2.3.1), as some libraries send them
//! unless told otherwise.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use keyless_model::Secret;
use keyless_web::Form;

use crate::codes;
use crate::refusal::Refusal;

/// Parameters that would be a second way to authenticate.
const IN_THE_BODY: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];
const MAX_HEADER: usize = 4096;

/// The form with what the header says. Of two headers, neither counts.
///
/// # Errors
/// When the header is of another scheme or unreadable, and when the body authenticates, too: two ways could disagree (case 80).
pub(super) fn fill(mut form: Form, headers: &[HeaderValue]) -> Result<Form, Refusal> {
    let [header, more @ ..] = headers else { return Ok(form) };
    let malformed = |text: &str| Refusal::new(&codes::MALFORMED_REQUEST).with(text);
    let only = more.is_empty().then_some(header);
    let (client_id, secret) = only.and_then(read).ok_or_else(|| {
        malformed("The Authorization header is not one of 'Basic' with the client's id and secret. Send them so, or in the body without a header.")
    })?;
    if IN_THE_BODY.iter().any(|name| form.has(name)) || form.field("client_id").is_some_and(|named| named != client_id) {
        return Err(malformed("Send the client's credential in the Authorization header or in the body, not in both."));
    }
    form.fill("client_id", Secret::new(client_id));
    form.fill("client_secret", secret);
    Ok(form)
}

/// Both halves are form-encoded before they are joined and encoded again.
fn read(header: &HeaderValue) -> Option<(String, Secret<String>)> {
    let (scheme, text) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || text.len() > MAX_HEADER {
        return None;
    }
    let joined = Secret::new(String::from_utf8(STANDARD.decode(text.trim_start_matches(' ')).ok()?).ok()?);
    let (id, secret) = joined.expose().split_once(':')?;
    let (id, secret) = (decoded(id)?, decoded(secret)?);
    (!id.is_empty() && !secret.is_empty()).then(|| (id, Secret::new(secret)))
}

/// One form-encoded value; none when it is several, or holds a control character (case 86).
fn decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    let encoded = format!("v={text}");
    let (_, value) = form_urlencoded::parse(encoded.as_bytes()).next()?;
    (!value.chars().any(char::is_control)).then(|| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> HeaderValue {
        HeaderValue::try_from(format!("Basic {}", STANDARD.encode(text))).unwrap()
    }

    #[test]
    fn both_halves_are_form_encoded() {
        let (id, secret) = read(&header("a%3Ab:se%2Bcret+with%20spaces%3A%26%3D")).unwrap();
        assert_eq!((id.as_str(), secret.expose().as_str()), ("a:b", "se+cret with spaces:&="));
        let (_, secret) = read(&header("id:k8Q~a.b-c_d:e")).unwrap();
        assert_eq!(secret.expose(), "k8Q~a.b-c_d:e", "what needs no encoding stands for itself, as `curl -u` sends it");
    }

    #[test]
    fn of_two_headers_neither_is_taken_n80() {
        let form = || Form::parse(b"grant_type=client_credentials").unwrap();
        let one = header("id:secret");
        assert_eq!(fill(form(), std::slice::from_ref(&one)).unwrap().field("client_id"), Some("id"));
        assert!(fill(form(), &[one.clone(), one]).is_err());
    }

    #[test]
    fn what_is_no_id_and_secret_is_refused() {
        for text in ["", "id", "id:", ":secret", "a&b:c", "a:b&client_secret=c", "id:se%0d%0acret", "i%00d:secret"] {
            assert!(read(&header(text)).is_none(), "{text}");
        }
        for text in ["Basic", "Basic ", "Basic !", "Bearer aWQ6c2VjcmV0", "aWQ6c2VjcmV0"] {
            assert!(read(&HeaderValue::from_static(text)).is_none(), "{text}");
        }
        assert!(read(&header(&format!("id:{}", "a".repeat(4096)))).is_none());
    }
}
