//! Certificate thumbprints in the spellings that Azure's own clients send.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Reads `x5t` (20 bytes) or `x5t#S256` (32 bytes).
///
/// MSAL for Python sends base64url with padding, MSAL for JavaScript without, the Rust crate standard base64. A thumbprint only says
/// which registered certificate to try, so a generous spelling opens nothing.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let plain: String = text
        .trim_end_matches('=')
        .chars()
        .map(|letter| match letter {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    URL_SAFE_NO_PAD.decode(plain).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_that_clients_send_is_read() {
        let bytes: [u8; 20] = std::array::from_fn(|index| 0xFF - u8::try_from(index).unwrap_or(0));
        let url = URL_SAFE_NO_PAD.encode(bytes);
        let standard = base64::engine::general_purpose::STANDARD.encode(bytes);
        assert_ne!(url, standard.trim_end_matches('='), "the sample must tell the alphabets apart");
        for text in [url.clone(), url.clone() + "=", standard] {
            assert_eq!(decode::<20>(&text), Some(bytes), "{text}");
        }
        assert_eq!(decode::<32>(&url), None);
        for text in ["", "=", "a b", "\u{e9}", &"A".repeat(10_000)] {
            assert_eq!(decode::<20>(text), None);
        }
    }
}
