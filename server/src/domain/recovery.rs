//! Batches: stage, show again, activate, give up, revoke, status.
//!
//! A batch is staged beside the live one and changes nothing until it is activated, so that a lost
//! answer, a closed tab or a crash never leaves a person without a working code. What it was drawn
//! from is sealed and kept until then, and nothing else from which a code could be made again.

use spare_key_core::{Batch, Code, Format, Spec};
use zeroize::Zeroizing;

use super::{Authority, Caller, Fault, Mfa, Refusal, Result, event};
use crate::entropy::{SeedStream, draw_bytes};
use crate::hasher::{Job, Lane, Permit};
use crate::keyring::{Sealing, digest_parts, scope};
use crate::model::{
    AccountId, BatchState, EventKind, Generation, Locator, Millis, Scheme, SecretDigest, Timestamp,
    TokenDigest,
};
use crate::store::{
    self, AccountPage, Activate, Activated, Activation, Beside, NewBatch, NewCode, NewIdempotency,
    Progress, Reserved, Shown, Stage, Staged,
};

/// Tries at staging while others change the same account.
const TRIES: u32 = 5;

/// What a caller asks for.
#[derive(Debug, Clone)]
pub struct StageRequest {
    /// List or single, and how many.
    pub spec: Spec,
    /// Now, or when the person has confirmed.
    pub activation: Activation,
    /// The caller's idempotency key, if it sent one.
    pub idempotency: Option<IdempotencyKey>,
}

/// A caller's key for asking the same thing twice and getting it once.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// Digest of the caller and the key it sent.
    pub key: TokenDigest,
    /// Digest of what it asked for.
    pub request: TokenDigest,
}

impl IdempotencyKey {
    /// For this caller, this key and this request.
    pub fn new(caller: &str, key: &str, request: &[&[u8]]) -> Self {
        Self {
            key: digest_parts(&[caller.as_bytes(), key.as_bytes()]),
            request: digest_parts(request),
        }
    }
}

/// A batch on its way to the person: the only value with codes in it.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Whose.
    pub account: AccountId,
    /// Its number.
    pub generation: Generation,
    /// Pending or active.
    pub state: BatchState,
    /// List or single.
    pub format: Format,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Until when it can be activated, while it is pending.
    pub expires_at: Option<Timestamp>,
    /// The codes, by number.
    pub codes: Vec<NumberedCode>,
    /// Whether this is an answer given before, given again.
    pub replayed: bool,
}

/// A code and its place on the sheet.
#[derive(Debug, Clone)]
pub struct NumberedCode {
    /// From 1.
    pub number: u32,
    /// The code.
    pub code: Code,
}

/// Whether an account has live codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// Never had any, or is unknown.
    None,
    /// A batch is live, be it used up.
    Active,
    /// The last live batch was ended without a successor.
    Revoked,
}

/// An account's codes, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whose.
    pub account: AccountId,
    /// The live (or last) batch's number; 0 before the first.
    pub generation: Generation,
    /// Whether there are live codes.
    pub state: AccountState,
    /// List or single; `None` before the first batch.
    pub format: Option<Format>,
    /// How many codes the batch was issued with.
    pub total: u32,
    /// How many are left.
    pub remaining: u32,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// When a code was last redeemed, in any generation.
    pub last_redeemed_at: Option<Timestamp>,
    /// A batch that waits to be activated.
    pub pending: Option<PendingStatus>,
    /// Attempts.
    pub throttle: ThrottleStatus,
    /// Few enough are left that the person should make new ones.
    pub low: bool,
}

/// A batch that waits to be activated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingStatus {
    /// Its number.
    pub generation: Generation,
    /// Until when.
    pub expires_at: Timestamp,
}

/// How many attempts are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleStatus {
    /// Without waiting.
    pub tries_left: u32,
    /// When the next can be made, if only after a wait; `None` with no tries left means never.
    pub retry_at: Option<Timestamp>,
}

