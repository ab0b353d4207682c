//! Challenges, and the one place where a spent proof moves a person on.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::sql::{account_n, changed_one, execute, first};
use super::writer::Verdict::{Keep, Undo};
use super::{authenticator, event, session, step_up, trusted_device};
use crate::model::{AccountId, Timestamp, TokenDigest};
use crate::store::{
    Asked, Carried, Challenge, Challenges, Door, NewChallenge, NewSession, Progress, SessionKind,
    StoreResult, TotpRemoved,
};

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
            .look_up("reading a challenge", move |db| {
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
        Some(refresh) => session::store_refresh(db, &new.digest, refresh),
    }
}
