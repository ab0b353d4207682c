//! Batches and their codes: stage, activate, redeem, revoke.

use async_trait::async_trait;
use spare_key_core::Format;

use super::{NewEvent, Progress, StepUpUse, StoreResult};
use crate::model::{
    AccountId, BatchState, Generation, Imported, Locator, Millis, Origin, Scheme, Sealed,
    SecretDigest, Timestamp, TokenDigest,
};

/// One code to store.
#[derive(Debug, Clone)]
pub struct NewCode {
    /// Its place on the sheet, from 1.
    pub number: u32,
    /// Its tag, distinct inside the batch; of imported codes two may have the same.
    pub locator: Locator,
    /// Its own salt and digest.
    pub digest: SecretDigest,
    /// How its origin digested it; of imported codes only.
    pub recipe: Option<String>,
}

/// A batch to store.
#[derive(Debug, Clone)]
pub struct NewBatch {
    /// Whose.
    pub account: AccountId,
    /// Guard: exactly one above the account's highest number so far.
    pub generation: Generation,
    /// List or single.
    pub format: Format,
    /// Where its codes came from and how they are read, if another system made them.
    pub imported: Option<Imported>,
    /// How its codes were digested.
    pub scheme: Scheme,
    /// The codes.
    pub codes: Vec<NewCode>,
    /// Digest of the session, challenge or client that may see it again.
    pub holder: TokenDigest,
    /// The seed under the keyring, bound to account and generation.
    pub seed: Sealed,
    /// Until when the seed is kept (and, for a pending batch, until when it may be activated). A
    /// batch that goes live at once with no time left keeps none.
    pub seed_until: Timestamp,
    /// Now.
    pub issued_at: Timestamp,
}

/// When a staged batch becomes the live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// By [`Recovery::activate`].
    OnConfirm,
    /// In this transaction, superseding the live one.
    AtOnce,
}

/// What must be true of the account when a batch is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// At least one bound authenticator: codes are never the only factor.
    Authenticator,
    /// A pending authenticator that this holder began, and nothing bound or live yet: the codes
    /// of an enrollment, which are confirmed together with it. Never at once.
    Enrolling(TokenDigest),
    /// Nothing: the host vouches for its own factors, and the account comes into being with its
    /// first batch.
    Host,
}

/// What a new batch may come after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Whatever there is: the live batch is superseded.
    Anything,
    /// Nothing: no batch was ever live, and none waits to be saved. So what is imported twice
    /// revives no code that was used or ended since.
    Nothing,
}

/// A caller's idempotency key, remembered with the batch it brought about.
#[derive(Debug, Clone)]
pub struct NewIdempotency {
    /// Digest of caller and key.
    pub key: TokenDigest,
    /// Digest of the request it came with.
    pub request: TokenDigest,
    /// Until when it is remembered.
    pub until: Timestamp,
}

/// What was remembered for an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Digest of the request it came with.
    pub request: TokenDigest,
    /// Whose batch.
    pub account: AccountId,
    /// Which batch.
    pub generation: Generation,
}

/// Stores a batch.
#[derive(Debug, Clone)]
pub struct Stage {
    /// The batch.
    pub batch: NewBatch,
    /// When it becomes live.
    pub activation: Activation,
    /// What must be true of the account.
    pub beside: Beside,
    /// Guard: what it may come after.
    pub over: Over,
    /// The caller's key, if it sent one.
    pub idempotency: Option<NewIdempotency>,
    /// What it spends.
    pub step_up: Option<StepUpUse>,
    /// Audit rows.
    pub events: Vec<NewEvent>,
}

/// What came of storing a batch. Only `Done` changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staged {
    /// It is stored; an earlier pending batch has lapsed; at once: it is live, the older one is
    /// superseded and its digests erased, the recovery throttle cleared.
    Done,
    /// Another batch took this number meanwhile.
    GenerationTaken,
    /// There is no such account.
    NoAccount,
    /// No authenticator is bound; of an enrollment: none waits for this holder, or the account has
    /// one or live codes already.
    NoAuthenticator,
    /// It had codes before, and the new batch was to come after nothing.
    HasCodes,
    /// Another request with this key came first; told before `GenerationTaken`.
    KeyTaken,
    /// The step-up token is not good.
    NoProof,
}

