//! Audit rows: how the use cases fill them in, and reading them.

use super::{Caller, Mfa, Result};
use crate::model::{AccountId, EventKind, Generation, Timestamp};
use crate::store::{Actor, Event, NewEvent};

/// An audit row on a caller's doing.
pub(super) fn by(caller: &Caller, kind: EventKind, at: Timestamp) -> NewEvent {
    NewEvent {
        account: caller.account.clone(),
        kind,
        at,
        actor: caller.actor(),
        generation: None,
        number: None,
        remaining: None,
        detail: None,
        ip: caller.ip,
    }
}

/// An audit row on a person's doing, before there is a caller.
pub(super) fn by_person(
    account: &AccountId,
    kind: EventKind,
    at: Timestamp,
    ip: Option<std::net::IpAddr>,
) -> NewEvent {
    NewEvent {
        account: account.clone(),
        kind,
        at,
        actor: Actor::Person,
        generation: None,
        number: None,
        remaining: None,
        detail: None,
        ip,
    }
}

impl NewEvent {
    pub(super) fn about(mut self, generation: Generation) -> Self {
        self.generation = Some(generation);
        self
    }

    pub(super) fn number(mut self, number: u32) -> Self {
        self.number = Some(number);
        self
    }

    pub(super) fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl Mfa {
    /// An account's audit rows, newest first, with numbers below `before`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn events(
        &self,
        account: &AccountId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Event>> {
        Ok(self.store.events(account, before, limit).await?)
    }
}
