//! Challenges, sessions, and the one place where a spent proof moves a person on.

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};

use super::PostgresStore;
use super::fault::Work;
use super::pool::Verdict::{Keep, Undo};
use super::sql::{Columns, Text, changed_one, execute, first, locked_account, params, stays};
use super::{authenticator, event};
use crate::model::{AccountId, Millis, Timestamp, TokenDigest};
use crate::store::{
    Asked, Carried, Challenge, Challenges, NewChallenge, NewEvent, NewRefresh, NewSession,
    Progress, Refresh, Rotated, Session, SessionKind, Sessions, StoreResult, TotpRemoved,
};

/// How old the note of a session's last sight may grow before it is written anew.
const SEEN_TO_THE: Millis = Millis::minutes(1);

#[async_trait]
impl Challenges for PostgresStore {
    async fn open_challenge(&self, new: NewChallenge) -> StoreResult<bool> {
        let new = &new;
        self.pool
            .run("opening a challenge", |db, _| {
                Box::pin(async move {
                    let asked = new.asked.as_ref();
                    if !stays(db, asked.map(|asked| asked.client.as_str())).await? {
                        return Ok(Undo(false));
                    }
                    // The account is held as a foreign key would hold it: it cannot go meanwhile.
                    let opened = execute(
                    db,
                    "INSERT INTO challenge (digest, account_n, password_at, expires_at, client_id,
                                            audience, scope)
                     SELECT $1, n, $3, $4, $5, $6, $7 FROM account WHERE id = $2 FOR KEY SHARE",
                    params![
                        new.digest,
                        new.account,
                        new.password_at,
                        new.expires_at,
                        asked.map(|asked| Text(&asked.client)),
                        asked.and_then(|asked| asked.audience.as_ref().map(Text)),
                        asked.map(|asked| Text(&asked.scope)),
                    ],
                )
                .await?;
                    if !changed_one(opened) {
                        return Ok(Undo(false));
                    }
                    event::write(db, &new.event).await?;
                    Ok(Keep(true))
                })
            })
            .await
    }

    async fn challenge(&self, digest: &TokenDigest) -> StoreResult<Option<Challenge>> {
        self.pool
            .read("reading a challenge", |db, _| {
                Box::pin(async move {
                    first(
                    db,
                    "SELECT a.id, c.password_at, c.factor_at, c.expires_at, c.spent_at, c.client_id,
                            c.audience, c.scope
                     FROM challenge AS c JOIN account AS a ON a.n = c.account_n
                     WHERE c.digest = $1",
                    params![digest],
                    |row| {
                        let client: Option<String> = row.at(5)?;
                        let scope: Option<String> = row.at(7)?;
                        let audience = row.at(6)?;
                        let asked = client.zip(scope).map(|(client, scope)| Asked {
                            client,
                            audience,
                            scope,
                        });
                        Ok(Challenge {
                            asked,
                            account: row.at(0)?,
                            password_at: row.at(1)?,
                            factor_at: row.at(2)?,
                            expires_at: row.at(3)?,
                            spent_at: row.at(4)?,
                        })
                    },
                )
                .await
                })
            })
            .await
    }

    async fn pass(
        &self,
        account: &AccountId,
        progress: Progress,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let progress = &progress;
        self.pool
            .run("passing a challenge", |db, _| {
                Box::pin(async move {
                    let Some(account) = locked_account(db, account).await? else {
                        return Ok(Undo(false));
                    };
                    Ok(if make(db, account, progress, at).await? {
                        Keep(true)
                    } else {
                        Undo(false)
                    })
                })
            })
            .await
    }
}

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

