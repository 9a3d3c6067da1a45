//! Real Entra tenants, played by keys of ours: they sign what a test says and publish what a test wants.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use keyless_model::entity::{KeyState, Principal, PrincipalKind, SigningAlgorithm};
use keyless_model::{ClientId, ObjectId, TenantId, Timestamp};
use keyless_token::jwks::ExternalKeys;
use keyless_token::{PublicKeys, Signer, TokenHeader};
use keyless_web::{ENTRA, KeySource, KeysUnavailable, TrustedTenants};
use serde_json::{Value, json};

use crate::TENANT;

/// The tenants that [`Entra::trusted`] trusts. One key set serves both, as at Entra.
pub const ENTRA_TENANTS: [TenantId; 2] = [TenantId::from_u128(0xe17a), TenantId::from_u128(0xe17b)];
/// The service principal in the first of them that [`guest`] makes a guest.
pub const GUEST: ObjectId = ObjectId::from_u128(0x9e57);

/// The authority of [`ENTRA_TENANTS`].
#[derive(Debug)]
pub struct Entra {
    signer: Signer,
    /// The signer's public key, as a key set shows it.
    jwk: Value,
    published: Mutex<Arc<ExternalKeys>>,
    down: AtomicBool,
    asked: AtomicUsize,
}

impl Entra {
    /// Publishes the key that it signs with.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Self::signing(SigningAlgorithm::RS256)
    }

    /// The same with another algorithm than Entra's.
    #[must_use]
    pub fn signing(algorithm: SigningAlgorithm) -> Arc<Self> {
        let key = Signer::generate(algorithm).expect("key generation works");
        let keys = PublicKeys::new([(key.kid.clone(), algorithm, &key.public_spki, KeyState::Active)]).expect("the key is good");
        let entra = Self {
            signer: Signer::from_pkcs8(algorithm, key.kid, &key.private_pkcs8).expect("the key is good"),
            jwk: keys.jwks().keys.first().and_then(|jwk| serde_json::to_value(jwk).ok()).expect("one key was put in"),
            published: Mutex::default(),
            down: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
        };
        entra.publish([entra.jwk.clone()]);
        Arc::new(entra)
    }

    /// Trust in [`ENTRA_TENANTS`], with this as the source of keys.
    #[must_use]
    pub fn trusted(self: &Arc<Self>) -> Arc<TrustedTenants> {
        Arc::new(TrustedTenants::new(ENTRA, &ENTRA_TENANTS, Arc::clone(self) as Arc<dyn KeySource>))
    }

    /// Shows these keys from now on.
    pub fn publish(&self, keys: impl IntoIterator<Item = Value>) {
        let document = json!({ "keys": Vec::from_iter(keys) }).to_string();
        let keys = ExternalKeys::parse(document.as_bytes()).expect("the key set is good");
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The signer's public key.
    #[must_use]
    pub const fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// Whether keys cannot be had.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// How often keys were asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A token with these claims.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.signer.sign(claims, TokenHeader::V1).expect("signing works").expose().clone()
    }
}

#[async_trait]
impl KeySource for Entra {
    async fn keys(&self, _: &str, _: &str) -> Result<Arc<ExternalKeys>, KeysUnavailable> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(KeysUnavailable("nobody answers".to_owned()));
        }
        Ok(Arc::clone(&self.published.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// What a v1 token of [`GUEST`] says, as a managed identity gets it from Entra; good for an hour.
#[must_use]
pub fn entra_claims(audience: &str, now: Timestamp) -> Value {
    let tenant = ENTRA_TENANTS[0];
    json!({
        "aud": audience, "iss": format!("https://sts.windows.net/{tenant}/"), "iat": now.unix_secs() - 300, "nbf": now.unix_secs() - 300,
        "exp": now.unix_secs() + 3600, "aio": "k2RgYA==", "appid": ClientId::from_u128(0xc11e), "appidacr": "2", "idtyp": "app",
        "idp": format!("https://sts.windows.net/{tenant}/"), "oid": GUEST, "rh": "0.AbCd", "sub": GUEST, "tid": tenant,
        "uti": "uti-of-entra", "ver": "1.0", "xms_idrel": "7 24",
    })
}

/// [`GUEST`] as a guest of the fixture's directory.
#[must_use]
pub fn guest(now: Timestamp) -> Principal {
    Principal {
        id: GUEST,
        tenant: TENANT,
        kind: PrincipalKind::ServicePrincipal,
        display_name: "a guest".to_owned(),
        client_id: None,
        home: Some(ENTRA_TENANTS[0]),
        enabled: true,
        tokens_valid_from: None,
        created: now,
    }
}
