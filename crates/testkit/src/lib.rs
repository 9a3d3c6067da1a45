//! Developers only: a clock moved by hand, seeded randomness, an audit sink that remembers, and a directory in memory.
//!
//! Reason to be a crate: developers only. Every crate's tests share it, and no released program contains it.

mod audit;
mod clock;
mod entra;
mod entropy;
mod platform;

pub use audit::MemoryAudit;
pub use clock::ManualClock;
pub use entra::{ENTRA_TENANTS, Entra, GUEST, entra_claims, guest};
pub use entropy::SeededEntropy;
pub use platform::{ACCOUNT_KEYS, APP_SECRET, Fixture, OTHER_TENANT, SUBSCRIPTION, TENANT, TestPlatform, Who, system};
