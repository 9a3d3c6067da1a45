//! Gives out tokens for a chosen identity: from memory while one is fresh, else from the token service.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use keyless_audit::{ActorRecord, AuditEvent, Category, DecisionRecord, Outcome, TokenDetail};
use keyless_model::{ClientId, OpContext, Timestamp};
use keyless_store::Snapshot;
use keyless_web::Platform;
use quick_cache::sync::Cache;

use crate::source::{IssuedToken, TokenRequest, TokenSource, TokenSourceError};

/// Tokens remembered, of about 2 kB each.
const REMEMBERED: usize = 4_096;
/// A remembered token is given out until this long before its end. The clients drop a token with less than 5 minutes left, so it
/// must be renewed here before they ask again; and for long lives half the life is enough, as MSAL refreshes then.
const MARGIN_SECS: i64 = 10 * 60;
/// Holders of one token that are remembered. Beyond them the audit says again who has it.
const HOLDERS: usize = 1_024;
/// Callers whose rate is watched at once.
const WATCHED: usize = 4_096;

/// Why there is no token.
#[derive(Debug)]
pub(crate) enum BrokerError {
    Source(TokenSourceError),
    /// Too many fresh tokens per second (case 105); try again after this many seconds.
    TooMany {
        retry_after_secs: u32,
    },
    /// The identity's principal is disabled or gone.
    Disabled,
}

/// A token, and who has it by now.
#[derive(Debug)]
struct Remembered {
    token: Arc<IssuedToken>,
    holders: Mutex<HashSet<String>>,
}

/// Who is counted: an identity in the hands of a user of this machine.
type Workload = (Option<u32>, ClientId);

/// The second a workload is in, and how many fresh tokens it had in it.
#[derive(Debug, Clone, Copy)]
struct Rate {
    second: i64,
    issued: u32,
}

#[derive(Debug)]
pub(crate) struct Broker {
    source: Arc<dyn TokenSource>,
    remembered: Cache<(ClientId, String), Arc<Remembered>>,
    rates: Mutex<HashMap<Workload, Rate>>,
    issues_per_second: u32,
}

impl Broker {
    pub(crate) fn new(source: Arc<dyn TokenSource>, issues_per_second: u32) -> Self {
        Self { source, remembered: Cache::new(REMEMBERED), rates: Mutex::default(), issues_per_second }
    }

    /// A token for this identity that holds now and for a while.
    pub(crate) fn token(
        &self,
        platform: &Platform,
        snapshot: &Snapshot,
        ctx: &OpContext,
        request: &TokenRequest<'_>,
        uid: Option<u32>,
    ) -> Result<Arc<IssuedToken>, BrokerError> {
        let identity = request.identity;
        let principal = snapshot.principal(identity.principal_id).filter(|principal| principal.enabled).ok_or(BrokerError::Disabled)?;
        let name = (identity.client_id, request.resource.to_owned());
        if let Some(remembered) = self.remembered.get(&name) {
            let token = &remembered.token;
            let keys =
                platform.keyring.at(snapshot).map_err(|error| BrokerError::Source(TokenSourceError::Unavailable(Box::new(error))))?;
            let holds = keys.public().holds(&token.kid) && principal.tokens_valid_from.is_none_or(|from| token.issued >= from);
            if holds && ctx.now.plus_secs(margin_secs(token)) < token.expires {
                given_again(platform, ctx, request, &remembered)?;
                return Ok(Arc::clone(token));
            }
        }
        self.count(uid, identity.client_id, ctx.now)?;
        let token = Arc::new(self.source.issue(ctx, request).map_err(BrokerError::Source)?);
        let holders = Mutex::new(HashSet::from([request.holder.to_owned()]));
        self.remembered.insert(name, Arc::new(Remembered { token: Arc::clone(&token), holders }));
        Ok(token)
    }

    fn count(&self, uid: Option<u32>, identity: ClientId, now: Timestamp) -> Result<(), BrokerError> {
        let second = now.unix_secs();
        let mut rates = self.rates.lock().expect("no holder of this lock panics");
        if rates.len() >= WATCHED {
            rates.retain(|_, rate| rate.second == second);
        }
        let rate = rates.entry((uid, identity)).or_insert(Rate { second, issued: 0 });
        if rate.second != second {
            *rate = Rate { second, issued: 0 };
        }
        if rate.issued >= self.issues_per_second {
            return Err(BrokerError::TooMany { retry_after_secs: 1 });
        }
        rate.issued += 1;
        Ok(())
    }
}

/// The audit knows of every holder of every token: one event when a holder first gets a remembered one, none when it asks again. So a
/// program that asks a thousand times writes one line, and which of two programs had a token can be told.
fn given_again(platform: &Platform, ctx: &OpContext, request: &TokenRequest<'_>, remembered: &Remembered) -> Result<(), BrokerError> {
    let mut holders = remembered.holders.lock().expect("no holder of this lock panics");
    if holders.contains(request.holder) {
        return Ok(());
    }
    let identity = request.identity;
    let mut event = AuditEvent::new(ctx, Category::Token, "Token_Issue", Outcome::Allowed);
    event.actor = ActorRecord::Principal { object_id: identity.principal_id, tenant: identity.tenant, client_id: Some(identity.client_id) };
    event.status = Some(200);
    event.decision = Some(DecisionRecord::allowed(format!("a remembered token, by {}", request.holder)));
    event.token = Some(TokenDetail {
        grant: "managed_identity".into(),
        credential: request.credential.into(),
        audience: Some(request.resource.to_owned()),
        token_id: Some(remembered.token.token_id.clone()),
        expires: Some(remembered.token.expires),
        error: None,
    });
    // SECURITY: before the token leaves, and under the lock, so that no second request overtakes the record of the first.
    platform.audit.record(&event).map_err(|error| BrokerError::Source(TokenSourceError::Unavailable(Box::new(error))))?;
    if holders.len() >= HOLDERS {
        holders.clear();
    }
    holders.insert(request.holder.to_owned());
    Ok(())
}

fn margin_secs(token: &IssuedToken) -> i64 {
    let life = token.expires.millis_since(token.issued) / 1000;
    MARGIN_SECS.max(life / 2).min(life)
}
