//! The store port: what the domain asks of a database, one trait an aggregate.
//!
//! A method is one transaction and one decision, and says which way it went. The guard of every
//! mutation is in its SQL statement and the row count decides. Expected outcomes are `Ok`;
//! [`StoreFault`] is for what broke. Times, identifiers and digests come from the caller. Nothing
//! here holds a transaction open for the caller, so none can be held across a slow hash.

pub mod postgres;
pub mod sqlite;

mod account;
mod administration;
mod api_key;
mod authenticator;
mod bucket;
mod client;
mod event;
#[cfg(feature = "failpoints")]
pub mod failpoint;
#[cfg(not(feature = "failpoints"))]
mod failpoint;
mod key_use;
mod notice;
mod progress;
mod recovery;
mod restore;
mod setting;
mod signing;
mod throttle;
mod trusted_device;
mod watch;

use std::error::Error;

pub use account::*;
pub use administration::*;
pub use api_key::*;
pub use authenticator::*;
pub use client::*;
pub use event::*;
pub use key_use::*;
pub use notice::*;
pub use progress::*;
pub use recovery::*;
pub use restore::{
    Counts, LiveCodes, NUMBERS_JUMP, Past, PastUnfit, Restoration, Restored, Standing,
};
pub use setting::*;
pub use signing::*;
pub use throttle::*;
pub use trusted_device::*;
pub use watch::{Access, Watcher};

use crate::model::{Generation, Timestamp};

/// Something broke in the store: nothing was changed, except after a fault of the commit itself,
/// when it is unknown whether it was.
#[derive(Debug, thiserror::Error)]
#[error("the store failed: {context}")]
pub struct StoreFault {
    /// What was being done, in the port's words.
    pub context: &'static str,
    /// What the database said.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

/// What a port method answers.
pub type StoreResult<T> = Result<T, StoreFault>;

/// Everything the domain asks of one database.
pub trait Store:
    Accounts
    + Administration
    + ApiKeys
    + Authenticators
    + Challenges
    + Clients
    + Events
    + KeyUses
    + Notices
    + Recovery
    + Sessions
    + Settings
    + SigningKeys
    + Throttles
    + TrustedDevices
    + Upkeep
    + Send
    + Sync
    + 'static
{
}

impl<T> Store for T where
    T: Accounts
        + Administration
        + ApiKeys
        + Authenticators
        + Challenges
        + Clients
        + Events
        + KeyUses
        + Notices
        + Recovery
        + Sessions
        + Settings
        + SigningKeys
        + Throttles
        + TrustedDevices
        + Upkeep
        + Send
        + Sync
        + 'static
{
}

/// What keeps a store fit.
#[async_trait::async_trait]
pub trait Upkeep {
    /// Tells this one from now on how long reads and writes take; nobody else afterwards.
    fn watch(&self, watcher: Watcher);

    /// Whether the store answers and can be written to.
    async fn ping(&self) -> StoreResult<()>;

    /// Erases what has run out by `now`: sealed seeds, pending batches, the secrets of pending
    /// authenticators, those themselves and challenges ([`LATE_COMERS`] after their end), sessions,
    /// step-up tokens, trusted devices, idempotency keys, and throttles
    /// whose bucket is full again and that count nothing: failures in a row stay counted however
    /// slowly they come (NIST SP 800-63B-4, 3.2.2). Returns how many rows changed. A kind and a
    /// slice at a time: it may stop between.
    async fn sweep(&self, now: Timestamp) -> StoreResult<u64>;

    /// Erases the oldest rows of the audit trail that tell of what was before `before`, and with
    /// them the notifications that nobody delivered. Returns how many. A slice at a time; it looks
    /// at the oldest rows alone, so that it costs nothing while there is nothing to do.
    async fn forget_events(&self, before: Timestamp) -> StoreResult<u64>;

    /// From which number on accounts that come into being count their batches: 0, or what the last
    /// restore of a backup has fenced off.
    async fn first_number(&self) -> StoreResult<Generation>;

    /// How many live lists have how many codes left: (remaining, lists), for metrics. Single codes
    /// are not counted: one is always left.
    async fn census(&self) -> StoreResult<Vec<(u32, u64)>>;
}