impl From<Reserved> for ThrottleStatus {
    fn from(reserved: Reserved) -> Self {
        match reserved {
            Reserved::Granted {
                tries_left,
                retry_at,
            } => Self {
                tries_left,
                retry_at,
            },
            Reserved::Throttled { retry_at } => Self {
                tries_left: 0,
                retry_at: Some(retry_at),
            },
            Reserved::Dead => Self {
                tries_left: 0,
                retry_at: None,
            },
        }
    }
}

impl Mfa {
    /// Draws a batch and stages it, or makes it live at once.
    ///
    /// # Errors
    /// [`Refusal::RecoveryCodesOff`], [`Refusal::FreshProofRequired`],
    /// [`Refusal::NoAuthenticator`], [`Refusal::UnknownAccount`],
    /// [`Refusal::IdempotencyConflict`]; busy; a fault. Nothing changed then.
    pub async fn stage(&self, caller: &Caller, request: StageRequest) -> Result<Issued> {
        self.recovery_codes_are_on()?;
        let now = self.now();
        if let Some(replay) = self
            .replay(caller, request.idempotency.as_ref(), now)
            .await?
        {
            return Ok(replay);
        }
        self.may_issue(caller, now).await?;
        let permit = self.hasher.admit(Lane::Codes)?;
        for _ in 0..TRIES {
            let draft = self.draft(caller, request.spec, now, &permit).await?;
            let mut stage = draft.stage;
            stage.activation = request.activation;
            if request.activation == Activation::AtOnce {
                // Only a caller with a key can ask for the same answer again.
                let replays = request.idempotency.is_some();
                stage.batch.seed_until = if replays {
                    now.plus(self.policy.replay_for)
                } else {
                    now
                };
                let activated = event::by(caller, EventKind::CodesActivated, now)
                    .about(stage.batch.generation)
                    .because("at once");
                stage.events.push(activated);
            }
            stage.idempotency = request.idempotency.as_ref().map(|key| NewIdempotency {
                key: key.key,
                request: key.request,
                until: now.plus(self.policy.replay_for),
            });
            let expires_at = stage.batch.seed_until;
            match self.store.stage(stage).await? {
                Staged::Done => {
                    self.metrics.issued();
                    let (state, expires_at) = match request.activation {
                        Activation::AtOnce => (BatchState::Active, None),
                        Activation::OnConfirm => (BatchState::Pending, Some(expires_at)),
                    };
                    return Ok(Issued {
                        state,
                        expires_at,
                        ..draft.issued
                    });
                }
                Staged::GenerationTaken => {}
                Staged::NoAccount => return Err(Refusal::UnknownAccount.into()),
                Staged::NoAuthenticator => return Err(Refusal::NoAuthenticator.into()),
                Staged::KeyTaken => {
                    let replay = self
                        .replay(caller, request.idempotency.as_ref(), now)
                        .await?;
                    return replay.ok_or_else(|| Refusal::IdempotencyConflict.into());
                }
            }
        }
        Err(Fault::Contended.into())
    }

    /// The pending batch again, for whom it was staged, until it is activated or runs out.
    ///
    /// # Errors
    /// [`Refusal::RecoveryCodesOff`], [`Refusal::NoPendingBatch`]; a fault.
    pub async fn pending(&self, caller: &Caller) -> Result<Issued> {
        self.recovery_codes_are_on()?;
        let now = self.now();
        let holder = caller.holder();
        let shown = self
            .store
            .shown(&caller.account, None, holder.as_ref(), now)
            .await?
            .filter(|shown| shown.state == BatchState::Pending)
            .ok_or(Refusal::NoPendingBatch)?;
        let row = event::by(caller, EventKind::CodesShownAgain, now).about(shown.generation);
        self.store.record(vec![row]).await?;
        self.redraw(&caller.account, &shown, false)
    }

    /// Makes a pending batch the live one: the person has said that the codes are saved.
    ///
    /// # Errors
    /// [`Refusal::RecoveryCodesOff`], [`Refusal::StaleGeneration`], [`Refusal::NoAuthenticator`];
    /// a fault. Repeating it after a lost answer is no error.
    pub async fn activate(&self, caller: &Caller, generation: Generation) -> Result<Status> {
        // A repeat after a lost answer finds it live already, which is what it asked for.
        self.activate_and(caller, generation, Progress::Nothing)
            .await?;
        self.status(&caller.account).await
    }

