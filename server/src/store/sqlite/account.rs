//! Accounts.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::SqliteStore;
use super::event;
use super::recovery::end_codes;
use super::sql::{account_n, all, changed_one, execute, first, scheme, secret};
use super::throttle;
use super::writer::Verdict::{Keep, Undo};
use crate::model::{AccountId, Timestamp};
use crate::store::{
    Account, AccountAdded, AccountLine, AccountPage, Accounts, Lane, NewAccount, NewEvent,
    PasswordDigest, StoreResult,
};

/// What [`read`] reads.
macro_rules! account_columns {
    () => {
        "SELECT id, login, last_generation, created_at, password_memory_kib, password_passes,
                password_lanes, password_key, password_salt, password_digest, issuer, n,
                reset_at, administrator"
    };
}

#[async_trait]
impl Accounts for SqliteStore {
    async fn add_account(&self, new: NewAccount) -> StoreResult<AccountAdded> {
        self.writer
            .run("adding an account", move |db| {
                let password = new.password.as_ref();
                let added = execute(
                    db,
                    "INSERT INTO account (id, login, issuer, password_memory_kib, password_passes,
                                          password_lanes, password_key, password_salt,
                                          password_digest, created_at, uuid, last_generation)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
                             (SELECT coalesce(max(floor), 0) FROM restored))
                     ON CONFLICT DO NOTHING",
                    params![
                        new.id,
                        new.login,
                        new.issuer,
                        password.map(|p| p.scheme.params.memory_kib),
                        password.map(|p| p.scheme.params.passes),
                        password.map(|p| p.scheme.params.lanes),
                        password.map(|p| p.scheme.key),
                        password.map(|p| p.digest.salt),
                        password.map(|p| p.digest.digest),
                        new.at,
                        new.id.uuid(),
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
            .look_up("reading an account", move |db| {
                let sql = concat!(account_columns!(), " FROM account WHERE id = ?1");
                Ok(first(db, sql, [id], read)?)
            })
            .await
    }

    async fn account_by_login(&self, login: &str) -> StoreResult<Option<Account>> {
        let login = login.to_owned();
        self.readers
            .look_up("reading an account by its login", move |db| {
                let sql = concat!(account_columns!(), " FROM account WHERE login = ?1");
                Ok(first(db, sql, [login], read)?)
            })
            .await
    }

    async fn account_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<Account>> {
        self.readers
            .look_up("reading an account by its UUID", move |db| {
                let sql = concat!(account_columns!(), " FROM account WHERE uuid = ?1");
                Ok(first(db, sql, [uuid], read)?)
            })
            .await
    }

    async fn begin_grace(&self, id: &AccountId, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        let id = id.clone();
        self.writer
            .run("beginning a time of grace", move |db| {
                Ok(Keep(first(
                    db,
                    "UPDATE account SET grace_from = coalesce(grace_from, ?2) WHERE id = ?1
                     RETURNING grace_from",
                    params![id, now],
                    |row| row.get(0),
                )?))
            })
            .await
    }

    async fn accounts(&self, page: AccountPage) -> StoreResult<Vec<AccountLine>> {
        self.readers
            .read("listing accounts", move |db| {
                Ok(all(
                    db,
                    // Two ranges of two indexes; nothing is scanned that is not looked for.
                    "SELECT a.id, a.login,
                            (SELECT count(*) FROM totp AS t
                             WHERE t.account_n = a.n AND t.confirmed_at IS NOT NULL),
                            coalesce(b.generation, 0), coalesce(b.total, 0),
                            coalesce(b.total - b.used, 0), a.last_redeemed_at, a.created_at
                     FROM account AS a LEFT JOIN batch AS b ON b.account_n = a.n AND b.state = 1
                     WHERE a.id > ?1 AND (?2 IS NULL OR b.total - b.used <= ?2)
                       AND (?5 IS NULL OR a.n IN (
                           SELECT n FROM account WHERE id >= ?5 AND id < ?5 || char(1114111)
                           UNION
                           SELECT n FROM account
                           WHERE login >= ?5 AND login < ?5 || char(1114111)))
                     ORDER BY a.id LIMIT ?3 OFFSET ?4",
                    params![
                        page.after.as_ref().map_or("", AccountId::as_str),
                        page.remaining_at_most,
                        page.limit,
                        page.skip,
                        page.beginning
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
                            created_at: row.get(7)?,
                        })
                    },
                )?)
            })
            .await
    }

    async fn count_accounts(&self) -> StoreResult<u64> {
        self.readers
            .read("counting accounts", |db| {
                let count = first(db, "SELECT count(*) FROM account", [], |row| {
                    row.get::<_, i64>(0)
                })?;
                Ok(count.unwrap_or(0).unsigned_abs())
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
                // What it did to others as an administrator stays on record, without its name.
                execute(
                    db,
                    "UPDATE event SET actor = 'administrator'
                     WHERE substr(actor, 1, 14) = 'administrator:'
                       AND actor = 'administrator:' || ?1",
                    [&id],
                )?;
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
                end_codes(db, account, at)?;
                unbind(db, account)?;
                execute(
                    db,
                    "UPDATE account SET reset_at = ?2 WHERE n = ?1",
                    params![account, at],
                )?;
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
    execute(
        db,
        "DELETE FROM trusted_device WHERE account_n = ?1",
        [account],
    )?;
    execute(
        db,
        "UPDATE api_key SET factor_at = NULL WHERE account_n = ?1",
        [account],
    )?;
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
        issuer: row.get(10)?,
        number: row.get(11)?,
        reset_at: row.get(12)?,
        administrator: row.get(13)?,
    })
}
