//! Time-based one-time password authenticators.

use async_trait::async_trait;
use deadpool_postgres::Transaction;

use super::PostgresStore;
use super::fault::Work;
use super::pool::Verdict::{Keep, Undo};
use super::sql::{Columns, Text, all, changed_one, execute, first, locked_account, params};
use super::{ending, event, progress, stage, step_up, throttle, trusted_device};
use crate::model::{AccountId, AuthenticatorId, Generation, Timestamp, TokenDigest};
use crate::store::{
    AcceptTotp, Authenticators, BoundTotp, ConfirmTotp, Lane, NamedTotp, NewEvent, NewTotp, Others,
    PendingTotp, RemoveTotp, StoreResult, TotpAccepted, TotpCard, TotpConfirmed, TotpRemoved,
    TryTotp,
};

#[async_trait]
impl Authenticators for PostgresStore {
    async fn begin_totp(&self, new: NewTotp) -> StoreResult<()> {
        let new = &new;
        self.pool
            .run("beginning an authenticator", |db, _| {
                Box::pin(async move {
                    // An account that went away meanwhile begins nothing; confirming will say so.
                    let Some(account) = locked_account(db, &new.account).await? else {
                        return Ok(Undo(()));
                    };
                    execute(
                        db,
                        "DELETE FROM totp WHERE account_n = $1 AND confirmed_at IS NULL",
                        params![account],
                    )
                    .await?;
                    execute(
                    db,
                    "INSERT INTO totp (account_n, id, secret, holder, expires_at, begun_at, name)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    params![
                        account,
                        new.id,
                        new.secret,
                        new.holder,
                        new.expires_at,
                        new.at,
                        new.name.as_ref().map(Text)
                    ],
                )
                .await?;
                    Ok(Keep(()))
                })
            })
            .await
    }

    async fn pending_totp(
        &self,
        account: &AccountId,
        holder: &TokenDigest,
        now: Timestamp,
    ) -> StoreResult<Option<PendingTotp>> {
        self.pool
            .read("reading a pending authenticator", |db, _| {
                Box::pin(async move {
                    first(
                        db,
                        "SELECT t.id, t.secret, t.expires_at
                         FROM totp AS t JOIN account AS a ON a.n = t.account_n
                         WHERE a.id = $1 AND t.confirmed_at IS NULL AND t.holder = $2
                           AND t.expires_at > $3",
                        params![account, holder, now],
                        |row| {
                            Ok(PendingTotp {
                                id: row.at(0)?,
                                secret: row.at(1)?,
                                expires_at: row.at(2)?,
                            })
                        },
                    )
                    .await
                })
            })
            .await
    }

    async fn confirm_totp(&self, confirm: ConfirmTotp) -> StoreResult<TotpConfirmed> {
        let confirm = &confirm;
        self.pool
            .run("confirming an authenticator", |db, _| {
                Box::pin(async move {
                    let Some(account) = locked_account(db, &confirm.account).await? else {
                        return Ok(Undo(TotpConfirmed::Gone));
                    };
                    let bound = execute(
                        db,
                        "UPDATE totp SET confirmed_at = $4, last_step = $5,
                                                              holder = NULL, expires_at = NULL,
                                                              name = coalesce($6, name)
                         WHERE account_n = $1 AND id = $2 AND holder = $3
                                                AND confirmed_at IS NULL AND expires_at > $4",
                        params![
                            account,
                            confirm.id,
                            confirm.holder,
                            confirm.at,
                            confirm.step,
                            confirm.name.as_ref().map(Text)
                        ],
                    )
                    .await?;
                    if !changed_one(bound) {
                        return Ok(Undo(TotpConfirmed::Gone));
                    }
                    if confirm.others == Others::Replace {
                        execute(
                            db,
                            "DELETE FROM totp WHERE account_n = $1 AND id <> $2",
                            params![account, confirm.id],
                        )
                        .await?;
                    }
                    event::write(db, &confirm.event).await?;
                    let live = match &confirm.codes {
                        Some(codes) => make_staged_live(db, account, confirm, codes).await?,
                        None => None,
                    };
                    if let Some(new) = &confirm.idempotency {
                        let generation = live.unwrap_or_default();
                        if !stage::remember(db, account, new, generation, confirm.at).await? {
                            return Ok(Undo(TotpConfirmed::KeyTaken));
                        }
                    }
                    if !progress::make(db, account, &confirm.progress, confirm.at).await? {
                        return Ok(Undo(TotpConfirmed::NoProgress));
                    }
                    throttle::clear(db, &confirm.account, Lane::Totp).await?;
                    Ok(Keep(TotpConfirmed::Done))
                })
            })
            .await
    }

    async fn waiting_totp(
        &self,
        account: &AccountId,
        now: Timestamp,
    ) -> StoreResult<Option<(AuthenticatorId, Timestamp, TokenDigest)>> {
        self.pool
            .read("reading a waiting authenticator", |db, _| {
                Box::pin(async move {
                    first(
                        db,
                        "SELECT t.id, t.begun_at, t.holder
                         FROM totp AS t JOIN account AS a ON a.n = t.account_n
                         WHERE a.id = $1 AND t.confirmed_at IS NULL AND t.expires_at > $2",
                        params![account, now],
                        |row| Ok((row.at(0)?, row.at(1)?, row.at(2)?)),
                    )
                    .await
                })
            })
            .await
    }

    async fn named_totp(
        &self,
        id: &AuthenticatorId,
        now: Timestamp,
    ) -> StoreResult<Option<NamedTotp>> {
        self.pool
            .read("reading an authenticator by its name", |db, _| {
                Box::pin(async move {
                    first(
                        db,
                        "SELECT a.id, t.begun_at, t.confirmed_at, t.last_used_at
                         FROM totp AS t JOIN account AS a ON a.n = t.account_n
                         WHERE t.id = $1 AND (t.confirmed_at IS NOT NULL OR t.expires_at > $2)",
                        params![id, now],
                        |row| {
                            Ok(NamedTotp {
                                account: row.at(0)?,
                                begun_at: row.at(1)?,
                                confirmed_at: row.at(2)?,
                                last_used_at: row.at(3)?,
                            })
                        },
                    )
                    .await
                })
            })
            .await
    }

    async fn remove_totp(&self, remove: RemoveTotp) -> StoreResult<TotpRemoved> {
        let remove = &remove;
        self.pool
            .run("removing an authenticator", |db, _| {
                Box::pin(async move {
                    let Some(account) = locked_account(db, &remove.account).await? else {
                        return Ok(Undo(TotpRemoved::Gone));
                    };
                    Ok(match unbind(db, account, remove).await? {
                        no @ (TotpRemoved::Gone | TotpRemoved::NoProof) => Undo(no),
                        removed => Keep(removed),
                    })
                })
            })
            .await
    }

    async fn totp_cards(&self, account: &AccountId) -> StoreResult<Vec<TotpCard>> {
        self.pool
            .read("listing authenticators", |db, _| {
                Box::pin(async move {
                    all(
                        db,
                        "SELECT t.n, t.id, t.name, t.begun_at, t.confirmed_at, t.last_used_at,
                                t.expires_at
                         FROM totp AS t JOIN account AS a ON a.n = t.account_n
                         WHERE a.id = $1 ORDER BY t.n",
                        params![account],
                        |row| {
                            Ok(TotpCard {
                                number: row.at(0)?,
                                id: row.at(1)?,
                                name: row.at(2)?,
                                begun_at: row.at(3)?,
                                confirmed_at: row.at(4)?,
                                last_used_at: row.at(5)?,
                                expires_at: row.at(6)?,
                            })
                        },
                    )
                    .await
                })
            })
            .await
    }

    async fn try_totp(&self, attempt: TryTotp) -> StoreResult<Option<u32>> {
        let attempt = &attempt;
        self.pool
            .run("trying a first password", |db, _| {
                Box::pin(async move {
                    // One row: the statement locks it and counts what was committed last.
                    let left = first(
                        db,
                        "UPDATE totp SET tries = tries + 1
                         WHERE account_n = (SELECT n FROM account WHERE id = $1)
                           AND id = $2 AND holder = $3 AND confirmed_at IS NULL
                           AND expires_at > $4 AND tries < $5::bigint
                         RETURNING $5 - tries",
                        params![
                            attempt.account,
                            attempt.id,
                            attempt.holder,
                            attempt.at,
                            i64::from(attempt.most)
                        ],
                        |row| row.number(0),
                    )
                    .await?;
                    Ok(Keep(left))
                })
            })
            .await
    }

    async fn authenticators(&self, account: &AccountId) -> StoreResult<Vec<BoundTotp>> {
        self.pool
            .read("reading authenticators", |db, _| {
                Box::pin(async move {
                    all(
                        db,
                        "SELECT t.id, t.secret, t.last_step, t.confirmed_at, t.last_used_at
                         FROM totp AS t JOIN account AS a ON a.n = t.account_n
                         WHERE a.id = $1 AND t.confirmed_at IS NOT NULL
                         ORDER BY t.confirmed_at, t.id",
                        params![account],
                        |row| {
                            Ok(BoundTotp {
                                id: row.at(0)?,
                                secret: row.at(1)?,
                                last_step: row.at(2)?,
                                confirmed_at: row.at(3)?,
                                last_used_at: row.at(4)?,
                            })
                        },
                    )
                    .await
                })
            })
            .await
    }

    async fn accept_totp(&self, accept: AcceptTotp) -> StoreResult<TotpAccepted> {
        let accept = &accept;
        self.pool
            .run("accepting a one-time password", |db, _| {
                Box::pin(async move {
                    let Some(account) = locked_account(db, &accept.account).await? else {
                        return Ok(Undo(TotpAccepted::StepSpent));
                    };
                    let spent = execute(
                        db,
                        "UPDATE totp SET last_step = $3, last_used_at = $4
                         WHERE account_n = $1 AND id = $2 AND confirmed_at IS NOT NULL
                           AND last_step < $3",
                        params![account, accept.id, accept.step, accept.at],
                    )
                    .await?;
                    if !changed_one(spent) {
                        return Ok(Undo(TotpAccepted::StepSpent));
                    }
                    if !progress::make(db, account, &accept.progress, accept.at).await? {
                        return Ok(Undo(TotpAccepted::NoProgress));
                    }
                    throttle::clear(db, &accept.account, Lane::Totp).await?;
                    event::write(db, &accept.event).await?;
                    Ok(Keep(TotpAccepted::Done))
                })
            })
            .await
    }
}