    /// Activates, with what it brings about in the same transaction. `false`: it was live already
    /// and nothing was brought about.
    pub(super) async fn activate_and(
        &self,
        caller: &Caller,
        generation: Generation,
        progress: Progress,
    ) -> Result<bool> {
        self.recovery_codes_are_on()?;
        let now = self.now();
        let activate = Activate {
            account: caller.account.clone(),
            generation,
            holder: caller.holder(),
            beside: caller.beside(),
            progress,
            at: now,
            event: event::by(caller, EventKind::CodesActivated, now).about(generation),
        };
        match self.store.activate(activate).await? {
            Activated::Done => Ok(true),
            Activated::Already => Ok(false),
            Activated::Stale { pending } => Err(Refusal::StaleGeneration { pending }.into()),
            Activated::NoAuthenticator => Err(Refusal::NoAuthenticator.into()),
            Activated::NoProgress => Err(Refusal::ChallengeGone.into()),
        }
    }

    /// Gives the pending batch up.
    ///
    /// # Errors
    /// [`Refusal::NoPendingBatch`]; a fault.
    pub async fn give_up_pending(&self, caller: &Caller) -> Result<()> {
        let now = self.now();
        let row = event::by(caller, EventKind::CodesGivenUp, now);
        if self
            .store
            .give_up_pending(&caller.account, now, row)
            .await?
        {
            Ok(())
        } else {
            Err(Refusal::NoPendingBatch.into())
        }
    }

    /// Ends the live and the pending batch. `false` when there was neither.
    ///
    /// # Errors
    /// [`Refusal::FreshProofRequired`] of a person; a fault.
    pub async fn revoke(&self, caller: &Caller) -> Result<bool> {
        let now = self.now();
        let by_person = matches!(
            caller.authority,
            Authority::Challenge { .. } | Authority::Session { .. }
        );
        if by_person && !caller.is_fresh(now, self.policy.fresh_for) {
            return Err(Refusal::FreshProofRequired.into());
        }
        let row = event::by(caller, EventKind::CodesRevoked, now);
        Ok(self.store.revoke(&caller.account, now, row).await?)
    }

    /// An account's codes, seen from outside; an unknown account has none.
    ///
    /// # Errors
    /// A fault.
    pub async fn status(&self, account: &AccountId) -> Result<Status> {
        let now = self.now();
        let found = self.store.status(account, now).await?;
        let throttle = self
            .store
            .throttle(
                account,
                store::Lane::Recovery,
                self.policy.recovery_throttle,
                now,
            )
            .await?;
        let latest = found.latest;
        let state = match latest.as_ref().map(|batch| batch.state) {
            None => AccountState::None,
            Some(BatchState::Active) => AccountState::Active,
            Some(_) => AccountState::Revoked,
        };
        let remaining = latest.as_ref().map_or(0, |batch| batch.remaining);
        Ok(Status {
            account: account.clone(),
            generation: latest
                .as_ref()
                .map_or(Generation(0), |batch| batch.generation),
            state,
            format: latest.as_ref().map(|batch| batch.format),
            total: latest.as_ref().map_or(0, |batch| batch.total),
            remaining,
            issued_at: latest.as_ref().map(|batch| batch.issued_at),
            last_redeemed_at: found.last_redeemed_at,
            pending: found.pending.map(|(generation, expires_at)| PendingStatus {
                generation,
                expires_at,
            }),
            throttle: throttle.into(),
            low: state == AccountState::Active && remaining <= self.policy.low_at,
        })
    }

    /// The status of accounts whose live batch runs low, by identifier, for reminders.
    ///
    /// # Errors
    /// A fault.
    pub async fn statuses(&self, page: AccountPage) -> Result<Vec<Status>> {
        let mut statuses = Vec::new();
        for line in self.store.accounts(page).await? {
            statuses.push(self.status(&line.id).await?);
        }
        Ok(statuses)
    }

