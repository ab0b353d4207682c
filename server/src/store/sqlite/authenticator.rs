//! Time-based one-time password authenticators.

use async_trait::async_trait;
use rusqlite::params;

use super::SqliteStore;
use super::sql::{account_n, all, changed_one, execute, first};
use super::writer::Verdict::{Keep, Undo};
use super::{event, progress, throttle};
use crate::model::{AccountId, AuthenticatorId, Timestamp, TokenDigest};
use crate::store::{
    AcceptTotp, Authenticators, BoundTotp, ConfirmTotp, Lane, NewTotp, Others, PendingTotp,
    StoreResult, TotpAccepted, TotpConfirmed,
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
                    "INSERT INTO totp (account_n, id, secret, holder, expires_at, begun_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![
                        account,
                        new.id.0,
                        new.secret,
                        new.holder,
                        new.expires_at,
                        new.at
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
            .read("reading a pending authenticator", move |db| {
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
                                     holder = NULL, expires_at = NULL
                     WHERE account_n = ?1 AND id = ?2 AND holder = ?3
                       AND confirmed_at IS NULL AND expires_at > ?4",
                    params![
                        account,
                        confirm.id.0,
                        confirm.holder,
                        confirm.at,
                        confirm.step
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
                if !progress::make(db, account, &confirm.progress, confirm.at)? {
                    return Ok(Undo(TotpConfirmed::NoProgress));
                }
                throttle::clear(db, &confirm.account, Lane::Totp)?;
                event::write(db, &confirm.event)?;
                Ok(Keep(TotpConfirmed::Done))
            })
            .await
    }

    async fn authenticators(&self, account: &AccountId) -> StoreResult<Vec<BoundTotp>> {
        let account = account.clone();
        self.readers
            .read("reading authenticators", move |db| {
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
