//! The audit trail and the outbox of notifications.

use std::net::IpAddr;

use async_trait::async_trait;

use super::StoreResult;
use crate::model::{AccountId, EventKind, Generation, Timestamp};

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The person.
    Person,
    /// The person, through this program.
    Through(String),
    /// A machine client, by its identifier.
    Client(String),
    /// An administrator at the command line.
    Administrator,
    /// A server by itself.
    Server,
    /// An administrator on the pages, by the identifier of their account.
    Appointed(String),
}

impl Actor {
    /// What kind of one, as callers are told: which administrator it was is for those who run this
    /// server.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Person | Self::Through(_) => "person",
            Self::Client(_) => "client",
            Self::Administrator | Self::Appointed(_) => "administrator",
            Self::Server => "server",
        }
    }

    /// Whether an administrator did it.
    pub const fn administers(&self) -> bool {
        matches!(self, Self::Administrator | Self::Appointed(_))
    }
}

/// An audit row to write. Written in the transaction it tells of; where
/// [`EventKind::notifies`] says so, a row for the outbox is written beside it. Holds no code, no
/// secret, no digest.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Whose; need not exist (a refused attempt on an unknown account is on record too).
    pub account: AccountId,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The batch it was about.
    pub generation: Option<Generation>,
    /// The code's number in its batch.
    pub number: Option<u32>,
    /// Codes left afterwards. The store fills it in where only its statement knows.
    pub remaining: Option<u32>,
    /// A fixed word on the why ("wrong", "used", "no batch", "at once", …) or the caller's proof.
    pub detail: Option<String>,
    /// From where.
    pub ip: Option<IpAddr>,
}

/// An audit row as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number; newer rows have larger ones.
    pub id: i64,
    /// What happened.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// The batch it was about.
    pub generation: Option<Generation>,
    /// The code's number in its batch.
    pub number: Option<u32>,
    /// Codes left afterwards.
    pub remaining: Option<u32>,
    /// The why.
    pub detail: Option<String>,
    /// From where.
    pub ip: Option<IpAddr>,
}

/// A notification that waits to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its number.
    pub id: i64,
    /// Whose.
    pub account: AccountId,
    /// The event it tells of.
    pub event: Event,
}

/// What the domain asks about events.
#[async_trait]
pub trait Events {
    /// Writes audit rows that tell of no other change: refusals, throttled attempts.
    async fn record(&self, events: Vec<NewEvent>) -> StoreResult<()>;

    /// An account's rows, newest first, with numbers below `before`, at most `limit`.
    async fn events(
        &self,
        account: &AccountId,
        before: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<Event>>;

    /// Undelivered notifications, oldest first, at most `limit`.
    async fn outbox(&self, limit: u32) -> StoreResult<Vec<Notification>>;
}
