//! Who calls: the holder of a token, or of an API key.
//!
//! A request has one credential. When it carries an `Authorization` header that is the one, and an `api-key` beside it is never
//! looked at: so a leaked or left-over key cannot lift a caller whose identity has no right, and every call that names an identity
//! is decided and audited as that identity. (What Azure does with both is not documented.)
//!
//! On v1 routes a bearer credential may also be an API key, as OpenAI's own clients send it. It counts as a token when it has a
//! dot, which every JWT has and no API key.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{SHA256, digest};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use keyless_directory::sealer::account_key_purpose;
use keyless_model::entity::{Account, Sealed};
use keyless_model::{Actor, Timestamp};
use keyless_store::Sealer;
use keyless_store::{Snapshot, StoreError};
use keyless_web::{Authenticator, Caller, bearer_of};
use subtle::ConstantTimeEq as _;

use crate::refuse::Refusal;
use crate::route::Dialect;
use crate::shares::Whose;

/// A proven caller.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    Principal(Caller),
    /// The holder of an API key of the account: no identity, only which key it was.
    Key {
        fingerprint: Arc<str>,
    },
}

impl Identity {
    pub(crate) fn actor(&self) -> Actor {
        match self {
            Self::Principal(caller) => caller.actor(),
            Self::Key { fingerprint } => Actor::AccountKey { fingerprint: fingerprint.as_ref().to_owned() },
        }
    }

    /// Whose share of the gateway its calls count for.
    pub(crate) fn whose(&self) -> Whose {
        match self {
            Self::Principal(caller) => Whose::Principal(caller.principal.id),
            Self::Key { fingerprint } => Whose::Key(Arc::clone(fingerprint)),
        }
    }

    pub(crate) const fn caller(&self) -> Option<&Caller> {
        match self {
            Self::Principal(caller) => Some(caller),
            Self::Key { .. } => None,
        }
    }
}

/// What the caller shows.
#[derive(Debug)]
enum Shown<'a> {
    Token(&'a str),
    Key(&'a [u8]),
}

/// Recognises callers.
#[derive(Debug)]
pub(crate) struct Callers {
    pub(crate) tokens: Authenticator,
    pub(crate) keys: AccountKeys,
}

impl Callers {
    /// # Errors
    /// When nobody is recognised, or the account does not take this kind of credential.
    pub(crate) fn recognise(
        &self,
        snapshot: &Snapshot,
        account: &Account,
        headers: &HeaderMap,
        dialect: Dialect,
        now: Timestamp,
    ) -> Result<Identity, Refusal> {
        match shown(headers, dialect)? {
            Shown::Token(token) => {
                let caller = self.tokens.authenticate_token(snapshot, token, now).map_err(Refusal::Token)?;
                let subscription = account.scope.subscription_id().and_then(|id| snapshot.subscription(id)).ok_or(Refusal::Orphan)?;
                if subscription.tenant != caller.principal.tenant {
                    return Err(Refusal::OtherTenant { token: caller.token.tenant });
                }
                Ok(Identity::Principal(caller))
            }
            // SECURITY: before the key is looked at, so that the answer never tells whether a key is right.
            Shown::Key(_) if account.disable_local_auth => Err(Refusal::LocalAuthDisabled),
            Shown::Key(key) => {
                let fingerprint = self.keys.check(account, key).map_err(Refusal::Keys)?.ok_or(Refusal::WrongKey)?;
                Ok(Identity::Key { fingerprint })
            }
        }
    }

    /// Whether someone who was recognised at `began` still is.
    ///
    /// # Errors
    /// When not: the principal or the key is gone, or keys are not taken any more.
    pub(crate) fn recognise_again(
        &self,
        snapshot: &Snapshot,
        account: &Account,
        identity: &Identity,
        began: Timestamp,
    ) -> Result<(), Refusal> {
        match identity {
            Identity::Principal(caller) => self.tokens.authenticate_again(snapshot, caller, began).map_err(Refusal::Token),
            Identity::Key { .. } if account.disable_local_auth => Err(Refusal::LocalAuthDisabled),
            Identity::Key { fingerprint } => {
                if self.keys.opened(account).map_err(Refusal::Keys)?.fingerprints.contains(fingerprint) {
                    Ok(())
                } else {
                    Err(Refusal::WrongKey)
                }
            }
        }
    }
}

fn shown(headers: &HeaderMap, dialect: Dialect) -> Result<Shown<'_>, Refusal> {
    if headers.contains_key(AUTHORIZATION) {
        let bearer = bearer_of(headers).map_err(Refusal::Token)?;
        return Ok(if dialect != Dialect::Dated && !bearer.contains('.') { Shown::Key(bearer.as_bytes()) } else { Shown::Token(bearer) });
    }
    let mut keys = headers.get_all("api-key").iter();
    match (keys.next().map(HeaderValue::as_bytes), keys.next()) {
        (Some(key), None) if !key.is_empty() => Ok(Shown::Key(key)),
        // SECURITY: two keys could be one thing to us and another to a proxy.
        (Some(_), _) => Err(Refusal::WrongKey),
        (None, _) => Err(Refusal::NoCredential),
    }
}

/// The API keys of accounts, opened once and then known by their digests. Only accounts whose keys are used are here.
#[derive(Debug)]
pub(crate) struct AccountKeys {
    sealer: Arc<Sealer>,
    opened: RwLock<HashMap<Box<str>, Arc<Opened>>>,
}

#[derive(Debug)]
struct Opened {
    /// The ciphertext that the digests belong to: a regenerated key is another one.
    sealed: [Sealed; 2],
    digests: [[u8; 32]; 2],
    fingerprints: [Arc<str>; 2],
}

/// Beyond this many accounts, all are forgotten and opened again when used.
const MANY: usize = 10_000;

impl AccountKeys {
    pub(crate) fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer, opened: RwLock::default() }
    }

    /// The fingerprint of the account's key that was shown; none when it is neither.
    fn check(&self, account: &Account, key: &[u8]) -> Result<Option<Arc<str>>, StoreError> {
        let opened = self.opened(account)?;
        let shown = sha256(key);
        // SECURITY: both are always compared, each in constant time.
        let [first, second] = [0, 1].map(|slot: usize| opened.digests.get(slot).is_some_and(|digest| digest.ct_eq(&shown).into()));
        let [one, two] = &opened.fingerprints;
        Ok(if first { Some(Arc::clone(one)) } else { second.then(|| Arc::clone(two)) })
    }

    fn opened(&self, account: &Account) -> Result<Arc<Opened>, StoreError> {
        let id = account.scope.folded();
        // A poisoned lock only means that another thread panicked; the map itself is whole.
        if let Some(opened) = self.opened.read().unwrap_or_else(PoisonError::into_inner).get(id)
            && opened.sealed == account.keys
        {
            return Ok(Arc::clone(opened));
        }
        let open = |slot: u8, sealed| self.sealer.open(&account_key_purpose(&account.scope, slot), sealed).map(|key| sha256(key.expose()));
        let [one, two] = &account.keys;
        let digests = [open(1, one)?, open(2, two)?];
        let fingerprints = digests.each_ref().map(fingerprint);
        let opened = Arc::new(Opened { sealed: account.keys.clone(), digests, fingerprints });
        let mut all = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MANY {
            all.clear();
        }
        all.insert(id.into(), Arc::clone(&opened));
        Ok(opened)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// `sha256:` and the first 16 hex digits: names a key in the audit, and reveals nothing of 256 random bits.
fn fingerprint(digest: &[u8; 32]) -> Arc<str> {
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}").into()
}
