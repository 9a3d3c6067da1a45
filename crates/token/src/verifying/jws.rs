//! Project Wycheproof's JSON Web Signatures, through the whole way in: the text, its header, the key set, the signature.

use serde_json::Value;

use crate::algorithm::Algorithm;
use crate::jwks::ExternalKeys;
use crate::unverified::Unverified;

/// Whether we take it, with the key set of its group.
fn accepted(keys: &ExternalKeys, kid: &str, text: &str) -> bool {
    [Unverified::parse(text), Unverified::parse_assertion(text)].into_iter().flatten().any(|token| {
        let key = keys.find(token.kid().unwrap_or(kid), token.algorithm());
        key.is_some_and(|key| token.check(key).is_ok())
    })
}

#[test]
fn signatures_of_wycheproof_are_judged_right_from_text_to_key_n12() {
    let file: Value = serde_json::from_str(include_str!("wycheproof_jws.json")).unwrap();
    let (mut taken, mut refused, mut of_another_scheme, mut without_key, mut differ) = (0, 0, 0, 0, Vec::new());
    for group in file["groups"].as_array().unwrap() {
        let (key, kid) = (&group["key"], group["key"]["kid"].as_str().unwrap_or_default());
        // A symmetric key is never in a set that somebody publishes.
        let keys = ExternalKeys::parse(serde_json::json!({"keys": [key]}).to_string().as_bytes()).unwrap_or_default();
        let ours = key["alg"]
            .as_str()
            .is_some_and(|alg| [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256].iter().any(|one| one.as_str() == alg));
        for test in group["tests"].as_array().unwrap() {
            let (valid, text) = (test[2] == "valid", test[3].as_str().unwrap());
            let accepted = accepted(&keys, kid, text);
            if accepted != (valid && ours) {
                differ.push(format!("{} {}", group["comment"].as_str().unwrap(), test[1].as_str().unwrap()));
            }
            match (accepted, valid && !ours) {
                // The file's group of a secret that two sides share: nothing here has been told it, so these say little.
                _ if key.is_null() => without_key += 1,
                (true, _) => taken += 1,
                (false, true) => of_another_scheme += 1,
                (false, false) => refused += 1,
            }
        }
    }
    // An empty payload would be a detached one, and `Figure20` is PS384 under a key that the file says is for PS256.
    assert_eq!(differ, ["rs256 emptyPayload", "ps256 emptyPayload", "rfc7520 Figure20", "rfc7520WithKeyOps Figure20"]);
    assert_eq!((taken, refused, of_another_scheme, without_key), (14, 329, 18, 40));
}
