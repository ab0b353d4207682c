//! The audit trail and the outbox.

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use tokio_postgres::Row;

use super::PostgresStore;
use super::fault::{Broken, Work};
use super::pool::Verdict::Keep;
use super::sql::{Columns, Text, all, execute, params};
use crate::model::{AccountId, EventKind};
use crate::store::{Actor, Event, Events, NewEvent, Notification, StoreResult};

#[async_trait]
impl Events for PostgresStore {
    async fn record(&self, events: Vec<NewEvent>) -> StoreResult<()> {
        let events = &events;
        self.pool
            .run("recording events", |db, _| {
                Box::pin(async move {
                    for event in events {
                        write(db, event).await?;
                    }
                    Ok(Keep(()))
                })
            })
            .await
    }

    async fn events(
        &self,
        account: &AccountId,
        before: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<Event>> {
        self.pool
            .read("reading events", |db, _| {
                Box::pin(async move {
                    all(
                        db,
                        "SELECT id, kind, at, actor, generation, number, remaining, detail, ip
                         FROM event WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
                        params![account, before.unwrap_or(i64::MAX), i64::from(limit)],
                        read,
                    )
                    .await
                })
            })
            .await
    }

    async fn outbox(&self, limit: u32) -> StoreResult<Vec<Notification>> {
        self.pool
            .read("reading the outbox", |db, _| {
                Box::pin(async move {
                    all(
                        db,
                        "SELECT e.id, e.kind, e.at, e.actor, e.generation, e.number, e.remaining,
                                e.detail, e.ip, e.account_id
                         FROM outbox AS o JOIN event AS e ON e.id = o.event_id
                         ORDER BY o.event_id LIMIT $1",
                        params![i64::from(limit)],
                        |row| {
                            let event = read(row)?;
                            Ok(Notification {
                                id: event.id,
                                account: row.at(9)?,
                                event,
                            })
                        },
                    )
                    .await
                })
            })
            .await
    }
}

/// Writes an audit row and, where its kind notifies and there is somebody to tell, a row for the
/// outbox. Every event of the adapter goes through here.
pub(super) async fn write(db: &Transaction<'_>, event: &NewEvent) -> Work<()> {
    execute(
        db,
        "WITH written AS (
             INSERT INTO event (account_id, kind, at, actor, generation, number, remaining, detail,
                                ip)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id)
         INSERT INTO outbox (event_id)
         SELECT w.id FROM written AS w, account AS a WHERE a.id = $1 AND $10",
        params![
            event.account,
            event.kind.name(),
            event.at,
            Text(actor_column(&event.actor)),
            event.generation,
            event.number.map(i64::from),
            event.remaining.map(i64::from),
            event.detail.as_ref().map(Text),
            event.ip.map(|ip| ip.to_string()),
            event.kind.notifies(),
        ],
    )
    .await?;
    Ok(())
}

pub(super) fn read(row: &Row) -> Work<Event> {
    let kind: &str = row.at(1)?;
    let ip: Option<&str> = row.at(8)?;
    Ok(Event {
        id: row.at(0)?,
        kind: EventKind::named(kind).ok_or(Broken::Column("a kind of event"))?,
        at: row.at(2)?,
        actor: actor(row.at(3)?)?,
        generation: row.at(4)?,
        number: row.number_if_any(5)?,
        remaining: row.number_if_any(6)?,
        detail: row.at(7)?,
        ip: ip
            .map(|text| text.parse().map_err(|_| Broken::Column("an address")))
            .transpose()?,
    })
}

fn actor_column(actor: &Actor) -> String {
    match actor {
        Actor::Person => "person".to_owned(),
        Actor::Through(id) => format!("person:{id}"),
        Actor::Administrator => "administrator".to_owned(),
        Actor::Server => "server".to_owned(),
        Actor::Appointed(id) => format!("administrator:{id}"),
        Actor::Client(id) => format!("client:{id}"),
    }
}

fn actor(text: &str) -> Work<Actor> {
    match text {
        "person" => Ok(Actor::Person),
        "administrator" => Ok(Actor::Administrator),
        "server" => Ok(Actor::Server),
        other => match other.split_once(':') {
            Some(("person", id)) => Ok(Actor::Through(id.to_owned())),
            Some(("administrator", id)) => Ok(Actor::Appointed(id.to_owned())),
            Some(("client", id)) => Ok(Actor::Client(id.to_owned())),
            _ => Err(Broken::Column("an actor")),
        },
    }
}
