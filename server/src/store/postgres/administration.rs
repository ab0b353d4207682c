//! What administrators do on the pages.

use async_trait::async_trait;
use tokio_postgres::Row;

use super::PostgresStore;
use super::event;
use super::fault::Work;
use super::pool::Verdict::{Keep, Undo};
use super::sql::{Columns, Text, all, changed_one, execute, params};
use crate::model::AccountId;
use crate::store::{
    AccountLine, AccountSearch, Administration, FindBy, NewEvent, Role, Setting, StoreResult,
};

/// What [`line`] reads: an account `a` and its live batch `b`, as indexes find them.
macro_rules! lines {
    ($column:literal) => {
        concat!(
            "SELECT a.id, a.login,
                    (SELECT count(*) FROM totp AS t
                     WHERE t.account_n = a.n AND t.confirmed_at IS NOT NULL),
                    coalesce(b.generation, 0), coalesce(b.total, 0),
                    coalesce(b.total - b.used, 0), a.last_redeemed_at, a.created_at
             FROM account AS a LEFT JOIN batch AS b ON b.account_n = a.n AND b.state = 1
             WHERE a.",
            $column,
            " >= $1 AND a.",
            $column,
            " < $2 AND a.",
            $column,
            " > $3 ORDER BY a.",
            $column,
            " LIMIT $4"
        )
    };
}

const BY_LOGIN: &str = lines!("login");
const BY_ID: &str = lines!("id");

/// Behind every text that begins like this: no character sorts higher.
fn end_of(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

#[async_trait]
impl Administration for PostgresStore {
    async fn appoint(&self, id: &AccountId, role: Role, event: NewEvent) -> StoreResult<bool> {
        let event = &event;
        self.pool
            .run("appointing an administrator", |db, _| {
                Box::pin(async move {
                    let changed = execute(
                        db,
                        "UPDATE account SET administrator = $2
                         WHERE id = $1 AND administrator <> $2",
                        params![id, role == Role::Administrator],
                    )
                    .await?;
                    if !changed_one(changed) {
                        return Ok(Undo(false));
                    }
                    event::write(db, event).await?;
                    Ok(Keep(true))
                })
            })
            .await
    }

    async fn find_accounts(&self, search: AccountSearch) -> StoreResult<Vec<AccountLine>> {
        let search = &search;
        self.pool
            .read("finding accounts", |db, _| {
                Box::pin(async move {
                    let sql = match search.by {
                        FindBy::Login => BY_LOGIN,
                        FindBy::Id => BY_ID,
                    };
                    let end = end_of(&search.prefix);
                    let after = search.after.as_deref().unwrap_or_default();
                    all(
                        db,
                        sql,
                        params![
                            Text(&search.prefix),
                            Text(&end),
                            Text(after),
                            i64::from(search.limit)
                        ],
                        line,
                    )
                    .await
                })
            })
            .await
    }

    async fn switch(&self, setting: Setting, value: &str, event: NewEvent) -> StoreResult<()> {
        let event = &event;
        self.pool
            .run("switching", |db, _| {
                Box::pin(async move {
                    execute(
                        db,
                        "INSERT INTO setting (name, value) VALUES ($1, $2)
                         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        params![setting.name(), Text(value)],
                    )
                    .await?;
                    event::write(db, event).await?;
                    Ok(Keep(()))
                })
            })
            .await
    }
}

fn line(row: &Row) -> Work<AccountLine> {
    Ok(AccountLine {
        id: row.at(0)?,
        login: row.at(1)?,
        authenticators: row.number(2)?,
        generation: row.at(3)?,
        total: row.number(4)?,
        remaining: row.number(5)?,
        last_redeemed_at: row.at(6)?,
        created_at: row.at(7)?,
    })
}
