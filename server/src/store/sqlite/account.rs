//! Accounts.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::event;
use super::recovery::{end_batch, lapse_pending};
use super::sql::{account_n, all, changed_one, execute, first, scheme, secret};
use super::throttle;
use super::writer::Verdict::{Keep, Undo};
use crate::model::{AccountId, BatchState, Timestamp};
use crate::store::{
    Account, AccountAdded, AccountLine, AccountPage, Accounts, Lane, NewAccount, NewEvent,
    PasswordDigest, StoreResult,
};

#[async_trait]
impl Accounts for SqliteStore {
    async fn add_account(&self, new: NewAccount) -> StoreResult<AccountAdded> {
        self.writer
            .run("adding an account", move |db| {
                let password = new.password.as_ref();
                let added = execute(
                    db,
                    "INSERT INTO account (id, login, password_memory_kib, password_passes,
                                          password_lanes, password_key, password_salt,
                                          password_digest, created_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
                    params![
                        new.id,
                        new.login,
                        password.map(|p| p.scheme.params.memory_kib),
                        password.map(|p| p.scheme.params.passes),
                        password.map(|p| p.scheme.params.lanes),
                        password.map(|p| p.scheme.key),
                        password.map(|p| p.digest.salt),
                        password.map(|p| p.digest.digest),
                        new.at,
                    ],
                )?;
                if changed_one(added) {
                    event::write(db, &new.event)?;
                    Ok(Keep(AccountAdded::Done))
                } else if account_n(db, &new.id)?.is_some() {
                    Ok(Undo(AccountAdded::IdTaken))
                } else {
                    Ok(Undo(AccountAdded::LoginTaken))
                }
            })
            .await
    }

    async fn account(&self, id: &AccountId) -> StoreResult<Option<Account>> {
        let id = id.clone();
        self.readers
            .read("reading an account", move |db| {
                Ok(first(
                    db,
                    "SELECT id, login, last_generation, created_at, password_memory_kib,
                            password_passes, password_lanes, password_key, password_salt,
                            password_digest
                     FROM account WHERE id = ?1",
                    [id],
                    read,
                )?)
            })
            .await
    }

    async fn account_by_login(&self, login: &str) -> StoreResult<Option<Account>> {
        let login = login.to_owned();
        self.readers
            .read("reading an account by its login", move |db| {
                Ok(first(
                    db,
                    "SELECT id, login, last_generation, created_at, password_memory_kib,
                            password_passes, password_lanes, password_key, password_salt,
                            password_digest
                     FROM account WHERE login = ?1",
                    [login],
                    read,
                )?)
            })
            .await
    }

    async fn accounts(&self, page: AccountPage) -> StoreResult<Vec<AccountLine>> {
        self.readers
            .read("listing accounts", move |db| {
                Ok(all(
                    db,
                    "SELECT a.id, a.login,
                            (SELECT count(*) FROM totp AS t
                             WHERE t.account_n = a.n AND t.confirmed_at IS NOT NULL),
                            coalesce(b.generation, 0), coalesce(b.total, 0),
                            coalesce(b.total - b.used, 0), a.last_redeemed_at
                     FROM account AS a LEFT JOIN batch AS b ON b.account_n = a.n AND b.state = 1
                     WHERE a.id > ?1 AND (?2 IS NULL OR b.total - b.used <= ?2)
                     ORDER BY a.id LIMIT ?3",
                    params![
                        page.after.as_ref().map_or("", AccountId::as_str),
                        page.remaining_at_most,
                        page.limit
                    ],
                    |row| {
                        Ok(AccountLine {
                            id: row.get(0)?,
                            login: row.get(1)?,
                            authenticators: row.get(2)?,
                            generation: row.get(3)?,
                            total: row.get(4)?,
                            remaining: row.get(5)?,
                            last_redeemed_at: row.get(6)?,
                        })
                    },
                )?)
            })
            .await
    }

    async fn remove_account(&self, id: &AccountId) -> StoreResult<bool> {
        let id = id.clone();
        self.writer
            .run("removing an account", move |db| {
                // What the account owns goes by cascade; the rest names it without owning a key.
                let removed = execute(db, "DELETE FROM account WHERE id = ?1", [&id])?;
                if !changed_one(removed) {
                    return Ok(Undo(false));
                }
                execute(db, "DELETE FROM event WHERE account_id = ?1", [&id])?;
                execute(db, "DELETE FROM throttle WHERE account_id = ?1", [&id])?;
                Ok(Keep(true))
            })
            .await
    }

    async fn reset_mfa(&self, id: &AccountId, at: Timestamp, event: NewEvent) -> StoreResult<bool> {
        let id = id.clone();
        self.writer
            .run("resetting an account's factors", move |db| {
                let Some(account) = account_n(db, &id)? else {
                    return Ok(Undo(false));
                };
                end_batch(db, account, BatchState::Active, BatchState::Revoked, at)?;
                lapse_pending(db, account, at)?;
                unbind(db, account)?;
                throttle::clear(db, &id, Lane::Recovery)?;
                throttle::clear(db, &id, Lane::Totp)?;
                event::write(db, &event)?;
                Ok(Keep(true))
            })
            .await
    }
}

/// Takes away what an account could sign in further with.
fn unbind(db: &Connection, account: i64) -> rusqlite::Result<()> {
    execute(db, "DELETE FROM totp WHERE account_n = ?1", [account])?;
    execute(db, "DELETE FROM challenge WHERE account_n = ?1", [account])?;
    execute(db, "DELETE FROM session WHERE account_n = ?1", [account])?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Account> {
    let password: Option<i64> = row.get(4)?;
    let password = password
        .map(|_| {
            Ok::<_, rusqlite::Error>(PasswordDigest {
                scheme: scheme(row, 4)?,
                digest: secret(row, 8)?,
            })
        })
        .transpose()?;
    Ok(Account {
        id: row.get(0)?,
        login: row.get(1)?,
        password,
        last_generation: row.get(2)?,
        created_at: row.get(3)?,
    })
}
