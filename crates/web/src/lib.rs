//! The HTTP edge that the planes share: who is calling, under which request id, within which limits, answered how.
//!
//! Reason to be a crate: a port. Planes meet the network through this and never read a token, a form or a header in a way of
//! their own. It does not know of listeners, certificates or files; `keyless-server` does.

mod authn;
mod authn_error;
mod challenge;
mod form;
mod passwords;
mod peer_owner;
mod place;
mod platform;
mod refusals;
mod reply;
mod request;
mod tenants;

pub use authn::{Audiences, Authenticator, Caller, bearer_of};
pub use authn_error::{AuthnError, KeysNeeded, KeysUnavailable};
pub use challenge::claims_challenge;
pub use form::{Form, FormError};
pub use passwords::{Hashing, PasswordFailure, Passwords};
pub use peer_owner::{PeerOwner, owner_of};
pub use place::{Place, place};
pub use platform::{Endpoints, Platform};
pub use refusals::{Refusals, Refused, RefusedBy};
pub use reply::{NO_STORE, json};
pub use request::{Local, Peer, RequestFacts};
pub use tenants::{ENTRA, KeySource, TrustedTenants, v2_issuer};
