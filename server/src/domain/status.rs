//! An account's codes, seen from outside: how many are left, what waits, how many tries remain.

use spare_key_core::Format;

use super::{Mfa, Result};
use crate::model::{AccountId, BatchState, Generation, Millis, Origin, Timestamp};
use crate::store::{self, AccountPage, Reserved};

/// Whether an account has live codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// Never had any, or is unknown.
    None,
    /// A batch is live, be it used up.
    Active,
    /// The last live batch was ended without a successor.
    Revoked,
}

/// An account's codes, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whose.
    pub account: AccountId,
    /// The live (or last) batch's number; 0 before the first.
    pub generation: Generation,
    /// Whether there are live codes.
    pub state: AccountState,
    /// List or single; `None` before the first batch.
    pub format: Option<Format>,
    /// Where its codes came from, if another system made them.
    pub origin: Option<Origin>,
    /// How many codes the batch was issued with.
    pub total: u32,
    /// How many are left.
    pub remaining: u32,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// When a code was last redeemed, in any generation.
    pub last_redeemed_at: Option<Timestamp>,
    /// A batch that waits to be activated.
    pub pending: Option<PendingStatus>,
    /// Attempts.
    pub throttle: ThrottleStatus,
    /// Few enough are left that the person should make new ones.
    pub low: bool,
    /// They have heard enough of that.
    pub reminder_ended: bool,
    /// The codes were kept by a restore of an older backup: some may have been used since, and the
    /// person should make new ones.
    pub kept: bool,
}

/// A batch that waits to be activated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingStatus {
    /// Its number.
    pub generation: Generation,
    /// Until when.
    pub expires_at: Timestamp,
}

/// How many attempts are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleStatus {
    /// Without waiting.
    pub tries_left: u32,
    /// When the next can be made, if only after a wait; `None` with no tries left means never.
    pub retry_at: Option<Timestamp>,
}

impl From<Reserved> for ThrottleStatus {
    fn from(reserved: Reserved) -> Self {
        match reserved {
            Reserved::Granted {
                tries_left,
                retry_at,
            } => Self {
                tries_left,
                retry_at,
            },
            Reserved::Throttled { retry_at } => Self {
                tries_left: 0,
                retry_at: Some(retry_at),
            },
            Reserved::Dead => Self {
                tries_left: 0,
                retry_at: None,
            },
        }
    }
}

impl Mfa {
    /// An account's codes, seen from outside; an unknown account has none.
    ///
    /// # Errors
    /// A fault.
    pub async fn status(&self, account: &AccountId) -> Result<Status> {
        let now = self.now();
        let found = self.store.status(account, now).await?;
        let throttle = self
            .store
            .throttle(
                account,
                store::Lane::Recovery,
                self.policy.recovery_throttle,
                now,
            )
            .await?;
        let latest = found.latest;
        let state = match latest.as_ref().map(|batch| batch.state) {
            None => AccountState::None,
            Some(BatchState::Active) => AccountState::Active,
            Some(_) => AccountState::Revoked,
        };
        // A single code is replaced when it is spent: one is all there ever is.
        let low_at = match latest.as_ref().map(|batch| batch.format) {
            Some(Format::Single) => 0,
            Some(Format::List) | None => self.policy.low_at,
        };
        let remaining = latest.as_ref().map_or(0, |batch| batch.remaining);
        let kept = state == AccountState::Active && latest.as_ref().is_some_and(|b| b.kept);
        Ok(Status {
            account: account.clone(),
            generation: latest
                .as_ref()
                .map_or(Generation(0), |batch| batch.generation),
            state,
            format: latest.as_ref().map(|batch| batch.format),
            origin: latest.as_ref().and_then(|batch| batch.origin),
            total: latest.as_ref().map_or(0, |batch| batch.total),
            remaining,
            issued_at: latest.as_ref().map(|batch| batch.issued_at),
            last_redeemed_at: found.last_redeemed_at,
            pending: found.pending.map(|(generation, expires_at)| PendingStatus {
                generation,
                expires_at,
            }),
            throttle: throttle.into(),
            low: kept || (state == AccountState::Active && remaining <= low_at),
            kept,
            reminder_ended: latest.as_ref().is_some_and(|batch| batch.reminder_ended),
        })
    }

    /// How many one-time passwords can be tried without waiting. Looking charges nothing.
    ///
    /// # Errors
    /// A fault.
    pub async fn otp_tries_left(&self, caller: &super::Caller) -> Result<u32> {
        let policy = self.policy.totp_throttle;
        let throttle = self
            .store
            .throttle(&caller.account, store::Lane::Totp, policy, self.now())
            .await?;
        Ok(ThrottleStatus::from(throttle).tries_left)
    }

    /// The status of accounts whose live batch runs low, by identifier, for reminders.
    ///
    /// # Errors
    /// A fault.
    pub async fn statuses(&self, page: AccountPage) -> Result<Vec<Status>> {
        let mut statuses = Vec::new();
        for line in self.store.accounts(page).await? {
            statuses.push(self.status(&line.id).await?);
        }
        Ok(statuses)
    }
}

/// Seconds until a time, for `Retry-After`; at least one.
pub fn wait_until(at: Timestamp, now: Timestamp) -> u64 {
    at.since(now).max(Millis(1)).ceil_seconds()
}
