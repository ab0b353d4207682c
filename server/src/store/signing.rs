//! The keys that tokens are signed with. Any number of servers share them.

use async_trait::async_trait;

use super::StoreResult;
use crate::model::{Sealed, Timestamp};

/// A signing key as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Its public name.
    pub id: String,
    /// The private key under the keyring, bound to the name.
    pub secret: Sealed,
    /// From when it signs.
    pub signs_from: Timestamp,
    /// Until when it is published; `None` while nothing has taken its place.
    pub verifies_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What the domain asks about signing keys.
#[async_trait]
pub trait SigningKeys {
    /// Every key that is published at `now`, the latest first. Adding one erases the others.
    async fn signing_keys(&self, now: Timestamp) -> StoreResult<Vec<StoredKey>>;

    /// Adds a key in the place of `after` (`None`: of none), which from then on is published until
    /// `until`; those before it no longer than that, so that a key that is not to be trusted goes
    /// with all that it may have followed. `false`, and nothing changed, when another key took that
    /// place first.
    async fn add_signing_key(
        &self,
        new: StoredKey,
        after: Option<&str>,
        until: Timestamp,
    ) -> StoreResult<bool>;
}
