//! Authenticators: what an account has enrolled.

use async_trait::async_trait;

use super::{NewEvent, NewIdempotency, Progress, StepUpUse, StoreResult};
use crate::model::{AccountId, AuthenticatorId, Sealed, Timestamp, TokenDigest};

/// A TOTP authenticator to begin binding; it is nobody's factor until confirmed.
#[derive(Debug, Clone)]
pub struct NewTotp {
    /// Its public name.
    pub id: AuthenticatorId,
    /// Whose.
    pub account: AccountId,
    /// What its owner calls it, where they have said.
    pub name: Option<String>,
    /// The secret under the keyring, bound to account and authenticator.
    pub secret: Sealed,
    /// Digest of the challenge or session that began it; only that one may see and confirm it.
    pub holder: TokenDigest,
    /// Now.
    pub at: Timestamp,
    /// When it lapses unconfirmed.
    pub expires_at: Timestamp,
}

/// A TOTP authenticator that waits for its first password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingTotp {
    /// Its public name.
    pub id: AuthenticatorId,
    /// The sealed secret.
    pub secret: Sealed,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// A bound authenticator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundTotp {
    /// Its public name.
    pub id: AuthenticatorId,
    /// The sealed secret.
    pub secret: Sealed,
    /// The last time step accepted (RFC 6238 5.2: none is accepted twice).
    pub last_step: i64,
    /// When it was bound.
    pub confirmed_at: Timestamp,
    /// When it was last accepted.
    pub last_used_at: Option<Timestamp>,
}

/// What becomes of the account's other authenticators when one is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They stay.
    Keep,
    /// They are unbound in the same transaction: the new one takes the lost one's place.
    Replace,
}

/// Confirms a pending authenticator with its first one-time password.
#[derive(Debug, Clone)]
pub struct ConfirmTotp {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub id: AuthenticatorId,
    /// Who began it.
    pub holder: TokenDigest,
    /// The time step of the password that was right.
    pub step: i64,
    /// What its owner calls it; `None`: as it was begun.
    pub name: Option<String>,
    /// What becomes of the others.
    pub others: Others,
    /// What it brings about.
    pub progress: Progress,
    /// The audit row of the codes that were staged with it by the same holder: they go live in
    /// the same transaction, if they are still pending and no others are live; the store fills in
    /// their generation and clears the recovery throttle. `None`: none are to.
    pub codes: Option<NewEvent>,
    /// Until when their seed is kept, to be shown again to who confirmed; `None`: it goes at once.
    pub shown_again: Option<Timestamp>,
    /// The caller's key, if it sent one; remembered with the codes' number, or with 0. Guard: no
    /// other request came under it.
    pub idempotency: Option<NewIdempotency>,
    /// Now.
    pub at: Timestamp,
    /// The audit row.
    pub event: NewEvent,
}

/// What came of confirming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotpConfirmed {
    /// It is bound.
    Done,
    /// There is no such pending authenticator: lapsed, confirmed before, or another's.
    Gone,
    /// The challenge was spent or the session ended meanwhile; nothing changed.
    NoProgress,
    /// Another request with this key came first; nothing changed.
    KeyTaken,
}

/// Accepts a one-time password of a bound authenticator.
#[derive(Debug, Clone)]
pub struct AcceptTotp {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub id: AuthenticatorId,
    /// The time step; guard: later than every step accepted before.
    pub step: i64,
    /// What it brings about.
    pub progress: Progress,
    /// Now.
    pub at: Timestamp,
    /// The audit row.
    pub event: NewEvent,
}

/// What came of accepting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotpAccepted {
    /// The step is spent and the progress made.
    Done,
    /// This step or a later one was accepted before, or the authenticator is gone.
    StepSpent,
    /// The challenge was spent or the session ended meanwhile; nothing changed.
    NoProgress,
}

