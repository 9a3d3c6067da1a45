//! The signing keys of the current snapshot, unsealed and ready to use.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use keyless_directory::sealer::{SealError, signing_key_purpose};
use keyless_model::KeyId;
use keyless_model::entity::{KeyState, SigningAlgorithm, SigningKey};
use keyless_token::{PublicKeys, Signer};

use crate::{Revision, Sealer, Snapshot, StoreError};

/// The keys of one snapshot.
pub struct Keys {
    revision: Revision,
    /// What the set was built from, to see whether a later snapshot differs.
    states: Vec<(KeyId, KeyState)>,
    signers: Arc<Vec<(SigningAlgorithm, Signer)>>,
    public: Arc<PublicKeys>,
}

impl Keys {
    /// Verification keys: those that are in the JWKS, and no other.
    #[must_use]
    pub const fn public(&self) -> &Arc<PublicKeys> {
        &self.public
    }

    /// The active signer of that algorithm.
    #[must_use]
    pub fn signer(&self, algorithm: SigningAlgorithm) -> Option<&Signer> {
        self.signers.iter().find(|(found, _)| *found == algorithm).map(|(_, signer)| signer)
    }

    fn open(snapshot: &Snapshot, sealer: &Sealer) -> Result<Self, StoreError> {
        let mut keys = Self { revision: snapshot.revision(), states: states(snapshot), signers: Arc::default(), public: Arc::default() };
        let (mut public, mut signers) = (Vec::new(), Vec::new());
        for key in snapshot.signing_keys() {
            let unreadable = || SealError { what: format!("signing key {}", key.kid) };
            let spki = STANDARD_NO_PAD.decode(&key.public).map_err(|_| unreadable())?;
            public.push((key.kid.clone(), key.algorithm, spki, key.state));
            if key.state == KeyState::Active {
                let private = sealer.open(&signing_key_purpose(&key.kid), &key.private)?;
                signers.push((key.algorithm, Signer::from_pkcs8(key.algorithm, key.kid.clone(), &private).map_err(|_| unreadable())?));
            }
        }
        keys.signers = Arc::new(signers);
        keys.public = Arc::new(
            PublicKeys::new(public.iter().map(|(kid, algorithm, spki, state)| (KeyId::clone(kid), *algorithm, spki.as_slice(), *state)))
                .map_err(|_| SealError { what: "the public signing keys".to_owned() })?,
        );
        Ok(keys)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("revision", &self.revision).field("states", &self.states).finish_non_exhaustive()
    }
}

/// Follows the snapshots: a key that a commit added, retired or revoked counts from that snapshot on.
#[derive(Debug)]
pub struct KeyRing {
    sealer: Arc<Sealer>,
    current: ArcSwap<Keys>,
}

impl KeyRing {
    /// # Errors
    /// When a signing key does not open under the master key.
    pub fn open(snapshot: &Snapshot, sealer: Arc<Sealer>) -> Result<Self, StoreError> {
        let keys = Keys::open(snapshot, &sealer)?;
        Ok(Self { sealer, current: ArcSwap::from_pointee(keys) })
    }

    /// The keys as of `snapshot`. Costs one comparison unless signing keys changed.
    ///
    /// SECURITY: when keys changed and cannot be opened this fails, rather than going on with keys that may have been revoked.
    ///
    /// # Errors
    /// When a new signing key does not open.
    pub fn at(&self, snapshot: &Snapshot) -> Result<Arc<Keys>, StoreError> {
        let keys = self.current.load_full();
        if keys.revision >= snapshot.revision() {
            return Ok(keys);
        }
        let next = if keys.states == states(snapshot) {
            // Same keys, later revision: note that, so that the next call is cheap.
            Keys {
                revision: snapshot.revision(),
                states: keys.states.clone(),
                signers: Arc::clone(&keys.signers),
                public: Arc::clone(&keys.public),
            }
        } else {
            Keys::open(snapshot, &self.sealer)?
        };
        let next = Arc::new(next);
        self.current.store(Arc::clone(&next));
        Ok(next)
    }
}

fn states(snapshot: &Snapshot) -> Vec<(KeyId, KeyState)> {
    snapshot.signing_keys().map(|key: &Arc<SigningKey>| (key.kid.clone(), key.state)).collect()
}
