//! Batches: stage, show again, activate, give up, revoke.
//!
//! A batch is staged beside the live one and changes nothing until it is activated, so that a lost
//! answer, a closed tab or a crash never leaves a person without a working code. What it was drawn
//! from is sealed and kept until then, and nothing else from which a code could be made again.

use spare_key_core::{Code, Format, Spec};

use super::draft::Draft;
use super::{Authority, Caller, Error, Mfa, Refusal, Result, Status, event};
use crate::keyring::digest_parts;
use crate::model::{AccountId, BatchState, EventKind, Generation, Timestamp, TokenDigest};
use crate::store::{Activate, Activated, Activation, NewIdempotency, Progress, Staged};

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

impl Mfa {
    /// Draws a batch and stages it, or makes it live at once.
    ///
    /// # Errors
    /// [`Refusal::RecoveryCodesOff`], [`Refusal::FreshProofRequired`],
    /// [`Refusal::NoAuthenticator`], [`Refusal::UnknownAccount`],
    /// [`Refusal::IdempotencyConflict`], [`Refusal::IdempotencySpent`]; busy; a fault. Nothing
    /// changed then.
    pub async fn stage(&self, caller: &Caller, request: StageRequest) -> Result<Issued> {
        self.recovery_codes_are_on().await?;
        let now = self.now();
        if let Some(replay) = self
            .replay(caller, request.idempotency.as_ref(), now)
            .await?
        {
            return Ok(replay);
        }
        self.may_issue(caller, now).await?;
        let permit = self.place_for(caller, request.spec)?;
        for _ in 0..TRIES {
            let mut draft = self.draft(caller, request.spec, now, &permit).await?;
            if request.activation == Activation::AtOnce {
                draft = draft.at_once(caller, now);
                // Only a caller with a key can ask for the same answer again.
                let replays = request.idempotency.is_some();
                draft.stage.batch.seed_until = if replays {
                    now.plus(self.policy.replay_for)
                } else {
                    now
                };
            }
            let Draft { mut stage, issued } = draft;
            stage.step_up = caller.step_up();
            stage.idempotency = request.idempotency.as_ref().map(|key| NewIdempotency {
                key: key.key,
                request: key.request,
                until: now.plus(self.policy.replay_for),
            });
            let expires_at = stage.batch.seed_until;
            match self.store.stage(stage).await? {
                Staged::Done => {
                    self.metrics.issued();
                    let expires_at =
                        (request.activation == Activation::OnConfirm).then_some(expires_at);
                    return Ok(Issued {
                        expires_at,
                        ..issued
                    });
                }
                Staged::GenerationTaken | Staged::HasCodes => {}
                Staged::NoAccount => return Err(Refusal::UnknownAccount.into()),
                Staged::NoAuthenticator => return Err(Refusal::NoAuthenticator.into()),
                Staged::NoProof => return Err(Refusal::FreshProofRequired.into()),
                Staged::KeyTaken => {
                    let replay = self
                        .replay(caller, request.idempotency.as_ref(), now)
                        .await?;
                    return replay.ok_or_else(|| Refusal::IdempotencyConflict.into());
                }
            }
        }
        Err(Error::CONTENDED)
    }

    /// The pending batch again, for whom it was staged, until it is activated or runs out.
    ///
    /// # Errors
    /// [`Refusal::RecoveryCodesOff`], [`Refusal::NoPendingBatch`]; a fault.
    pub async fn pending(&self, caller: &Caller) -> Result<Issued> {
        self.recovery_codes_are_on().await?;
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

    /// Whether [`Self::pending`] would show this caller a batch. Asking shows nothing, so it leaves
    /// no trace.
    ///
    /// # Errors
    /// A fault.
    pub async fn holds_pending(&self, caller: &Caller) -> Result<bool> {
        if !self.recovery_codes().await? {
            return Ok(false);
        }
        let holder = caller.holder();
        let shown = self
            .store
            .shown(&caller.account, None, holder.as_ref(), self.now())
            .await?;
        Ok(shown.is_some_and(|shown| shown.state == BatchState::Pending))
    }

    /// The code that took a spent single code's place, for the session that spent it, until it is
    /// confirmed or its time runs out. It is live already.
    ///
    /// # Errors
    /// [`Refusal::RecoveryCodesOff`], [`Refusal::NoPendingBatch`]; a fault.
    pub async fn replacement(&self, caller: &Caller) -> Result<Issued> {
        self.recovery_codes_are_on().await?;
        let now = self.now();
        let live = self.store.live_batch(&caller.account).await?;
        let generation = live.ok_or(Refusal::NoPendingBatch)?.generation;
        let holder = caller.holder();
        let shown = self
            .store
            .shown(&caller.account, Some(generation), holder.as_ref(), now)
            .await?
            .ok_or(Refusal::NoPendingBatch)?;
        let row = event::by(caller, EventKind::CodesShownAgain, now).about(shown.generation);
        self.store.record(vec![row]).await?;
        let until = shown.seed_until;
        let mut issued = self.redraw(&caller.account, &shown, false)?;
        issued.expires_at = Some(until);
        Ok(issued)
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
        self.recovery_codes_are_on().await?;
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
            Authority::Challenge { .. }
                | Authority::Session { .. }
                | Authority::Bearer { .. }
                | Authority::Carried { .. }
        );
        if by_person && !self.is_proven(caller, now).await? {
            return Err(Refusal::FreshProofRequired.into());
        }
        let row = event::by(caller, EventKind::CodesRevoked, now);
        Ok(self.store.revoke(&caller.account, now, row).await?)
    }

    pub(super) async fn recovery_codes_are_on(&self) -> Result<()> {
        if self.recovery_codes().await? {
            Ok(())
        } else {
            Err(Refusal::RecoveryCodesOff.into())
        }
    }

    /// Issuing over a live batch needs a factor proven just now; the first batch needs the one
    /// that enrollment proved. A host's word on a live batch must be as fresh.
    async fn may_issue(&self, caller: &Caller, now: Timestamp) -> Result<()> {
        if self.is_proven(caller, now).await? {
            return Ok(());
        }
        let first = match &caller.authority {
            Authority::Host { proof, .. } => proof.is_some(),
            Authority::Challenge { factor_at, .. } => factor_at.is_some(),
            Authority::Session { .. }
            | Authority::Bearer { .. }
            | Authority::Carried { .. }
            | Authority::Manager { .. }
            | Authority::Administrator => false,
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
            .ok_or(Refusal::IdempotencySpent)?;
        self.redraw(&caller.account, &shown, true).map(Some)
    }
}
