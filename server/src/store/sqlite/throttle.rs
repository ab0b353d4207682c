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
use crate::model::{AccountId, Timestamp};
use crate::store::bucket::{Count, Rule};
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
            .look_up("reading a throttle", move |db| {
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
    // attempt after this one has to wait. Where none is due, `retry_at` is nought and not `:now`:
    // attempts made at once reach this in any order, and a moment earlier is no reason to wait.
    first(
        db,
        "INSERT INTO throttle AS t (account_id, lane, failures, full_at, waits, retry_at)
         VALUES (:account, :lane, 1, :now + :refill, :refill > :room,
                 iif(:refill > :room, :now + :first_wait, 0))
         ON CONFLICT (account_id, lane) DO UPDATE SET
             failures = t.failures + 1,
             full_at  = min(max(t.full_at, :now), :now + :room) + :refill,
             waits    = iif(t.full_at <= :now, 0, t.waits)
                        + (min(max(t.full_at, :now), :now + :room) + :refill - :now > :room),
             retry_at = iif(
                 min(max(t.full_at, :now), :now + :room) + :refill - :now > :room,
                 :now + min(:longest_wait,
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
