//! People: who is signing in, what waits for them, and the pages they see.
//!
//! It does not know what a sign-in is used for; grants turn it into tokens. What waits here lives in memory: a restart asks a
//! person who was in the middle of a sign-in to begin again, and nobody else.

use keyless_token::opaque::RefreshSealer;
use keyless_web::Platform;

mod csrf;
mod devices;
mod lockout;
mod page;
mod password;
mod pending;
mod ticket;

pub(crate) use csrf::Browser;
pub(crate) use devices::{Devices, INTERVAL_SECS as DEVICE_INTERVAL_SECS, LIFETIME_SECS as DEVICE_LIFETIME_SECS};
pub(crate) use page::{Page, PageKind, redirect_with};
pub(crate) use password::{Checked, SignInError, change, check};
pub(crate) use pending::{Codes, Taken};
pub(crate) use ticket::{AuthorizeRequest, LIFETIME_SECS as TICKET_SECS, ResponseMode, Then, Ticket, Tickets};

use crate::throttle::Throttle;
use lockout::Lockout;

/// Wrong user codes from one address in a minute: there are 25 billion codes, so guessing is hopeless long before this.
const USER_CODES_PER_MINUTE: u32 = 20;

/// Everything that is remembered while people sign in.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) codes: Codes,
    pub(crate) devices: Devices,
    pub(crate) tickets: Tickets,
    pub(crate) refresh: RefreshSealer,
    pub(crate) user_codes: Throttle<keyless_web::Place>,
    lockout: Lockout,
}

impl SignIn {
    pub(crate) fn new(platform: &Platform) -> Self {
        Self {
            codes: Codes::default(),
            devices: Devices::default(),
            tickets: Tickets::of(platform),
            refresh: RefreshSealer::new(&platform.sealer.key_for("refresh-tokens")),
            user_codes: Throttle::new(USER_CODES_PER_MINUTE),
            lockout: Lockout::default(),
        }
    }
}
