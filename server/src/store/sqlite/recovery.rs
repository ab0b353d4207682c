//! Batches: stage, show, activate, give up, revoke.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::sql::{
    FormatColumn, account_n, all, changed_one, execute, first, imported, scheme, secret,
};
use super::writer::Verdict::{self, Keep, Undo};
use super::{event, progress, redeem, stage, throttle};
use crate::model::{AccountId, BatchState, Generation, Imported, Timestamp, TokenDigest};
use crate::store::{
    Activate, Activated, BatchLine, BatchStatus, Beside, Idempotency, Lane, LiveBatch, NewEvent,
    Prolong, Recovery, Redeem, Redeemed, Shown, Stage, Staged, StoreResult, StoredCode,
};

#[async_trait]
impl Recovery for SqliteStore {
    async fn stage(&self, stage: Stage) -> StoreResult<Staged> {
        self.writer
            .run("staging a batch", move |db| {
                Ok(match stage::store(db, &stage, stage.activation)? {
                    Staged::Done => Keep(Staged::Done),
                    refused => Undo(refused),
                })
            })
            .await
    }

    async fn idempotency(
        &self,
        key: &TokenDigest,
        now: Timestamp,
    ) -> StoreResult<Option<Idempotency>> {
        let key = *key;
        self.readers
            .look_up("reading an idempotency key", move |db| {
                Ok(first(
                    db,
                    "SELECT i.request, a.id, i.generation
                     FROM idempotency AS i JOIN account AS a ON a.n = i.account_n
                     WHERE i.key = ?1 AND i.until > ?2",
                    params![key, now],
                    |row| {
                        Ok(Idempotency {
                            request: row.get(0)?,
                            account: row.get(1)?,
                            generation: row.get(2)?,
                        })
                    },
                )?)
            })
            .await
    }

    async fn shown(
        &self,
        account: &AccountId,
        generation: Option<Generation>,
        holder: Option<&TokenDigest>,
        now: Timestamp,
    ) -> StoreResult<Option<Shown>> {
        let (account, holder) = (account.clone(), holder.copied());
        self.readers
            .look_up("reading a batch to show", move |db| {
                Ok(first(
                    db,
                    "SELECT b.generation, b.state, b.format, b.total, b.seed, b.seed_until,
                            b.issued_at, b.memory_kib, b.passes, b.lanes, b.key_id
                     FROM batch AS b JOIN account AS a ON a.n = b.account_n
                     WHERE a.id = ?1 AND iif(?2 IS NULL, b.state = 0, b.generation = ?2)
                       AND b.state IN (0, 1) AND (?3 IS NULL OR b.holder = ?3)
                       AND b.seed IS NOT NULL AND b.seed_until > ?4",
                    params![account, generation, holder, now],
                    |row| {
                        Ok(Shown {
                            generation: row.get(0)?,
                            state: row.get(1)?,
                            format: row.get::<_, FormatColumn>(2)?.0,
                            total: row.get(3)?,
                            seed: row.get(4)?,
                            seed_until: row.get(5)?,
                            issued_at: row.get(6)?,
                            scheme: scheme(row, 7)?,
                        })
                    },
                )?)
            })
            .await
    }

    async fn prolong(&self, prolong: Prolong) -> StoreResult<Option<Timestamp>> {
        self.writer
            .run("giving a batch more time", move |db| {
                Ok(match more_time(db, &prolong)? {
                    Some(until) => Keep(Some(until)),
                    None => Undo(None),
                })
            })
            .await
    }

    async fn end_reminder(
        &self,
        account: &AccountId,
        generation: Generation,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let account = account.clone();
        self.writer
            .run("ending a reminder", move |db| {
                let ended = execute(
                    db,
                    "UPDATE batch SET reminded_until = ?3
                     WHERE account_n = (SELECT n FROM account WHERE id = ?1) AND generation = ?2
                       AND state = 1 AND reminded_until IS NULL",
                    params![account, generation, at],
                )?;
                Ok(Keep(changed_one(ended)))
            })
            .await
    }

