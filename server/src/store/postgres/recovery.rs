//! Batches: stage, show, activate, give up, revoke.

use async_trait::async_trait;
use deadpool_postgres::Transaction;

use super::PostgresStore;
use super::ending::{end_batch, end_codes, lapse_pending};
use super::fault::Work;
use super::pool::Verdict::{self, Keep, Undo};
use super::sql::{Columns, FormatColumn, all, changed_one, execute, first, locked_account, params};
use super::{event, progress, redeem, stage, throttle};
use crate::model::{AccountId, BatchState, Generation, Imported, Timestamp, TokenDigest};
use crate::store::{
    Activate, Activated, BatchLine, BatchStatus, Beside, Idempotency, Lane, LiveBatch, NewEvent,
    Prolong, Recovery, Redeem, Redeemed, Shown, Stage, Staged, StoreResult, StoredCode,
};

#[async_trait]
impl Recovery for PostgresStore {
    async fn stage(&self, stage: Stage) -> StoreResult<Staged> {
        let stage = &stage;
        self.pool
            .run("staging a batch", |db, _| {
                Box::pin(async move {
                    Ok(match stage::store(db, stage, stage.activation).await? {
                        Staged::Done => Keep(Staged::Done),
                        refused => Undo(refused),
                    })
                })
            })
            .await
    }

