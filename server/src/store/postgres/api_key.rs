//! API keys.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::PostgresStore;
use super::event;
use super::fault::Work;
use super::pool::Verdict::{Keep, Undo};
use super::sql::{Columns, Text, all, changed_one, execute, first, locked_account, params};
use crate::model::{AccountId, TokenDigest};
use crate::store::{ApiKey, ApiKeyAdded, ApiKeys, NewApiKey, NewEvent, StoreResult};

#[async_trait]
impl ApiKeys for PostgresStore {
    async fn add_api_key(&self, new: NewApiKey) -> StoreResult<ApiKeyAdded> {
        let new = &new;
        self.pool
            .run("adding an API key", |db, _| {
                Box::pin(async move {
                    let Some(account) = locked_account(db, &new.account).await? else {
                        return Ok(Undo(ApiKeyAdded::NoAccount));
                    };
                    let added = first(
                        db,
                        "INSERT INTO api_key (digest, account_n, name, created_at)
                         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING n",
                        params![new.digest, account, new.name.as_ref().map(Text), new.at],
                        |row| row.at(0),
                    )
                    .await?;
                    let Some(number) = added else {
                        return Ok(Undo(ApiKeyAdded::Taken));
                    };
                    event::write(db, &new.event).await?;
                    Ok(Keep(ApiKeyAdded::Done(number)))
                })
            })
            .await
    }

    async fn api_key(&self, digest: &TokenDigest) -> StoreResult<Option<ApiKey>> {
        self.pool
            .read("reading an API key", |db, _| {
                Box::pin(async move {
                    first(
                        db,
                        "SELECT k.n, a.id, k.name, k.factor_at, k.created_at
                         FROM api_key AS k JOIN account AS a ON a.n = k.account_n
                         WHERE k.digest = $1",
                        params![digest],
                        read,
                    )
                    .await
                })
            })
            .await
    }

    async fn api_keys(&self, account: Option<&AccountId>) -> StoreResult<Vec<ApiKey>> {
        self.pool
            .read("listing API keys", |db, _| {
                Box::pin(async move {
                    // Two statements: one plan cannot serve both.
                    match account {
                        Some(account) => {
                            all(
                                db,
                                "SELECT k.n, a.id, k.name, k.factor_at, k.created_at
                                 FROM account AS a JOIN api_key AS k ON k.account_n = a.n
                                 WHERE a.id = $1 ORDER BY k.n",
                                params![account],
                                read,
                            )
                            .await
                        }
                        None => {
                            all(
                                db,
                                "SELECT k.n, (SELECT id FROM account WHERE n = k.account_n),
                                        k.name, k.factor_at, k.created_at
                                 FROM api_key AS k ORDER BY k.n",
                                &[],
                                read,
                            )
                            .await
                        }
                    }
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
        let event = &event;
        self.pool
            .run("removing an API key", |db, _| {
                Box::pin(async move {
                    let removed = execute(
                        db,
                        "DELETE FROM api_key
                         WHERE n = $1 AND account_n = (SELECT n FROM account WHERE id = $2)",
                        params![number, account],
                    )
                    .await?;
                    if !changed_one(removed) {
                        return Ok(Undo(false));
                    }
                    event::write(db, event).await?;
                    Ok(Keep(true))
                })
            })
            .await
    }
}

fn read(row: &Row) -> Work<ApiKey> {
    Ok(ApiKey {
        number: row.at(0)?,
        account: row.at(1)?,
        name: row.at(2)?,
        factor_at: row.at(3)?,
        created_at: row.at(4)?,
    })
}
