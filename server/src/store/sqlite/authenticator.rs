//! Time-based one-time password authenticators.

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::sql::{account_n, all, changed_one, execute, first};
use super::writer::Verdict::{Keep, Undo};
use super::{event, progress, recovery, stage, step_up, throttle, trusted_device};
use crate::model::{AccountId, AuthenticatorId, Generation, Timestamp, TokenDigest};
use crate::store::{
    AcceptTotp, Authenticators, BoundTotp, ConfirmTotp, Lane, NamedTotp, NewEvent, NewTotp, Others,
    PendingTotp, RemoveTotp, StoreResult, TotpAccepted, TotpCard, TotpConfirmed, TotpRemoved,
    TryTotp,
};

#[async_trait]
impl Authenticators for SqliteStore {
    async fn begin_totp(&self, new: NewTotp) -> StoreResult<()> {
        self.writer
            .run("beginning an authenticator", move |db| {
                // An account that went away meanwhile begins nothing; confirming will say so.
                let Some(account) = account_n(db, &new.account)? else {
                    return Ok(Undo(()));
                };
                execute(
                    db,
                    "DELETE FROM totp WHERE account_n = ?1 AND confirmed_at IS NULL",
                    [account],
                )?;
                execute(
                    db,
                    "INSERT INTO totp (account_n, id, secret, holder, expires_at, begun_at, name)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![
                        account,
                        new.id.0,
                        new.secret,
                        new.holder,
                        new.expires_at,
                        new.at,
                        new.name
                    ],
                )?;
                Ok(Keep(()))
            })
            .await
    }

    async fn pending_totp(
        &self,
        account: &AccountId,
        holder: &TokenDigest,
        now: Timestamp,
    ) -> StoreResult<Option<PendingTotp>> {
        let (account, holder) = (account.clone(), *holder);
        self.readers
            .look_up("reading a pending authenticator", move |db| {
                Ok(first(
                    db,
                    "SELECT t.id, t.secret, t.expires_at
                     FROM totp AS t JOIN account AS a ON a.n = t.account_n
                     WHERE a.id = ?1 AND t.confirmed_at IS NULL AND t.holder = ?2
                       AND t.expires_at > ?3",
                    params![account, holder, now],
                    |row| {
                        Ok(PendingTotp {
                            id: AuthenticatorId(row.get(0)?),
                            secret: row.get(1)?,
                            expires_at: row.get(2)?,
                        })
                    },
                )?)
            })
            .await
    }

    async fn confirm_totp(&self, confirm: ConfirmTotp) -> StoreResult<TotpConfirmed> {
        self.writer
            .run("confirming an authenticator", move |db| {
                let Some(account) = account_n(db, &confirm.account)? else {
                    return Ok(Undo(TotpConfirmed::Gone));
                };
                let bound = execute(
                    db,
                    "UPDATE totp SET confirmed_at = ?4, last_step = ?5,
                                     holder = NULL, expires_at = NULL,
                                     name = coalesce(?6, name)
                     WHERE account_n = ?1 AND id = ?2 AND holder = ?3
                       AND confirmed_at IS NULL AND expires_at > ?4",
                    params![
                        account,
                        confirm.id.0,
                        confirm.holder,
                        confirm.at,
                        confirm.step,
                        confirm.name
                    ],
                )?;
                if !changed_one(bound) {
                    return Ok(Undo(TotpConfirmed::Gone));
                }
                if confirm.others == Others::Replace {
                    execute(
                        db,
                        "DELETE FROM totp WHERE account_n = ?1 AND id <> ?2",
                        params![account, confirm.id.0],
                    )?;
                }
                event::write(db, &confirm.event)?;
                let live = match &confirm.codes {
                    Some(codes) => make_staged_live(db, account, &confirm, codes)?,
                    None => None,
                };
                if let Some(new) = &confirm.idempotency {
                    let generation = live.unwrap_or_default();
                    if !stage::remember(db, account, new, generation, confirm.at)? {
                        return Ok(Undo(TotpConfirmed::KeyTaken));
                    }
                }
                if !progress::make(db, account, &confirm.progress, confirm.at)? {
                    return Ok(Undo(TotpConfirmed::NoProgress));
                }
                throttle::clear(db, &confirm.account, Lane::Totp)?;
                Ok(Keep(TotpConfirmed::Done))
            })
            .await
    }

    async fn waiting_totp(
        &self,
        account: &AccountId,
        now: Timestamp,
    ) -> StoreResult<Option<(AuthenticatorId, Timestamp, TokenDigest)>> {
        let account = account.clone();
        self.readers
            .look_up("reading a waiting authenticator", move |db| {
                Ok(first(
                    db,
                    "SELECT t.id, t.begun_at, t.holder
                     FROM totp AS t JOIN account AS a ON a.n = t.account_n
                     WHERE a.id = ?1 AND t.confirmed_at IS NULL AND t.expires_at > ?2",
                    params![account, now],
                    |row| Ok((AuthenticatorId(row.get(0)?), row.get(1)?, row.get(2)?)),
                )?)
            })
            .await
    }

    async fn named_totp(
        &self,
        id: &AuthenticatorId,
        now: Timestamp,
    ) -> StoreResult<Option<NamedTotp>> {
        let id = id.clone();
        self.readers
            .look_up("reading an authenticator by its name", move |db| {
                Ok(first(
                    db,
                    "SELECT a.id, t.begun_at, t.confirmed_at, t.last_used_at
                     FROM totp AS t JOIN account AS a ON a.n = t.account_n
                     WHERE t.id = ?1 AND (t.confirmed_at IS NOT NULL OR t.expires_at > ?2)",
                    params![id.0, now],
                    |row| {
                        Ok(NamedTotp {
                            account: row.get(0)?,
                            begun_at: row.get(1)?,
                            confirmed_at: row.get(2)?,
                            last_used_at: row.get(3)?,
                        })
                    },
                )?)
            })
            .await
    }

    async fn remove_totp(&self, remove: RemoveTotp) -> StoreResult<TotpRemoved> {
        self.writer
            .run("removing an authenticator", move |db| {
                let Some(account) = account_n(db, &remove.account)? else {
                    return Ok(Undo(TotpRemoved::Gone));
                };
                Ok(match unbind(db, account, &remove)? {
                    no @ (TotpRemoved::Gone | TotpRemoved::NoProof) => Undo(no),
                    removed => Keep(removed),
                })
            })
            .await
    }

    async fn totp_cards(&self, account: &AccountId) -> StoreResult<Vec<TotpCard>> {
        let account = account.clone();
        self.readers
            .read("listing authenticators", move |db| {
                Ok(all(
                    db,
                    "SELECT t.n, t.id, t.name, t.begun_at, t.confirmed_at, t.last_used_at,
                            t.expires_at
                     FROM totp AS t JOIN account AS a ON a.n = t.account_n
                     WHERE a.id = ?1 ORDER BY t.n",
                    [account],
                    |row| {
                        Ok(TotpCard {
                            number: row.get(0)?,
                            id: AuthenticatorId(row.get(1)?),
                            name: row.get(2)?,
                            begun_at: row.get(3)?,
                            confirmed_at: row.get(4)?,
                            last_used_at: row.get(5)?,
                            expires_at: row.get(6)?,
                        })
                    },
                )?)
            })
            .await
    }

    async fn try_totp(&self, attempt: TryTotp) -> StoreResult<Option<u32>> {
        self.writer
            .run("trying a first password", move |db| {
                let Some(account) = account_n(db, &attempt.account)? else {
                    return Ok(Undo(None));
                };
                let left = first(
                    db,
                    "UPDATE totp SET tries = tries + 1
                     WHERE account_n = ?1 AND id = ?2 AND holder = ?3 AND confirmed_at IS NULL
                       AND expires_at > ?4 AND tries < ?5
                     RETURNING ?5 - tries",
                    params![
                        account,
                        attempt.id.0,
                        attempt.holder,
                        attempt.at,
                        attempt.most
                    ],
                    |row| row.get(0),
                )?;
                Ok(Keep(left))
            })
            .await
    }

    async fn authenticators(&self, account: &AccountId) -> StoreResult<Vec<BoundTotp>> {
        let account = account.clone();
        self.readers
            .look_up("reading authenticators", move |db| {
                Ok(all(
                    db,
                    "SELECT t.id, t.secret, t.last_step, t.confirmed_at, t.last_used_at
                     FROM totp AS t JOIN account AS a ON a.n = t.account_n
                     WHERE a.id = ?1 AND t.confirmed_at IS NOT NULL
                     ORDER BY t.confirmed_at, t.id",
                    [account],
                    |row| {
                        Ok(BoundTotp {
                            id: AuthenticatorId(row.get(0)?),
                            secret: row.get(1)?,
                            last_step: row.get(2)?,
                            confirmed_at: row.get(3)?,
                            last_used_at: row.get(4)?,
                        })
                    },
                )?)
            })
            .await
    }

    async fn accept_totp(&self, accept: AcceptTotp) -> StoreResult<TotpAccepted> {
        self.writer
            .run("accepting a one-time password", move |db| {
                let Some(account) = account_n(db, &accept.account)? else {
                    return Ok(Undo(TotpAccepted::StepSpent));
                };
                let spent = execute(
                    db,
                    "UPDATE totp SET last_step = ?3, last_used_at = ?4
                     WHERE account_n = ?1 AND id = ?2 AND confirmed_at IS NOT NULL
                       AND last_step < ?3",
                    params![account, accept.id.0, accept.step, accept.at],
                )?;
                if !changed_one(spent) {
                    return Ok(Undo(TotpAccepted::StepSpent));
                }
                if !progress::make(db, account, &accept.progress, accept.at)? {
                    return Ok(Undo(TotpAccepted::NoProgress));
                }
                throttle::clear(db, &accept.account, Lane::Totp)?;
                event::write(db, &accept.event)?;
                Ok(Keep(TotpAccepted::Done))
            })
            .await
    }
}

