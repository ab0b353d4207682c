//! Switches and signing keys.

use async_trait::async_trait;

use super::PostgresStore;
use super::pool::Verdict::{Keep, Undo};
use super::sql::{Columns, Text, all, changed_one, execute, first, params};
use crate::model::Timestamp;
use crate::store::{Setting, Settings, SigningKeys, StoreResult, StoredKey};

#[async_trait]
impl Settings for PostgresStore {
    async fn setting(&self, setting: Setting) -> StoreResult<Option<String>> {
        self.pool
            .read("reading a switch", |db, _| {
                Box::pin(async move {
                    first(
                        db,
                        "SELECT value FROM setting WHERE name = $1",
                        params![setting.name()],
                        |row| row.at(0),
                    )
                    .await
                })
            })
            .await
    }

    async fn set(&self, setting: Setting, value: &str) -> StoreResult<()> {
        self.pool
            .run("setting a switch", |db, _| {
                Box::pin(async move {
                    execute(
                        db,
                        "INSERT INTO setting (name, value) VALUES ($1, $2)
                         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        params![setting.name(), Text(value)],
                    )
                    .await?;
                    Ok(Keep(()))
                })
            })
            .await
    }

    async fn change(&self, setting: Setting, from: Option<&str>, to: &str) -> StoreResult<bool> {
        self.pool
            .run("changing a switch", |db, _| {
                Box::pin(async move {
                    let changed = match from {
                        None => {
                            execute(
                                db,
                                "INSERT INTO setting (name, value) VALUES ($1, $2)
                                 ON CONFLICT (name) DO NOTHING",
                                params![setting.name(), Text(to)],
                            )
                            .await?
                        }
                        Some(from) => {
                            execute(
                                db,
                                "UPDATE setting SET value = $3 WHERE name = $1 AND value = $2",
                                params![setting.name(), Text(from), Text(to)],
                            )
                            .await?
                        }
                    };
                    Ok(Keep(changed_one(changed)))
                })
            })
            .await
    }
}

#[async_trait]
impl SigningKeys for PostgresStore {
    async fn signing_keys(&self, now: Timestamp) -> StoreResult<Vec<StoredKey>> {
        self.pool
            .read("reading signing keys", |db, _| {
                Box::pin(async move {
                    all(
                        db,
                        "SELECT id, secret, signs_from, verifies_until, created_at FROM signing_key
                         WHERE verifies_until IS NULL OR verifies_until > $1
                         ORDER BY signs_from DESC, id",
                        params![now],
                        |row| {
                            Ok(StoredKey {
                                id: row.at(0)?,
                                secret: row.at(1)?,
                                signs_from: row.at(2)?,
                                verifies_until: row.at(3)?,
                                created_at: row.at(4)?,
                            })
                        },
                    )
                    .await
                })
            })
            .await
    }

    async fn add_signing_key(
        &self,
        new: StoredKey,
        after: Option<&str>,
        until: Timestamp,
    ) -> StoreResult<bool> {
        let new = &new;
        self.pool
            .run("adding a signing key", |db, _| {
                Box::pin(async move {
                    if let Some(after) = after {
                        // The row is the lock: who comes second finds a successor there.
                        let replaced = execute(
                            db,
                            "UPDATE signing_key SET verifies_until = $2
                             WHERE id = $1 AND verifies_until IS NULL",
                            params![Text(after), until],
                        )
                        .await?;
                        if !changed_one(replaced) {
                            return Ok(Undo(false));
                        }
                        execute(
                            db,
                            "UPDATE signing_key SET verifies_until = $1 WHERE verifies_until > $1",
                            params![until],
                        )
                        .await?;
                    }
                    // The index on the latest key is the guard: there is room for one.
                    let added = execute(
                        db,
                        "INSERT INTO signing_key (id, secret, signs_from, created_at)
                         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                        params![Text(&new.id), new.secret, new.signs_from, new.created_at],
                    )
                    .await?;
                    if !changed_one(added) {
                        return Ok(Undo(false));
                    }
                    execute(
                        db,
                        "DELETE FROM signing_key WHERE verifies_until <= $1",
                        params![new.created_at],
                    )
                    .await?;
                    Ok(Keep(true))
                })
            })
            .await
    }
}
