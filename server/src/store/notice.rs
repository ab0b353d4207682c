//! Telling people: what waits in the outbox becomes notices, one way to one address each, which are
//! taken to be sent and settled afterwards.
//!
//! At least once: a notice that was sent and could not be settled is sent again.

use async_trait::async_trait;

use super::{Event, NewEvent, StoreResult};
use crate::model::{AccountId, MailAddress, Timestamp};

/// How a notice travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// By mail, to the person.
    Mail,
    /// To the operator's own program.
    Webhook,
}

impl Way {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mail, Self::Webhook];
}

/// Which ways there are, and for which events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// Mail is sent.
    pub mail: bool,
    /// A webhook is called.
    pub webhook: bool,
    /// What happened before is told no more.
    pub since: Timestamp,
}

/// An event on its way to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// How it travels.
    pub way: Way,
    /// Where to; `None` for the webhook.
    pub address: Option<String>,
    /// How often it was taken, this time included.
    pub tries: u32,
    /// Whose.
    pub account: AccountId,
    /// What they sign in with.
    pub login: Option<String>,
    /// The tag of the language they last chose on the pages.
    pub language: Option<String>,
    /// What it tells of.
    pub event: Event,
}

/// What becomes of a notice that was taken.
#[derive(Debug, Clone)]
pub enum Settlement {
    /// It has arrived.
    Sent,
    /// It has not: again, not before this time.
    Later(Timestamp),
    /// It will not arrive; this is put on record.
    GivenUp(NewEvent),
}

/// A notice that was taken, and what becomes of it.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Its number.
    pub id: i64,
    /// How often it had been taken then: who took it again since is not overruled.
    pub tries: u32,
    /// What becomes of it.
    pub settlement: Settlement,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Due {
    /// Something waits in the outbox.
    pub outbox: bool,
    /// Mail is due.
    pub mail: bool,
    /// The webhook's program is to be told.
    pub webhook: bool,
}

/// What has not arrived yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// So many notices.
    pub notices: u64,
    /// When the oldest of what they tell of happened.
    pub oldest: Option<Timestamp>,
}

/// What came of adding an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressAdded {
    /// It is there, from now on or already.
    Done,
    /// There are as many as there may be.
    TooMany,
    /// There is no such account.
    UnknownAccount,
}

/// What the domain asks about telling people.
#[async_trait]
pub trait Notices {
    /// Takes what waits in the outbox, oldest first, at most `limit`, and makes notices of it, due at
    /// `at`: one for the webhook; and by mail one to the address that the person signs in with, if it
    /// is one, and one to each of [`Notices::addresses`]. Where there is no way, or it happened too
    /// long ago, it is told nobody. Returns how many left the outbox.
    async fn address_notices(&self, ways: Ways, at: Timestamp, limit: u32) -> StoreResult<u64>;

    /// What is to be done at `at`.
    async fn notices_due(&self, at: Timestamp) -> StoreResult<Due>;

    /// Takes notices of this way that are due at `at`, those that are due longest first, at most
    /// `limit`: nobody else is given them before `until`.
    async fn take_notices(
        &self,
        way: Way,
        at: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> StoreResult<Vec<Notice>>;

    /// Settles notices that were taken; returns how many still were in the caller's hands.
    async fn settle_notices(&self, settled: Vec<Settled>) -> StoreResult<u64>;

    /// What has not arrived yet, in the outbox and on its way.
    async fn waiting_notices(&self) -> StoreResult<Waiting>;

    /// Where the person is told beside the address they sign in with, in order.
    async fn addresses(&self, account: &AccountId) -> StoreResult<Vec<MailAddress>>;

    /// Adds such an address, at most `most` in all; writes the event where it is new.
    async fn add_address(
        &self,
        account: &AccountId,
        mail: &MailAddress,
        most: u32,
        event: NewEvent,
    ) -> StoreResult<AddressAdded>;

    /// Removes such an address, at the event's time; `false` when there was none. It is told of what
    /// happened until then, its removal included.
    async fn remove_address(
        &self,
        account: &AccountId,
        mail: &MailAddress,
        event: NewEvent,
    ) -> StoreResult<bool>;

    /// Notes the language that the person has chosen; `false` where nothing changes.
    async fn note_language(&self, account: &AccountId, language: &str) -> StoreResult<bool>;
}
