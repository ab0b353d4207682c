//! The use cases: what Spare Key does, in its own words.
//!
//! Drawn for an ideal client and for no dialect. It knows the store only by its port, and nothing
//! of HTTP, JSON or SQL. What may be done depends on the [`Caller`] alone.

mod account;
mod administration;
mod api_key;
mod associate;
mod authenticator;
mod bearer;
mod binding;
mod caller;
mod carried;
mod challenge;
mod client;
mod device;
mod draft;
mod enrolling;
mod environment;
mod error;
mod event;
mod import;
mod keys;
mod notice;
mod patience;
mod policy;
mod presented;
mod recovery;
mod redeem;
mod remembered;
mod signing;
mod status;
mod step_up;
mod tenant;
mod tokens;
mod totp;
mod trusted;
mod trusted_device;

use std::sync::Arc;

pub use self::account::{AccountCard, NewPerson};
pub use self::administration::{Administrator, Found, Sought};
pub use self::api_key::{ApiKeyCard, NewKey};
pub use self::associate::Association;
pub use self::authenticator::{Enrollment, Factor, Passed};
pub use self::bearer::{BearerSession, BearerSignIn, Grace, OwnSession, TrustGiven};
pub use self::caller::{Authority, Caller, HostProof, Standing, VouchedBy};
pub use self::carried::Carrying;
pub use self::challenge::{NextStep, Saved, SignedIn};
pub use self::client::{ClientCard, Grant, NewClient, Scope, Secrecy};
pub use self::device::{Device, DeviceEnrollment, Proof, Removed};
pub use self::enrolling::{FactorEnrolled, FactorEnrollment, NewFactor};
pub use self::environment::{Environment, FactorKind};
#[cfg(test)]
pub(crate) use self::error::every_refusal;
pub use self::error::{Error, Fault, Refusal};
pub use self::import::{
    ForeignBatch, ForeignVerifier, IMPORT_CODES_MAX, ImportHow, ImportOutcome, ImportUnfit,
};
pub use self::keys::{KeyringUnfit, keyring_unfit};
pub use self::notice::{ADDRESSES_MAX, Sending};
pub use self::policy::{FLOORS, KEEP_EVENTS_DAYS, Policy};
pub use self::presented::Presented;
pub use self::recovery::{IdempotencyKey, Issued, NumberedCode, StageRequest};
pub use self::redeem::Redemption;
pub use self::remembered::BY_BROWSER;
pub use self::signing::{Overlap, SigningKey};
pub use self::status::{AccountState, PendingStatus, Status, ThrottleStatus, wait_until};
pub use self::step_up::SteppedUp;
pub use self::tenant::{SecondFactor, Toggle};
pub use self::tokens::{Opened, Reach, Renewed, Renewing};
pub use self::trusted::Guest;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::hasher::Hasher;
use crate::keyring::Keyring;
use crate::metrics::Metrics;
use crate::model::Timestamp;
use crate::store::Store;
// Plain values of the port that callers ask with and are answered with.
pub use crate::store::{
    AccountLine, AccountPage, Activation, Actor, AddressAdded, Asked, Door, Due, Event, KeyUse,
    NamedTotp, Notice, Role, SessionKind, TrustedDevice, Waiting, Way,
};

/// What a use case answers.
pub type Result<T> = std::result::Result<T, Error>;

/// The product: every use case is a method, one file an area.
#[derive(Clone)]
pub struct Mfa {
    store: Arc<dyn Store>,
    hasher: Hasher,
    keyring: Arc<Keyring>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    metrics: Arc<Metrics>,
    // Shared: every layer of a request has a handle of its own on all of this.
    policy: Arc<Policy>,
}

impl std::fmt::Debug for Mfa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mfa")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// What [`Mfa`] is made of.
pub struct Parts {
    /// The database.
    pub store: Arc<dyn Store>,
    /// The slow hash.
    pub hasher: Hasher,
    /// The secrets.
    pub keyring: Arc<Keyring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The randomness.
    pub entropy: Arc<dyn Entropy>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is allowed.
    pub policy: Policy,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts(…)")
    }
}

impl Mfa {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            store,
            hasher,
            keyring,
            clock,
            entropy,
            metrics,
            policy,
        } = parts;
        Self {
            store,
            hasher,
            keyring,
            clock,
            entropy,
            metrics,
            policy: Arc::new(policy),
        }
    }

    /// What is allowed.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The secrets, for what the edge derives from them (CSRF proofs).
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The pool, for its figures.
    pub fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Now, by the product's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A random opaque value, for what the edge hands out (the pre-sign-in cookie).
    ///
    /// # Errors
    /// The source of randomness failed.
    pub fn draw_token(&self) -> Result<crate::model::Token> {
        Ok(crate::entropy::draw_token(&*self.entropy)?)
    }

    /// Whether the store answers and can be written to.
    ///
    /// # Errors
    /// It does not.
    pub async fn ready(&self) -> Result<()> {
        Ok(self.store.ping().await?)
    }

    /// Erases what has run out: sealed seeds, pending batches, challenges, sessions, and what the
    /// audit trail has told for long enough.
    ///
    /// # Errors
    /// The store failed.
    pub async fn sweep(&self) -> Result<u64> {
        let now = self.now();
        let swept = self.store.sweep(now).await?;
        let before = Timestamp(now.0.saturating_sub(self.policy.keep_events.0));
        Ok(swept + self.store.forget_events(before).await?)
    }

    /// Live lists by codes left, for metrics.
    ///
    /// # Errors
    /// The store failed.
    pub async fn census(&self) -> Result<Vec<(u32, u64)>> {
        Ok(self.store.census().await?)
    }
}