    async fn idempotency(
        &self,
        key: &TokenDigest,
        now: Timestamp,
    ) -> StoreResult<Option<Idempotency>> {
        self.pool
            .read("reading an idempotency key", |db, _| {
                Box::pin(async move {
                    first(
                        db,
                        "SELECT i.request, a.id, i.generation
                         FROM idempotency AS i JOIN account AS a ON a.n = i.account_n
                         WHERE i.key = $1 AND i.until > $2",
                        params![key, now],
                        |row| {
                            Ok(Idempotency {
                                request: row.at(0)?,
                                account: row.at(1)?,
                                generation: row.at(2)?,
                            })
                        },
                    )
                    .await
                })
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
        self.pool
            .read("reading a batch to show", |db, _| {
                Box::pin(async move {
                    first(
                        db,
                        "SELECT b.generation, b.state, b.format, b.total, b.seed, b.seed_until,
                                b.issued_at, b.memory_kib, b.passes, b.lanes, b.key_id
                         FROM batch AS b JOIN account AS a ON a.n = b.account_n
                         WHERE a.id = $1
                           AND CASE WHEN $2::bigint IS NULL THEN b.state = 0
                                    ELSE b.generation = $2 END
                           AND b.state IN (0, 1) AND ($3::bytea IS NULL OR b.holder = $3)
                           AND b.seed IS NOT NULL AND b.seed_until > $4",
                        params![account, generation, holder, now],
                        |row| {
                            Ok(Shown {
                                generation: row.at(0)?,
                                state: row.at(1)?,
                                format: row.at::<FormatColumn>(2)?.0,
                                total: row.number(3)?,
                                seed: row.at(4)?,
                                seed_until: row.at(5)?,
                                issued_at: row.at(6)?,
                                scheme: row.scheme(7)?,
                            })
                        },
                    )
                    .await
                })
            })
            .await
    }

    async fn prolong(&self, prolong: Prolong) -> StoreResult<Option<Timestamp>> {
        let prolong = &prolong;
        self.pool
            .run("giving a batch more time", |db, _| {
                Box::pin(async move {
                    let Some(account) = locked_account(db, &prolong.account).await? else {
                        return Ok(Undo(None));
                    };
                    Ok(match more_time(db, account, prolong).await? {
                        Some(until) => Keep(Some(until)),
                        None => Undo(None),
                    })
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
        self.pool
            .run("ending a reminder", |db, _| {
                Box::pin(async move {
                    let ended = execute(
                        db,
                        "UPDATE batch SET reminded_until = $3
                         WHERE account_n = (SELECT n FROM account WHERE id = $1)
                           AND generation = $2 AND state = 1 AND reminded_until IS NULL",
                        params![account, generation, at],
                    )
                    .await?;
                    Ok(Keep(changed_one(ended)))
                })
            })
            .await
    }

    async fn activate(&self, activate: Activate) -> StoreResult<Activated> {
        let activate = &activate;
        self.pool
            .run("activating a batch", |db, _| {
                Box::pin(async move { make_live(db, activate).await })
            })
            .await
    }

    async fn give_up_pending(
        &self,
        account: &AccountId,
        at: Timestamp,
        event: NewEvent,
    ) -> StoreResult<bool> {
        let event = &event;
        self.pool
            .run("giving a pending batch up", |db, _| {
                Box::pin(async move {
                    let Some(account) = locked_account(db, account).await? else {
                        return Ok(Undo(false));
                    };
                    if !lapse_pending(db, account, at).await? {
                        return Ok(Keep(false));
                    }
                    event::write(db, event).await?;
                    Ok(Keep(true))
                })
            })
            .await
    }

    async fn revoke(
        &self,
        account: &AccountId,
        at: Timestamp,
        event: NewEvent,
    ) -> StoreResult<bool> {
        let event = &event;
        self.pool
            .run("revoking an account's codes", |db, _| {
                Box::pin(async move {
                    let Some(account) = locked_account(db, account).await? else {
                        return Ok(Undo(false));
                    };
                    if !end_codes(db, account, at).await? {
                        return Ok(Keep(false));
                    }
                    event::write(db, event).await?;
                    Ok(Keep(true))
                })
            })
            .await
    }

    async fn live_batch(&self, account: &AccountId) -> StoreResult<Option<LiveBatch>> {
        self.pool
            .read("reading the live batch", |db, _| {
                Box::pin(async move {
                    // One statement, one state: a batch is never seen without its codes.
                    let rows = all(
                        db,
                        "SELECT b.generation, b.format, b.memory_kib, b.passes, b.lanes, b.key_id,
                                c.number, c.locator, c.salt, c.digest, b.kept_at IS NOT NULL,
                                c.recipe, b.origin, b.letters, b.separators
                         FROM account AS a
                         JOIN batch AS b ON b.account_n = a.n AND b.state = 1
                         JOIN code AS c ON c.account_n = b.account_n AND c.generation = b.generation
                         WHERE a.id = $1 ORDER BY c.number",
                        params![account],
                        |row| {
                            let code = StoredCode {
                                number: row.number(6)?,
                                locator: row.at(7)?,
                                digest: row
                                    .at::<Option<&[u8]>>(8)?
                                    .map(|_| row.secret(8))
                                    .transpose()?,
                                recipe: row.at(11)?,
                            };
                            let format = row.at::<FormatColumn>(1)?.0;
                            let read = (row.scheme(2)?, row.at(10)?, row.imported(12)?);
                            Ok((row.at(0)?, format, read, code))
                        },
                    )
                    .await?;
                    let batch = rows.first().map(|row| (row.0, row.1, row.2));
                    Ok(
                        batch.map(|(generation, format, (scheme, kept, imported))| LiveBatch {
                            generation,
                            format,
                            imported,
                            scheme,
                            kept,
                            codes: rows.into_iter().map(|row| row.3).collect(),
                        }),
                    )
                })
            })
            .await
    }

    async fn live_import(&self, account: &AccountId) -> StoreResult<Option<Imported>> {
        self.pool
            .read("reading how codes are read", |db, _| {
                Box::pin(async move {
                    let found = first(
                        db,
                        "SELECT b.origin, b.letters, b.separators
                         FROM account AS a JOIN batch AS b ON b.account_n = a.n AND b.state = 1
                         WHERE a.id = $1",
                        params![account],
                        |row| row.imported(0),
                    )
                    .await?;
                    Ok(found.flatten())
                })
            })
            .await
    }

    async fn redeem(&self, redeem: Redeem) -> StoreResult<Redeemed> {
        let redeem = &redeem;
        self.pool
            .run("redeeming a code", |db, _| {
                Box::pin(async move {
                    Ok(match redeem::spend(db, redeem).await? {
                        done @ Redeemed::Done { .. } => Keep(done),
                        refused => Undo(refused),
                    })
                })
            })
            .await
    }

    async fn status(&self, account: &AccountId, now: Timestamp) -> StoreResult<BatchStatus> {
        let found = self
            .pool
            .read("reading a status", |db, _| {
                Box::pin(async move {
                    // One statement, one state. Numbers only grow and a batch supersedes what was
                    // live before it, so the live one, if any, is the latest that was ever live.
                    first(
                        db,
                        "SELECT a.last_redeemed_at, p.generation, p.seed_until,
                                b.generation, b.state, b.format, b.total,
                                CASE WHEN b.state = 1 THEN b.total - b.used ELSE 0 END, b.issued_at,
                                b.reminded_until IS NOT NULL, b.kept_at IS NOT NULL, b.origin
                         FROM account AS a
                         LEFT JOIN batch AS p
                             ON p.account_n = a.n AND p.state = 0 AND p.seed_until > $2
                         LEFT JOIN LATERAL (
                             SELECT generation, state, format, total, used, issued_at,
                                    reminded_until, kept_at, origin
                             FROM batch
                             WHERE account_n = a.n AND activated_at IS NOT NULL
                             ORDER BY generation DESC LIMIT 1) AS b ON true
                         WHERE a.id = $1",
                        params![account, now],
                        read_status,
                    )
                    .await
                })
            })
            .await?;
        Ok(found.unwrap_or(BatchStatus {
            latest: None,
            last_redeemed_at: None,
            pending: None,
        }))
    }
}

fn read_status(row: &tokio_postgres::Row) -> Work<BatchStatus> {
    let pending: Option<Generation> = row.at(1)?;
    let latest: Option<Generation> = row.at(3)?;
    let latest = latest.map(|generation| {
        Work::Ok(BatchLine {
            generation,
            state: row.at(4)?,
            format: row.at::<FormatColumn>(5)?.0,
            total: row.number(6)?,
            remaining: row.number(7)?,
            issued_at: row.at(8)?,
            reminder_ended: row.at(9)?,
            kept: row.at(10)?,
            origin: row.at(11)?,
        })
    });
    Ok(BatchStatus {
        latest: latest.transpose()?,
        last_redeemed_at: row.at(0)?,
        pending: pending.zip(row.at(2)?),
    })
}

/// The transaction of [`Recovery::prolong`].
async fn more_time(
    db: &Transaction<'_>,
    account: i64,
    prolong: &Prolong,
) -> Work<Option<Timestamp>> {
    let until: Option<Timestamp> = first(
        db,
        "UPDATE batch SET seed_until = least($4, issued_at + $5)
         WHERE account_n = $1 AND holder = $2
           AND seed IS NOT NULL AND seed_until > $3 AND seed_until < least($4, issued_at + $5)
           AND generation = (SELECT max(later.generation) FROM batch AS later
                             WHERE later.account_n = $1 AND later.holder = $2
                               AND later.seed_until > $3)
         RETURNING seed_until",
        params![
            account,
            prolong.holder,
            prolong.at,
            prolong.until,
            prolong.longest.0
        ],
        |row| row.at(0),
    )
    .await?;
    let Some(until) = until else { return Ok(None) };
    // The holder may be a session instead, which lasts longer by itself.
    execute(
        db,
        "UPDATE challenge SET expires_at = greatest(expires_at, $3)
         WHERE digest = $1 AND spent_at IS NULL AND expires_at > $2",
        params![
            prolong.holder,
            prolong.at,
            until.plus(prolong.challenge_beyond)
        ],
    )
    .await?;
    Ok(Some(until))
}

/// The transaction of [`Recovery::activate`].
async fn make_live(db: &Transaction<'_>, activate: &Activate) -> Work<Verdict<Activated>> {
    let Activate {
        generation,
        holder,
        at,
        ..
    } = *activate;
    let Some(account) = locked_account(db, &activate.account).await? else {
        return Ok(Undo(Activated::Stale { pending: None }));
    };
    // A repeat, or the confirmation of a batch that went live at once: a seed kept for showing it
    // again has done its work.
    let confirmed = execute(
        db,
        "UPDATE batch SET seed = NULL, holder = NULL, seed_until = NULL
         WHERE account_n = $1 AND generation = $2 AND state = 1
           AND (seed IS NULL OR $3::bytea IS NULL OR holder = $3)",
        params![account, generation, holder],
    )
    .await?;
    if changed_one(confirmed) {
        return Ok(Keep(Activated::Already));
    }
    // The older one first, as there is at most one; undone if the guard below says no.
    let superseded = end_batch(db, account, BatchState::Active, BatchState::Superseded, at).await?;
    if superseded == Some(generation) {
        return Ok(Undo(Activated::Already));
    }
    let activated = execute(
        db,
        "UPDATE batch SET state = 1, activated_at = $4,
                          seed = NULL, holder = NULL, seed_until = NULL
         WHERE account_n = $1 AND generation = $2 AND state = 0 AND seed_until > $4
           AND ($3::bytea IS NULL OR holder = $3)
           AND ($5 OR EXISTS (SELECT 1 FROM totp
                              WHERE account_n = $1 AND confirmed_at IS NOT NULL))",
        params![
            account,
            generation,
            holder,
            at,
            activate.beside == Beside::Host
        ],
    )
    .await?;
    if !changed_one(activated) {
        return why_not_live(db, account, activate).await.map(Undo);
    }
    if !progress::make(db, account, &activate.progress, at).await? {
        return Ok(Undo(Activated::NoProgress));
    }
    throttle::clear(db, &activate.account, Lane::Recovery).await?;
    event::write(db, &activate.event).await?;
    Ok(Keep(Activated::Done))
}

async fn why_not_live(db: &Transaction<'_>, account: i64, activate: &Activate) -> Work<Activated> {
    let pending: Option<(Generation, Option<bool>)> = first(
        db,
        "SELECT generation, $3::bytea IS NULL OR holder = $3 FROM batch
         WHERE account_n = $1 AND state = 0 AND seed_until > $2",
        params![account, activate.at, activate.holder],
        |row| Ok((row.at(0)?, row.at(1)?)),
    )
    .await?;
    Ok(match pending {
        // Pending and this holder's: the one guard left is the authenticator's.
        Some((generation, Some(true))) if generation == activate.generation => {
            Activated::NoAuthenticator
        }
        other => Activated::Stale {
            pending: other.map(|(generation, _)| generation),
        },
    })
}
