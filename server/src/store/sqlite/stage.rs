//! Storing a batch: by itself, or as the replacement of one just redeemed.

use rusqlite::{Connection, params};

use super::recovery::end_batch;
use super::sql::{FormatColumn, changed_one, execute, first};
use super::{event, step_up, throttle};
use crate::model::{BatchState, Generation, Timestamp};
use crate::store::{Activation, Beside, Lane, NewBatch, NewIdempotency, Over, Stage, Staged};

/// Stores the batch. Whatever it answers but `Done`, the caller must undo.
pub(super) fn store(
    db: &Connection,
    stage: &Stage,
    activation: Activation,
) -> rusqlite::Result<Staged> {
    let batch = &stage.batch;
    if stage.beside == Beside::Host {
        execute(
            db,
            "INSERT INTO account (id, uuid, created_at, last_generation)
             VALUES (?1, ?2, ?3, (SELECT coalesce(max(floor), 0) FROM restored))
             ON CONFLICT DO NOTHING",
            params![batch.account, batch.account.uuid(), batch.issued_at],
        )?;
    }
    let (beside, holder) = match stage.beside {
        Beside::Authenticator => (0, None),
        Beside::Enrolling(holder) => (1, Some(holder)),
        Beside::Host => (2, None),
    };
    let account = first(
        db,
        "UPDATE account SET last_generation = ?2
         WHERE id = ?1 AND last_generation = ?2 - 1
           AND CASE ?3
               WHEN 0 THEN EXISTS (SELECT 1 FROM totp
                                   WHERE account_n = account.n AND confirmed_at IS NOT NULL)
               WHEN 1 THEN ?6 AND EXISTS (SELECT 1 FROM totp
                                   WHERE account_n = account.n AND confirmed_at IS NULL
                                     AND holder = ?4 AND expires_at > ?5)
                   AND NOT EXISTS (SELECT 1 FROM totp
                                   WHERE account_n = account.n AND confirmed_at IS NOT NULL)
                   AND NOT EXISTS (SELECT 1 FROM batch
                                   WHERE account_n = account.n AND state = 1)
               ELSE 1 END
           AND (?7 OR NOT EXISTS (SELECT 1 FROM batch
                                  WHERE account_n = account.n
                                    AND (activated_at IS NOT NULL
                                         OR (state = 0 AND seed_until > ?5))))
         RETURNING n",
        params![
            batch.account,
            batch.generation,
            beside,
            holder,
            batch.issued_at,
            activation == Activation::OnConfirm,
            stage.over == Over::Anything
        ],
        |row| row.get(0),
    )?;
    let Some(account) = account else {
        return why_not(db, stage);
    };
    if let Some(new) = &stage.idempotency
        && !remember(db, account, new, batch.generation, batch.issued_at)?
    {
        return Ok(Staged::KeyTaken);
    }
    if let Some(step_up) = &stage.step_up
        && !step_up::spend(db, account, step_up, batch.issued_at)?
    {
        return Ok(Staged::NoProof);
    }
    end_batch(
        db,
        account,
        BatchState::Pending,
        BatchState::Lapsed,
        batch.issued_at,
    )?;
    if activation == Activation::AtOnce {
        end_batch(
            db,
            account,
            BatchState::Active,
            BatchState::Superseded,
            batch.issued_at,
        )?;
        throttle::clear(db, &batch.account, Lane::Recovery)?;
    }
    insert(db, account, batch, activation)?;
    for event in &stage.events {
        event::write(db, event)?;
    }
    Ok(Staged::Done)
}

/// Remembers the caller's key; `false` when another request with it came first and is not yet
/// forgotten.
pub(super) fn remember(
    db: &Connection,
    account: i64,
    new: &NewIdempotency,
    generation: Generation,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    execute(
        db,
        "INSERT INTO idempotency (key, request, account_n, generation, until)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (key) DO UPDATE SET request = excluded.request,
             account_n = excluded.account_n, generation = excluded.generation,
             until = excluded.until
         WHERE idempotency.until <= ?6",
        params![new.key, new.request, account, generation, new.until, at],
    )
    .map(changed_one)
}

fn insert(
    db: &Connection,
    account: i64,
    batch: &NewBatch,
    activation: Activation,
) -> rusqlite::Result<()> {
    let live = activation == Activation::AtOnce;
    // A live batch whose seed has no time left is not to be shown again: it keeps none.
    let kept = !live || batch.seed_until > batch.issued_at;
    execute(
        db,
        "INSERT INTO batch (account_n, generation, state, format, memory_kib, passes, lanes,
                            key_id, total, issued_at, activated_at, holder, seed, seed_until,
                            origin, letters, separators)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        params![
            account,
            batch.generation,
            if live {
                BatchState::Active
            } else {
                BatchState::Pending
            },
            FormatColumn(batch.format),
            batch.scheme.params.memory_kib,
            batch.scheme.params.passes,
            batch.scheme.params.lanes,
            batch.scheme.key,
            // At most 16 (policy).
            batch.codes.len() as i64,
            batch.issued_at,
            live.then_some(batch.issued_at),
            kept.then_some(batch.holder),
            kept.then_some(&batch.seed),
            kept.then_some(batch.seed_until),
            batch.imported.map(|imported| imported.origin),
            batch.imported.map(|imported| imported.letters),
            batch.imported.map(|imported| imported.separators),
        ],
    )?;
    for code in &batch.codes {
        execute(
            db,
            "INSERT INTO code (account_n, generation, number, locator, salt, digest, recipe)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                account,
                batch.generation,
                code.number,
                code.locator,
                code.digest.salt,
                code.digest.digest,
                code.recipe
            ],
        )?;
    }
    Ok(())
}

fn why_not(db: &Connection, stage: &Stage) -> rusqlite::Result<Staged> {
    let batch = &stage.batch;
    let account: Option<(bool, bool, bool)> = first(
        db,
        "SELECT last_generation <> ?4 - 1,
                EXISTS (SELECT 1 FROM idempotency WHERE key = ?2 AND until > ?3),
                NOT ?5 AND EXISTS (SELECT 1 FROM batch
                                   WHERE account_n = account.n
                                     AND (activated_at IS NOT NULL
                                          OR (state = 0 AND seed_until > ?3)))
         FROM account WHERE id = ?1",
        params![
            batch.account,
            stage.idempotency.as_ref().map(|new| new.key),
            batch.issued_at,
            batch.generation,
            stage.over == Over::Anything
        ],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    Ok(match account {
        None => Staged::NoAccount,
        // Told before the number: the number is taken because that request took it.
        Some((_, true, _)) => Staged::KeyTaken,
        // Likewise: whoever has codes has had numbers.
        Some((_, _, true)) => Staged::HasCodes,
        Some((true, ..)) => Staged::GenerationTaken,
        // The one guard left.
        Some((false, ..)) => Staged::NoAuthenticator,
    })
}