    async fn activate(&self, activate: Activate) -> StoreResult<Activated> {
        self.writer
            .run("activating a batch", move |db| {
                Ok(make_live(db, &activate)?)
            })
            .await
    }

    async fn give_up_pending(
        &self,
        account: &AccountId,
        at: Timestamp,
        event: NewEvent,
    ) -> StoreResult<bool> {
        let account = account.clone();
        self.writer
            .run("giving a pending batch up", move |db| {
                let Some(account) = account_n(db, &account)? else {
                    return Ok(Undo(false));
                };
                if !lapse_pending(db, account, at)? {
                    return Ok(Keep(false));
                }
                event::write(db, &event)?;
                Ok(Keep(true))
            })
            .await
    }

    async fn revoke(
        &self,
        account: &AccountId,
        at: Timestamp,
        event: NewEvent,
    ) -> StoreResult<bool> {
        let account = account.clone();
        self.writer
            .run("revoking an account's codes", move |db| {
                let Some(account) = account_n(db, &account)? else {
                    return Ok(Undo(false));
                };
                if !end_codes(db, account, at)? {
                    return Ok(Keep(false));
                }
                event::write(db, &event)?;
                Ok(Keep(true))
            })
            .await
    }

    async fn live_batch(&self, account: &AccountId) -> StoreResult<Option<LiveBatch>> {
        let account = account.clone();
        self.readers
            .look_up("reading the live batch", move |db| {
                let live = first(
                    db,
                    "SELECT b.account_n, b.generation, b.format, b.memory_kib, b.passes, b.lanes,
                            b.key_id, b.kept_at IS NOT NULL, b.origin, b.letters, b.separators
                     FROM batch AS b JOIN account AS a ON a.n = b.account_n
                     WHERE a.id = ?1 AND b.state = 1",
                    [account],
                    |row| {
                        let account: i64 = row.get(0)?;
                        let format: FormatColumn = row.get(2)?;
                        let read = (scheme(row, 3)?, row.get(7)?, imported(row, 8)?);
                        Ok((account, row.get(1)?, format.0, read))
                    },
                )?;
                let Some((account, generation, format, (scheme, kept, imported))) = live else {
                    return Ok(None);
                };
                let codes = all(
                    db,
                    "SELECT number, locator, salt, digest, recipe FROM code
                     WHERE account_n = ?1 AND generation = ?2 ORDER BY number",
                    params![account, generation],
                    |row| {
                        let salt: Option<[u8; 16]> = row.get(2)?;
                        Ok(StoredCode {
                            number: row.get(0)?,
                            locator: row.get(1)?,
                            digest: salt.map(|_| secret(row, 2)).transpose()?,
                            recipe: row.get(4)?,
                        })
                    },
                )?;
                Ok(Some(LiveBatch {
                    generation,
                    format,
                    imported,
                    scheme,
                    kept,
                    codes,
                }))
            })
            .await
    }

    async fn live_import(&self, account: &AccountId) -> StoreResult<Option<Imported>> {
        self.readers
            .look_up("reading how codes are read", |db| {
                let found = first(
                    db,
                    "SELECT b.origin, b.letters, b.separators
                     FROM batch AS b JOIN account AS a ON a.n = b.account_n
                     WHERE a.id = ?1 AND b.state = 1",
                    [account],
                    |row| imported(row, 0),
                )?;
                Ok(found.flatten())
            })
            .await
    }

    async fn redeem(&self, redeem: Redeem) -> StoreResult<Redeemed> {
        self.writer
            .run("redeeming a code", move |db| {
                Ok(match redeem::spend(db, &redeem)? {
                    done @ Redeemed::Done { .. } => Keep(done),
                    refused => Undo(refused),
                })
            })
            .await
    }

    async fn status(&self, account: &AccountId, now: Timestamp) -> StoreResult<BatchStatus> {
        let account = account.clone();
        self.readers
            .look_up("reading a status", move |db| Ok(status(db, &account, now)?))
            .await
    }
}

