//! What administrators do on the pages.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::event;
use super::sql::{all, changed_one, execute};
use super::writer::Verdict::{Keep, Undo};
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
            " >= ?1 AND a.",
            $column,
            " < ?2 AND a.",
            $column,
            " > ?3 ORDER BY a.",
            $column,
            " LIMIT ?4"
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
impl Administration for SqliteStore {
    async fn appoint(&self, id: &AccountId, role: Role, event: NewEvent) -> StoreResult<bool> {
        let id = id.clone();
        self.writer
            .run("appointing an administrator", move |db| {
                let changed = execute(
                    db,
                    "UPDATE account SET administrator = ?2 WHERE id = ?1 AND administrator <> ?2",
                    params![id, role == Role::Administrator],
                )?;
                if !changed_one(changed) {
                    return Ok(Undo(false));
                }
                event::write(db, &event)?;
                Ok(Keep(true))
            })
            .await
    }

    async fn find_accounts(&self, search: AccountSearch) -> StoreResult<Vec<AccountLine>> {
        self.readers
            .read("finding accounts", move |db| Ok(find(db, &search)?))
            .await
    }

    async fn switch(&self, setting: Setting, value: &str, event: NewEvent) -> StoreResult<()> {
        let value = value.to_owned();
        self.writer
            .run("switching", move |db| {
                execute(
                    db,
                    "INSERT INTO setting (name, value) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    params![setting.name(), value],
                )?;
                event::write(db, &event)?;
                Ok(Keep(()))
            })
            .await
    }
}

fn find(db: &Connection, search: &AccountSearch) -> rusqlite::Result<Vec<AccountLine>> {
    let sql = match search.by {
        FindBy::Login => BY_LOGIN,
        FindBy::Id => BY_ID,
    };
    let after = search.after.as_deref().unwrap_or_default();
    let asked = params![search.prefix, end_of(&search.prefix), after, search.limit];
    all(db, sql, asked, line)
}

fn line(row: &Row<'_>) -> rusqlite::Result<AccountLine> {
    Ok(AccountLine {
        id: row.get(0)?,
        login: row.get(1)?,
        authenticators: row.get(2)?,
        generation: row.get(3)?,
        total: row.get(4)?,
        remaining: row.get(5)?,
        last_redeemed_at: row.get(6)?,
        created_at: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::migrate;

    /// A database with so many accounts, each with an authenticator and a live batch.
    fn with_accounts(path: &std::path::Path, count: u32) -> Connection {
        let db = migrate::open_writer(path).unwrap();
        db.execute_batch(&format!(
            "BEGIN;
             WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < {count})
             INSERT INTO account (id, uuid, login, last_generation, created_at)
             SELECT printf('auth0|%08d', n), randomblob(16), printf('p%08d@example.com', n), 1, 0
             FROM i;
             INSERT INTO totp (account_n, id, secret, begun_at, confirmed_at)
             SELECT n, 'totp|' || n, x'00', 0, 0 FROM account;
             INSERT INTO batch (account_n, generation, state, format, memory_kib, passes, lanes,
                                key_id, total, used, issued_at, activated_at)
             SELECT n, 1, 1, 0, 8, 1, 1, 1, 10, n % 11, 0, 0 FROM account;
             COMMIT;"
        ))
        .unwrap();
        db
    }

    fn plan(db: &Connection, sql: &str) -> Vec<String> {
        let mut plan = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let rows = plan.query_map(params!["p", "q", "", 51], |row| row.get(3));
        rows.unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_search_goes_by_an_index_and_looks_at_nothing_that_it_does_not_show() {
        let folder = tempfile::tempdir().unwrap();
        let db = with_accounts(&folder.path().join("db"), 1_000);
        db.execute_batch("ANALYZE").unwrap();
        for sql in [BY_LOGIN, BY_ID] {
            let plan = plan(&db, sql);
            assert!(plan.len() >= 3, "{plan:#?}");
            for step in &plan {
                assert!(
                    step.starts_with("SEARCH") || step.contains("SUBQUERY"),
                    "{plan:#?}"
                );
                assert!(!step.contains("TEMP B-TREE"), "{plan:#?}");
            }
            assert!(
                plan[0].contains("USING INDEX sqlite_autoindex_account"),
                "{plan:#?}"
            );
        }
    }

    #[test]
    fn a_hundred_thousand_accounts_are_paged_through_without_one_twice_or_missing() {
        let folder = tempfile::tempdir().unwrap();
        let db = with_accounts(&folder.path().join("db"), 100_000);
        let mut search = AccountSearch {
            by: FindBy::Login,
            prefix: "p0009".to_owned(),
            after: None,
            limit: 500,
        };
        let mut seen = Vec::new();
        loop {
            let page = find(&db, &search).unwrap();
            let Some(last) = page.last() else { break };
            search.after = last.login.clone();
            seen.extend(page.into_iter().filter_map(|line| line.login));
        }
        assert_eq!(seen.len(), 10_000);
        assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(seen.iter().all(|login| login.starts_with("p0009")));
    }
}
