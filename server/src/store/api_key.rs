//! API keys: what a person's own programs carry, and when a factor was last proven with it.

use async_trait::async_trait;

use super::{NewEvent, StoreResult};
use crate::model::{AccountId, Timestamp, TokenDigest};

/// An API key to add.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Digest of the key.
    pub digest: TokenDigest,
    /// Whose.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: Option<String>,
    /// Now.
    pub at: Timestamp,
    /// The audit row.
    pub event: NewEvent,
}

/// What came of adding a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiKeyAdded {
    /// It is there, under this number.
    Done(i64),
    /// There is no such account.
    NoAccount,
    /// Somebody has this key: only a given one can be taken.
    Taken,
}

/// An API key as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its number: never used twice, and no secret.
    pub number: i64,
    /// Whose.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: Option<String>,
    /// When a factor was last proven with it.
    pub factor_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What the domain asks about API keys.
#[async_trait]
pub trait ApiKeys {
    /// Adds a key to an account that is there.
    async fn add_api_key(&self, new: NewApiKey) -> StoreResult<ApiKeyAdded>;

    /// The key with this digest.
    async fn api_key(&self, digest: &TokenDigest) -> StoreResult<Option<ApiKey>>;

    /// The account's keys, or with `None` everybody's, by number.
    async fn api_keys(&self, account: Option<&AccountId>) -> StoreResult<Vec<ApiKey>>;

    /// Removes the account's key of this number; `false` when it has none. The event is written
    /// only when it had.
    async fn remove_api_key(
        &self,
        number: i64,
        account: &AccountId,
        event: NewEvent,
    ) -> StoreResult<bool>;
}
