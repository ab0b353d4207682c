//! Storing a batch: by itself, or as the replacement of one just redeemed.

use deadpool_postgres::Transaction;

use super::ending::end_batch;
use super::fault::Work;
use super::sql::{Columns, FormatColumn, changed_one, execute, first, locked_account, params};
use super::{event, step_up, throttle};
use crate::model::{BatchState, Generation, Timestamp};
use crate::store::{Activation, Beside, Lane, NewBatch, NewIdempotency, Over, Stage, Staged};

/// How often an account may be removed while a batch of it is being stored.
const REMOVALS: u32 = 10;

/// Stores the batch. Whatever it answers but `Done`, the caller must undo.
pub(super) async fn store(
    db: &Transaction<'_>,
    stage: &Stage,
    activation: Activation,
) -> Work<Staged> {
    let batch = &stage.batch;
    if !is_there(db, stage).await? {
        return Ok(Staged::NoAccount);
    }
    let (beside, holder) = match stage.beside {
        Beside::Authenticator => (0_i64, None),
        Beside::Enrolling(holder) => (1, Some(holder)),
        Beside::Host => (2, None),
    };
    let account = first(
        db,
        "UPDATE account SET last_generation = $2
         WHERE id = $1 AND last_generation = $2 - 1::bigint
           AND CASE $3::bigint
               WHEN 0 THEN EXISTS (SELECT 1 FROM totp
                                   WHERE account_n = account.n AND confirmed_at IS NOT NULL)
               WHEN 1 THEN $6 AND EXISTS (SELECT 1 FROM totp
                                   WHERE account_n = account.n AND confirmed_at IS NULL
                                     AND holder = $4 AND expires_at > $5)
                   AND NOT EXISTS (SELECT 1 FROM totp
                                   WHERE account_n = account.n AND confirmed_at IS NOT NULL)
                   AND NOT EXISTS (SELECT 1 FROM batch
                                   WHERE account_n = account.n AND state = 1)
               ELSE true END
           AND ($7 OR NOT EXISTS (SELECT 1 FROM batch
                                  WHERE account_n = account.n
                                    AND (activated_at IS NOT NULL
                                         OR (state = 0 AND seed_until > $5))))
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
        |row| row.at(0),
    )
    .await?;
    let Some(account) = account else {
        return why_not(db, stage).await;
    };
    if let Some(new) = &stage.idempotency
        && !remember(db, account, new, batch.generation, batch.issued_at).await?
    {
        return Ok(Staged::KeyTaken);
    }
    if let Some(step_up) = &stage.step_up
        && !step_up::spend(db, account, step_up, batch.issued_at).await?
    {
        return Ok(Staged::NoProof);
    }
    end_batch(
        db,
        account,
        BatchState::Pending,
        BatchState::Lapsed,
        batch.issued_at,
    )
    .await?;
    if activation == Activation::AtOnce {
        end_batch(
            db,
            account,
            BatchState::Active,
            BatchState::Superseded,
            batch.issued_at,
        )
        .await?;
        throttle::clear(db, &batch.account, Lane::Recovery).await?;
    }
    insert(db, account, batch, activation).await?;
    for event in &stage.events {
        event::write(db, event).await?;
    }
    Ok(Staged::Done)
}

/// Whether the account is there, locked from here on; a host's comes into being. The number is
/// guarded by the statement after it, which sees what was committed while this one waited.
async fn is_there(db: &Transaction<'_>, stage: &Stage) -> Work<bool> {
    let batch = &stage.batch;
    if stage.beside != Beside::Host {
        return Ok(locked_account(db, &batch.account).await?.is_some());
    }
    // Somebody may remove it between the two statements, and then it comes into being again.
    for _ in 0..REMOVALS {
        execute(
            db,
            "INSERT INTO account (id, uuid, created_at, last_generation)
             VALUES ($1, $2, $3, (SELECT coalesce(max(floor), 0) FROM restored))
             ON CONFLICT DO NOTHING",
            params![batch.account, batch.account.uuid(), batch.issued_at],
        )
        .await?;
        if locked_account(db, &batch.account).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Remembers the caller's key; `false` when another request with it came first and is not yet
/// forgotten. Waits for one that comes at the same moment, for whichever account.
pub(super) async fn remember(
    db: &Transaction<'_>,
    account: i64,
    new: &NewIdempotency,
    generation: Generation,
    at: Timestamp,
) -> Work<bool> {
    let remembered = execute(
        db,
        "INSERT INTO idempotency AS i (key, request, account_n, generation, until)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (key) DO UPDATE SET request = excluded.request,
             account_n = excluded.account_n, generation = excluded.generation,
             until = excluded.until
         WHERE i.until <= $6",
        params![new.key, new.request, account, generation, new.until, at],
    )
    .await?;
    Ok(changed_one(remembered))
}

async fn insert(
    db: &Transaction<'_>,
    account: i64,
    batch: &NewBatch,
    activation: Activation,
) -> Work<()> {
    let live = activation == Activation::AtOnce;
    // A live batch whose seed has no time left is not to be shown again: it keeps none.
    let kept = !live || batch.seed_until > batch.issued_at;
    execute(
        db,
        "INSERT INTO batch (account_n, generation, state, format, memory_kib, passes, lanes,
                            key_id, total, issued_at, activated_at, holder, seed, seed_until,
                            origin, letters, separators)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        params![
            account,
            batch.generation,
            if live {
                BatchState::Active
            } else {
                BatchState::Pending
            },
            FormatColumn(batch.format),
            i64::from(batch.scheme.params.memory_kib),
            i64::from(batch.scheme.params.passes),
            i64::from(batch.scheme.params.lanes),
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
    )
    .await?;
    let codes = &batch.codes;
    let numbers: Vec<i64> = codes.iter().map(|code| code.number.into()).collect();
    let locators: Vec<_> = codes.iter().map(|code| code.locator).collect();
    let salts: Vec<&[u8]> = codes.iter().map(|code| &code.digest.salt[..]).collect();
    let digests: Vec<&[u8]> = codes.iter().map(|code| &code.digest.digest[..]).collect();
    let recipes: Vec<_> = codes.iter().map(|code| code.recipe.as_deref()).collect();
    execute(
        db,
        "INSERT INTO code (account_n, generation, number, locator, salt, digest, recipe)
         SELECT $1, $2, c.number, c.locator, c.salt, c.digest, c.recipe
         FROM unnest($3::bigint[], $4::integer[], $5::bytea[], $6::bytea[], $7::text[])
              AS c (number, locator, salt, digest, recipe)",
        params![
            account,
            batch.generation,
            numbers,
            locators,
            salts,
            digests,
            recipes
        ],
    )
    .await?;
    Ok(())
}

async fn why_not(db: &Transaction<'_>, stage: &Stage) -> Work<Staged> {
    let batch = &stage.batch;
    let account: Option<(bool, bool, bool)> = first(
        db,
        "SELECT last_generation <> $4 - 1::bigint,
                EXISTS (SELECT 1 FROM idempotency WHERE key = $2 AND until > $3),
                NOT $5 AND EXISTS (SELECT 1 FROM batch
                                   WHERE account_n = account.n
                                     AND (activated_at IS NOT NULL
                                          OR (state = 0 AND seed_until > $3)))
         FROM account WHERE id = $1",
        params![
            batch.account,
            stage.idempotency.as_ref().map(|new| new.key),
            batch.issued_at,
            batch.generation,
            stage.over == Over::Anything
        ],
        |row| Ok((row.at(0)?, row.at(1)?, row.at(2)?)),
    )
    .await?;
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
