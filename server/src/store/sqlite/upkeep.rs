//! What keeps the file fit: a probe, a sweep, a census.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::migrate::touch_header;
use super::recovery::erase_codes;
use super::sql::{all, changed_one, execute, first};
use super::writer::Verdict::Keep;
use super::writer::checkpoint;
use crate::model::{BatchState, Generation, Millis, Timestamp};
use crate::store::{LATE_COMERS, StoreResult, Upkeep, Watcher};

/// Rows of a kind that one transaction of a sweep takes, so that nobody waits long behind it.
const SLICE: i64 = 500;

/// A statement that takes at most `?2` rows that have run out by `?1`, and how much longer they are
/// kept than that.
const SLICES: [(Millis, &str); 9] = [
    (
        Millis(0),
        "UPDATE totp SET secret = x'', holder = NULL WHERE n IN (
             SELECT n FROM totp
             WHERE confirmed_at IS NULL AND holder IS NOT NULL AND expires_at <= ?1 LIMIT ?2)",
    ),
    (
        LATE_COMERS,
        "DELETE FROM totp WHERE n IN (
             SELECT n FROM totp WHERE confirmed_at IS NULL AND expires_at <= ?1 LIMIT ?2)",
    ),
    (
        LATE_COMERS,
        "DELETE FROM challenge WHERE digest IN (
             SELECT digest FROM challenge WHERE expires_at <= ?1 LIMIT ?2)",
    ),
    (
        Millis(0),
        "DELETE FROM session WHERE digest IN (
             SELECT digest FROM session WHERE expires_at <= ?1 LIMIT ?2)",
    ),
    (
        Millis(0),
        "DELETE FROM step_up WHERE digest IN (
             SELECT digest FROM step_up WHERE expires_at <= ?1 LIMIT ?2)",
    ),
    (
        Millis(0),
        "DELETE FROM trusted_device WHERE digest IN (
             SELECT digest FROM trusted_device WHERE expires_at <= ?1 LIMIT ?2)",
    ),
    (
        Millis(0),
        "DELETE FROM idempotency WHERE key IN (
             SELECT key FROM idempotency WHERE until <= ?1 LIMIT ?2)",
    ),
    // What happened while it was there it has been told by then.
    (
        Millis::minutes(3 * 24 * 60),
        "DELETE FROM address WHERE (account_n, mail) IN (
             SELECT account_n, mail FROM address WHERE removed_at <= ?1 LIMIT ?2)",
    ),
    // A count above nought stays whatever time passes: those are failures in a row. Not so for
    // passwords, whose rows anybody can cause.
    (
        Millis(0),
        "DELETE FROM throttle WHERE (account_id, lane) IN (
             SELECT account_id, lane FROM throttle
             WHERE (failures = 0 OR lane = 2) AND full_at <= ?1 LIMIT ?2)",
    ),
];

#[async_trait]
impl Upkeep for SqliteStore {
    fn watch(&self, watcher: Watcher) {
        self.readers.watch.set(Arc::clone(&watcher));
        self.writer.watch.set(watcher);
    }

    async fn ping(&self) -> StoreResult<()> {
        self.writer
            .run("writing a probe", |db| Ok(Keep(touch_header(db)?)))
            .await
    }

    async fn sweep(&self, now: Timestamp) -> StoreResult<u64> {
        let mut swept = 0;
        loop {
            let rows = self
                .writer
                .run("sweeping batches", move |db| {
                    Ok(Keep(sweep_batches(db, now)?))
                })
                .await?;
            swept += rows as u64;
            if rows == 0 {
                break;
            }
        }
        for (kept, slice) in SLICES {
            let run_out = Timestamp(now.0.saturating_sub(kept.0));
            loop {
                let rows = self
                    .writer
                    .run("sweeping", move |db| {
                        Ok(Keep(execute(db, slice, params![run_out, SLICE])?))
                    })
                    .await?;
                swept += rows as u64;
                if rows == 0 {
                    break;
                }
            }
        }
        // The log still holds the pages of before: erased means erased there too.
        self.writer
            .run_alone("emptying the log", |db| Ok(checkpoint(db)?))
            .await?;
        Ok(swept)
    }

    async fn forget_events(&self, before: Timestamp) -> StoreResult<u64> {
        let mut forgotten = 0;
        loop {
            let rows = self
                .writer
                .run("forgetting events", move |db| {
                    Ok(Keep(execute(
                        db,
                        "DELETE FROM event WHERE id IN (
                             SELECT id FROM (SELECT id, at FROM event ORDER BY id LIMIT ?2)
                             WHERE at < ?1)",
                        params![before, SLICE],
                    )?))
                })
                .await?;
            forgotten += rows as u64;
            if rows == 0 {
                return Ok(forgotten);
            }
        }
    }

    async fn first_number(&self) -> StoreResult<Generation> {
        self.readers
            .look_up("reading where numbers begin", |db| {
                let sql = "SELECT coalesce(max(floor), 0) FROM restored";
                let floor = first(db, sql, [], |row| row.get(0))?;
                Ok(floor.unwrap_or(Generation(0)))
            })
            .await
    }

    async fn census(&self) -> StoreResult<Vec<(u32, u64)>> {
        self.readers
            .read("counting batches", |db| {
                Ok(all(
                    db,
                    "SELECT total - used, count(*) FROM batch
                     WHERE state = 1 AND format = 0
                     GROUP BY 1 ORDER BY 1",
                    [],
                    |row| {
                        let batches: i64 = row.get(1)?;
                        Ok((row.get(0)?, batches.unsigned_abs()))
                    },
                )?)
            })
            .await
    }
}

/// Lapses pending batches and erases seeds whose time has run out; returns how many.
fn sweep_batches(db: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
    let due: Vec<(i64, Generation, BatchState)> = all(
        db,
        "SELECT account_n, generation, state FROM batch
         WHERE seed IS NOT NULL AND seed_until <= ?1 LIMIT ?2",
        params![now, SLICE],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let mut swept = 0;
    for (account, generation, state) in due {
        let lapsed = execute(
            db,
            "UPDATE batch SET state = iif(state = 0, 4, state),
                              ended_at = iif(state = 0, ?3, ended_at),
                              seed = NULL, holder = NULL, seed_until = NULL
             WHERE account_n = ?1 AND generation = ?2 AND seed IS NOT NULL AND seed_until <= ?3",
            params![account, generation, now],
        )?;
        if changed_one(lapsed) {
            swept += 1;
            if state == BatchState::Pending {
                erase_codes(db, account, generation)?;
            }
        }
    }
    Ok(swept)
}