/// Unbinds an authenticator.
#[derive(Debug, Clone)]
pub struct RemoveTotp {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub id: AuthenticatorId,
    /// Now.
    pub at: Timestamp,
    /// The audit row.
    pub event: NewEvent,
    /// The audit row of the codes that end with the last authenticator.
    pub codes: NewEvent,
    /// The audit row of the trusted devices that end with it.
    pub devices: NewEvent,
    /// What it spends.
    pub step_up: Option<StepUpUse>,
}

/// What came of unbinding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotpRemoved {
    /// It is unbound, and others are there.
    Done,
    /// It was the last: live and pending codes are ended with it, as they are never the only
    /// factor, and so is the trust in devices.
    Last,
    /// There is no such authenticator.
    Gone,
    /// The step-up token is not good; nothing changed.
    NoProof,
}

/// An authenticator found by its name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTotp {
    /// Whose.
    pub account: AccountId,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When it was bound; `None`: it waits for its first password.
    pub confirmed_at: Option<Timestamp>,
    /// When it was last accepted.
    pub last_used_at: Option<Timestamp>,
}

/// An authenticator as its owner's list has it, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TotpCard {
    /// Its number in this store: never used twice, and no secret.
    pub number: i64,
    /// Its public name.
    pub id: AuthenticatorId,
    /// What its owner calls it, where they have said.
    pub name: Option<String>,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When it was bound; `None`: it waits for its first password, or has waited too long.
    pub confirmed_at: Option<Timestamp>,
    /// When it was last accepted.
    pub last_used_at: Option<Timestamp>,
    /// When it lapses, while it waits.
    pub expires_at: Option<Timestamp>,
}

/// Tries a first password on a pending authenticator.
#[derive(Debug, Clone)]
pub struct TryTotp {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub id: AuthenticatorId,
    /// Who began it.
    pub holder: TokenDigest,
    /// Guard: fewer were tried so far.
    pub most: u32,
    /// Now.
    pub at: Timestamp,
}

/// What the domain asks about authenticators.
#[async_trait]
pub trait Authenticators {
    /// Stores a pending authenticator, dropping the account's other pending ones. For an account
    /// that is gone it stores nothing, and confirming will say so.
    async fn begin_totp(&self, new: NewTotp) -> StoreResult<()>;

    /// The pending authenticator that `holder` began, unless it has lapsed.
    async fn pending_totp(
        &self,
        account: &AccountId,
        holder: &TokenDigest,
        now: Timestamp,
    ) -> StoreResult<Option<PendingTotp>>;

    /// Binds a pending authenticator and clears the TOTP throttle.
    async fn confirm_totp(&self, confirm: ConfirmTotp) -> StoreResult<TotpConfirmed>;

    /// The account's authenticator that waits for its first password, whoever began it, unless it
    /// has lapsed: its name, when it was begun, who may confirm it.
    async fn waiting_totp(
        &self,
        account: &AccountId,
        now: Timestamp,
    ) -> StoreResult<Option<(AuthenticatorId, Timestamp, TokenDigest)>>;

    /// The authenticator of this name, pending ones that have lapsed excepted.
    async fn named_totp(
        &self,
        id: &AuthenticatorId,
        now: Timestamp,
    ) -> StoreResult<Option<NamedTotp>>;

    /// Unbinds an authenticator, or drops a pending one.
    async fn remove_totp(&self, remove: RemoveTotp) -> StoreResult<TotpRemoved>;

    /// The account's authenticators by number, bound, waiting, and lapsed ones that the sweep has
    /// left.
    async fn totp_cards(&self, account: &AccountId) -> StoreResult<Vec<TotpCard>>;

    /// Counts a try at a pending authenticator's first password before it is looked at; how many
    /// are left. `None`: there is no such pending authenticator, or none was left.
    async fn try_totp(&self, attempt: TryTotp) -> StoreResult<Option<u32>>;

    /// The account's bound authenticators, oldest first.
    async fn authenticators(&self, account: &AccountId) -> StoreResult<Vec<BoundTotp>>;

    /// Spends a time step and clears the TOTP throttle.
    async fn accept_totp(&self, accept: AcceptTotp) -> StoreResult<TotpAccepted>;
}