    pub(super) fn recovery_codes_are_on(&self) -> Result<()> {
        if self.policy.recovery_codes {
            Ok(())
        } else {
            Err(Refusal::RecoveryCodesOff.into())
        }
    }

    /// Issuing over a live batch needs a factor proven just now; the first batch needs the one
    /// that enrollment proved. A host's word on a live batch must be as fresh.
    async fn may_issue(&self, caller: &Caller, now: Timestamp) -> Result<()> {
        if caller.is_fresh(now, self.policy.fresh_for) {
            return Ok(());
        }
        let first = match &caller.authority {
            Authority::Host { proof, .. } => proof.is_some(),
            Authority::Challenge { factor_at, .. } => factor_at.is_some(),
            Authority::Session { .. } | Authority::Administrator => false,
        };
        if first && self.store.live_batch(&caller.account).await?.is_none() {
            return Ok(());
        }
        Err(Refusal::FreshProofRequired.into())
    }

    /// What this key brought about before, if it can still be shown.
    async fn replay(
        &self,
        caller: &Caller,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Option<Issued>> {
        let Some(key) = key else { return Ok(None) };
        let Some(before) = self.store.idempotency(&key.key, now).await? else {
            return Ok(None);
        };
        if before.request != key.request || before.account != caller.account {
            return Err(Refusal::IdempotencyConflict.into());
        }
        let holder = caller.holder();
        let shown = self
            .store
            .shown(
                &caller.account,
                Some(before.generation),
                holder.as_ref(),
                now,
            )
            .await?
            .ok_or(Refusal::IdempotencyConflict)?;
        self.redraw(&caller.account, &shown, true).map(Some)
    }

    /// The codes of a batch again, from its sealed seed.
    fn redraw(&self, account: &AccountId, shown: &Shown, replayed: bool) -> Result<Issued> {
        let opened = self
            .keyring
            .open(account, Sealing::Seed(shown.generation), &shown.seed)?;
        let seed = Zeroizing::new(
            <[u8; 32]>::try_from(opened.as_slice())
                .map_err(|_| Fault::Corrupt("a batch's seed"))?,
        );
        let spec = u8::try_from(shown.total)
            .ok()
            .and_then(|count| Spec::new(shown.format, count).ok())
            .ok_or(Fault::Corrupt("a batch's size"))?;
        let (batch, _) = self.expand(account, shown.generation, shown.scheme, spec, &seed)?;
        let expires_at = (shown.state == BatchState::Pending).then_some(shown.seed_until);
        Ok(Issued {
            account: account.clone(),
            generation: shown.generation,
            state: shown.state,
            format: shown.format,
            issued_at: shown.issued_at,
            expires_at,
            codes: numbered(batch),
            replayed,
        })
    }

    /// The codes that a seed stands for, all with locators of their own.
    fn expand(
        &self,
        account: &AccountId,
        generation: Generation,
        scheme: Scheme,
        spec: Spec,
        seed: &[u8; 32],
    ) -> Result<(Batch, Vec<Locator>)> {
        let mut stream = SeedStream::new(seed);
        let mut locators: Vec<Locator> = Vec::with_capacity(usize::from(spec.count()));
        // A key that is missing would refuse every code; it is found before the first is drawn.
        self.keyring.pepper(scheme.key)?;
        let batch = Batch::draft(
            spec,
            |buffer| stream.fill(buffer),
            |code| {
                let tag = self
                    .keyring
                    .locator(scheme.key, account, generation, code.canonical())
                    .ok();
                match tag {
                    Some(tag) if !locators.contains(&tag) => {
                        locators.push(tag);
                        true
                    }
                    _ => false,
                }
            },
        )
        .map_err(|_| Fault::Draft)?;
        Ok((batch, locators))
    }

    /// Draws, digests and seals a batch: everything but storing it.
    pub(super) async fn draft(
        &self,
        caller: &Caller,
        spec: Spec,
        now: Timestamp,
        permit: &Permit,
    ) -> Result<Draft> {
        let account = &caller.account;
        let generation = self
            .store
            .account(account)
            .await?
            .map_or(Generation(0), |account| account.last_generation)
            .next();
        let scheme = Scheme {
            params: self.policy.hash,
            key: self.keyring.current(),
        };
        let seed = draw_bytes::<32>(&*self.entropy)?;
        let (batch, locators) = self.expand(account, generation, scheme, spec, &seed)?;
        let mut jobs = Vec::with_capacity(batch.codes().len());
        for code in batch.codes() {
            let salt = *draw_bytes::<16>(&*self.entropy)?;
            jobs.push(self.code_job(account, generation, scheme, salt, code)?);
        }
        let digests = permit.hash_all(jobs).await?;
        let sealed = self.keyring.seal(
            &*self.entropy,
            account,
            Sealing::Seed(generation),
            seed.as_slice(),
        )?;
        let staged = event::by(caller, EventKind::CodesStaged, now).about(generation);
        let stage = Stage {
            batch: NewBatch {
                account: account.clone(),
                generation,
                format: spec.format(),
                scheme,
                codes: stored_codes(locators, digests),
                holder: caller.holder().unwrap_or_else(|| no_holder(account)),
                seed: sealed,
                seed_until: now.plus(self.policy.pending_for),
                issued_at: now,
            },
            activation: Activation::OnConfirm,
            beside: self.beside(caller).await?,
            idempotency: None,
            events: vec![match caller.vouched() {
                Some(proof) => staged.because(proof),
                None => staged,
            }],
        };
        let issued = Issued {
            account: account.clone(),
            generation,
            state: BatchState::Pending,
            format: spec.format(),
            issued_at: now,
            expires_at: None,
            codes: numbered(batch),
            replayed: false,
        };
        Ok(Draft { stage, issued })
    }

    /// One slow hash of one code, bound to its account and generation.
    pub(super) fn code_job(
        &self,
        account: &AccountId,
        generation: Generation,
        scheme: Scheme,
        salt: [u8; 16],
        code: &Code,
    ) -> Result<Job> {
        Ok(Job {
            secret: Zeroizing::new(code.canonical().to_vec()),
            salt,
            pepper: self.keyring.pepper(scheme.key)?,
            bound_to: scope(b"code", account, &generation.0.to_be_bytes()),
            params: scheme.params,
        })
    }

    /// At the command line an account that a host vouches for (it has no login here) stays so.
    async fn beside(&self, caller: &Caller) -> Result<Beside> {
        if !matches!(caller.authority, Authority::Administrator) {
            return Ok(caller.beside());
        }
        let account = self
            .store
            .account(&caller.account)
            .await?
            .ok_or(Refusal::UnknownAccount)?;
        Ok(if account.login.is_some() {
            Beside::Authenticator
        } else {
            Beside::Host
        })
    }
}

/// A batch ready to be stored, and what the person will see of it.
pub(super) struct Draft {
    pub(super) stage: Stage,
    pub(super) issued: Issued,
}

fn numbered(batch: Batch) -> Vec<NumberedCode> {
    (1..)
        .zip(batch.into_codes())
        .map(|(number, code)| NumberedCode { number, code })
        .collect()
}

fn stored_codes(locators: Vec<Locator>, digests: Vec<SecretDigest>) -> Vec<NewCode> {
    (1..)
        .zip(locators.into_iter().zip(digests))
        .map(|(number, (locator, digest))| NewCode {
            number,
            locator,
            digest,
        })
        .collect()
}

/// Hosts and administrators hold their batches by their right, not by a session.
fn no_holder(account: &AccountId) -> TokenDigest {
    TokenDigest(scope(b"no holder", account, &[]))
}

/// Seconds until a time, for `Retry-After`; at least one.
pub fn wait_until(at: Timestamp, now: Timestamp) -> u64 {
    at.since(now).max(Millis(1)).ceil_seconds()
}
