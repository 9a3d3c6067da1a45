//! What the world sees of our keys.

use keyless_model::KeyId;
use keyless_model::entity::{KeyState, SigningAlgorithm};
use keyless_token::jwks::ExternalKeys;
use keyless_token::{KeyError, PublicKeys, Signer};

use crate::forge::Authority;

#[test]
fn jwks_has_no_private_member_n129() {
    let jwks = serde_json::to_value(Authority::shared().keys.jwks()).unwrap();
    let keys = jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    for key in keys {
        let members: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert!(!members.contains(&private), "{private}");
        }
        assert_eq!(key["use"], "sig");
    }
    assert_eq!((keys[0]["kty"].as_str(), keys[0]["alg"].as_str(), keys[0]["e"].as_str()), (Some("RSA"), Some("RS256"), Some("AQAB")));
    assert_eq!((keys[1]["kty"].as_str(), keys[1]["crv"].as_str(), keys[1]["alg"].as_str()), (Some("EC"), Some("P-256"), Some("ES256")));
}

#[test]
fn jwks_can_be_read_by_a_strict_relying_party() {
    let document = serde_json::to_vec(Authority::shared().keys.jwks()).unwrap();
    let keys = ExternalKeys::parse(&document).unwrap();
    assert_eq!((keys.left_out(), keys.names("own-rsa"), keys.names("own-ec")), (0, true, true));
}

#[test]
fn generated_key_signs_and_is_named_by_its_thumbprint() {
    for algorithm in [SigningAlgorithm::RS256, SigningAlgorithm::ES256] {
        let new = Signer::generate(algorithm).unwrap();
        let signer = Signer::from_pkcs8(algorithm, new.kid.clone(), &new.private_pkcs8).unwrap();
        assert_eq!(new.kid.as_str().len(), 43);
        let keys = PublicKeys::new([(new.kid.clone(), algorithm, &new.public_spki, KeyState::Active)]).unwrap();
        assert_eq!(keys.jwks().keys[0].kid.as_deref(), Some(new.kid.as_str()));
        assert_eq!(signer.kid(), &new.kid);
        assert!(format!("{new:?}").contains("Secret(***)"));
        let other = Signer::generate(algorithm).unwrap();
        assert_ne!(other.kid, new.kid);
    }
}

#[test]
fn two_keys_of_one_name_are_refused() {
    let authority = Authority::shared();
    let kid = KeyId::new("same").unwrap();
    let both = PublicKeys::new([
        (kid.clone(), SigningAlgorithm::RS256, &authority.rsa.spki, KeyState::Active),
        (kid.clone(), SigningAlgorithm::ES256, &authority.ec.spki, KeyState::Active),
    ]);
    assert_eq!(both.map(drop), Err(KeyError::DuplicateId(kid)));
}

#[test]
fn key_that_does_not_fit_its_algorithm_is_refused() {
    let authority = Authority::shared();
    let kid = KeyId::new("k").unwrap();
    let wrong = PublicKeys::new([(kid.clone(), SigningAlgorithm::ES256, &authority.rsa.spki, KeyState::Active)]);
    assert!(matches!(wrong, Err(KeyError::Rejected(_))));
    let garbage = Signer::from_pkcs8(SigningAlgorithm::RS256, kid, &vec![0x30, 0x82, 1, 1].into());
    assert!(matches!(garbage, Err(KeyError::Rejected(_))));
}
