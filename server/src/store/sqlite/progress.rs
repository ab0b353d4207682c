//! Challenges, sessions, and the one place where a spent proof moves a person on.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::event;
use super::sql::{account_n, changed_one, execute, first};
use super::writer::Verdict::{Keep, Undo};
use crate::model::{AccountId, Millis, Timestamp, TokenDigest};
use crate::store::{
    Challenge, Challenges, NewChallenge, NewEvent, NewSession, Progress, Session, Sessions,
    StoreResult,
};

/// How old the note of a session's last sight may grow before it is written anew.
const SEEN_TO_THE: Millis = Millis::minutes(1);

#[async_trait]
impl Challenges for SqliteStore {
    async fn open_challenge(&self, new: NewChallenge) -> StoreResult<bool> {
        self.writer
            .run("opening a challenge", move |db| {
                let opened = execute(
                    db,
                    "INSERT INTO challenge (digest, account_n, password_at, expires_at)
                     SELECT ?1, n, ?3, ?4 FROM account WHERE id = ?2",
                    params![new.digest, new.account, new.at, new.expires_at],
                )?;
                if !changed_one(opened) {
                    return Ok(Undo(false));
                }
                event::write(db, &new.event)?;
                Ok(Keep(true))
            })
            .await
    }

    async fn challenge(&self, digest: &TokenDigest) -> StoreResult<Option<Challenge>> {
        let digest = *digest;
        self.readers
            .read("reading a challenge", move |db| {
                Ok(first(
                    db,
                    "SELECT a.id, c.password_at, c.factor_at, c.expires_at, c.spent_at
                     FROM challenge AS c JOIN account AS a ON a.n = c.account_n
                     WHERE c.digest = ?1",
                    [digest],
                    |row| {
                        Ok(Challenge {
                            account: row.get(0)?,
                            password_at: row.get(1)?,
                            factor_at: row.get(2)?,
                            expires_at: row.get(3)?,
                            spent_at: row.get(4)?,
                        })
                    },
                )?)
            })
            .await
    }
}

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
            .read("reading a session", move |db| {
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
}

fn live(
    db: &Connection,
    digest: &TokenDigest,
    now: Timestamp,
    idle_since: Timestamp,
) -> rusqlite::Result<Option<Session>> {
    db.prepare_cached(
        "SELECT a.id, s.kind, s.auth_time, s.factor_at, s.opened_generation, s.opened_number,
                s.seen_at, s.expires_at
         FROM session AS s JOIN account AS a ON a.n = s.account_n
         WHERE s.digest = ?1 AND s.expires_at > ?2 AND s.seen_at >= ?3",
    )?
    .query_row(params![digest, now, idle_since], |row| {
        let generation: Option<u32> = row.get(4)?;
        Ok(Session {
            account: row.get(0)?,
            kind: row.get(1)?,
            auth_time: row.get(2)?,
            factor_at: row.get(3)?,
            opened_by: generation.zip(row.get(5)?),
            seen_at: row.get(6)?,
            expires_at: row.get(7)?,
        })
    })
    .optional()
}

/// Makes the progress of a proof that was just spent; `false` when its guard says no, and then
/// the caller must undo the spending too.
pub(super) fn make(
    db: &Connection,
    account: i64,
    progress: &Progress,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    match progress {
        Progress::Nothing => Ok(true),
        Progress::FactorProven { challenge } => execute(
            db,
            "UPDATE challenge SET factor_at = ?3
             WHERE digest = ?1 AND account_n = ?2 AND spent_at IS NULL AND expires_at > ?3",
            params![challenge, account, at],
        )
        .map(changed_one),
        Progress::Grant { challenge, session } => {
            let spent = execute(
                db,
                "UPDATE challenge SET spent_at = ?3
                 WHERE digest = ?1 AND account_n = ?2 AND spent_at IS NULL AND expires_at > ?3",
                params![challenge, account, at],
            )?;
            succeed(db, account, spent, challenge, session)
        }
        Progress::StepUp { session, next } => {
            let ended = execute(
                db,
                "DELETE FROM session WHERE digest = ?1 AND account_n = ?2 AND expires_at > ?3",
                params![session, account, at],
            )?;
            succeed(db, account, ended, session, next)
        }
    }
}

/// Opens what follows a challenge or session that was just ended, if it was: what that one held,
/// the new session holds.
fn succeed(
    db: &Connection,
    account: i64,
    ended: usize,
    old: &TokenDigest,
    next: &NewSession,
) -> rusqlite::Result<bool> {
    if !(changed_one(ended) && open(db, account, next)?) {
        return Ok(false);
    }
    execute(
        db,
        "UPDATE batch SET holder = ?3 WHERE account_n = ?1 AND holder = ?2",
        params![account, old, next.digest],
    )?;
    execute(
        db,
        "UPDATE totp SET holder = ?3 WHERE account_n = ?1 AND holder = ?2",
        params![account, old, next.digest],
    )?;
    Ok(true)
}

/// Opens a session of this account and of no other.
fn open(db: &Connection, account: i64, new: &NewSession) -> rusqlite::Result<bool> {
    let (generation, number) = new.opened_by.unzip();
    execute(
        db,
        "INSERT INTO session (digest, account_n, kind, auth_time, factor_at, opened_generation,
                              opened_number, seen_at, expires_at)
         SELECT ?1, n, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM account WHERE n = ?2 AND id = ?10",
        params![
            new.digest,
            account,
            new.kind,
            new.auth_time,
            new.factor_at,
            generation,
            number,
            new.at,
            new.expires_at,
            new.account,
        ],
    )
    .map(changed_one)
}
