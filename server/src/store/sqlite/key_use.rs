//! What hangs on each key of the keyring.

use async_trait::async_trait;
use rusqlite::{Connection, Params, params};

use super::SqliteStore;
use super::sql::all;
use crate::model::{KeyId, Timestamp};
use crate::store::{KeyUse, KeyUses, StoreResult};

#[async_trait]
impl KeyUses for SqliteStore {
    async fn key_uses(&self, now: Timestamp) -> StoreResult<Vec<KeyUse>> {
        self.readers
            .read("reading what hangs on the keys", move |db| {
                let mut uses = Vec::new();
                let batches = "SELECT key_id, state, count(*) FROM batch WHERE state IN (0, 1)
                               GROUP BY key_id, state";
                let read = |row: &rusqlite::Row<'_>| {
                    let batches: i64 = row.get(2)?;
                    Ok((KeyId(row.get(0)?), row.get(1)?, batches.unsigned_abs()))
                };
                for (key, live, batches) in all(db, batches, [], read)? {
                    let line = KeyUse::of(&mut uses, key);
                    if live {
                        line.live = batches;
                    } else {
                        line.pending = batches;
                    }
                }
                let passwords = "SELECT password_key, count(*) FROM account
                                 WHERE password_digest IS NOT NULL GROUP BY password_key";
                for (key, count) in counted(db, passwords, [])? {
                    KeyUse::of(&mut uses, key).passwords = count;
                }
                let sealed = "SELECT substr(secret, 1, 4), count(*) FROM totp
                              WHERE length(secret) >= 4 GROUP BY 1";
                for (key, count) in named(db, sealed, [])? {
                    KeyUse::of(&mut uses, key).authenticators = count;
                }
                let sealed = "SELECT substr(secret, 1, 4), count(*) FROM signing_key
                              WHERE verifies_until IS NULL OR verifies_until > ?1 GROUP BY 1";
                for (key, count) in named(db, sealed, params![now])? {
                    KeyUse::of(&mut uses, key).signing_keys = count;
                }
                Ok(uses)
            })
            .await
    }
}

/// Rows by the number of a key.
fn counted(db: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Vec<(KeyId, u64)>> {
    all(db, sql, params, |row| {
        let count: i64 = row.get(1)?;
        Ok((KeyId(row.get(0)?), count.unsigned_abs()))
    })
}

/// Rows by the number that stands before what was sealed.
fn named(db: &Connection, sql: &str, params: impl Params) -> rusqlite::Result<Vec<(KeyId, u64)>> {
    all(db, sql, params, |row| {
        let (key, count): ([u8; 4], i64) = (row.get(0)?, row.get(1)?);
        Ok((KeyId(u32::from_be_bytes(key)), count.unsigned_abs()))
    })
}
