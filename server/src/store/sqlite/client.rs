//! Clients.

use async_trait::async_trait;
use rusqlite::{Row, params};

use super::SqliteStore;
use super::sql::{all, changed_one, execute, first};
use super::writer::Verdict::Keep;
use crate::store::{Client, Clients, StoreResult};

#[async_trait]
impl Clients for SqliteStore {
    async fn add_client(&self, client: Client) -> StoreResult<bool> {
        self.writer
            .run("adding a client", move |db| {
                let added = execute(
                    db,
                    "INSERT INTO client (id, name, secret, scopes, grants, audiences, origins,
                                         created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
                    params![
                        client.id,
                        client.name,
                        client.secret,
                        client.scopes.join(" "),
                        client.grants.join(" "),
                        client.audiences.join(" "),
                        client.origins.join(" "),
                        client.created_at
                    ],
                )?;
                Ok(Keep(changed_one(added)))
            })
            .await
    }

    async fn client(&self, id: &str) -> StoreResult<Option<Client>> {
        let id = id.to_owned();
        self.readers
            .look_up("reading a client", move |db| {
                Ok(first(
                    db,
                    "SELECT id, name, secret, scopes, grants, audiences, origins, created_at
                     FROM client WHERE id = ?1",
                    [id],
                    read,
                )?)
            })
            .await
    }

    async fn clients(&self) -> StoreResult<Vec<Client>> {
        self.readers
            .read("listing clients", |db| {
                Ok(all(
                    db,
                    "SELECT id, name, secret, scopes, grants, audiences, origins, created_at
                     FROM client ORDER BY id",
                    [],
                    read,
                )?)
            })
            .await
    }

    async fn remove_client(&self, id: &str) -> StoreResult<bool> {
        let id = id.to_owned();
        self.writer
            .run("removing a client", move |db| {
                let removed = execute(db, "DELETE FROM client WHERE id = ?1", [id])?;
                Ok(Keep(changed_one(removed)))
            })
            .await
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Client> {
    let words = |column: usize| {
        let text: String = row.get(column)?;
        Ok::<_, rusqlite::Error>(text.split_whitespace().map(str::to_owned).collect())
    };
    Ok(Client {
        id: row.get(0)?,
        name: row.get(1)?,
        secret: row.get(2)?,
        scopes: words(3)?,
        grants: words(4)?,
        audiences: words(5)?,
        origins: words(6)?,
        created_at: row.get(7)?,
    })
}
