//! What hangs on each key of the keyring. The keys themselves are elsewhere.

use async_trait::async_trait;

use super::StoreResult;
use crate::model::{KeyId, Timestamp};

/// What cannot be used without one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUse {
    /// Which.
    pub key: KeyId,
    /// Live batches: its pepper is in their digests.
    pub live: u64,
    /// Pending batches.
    pub pending: u64,
    /// Passwords: its pepper is in their digests.
    pub passwords: u64,
    /// Authenticators, bound and pending, whose secret it seals.
    pub authenticators: u64,
    /// Published signing keys that it seals.
    pub signing_keys: u64,
}

impl KeyUse {
    /// Of a key that nothing hangs on.
    pub fn none(key: KeyId) -> Self {
        Self {
            key,
            live: 0,
            pending: 0,
            passwords: 0,
            authenticators: 0,
            signing_keys: 0,
        }
    }

    /// The line of `key` among `uses`, made where there is none yet.
    pub(super) fn of(uses: &mut Vec<Self>, key: KeyId) -> &mut Self {
        let at = uses
            .binary_search_by_key(&key, |line| line.key)
            .unwrap_or_else(|at| {
                uses.insert(at, Self::none(key));
                at
            });
        &mut uses[at]
    }
}

/// What the domain asks about the keyring's keys.
#[async_trait]
pub trait KeyUses {
    /// What hangs on each key that anything hangs on, by number. Sealed seeds are their batch's.
    async fn key_uses(&self, now: Timestamp) -> StoreResult<Vec<KeyUse>>;
}
