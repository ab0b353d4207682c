//! Spending a code, and all that hangs on it.

use rusqlite::{Connection, params};

use super::sql::{account_n, changed_one, execute, first};
use super::{event, progress, stage, throttle, trusted_device};
use crate::store::{Activation, AtTheEnd, Lane, Redeem, Redeemed, Staged};

/// Spends the code. Whatever it answers but `Done`, the caller must undo.
pub(super) fn spend(db: &Connection, redeem: &Redeem) -> rusqlite::Result<Redeemed> {
    let Redeem {
        generation,
        number,
        at,
        ..
    } = *redeem;
    let Some(account) = account_n(db, &redeem.account)? else {
        return Ok(Redeemed::NotLive);
    };
    let spent = execute(
        db,
        "UPDATE code SET used_at = ?4, salt = NULL, digest = NULL
         WHERE account_n = ?1 AND generation = ?2 AND number = ?3 AND used_at IS NULL
           AND EXISTS (SELECT 1 FROM batch
                       WHERE account_n = ?1 AND generation = ?2 AND state = 1)",
        params![account, generation, number, at],
    )?;
    if !changed_one(spent) {
        return why_not(db, account, redeem);
    }
    let counted: Option<(u32, u32)> = first(
        db,
        "UPDATE batch SET used = used + 1, seed = NULL, holder = NULL, seed_until = NULL
         WHERE account_n = ?1 AND generation = ?2 AND state = 1
         RETURNING total - used, total",
        params![account, generation],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let Some((remaining, total)) = counted else {
        return Ok(Redeemed::NotLive);
    };
    execute(
        db,
        "UPDATE account SET last_redeemed_at = max(coalesce(last_redeemed_at, ?2), ?2)
         WHERE n = ?1",
        params![account, at],
    )?;
    throttle::clear(db, &redeem.account, Lane::Recovery)?;
    let mut event = redeem.event.clone();
    event.remaining = Some(remaining);
    event::write(db, &event)?;
    match &redeem.replacement {
        None if remaining == 0 && redeem.at_the_end == AtTheEnd::Replace => {
            return Ok(Redeemed::ReplacementDue);
        }
        None => {}
        Some(next) => match stage::store(db, next, Activation::AtOnce)? {
            Staged::Done => {}
            Staged::GenerationTaken | Staged::KeyTaken | Staged::HasCodes => {
                return Ok(Redeemed::GenerationTaken);
            }
            // The last authenticator went, and this batch with it.
            Staged::NoAccount | Staged::NoAuthenticator | Staged::NoProof => {
                return Ok(Redeemed::NotLive);
            }
        },
    }
    trusted_device::forget_all(db, account, &redeem.devices)?;
    // Last, so that a session opened here holds the replacement that its challenge was given.
    if !progress::make(db, account, &redeem.progress, at)? {
        return Ok(Redeemed::NoProgress);
    }
    Ok(Redeemed::Done { remaining, total })
}

fn why_not(db: &Connection, account: i64, redeem: &Redeem) -> rusqlite::Result<Redeemed> {
    let used: Option<bool> = first(
        db,
        "SELECT c.used_at IS NOT NULL
         FROM code AS c JOIN batch AS b USING (account_n, generation)
         WHERE c.account_n = ?1 AND c.generation = ?2 AND c.number = ?3 AND b.state = 1",
        params![account, redeem.generation, redeem.number],
        |row| row.get(0),
    )?;
    Ok(if used == Some(true) {
        Redeemed::AlreadyUsed
    } else {
        Redeemed::NotLive
    })
}
