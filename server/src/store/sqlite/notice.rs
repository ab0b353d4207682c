//! Telling people.

use async_trait::async_trait;
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::event;
use super::sql::{account_n, all, changed_one, execute, first};
use super::writer::Verdict::{Keep, Undo};
use crate::model::{AccountId, MailAddress, Timestamp};
use crate::store::{
    AddressAdded, Due, NewEvent, Notice, Notices, Settled, Settlement, StoreResult, Waiting, Way,
    Ways,
};

#[async_trait]
impl Notices for SqliteStore {
    async fn address_notices(&self, ways: Ways, at: Timestamp, limit: u32) -> StoreResult<u64> {
        self.writer
            .run("addressing notices", move |db| {
                // Taken by this very statement's order, and deleted by the same: nothing comes
                // between, the transaction writes.
                execute(
                    db,
                    "WITH taken AS MATERIALIZED (
                         SELECT e.id, e.account_id, e.at
                         FROM (SELECT event_id FROM outbox ORDER BY event_id LIMIT ?2) AS o
                         JOIN event AS e ON e.id = o.event_id WHERE e.at >= ?5)
                     INSERT INTO notice (event_id, way, address, due_at)
                     SELECT t.id, 1, '', ?1 FROM taken AS t WHERE ?4
                     UNION
                     SELECT t.id, 0, a.login, ?1
                     FROM taken AS t JOIN account AS a ON a.id = t.account_id
                     WHERE ?3 AND instr(a.login, '@') > 0
                     UNION
                     SELECT t.id, 0, d.mail, ?1
                     FROM taken AS t JOIN account AS a ON a.id = t.account_id
                          JOIN address AS d ON d.account_n = a.n
                     WHERE ?3 AND (d.removed_at IS NULL OR d.removed_at >= t.at)",
                    params![at, limit, ways.mail, ways.webhook, ways.since],
                )?;
                let taken = execute(
                    db,
                    "DELETE FROM outbox
                     WHERE event_id IN (SELECT event_id FROM outbox ORDER BY event_id LIMIT ?1)",
                    [limit],
                )?;
                Ok(Keep(taken as u64))
            })
            .await
    }

    async fn notices_due(&self, at: Timestamp) -> StoreResult<Due> {
        self.readers
            .look_up("seeing whether notices are due", move |db| {
                let due = first(
                    db,
                    "SELECT EXISTS (SELECT 1 FROM outbox),
                            EXISTS (SELECT 1 FROM notice WHERE way = 0 AND due_at <= ?1),
                            EXISTS (SELECT 1 FROM notice WHERE way = 1 AND due_at <= ?1)",
                    [at],
                    |row| {
                        Ok(Due {
                            outbox: row.get(0)?,
                            mail: row.get(1)?,
                            webhook: row.get(2)?,
                        })
                    },
                )?;
                Ok(due.unwrap_or_default())
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
        self.writer
            .run("taking notices", move |db| {
                let mut taken: Vec<i64> = all(
                    db,
                    "UPDATE notice SET tries = tries + 1, due_at = ?2
                     WHERE id IN (SELECT id FROM notice WHERE way = ?4 AND due_at <= ?1
                                  ORDER BY due_at, id LIMIT ?3)
                     RETURNING id",
                    params![at, until, limit, way],
                    |row| row.get(0),
                )?;
                taken.sort_unstable();
                let mut notices = Vec::with_capacity(taken.len());
                for id in taken {
                    notices.extend(first(
                        db,
                        "SELECT e.id, e.kind, e.at, e.actor, e.generation, e.number, e.remaining,
                                e.detail, e.ip, n.id, n.way, n.address, n.tries, a.id, a.login,
                                a.language
                         FROM notice AS n JOIN event AS e ON e.id = n.event_id
                              JOIN account AS a ON a.id = e.account_id
                         WHERE n.id = ?1",
                        [id],
                        read,
                    )?);
                }
                Ok(Keep(notices))
            })
            .await
    }

    async fn settle_notices(&self, settled: Vec<Settled>) -> StoreResult<u64> {
        self.writer
            .run("settling notices", move |db| {
                let mut held = 0;
                for one in &settled {
                    held += u64::from(settle(db, one)?);
                }
                Ok(Keep(held))
            })
            .await
    }

    async fn waiting_notices(&self) -> StoreResult<Waiting> {
        self.readers
            .read("counting notices", |db| {
                let waiting = first(
                    db,
                    "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM notice),
                            (SELECT at FROM event WHERE id = min(
                                 coalesce((SELECT min(event_id) FROM outbox), 9223372036854775807),
                                 coalesce((SELECT min(event_id) FROM notice),
                                          9223372036854775807)))",
                    [],
                    |row| {
                        let notices: i64 = row.get(0)?;
                        Ok(Waiting {
                            notices: notices.unsigned_abs(),
                            oldest: row.get(1)?,
                        })
                    },
                )?;
                Ok(waiting.unwrap_or_default())
            })
            .await
    }

    async fn addresses(&self, account: &AccountId) -> StoreResult<Vec<MailAddress>> {
        let account = account.clone();
        self.readers
            .read("reading addresses", move |db| {
                let mails: Vec<String> = all(
                    db,
                    "SELECT d.mail FROM address AS d JOIN account AS a ON a.n = d.account_n
                     WHERE a.id = ?1 AND d.removed_at IS NULL ORDER BY d.mail",
                    [account],
                    |row| row.get(0),
                )?;
                Ok(mails
                    .iter()
                    .filter_map(|mail| MailAddress::parse(mail))
                    .collect())
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
        let (account, mail) = (account.clone(), mail.clone());
        self.writer
            .run("adding an address", move |db| {
                let Some(account) = account_n(db, &account)? else {
                    return Ok(Undo(AddressAdded::UnknownAccount));
                };
                let added = execute(
                    db,
                    "INSERT INTO address (account_n, mail)
                     SELECT ?1, ?2
                     WHERE (SELECT count(*) FROM address
                            WHERE account_n = ?1 AND removed_at IS NULL) < ?3
                     ON CONFLICT (account_n, mail) DO UPDATE SET removed_at = NULL
                     WHERE removed_at IS NOT NULL",
                    params![account, mail.as_str(), most],
                )?;
                if changed_one(added) {
                    event::write(db, &event)?;
                    return Ok(Keep(AddressAdded::Done));
                }
                let there: Option<i64> = first(
                    db,
                    "SELECT 1 FROM address
                     WHERE account_n = ?1 AND mail = ?2 AND removed_at IS NULL",
                    params![account, mail.as_str()],
                    |row| row.get(0),
                )?;
                Ok(Undo(match there {
                    Some(_) => AddressAdded::Done,
                    None => AddressAdded::TooMany,
                }))
            })
            .await
    }

    async fn remove_address(
        &self,
        account: &AccountId,
        mail: &MailAddress,
        event: NewEvent,
    ) -> StoreResult<bool> {
        let (account, mail) = (account.clone(), mail.clone());
        self.writer
            .run("removing an address", move |db| {
                let removed = execute(
                    db,
                    "UPDATE address SET removed_at = ?3
                     WHERE mail = ?2 AND removed_at IS NULL
                       AND account_n = (SELECT n FROM account WHERE id = ?1)",
                    params![account, mail.as_str(), event.at],
                )?;
                if !changed_one(removed) {
                    return Ok(Undo(false));
                }
                event::write(db, &event)?;
                Ok(Keep(true))
            })
            .await
    }

    async fn note_language(&self, account: &AccountId, language: &str) -> StoreResult<bool> {
        let (account, language) = (account.clone(), language.to_owned());
        self.writer
            .run("noting a language", move |db| {
                let noted = execute(
                    db,
                    "UPDATE account SET language = ?2 WHERE id = ?1 AND language IS NOT ?2",
                    params![account, language],
                )?;
                Ok(Keep(changed_one(noted)))
            })
            .await
    }
}

/// Settles one notice; `false` where somebody else has it by now, or nobody.
fn settle(db: &Connection, settled: &Settled) -> rusqlite::Result<bool> {
    let (id, tries) = (settled.id, settled.tries);
    let changed = match &settled.settlement {
        Settlement::Later(at) => execute(
            db,
            "UPDATE notice SET due_at = ?3 WHERE id = ?1 AND tries = ?2",
            params![id, tries, at],
        )?,
        Settlement::Sent | Settlement::GivenUp(_) => execute(
            db,
            "DELETE FROM notice WHERE id = ?1 AND tries = ?2",
            params![id, tries],
        )?,
    };
    if !changed_one(changed) {
        return Ok(false);
    }
    if let Settlement::GivenUp(event) = &settled.settlement {
        event::write(db, event)?;
    }
    Ok(true)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Notice> {
    let address: String = row.get(11)?;
    Ok(Notice {
        id: row.get(9)?,
        way: row.get(10)?,
        address: Some(address).filter(|address| !address.is_empty()),
        tries: row.get(12)?,
        account: row.get(13)?,
        login: row.get(14)?,
        language: row.get(15)?,
        event: event::read(row)?,
    })
}
