//! What keeps the database fit: a probe, a sweep, a census.

use async_trait::async_trait;
use deadpool_postgres::Transaction;

use super::PostgresStore;
use super::ending::erase_codes;
use super::fault::Work;
use super::pool::Verdict::Keep;
use super::sql::{Columns, all, execute, first, params};
use crate::model::{BatchState, Generation, Millis, Timestamp};
use crate::store::{LATE_COMERS, StoreResult, Upkeep, Watcher};

/// Rows of a kind that one transaction of a sweep takes, so that nobody waits long behind it.
const SLICE: i64 = 500;

/// A statement that takes at most `$2` rows that have run out by `$1`, and how much longer they are
/// kept than that. What somebody else holds is left to them or to the next sweep: several servers
/// sweep at once and none waits for another.
const SLICES: [(Millis, &str); 9] = [
    (
        Millis(0),
        "WITH due AS MATERIALIZED (
             SELECT n FROM totp
             WHERE confirmed_at IS NULL AND holder IS NOT NULL AND expires_at <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)
         UPDATE totp SET secret = ''::bytea, holder = NULL FROM due WHERE totp.n = due.n",
    ),
    (
        LATE_COMERS,
        "WITH due AS MATERIALIZED (
             SELECT n FROM totp WHERE confirmed_at IS NULL AND expires_at <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)
         DELETE FROM totp USING due WHERE totp.n = due.n",
    ),
    (
        LATE_COMERS,
        "WITH due AS MATERIALIZED (
             SELECT digest FROM challenge WHERE expires_at <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)
         DELETE FROM challenge USING due WHERE challenge.digest = due.digest",
    ),
    (
        Millis(0),
        "WITH due AS MATERIALIZED (
             SELECT digest FROM session WHERE expires_at <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)
         DELETE FROM session USING due WHERE session.digest = due.digest",
    ),
    (
        Millis(0),
        "WITH due AS MATERIALIZED (
             SELECT digest FROM step_up WHERE expires_at <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)
         DELETE FROM step_up USING due WHERE step_up.digest = due.digest",
    ),
    (
        Millis(0),
        "WITH due AS MATERIALIZED (
             SELECT digest FROM trusted_device WHERE expires_at <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)
         DELETE FROM trusted_device AS d USING due WHERE d.digest = due.digest",
    ),
    (
        Millis(0),
        "WITH due AS MATERIALIZED (
             SELECT key FROM idempotency WHERE until <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)
         DELETE FROM idempotency USING due WHERE idempotency.key = due.key",
    ),
    // What happened while it was there it has been told by then.
    (
        Millis::minutes(3 * 24 * 60),
        "WITH due AS MATERIALIZED (
             SELECT account_n, mail FROM address WHERE removed_at <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)
         DELETE FROM address AS d USING due
         WHERE d.account_n = due.account_n AND d.mail = due.mail",
    ),
    // A count above nought stays whatever time passes: those are failures in a row. Not so for
    // passwords, whose rows anybody can cause.
    (
        Millis(0),
        "WITH due AS MATERIALIZED (
             SELECT account_id, lane FROM throttle
             WHERE (failures = 0 OR lane = 2) AND full_at <= $1
             LIMIT $2 FOR UPDATE SKIP LOCKED)
         DELETE FROM throttle AS t USING due
         WHERE t.account_id = due.account_id AND t.lane = due.lane",
    ),
];

#[async_trait]
impl Upkeep for PostgresStore {
    fn watch(&self, watcher: Watcher) {
        self.pool.watch.set(watcher);
    }

    async fn ping(&self) -> StoreResult<()> {
        self.pool
            .run("writing a probe", |db, _| {
                Box::pin(async move {
                    execute(
                        db,
                        "UPDATE migration SET probed = probed + 1 WHERE number = 1",
                        &[],
                    )
                    .await?;
                    Ok(Keep(()))
                })
            })
            .await
    }

