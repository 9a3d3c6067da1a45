//! Certificates that operators register.

use keyless_model::entity::SigningAlgorithm;
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256};

use super::*;
use crate::signer::Signer;

fn rsa() -> rcgen::Certificate {
    let key = Signer::generate(SigningAlgorithm::RS256).unwrap();
    let pkcs8 = key.private_pkcs8.expose().clone().into();
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &PKCS_RSA_SHA256).unwrap();
    CertificateParams::new(vec!["a.test".to_owned()]).unwrap().self_signed(&pair).unwrap()
}

#[test]
fn pem_base64_and_der_are_the_same_certificate() {
    let made = rsa();
    let from_der = Certificate::read(made.der()).unwrap();
    let packed = STANDARD.encode(made.der());
    for text in [
        made.pem(),
        format!("Bag Attributes\n  a: b\n{}\ntrailing", made.pem()),
        packed.clone(),
        format!("{}\r\n{}", &packed[..64], &packed[64..]),
    ] {
        let found = Certificate::read(text.as_bytes()).unwrap();
        assert_eq!((found.der(), found.sha1(), found.sha256()), (from_der.der(), from_der.sha1(), from_der.sha256()));
    }
    assert!(from_der.key(Algorithm::RS256).is_ok() && from_der.key(Algorithm::PS256).is_ok() && from_der.key(Algorithm::ES256).is_err());
    // rcgen's defaults, one before and one after the year 2050: both time forms.
    assert_eq!(from_der.not_before().rfc3339(), "1975-01-01T00:00:00Z");
    assert_eq!(from_der.not_after().rfc3339(), "4096-01-01T00:00:00Z");
}

#[test]
fn private_key_in_the_text_is_refused() {
    let key = Signer::generate(SigningAlgorithm::RS256).unwrap();
    let pkcs8 = key.private_pkcs8.expose().clone().into();
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &PKCS_RSA_SHA256).unwrap();
    let text = format!("{}{}", rsa().pem(), pair.serialize_pem());
    let error = Certificate::read(text.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("private key") && !error.to_string().contains("MII"), "{error}");
}

#[test]
fn only_rsa_and_p256_keys_are_accepted() {
    let made = |algorithm| {
        let pair = KeyPair::generate_for(algorithm).unwrap();
        let made = CertificateParams::new(vec!["a.test".to_owned()]).unwrap().self_signed(&pair).unwrap();
        Certificate::read(made.der())
    };
    assert!(made(&PKCS_ECDSA_P256_SHA256).unwrap().key(Algorithm::ES256).is_ok());
    assert!(matches!(made(&PKCS_ECDSA_P384_SHA384), Err(KeyError::Rejected(_))));
}

#[test]
fn rsa_1024_certificate_is_refused_n13() {
    // Made with `openssl req -x509 -newkey rsa:1024 -nodes -subj /CN=weak -days 1`.
    let pem = include_str!("weak.pem");
    assert_eq!(Certificate::read(pem.as_bytes()).unwrap_err(), KeyError::Rejected("an RSA key needs 2048 to 8192 bits"));
}

#[test]
fn what_is_no_certificate_is_refused() {
    let der = rsa().der().to_vec();
    let mut longer = der.clone();
    longer.push(0);
    for bytes in [&b""[..], b"0", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA", &der[..der.len() - 1], &longer, &vec![0x30; 17 * 1024]] {
        assert!(matches!(Certificate::read(bytes), Err(KeyError::Rejected(_))));
    }
}

/// A certificate from 1975 to 1976 whose first date reads so instead. The lengths of what surrounds it are mended; its signature is none.
fn dated(tag: u8, text: &str) -> Result<Certificate, KeyError> {
    // Names enough that both outer lengths take two bytes: `30 82 hh ll 30 82 hh ll`.
    let mut params = CertificateParams::new((0..20).map(|name| format!("{name}.test")).collect::<Vec<_>>()).unwrap();
    params.not_before = rcgen::date_time_ymd(1975, 1, 1);
    params.not_after = rcgen::date_time_ymd(1976, 1, 1);
    let mut der = params.self_signed(&KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()).unwrap().der().to_vec();
    let at = der.windows(13).position(|part| part == b"750101000000Z").unwrap() - 2;
    let validity = at - 2;
    der[validity + 1] = u8::try_from(usize::from(der[validity + 1]) + text.len() - 13).unwrap();
    der.splice(at..at + 15, [&[tag, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat());
    for start in [2, 6] {
        let length = u16::from_be_bytes([der[start], der[start + 1]]) + u16::try_from(text.len()).unwrap() - 13;
        der[start..start + 2].copy_from_slice(&length.to_be_bytes());
    }
    Certificate::from_der(&der)
}

#[test]
fn impossible_dates_are_refused() {
    const UTC: u8 = 0x17;
    const GENERALIZED: u8 = 0x18;
    const INTEGER: u8 = 0x02;
    for (tag, text) in [
        (UTC, "261332000000Z"),
        (UTC, "2611210304Z"),
        (UTC, "261121030405+0100"),
        (UTC, "2611210304+0100"),
        (UTC, "26112103040\u{660}Z"),
        (GENERALIZED, "20261121030405.5Z"),
        (GENERALIZED, "20261121030405"),
        (GENERALIZED, "202611210304Z"),
        (GENERALIZED, "202611210304.5Z"),
        (GENERALIZED, "20260230000000Z"),
        (INTEGER, "261121030405Z"),
    ] {
        assert_eq!(dated(tag, text).unwrap_err(), NOT_ONE, "{text}");
    }
    for (tag, text, at) in [
        (UTC, "491231235959Z", "2049-12-31T23:59:59Z"),
        (UTC, "500101000000Z", "1950-01-01T00:00:00Z"),
        (GENERALIZED, "20500228010203Z", "2050-02-28T01:02:03Z"),
    ] {
        assert_eq!(dated(tag, text).unwrap().not_before().rfc3339(), at);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_bent_certificate_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        static DER: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let mut der = DER.get_or_init(|| rsa().der().to_vec()).clone();
        let at = at.index(der.len());
        der[at] = byte;
        drop(Certificate::from_der(&der));
        der.truncate(cut.index(der.len()));
        prop_assert!(Certificate::from_der(&der).is_err());
    }
}