/// The transaction of [`Recovery::prolong`].
fn more_time(db: &Connection, prolong: &Prolong) -> rusqlite::Result<Option<Timestamp>> {
    let until: Option<Timestamp> = first(
        db,
        "UPDATE batch SET seed_until = min(?4, issued_at + ?5)
         WHERE account_n = (SELECT n FROM account WHERE id = ?1) AND holder = ?2
           AND seed IS NOT NULL AND seed_until > ?3 AND seed_until < min(?4, issued_at + ?5)
           AND generation = (SELECT max(later.generation) FROM batch AS later
                             WHERE later.account_n = batch.account_n AND later.holder = ?2
                               AND later.seed_until > ?3)
         RETURNING seed_until",
        params![
            prolong.account,
            prolong.holder,
            prolong.at,
            prolong.until,
            prolong.longest.0
        ],
        |row| row.get(0),
    )?;
    let Some(until) = until else { return Ok(None) };
    // The holder may be a session instead, which lasts longer by itself.
    execute(
        db,
        "UPDATE challenge SET expires_at = max(expires_at, ?3)
         WHERE digest = ?1 AND spent_at IS NULL AND expires_at > ?2",
        params![
            prolong.holder,
            prolong.at,
            until.plus(prolong.challenge_beyond)
        ],
    )?;
    Ok(Some(until))
}

/// The transaction of [`Recovery::activate`].
fn make_live(db: &Connection, activate: &Activate) -> rusqlite::Result<Verdict<Activated>> {
    let Activate {
        generation,
        holder,
        at,
        ..
    } = *activate;
    let Some(account) = account_n(db, &activate.account)? else {
        return Ok(Undo(Activated::Stale { pending: None }));
    };
    // A repeat, or the confirmation of a batch that went live at once: a seed kept for showing it
    // again has done its work.
    let confirmed = execute(
        db,
        "UPDATE batch SET seed = NULL, holder = NULL, seed_until = NULL
         WHERE account_n = ?1 AND generation = ?2 AND state = 1
           AND (seed IS NULL OR ?3 IS NULL OR holder = ?3)",
        params![account, generation, holder],
    )?;
    if changed_one(confirmed) {
        return Ok(Keep(Activated::Already));
    }
    // The older one first, as there is at most one; undone if the guard below says no.
    let superseded = end_batch(db, account, BatchState::Active, BatchState::Superseded, at)?;
    if superseded == Some(generation) {
        return Ok(Undo(Activated::Already));
    }
    let activated = execute(
        db,
        "UPDATE batch SET state = 1, activated_at = ?4,
                          seed = NULL, holder = NULL, seed_until = NULL
         WHERE account_n = ?1 AND generation = ?2 AND state = 0 AND seed_until > ?4
           AND (?3 IS NULL OR holder = ?3)
           AND (?5 OR EXISTS (SELECT 1 FROM totp
                              WHERE account_n = ?1 AND confirmed_at IS NOT NULL))",
        params![
            account,
            generation,
            holder,
            at,
            activate.beside == Beside::Host
        ],
    )?;
    if !changed_one(activated) {
        return why_not_live(db, account, activate).map(Undo);
    }
    if !progress::make(db, account, &activate.progress, at)? {
        return Ok(Undo(Activated::NoProgress));
    }
    throttle::clear(db, &activate.account, Lane::Recovery)?;
    event::write(db, &activate.event)?;
    Ok(Keep(Activated::Done))
}

