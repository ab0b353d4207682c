//! The audit trail and the outbox.

use std::net::IpAddr;

use async_trait::async_trait;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params};

use super::SqliteStore;
use super::sql::{all, execute, first};
use super::writer::Verdict::Keep;
use crate::model::{AccountId, EventKind};
use crate::store::{Actor, Event, Events, NewEvent, Notification, StoreResult};

#[async_trait]
impl Events for SqliteStore {
    async fn record(&self, events: Vec<NewEvent>) -> StoreResult<()> {
        self.writer
            .run("recording events", move |db| {
                for event in &events {
                    write(db, event)?;
                }
                Ok(Keep(()))
            })
            .await
    }

    async fn events(
        &self,
        account: &AccountId,
        before: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<Event>> {
        let account = account.clone();
        self.readers
            .read("reading events", move |db| {
                Ok(all(
                    db,
                    "SELECT id, kind, at, actor, generation, number, remaining, detail, ip
                     FROM event WHERE account_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
                    params![account, before.unwrap_or(i64::MAX), limit],
                    read,
                )?)
            })
            .await
    }

    async fn outbox(&self, limit: u32) -> StoreResult<Vec<Notification>> {
        self.readers
            .read("reading the outbox", move |db| {
                Ok(all(
                    db,
                    "SELECT e.id, e.kind, e.at, e.actor, e.generation, e.number, e.remaining,
                            e.detail, e.ip, e.account_id
                     FROM outbox AS o JOIN event AS e ON e.id = o.event_id
                     ORDER BY o.event_id LIMIT ?1",
                    [limit],
                    |row| {
                        let event = read(row)?;
                        Ok(Notification {
                            id: event.id,
                            account: row.get(9)?,
                            event,
                        })
                    },
                )?)
            })
            .await
    }
}

/// Writes an audit row and, where its kind notifies and there is somebody to tell, a row for the
/// outbox. Every event of the adapter goes through here.
pub(super) fn write(db: &Connection, event: &NewEvent) -> rusqlite::Result<()> {
    let id: Option<i64> = first(
        db,
        "INSERT INTO event (account_id, kind, at, actor, generation, number, remaining, detail, ip)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id",
        params![
            event.account,
            event.kind.name(),
            event.at,
            ActorColumn(event.actor.clone()),
            event.generation,
            event.number,
            event.remaining,
            event.detail,
            event.ip.map(|ip| ip.to_string()),
        ],
        |row| row.get(0),
    )?;
    if event.kind.notifies() {
        execute(
            db,
            "INSERT INTO outbox (event_id) SELECT ?1 FROM account WHERE id = ?2",
            params![id, event.account],
        )?;
    }
    Ok(())
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Event> {
    let actor: ActorColumn = row.get(3)?;
    let kind: KindColumn = row.get(1)?;
    let ip: Option<IpColumn> = row.get(8)?;
    Ok(Event {
        id: row.get(0)?,
        kind: kind.0,
        at: row.get(2)?,
        actor: actor.0,
        generation: row.get(4)?,
        number: row.get(5)?,
        remaining: row.get(6)?,
        detail: row.get(7)?,
        ip: ip.map(|ip| ip.0),
    })
}

struct ActorColumn(Actor);

impl ToSql for ActorColumn {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match &self.0 {
            Actor::Person => "person".into(),
            Actor::Through(id) => format!("person:{id}").into(),
            Actor::Administrator => "administrator".into(),
            Actor::Server => "server".into(),
            Actor::Appointed(id) => format!("administrator:{id}").into(),
            Actor::Client(id) => format!("client:{id}").into(),
        })
    }
}

impl FromSql for ActorColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "person" => Ok(Self(Actor::Person)),
            "administrator" => Ok(Self(Actor::Administrator)),
            "server" => Ok(Self(Actor::Server)),
            other => match other.split_once(':') {
                Some(("person", id)) => Ok(Self(Actor::Through(id.to_owned()))),
                Some(("administrator", id)) => Ok(Self(Actor::Appointed(id.to_owned()))),
                Some(("client", id)) => Ok(Self(Actor::Client(id.to_owned()))),
                _ => Err(FromSqlError::InvalidType),
            },
        }
    }
}

struct KindColumn(EventKind);

impl FromSql for KindColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        EventKind::named(value.as_str()?)
            .map(Self)
            .ok_or(FromSqlError::InvalidType)
    }
}

struct IpColumn(IpAddr);

impl FromSql for IpColumn {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map(Self)
            .map_err(FromSqlError::other)
    }
}
