//! Sessions, and the refresh tokens that are of them.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::sql::{account_n, all, changed_one, execute, first};
use super::writer::Verdict::{Keep, Undo};
use super::{event, step_up};
use crate::model::{AccountId, Millis, Timestamp, TokenDigest};
use crate::store::{
    NewEvent, NewRefresh, Refresh, Rotated, Session, SessionLine, Sessions, StepUpUse, StoreResult,
};

/// How old the note of a session's last sight may grow before it is written anew.
const SEEN_TO_THE: Millis = Millis::minutes(1);

#[async_trait]
impl Sessions for SqliteStore {
    async fn session(
        &self,
        digest: &TokenDigest,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> StoreResult<Option<Session>> {
        let digest = *digest;
        let found = self
            .readers
            .look_up("reading a session", move |db| {
                Ok(live(db, &digest, now, idle_since)?)
            })
            .await?;
        match found {
            Some(mut session) if now.since(session.seen_at) > SEEN_TO_THE => {
                let noted = self
                    .writer
                    .run("noting a session as seen", move |db| {
                        let noted = execute(
                            db,
                            "UPDATE session SET seen_at = max(seen_at, ?2)
                             WHERE digest = ?1 AND expires_at > ?2 AND seen_at >= ?3",
                            params![digest, now, idle_since],
                        )?;
                        Ok(Keep(changed_one(noted)))
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
        let digest = *digest;
        self.writer
            .run("ending a session", move |db| {
                let ended = execute(
                    db,
                    "DELETE FROM session WHERE digest = ?1 AND expires_at > ?2",
                    params![digest, event.at],
                )?;
                if !changed_one(ended) {
                    return Ok(Undo(false));
                }
                event::write(db, &event)?;
                Ok(Keep(true))
            })
            .await
    }

    async fn end_sessions(
        &self,
        account: &AccountId,
        keep: Option<&TokenDigest>,
    ) -> StoreResult<u64> {
        let (account, keep) = (account.clone(), keep.copied());
        self.writer
            .run("ending sessions", move |db| {
                let Some(account) = account_n(db, &account)? else {
                    return Ok(Undo(0));
                };
                let ended = execute(
                    db,
                    "DELETE FROM session WHERE account_n = ?1 AND digest IS NOT ?2",
                    params![account, keep],
                )?;
                Ok(Keep(ended as u64))
            })
            .await
    }

    async fn sessions(&self, account: &AccountId, now: Timestamp) -> StoreResult<Vec<SessionLine>> {
        let account = account.clone();
        self.readers
            .read("listing sessions", move |db| {
                Ok(all(
                    db,
                    "SELECT s.digest, s.auth_time, s.seen_at
                     FROM session AS s JOIN account AS a ON a.n = s.account_n
                     WHERE a.id = ?1 AND s.expires_at > ?2 ORDER BY s.seen_at DESC, s.digest",
                    params![account, now],
                    |row| {
                        Ok(SessionLine {
                            digest: row.get(0)?,
                            auth_time: row.get(1)?,
                            seen_at: row.get(2)?,
                        })
                    },
                )?)
            })
            .await
    }

    async fn step_up_is_good(
        &self,
        account: &AccountId,
        step_up: StepUpUse,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let account = account.clone();
        self.readers
            .look_up("reading a step-up token", move |db| {
                Ok(step_up::is_good(db, &account, &step_up, now)?)
            })
            .await
    }

    async fn refresh(&self, digest: &TokenDigest, now: Timestamp) -> StoreResult<Option<Refresh>> {
        let digest = *digest;
        self.readers
            .look_up("reading a refresh token", move |db| {
                Ok(first(
                    db,
                    "SELECT r.session, r.audience, r.scope, r.replaced_at
                     FROM refresh AS r JOIN session AS s ON s.digest = r.session
                     WHERE r.digest = ?1 AND s.expires_at > ?2",
                    params![digest, now],
                    |row| {
                        Ok(Refresh {
                            session: row.get(0)?,
                            audience: row.get(1)?,
                            scope: row.get(2)?,
                            replaced_at: row.get(3)?,
                        })
                    },
                )?)
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
        let old = *old;
        self.writer
            .run("following a refresh token", move |db| {
                Ok(Keep(follow(db, &old, &next, at, lost_since)?))
            })
            .await
    }
}

/// The transaction of [`Sessions::rotate_refresh`].
fn follow(
    db: &Connection,
    old: &TokenDigest,
    next: &NewRefresh,
    at: Timestamp,
    lost_since: Timestamp,
) -> rusqlite::Result<Rotated> {
    let followed: Option<TokenDigest> = first(
        db,
        "UPDATE refresh SET replaced_at = coalesce(replaced_at, ?2)
         WHERE digest = ?1 AND (replaced_at IS NULL OR replaced_at > ?3)
           AND EXISTS (SELECT 1 FROM session AS s
                       WHERE s.digest = refresh.session AND s.expires_at > ?2)
         RETURNING session",
        params![old, at, lost_since],
        |row| row.get(0),
    )?;
    if let Some(session) = followed {
        store_refresh(db, &session, next)?;
        return Ok(Rotated::Done);
    }
    let ended = execute(
        db,
        "DELETE FROM session
         WHERE digest = (SELECT session FROM refresh WHERE digest = ?1) AND expires_at > ?2",
        params![old, at],
    )?;
    Ok(if changed_one(ended) {
        Rotated::Reused
    } else {
        Rotated::Gone
    })
}

pub(super) fn store_refresh(
    db: &Connection,
    session: &TokenDigest,
    new: &NewRefresh,
) -> rusqlite::Result<bool> {
    execute(
        db,
        "INSERT INTO refresh (digest, session, audience, scope) VALUES (?1, ?2, ?3, ?4)",
        params![new.digest, session, new.audience, new.scope],
    )
    .map(changed_one)
}

fn live(
    db: &Connection,
    digest: &TokenDigest,
    now: Timestamp,
    idle_since: Timestamp,
) -> rusqlite::Result<Option<Session>> {
    first(
        db,
        "SELECT a.id, s.kind, s.auth_time, s.factor_at, s.opened_generation, s.opened_number,
                s.seen_at, s.expires_at, s.client_id
         FROM session AS s JOIN account AS a ON a.n = s.account_n
         WHERE s.digest = ?1 AND s.expires_at > ?2 AND s.seen_at >= ?3",
        params![digest, now, idle_since],
        |row| {
            let generation: Option<u32> = row.get(4)?;
            Ok(Session {
                account: row.get(0)?,
                kind: row.get(1)?,
                auth_time: row.get(2)?,
                factor_at: row.get(3)?,
                opened_by: generation.zip(row.get(5)?),
                seen_at: row.get(6)?,
                expires_at: row.get(7)?,
                client: row.get(8)?,
            })
        },
    )
}