fn why_not_live(db: &Connection, account: i64, activate: &Activate) -> rusqlite::Result<Activated> {
    let pending: Option<(Generation, bool)> = first(
        db,
        "SELECT generation, ?3 IS NULL OR holder = ?3 FROM batch
         WHERE account_n = ?1 AND state = 0 AND seed_until > ?2",
        params![account, activate.at, activate.holder],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(match pending {
        // Pending and this holder's: the one guard left is the authenticator's.
        Some((generation, true)) if generation == activate.generation => Activated::NoAuthenticator,
        other => Activated::Stale {
            pending: other.map(|(generation, _)| generation),
        },
    })
}

fn status(db: &Connection, account: &AccountId, now: Timestamp) -> rusqlite::Result<BatchStatus> {
    let found: Option<(i64, Option<Timestamp>)> = first(
        db,
        "SELECT n, last_redeemed_at FROM account WHERE id = ?1",
        [account],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some((account, last_redeemed_at)) = found else {
        return Ok(BatchStatus {
            latest: None,
            last_redeemed_at: None,
            pending: None,
        });
    };
    // Numbers only grow and a batch supersedes what was live before it, so the live one, if any,
    // is the latest that was ever live.
    let latest = first(
        db,
        "SELECT generation, state, format, total, iif(state = 1, total - used, 0), issued_at,
                reminded_until IS NOT NULL, kept_at IS NOT NULL, origin
         FROM batch WHERE account_n = ?1 AND activated_at IS NOT NULL
         ORDER BY generation DESC LIMIT 1",
        [account],
        |row| {
            Ok(BatchLine {
                generation: row.get(0)?,
                state: row.get(1)?,
                format: row.get::<_, FormatColumn>(2)?.0,
                total: row.get(3)?,
                remaining: row.get(4)?,
                issued_at: row.get(5)?,
                reminder_ended: row.get(6)?,
                kept: row.get(7)?,
                origin: row.get(8)?,
            })
        },
    )?;
    let pending = first(
        db,
        "SELECT generation, seed_until FROM batch
         WHERE account_n = ?1 AND state = 0 AND seed_until > ?2",
        params![account, now],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(BatchStatus {
        latest,
        last_redeemed_at,
        pending,
    })
}

/// Ends the account's batch that is in state `from`, erasing its codes and seed; says which.
pub(super) fn end_batch(
    db: &Connection,
    account: i64,
    from: BatchState,
    to: BatchState,
    at: Timestamp,
) -> rusqlite::Result<Option<Generation>> {
    // Two words for one statement: only a state written out lets SQLite use the partial index.
    let sql = match from {
        BatchState::Pending => {
            "UPDATE batch SET state = ?2, ended_at = ?3, seed = NULL, holder = NULL,
                              seed_until = NULL
             WHERE account_n = ?1 AND state = 0 RETURNING generation"
        }
        _ => {
            "UPDATE batch SET state = ?2, ended_at = ?3, seed = NULL, holder = NULL,
                              seed_until = NULL
             WHERE account_n = ?1 AND state = 1 RETURNING generation"
        }
    };
    let ended = first(db, sql, params![account, to, at], |row| row.get(0))?;
    if let Some(generation) = ended {
        erase_codes(db, account, generation)?;
    }
    Ok(ended)
}

/// Ends the live and the pending batch without a successor; `false` when there was neither.
pub(super) fn end_codes(db: &Connection, account: i64, at: Timestamp) -> rusqlite::Result<bool> {
    let live = end_batch(db, account, BatchState::Active, BatchState::Revoked, at)?;
    let pending = lapse_pending(db, account, at)?;
    Ok(live.is_some() || pending)
}

/// Ends the pending batch, if any; `true` when it could still have been activated at `at`.
fn lapse_pending(db: &Connection, account: i64, at: Timestamp) -> rusqlite::Result<bool> {
    let open: Option<i64> = first(
        db,
        "SELECT 1 FROM batch WHERE account_n = ?1 AND state = 0 AND seed_until > ?2",
        params![account, at],
        |row| row.get(0),
    )?;
    let lapsed = end_batch(db, account, BatchState::Pending, BatchState::Lapsed, at)?;
    Ok(lapsed.is_some() && open.is_some())
}

/// Erases a batch's digests; `secure_delete` overwrites them.
pub(super) fn erase_codes(
    db: &Connection,
    account: i64,
    generation: Generation,
) -> rusqlite::Result<()> {
    execute(
        db,
        "DELETE FROM code WHERE account_n = ?1 AND generation = ?2",
        params![account, generation],
    )?;
    Ok(())
}
