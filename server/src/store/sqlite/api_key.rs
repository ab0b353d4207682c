//! API keys.

use async_trait::async_trait;
use rusqlite::{Row, params};

use super::SqliteStore;
use super::event;
use super::sql::{account_n, all, changed_one, execute, first};
use super::writer::Verdict::{Keep, Undo};
use crate::model::{AccountId, TokenDigest};
use crate::store::{ApiKey, ApiKeyAdded, ApiKeys, NewApiKey, NewEvent, StoreResult};

#[async_trait]
impl ApiKeys for SqliteStore {
    async fn add_api_key(&self, new: NewApiKey) -> StoreResult<ApiKeyAdded> {
        self.writer
            .run("adding an API key", move |db| {
                let added = first(
                    db,
                    "INSERT INTO api_key (digest, account_n, name, created_at)
                     SELECT ?1, n, ?3, ?4 FROM account WHERE id = ?2
                     ON CONFLICT DO NOTHING RETURNING n",
                    params![new.digest, new.account, new.name, new.at],
                    |row| row.get(0),
                )?;
                Ok(match added {
                    Some(number) => {
                        event::write(db, &new.event)?;
                        Keep(ApiKeyAdded::Done(number))
                    }
                    None if account_n(db, &new.account)?.is_none() => Undo(ApiKeyAdded::NoAccount),
                    None => Undo(ApiKeyAdded::Taken),
                })
            })
            .await
    }

    async fn api_key(&self, digest: &TokenDigest) -> StoreResult<Option<ApiKey>> {
        let digest = *digest;
        self.readers
            .look_up("reading an API key", move |db| {
                Ok(first(
                    db,
                    "SELECT k.n, a.id, k.name, k.factor_at, k.created_at
                     FROM api_key AS k JOIN account AS a ON a.n = k.account_n
                     WHERE k.digest = ?1",
                    [digest],
                    read,
                )?)
            })
            .await
    }

    async fn api_keys(&self, account: Option<&AccountId>) -> StoreResult<Vec<ApiKey>> {
        let account = account.cloned();
        self.readers
            .read("listing API keys", move |db| {
                // Two statements: one plan cannot serve both.
                Ok(match account {
                    Some(account) => all(
                        db,
                        "SELECT k.n, a.id, k.name, k.factor_at, k.created_at
                         FROM account AS a JOIN api_key AS k ON k.account_n = a.n
                         WHERE a.id = ?1 ORDER BY k.n",
                        [account],
                        read,
                    )?,
                    None => all(
                        db,
                        "SELECT k.n, a.id, k.name, k.factor_at, k.created_at
                         FROM api_key AS k JOIN account AS a ON a.n = k.account_n ORDER BY k.n",
                        [],
                        read,
                    )?,
                })
            })
            .await
    }

    async fn remove_api_key(
        &self,
        number: i64,
        account: &AccountId,
        event: NewEvent,
    ) -> StoreResult<bool> {
        let account = account.clone();
        self.writer
            .run("removing an API key", move |db| {
                let removed = execute(
                    db,
                    "DELETE FROM api_key
                     WHERE n = ?1 AND account_n = (SELECT n FROM account WHERE id = ?2)",
                    params![number, account],
                )?;
                if !changed_one(removed) {
                    return Ok(Undo(false));
                }
                event::write(db, &event)?;
                Ok(Keep(true))
            })
            .await
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    Ok(ApiKey {
        number: row.get(0)?,
        account: row.get(1)?,
        name: row.get(2)?,
        factor_at: row.get(3)?,
        created_at: row.get(4)?,
    })
}
