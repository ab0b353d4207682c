//! Switches and signing keys.

use async_trait::async_trait;
use rusqlite::params;

use super::SqliteStore;
use super::sql::{all, changed_one, execute, first};
use super::writer::Verdict::{Keep, Undo};
use crate::model::Timestamp;
use crate::store::{Setting, Settings, SigningKeys, StoreResult, StoredKey};

#[async_trait]
impl Settings for SqliteStore {
    async fn setting(&self, setting: Setting) -> StoreResult<Option<String>> {
        self.readers
            .look_up("reading a switch", move |db| {
                Ok(first(
                    db,
                    "SELECT value FROM setting WHERE name = ?1",
                    [setting.name()],
                    |row| row.get(0),
                )?)
            })
            .await
    }

    async fn set(&self, setting: Setting, value: &str) -> StoreResult<()> {
        let value = value.to_owned();
        self.writer
            .run("setting a switch", move |db| {
                execute(
                    db,
                    "INSERT INTO setting (name, value) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    params![setting.name(), value],
                )?;
                Ok(Keep(()))
            })
            .await
    }

    async fn change(&self, setting: Setting, from: Option<&str>, to: &str) -> StoreResult<bool> {
        let (from, to) = (from.map(str::to_owned), to.to_owned());
        self.writer
            .run("changing a switch", move |db| {
                let changed = match &from {
                    None => execute(
                        db,
                        "INSERT INTO setting (name, value) VALUES (?1, ?2)
                         ON CONFLICT (name) DO NOTHING",
                        params![setting.name(), to],
                    )?,
                    Some(from) => execute(
                        db,
                        "UPDATE setting SET value = ?3 WHERE name = ?1 AND value = ?2",
                        params![setting.name(), from, to],
                    )?,
                };
                Ok(Keep(changed_one(changed)))
            })
            .await
    }
}

#[async_trait]
impl SigningKeys for SqliteStore {
    async fn signing_keys(&self, now: Timestamp) -> StoreResult<Vec<StoredKey>> {
        self.readers
            .look_up("reading signing keys", move |db| {
                Ok(all(
                    db,
                    "SELECT id, secret, signs_from, verifies_until, created_at FROM signing_key
                     WHERE verifies_until IS NULL OR verifies_until > ?1
                     ORDER BY signs_from DESC, id",
                    [now],
                    |row| {
                        Ok(StoredKey {
                            id: row.get(0)?,
                            secret: row.get(1)?,
                            signs_from: row.get(2)?,
                            verifies_until: row.get(3)?,
                            created_at: row.get(4)?,
                        })
                    },
                )?)
            })
            .await
    }

    async fn add_signing_key(
        &self,
        new: StoredKey,
        after: Option<&str>,
        until: Timestamp,
    ) -> StoreResult<bool> {
        let after = after.map(str::to_owned);
        self.writer
            .run("adding a signing key", move |db| {
                if let Some(after) = &after {
                    let replaced = execute(
                        db,
                        "UPDATE signing_key SET verifies_until = ?2
                         WHERE id = ?1 AND verifies_until IS NULL",
                        params![after, until],
                    )?;
                    if !changed_one(replaced) {
                        return Ok(Undo(false));
                    }
                    execute(
                        db,
                        "UPDATE signing_key SET verifies_until = ?1 WHERE verifies_until > ?1",
                        [until],
                    )?;
                }
                // The index on the latest key is the guard: there is room for one.
                let added = execute(
                    db,
                    "INSERT INTO signing_key (id, secret, signs_from, created_at)
                     VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                    params![new.id, new.secret, new.signs_from, new.created_at],
                )?;
                if !changed_one(added) {
                    return Ok(Undo(false));
                }
                execute(
                    db,
                    "DELETE FROM signing_key WHERE verifies_until <= ?1",
                    [new.created_at],
                )?;
                Ok(Keep(true))
            })
            .await
    }
}
