//! Throttles: the whole rule is in one statement, so that no burst outruns it.
//!
//! A row keeps the time at which its bucket is full again. Each charge moves it `refill` further,
//! and the distance from now is how empty the bucket is. Clocks may step back: no row is ever
//! believed to lie further ahead than the policy allows. The statement locks its row and looks at
//! what was committed last, so no account needs to be locked, or to exist.

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};
use tokio_postgres::Row;

use super::PostgresStore;
use super::fault::Work;
use super::pool::Verdict::Keep;
use super::sql::{Columns, execute, first, params};
use crate::model::{AccountId, Timestamp};
use crate::store::bucket::{Count, Rule};
use crate::store::{Lane, Reserved, StoreResult, ThrottlePolicy, Throttles};

#[async_trait]
impl Throttles for PostgresStore {
    async fn reserve_attempt(
        &self,
        account: &AccountId,
        lane: Lane,
        policy: ThrottlePolicy,
        now: Timestamp,
    ) -> StoreResult<Reserved> {
        let rule = &Rule::new(policy, now);
        self.pool
            .run("reserving an attempt", |db, _| {
                Box::pin(async move {
                    if let Some(charged) = charge(db, account, lane, rule).await? {
                        return Ok(Keep(rule.granted(&charged)));
                    }
                    // A wait from before the clock stepped back: from here on it is no longer than
                    // the policy's longest.
                    execute(
                        db,
                        "UPDATE throttle SET retry_at = $3
                         WHERE account_id = $1 AND lane = $2 AND retry_at > $3",
                        params![account, lane, rule.latest_retry()],
                    )
                    .await?;
                    Ok(Keep(rule.ahead(stored(db, account, lane).await?)))
                })
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
        let rule = &Rule::new(policy, now);
        self.pool
            .run("forgiving an attempt", |db, _| {
                Box::pin(async move {
                    execute(
                        db,
                        "UPDATE throttle SET failures = failures - 1, full_at = full_at - $4,
                                waits = greatest(
                                    waits - CASE WHEN retry_at > $3 THEN 1 ELSE 0 END, 0),
                                retry_at = least(retry_at, $3)
                         WHERE account_id = $1 AND lane = $2 AND failures > 0",
                        params![account, lane, rule.now, rule.refill],
                    )
                    .await?;
                    Ok(Keep(()))
                })
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
        let rule = &Rule::new(policy, now);
        self.pool
            .read("reading a throttle", |db, _| {
                Box::pin(async move { Ok(rule.ahead(stored(db, account, lane).await?)) })
            })
            .await
    }
}

/// Forgets an account's failures in one lane.
pub(super) async fn clear(db: &Transaction<'_>, account: &AccountId, lane: Lane) -> Work<()> {
    execute(
        db,
        "DELETE FROM throttle WHERE account_id = $1 AND lane = $2",
        params![account, lane],
    )
    .await?;
    Ok(())
}

async fn stored(db: &impl GenericClient, account: &AccountId, lane: Lane) -> Work<Option<Count>> {
    first(
        db,
        "SELECT failures, full_at, retry_at FROM throttle WHERE account_id = $1 AND lane = $2",
        params![account, lane],
        read,
    )
    .await
}

/// Charges one attempt; `None` when the guard says no.
async fn charge(
    db: &Transaction<'_>,
    account: &AccountId,
    lane: Lane,
    rule: &Rule,
) -> Work<Option<Count>> {
    // $3 now, $4 refill, $5 room, $6 first wait, $7 longest wait, $8 dead at. The room is how far
    // ahead a bucket with exactly one try left is full again: beyond it, the attempt after this
    // one has to wait. Where none is due, `retry_at` is nought and not $3: attempts made at once
    // reach this in any order, and a moment earlier is no reason to wait.
    first(
        db,
        "INSERT INTO throttle AS t (account_id, lane, failures, full_at, waits, retry_at)
         VALUES ($1, $2, 1, $3::bigint + $4::bigint,
                 CASE WHEN $4 > $5::bigint THEN 1 ELSE 0 END,
                 CASE WHEN $4 > $5 THEN $3 + $6::bigint ELSE 0 END)
         ON CONFLICT (account_id, lane) DO UPDATE SET
             failures = t.failures + 1,
             full_at  = least(greatest(t.full_at, $3), $3 + $5) + $4,
             waits    = CASE WHEN t.full_at <= $3 THEN 0 ELSE t.waits END
                        + CASE WHEN least(greatest(t.full_at, $3), $3 + $5) + $4 - $3 > $5
                               THEN 1 ELSE 0 END,
             retry_at = CASE
                 WHEN least(greatest(t.full_at, $3), $3 + $5) + $4 - $3 > $5
                 THEN $3 + least($7::bigint, $6 * (1::bigint << least(
                          CASE WHEN t.full_at <= $3 THEN 0 ELSE t.waits END, 20)::integer))
                 ELSE 0 END
         WHERE t.retry_at <= $3 AND t.failures < $8
         RETURNING t.failures, t.full_at, t.retry_at",
        params![
            account,
            lane,
            rule.now,
            rule.refill,
            rule.room,
            rule.first_wait,
            rule.longest_wait,
            i64::from(rule.dead_at)
        ],
        read,
    )
    .await
}

fn read(row: &Row) -> Work<Count> {
    Ok(Count {
        failures: row.number(0)?,
        full_at: row.at(1)?,
        retry_at: row.at(2)?,
    })
}
