//! Telling people.

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use tokio_postgres::Row;

use super::PostgresStore;
use super::event;
use super::fault::Work;
use super::pool::Verdict::{Keep, Undo};
use super::sql::{Columns, Text, all, changed_one, execute, first, locked_account, params};
use crate::model::{AccountId, MailAddress, Timestamp};
use crate::store::{
    AddressAdded, Due, NewEvent, Notice, Notices, Settled, Settlement, StoreResult, Waiting, Way,
    Ways,
};

#[async_trait]
impl Notices for PostgresStore {
    async fn address_notices(&self, ways: Ways, at: Timestamp, limit: u32) -> StoreResult<u64> {
        self.pool
            .run("addressing notices", |db, _| {
                Box::pin(async move {
                    // What another server takes at this moment is left to it.
                    let taken = first(
                        db,
                        "WITH taken AS (
                             DELETE FROM outbox WHERE event_id = ANY (ARRAY(
                                 SELECT event_id FROM outbox ORDER BY event_id LIMIT $2
                                 FOR UPDATE SKIP LOCKED))
                             RETURNING event_id),
                         told AS (
                             SELECT e.id, e.account_id, e.at FROM taken AS t
                             JOIN event AS e ON e.id = t.event_id WHERE e.at >= $5),
                         addresses (event_id, way, address) AS (
                             SELECT t.id, 1, '' FROM told AS t WHERE $4
                             UNION
                             SELECT t.id, 0, a.login
                             FROM told AS t JOIN account AS a ON a.id = t.account_id
                             WHERE $3 AND strpos(a.login, '@') > 0
                             UNION
                             SELECT t.id, 0, d.mail
                             FROM told AS t JOIN account AS a ON a.id = t.account_id
                                  JOIN address AS d ON d.account_n = a.n
                             WHERE $3 AND (d.removed_at IS NULL OR d.removed_at >= t.at)),
                         addressed AS (
                             INSERT INTO notice (event_id, way, address, due_at)
                             SELECT event_id, way, address, $1 FROM addresses)
                         SELECT count(*) FROM taken",
                        params![at, i64::from(limit), ways.mail, ways.webhook, ways.since],
                        |row| row.rows(0),
                    )
                    .await?;
                    Ok(Keep(taken.unwrap_or(0)))
                })
            })
            .await
    }

    async fn notices_due(&self, at: Timestamp) -> StoreResult<Due> {
        self.pool
            .read("seeing whether notices are due", |db, _| {
                Box::pin(async move {
                    let due = first(
                        db,
                        "SELECT EXISTS (SELECT 1 FROM outbox),
                                EXISTS (SELECT 1 FROM notice WHERE way = 0 AND due_at <= $1),
                                EXISTS (SELECT 1 FROM notice WHERE way = 1 AND due_at <= $1)",
                        params![at],
                        |row| {
                            Ok(Due {
                                outbox: row.at(0)?,
                                mail: row.at(1)?,
                                webhook: row.at(2)?,
                            })
                        },
                    )
                    .await?;
                    Ok(due.unwrap_or_default())
                })
            })
            .await
    }

    async fn take_notices(
        &self,
        way: Way,
        at: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<Notice>> {
        self.pool
            .run("taking notices", |db, _| {
                Box::pin(async move {
                    let mut taken = all(
                        db,
                        "UPDATE notice AS n SET tries = n.tries + 1, due_at = $2
                         FROM event AS e, account AS a
                         WHERE n.id = ANY (ARRAY(
                                   SELECT id FROM notice WHERE way = $4 AND due_at <= $1
                                   ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED))
                           AND e.id = n.event_id AND a.id = e.account_id
                         RETURNING e.id, e.kind, e.at, e.actor, e.generation, e.number,
                                   e.remaining, e.detail, e.ip, n.id, n.way, n.address, n.tries,
                                   a.id, a.login, a.language",
                        params![at, until, i64::from(limit), way],
                        read,
                    )
                    .await?;
                    taken.sort_unstable_by_key(|notice| notice.id);
                    Ok(Keep(taken))
                })
            })
            .await
    }

    async fn settle_notices(&self, settled: Vec<Settled>) -> StoreResult<u64> {
        let settled = &settled;
        self.pool
            .run("settling notices", |db, _| {
                Box::pin(async move {
                    let mut held = 0;
                    for one in settled {
                        held += u64::from(settle(db, one).await?);
                    }
                    Ok(Keep(held))
                })
            })
            .await
    }

    async fn waiting_notices(&self) -> StoreResult<Waiting> {
        self.pool
            .read("counting notices", |db, _| {
                Box::pin(async move {
                    let waiting = first(
                        db,
                        "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM notice),
                                (SELECT at FROM event WHERE id = least(
                                     (SELECT min(event_id) FROM outbox),
                                     (SELECT min(event_id) FROM notice)))",
                        params![],
                        |row| {
                            Ok(Waiting {
                                notices: row.rows(0)?,
                                oldest: row.at(1)?,
                            })
                        },
                    )
                    .await?;
                    Ok(waiting.unwrap_or_default())
                })
            })
            .await
    }

    async fn addresses(&self, account: &AccountId) -> StoreResult<Vec<MailAddress>> {
        self.pool
            .read("reading addresses", |db, _| {
                Box::pin(async move {
                    let mails: Vec<String> = all(
                        db,
                        "SELECT d.mail FROM address AS d JOIN account AS a ON a.n = d.account_n
                         WHERE a.id = $1 AND d.removed_at IS NULL ORDER BY d.mail",
                        params![account],
                        |row| row.at(0),
                    )
                    .await?;
                    Ok(mails
                        .iter()
                        .filter_map(|mail| MailAddress::parse(mail))
                        .collect())
                })
            })
            .await
    }

    async fn add_address(
        &self,
        account: &AccountId,
        mail: &MailAddress,
        most: u32,
        event: NewEvent,
    ) -> StoreResult<AddressAdded> {
        let event = &event;
        self.pool
            .run("adding an address", |db, _| {
                Box::pin(async move {
                    let Some(account) = locked_account(db, account).await? else {
                        return Ok(Undo(AddressAdded::UnknownAccount));
                    };
                    let added = execute(
                        db,
                        "INSERT INTO address (account_n, mail)
                         SELECT $1, $2
                         WHERE (SELECT count(*) FROM address
                                WHERE account_n = $1 AND removed_at IS NULL) < $3
                         ON CONFLICT (account_n, mail) DO UPDATE SET removed_at = NULL
                         WHERE address.removed_at IS NOT NULL",
                        params![account, mail.as_str(), i64::from(most)],
                    )
                    .await?;
                    if changed_one(added) {
                        event::write(db, event).await?;
                        return Ok(Keep(AddressAdded::Done));
                    }
                    let there: Option<i64> = first(
                        db,
                        "SELECT 1::bigint FROM address
                         WHERE account_n = $1 AND mail = $2 AND removed_at IS NULL",
                        params![account, mail.as_str()],
                        |row| row.at(0),
                    )
                    .await?;
                    Ok(Undo(match there {
                        Some(_) => AddressAdded::Done,
                        None => AddressAdded::TooMany,
                    }))
                })
            })
            .await
    }

    async fn remove_address(
        &self,
        account: &AccountId,
        mail: &MailAddress,
        event: NewEvent,
    ) -> StoreResult<bool> {
        let event = &event;
        self.pool
            .run("removing an address", |db, _| {
                Box::pin(async move {
                    let removed = execute(
                        db,
                        "UPDATE address SET removed_at = $3
                         WHERE mail = $2 AND removed_at IS NULL
                           AND account_n = (SELECT n FROM account WHERE id = $1)",
                        params![account, mail.as_str(), event.at],
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

    async fn note_language(&self, account: &AccountId, language: &str) -> StoreResult<bool> {
        self.pool
            .run("noting a language", |db, _| {
                Box::pin(async move {
                    let noted = execute(
                        db,
                        "UPDATE account SET language = $2
                         WHERE id = $1 AND language IS DISTINCT FROM $2",
                        params![account, Text(language)],
                    )
                    .await?;
                    Ok(Keep(changed_one(noted)))
                })
            })
            .await
    }
}

/// Settles one notice; `false` where somebody else has it by now, or nobody.
async fn settle(db: &Transaction<'_>, settled: &Settled) -> Work<bool> {
    let (id, tries) = (settled.id, i64::from(settled.tries));
    let changed = match &settled.settlement {
        Settlement::Later(at) => {
            execute(
                db,
                "UPDATE notice SET due_at = $3 WHERE id = $1 AND tries = $2",
                params![id, tries, at],
            )
            .await?
        }
        Settlement::Sent | Settlement::GivenUp(_) => {
            execute(
                db,
                "DELETE FROM notice WHERE id = $1 AND tries = $2",
                params![id, tries],
            )
            .await?
        }
    };
    if !changed_one(changed) {
        return Ok(false);
    }
    if let Settlement::GivenUp(event) = &settled.settlement {
        event::write(db, event).await?;
    }
    Ok(true)
}

fn read(row: &Row) -> Work<Notice> {
    let address: String = row.at(11)?;
    Ok(Notice {
        id: row.at(9)?,
        way: row.at(10)?,
        address: Some(address).filter(|address| !address.is_empty()),
        tries: row.number(12)?,
        account: row.at(13)?,
        login: row.at(14)?,
        language: row.at(15)?,
        event: event::read(row)?,
    })
}
