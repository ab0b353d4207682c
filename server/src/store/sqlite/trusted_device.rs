//! Trusted devices.

use async_trait::async_trait;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::SqliteStore;
use super::event;
use super::sql::{account_n, all, changed_one, execute};
use super::writer::Verdict::{Keep, Undo};
use crate::model::{AccountId, Timestamp, TokenDigest};
use crate::store::{NewDevice, NewEvent, StoreResult, TrustedDevice, TrustedDevices};

#[async_trait]
impl TrustedDevices for SqliteStore {
    async fn recognize(
        &self,
        account: &AccountId,
        digest: &TokenDigest,
        since: Timestamp,
        now: Timestamp,
    ) -> StoreResult<bool> {
        let (account, digest) = (account.clone(), *digest);
        self.writer
            .run("recognizing a device", move |db| {
                let seen = execute(
                    db,
                    "UPDATE trusted_device SET last_seen_at = max(last_seen_at, ?4)
                     WHERE digest = ?2 AND created_at > ?3 AND expires_at > ?4
                       AND account_n = (SELECT n FROM account WHERE id = ?1)",
                    params![account, digest, since, now],
                )?;
                Ok(Keep(changed_one(seen)))
            })
            .await
    }

    async fn trusted_devices(
        &self,
        account: &AccountId,
        since: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Vec<TrustedDevice>> {
        let account = account.clone();
        self.readers
            .read("listing trusted devices", move |db| {
                Ok(all(
                    db,
                    "SELECT d.id, d.label, d.ip, d.created_at, d.last_seen_at, d.expires_at
                     FROM trusted_device AS d JOIN account AS a ON a.n = d.account_n
                     WHERE a.id = ?1 AND d.created_at > ?2 AND d.expires_at > ?3
                     ORDER BY d.last_seen_at DESC, d.created_at DESC, d.id",
                    params![account, since, now],
                    |row| {
                        Ok(TrustedDevice {
                            id: row.get(0)?,
                            label: row.get(1)?,
                            ip: row.get(2)?,
                            created_at: row.get(3)?,
                            last_seen_at: row.get(4)?,
                            expires_at: row.get(5)?,
                        })
                    },
                )?)
            })
            .await
    }

    async fn forget_device(
        &self,
        account: &AccountId,
        id: Uuid,
        event: NewEvent,
    ) -> StoreResult<bool> {
        let account = account.clone();
        self.writer
            .run("forgetting a device", move |db| {
                let forgotten = execute(
                    db,
                    "DELETE FROM trusted_device
                     WHERE id = ?2 AND expires_at > ?3
                       AND account_n = (SELECT n FROM account WHERE id = ?1)",
                    params![account, id, event.at],
                )?;
                if !changed_one(forgotten) {
                    return Ok(Undo(false));
                }
                event::write(db, &event)?;
                Ok(Keep(true))
            })
            .await
    }

    async fn forget_devices(&self, account: &AccountId, event: NewEvent) -> StoreResult<u64> {
        let account = account.clone();
        self.writer
            .run("forgetting devices", move |db| {
                let Some(account) = account_n(db, &account)? else {
                    return Ok(Undo(0));
                };
                Ok(Keep(forget_all(db, account, &event)?))
            })
            .await
    }
}

/// Stores a device for the account whose session was just opened.
pub(super) fn store(
    db: &Connection,
    account: i64,
    new: &NewDevice,
    at: Timestamp,
) -> rusqlite::Result<()> {
    execute(
        db,
        "INSERT INTO trusted_device (digest, account_n, id, label, ip, created_at, last_seen_at,
                                     expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)",
        params![
            new.digest,
            account,
            new.id,
            new.label,
            new.ip,
            at,
            new.expires_at
        ],
    )?;
    event::write(db, &new.event)
}

/// Trusts none any more, and puts it on record where there were any.
pub(super) fn forget_all(db: &Connection, account: i64, event: &NewEvent) -> rusqlite::Result<u64> {
    let forgotten = execute(
        db,
        "DELETE FROM trusted_device WHERE account_n = ?1",
        [account],
    )?;
    if forgotten > 0 {
        event::write(db, event)?;
    }
    Ok(forgotten as u64)
}