/// Unbinds, and ends the codes and the trust in devices with the last one. What answers `Gone` or
/// `NoProof` the caller must undo.
pub(super) fn unbind(
    db: &Connection,
    account: i64,
    remove: &RemoveTotp,
) -> rusqlite::Result<TotpRemoved> {
    let removed: Option<bool> = first(
        db,
        "DELETE FROM totp WHERE account_n = ?1 AND id = ?2
           AND (confirmed_at IS NOT NULL OR expires_at > ?3)
         RETURNING confirmed_at IS NOT NULL",
        params![account, remove.id.0, remove.at],
        |row| row.get(0),
    )?;
    let Some(was_bound) = removed else {
        return Ok(TotpRemoved::Gone);
    };
    if let Some(step_up) = &remove.step_up
        && !step_up::spend(db, account, step_up, remove.at)?
    {
        return Ok(TotpRemoved::NoProof);
    }
    if !was_bound {
        return Ok(TotpRemoved::Done);
    }
    event::write(db, &remove.event)?;
    let left: Option<i64> = first(
        db,
        "SELECT 1 FROM totp WHERE account_n = ?1 AND confirmed_at IS NOT NULL",
        [account],
        |row| row.get(0),
    )?;
    if left.is_some() {
        return Ok(TotpRemoved::Done);
    }
    if recovery::end_codes(db, account, remove.at)? {
        event::write(db, &remove.codes)?;
    }
    trusted_device::forget_all(db, account, &remove.devices)?;
    Ok(TotpRemoved::Last)
}

/// The codes that were staged with this authenticator go live with it, if they are still there and
/// no others are live.
fn make_staged_live(
    db: &Connection,
    account: i64,
    confirm: &ConfirmTotp,
    codes: &NewEvent,
) -> rusqlite::Result<Option<Generation>> {
    let activated: Option<Generation> = first(
        db,
        "UPDATE batch SET state = 1, activated_at = ?3, seed = iif(?4 IS NULL, NULL, seed),
                          holder = iif(?4 IS NULL, NULL, holder), seed_until = ?4
         WHERE account_n = ?1 AND state = 0 AND holder = ?2 AND seed_until > ?3
           AND NOT EXISTS (SELECT 1 FROM batch WHERE account_n = ?1 AND state = 1)
         RETURNING generation",
        params![account, confirm.holder, confirm.at, confirm.shown_again],
        |row| row.get(0),
    )?;
    if activated.is_some() {
        throttle::clear(db, &confirm.account, Lane::Recovery)?;
        let mut event = codes.clone();
        event.generation = activated;
        event::write(db, &event)?;
    }
    Ok(activated)
}
