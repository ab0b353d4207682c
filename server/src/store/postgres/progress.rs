//! Challenges, and the one place where a spent proof moves a person on.

use async_trait::async_trait;
use deadpool_postgres::Transaction;

use super::PostgresStore;
use super::fault::{Broken, Work};
use super::pool::Verdict::{Keep, Undo};
use super::sql::{Columns, Text, changed_one, execute, first, locked_account, params, stays};
use super::{authenticator, event, session, step_up, trusted_device};
use crate::model::{AccountId, Timestamp, TokenDigest};
use crate::store::{
    Asked, Carried, Challenge, Challenges, Door, NewChallenge, NewSession, Progress, SessionKind,
    StoreResult, TotpRemoved,
};

#[async_trait]
impl Challenges for PostgresStore {
    async fn open_challenge(&self, new: NewChallenge) -> StoreResult<bool> {
        let new = &new;
        self.pool
            .run("opening a challenge", |db, _| {
                Box::pin(async move {
                    let (door, asked) = match &new.door {
                        Door::Pages => (0_i16, None),
                        Door::Program(asked) => (1, Some(asked)),
                        Door::Bearer => (2, None),
                    };
                    if !stays(db, asked.map(|asked| asked.client.as_str())).await? {
                        return Ok(Undo(false));
                    }
                    // The account is held as a foreign key would hold it: it cannot go meanwhile.
                    let opened = execute(
                    db,
                    "INSERT INTO challenge (digest, account_n, password_at, expires_at, client_id,
                                            audience, scope, door)
                     SELECT $1, n, $3, $4, $5, $6, $7, $8 FROM account
                     WHERE id = $2 FOR KEY SHARE",
                    params![
                        new.digest,
                        new.account,
                        new.password_at,
                        new.expires_at,
                        asked.map(|asked| Text(&asked.client)),
                        asked.and_then(|asked| asked.audience.as_ref().map(Text)),
                        asked.map(|asked| Text(&asked.scope)),
                            door,
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
                            c.audience, c.scope, c.door, c.tries
                     FROM challenge AS c JOIN account AS a ON a.n = c.account_n
                     WHERE c.digest = $1",
                    params![digest],
                    |row| {
                        let client: Option<String> = row.at(5)?;
                        let scope: Option<String> = row.at(7)?;
                        let audience = row.at(6)?;
                        let door = match (row.at::<i16>(8)?, client.zip(scope)) {
                                (1, Some((client, scope))) => Door::Program(Asked {
                                    client,
                                    audience,
                                    scope,
                                }),
                                (2, _) => Door::Bearer,
                                (0, _) => Door::Pages,
                                _ => return Err(Broken::Column("a door")),
                            };
                            Ok(Challenge {
                                door,
                                tries: row.number(9)?,
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

    async fn try_challenge(
        &self,
        digest: &TokenDigest,
        most: u32,
        at: Timestamp,
    ) -> StoreResult<Option<u32>> {
        self.pool
            .run("trying a challenge", |db, _| {
                Box::pin(async move {
                    // One row: the statement locks it and counts what was committed last.
                    let left = first(
                        db,
                        "UPDATE challenge SET tries = tries + 1
                         WHERE digest = $1 AND spent_at IS NULL AND expires_at > $2
                           AND tries < $3::bigint
                         RETURNING $3 - tries",
                        params![digest, at, i64::from(most)],
                        |row| row.number(0),
                    )
                    .await?;
                    Ok(Keep(left))
                })
            })
            .await
    }

    async fn untry_challenge(&self, digest: &TokenDigest) -> StoreResult<()> {
        self.pool
            .run("taking a try back", |db, _| {
                Box::pin(async move {
                    execute(
                        db,
                        "UPDATE challenge SET tries = tries - 1 WHERE digest = $1 AND tries > 0",
                        params![digest],
                    )
                    .await?;
                    Ok(Keep(()))
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
        Progress::StepUpToken { new, expires_at } => {
            step_up::store(db, account, new, *expires_at, at).await
        }
        Progress::Enrolled { session, step_up } => {
            let spent = match step_up {
                None => true,
                Some(step_up) => step_up::spend(db, account, step_up, at).await?,
            };
            Ok(spent && enrolled(db, account, session, at).await?)
        }
        Progress::Unbind(remove) => {
            let removed = authenticator::unbind(db, account, remove).await?;
            Ok(matches!(removed, TotpRemoved::Done | TotpRemoved::Last))
        }
    }
}

/// Notes that the session's owner has enrolled an authenticator in it.
async fn enrolled(
    db: &Transaction<'_>,
    account: i64,
    session: &TokenDigest,
    at: Timestamp,
) -> Work<bool> {
    let noted = execute(
        db,
        "UPDATE session SET factor_at = $3, kind = $4
         WHERE digest = $1 AND account_n = $2 AND expires_at > $3 AND kind IN ($4, $5)",
        params![
            session,
            account,
            at,
            SessionKind::Bearer,
            SessionKind::EnrollOnly
        ],
    )
    .await?;
    Ok(changed_one(noted))
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
    if let Some(device) = &new.device {
        trusted_device::store(db, account, device, new.at).await?;
    }
    match &new.refresh {
        None => Ok(true),
        Some(refresh) => session::store_refresh(db, &new.digest, refresh).await,
    }
}
