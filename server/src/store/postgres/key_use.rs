//! What hangs on each key of the keyring.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::PostgresStore;
use super::fault::{Broken, Work};
use super::sql::{Columns, all, params};
use crate::model::{KeyId, Timestamp};
use crate::store::{KeyUse, KeyUses, StoreResult};

#[async_trait]
impl KeyUses for PostgresStore {
    async fn key_uses(&self, now: Timestamp) -> StoreResult<Vec<KeyUse>> {
        self.pool
            .read("reading what hangs on the keys", |db, _| {
                Box::pin(async move {
                    let mut uses = Vec::new();
                    let batches = all(
                        db,
                        "SELECT key_id, state = 1, count(*) FROM batch WHERE state IN (0, 1)
                         GROUP BY key_id, state",
                        &[],
                        |row| Ok((KeyId(row.number(0)?), row.at(1)?, row.rows(2)?)),
                    )
                    .await?;
                    for (key, live, batches) in batches {
                        let line = KeyUse::of(&mut uses, key);
                        if live {
                            line.live = batches;
                        } else {
                            line.pending = batches;
                        }
                    }
                    let passwords = all(
                        db,
                        "SELECT password_key, count(*) FROM account
                         WHERE password_digest IS NOT NULL GROUP BY password_key",
                        &[],
                        |row| Ok((KeyId(row.number(0)?), row.rows(1)?)),
                    )
                    .await?;
                    for (key, count) in passwords {
                        KeyUse::of(&mut uses, key).passwords = count;
                    }
                    let sealed = all(
                        db,
                        "SELECT substr(secret, 1, 4), count(*) FROM totp
                         WHERE length(secret) >= 4 GROUP BY 1",
                        &[],
                        named,
                    )
                    .await?;
                    for (key, count) in sealed {
                        KeyUse::of(&mut uses, key).authenticators = count;
                    }
                    let sealed = all(
                        db,
                        "SELECT substr(secret, 1, 4), count(*) FROM signing_key
                         WHERE verifies_until IS NULL OR verifies_until > $1 GROUP BY 1",
                        params![now],
                        named,
                    )
                    .await?;
                    for (key, count) in sealed {
                        KeyUse::of(&mut uses, key).signing_keys = count;
                    }
                    Ok(uses)
                })
            })
            .await
    }
}

/// Rows by the number that stands before what was sealed.
fn named(row: &Row) -> Work<(KeyId, u64)> {
    let key: &[u8] = row.at(0)?;
    let key = key
        .try_into()
        .map_err(|_| Broken::Column("a sealed secret"))?;
    Ok((KeyId(u32::from_be_bytes(key)), row.rows(1)?))
}
