//! Clients.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::PostgresStore;
use super::fault::Work;
use super::pool::Verdict::Keep;
use super::sql::{Columns, Text, all, changed_one, execute, first, params};
use crate::store::{Client, Clients, StoreResult};

#[async_trait]
impl Clients for PostgresStore {
    async fn add_client(&self, client: Client) -> StoreResult<bool> {
        let client = &client;
        self.pool
            .run("adding a client", |db, _| {
                Box::pin(async move {
                    let added = execute(
                        db,
                        "INSERT INTO client (id, name, secret, scopes, grants, audiences, origins,
                                             created_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
                        params![
                            Text(&client.id),
                            Text(&client.name),
                            client.secret,
                            Text(client.scopes.join(" ")),
                            Text(client.grants.join(" ")),
                            Text(client.audiences.join(" ")),
                            Text(client.origins.join(" ")),
                            client.created_at
                        ],
                    )
                    .await?;
                    Ok(Keep(changed_one(added)))
                })
            })
            .await
    }

    async fn client(&self, id: &str) -> StoreResult<Option<Client>> {
        self.pool
            .read("reading a client", |db, _| {
                Box::pin(async move {
                    first(
                        db,
                        "SELECT id, name, secret, scopes, grants, audiences, origins, created_at
                         FROM client WHERE id = $1",
                        params![Text(id)],
                        read,
                    )
                    .await
                })
            })
            .await
    }

    async fn clients(&self) -> StoreResult<Vec<Client>> {
        self.pool
            .read("listing clients", |db, _| {
                Box::pin(async move {
                    all(
                        db,
                        "SELECT id, name, secret, scopes, grants, audiences, origins, created_at
                         FROM client ORDER BY id",
                        &[],
                        read,
                    )
                    .await
                })
            })
            .await
    }

    async fn remove_client(&self, id: &str) -> StoreResult<bool> {
        self.pool
            .run("removing a client", |db, _| {
                Box::pin(async move {
                    // Waits for whoever opens something for it at this moment (`stays`), and the
                    // cascade finds that too.
                    let sql = "DELETE FROM client WHERE id = $1";
                    let removed = execute(db, sql, params![Text(id)]).await?;
                    Ok(Keep(changed_one(removed)))
                })
            })
            .await
    }
}

fn read(row: &Row) -> Work<Client> {
    let words = |column: usize| {
        let text: &str = row.at(column)?;
        Work::Ok(text.split_whitespace().map(str::to_owned).collect())
    };
    Ok(Client {
        id: row.at(0)?,
        name: row.at(1)?,
        secret: row.at(2)?,
        scopes: words(3)?,
        grants: words(4)?,
        audiences: words(5)?,
        origins: words(6)?,
        created_at: row.at(7)?,
    })
}
