//! Accounts: whose codes they are.

use async_trait::async_trait;

use super::{NewEvent, StoreResult};
use uuid::Uuid;

use crate::model::{AccountId, Generation, Scheme, SecretDigest, Timestamp};

/// A password as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordDigest {
    /// How it was digested.
    pub scheme: Scheme,
    /// Salt and digest.
    pub digest: SecretDigest,
}

/// An account to add. Accounts of the native dialect have neither login nor password.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The caller's own identifier, unique.
    pub id: AccountId,
    /// What the person signs in with, unique when present, compared as given (the domain folds).
    pub login: Option<String>,
    /// The identity provider that it lives at; `None`: here, or behind a host.
    pub issuer: Option<String>,
    /// The password's digest.
    pub password: Option<PasswordDigest>,
    /// Now.
    pub at: Timestamp,
    /// The audit row.
    pub event: NewEvent,
}

/// What came of adding an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountAdded {
    /// It is there.
    Done,
    /// Another account has this identifier.
    IdTaken,
    /// Another account signs in with this login.
    LoginTaken,
}

/// An account as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number in this store: never used twice, and no secret.
    pub number: i64,
    /// The caller's own identifier.
    pub id: AccountId,
    /// What the person signs in with.
    pub login: Option<String>,
    /// The identity provider that it lives at; `None`: here, or behind a host.
    pub issuer: Option<String>,
    /// The password's digest, when the password lives here.
    pub password: Option<PasswordDigest>,
    /// The highest number ever given to a batch of this account; 0 before the first.
    pub last_generation: Generation,
    /// When an administrator last took all factors from it.
    pub reset_at: Option<Timestamp>,
    /// It may administer the others.
    pub administrator: bool,
    /// When it came into being.
    pub created_at: Timestamp,
}

/// One line of the list of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// The caller's own identifier.
    pub id: AccountId,
    /// What the person signs in with.
    pub login: Option<String>,
    /// How many authenticators are bound.
    pub authenticators: u32,
    /// The live batch's generation, or 0.
    pub generation: Generation,
    /// The live batch's size, or 0.
    pub total: u32,
    /// Codes left in the live batch.
    pub remaining: u32,
    /// When a code was last redeemed, in any generation.
    pub last_redeemed_at: Option<Timestamp>,
    /// When it came into being.
    pub created_at: Timestamp,
}

/// Which accounts to list: ordered by identifier, after `after`, at most `limit`.
#[derive(Debug, Clone)]
pub struct AccountPage {
    /// Only accounts whose *live* batch has at most so many codes left; accounts without a live
    /// batch are then left out.
    pub remaining_at_most: Option<u32>,
    /// Only accounts whose identifier or login begins with this.
    pub beginning: Option<String>,
    /// The identifier that ended the page before.
    pub after: Option<AccountId>,
    /// So many are left out after that.
    pub skip: u32,
    /// At most so many.
    pub limit: u32,
}

/// What the domain asks about accounts.
#[async_trait]
pub trait Accounts {
    /// Adds an account; the unique constraints are the check.
    async fn add_account(&self, new: NewAccount) -> StoreResult<AccountAdded>;

    /// The account with this identifier.
    async fn account(&self, id: &AccountId) -> StoreResult<Option<Account>>;

    /// The account that signs in with this (folded) login.
    async fn account_by_login(&self, login: &str) -> StoreResult<Option<Account>>;

    /// The account that [`AccountId::uuid`] gives this for.
    async fn account_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<Account>>;

    /// Since when the account has been let in although it should enroll a factor: `now`, unless it
    /// was before. `None`: there is no such account.
    async fn begin_grace(&self, id: &AccountId, now: Timestamp) -> StoreResult<Option<Timestamp>>;

    /// A page of accounts.
    async fn accounts(&self, page: AccountPage) -> StoreResult<Vec<AccountLine>>;

    /// How many accounts there are.
    async fn count_accounts(&self) -> StoreResult<u64>;

    /// Deletes the account and all of it: authenticators, batches, codes, challenges, sessions,
    /// throttles, events, notifications. `false` when there was none.
    async fn remove_account(&self, id: &AccountId) -> StoreResult<bool>;

    /// Unbinds every authenticator, revokes the live and the pending batch (digests and seed
    /// erased), ends challenges and sessions and the trust in devices, clears both throttles, notes
    /// `at` as the time of the reset, writes the event; `false` when there is no such account.
    async fn reset_mfa(&self, id: &AccountId, at: Timestamp, event: NewEvent) -> StoreResult<bool>;
}
