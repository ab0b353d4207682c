//! Throttles: the whole rule is in one statement, so that no burst outruns it.
//!
//! A row keeps the time at which its bucket is full again. Each charge moves it `refill` further,
//! and the distance from now is how empty the bucket is. Clocks may step back: no row is ever
//! believed to lie further ahead than the policy allows.

use async_trait::async_trait;
use rusqlite::{Connection, named_params, params};

use super::SqliteStore;
use super::sql::{execute, first};
use super::writer::Verdict::Keep;
use crate::model::{AccountId, Millis, Timestamp};
use crate::store::{Lane, Reserved, StoreResult, ThrottlePolicy, Throttles};

#[async_trait]
impl Throttles for SqliteStore {
    async fn reserve_attempt(
        &self,
        account: &AccountId,
        lane: Lane,
        policy: ThrottlePolicy,
        now: Timestamp,
    ) -> StoreResult<Reserved> {
        let (account, rule) = (account.clone(), Rule::new(policy, now));
        self.writer
            .run("reserving an attempt", move |db| {
                let reserved = match charge(db, &account, lane, &rule)? {
                    Some(charged) => rule.granted(&charged),
                    None => {
                        // A wait from before the clock stepped back: from here on it is no longer
                        // than the policy's longest.
                        execute(
                            db,
                            "UPDATE throttle SET retry_at = ?3
                             WHERE account_id = ?1 AND lane = ?2 AND retry_at > ?3",
                            params![account, lane, rule.latest_retry()],
                        )?;
                        rule.ahead(read(db, &account, lane)?)
                    }
                };
                Ok(Keep(reserved))
            })
            .await
    }

    async fn forgive_attempt(
        &self,
        account: &AccountId,
        lane: Lane,
        policy: ThrottlePolicy,
        now: Timestamp,
    ) -> StoreResult<()> {
        let (account, rule) = (account.clone(), Rule::new(policy, now));
        self.writer
            .run("forgiving an attempt", move |db| {
                execute(
                    db,
                    "UPDATE throttle SET failures = failures - 1, full_at = full_at - ?4,
                                         waits = max(waits - (retry_at > ?3), 0),
                                         retry_at = min(retry_at, ?3)
                     WHERE account_id = ?1 AND lane = ?2 AND failures > 0",
                    params![account, lane, rule.now, rule.refill],
                )?;
                Ok(Keep(()))
            })
            .await
    }

    async fn throttle(
        &self,
        account: &AccountId,
        lane: Lane,
        policy: ThrottlePolicy,
        now: Timestamp,
    ) -> StoreResult<Reserved> {
        let (account, rule) = (account.clone(), Rule::new(policy, now));
        self.readers
            .read("reading a throttle", move |db| {
                Ok(rule.ahead(read(db, &account, lane)?))
            })
            .await
    }
}

/// Forgets an account's failures in one lane.
pub(super) fn clear(db: &Connection, account: &AccountId, lane: Lane) -> rusqlite::Result<()> {
    execute(
        db,
        "DELETE FROM throttle WHERE account_id = ?1 AND lane = ?2",
        params![account, lane],
    )?;
    Ok(())
}

/// A throttle as stored.
struct Count {
    failures: u32,
    full_at: i64,
    retry_at: i64,
}

fn read(db: &Connection, account: &AccountId, lane: Lane) -> rusqlite::Result<Option<Count>> {
    first(
        db,
        "SELECT failures, full_at, retry_at FROM throttle WHERE account_id = ?1 AND lane = ?2",
        params![account, lane],
        |row| {
            Ok(Count {
                failures: row.get(0)?,
                full_at: row.get(1)?,
                retry_at: row.get(2)?,
            })
        },
    )
}

/// Charges one attempt; `None` when the guard says no.
fn charge(
    db: &Connection,
    account: &AccountId,
    lane: Lane,
    rule: &Rule,
) -> rusqlite::Result<Option<Count>> {
    // `:room` is how far ahead a bucket with exactly one try left is full again: beyond it, the
    // attempt after this one has to wait.
    first(
        db,
        "INSERT INTO throttle AS t (account_id, lane, failures, full_at, waits, retry_at)
         VALUES (:account, :lane, 1, :now + :refill, :refill > :room,
                 :now + iif(:refill > :room, :first_wait, 0))
         ON CONFLICT (account_id, lane) DO UPDATE SET
             failures = t.failures + 1,
             full_at  = min(max(t.full_at, :now), :now + :room) + :refill,
             waits    = iif(t.full_at <= :now, 0, t.waits)
                        + (min(max(t.full_at, :now), :now + :room) + :refill - :now > :room),
             retry_at = :now + iif(
                 min(max(t.full_at, :now), :now + :room) + :refill - :now > :room,
                 min(:longest_wait,
                     :first_wait * (1 << min(iif(t.full_at <= :now, 0, t.waits), 20))),
                 0)
         WHERE t.retry_at <= :now AND t.failures < :dead_at
         RETURNING failures, full_at, retry_at",
        named_params! {
            ":account": account,
            ":lane": lane,
            ":now": rule.now,
            ":refill": rule.refill,
            ":room": rule.room,
            ":first_wait": rule.first_wait,
            ":longest_wait": rule.longest_wait,
            ":dead_at": rule.dead_at,
        },
        |row| {
            Ok(Count {
                failures: row.get(0)?,
                full_at: row.get(1)?,
                retry_at: row.get(2)?,
            })
        },
    )
}

/// A policy at a point in time, within bounds that no sum of them overflows: a century.
struct Rule {
    now: i64,
    refill: i64,
    /// From one try left to full.
    room: i64,
    first_wait: i64,
    longest_wait: i64,
    dead_at: u32,
}

impl Rule {
    fn new(policy: ThrottlePolicy, now: Timestamp) -> Self {
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

    fn latest_retry(&self) -> i64 {
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
    fn granted(&self, charged: &Count) -> Reserved {
        let more = charged.failures < self.dead_at;
        Reserved::Granted {
            tries_left: self.tries(charged),
            retry_at: (more && charged.retry_at > self.now).then_some(Timestamp(charged.retry_at)),
        }
    }

    /// What an attempt would meet now.
    fn ahead(&self, count: Option<Count>) -> Reserved {
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
