//! Challenges, sessions, and the one place where a spent proof moves a person on.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::sql::{account_n, all, changed_one, execute, first};
use super::writer::Verdict::{Keep, Undo};
use super::{authenticator, event, step_up, trusted_device};
use crate::model::{AccountId, Millis, Timestamp, TokenDigest};
use crate::store::{
    Asked, Carried, Challenge, Challenges, Door, NewChallenge, NewEvent, NewRefresh, NewSession,
    Progress, Refresh, Rotated, Session, SessionKind, SessionLine, Sessions, StepUpUse,
    StoreResult, TotpRemoved,
};

/// How old the note of a session's last sight may grow before it is written anew.
const SEEN_TO_THE: Millis = Millis::minutes(1);

#[async_trait]
impl Challenges for SqliteStore {
    async fn open_challenge(&self, new: NewChallenge) -> StoreResult<bool> {
        self.writer
            .run("opening a challenge", move |db| {
                let (door, asked) = match &new.door {
                    Door::Pages => (0, None),
                    Door::Program(asked) => (1, Some(asked)),
                    Door::Bearer => (2, None),
                };
                let opened = execute(
                    db,
                    "INSERT INTO challenge (digest, account_n, password_at, expires_at, client_id,
                                            audience, scope, door)
                     SELECT ?1, n, ?3, ?4, ?5, ?6, ?7, ?8 FROM account
                     WHERE id = ?2
                       AND (?5 IS NULL OR EXISTS (SELECT 1 FROM client WHERE id = ?5))",
                    params![
                        new.digest,
                        new.account,
                        new.password_at,
                        new.expires_at,
                        asked.map(|asked| &asked.client),
                        asked.and_then(|asked| asked.audience.as_ref()),
                        asked.map(|asked| &asked.scope),
                        door,
                    ],
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
                    "SELECT a.id, c.password_at, c.factor_at, c.expires_at, c.spent_at, c.client_id,
                            c.audience, c.scope, c.door, c.tries
                     FROM challenge AS c JOIN account AS a ON a.n = c.account_n
                     WHERE c.digest = ?1",
                    [digest],
                    |row| {
                        let client: Option<String> = row.get(5)?;
                        let scope: Option<String> = row.get(7)?;
                        let audience = row.get(6)?;
                        let door = match (row.get(8)?, client.zip(scope)) {
                            (1, Some((client, scope))) => Door::Program(Asked {
                                client,
                                audience,
                                scope,
                            }),
                            (2, _) => Door::Bearer,
                            (0, _) => Door::Pages,
                            (other, _) => {
                                return Err(rusqlite::Error::IntegralValueOutOfRange(8, other));
                            }
                        };
                        Ok(Challenge {
                            door,
                            tries: row.get(9)?,
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

    async fn try_challenge(
        &self,
        digest: &TokenDigest,
        most: u32,
        at: Timestamp,
    ) -> StoreResult<Option<u32>> {
        let digest = *digest;
        self.writer
            .run("trying a challenge", move |db| {
                Ok(Keep(first(
                    db,
                    "UPDATE challenge SET tries = tries + 1
                     WHERE digest = ?1 AND spent_at IS NULL AND expires_at > ?2 AND tries < ?3
                     RETURNING ?3 - tries",
                    params![digest, at, most],
                    |row| row.get(0),
                )?))
            })
            .await
    }

    async fn untry_challenge(&self, digest: &TokenDigest) -> StoreResult<()> {
        let digest = *digest;
        self.writer
            .run("taking a try back", move |db| {
                execute(
                    db,
                    "UPDATE challenge SET tries = tries - 1 WHERE digest = ?1 AND tries > 0",
                    [digest],
                )?;
                Ok(Keep(()))
            })
            .await
    }

    async fn pass(
        &self,
        account: &AccountId,
        progress: Progress,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let account = account.clone();
        self.writer
            .run("passing a challenge", move |db| {
                let Some(account) = account_n(db, &account)? else {
                    return Ok(Undo(false));
                };
                Ok(if make(db, account, &progress, at)? {
                    Keep(true)
                } else {
                    Undo(false)
                })
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
            .read("reading a step-up token", move |db| {
                Ok(step_up::is_good(db, &account, &step_up, now)?)
            })
            .await
    }

    async fn refresh(&self, digest: &TokenDigest, now: Timestamp) -> StoreResult<Option<Refresh>> {
        let digest = *digest;
        self.readers
            .read("reading a refresh token", move |db| {
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

fn store_refresh(
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
    db.prepare_cached(
        "SELECT a.id, s.kind, s.auth_time, s.factor_at, s.opened_generation, s.opened_number,
                s.seen_at, s.expires_at, s.client_id
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
            client: row.get(8)?,
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
        Progress::Freshen { carried } => freshen(db, account, carried, at),
        Progress::StepUpToken { new, expires_at } => {
            step_up::store(db, account, new, *expires_at, at)
        }
        Progress::Enrolled { session, step_up } => {
            let spent = match step_up {
                None => true,
                Some(step_up) => step_up::spend(db, account, step_up, at)?,
            };
            Ok(spent && enrolled(db, account, session, at)?)
        }
        Progress::Unbind(remove) => {
            let removed = authenticator::unbind(db, account, remove)?;
            Ok(matches!(removed, TotpRemoved::Done | TotpRemoved::Last))
        }
    }
}

/// Notes that the session's owner has enrolled an authenticator in it.
fn enrolled(
    db: &Connection,
    account: i64,
    session: &TokenDigest,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    execute(
        db,
        "UPDATE session SET factor_at = ?3, kind = ?4
         WHERE digest = ?1 AND account_n = ?2 AND expires_at > ?3 AND kind IN (?4, ?5)",
        params![
            session,
            account,
            at,
            SessionKind::Bearer,
            SessionKind::EnrollOnly
        ],
    )
    .map(changed_one)
}

/// Notes on what is carried that a factor was proven with it.
fn freshen(
    db: &Connection,
    account: i64,
    carried: &Carried,
    at: Timestamp,
) -> rusqlite::Result<bool> {
    let noted = match carried {
        Carried::Key(digest) => execute(
            db,
            "UPDATE api_key SET factor_at = max(coalesce(factor_at, ?3), ?3)
             WHERE digest = ?1 AND account_n = ?2",
            params![digest, account, at],
        ),
        Carried::Session(digest) => execute(
            db,
            "UPDATE session SET factor_at = max(coalesce(factor_at, ?3), ?3)
             WHERE digest = ?1 AND account_n = ?2 AND expires_at > ?3 AND kind = ?4",
            params![digest, account, at, SessionKind::Carried],
        ),
    };
    noted.map(changed_one)
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
    let opened = execute(
        db,
        "INSERT INTO session (digest, account_n, kind, auth_time, factor_at, opened_generation,
                              opened_number, seen_at, expires_at, client_id)
         SELECT ?1, n, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11 FROM account
         WHERE n = ?2 AND id = ?10
           AND (?11 IS NULL OR EXISTS (SELECT 1 FROM client WHERE id = ?11))",
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
            new.client,
        ],
    )?;
    if !changed_one(opened) {
        return Ok(false);
    }
    if let Some(device) = &new.device {
        trusted_device::store(db, account, device, new.at)?;
    }
    match &new.refresh {
        None => Ok(true),
        Some(refresh) => store_refresh(db, &new.digest, refresh),
    }
}