/// A batch that can still be shown: its seed is kept and its time has not run out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its number.
    pub generation: Generation,
    /// Pending or active.
    pub state: BatchState,
    /// List or single.
    pub format: Format,
    /// How many codes.
    pub total: u32,
    /// How its codes were digested (the locators need the key).
    pub scheme: Scheme,
    /// The sealed seed.
    pub seed: Sealed,
    /// Until when it can be shown.
    pub seed_until: Timestamp,
    /// When it was issued.
    pub issued_at: Timestamp,
}

/// Makes a pending batch the live one.
#[derive(Debug, Clone)]
pub struct Activate {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub generation: Generation,
    /// Who may; `None` for a host, which holds all its accounts' batches.
    pub holder: Option<TokenDigest>,
    /// What must be true of the account.
    pub beside: Beside,
    /// What it brings about (the end of enrollment opens the session).
    pub progress: Progress,
    /// Now.
    pub at: Timestamp,
    /// The audit row.
    pub event: NewEvent,
}

/// What came of activating. Only `Done` changed anything else than a kept seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activated {
    /// It is live; the older one is superseded, its digests erased; the seed is erased; the
    /// recovery throttle cleared.
    Done,
    /// It is the live one already: a repeat after a lost answer, or the confirmation of one that
    /// went live at once. A seed still kept for this holder is erased.
    Already,
    /// It is not the pending batch; this one is, if any (the same number: another holder's).
    Stale {
        /// The pending batch's number.
        pending: Option<Generation>,
    },
    /// No authenticator is bound.
    NoAuthenticator,
    /// The challenge was spent or the session ended meanwhile.
    NoProgress,
}

/// A code of the live batch.
#[derive(Debug, Clone)]
pub struct StoredCode {
    /// Its place on the sheet.
    pub number: u32,
    /// Its tag.
    pub locator: Locator,
    /// Salt and digest; `None` once it was spent, when both are erased.
    pub digest: Option<SecretDigest>,
    /// How its origin digested it; of imported codes only.
    pub recipe: Option<String>,
}

impl StoredCode {
    /// Whether it was spent when this was read; the guard is in the statement that spends it.
    pub fn used(&self) -> bool {
        self.digest.is_none()
    }
}

/// The live batch with its codes.
#[derive(Debug, Clone)]
pub struct LiveBatch {
    /// Its number.
    pub generation: Generation,
    /// List or single.
    pub format: Format,
    /// How its codes are read, if another system made them.
    pub imported: Option<Imported>,
    /// How its codes were digested.
    pub scheme: Scheme,
    /// A restore left it live: its owner should make a new one.
    pub kept: bool,
    /// The codes, by number.
    pub codes: Vec<StoredCode>,
}

/// Spends one code.
#[derive(Debug, Clone)]
pub struct Redeem {
    /// Whose.
    pub account: AccountId,
    /// Guard: this generation is live.
    pub generation: Generation,
    /// Guard: this code of it is unused.
    pub number: u32,
    /// What it brings about.
    pub progress: Progress,
    /// The next batch, live at once, if this one is to be replaced: every single, and a list's
    /// last code where the dialect says so. Its generation is one above the account's highest.
    pub replacement: Option<Stage>,
    /// What to do when the last code is spent and no replacement came along.
    pub at_the_end: AtTheEnd,
    /// Now.
    pub at: Timestamp,
    /// The audit row; the store fills in `remaining`.
    pub event: NewEvent,
    /// The audit row of the trusted devices that end with it: whoever needs a code may have lost
    /// one of them.
    pub devices: NewEvent,
}

/// What is to be done when a list's last code is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtTheEnd {
    /// Nothing: the person is told that none is left.
    Nothing,
    /// It is to be replaced in the same transaction: without a replacement it is not spent.
    Replace,
}

/// What came of redeeming. Only `Done` changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redeemed {
    /// The code is spent, its salt and digest and the seed of its batch erased, the recovery throttle cleared, no device
    /// trusted any more.
    Done {
        /// Codes left in the generation it was of.
        remaining: u32,
        /// The size of that generation.
        total: u32,
    },
    /// It was spent before.
    AlreadyUsed,
    /// Its batch is no longer the live one.
    NotLive,
    /// It is the last one and comes without the replacement that it needs.
    ReplacementDue,
    /// The challenge was spent or ran out meanwhile.
    NoProgress,
    /// Another batch took the replacement's number meanwhile.
    GenerationTaken,
}

