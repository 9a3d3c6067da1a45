//! A forger's workshop: signs any header and payload, well-formed or not.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyless_model::entity::{KeyState, SigningAlgorithm};
use keyless_model::{ClientId, KeyId, ObjectId, TenantId, Timestamp};
use keyless_token::{
    AppCredential, Expect, Grant, PublicKeys, Signer, TokenError, TokenHeader, TokenSubject, Unverified, Verified, Version, verify,
};

pub(crate) const BASE: &str = "https://localhost:8443";
pub(crate) const AUDIENCE: &str = "https://cognitiveservices.azure.com";
pub(crate) const TENANT: TenantId = TenantId::from_u128(0x1111);
pub(crate) const OTHER_TENANT: TenantId = TenantId::from_u128(0x2222);
pub(crate) const CLIENT: ClientId = ClientId::from_u128(0xC11E);
pub(crate) const OBJECT: ObjectId = ObjectId::from_u128(0x0B1E);
pub(crate) const NOW: i64 = 1_795_224_111;
pub(crate) const LEEWAY: i64 = 60;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_secs(NOW)
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Header, payload and signature, whatever they are.
pub(crate) fn join(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", b64(header), b64(payload));
    let signature = b64(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// An RSA key of which the forger holds both halves.
pub(crate) struct Rsa {
    pub(crate) pair: RsaKeyPair,
    pub(crate) pkcs8: Vec<u8>,
    pub(crate) spki: Vec<u8>,
}

impl Rsa {
    pub(crate) fn new() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("the random source works");
        let private: Pkcs8V1Der<'_> = pair.as_der().expect("a new key can be written");
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("a new key can be written");
        let (pkcs8, spki) = (private.as_ref().to_vec(), public.as_ref().to_vec());
        Self { pair, pkcs8, spki }
    }

    pub(crate) fn rs256(&self, message: &[u8]) -> Vec<u8> {
        self.sign(&RSA_PKCS1_SHA256, message)
    }

    pub(crate) fn ps256(&self, message: &[u8]) -> Vec<u8> {
        self.sign(&RSA_PSS_SHA256, message)
    }

    fn sign(&self, scheme: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(scheme, &SystemRandom::new(), message, &mut signature).expect("a whole key signs");
        signature
    }

    pub(crate) fn jwk(&self, kid: &str, extra: &str) -> String {
        let n = b64(self.pair.public_key().modulus().big_endian_without_leading_zero());
        let e = b64(self.pair.public_key().exponent().big_endian_without_leading_zero());
        format!(r#"{{"kty":"RSA","kid":"{kid}","n":"{n}","e":"{e}"{extra}}}"#)
    }
}

/// A P-256 key of which the forger holds both halves.
pub(crate) struct Ec {
    fixed: EcdsaKeyPair,
    der: EcdsaKeyPair,
    pub(crate) spki: Vec<u8>,
}

impl Ec {
    pub(crate) fn new() -> Self {
        let fixed = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("the random source works");
        let pkcs8 = fixed.to_pkcs8v1().expect("a new key can be written");
        let der = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).expect("it was just written");
        let public: PublicKeyX509Der<'_> = fixed.public_key().as_der().expect("a new key can be written");
        let spki = public.as_ref().to_vec();
        Self { fixed, der, spki }
    }

    pub(crate) fn es256(&self, message: &[u8]) -> Vec<u8> {
        self.fixed.sign(&SystemRandom::new(), message).expect("a whole key signs").as_ref().to_vec()
    }

    /// The same signature in the wrong encoding.
    pub(crate) fn es256_der(&self, message: &[u8]) -> Vec<u8> {
        self.der.sign(&SystemRandom::new(), message).expect("a whole key signs").as_ref().to_vec()
    }

    pub(crate) fn jwk(&self, kid: &str, extra: &str) -> String {
        let point = self.fixed.public_key().as_ref();
        format!(r#"{{"kty":"EC","crv":"P-256","kid":"{kid}","x":"{}","y":"{}"{extra}}}"#, b64(&point[1..33]), b64(&point[33..]))
    }
}

/// An authority of which the tests hold the private keys, to sign what it never would.
pub(crate) struct Authority {
    pub(crate) rsa: Rsa,
    pub(crate) ec: Ec,
    pub(crate) keys: PublicKeys,
    pub(crate) signer: Signer,
}

pub(crate) const RSA_KID: &str = "own-rsa";
pub(crate) const EC_KID: &str = "own-ec";

impl Authority {
    pub(crate) fn new() -> Self {
        let (rsa, ec) = (Rsa::new(), Ec::new());
        let kid = |text| KeyId::new(text).expect("base64url letters only");
        let keys = PublicKeys::new([
            (kid(RSA_KID), SigningAlgorithm::RS256, &rsa.spki, KeyState::Active),
            (kid(EC_KID), SigningAlgorithm::ES256, &ec.spki, KeyState::Active),
        ])
        .expect("both keys are sound");
        let signer = Signer::from_pkcs8(SigningAlgorithm::RS256, kid(RSA_KID), &rsa.pkcs8.clone().into()).expect("the key is sound");
        Self { rsa, ec, keys, signer }
    }

    /// One for the whole process: making RSA keys takes a while.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Authority> = OnceLock::new();
        SHARED.get_or_init(Self::new)
    }

    /// A token as the authority really issues it.
    pub(crate) fn token(&self) -> String {
        self.issue(&grant())
    }

    pub(crate) fn issue(&self, grant: &Grant<'_>) -> String {
        self.signer.sign(&grant.claims(), TokenHeader::from(grant.version)).expect("a whole key signs").expose().clone()
    }

    /// A token with a good signature over any payload.
    pub(crate) fn sign(&self, payload: impl AsRef<[u8]>) -> String {
        join(header(), payload, |message| self.rsa.rs256(message))
    }

    pub(crate) fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        self.verify_for(token, TENANT)
    }

    pub(crate) fn verify_for(&self, token: &str, tenant: TenantId) -> Result<Verified, TokenError> {
        let issuers = [TENANT, OTHER_TENANT].map(|tenant| Version::V1.issuer(BASE, tenant));
        let audiences = [AUDIENCE.to_owned()];
        let expect = Expect { issuers: &issuers, tenant, audiences: &audiences, now: now(), leeway_secs: LEEWAY };
        verify(&self.keys, &Unverified::parse(token)?, &expect)
    }
}

pub(crate) fn header() -> String {
    header_with("")
}

/// The right header plus further members.
pub(crate) fn header_with(extra: &str) -> String {
    format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{RSA_KID}"{extra}}}"#)
}

/// The right payload, edited.
pub(crate) fn payload_with(edit: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>)) -> String {
    let mut value = serde_json::to_value(grant().claims()).expect("claims are JSON");
    edit(value.as_object_mut().expect("claims are an object"));
    value.to_string()
}

pub(crate) fn payload() -> String {
    payload_with(|_| {})
}

pub(crate) fn grant() -> Grant<'static> {
    Grant {
        version: Version::V1,
        issuer_base: BASE,
        tenant: TENANT,
        audience: AUDIENCE,
        subject: TokenSubject::Application { client_id: CLIENT, object_id: OBJECT, credential: AppCredential::Secret },
        issued: now(),
        lifetime_secs: 3900,
        token_id: "uti-1".to_owned(),
        capabilities: vec!["CP1".to_owned()],
        session: None,
    }
}
