//! Sessions and the refresh tokens of them.

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};

use super::PostgresStore;
use super::fault::Work;
use super::pool::Verdict::{Keep, Undo};
use super::sql::{Columns, Text, all, changed_one, execute, first, locked_account, params};
use super::{event, step_up};
use crate::model::{AccountId, Millis, Timestamp, TokenDigest};
use crate::store::{
    NewEvent, NewRefresh, Refresh, Rotated, Session, SessionLine, Sessions, StepUpUse, StoreResult,
};

/// How old the note of a session's last sight may grow before it is written anew.
const SEEN_TO_THE: Millis = Millis::minutes(1);

#[async_trait]
impl Sessions for PostgresStore {
    async fn session(
        &self,
        digest: &TokenDigest,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> StoreResult<Option<Session>> {
        let found = self
            .pool
            .read("reading a session", |db, _| {
                Box::pin(async move { live(db, digest, now, idle_since).await })
            })
            .await?;
        match found {
            Some(mut session) if now.since(session.seen_at) > SEEN_TO_THE => {
                let noted = self
                    .pool
                    .run("noting a session as seen", |db, _| {
                        Box::pin(async move {
                            let noted = execute(
                                db,
                                "UPDATE session SET seen_at = greatest(seen_at, $2)
                                 WHERE digest = $1 AND expires_at > $2 AND seen_at >= $3",
                                params![digest, now, idle_since],
                            )
                            .await?;
                            Ok(Keep(changed_one(noted)))
                        })
                    })
                    .await?;
                session.seen_at = now;
                // Not noted: it was ended between the two.
                Ok(noted.then_some(session))
            }
            other => Ok(other),
        }
    }

    async fn end_session(&self, digest: &TokenDigest, event: NewEvent) -> StoreResult<bool> {
        let event = &event;
        self.pool
            .run("ending a session", |db, _| {
                Box::pin(async move {
                    let ended = execute(
                        db,
                        "DELETE FROM session WHERE digest = $1 AND expires_at > $2",
                        params![digest, event.at],
                    )
                    .await?;
                    if !changed_one(ended) {
                        return Ok(Undo(false));
                    }
                    event::write(db, event).await?;
                    Ok(Keep(true))
                })
            })
            .await
    }

    async fn end_sessions(
        &self,
        account: &AccountId,
        keep: Option<&TokenDigest>,
    ) -> StoreResult<u64> {
        self.pool
            .run("ending sessions", |db, _| {
                Box::pin(async move {
                    // Locked, so that a session that steps up at this moment is ended under its new
                    // name, or cannot step up.
                    let Some(account) = locked_account(db, account).await? else {
                        return Ok(Undo(0));
                    };
                    let ended = execute(
                        db,
                        "DELETE FROM session WHERE account_n = $1 AND digest IS DISTINCT FROM $2",
                        params![account, keep],
                    )
                    .await?;
                    Ok(Keep(ended))
                })
            })
            .await
    }

    async fn sessions(&self, account: &AccountId, now: Timestamp) -> StoreResult<Vec<SessionLine>> {
        self.pool
            .read("listing sessions", |db, _| {
                Box::pin(async move {
                    all(
                        db,
                        "SELECT s.digest, s.auth_time, s.seen_at
                         FROM session AS s JOIN account AS a ON a.n = s.account_n
                         WHERE a.id = $1 AND s.expires_at > $2 ORDER BY s.seen_at DESC, s.digest",
                        params![account, now],
                        |row| {
                            Ok(SessionLine {
                                digest: row.at(0)?,
                                auth_time: row.at(1)?,
                                seen_at: row.at(2)?,
                            })
                        },
                    )
                    .await
                })
            })
            .await
    }

    async fn step_up_is_good(
        &self,
        account: &AccountId,
        step_up: StepUpUse,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let step_up = &step_up;
        self.pool
            .read("reading a step-up token", |db, _| {
                Box::pin(async move { step_up::is_good(db, account, step_up, now).await })
            })
            .await
    }

    async fn refresh(&self, digest: &TokenDigest, now: Timestamp) -> StoreResult<Option<Refresh>> {
        self.pool
            .read("reading a refresh token", |db, _| {
                Box::pin(async move {
                    first(
                        db,
                        "SELECT r.session, r.audience, r.scope, r.replaced_at
                         FROM refresh AS r JOIN session AS s ON s.digest = r.session
                         WHERE r.digest = $1 AND s.expires_at > $2",
                        params![digest, now],
                        |row| {
                            Ok(Refresh {
                                session: row.at(0)?,
                                audience: row.at(1)?,
                                scope: row.at(2)?,
                                replaced_at: row.at(3)?,
                            })
                        },
                    )
                    .await
                })
            })
            .await
    }

    async fn rotate_refresh(
        &self,
        old: &TokenDigest,
        next: NewRefresh,
        at: Timestamp,
        lost_since: Timestamp,
    ) -> StoreResult<Rotated> {
        let next = &next;
        self.pool
            .run("following a refresh token", |db, _| {
                Box::pin(async move { Ok(Keep(follow(db, old, next, at, lost_since).await?)) })
            })
            .await
    }
}

/// The transaction of [`Sessions::rotate_refresh`].
async fn follow(
    db: &Transaction<'_>,
    old: &TokenDigest,
    next: &NewRefresh,
    at: Timestamp,
    lost_since: Timestamp,
) -> Work<Rotated> {
    // The session first, as whoever ends it holds it first: who follows, follows while it lives.
    let session: Option<TokenDigest> = first(
        db,
        "SELECT s.digest FROM session AS s JOIN refresh AS r ON r.session = s.digest
         WHERE r.digest = $1 FOR NO KEY UPDATE OF s",
        params![old],
        |row| row.at(0),
    )
    .await?;
    if session.is_none() {
        return Ok(Rotated::Gone);
    }
    let followed: Option<TokenDigest> = first(
        db,
        "UPDATE refresh SET replaced_at = coalesce(replaced_at, $2)
         WHERE digest = $1 AND (replaced_at IS NULL OR replaced_at > $3)
           AND EXISTS (SELECT 1 FROM session AS s
                       WHERE s.digest = refresh.session AND s.expires_at > $2)
         RETURNING session",
        params![old, at, lost_since],
        |row| row.at(0),
    )
    .await?;
    if let Some(session) = followed {
        store_refresh(db, &session, next).await?;
        return Ok(Rotated::Done);
    }
    let ended = execute(
        db,
        "DELETE FROM session
         WHERE digest = (SELECT session FROM refresh WHERE digest = $1) AND expires_at > $2",
        params![old, at],
    )
    .await?;
    Ok(if changed_one(ended) {
        Rotated::Reused
    } else {
        Rotated::Gone
    })
}

pub(super) async fn store_refresh(
    db: &Transaction<'_>,
    session: &TokenDigest,
    new: &NewRefresh,
) -> Work<bool> {
    let stored = execute(
        db,
        "INSERT INTO refresh (digest, session, audience, scope) VALUES ($1, $2, $3, $4)",
        params![
            new.digest,
            session,
            new.audience.as_ref().map(Text),
            Text(&new.scope)
        ],
    )
    .await?;
    Ok(changed_one(stored))
}

async fn live(
    db: &impl GenericClient,
    digest: &TokenDigest,
    now: Timestamp,
    idle_since: Timestamp,
) -> Work<Option<Session>> {
    first(
        db,
        "SELECT a.id, s.kind, s.auth_time, s.factor_at, s.opened_generation, s.opened_number,
                s.seen_at, s.expires_at, s.client_id
         FROM session AS s JOIN account AS a ON a.n = s.account_n
         WHERE s.digest = $1 AND s.expires_at > $2 AND s.seen_at >= $3",
        params![digest, now, idle_since],
        |row| {
            Ok(Session {
                account: row.at(0)?,
                kind: row.at(1)?,
                auth_time: row.at(2)?,
                factor_at: row.at(3)?,
                opened_by: row.number_if_any(4)?.zip(row.number_if_any(5)?),
                seen_at: row.at(6)?,
                expires_at: row.at(7)?,
                client: row.at(8)?,
            })
        },
    )
    .await
}
