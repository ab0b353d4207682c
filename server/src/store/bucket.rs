//! A throttle's arithmetic, the same for every adapter: what a policy means at a point in time, and
//! what a stored count means under it. What is charged is decided by the adapter's statement.

use super::{Reserved, ThrottlePolicy};
use crate::model::{Millis, Timestamp};

/// A throttle as stored.
pub(super) struct Count {
    pub(super) failures: u32,
    pub(super) full_at: i64,
    pub(super) retry_at: i64,
}

/// A policy at a point in time, within bounds that no sum of them overflows: a century.
pub(super) struct Rule {
    pub(super) now: i64,
    pub(super) refill: i64,
    /// From one try left to full.
    pub(super) room: i64,
    pub(super) first_wait: i64,
    pub(super) longest_wait: i64,
    pub(super) dead_at: u32,
}

impl Rule {
    pub(super) fn new(policy: ThrottlePolicy, now: Timestamp) -> Self {
        const CENTURY: i64 = 100 * 366 * 86_400_000;
        const FAR: i64 = i64::MAX / 4;
        let bounded = |span: Millis, least: i64| span.0.clamp(least, CENTURY);
        let refill = bounded(policy.refill, 1);
        let longest_wait = bounded(policy.longest_wait, 0);
        Self {
            now: now.0.clamp(-FAR, FAR),
            refill,
            room: refill
                .saturating_mul(i64::from(policy.capacity.max(1)) - 1)
                .min(FAR),
            first_wait: bounded(policy.first_wait, 0).min(longest_wait),
            longest_wait,
            dead_at: policy.dead_at,
        }
    }

    pub(super) fn latest_retry(&self) -> i64 {
        self.now.saturating_add(self.longest_wait)
    }

    /// Whole tries in the bucket, at most those before the end.
    fn tries(&self, count: &Count) -> u32 {
        let full = self.room.saturating_add(self.refill);
        let missing = count.full_at.saturating_sub(self.now).clamp(0, full);
        let whole = u32::try_from((full - missing) / self.refill).unwrap_or(u32::MAX);
        whole.min(self.dead_at.saturating_sub(count.failures))
    }

    /// What to say of an attempt just charged.
    pub(super) fn granted(&self, charged: &Count) -> Reserved {
        let more = charged.failures < self.dead_at;
        Reserved::Granted {
            tries_left: self.tries(charged),
            retry_at: (more && charged.retry_at > self.now).then_some(Timestamp(charged.retry_at)),
        }
    }

    /// What an attempt would meet now.
    pub(super) fn ahead(&self, count: Option<Count>) -> Reserved {
        let fresh = Count {
            failures: 0,
            full_at: self.now,
            retry_at: self.now,
        };
        let count = count.unwrap_or(fresh);
        if count.failures >= self.dead_at {
            Reserved::Dead
        } else if count.retry_at > self.now {
            Reserved::Throttled {
                retry_at: Timestamp(count.retry_at.min(self.latest_retry())),
            }
        } else {
            // After a wait one attempt is open, however empty the bucket still is.
            Reserved::Granted {
                tries_left: self.tries(&count).max(1),
                retry_at: None,
            }
        }
    }
}