/// Unbinds, and ends the codes and the trust in devices with the last one. What answers `Gone` or
/// `NoProof` the caller must undo. The account is locked.
pub(super) async fn unbind(
    db: &Transaction<'_>,
    account: i64,
    remove: &RemoveTotp,
) -> Work<TotpRemoved> {
    let removed: Option<bool> = first(
        db,
        "DELETE FROM totp WHERE account_n = $1 AND id = $2
           AND (confirmed_at IS NOT NULL OR expires_at > $3)
         RETURNING confirmed_at IS NOT NULL",
        params![account, remove.id, remove.at],
        |row| row.at(0),
    )
    .await?;
    let Some(was_bound) = removed else {
        return Ok(TotpRemoved::Gone);
    };
    if let Some(step_up) = &remove.step_up
        && !step_up::spend(db, account, step_up, remove.at).await?
    {
        return Ok(TotpRemoved::NoProof);
    }
    if !was_bound {
        return Ok(TotpRemoved::Done);
    }
    event::write(db, &remove.event).await?;
    let left: Option<i64> = first(
        db,
        "SELECT n FROM totp WHERE account_n = $1 AND confirmed_at IS NOT NULL LIMIT 1",
        params![account],
        |row| row.at(0),
    )
    .await?;
    if left.is_some() {
        return Ok(TotpRemoved::Done);
    }
    if ending::end_codes(db, account, remove.at).await? {
        event::write(db, &remove.codes).await?;
    }
    trusted_device::forget_all(db, account, &remove.devices).await?;
    Ok(TotpRemoved::Last)
}

/// The codes that were staged with this authenticator go live with it, if they are still there and
/// no others are live.
async fn make_staged_live(
    db: &Transaction<'_>,
    account: i64,
    confirm: &ConfirmTotp,
    codes: &NewEvent,
) -> Work<Option<Generation>> {
    let activated: Option<Generation> = first(
        db,
        "UPDATE batch SET state = 1, activated_at = $3,
                          seed = CASE WHEN $4::bigint IS NULL THEN NULL ELSE seed END,
                          holder = CASE WHEN $4 IS NULL THEN NULL ELSE holder END,
                          seed_until = $4
         WHERE account_n = $1 AND state = 0 AND holder = $2 AND seed_until > $3
           AND NOT EXISTS (SELECT 1 FROM batch WHERE account_n = $1 AND state = 1)
         RETURNING generation",
        params![account, confirm.holder, confirm.at, confirm.shown_again],
        |row| row.at(0),
    )
    .await?;
    if activated.is_some() {
        throttle::clear(db, &confirm.account, Lane::Recovery).await?;
        let mut event = codes.clone();
        event.generation = activated;
        event::write(db, &event).await?;
    }
    Ok(activated)
}
