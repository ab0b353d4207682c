//! Challenges and sessions, and how a proof moves a person from one to the other.
//!
//! A challenge is opened by a proven first factor and yields at most one session. Whatever proves
//! the next factor carries a [`Progress`], carried out in the same transaction as the spending of
//! the proof itself.

use async_trait::async_trait;

use super::{NewDevice, NewEvent, RemoveTotp, StoreResult};
use crate::model::{AccountId, Millis, Timestamp, TokenDigest};

/// How long a challenge is kept beyond its end, so that who comes late is told that the time ran
/// out and not that nobody knows them.
pub const LATE_COMERS: Millis = Millis::minutes(60);

/// What a program asked for when it sent the person here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The program's client identifier.
    pub client: String,
    /// The API that it wants to call; `None`: it only wants to know who it is.
    pub audience: Option<String>,
    /// The scopes, by spaces.
    pub scope: String,
}

/// Where a sign-in leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Door {
    /// To our own pages: a session in a cookie.
    Pages,
    /// To a program's tokens.
    Program(Asked),
    /// To a short access token with a cookie beside it that renews it.
    Bearer,
}

/// A challenge to open, behind a proven first factor.
#[derive(Debug, Clone)]
pub struct NewChallenge {
    /// Digest of the value the person holds.
    pub digest: TokenDigest,
    /// Whose.
    pub account: AccountId,
    /// When the first factor was proven; now, or at the sign-in that is being renewed.
    pub password_at: Timestamp,
    /// Where it leads.
    pub door: Door,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The audit row of what opened it.
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
    /// Where it leads.
    pub door: Door,
    /// Answers that were tried, where they are counted.
    pub tries: u32,
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
    /// Is carried by a person's own program with every request: its value stays the same when a
    /// factor is proven in it, which a cookie's must not.
    Carried,
    /// Is shown by a short access token; fresher proof is a token of its own and leaves it as it
    /// is.
    Bearer,
    /// The same, of somebody who has to enroll an authenticator before anything else.
    EnrollOnly,
}

/// What a person's own program carries with every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// An API key.
    Key(TokenDigest),
    /// A session of [`SessionKind::Carried`].
    Session(TokenDigest),
}

impl Carried {
    /// Digest of the value.
    pub fn digest(&self) -> TokenDigest {
        match self {
            Self::Key(digest) | Self::Session(digest) => *digest,
        }
    }
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
    /// The program that holds tokens of it; `None` of a browser.
    pub client: Option<String>,
    /// The refresh token that comes with it, if one does.
    pub refresh: Option<NewRefresh>,
    /// The device to trust from now on, if one is to be.
    pub device: Option<NewDevice>,
    /// Now.
    pub at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}

/// A refresh token to store with its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefresh {
    /// Digest of the token.
    pub digest: TokenDigest,
    /// The API it is good for.
    pub audience: Option<String>,
    /// The scopes it is good for, by spaces.
    pub scope: String,
}

/// A refresh token as stored, of a session that is live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// Digest of its session's value.
    pub session: TokenDigest,
    /// The API it is good for.
    pub audience: Option<String>,
    /// The scopes it is good for, by spaces.
    pub scope: String,
    /// When its successor was given, if it was.
    pub replaced_at: Option<Timestamp>,
}

/// What came of following a refresh token by the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotated {
    /// The next one is good; this one only for a little longer, in case the answer was lost.
    Done,
    /// It was followed too long ago: somebody else has it. The session is ended.
    Reused,
    /// It is nobody's, or its session is over. Nothing changed.
    Gone,
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
    /// The program that holds tokens of it; `None` of a browser.
    pub client: Option<String>,
    /// When it was last seen (kept to the minute).
    pub seen_at: Timestamp,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}

/// A session, in the list of its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLine {
    /// Digest of its value.
    pub digest: TokenDigest,
    /// When the person signed in.
    pub auth_time: Timestamp,
    /// When it was last seen (kept to the minute).
    pub seen_at: Timestamp,
}

