//! Tokens for one change of factors or codes: made with a proof, spent with the change.

use deadpool_postgres::{GenericClient, Transaction};

use super::fault::Work;
use super::sql::{Columns, changed_one, execute, first, params};
use crate::model::{AccountId, Timestamp, TokenDigest};
use crate::store::{SessionKind, StepUpUse};

/// Stores one for this session of this account; `false` where there is no such live one.
pub(super) async fn store(
    db: &Transaction<'_>,
    account: i64,
    new: &StepUpUse,
    expires_at: Timestamp,
    at: Timestamp,
) -> Work<bool> {
    // The session is held as a foreign key would hold it: where somebody ends it at this moment,
    // there is none.
    let stored = execute(
        db,
        "INSERT INTO step_up (digest, session, expires_at)
         SELECT $1, digest, $3 FROM session
         WHERE digest = $2 AND account_n = $4 AND expires_at > $5 AND kind = $6
         FOR KEY SHARE",
        params![
            new.token,
            new.session,
            expires_at,
            account,
            at,
            SessionKind::Bearer
        ],
    )
    .await?;
    Ok(changed_one(stored))
}

/// Spends it; `false` where it is not good. The caller must undo what it was spent for then.
pub(super) async fn spend(
    db: &Transaction<'_>,
    account: i64,
    step_up: &StepUpUse,
    at: Timestamp,
) -> Work<bool> {
    let spent = execute(
        db,
        "DELETE FROM step_up
         WHERE digest = $1 AND session = $2 AND expires_at > $4
           AND EXISTS (SELECT 1 FROM session
                       WHERE digest = $2 AND account_n = $3 AND expires_at > $4)",
        params![step_up.token, step_up.session, account, at],
    )
    .await?;
    Ok(changed_one(spent))
}

/// Whether it would be spent.
pub(super) async fn is_good(
    db: &impl GenericClient,
    account: &AccountId,
    step_up: &StepUpUse,
    now: Timestamp,
) -> Work<bool> {
    let found: Option<TokenDigest> = first(
        db,
        "SELECT t.digest FROM step_up AS t JOIN session AS s ON s.digest = t.session
                JOIN account AS a ON a.n = s.account_n
         WHERE t.digest = $1 AND t.session = $2 AND t.expires_at > $4 AND a.id = $3
           AND s.expires_at > $4",
        params![step_up.token, step_up.session, account, now],
        |row| row.at(0),
    )
    .await?;
    Ok(found.is_some())
}
