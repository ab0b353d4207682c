//! Trusted devices: not a factor, but a reason not to ask for one.

use async_trait::async_trait;
use uuid::Uuid;

use super::{NewEvent, StoreResult};
use crate::model::{AccountId, Timestamp, TokenDigest};

/// A device to trust, stored in the transaction of the sign-in that proved a factor on it.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// Its public name.
    pub id: Uuid,
    /// Digest of the value in its cookie.
    pub digest: TokenDigest,
    /// What it says of itself.
    pub label: String,
    /// From where.
    pub ip: Option<String>,
    /// Until when it is trusted.
    pub expires_at: Timestamp,
    /// The audit row.
    pub event: NewEvent,
}

/// A trusted device, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedDevice {
    /// Its public name.
    pub id: Uuid,
    /// What it said of itself.
    pub label: String,
    /// From where.
    pub ip: Option<String>,
    /// Since when it is trusted.
    pub created_at: Timestamp,
    /// When it was last recognized.
    pub last_seen_at: Timestamp,
    /// Until when it is trusted.
    pub expires_at: Timestamp,
}

/// What the domain asks about trusted devices. `since`: devices that were trusted then or
/// before are trusted no more, whatever was said at the time.
#[async_trait]
pub trait TrustedDevices {
    /// Whether this is a trusted device of this account at `now`; notes `now` as last seen.
    async fn recognize(
        &self,
        account: &AccountId,
        digest: &TokenDigest,
        since: Timestamp,
        now: Timestamp,
    ) -> StoreResult<bool>;

    /// The account's trusted devices, last seen first.
    async fn trusted_devices(
        &self,
        account: &AccountId,
        since: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Vec<TrustedDevice>>;

    /// Trusts this one no more; `false` when it is not among the account's. The event is written
    /// only when it was.
    async fn forget_device(
        &self,
        account: &AccountId,
        id: Uuid,
        event: NewEvent,
    ) -> StoreResult<bool>;

    /// Trusts none of the account's any more; returns how many. The event is written only where
    /// there were any.
    async fn forget_devices(&self, account: &AccountId, event: NewEvent) -> StoreResult<u64>;
}