/// A token for one change of factors or codes, presented in the session that it was made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepUpUse {
    /// The session.
    pub session: TokenDigest,
    /// Digest of the token.
    pub token: TokenDigest,
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
    /// The challenge is spent and a session opened. Guard: as above, and the session's program, if
    /// it has one, is still there. What the challenge held (batches that can be shown again,
    /// pending authenticators), the session holds.
    Grant {
        /// The challenge.
        challenge: TokenDigest,
        /// What opens.
        session: NewSession,
    },
    /// A session is followed by another with a new identifier. Guard: the old one is live and of
    /// this account, the new one's program as above. What the old one held, the new one holds; its
    /// refresh tokens end with it.
    StepUp {
        /// The session so far.
        session: TokenDigest,
        /// What follows it.
        next: NewSession,
    },
    /// What is carried notes that a factor was proven with it. Guard: it is there, live and of this
    /// account.
    Freshen {
        /// What.
        carried: Carried,
    },
    /// A session of [`SessionKind::Bearer`] gets a token for one change of factors or codes. Guard:
    /// it is live and of this account.
    StepUpToken {
        /// The token, of this session.
        new: StepUpUse,
        /// When it ends.
        expires_at: Timestamp,
    },
    /// The owner of a session of [`SessionKind::Bearer`] or [`SessionKind::EnrollOnly`] has
    /// enrolled an authenticator in it: a factor is proven, and it is no longer the latter. Guard:
    /// it is live and of this account; with a step-up token, that it is good: it is spent.
    Enrolled {
        /// The session.
        session: TokenDigest,
        /// The token, where one was needed.
        step_up: Option<StepUpUse>,
    },
    /// An authenticator is unbound: the proof was for that and for nothing else. Guard: it is there.
    Unbind(Box<RemoveTotp>),
}

/// What the domain asks about challenges.
#[async_trait]
pub trait Challenges {
    /// Opens a challenge; `false` when the account is gone, or the program that asked.
    async fn open_challenge(&self, new: NewChallenge) -> StoreResult<bool>;

    /// The challenge with this digest, spent or expired ones included; it is kept for
    /// [`LATE_COMERS`] beyond its end.
    async fn challenge(&self, digest: &TokenDigest) -> StoreResult<Option<Challenge>>;

    /// Counts an answer to a challenge before it is looked at; how many are left. `None`: it is
    /// spent, has ended, or has no try left of `most`.
    async fn try_challenge(
        &self,
        digest: &TokenDigest,
        most: u32,
        at: Timestamp,
    ) -> StoreResult<Option<u32>>;

    /// Takes one counted answer back: a fault of ours was in its way.
    async fn untry_challenge(&self, digest: &TokenDigest) -> StoreResult<()>;

    /// Makes progress that needs no further proof; `false`, and nothing changed, when its guard
    /// says no.
    async fn pass(
        &self,
        account: &AccountId,
        progress: Progress,
        at: Timestamp,
    ) -> StoreResult<bool>;
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

    /// The account's live sessions, last seen first.
    async fn sessions(&self, account: &AccountId, now: Timestamp) -> StoreResult<Vec<SessionLine>>;

    /// Whether this step-up token is good in this session of this account at `now`. Looking spends
    /// nothing.
    async fn step_up_is_good(
        &self,
        account: &AccountId,
        step_up: StepUpUse,
        now: Timestamp,
    ) -> StoreResult<bool>;

    /// The refresh token with this digest if its session is live at `now`.
    async fn refresh(&self, digest: &TokenDigest, now: Timestamp) -> StoreResult<Option<Refresh>>;

    /// Follows the refresh token `old` by `next`, of the same session. `old` may be followed again
    /// when that was done after `lost_since`; if it was before, the session is ended.
    async fn rotate_refresh(
        &self,
        old: &TokenDigest,
        next: NewRefresh,
        at: Timestamp,
        lost_since: Timestamp,
    ) -> StoreResult<Rotated>;
}
