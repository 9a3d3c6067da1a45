//! Keys of others, with both halves: to sign what honest clients and forgers send.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use keyless_model::entity::{AssertionAlgorithm, CertificateCredential};
use keyless_model::{CredentialId, Timestamp};
use keyless_token::Certificate;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) struct Rsa(RsaKeyPair);

impl Rsa {
    /// Two keys for the whole process: making one takes a while.
    pub(crate) fn shared(number: usize) -> &'static Self {
        static KEYS: [OnceLock<Rsa>; 2] = [const { OnceLock::new() }; 2];
        KEYS[number].get_or_init(|| Self(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    /// A compact JWS over any header and payload, signed as the header says.
    pub(crate) fn sign(&self, header: &Value, payload: &Value) -> String {
        let scheme = if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        let signed = format!("{}.{}", b64(header.to_string()), b64(payload.to_string()));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(scheme, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", b64(signature))
    }

    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let key = self.0.public_key();
        let (n, e) = (key.modulus().big_endian_without_leading_zero(), key.exponent().big_endian_without_leading_zero());
        json!({"kty": "RSA", "use": "sig", "kid": kid, "n": b64(n), "e": b64(e)})
    }

    /// A self-signed certificate, as an operator registers it.
    pub(crate) fn certificate(&self, from: Timestamp, until: Timestamp) -> CertificateCredential {
        let pkcs8: Pkcs8V1Der<'_> = self.0.as_der().unwrap();
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.as_ref().to_vec().into(), &PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::new(vec!["app.keyless.test".to_owned()]).unwrap();
        params.not_before = time::OffsetDateTime::from_unix_timestamp(from.unix_secs()).unwrap();
        params.not_after = time::OffsetDateTime::from_unix_timestamp(until.unix_secs()).unwrap();
        let der = params.self_signed(&pair).unwrap().der().to_vec();
        let certificate = Certificate::from_der(&der).unwrap();
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        CertificateCredential {
            id: CredentialId::from_u128(0xce),
            display_name: None,
            sha1: hex(certificate.sha1()),
            sha256: hex(certificate.sha256()),
            der: STANDARD.encode(der),
            starts: from,
            expires: until,
            algorithms: AssertionAlgorithm::of_certificates(),
        }
    }
}

/// The thumbprint that clients put into `x5t#S256`.
pub(crate) fn thumbprint(credential: &CertificateCredential) -> String {
    b64(Certificate::read(credential.der.as_bytes()).unwrap().sha256())
}