    async fn sweep(&self, now: Timestamp) -> StoreResult<u64> {
        let mut swept = 0;
        loop {
            let rows = self
                .pool
                .run("sweeping batches", |db, _| {
                    Box::pin(async move { Ok(Keep(sweep_batches(db, now).await?)) })
                })
                .await?;
            swept += rows;
            if rows == 0 {
                break;
            }
        }
        for (kept, slice) in SLICES {
            let run_out = Timestamp(now.0.saturating_sub(kept.0));
            loop {
                let rows = self
                    .pool
                    .run("sweeping", |db, _| {
                        Box::pin(async move {
                            Ok(Keep(execute(db, slice, params![run_out, SLICE]).await?))
                        })
                    })
                    .await?;
                swept += rows;
                if rows == 0 {
                    break;
                }
            }
        }
        Ok(swept)
    }

    async fn forget_events(&self, before: Timestamp) -> StoreResult<u64> {
        let mut forgotten = 0;
        loop {
            let rows = self
                .pool
                .run("forgetting events", |db, _| {
                    Box::pin(async move {
                        let rows = execute(
                            db,
                            "WITH oldest AS MATERIALIZED (
                                 SELECT id, at FROM event ORDER BY id
                                 LIMIT $2 FOR UPDATE SKIP LOCKED)
                             DELETE FROM event USING oldest
                             WHERE event.id = oldest.id AND oldest.at < $1",
                            params![before, SLICE],
                        )
                        .await?;
                        Ok(Keep(rows))
                    })
                })
                .await?;
            forgotten += rows;
            if rows == 0 {
                return Ok(forgotten);
            }
        }
    }

    async fn first_number(&self) -> StoreResult<Generation> {
        let floor = self
            .pool
            .read("reading where numbers begin", |db, _| {
                Box::pin(async move {
                    first(
                        db,
                        "SELECT coalesce(max(floor), 0) FROM restored",
                        &[],
                        |row| row.at(0),
                    )
                    .await
                })
            })
            .await?;
        Ok(floor.unwrap_or(Generation(0)))
    }

    async fn census(&self) -> StoreResult<Vec<(u32, u64)>> {
        self.pool
            .read("counting batches", |db, _| {
                Box::pin(async move {
                    all(
                        db,
                        "SELECT total - used, count(*) FROM batch
                         WHERE state = 1 AND format = 0
                         GROUP BY 1 ORDER BY 1",
                        &[],
                        |row| Ok((row.number(0)?, row.rows(1)?)),
                    )
                    .await
                })
            })
            .await
    }
}

/// Lapses pending batches and erases seeds whose time has run out; returns how many. The rows are
/// found by the index of seeds once; `+ 0` keeps the second look from going through all of it for each.
async fn sweep_batches(db: &Transaction<'_>, now: Timestamp) -> Work<u64> {
    let due: Vec<(i64, Generation, BatchState)> = all(
        db,
        "WITH due AS MATERIALIZED (
             SELECT account_n, generation, state FROM batch
             WHERE seed IS NOT NULL AND seed_until <= $1
             LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
         UPDATE batch AS b SET
             state = CASE WHEN b.state = 0 THEN 4 ELSE b.state END,
             ended_at = CASE WHEN b.state = 0 THEN $1 ELSE b.ended_at END,
             seed = NULL, holder = NULL, seed_until = NULL
         FROM due
         WHERE b.account_n = due.account_n AND b.generation = due.generation
           AND b.seed_until + 0 <= $1
         RETURNING b.account_n, b.generation, b.state",
        params![now, SLICE],
        |row| Ok((row.at(0)?, row.at(1)?, row.at(2)?)),
    )
    .await?;
    for &(account, generation, state) in &due {
        if state == BatchState::Lapsed {
            erase_codes(db, account, generation).await?;
        }
    }
    Ok(due.len() as u64)
}
