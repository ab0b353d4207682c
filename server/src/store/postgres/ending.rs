//! How a batch ends: whatever it was, its codes go with it.

use deadpool_postgres::Transaction;

use super::fault::Work;
use super::sql::{Columns, execute, first, params};
use crate::model::{BatchState, Generation, Timestamp};

/// Ends the account's batch that is in state `from`, erasing its codes and seed; says which.
pub(super) async fn end_batch(
    db: &Transaction<'_>,
    account: i64,
    from: BatchState,
    to: BatchState,
    at: Timestamp,
) -> Work<Option<Generation>> {
    // Two words for one statement: only a state written out lets a plan use the partial index.
    let sql = match from {
        BatchState::Pending => {
            "UPDATE batch SET state = $2, ended_at = $3, seed = NULL, holder = NULL,
                              seed_until = NULL
             WHERE account_n = $1 AND state = 0 RETURNING generation"
        }
        _ => {
            "UPDATE batch SET state = $2, ended_at = $3, seed = NULL, holder = NULL,
                              seed_until = NULL
             WHERE account_n = $1 AND state = 1 RETURNING generation"
        }
    };
    let ended = first(db, sql, params![account, to, at], |row| row.at(0)).await?;
    if let Some(generation) = ended {
        erase_codes(db, account, generation).await?;
    }
    Ok(ended)
}

/// Ends the live and the pending batch without a successor; `false` when there was neither.
pub(super) async fn end_codes(db: &Transaction<'_>, account: i64, at: Timestamp) -> Work<bool> {
    let live = end_batch(db, account, BatchState::Active, BatchState::Revoked, at).await?;
    let pending = lapse_pending(db, account, at).await?;
    Ok(live.is_some() || pending)
}

/// Ends the pending batch, if any; `true` when it could still have been activated at `at`.
pub(super) async fn lapse_pending(db: &Transaction<'_>, account: i64, at: Timestamp) -> Work<bool> {
    let open: Option<Generation> = first(
        db,
        "SELECT generation FROM batch WHERE account_n = $1 AND state = 0 AND seed_until > $2",
        params![account, at],
        |row| row.at(0),
    )
    .await?;
    let lapsed = end_batch(db, account, BatchState::Pending, BatchState::Lapsed, at).await?;
    Ok(lapsed.is_some() && open.is_some())
}

/// Erases a batch's digests. PostgreSQL forgets the bytes when it vacuums.
pub(super) async fn erase_codes(
    db: &Transaction<'_>,
    account: i64,
    generation: Generation,
) -> Work<()> {
    execute(
        db,
        "DELETE FROM code WHERE account_n = $1 AND generation = $2",
        params![account, generation],
    )
    .await?;
    Ok(())
}
