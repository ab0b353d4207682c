//! Trusted devices.

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use uuid::Uuid;

use super::PostgresStore;
use super::event;
use super::fault::Work;
use super::pool::Verdict::{Keep, Undo};
use super::sql::{Columns, Text, all, changed_one, execute, locked_account, params};
use crate::model::{AccountId, Timestamp, TokenDigest};
use crate::store::{NewDevice, NewEvent, StoreResult, TrustedDevice, TrustedDevices};

#[async_trait]
impl TrustedDevices for PostgresStore {
    async fn recognize(
        &self,
        account: &AccountId,
        digest: &TokenDigest,
        since: Timestamp,
        now: Timestamp,
    ) -> StoreResult<bool> {
        self.pool
            .run("recognizing a device", |db, _| {
                Box::pin(async move {
                    let seen = execute(
                        db,
                        "UPDATE trusted_device SET last_seen_at = greatest(last_seen_at, $4)
                         WHERE digest = $2 AND created_at > $3 AND expires_at > $4
                           AND account_n = (SELECT n FROM account WHERE id = $1)",
                        params![account, digest, since, now],
                    )
                    .await?;
                    Ok(Keep(changed_one(seen)))
                })
            })
            .await
    }

    async fn trusted_devices(
        &self,
        account: &AccountId,
        since: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Vec<TrustedDevice>> {
        self.pool
            .read("listing trusted devices", |db, _| {
                Box::pin(async move {
                    all(
                        db,
                        "SELECT d.id, d.label, d.ip, d.created_at, d.last_seen_at, d.expires_at
                         FROM trusted_device AS d JOIN account AS a ON a.n = d.account_n
                         WHERE a.id = $1 AND d.created_at > $2 AND d.expires_at > $3
                         ORDER BY d.last_seen_at DESC, d.created_at DESC, d.id",
                        params![account, since, now],
                        |row| {
                            Ok(TrustedDevice {
                                id: row.at(0)?,
                                label: row.at(1)?,
                                ip: row.at(2)?,
                                created_at: row.at(3)?,
                                last_seen_at: row.at(4)?,
                                expires_at: row.at(5)?,
                            })
                        },
                    )
                    .await
                })
            })
            .await
    }

    async fn forget_device(
        &self,
        account: &AccountId,
        id: Uuid,
        event: NewEvent,
    ) -> StoreResult<bool> {
        let event = &event;
        self.pool
            .run("forgetting a device", |db, _| {
                Box::pin(async move {
                    let forgotten = execute(
                        db,
                        "DELETE FROM trusted_device
                         WHERE id = $2 AND expires_at > $3
                           AND account_n = (SELECT n FROM account WHERE id = $1)",
                        params![account, id, event.at],
                    )
                    .await?;
                    if !changed_one(forgotten) {
                        return Ok(Undo(false));
                    }
                    event::write(db, event).await?;
                    Ok(Keep(true))
                })
            })
            .await
    }

    async fn forget_devices(&self, account: &AccountId, event: NewEvent) -> StoreResult<u64> {
        let event = &event;
        self.pool
            .run("forgetting devices", |db, _| {
                Box::pin(async move {
                    // Locked, so that one that is being trusted at this moment is forgotten too.
                    let Some(account) = locked_account(db, account).await? else {
                        return Ok(Undo(0));
                    };
                    Ok(Keep(forget_all(db, account, event).await?))
                })
            })
            .await
    }
}

/// Stores a device for the account whose session was just opened.
pub(super) async fn store(
    db: &Transaction<'_>,
    account: i64,
    new: &NewDevice,
    at: Timestamp,
) -> Work<()> {
    execute(
        db,
        "INSERT INTO trusted_device (digest, account_n, id, label, ip, created_at, last_seen_at,
                                     expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
        params![
            new.digest,
            account,
            new.id,
            Text(&new.label),
            new.ip.as_ref().map(Text),
            at,
            new.expires_at
        ],
    )
    .await?;
    event::write(db, &new.event).await
}

/// Trusts none any more, and puts it on record where there were any. The account is locked.
pub(super) async fn forget_all(db: &Transaction<'_>, account: i64, event: &NewEvent) -> Work<u64> {
    let forgotten = execute(
        db,
        "DELETE FROM trusted_device WHERE account_n = $1",
        params![account],
    )
    .await?;
    if forgotten > 0 {
        event::write(db, event).await?;
    }
    Ok(forgotten)
}