async fn store_refresh(
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

/// Makes the progress of a proof that was just spent; `false` when its guard says no, and then
/// the caller must undo the spending too. The account is locked.
pub(super) async fn make(
    db: &Transaction<'_>,
    account: i64,
    progress: &Progress,
    at: Timestamp,
) -> Work<bool> {
    match progress {
        Progress::Nothing => Ok(true),
        Progress::FactorProven { challenge } => {
            let noted = execute(
                db,
                "UPDATE challenge SET factor_at = $3
                 WHERE digest = $1 AND account_n = $2 AND spent_at IS NULL AND expires_at > $3",
                params![challenge, account, at],
            )
            .await;
            noted.map(changed_one)
        }
        Progress::Grant { challenge, session } => {
            let spent = execute(
                db,
                "UPDATE challenge SET spent_at = $3
                 WHERE digest = $1 AND account_n = $2 AND spent_at IS NULL AND expires_at > $3",
                params![challenge, account, at],
            )
            .await?;
            succeed(db, account, spent, challenge, session).await
        }
        Progress::StepUp { session, next } => {
            let ended = execute(
                db,
                "DELETE FROM session WHERE digest = $1 AND account_n = $2 AND expires_at > $3",
                params![session, account, at],
            )
            .await?;
            succeed(db, account, ended, session, next).await
        }
        Progress::Freshen { carried } => freshen(db, account, carried, at).await,
        Progress::Unbind(remove) => {
            Ok(authenticator::unbind(db, account, remove).await? != TotpRemoved::Gone)
        }
    }
}

/// Notes on what is carried that a factor was proven with it.
async fn freshen(
    db: &Transaction<'_>,
    account: i64,
    carried: &Carried,
    at: Timestamp,
) -> Work<bool> {
    let noted = match carried {
        Carried::Key(digest) => {
            execute(
                db,
                "UPDATE api_key SET factor_at = greatest(factor_at, $3)
                 WHERE digest = $1 AND account_n = $2",
                params![digest, account, at],
            )
            .await
        }
        Carried::Session(digest) => {
            execute(
                db,
                "UPDATE session SET factor_at = greatest(factor_at, $3)
                 WHERE digest = $1 AND account_n = $2 AND expires_at > $3 AND kind = $4",
                params![digest, account, at, SessionKind::Carried],
            )
            .await
        }
    };
    noted.map(changed_one)
}

/// Opens what follows a challenge or session that was just ended, if it was: what that one held,
/// the new session holds.
async fn succeed(
    db: &Transaction<'_>,
    account: i64,
    ended: u64,
    old: &TokenDigest,
    next: &NewSession,
) -> Work<bool> {
    if !(changed_one(ended) && open(db, account, next).await?) {
        return Ok(false);
    }
    execute(
        db,
        "UPDATE batch SET holder = $3 WHERE account_n = $1 AND holder = $2",
        params![account, old, next.digest],
    )
    .await?;
    execute(
        db,
        "UPDATE totp SET holder = $3 WHERE account_n = $1 AND holder = $2",
        params![account, old, next.digest],
    )
    .await?;
    Ok(true)
}

/// Opens a session of this account and of no other.
async fn open(db: &Transaction<'_>, account: i64, new: &NewSession) -> Work<bool> {
    if !stays(db, new.client.as_deref()).await? {
        return Ok(false);
    }
    let (generation, number) = new.opened_by.unzip();
    let opened = execute(
        db,
        "INSERT INTO session (digest, account_n, kind, auth_time, factor_at, opened_generation,
                              opened_number, seen_at, expires_at, client_id)
         SELECT $1, n, $3, $4, $5, $6, $7, $8, $9, $11 FROM account WHERE n = $2 AND id = $10",
        params![
            new.digest,
            account,
            new.kind,
            new.auth_time,
            new.factor_at,
            generation.map(i64::from),
            number.map(i64::from),
            new.at,
            new.expires_at,
            new.account,
            new.client.as_ref().map(Text),
        ],
    )
    .await?;
    if !changed_one(opened) {
        return Ok(false);
    }
    match &new.refresh {
        None => Ok(true),
        Some(refresh) => store_refresh(db, &new.digest, refresh).await,
    }
}
