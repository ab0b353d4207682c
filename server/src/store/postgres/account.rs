//! Accounts.

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use tokio_postgres::Row;
use uuid::Uuid;

use super::PostgresStore;
use super::ending::end_codes;
use super::event;
use super::fault::Work;
use super::pool::Verdict::{Keep, Undo};
use super::sql::{Columns, Text, all, changed_one, execute, first, locked_account, params};
use super::throttle;
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
                reset_at, administrator
         FROM account"
    };
}

#[async_trait]
impl Accounts for PostgresStore {
    async fn add_account(&self, new: NewAccount) -> StoreResult<AccountAdded> {
        let new = &new;
        self.pool
            .run("adding an account", |db, _| {
                Box::pin(async move {
                    let password = new.password.as_ref();
                    // The unique indexes wait for whoever adds the same at this moment.
                    let added = execute(
                        db,
                        "INSERT INTO account (id, login, issuer, password_memory_kib,
                                              password_passes, password_lanes, password_key,
                                              password_salt, password_digest, created_at, uuid,
                                              last_generation)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                                 (SELECT coalesce(max(floor), 0) FROM restored))
                         ON CONFLICT DO NOTHING",
                        params![
                            new.id,
                            new.login.as_ref().map(Text),
                            new.issuer.as_ref().map(Text),
                            password.map(|p| i64::from(p.scheme.params.memory_kib)),
                            password.map(|p| i64::from(p.scheme.params.passes)),
                            password.map(|p| i64::from(p.scheme.params.lanes)),
                            password.map(|p| p.scheme.key),
                            password.map(|p| p.digest.salt.as_slice()),
                            password.map(|p| p.digest.digest.as_slice()),
                            new.at,
                            new.id.uuid(),
                        ],
                    )
                    .await?;
                    if changed_one(added) {
                        event::write(db, &new.event).await?;
                        return Ok(Keep(AccountAdded::Done));
                    }
                    let taken: Option<i64> = first(
                        db,
                        "SELECT n FROM account WHERE id = $1",
                        params![new.id],
                        |row| row.at(0),
                    )
                    .await?;
                    Ok(Undo(match taken {
                        Some(_) => AccountAdded::IdTaken,
                        None => AccountAdded::LoginTaken,
                    }))
                })
            })
            .await
    }

    async fn account(&self, id: &AccountId) -> StoreResult<Option<Account>> {
        self.pool
            .read("reading an account", |db, _| {
                Box::pin(async move {
                    let sql = concat!(account_columns!(), " WHERE id = $1");
                    first(db, sql, params![id], read).await
                })
            })
            .await
    }

    async fn account_by_login(&self, login: &str) -> StoreResult<Option<Account>> {
        self.pool
            .read("reading an account by its login", |db, _| {
                Box::pin(async move {
                    let sql = concat!(account_columns!(), " WHERE login = $1");
                    first(db, sql, params![Text(login)], read).await
                })
            })
            .await
    }

    async fn account_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<Account>> {
        self.pool
            .read("reading an account by its UUID", |db, _| {
                Box::pin(async move {
                    let sql = concat!(account_columns!(), " WHERE uuid = $1");
                    first(db, sql, params![uuid], read).await
                })
            })
            .await
    }

    async fn begin_grace(&self, id: &AccountId, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        self.pool
            .run("beginning a time of grace", |db, _| {
                Box::pin(async move {
                    let begun = first(
                        db,
                        "UPDATE account SET grace_from = coalesce(grace_from, $2) WHERE id = $1
                         RETURNING grace_from",
                        params![id, now],
                        |row| row.at(0),
                    )
                    .await?;
                    Ok(Keep(begun))
                })
            })
            .await
    }

    async fn accounts(&self, page: AccountPage) -> StoreResult<Vec<AccountLine>> {
        let page = &page;
        self.pool
            .read("listing accounts", |db, _| {
                Box::pin(async move {
                    all(
                        db,
                        // Two ranges of two indexes; nothing is scanned that is not looked for.
                        "SELECT a.id, a.login,
                                (SELECT count(*) FROM totp AS t
                                 WHERE t.account_n = a.n AND t.confirmed_at IS NOT NULL),
                                coalesce(b.generation, 0), coalesce(b.total, 0),
                                coalesce(b.total - b.used, 0), a.last_redeemed_at, a.created_at
                         FROM account AS a LEFT JOIN batch AS b ON b.account_n = a.n AND b.state = 1
                         WHERE a.id > $1 AND ($2::bigint IS NULL OR b.total - b.used <= $2)
                           AND ($5::text IS NULL OR a.n IN (
                               SELECT n FROM account WHERE id >= $5 AND id < $5 || chr(1114111)
                               UNION
                               SELECT n FROM account
                               WHERE login >= $5 AND login < $5 || chr(1114111)))
                         ORDER BY a.id LIMIT $3 OFFSET $4",
                        params![
                            page.after.as_ref().map_or("", AccountId::as_str),
                            page.remaining_at_most.map(i64::from),
                            i64::from(page.limit),
                            i64::from(page.skip),
                            page.beginning.as_ref().map(Text)
                        ],
                        |row| {
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
                        },
                    )
                    .await
                })
            })
            .await
    }

    async fn count_accounts(&self) -> StoreResult<u64> {
        self.pool
            .read("counting accounts", |db, _| {
                Box::pin(async move {
                    let count = first(db, "SELECT count(*) FROM account", &[], |row| row.rows(0));
                    Ok(count.await?.unwrap_or(0))
                })
            })
            .await
    }

    async fn remove_account(&self, id: &AccountId) -> StoreResult<bool> {
        self.pool
            .run("removing an account", |db, _| {
                Box::pin(async move {
                    // What the account owns goes by cascade; the rest names it without owning a
                    // key. The row waits for whoever holds it.
                    let removed =
                        execute(db, "DELETE FROM account WHERE id = $1", params![id]).await?;
                    if !changed_one(removed) {
                        return Ok(Undo(false));
                    }
                    execute(db, "DELETE FROM event WHERE account_id = $1", params![id]).await?;
                    execute(
                        db,
                        "DELETE FROM throttle WHERE account_id = $1",
                        params![id],
                    )
                    .await?;
                    // What it did to others as an administrator stays on record, without its name.
                    execute(
                        db,
                        "UPDATE event SET actor = 'administrator'
                         WHERE substr(actor, 1, 14) = 'administrator:'
                           AND actor = 'administrator:' || $1::text",
                        params![id],
                    )
                    .await?;
                    Ok(Keep(true))
                })
            })
            .await
    }

    async fn reset_mfa(&self, id: &AccountId, at: Timestamp, event: NewEvent) -> StoreResult<bool> {
        let event = &event;
        self.pool
            .run("resetting an account's factors", |db, _| {
                Box::pin(async move {
                    let Some(account) = locked_account(db, id).await? else {
                        return Ok(Undo(false));
                    };
                    end_codes(db, account, at).await?;
                    unbind(db, account).await?;
                    execute(
                        db,
                        "UPDATE account SET reset_at = $2 WHERE n = $1",
                        params![account, at],
                    )
                    .await?;
                    throttle::clear(db, id, Lane::Recovery).await?;
                    throttle::clear(db, id, Lane::Totp).await?;
                    event::write(db, event).await?;
                    Ok(Keep(true))
                })
            })
            .await
    }
}

/// Takes away what an account could sign in further with.
async fn unbind(db: &Transaction<'_>, account: i64) -> Work<()> {
    for sql in [
        "DELETE FROM totp WHERE account_n = $1",
        "DELETE FROM challenge WHERE account_n = $1",
        "DELETE FROM session WHERE account_n = $1",
        "DELETE FROM trusted_device WHERE account_n = $1",
        "UPDATE api_key SET factor_at = NULL WHERE account_n = $1",
    ] {
        execute(db, sql, params![account]).await?;
    }
    Ok(())
}

fn read(row: &Row) -> Work<Account> {
    let password: Option<i64> = row.at(4)?;
    let password = password
        .map(|_| {
            Ok::<_, super::fault::Broken>(PasswordDigest {
                scheme: row.scheme(4)?,
                digest: row.secret(8)?,
            })
        })
        .transpose()?;
    Ok(Account {
        id: row.at(0)?,
        login: row.at(1)?,
        password,
        last_generation: row.at(2)?,
        created_at: row.at(3)?,
        issuer: row.at(10)?,
        number: row.at(11)?,
        reset_at: row.at(12)?,
        administrator: row.at(13)?,
    })
}
