//! Throttles: counting attempts in the database, over all processes and restarts.
//!
//! A bucket holds `capacity` failures and refills one every `refill`. When it runs empty, the next
//! attempt must wait: `first_wait`, then twice as long each time, at most `longest_wait`. At
//! `dead_at` failures in a row nothing is tried any more (NIST SP 800-63B-4, 3.2.2: at most 100).

use async_trait::async_trait;

use super::StoreResult;
use crate::model::{AccountId, Millis, Timestamp};

/// What is being guessed. The lanes never touch each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Recovery codes.
    Recovery,
    /// One-time passwords.
    Totp,
    /// Passwords, by login and address: the account is a name made of both, so that nobody can
    /// keep somebody else out from afar. Forgotten when its bucket is full again.
    Password,
}

/// How much guessing is borne.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottlePolicy {
    /// Failures a full bucket holds.
    pub capacity: u32,
    /// Time in which one failure is forgiven.
    pub refill: Millis,
    /// The first wait once the bucket is empty.
    pub first_wait: Millis,
    /// No wait is longer.
    pub longest_wait: Millis,
    /// Failures in a row after which there is no next attempt.
    pub dead_at: u32,
}

/// What came of asking for an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// It may be made, and is charged already; success clears the count.
    Granted {
        /// Further attempts possible without waiting.
        tries_left: u32,
        /// When the next attempt is possible, if only after a wait.
        retry_at: Option<Timestamp>,
    },
    /// Not before this time. Nothing was charged.
    Throttled {
        /// When the next attempt is possible.
        retry_at: Timestamp,
    },
    /// Not until the count is cleared by a new batch or an administrator. Nothing was charged.
    Dead,
}

/// What the domain asks about throttles. An account need not exist: an unknown one is throttled
/// like any other, so that the answer tells nothing.
#[async_trait]
pub trait Throttles {
    /// Charges one attempt in one guarded statement, or says why not.
    async fn reserve_attempt(
        &self,
        account: &AccountId,
        lane: Lane,
        policy: ThrottlePolicy,
        now: Timestamp,
    ) -> StoreResult<Reserved>;

    /// Takes one charge back: the attempt was not answered because something here broke.
    async fn forgive_attempt(
        &self,
        account: &AccountId,
        lane: Lane,
        policy: ThrottlePolicy,
        now: Timestamp,
    ) -> StoreResult<()>;

    /// What [`Throttles::reserve_attempt`] would say now, charging nothing; `tries_left` counts
    /// the attempts possible without waiting.
    async fn throttle(
        &self,
        account: &AccountId,
        lane: Lane,
        policy: ThrottlePolicy,
        now: Timestamp,
    ) -> StoreResult<Reserved>;
}
