//! Challenges and sessions, and how a proof moves a person from one to the other.
//!
//! A challenge is opened by a proven first factor and yields at most one session. Whatever proves
//! the next factor carries a [`Progress`], carried out in the same transaction as the spending of
//! the proof itself.

use async_trait::async_trait;

use super::{NewEvent, StoreResult};
use crate::model::{AccountId, Timestamp, TokenDigest};

/// A challenge to open, behind a proven first factor.
#[derive(Debug, Clone)]
pub struct NewChallenge {
    /// Digest of the value the person holds.
    pub digest: TokenDigest,
    /// Whose.
    pub account: AccountId,
    /// When the first factor was proven: now.
    pub at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The audit row of the first factor.
    pub event: NewEvent,
}

/// A challenge as stored. The store returns spent and expired ones too: the domain says why it
/// refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Whose.
    pub account: AccountId,
    /// When the first factor was proven.
    pub password_at: Timestamp,
    /// When a second factor was proven, if it was.
    pub factor_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it yielded its session, if it did.
    pub spent_at: Option<Timestamp>,
}

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// Came from an enrolled authenticator.
    Full,
    /// Came from a recovery code: one thing only without step-up, replacing the authenticator.
    Recovery,
}

/// A session to open.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Digest of the value in the cookie.
    pub digest: TokenDigest,
    /// Whose.
    pub account: AccountId,
    /// What it may do.
    pub kind: SessionKind,
    /// When the person signed in.
    pub auth_time: Timestamp,
    /// When an authenticator was last proven in this session; the freshness of step-up.
    pub factor_at: Option<Timestamp>,
    /// The code that opened it: generation and number, for "code 4 is used, cross it out".
    pub opened_by: Option<(u32, u32)>,
    /// Now.
    pub at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}

/// A live session as stored; ended and expired ones are `None` to the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub account: AccountId,
    /// What it may do.
    pub kind: SessionKind,
    /// When the person signed in.
    pub auth_time: Timestamp,
    /// When an authenticator was last proven in this session.
    pub factor_at: Option<Timestamp>,
    /// The code that opened it: generation and number.
    pub opened_by: Option<(u32, u32)>,
    /// When it was last seen (kept to the minute).
    pub seen_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}

/// What a spent proof brings about, in the transaction that spends it.
#[derive(Debug, Clone)]
pub enum Progress {
    /// Nothing beyond the spending (the native dialect: the host has its own sessions).
    Nothing,
    /// The challenge records the second factor and stays open: recovery codes are still to be
    /// saved. Guard: unspent, not expired, of this account.
    FactorProven {
        /// The challenge.
        challenge: TokenDigest,
    },
    /// The challenge is spent and a session opened. Guard: as above. What the challenge held
    /// (batches that can be shown again, pending authenticators), the session holds.
    Grant {
        /// The challenge.
        challenge: TokenDigest,
        /// What opens.
        session: NewSession,
    },
    /// A session is followed by another with a new identifier. Guard: the old one is live and of
    /// this account. What the old one held, the new one holds.
    StepUp {
        /// The session so far.
        session: TokenDigest,
        /// What follows it.
        next: NewSession,
    },
}

/// What the domain asks about challenges.
#[async_trait]
pub trait Challenges {
    /// Opens a challenge; `false` when the account is gone.
    async fn open_challenge(&self, new: NewChallenge) -> StoreResult<bool>;

    /// The challenge with this digest, spent or expired ones included.
    async fn challenge(&self, digest: &TokenDigest) -> StoreResult<Option<Challenge>>;
}

/// What the domain asks about sessions.
#[async_trait]
pub trait Sessions {
    /// The session with this digest if it is live at `now`: not ended, not past `expires_at`, and
    /// seen at or after `idle_since`. Notes `now` as last seen when the note is over a minute old.
    async fn session(
        &self,
        digest: &TokenDigest,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> StoreResult<Option<Session>>;

    /// Ends one session; `false` when it was not live. The event is written only when it was.
    async fn end_session(&self, digest: &TokenDigest, event: NewEvent) -> StoreResult<bool>;

    /// Ends every session of the account except `keep`; returns how many.
    async fn end_sessions(
        &self,
        account: &AccountId,
        keep: Option<&TokenDigest>,
    ) -> StoreResult<u64>;
}
