//! Text that claims to be a token, against the whole verifier.
//!
//! The input is read twice: as a token, and as a patch to a genuine one (position, then bytes to write there). Whatever comes out,
//! only the genuine token itself may be accepted; every other text that is would be a forgery.

use std::sync::LazyLock;

use keyless_model::entity::{KeyState, SigningAlgorithm};
use keyless_model::{ClientId, ObjectId, TenantId, Timestamp};
use keyless_token::{AppCredential, Expect, Grant, PublicKeys, Signer, TokenSubject, Unverified, Version, verify};

const NOW: Timestamp = Timestamp::from_unix_secs(1_700_000_000);
const TENANT: TenantId = TenantId::from_u128(0x1111_2222_3333_4444_5555_6666_7777_8888);
const ISSUER_BASE: &str = "https://localhost:8443";
const AUDIENCE: &str = "https://cognitiveservices.azure.com";

struct Genuine {
    keys: PublicKeys,
    token: String,
    issuers: Vec<String>,
    audiences: Vec<String>,
}

static GENUINE: LazyLock<Genuine> = LazyLock::new(|| {
    let key = Signer::generate(SigningAlgorithm::ES256).expect("the library makes a key");
    let signer = Signer::from_pkcs8(key.algorithm, key.kid.clone(), &key.private_pkcs8).expect("the key just made is a key");
    let grant = Grant {
        version: Version::V1,
        issuer_base: ISSUER_BASE,
        tenant: TENANT,
        audience: AUDIENCE,
        subject: TokenSubject::Application {
            client_id: ClientId::from_u128(1),
            object_id: ObjectId::from_u128(2),
            credential: AppCredential::Secret,
        },
        issued: NOW,
        lifetime_secs: 3600,
        token_id: "fuzz".to_owned(),
        capabilities: Vec::new(),
        session: None,
    };
    Genuine {
        keys: PublicKeys::new([(key.kid, key.algorithm, key.public_spki.as_slice(), KeyState::Active)]).expect("one key, one name"),
        token: signer.sign(&grant.claims(), Version::V1.into()).expect("claims of known form are signed").expose().clone(),
        issuers: vec![Version::V1.issuer(ISSUER_BASE, TENANT)],
        audiences: vec![AUDIENCE.to_owned()],
    }
});

fn accepted(text: &str) -> bool {
    let genuine = &*GENUINE;
    let Ok(unverified) = Unverified::parse(text) else { return false };
    // Reading what it states must not panic either, and must not say whose token it is in a dump.
    let _ = unverified.stated_claims().map(|claims| format!("{claims:?}"));
    let dump = format!("{unverified:?}");
    assert!(text.len() < 64 || !dump.contains(text), "a token in a debug dump");
    let expect = Expect { issuers: &genuine.issuers, tenant: TENANT, audiences: &genuine.audiences, now: NOW, leeway_secs: 300 };
    verify(&genuine.keys, &unverified, &expect).is_ok()
}

pub(crate) fn run(data: &[u8]) {
    let genuine = GENUINE.token.as_str();
    assert!(accepted(genuine), "the genuine token is accepted");
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(!accepted(text) || text == genuine, "accepted as it came: {text}");
    }
    if let [high, low, patch @ ..] = data {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % genuine.len();
        let mut bytes = genuine.as_bytes().to_vec();
        let end = (at + patch.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&patch[..end - at]);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            assert!(!accepted(text) || text == genuine, "accepted after a patch at {at}: {text}");
        }
    }
}