/// What an account's codes look like from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchStatus {
    /// The live batch, or else the latest that was ever live: `None` before the first.
    pub latest: Option<BatchLine>,
    /// When a code was last redeemed, in any generation.
    pub last_redeemed_at: Option<Timestamp>,
    /// The pending batch and until when it may be activated.
    pub pending: Option<(Generation, Timestamp)>,
}

/// One batch, without anything of its codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchLine {
    /// Its number.
    pub generation: Generation,
    /// Active, superseded (only while the account is being changed) or revoked.
    pub state: BatchState,
    /// List or single.
    pub format: Format,
    /// Where its codes came from, if another system made them.
    pub origin: Option<Origin>,
    /// How many codes it was issued with.
    pub total: u32,
    /// How many are unused; 0 once it has ended.
    pub remaining: u32,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Its owner wants to hear no more of how few are left.
    pub reminder_ended: bool,
    /// A restore left it live: its owner should make a new one.
    pub kept: bool,
}

/// Gives the person more time to save the codes that are shown.
#[derive(Debug, Clone)]
pub struct Prolong {
    /// Whose.
    pub account: AccountId,
    /// Guard: who may see the batch.
    pub holder: TokenDigest,
    /// Now. Guard: its time has not run out.
    pub at: Timestamp,
    /// Until when it is to be shown.
    pub until: Timestamp,
    /// The longest that a batch is shown after it was issued; `until` is cut to that.
    pub longest: Millis,
    /// How long beyond that an open challenge that holds it stays open.
    pub challenge_beyond: Millis,
}

/// What the domain asks about batches and codes.
#[async_trait]
pub trait Recovery {
    /// Stores a batch.
    async fn stage(&self, stage: Stage) -> StoreResult<Staged>;

    /// What this idempotency key brought about, unless it was forgotten.
    async fn idempotency(
        &self,
        key: &TokenDigest,
        now: Timestamp,
    ) -> StoreResult<Option<Idempotency>>;

    /// The batch `generation` (or, with `None`, the pending one) if it can still be shown to
    /// `holder` at `now`; a `None` holder is a host, which holds all its accounts' batches.
    async fn shown(
        &self,
        account: &AccountId,
        generation: Option<Generation>,
        holder: Option<&TokenDigest>,
        now: Timestamp,
    ) -> StoreResult<Option<Shown>>;

    /// Gives the latest batch that can still be shown to this holder more time, and the challenge
    /// that holds it; says until when. `None`, and nothing changed, when there is no such batch, or no
    /// time to give.
    async fn prolong(&self, prolong: Prolong) -> StoreResult<Option<Timestamp>>;

    /// Notes that the owner of the live batch wants to hear no more of how few codes are left of
    /// it; `false` when another is live, or it is noted already.
    async fn end_reminder(
        &self,
        account: &AccountId,
        generation: Generation,
        at: Timestamp,
    ) -> StoreResult<bool>;

    /// Makes a pending batch the live one.
    async fn activate(&self, activate: Activate) -> StoreResult<Activated>;

    /// Gives the pending batch up; `false` when there is none. The event is written only then.
    async fn give_up_pending(
        &self,
        account: &AccountId,
        at: Timestamp,
        event: NewEvent,
    ) -> StoreResult<bool>;

    /// Ends the live and the pending batch; `false` when there was neither. The event is written
    /// only then.
    async fn revoke(
        &self,
        account: &AccountId,
        at: Timestamp,
        event: NewEvent,
    ) -> StoreResult<bool>;

    /// The live batch with its codes.
    async fn live_batch(&self, account: &AccountId) -> StoreResult<Option<LiveBatch>>;

    /// How the live batch's codes are read, where another system made them.
    async fn live_import(&self, account: &AccountId) -> StoreResult<Option<Imported>>;

    /// Spends a code.
    async fn redeem(&self, redeem: Redeem) -> StoreResult<Redeemed>;

    /// What the account's codes look like from outside.
    async fn status(&self, account: &AccountId, now: Timestamp) -> StoreResult<BatchStatus>;
}
