//! Last defence: removes text that looks like a credential from a line before it is hashed and written.
//!
//! The schema has no field for a secret, and documents are redacted by name; this catches what a client smuggles into a name, a tag
//! or a model, and what a mistake puts into a reason. It looks for forms that have a certain mark. A key of 32 hexadecimal digits has
//! none - it looks like any id - and is not looked for.
//!
//! Works on the bytes of the JSON: everything it removes consists of bytes that JSON does not escape.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// What stands in place of what was removed.
const REMOVED: &str = "[removed credential]";

/// A mark that only credentials have, and the credential around it.
struct Form {
    mark: Finder<'static>,
    /// Given the text and where the mark is: from where to where the credential reaches.
    extent: fn(&[u8], usize) -> Option<Range<usize>>,
}

static FORMS: LazyLock<[Form; 6]> = LazyLock::new(|| {
    [
        // A JWT or JWE: base64url of `{"`.
        Form { mark: Finder::new("eyJ"), extent: json_web_token },
        // RFC 6750 section 2.1, in any case of the first letter.
        Form { mark: Finder::new("earer "), extent: bearer },
        // An Azure API key of 84 characters: fixed signature at position 52.
        Form { mark: Finder::new("JQQJ"), extent: azure_key },
        // An Entra client secret: three characters, a digit, `Q~`, 31 to 34 characters.
        Form { mark: Finder::new("Q~"), extent: client_secret },
        // Keys of model services.
        Form { mark: Finder::new("sk-"), extent: service_key },
        Form { mark: Finder::new("-----BEGIN"), extent: pem },
    ]
});

/// Removes credentials from `line[start..]`; whether there were any.
pub(crate) fn from(line: &mut Vec<u8>, start: usize) -> bool {
    let mut removed = false;
    for form in &*FORMS {
        let mut from = start;
        while let Some(found) = line.get(from..).and_then(|rest| form.mark.find(rest)) {
            let at = from + found;
            from = match (form.extent)(line, at) {
                // The opening quote of the string bounds every search backwards, so a credential never begins before `start`.
                Some(credential) => {
                    let after = credential.start + REMOVED.len();
                    line.splice(credential, REMOVED.bytes());
                    removed = true;
                    after
                }
                None => at + 1,
            };
        }
    }
    removed
}

fn json_web_token(line: &[u8], at: usize) -> Option<Range<usize>> {
    let end = run_after(line, at, |byte| is_base64url(byte) || byte == b'.');
    let dots = line.get(at..end)?.iter().filter(|byte| **byte == b'.').count();
    (dots >= 1 && end - at >= 24).then_some(at..end)
}

fn bearer(line: &[u8], at: usize) -> Option<Range<usize>> {
    let first = *line.get(at.checked_sub(1)?)?;
    let begin = at + "earer ".len();
    let end = run_after(line, begin, |byte| is_base64url(byte) || b".~+/=".contains(&byte));
    // Shorter runs are words: "bearer authentication".
    (first.eq_ignore_ascii_case(&b'b') && end - begin >= 16).then_some(begin..end)
}

fn azure_key(line: &[u8], at: usize) -> Option<Range<usize>> {
    let (begin, end) =
        (run_before(line, at, |byte| byte.is_ascii_alphanumeric()), run_after(line, at, |byte| byte.is_ascii_alphanumeric()));
    (at - begin >= 52 && end - at >= 32).then_some(begin..end)
}

fn client_secret(line: &[u8], at: usize) -> Option<Range<usize>> {
    let unreserved = |byte| is_base64url(byte) || matches!(byte, b'.' | b'~');
    let (begin, end) = (run_before(line, at, unreserved), run_after(line, at, unreserved));
    let digit = line.get(at.checked_sub(1)?)?.is_ascii_digit();
    (digit && at - begin >= 4 && end - at >= 33).then_some(begin..end)
}

fn service_key(line: &[u8], at: usize) -> Option<Range<usize>> {
    let (begin, end) = (run_before(line, at, is_base64url), run_after(line, at, is_base64url));
    // `task-…` is a word; a long run with digits and both cases is a key.
    let run = line.get(at..end)?;
    let mixed = run.iter().any(u8::is_ascii_digit) && run.iter().any(u8::is_ascii_uppercase);
    (begin == at && run.len() >= 24 && mixed).then_some(begin..end)
}

/// The rest of the JSON string.
fn pem(line: &[u8], at: usize) -> Option<Range<usize>> {
    let mut end = at;
    loop {
        match line.get(end)? {
            b'"' => return Some(at..end),
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
}

const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn run_after(line: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    from + line.get(from..).unwrap_or_default().iter().take_while(|byte| belongs(**byte)).count()
}

fn run_before(line: &[u8], to: usize, belongs: impl Fn(u8) -> bool) -> usize {
    to - line.get(..to).unwrap_or_default().iter().rev().take_while(|byte| belongs(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrubbed(text: &str) -> String {
        let mut line = format!("kept {}", serde_json::to_string(text).unwrap()).into_bytes();
        from(&mut line, 5);
        let json = std::str::from_utf8(&line).unwrap().strip_prefix("kept ").unwrap();
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_looks_like_a_credential_is_removed_and_the_rest_stays() {
        let key = format!("{}JQQJ99BFACYeBjFXJ3w3AAABACOG{}", "a1".repeat(26), "wXyZ");
        assert_eq!(key.len(), 84);
        let secret = format!("abc8Q~{}", "Zz0.-_~".repeat(5).get(..34).unwrap());
        let pem = "-----BEGIN PRIVATE KEY-----\nMIIB\"x\n-----END PRIVATE KEY-----";
        for credential in [
            "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
            "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d",
            &key,
            &secret,
            "sk-proj-Ab3dEf6hIj9kLm2nOp5qRs8t",
            pem,
        ] {
            assert_eq!(scrubbed(credential), REMOVED);
            let within = scrubbed(&format!("<{credential}"));
            assert_eq!(within, format!("<{REMOVED}"));
        }
        assert_eq!(scrubbed("x: bEARER abc \u{e9}"), "x: bEARER abc \u{e9}");
        assert_eq!(scrubbed("Authorization: Bearer 0123456789abcdef=="), format!("Authorization: Bearer {REMOVED}"));
        assert_eq!(scrubbed(&format!("{key} and {key}!")), format!("{REMOVED} and {REMOVED}!"));
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in [
            "Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action",
            "00000000-0000-0000-0000-000000000001",
            "use a bearer authentication header",
            "the task-list-of-the-day is eyJ",
            "Q~ is no secret, neither is JQQJ",
            "sk-short",
            "9f86d081884c7d659a2feaa0c55ad015",
            "",
        ] {
            assert_eq!(scrubbed(text), text);
        }
    }

    #[test]
    fn every_prefix_of_a_credential_leaves_valid_json() {
        let credential = "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln -----BEGIN \"\\ sk-abQ~JQQJ";
        for end in 0..=credential.len() {
            _ = scrubbed(&credential[..end]);
        }
    }
}
