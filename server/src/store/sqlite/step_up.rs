//! Tokens for one change of factors or codes: made with a proof, spent with the change.

use rusqlite::{Connection, params};

use super::sql::{changed_one, execute, first};
use crate::model::{AccountId, Timestamp};
use crate::store::{SessionKind, StepUpUse};

/// Stores one for this session of this account; `false` where there is no such live one.
pub(super) fn store(
    db: &Connection,
    account: i64,
    new: &StepUpUse,
    expires_at: Timestamp,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    execute(
        db,
        "INSERT INTO step_up (digest, session, expires_at)
         SELECT ?1, digest, ?3 FROM session
         WHERE digest = ?2 AND account_n = ?4 AND expires_at > ?5 AND kind = ?6",
        params![
            new.token,
            new.session,
            expires_at,
            account,
            at,
            SessionKind::Bearer
        ],
    )
    .map(changed_one)
}

/// Spends it; `false` where it is not good. The caller must undo what it was spent for then.
pub(super) fn spend(
    db: &Connection,
    account: i64,
    step_up: &StepUpUse,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    execute(
        db,
        "DELETE FROM step_up
         WHERE digest = ?1 AND session = ?2 AND expires_at > ?4
           AND EXISTS (SELECT 1 FROM session
                       WHERE digest = ?2 AND account_n = ?3 AND expires_at > ?4)",
        params![step_up.token, step_up.session, account, at],
    )
    .map(changed_one)
}

/// Whether it would be spent.
pub(super) fn is_good(
    db: &Connection,
    account: &AccountId,
    step_up: &StepUpUse,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let found: Option<i64> = first(
        db,
        "SELECT 1 FROM step_up AS t JOIN session AS s ON s.digest = t.session
                JOIN account AS a ON a.n = s.account_n
         WHERE t.digest = ?1 AND t.session = ?2 AND t.expires_at > ?4 AND a.id = ?3
           AND s.expires_at > ?4",
        params![step_up.token, step_up.session, account, now],
        |row| row.get(0),
    )?;
    Ok(found.is_some())
}
