//! Drawing a batch from a seed, digesting it, and drawing it again from the sealed seed.
//!
//! Everything but storing it. A code and its seed leave here only inside types that are zeroed.

use spare_key_core::{Batch, Spec};
use zeroize::Zeroizing;

use super::{Authority, Caller, Fault, Issued, Mfa, NumberedCode, Refusal, Result, event};
use crate::entropy::{SeedStream, draw_bytes};
use crate::hasher::{Job, Lane, Permit};
use crate::keyring::{Sealing, scope};
use crate::model::{
    AccountId, BatchState, EventKind, Generation, Locator, Scheme, SecretDigest, Timestamp,
    TokenDigest,
};
use crate::store::{Activation, Beside, NewBatch, NewCode, Over, Shown, Stage};

impl Mfa {
    /// Places in the pool for the batch that this caller is to get: as many as it has codes.
    ///
    /// # Errors
    /// Busy.
    pub(super) fn place_for(&self, caller: &Caller, spec: Spec) -> Result<Permit> {
        let hashes = usize::from(spec.count());
        let asker = caller.asker();
        Ok(self.hasher.admit_for(Lane::Codes, hashes, asker)?)
    }

    /// The codes of a batch again, from its sealed seed.
    pub(super) fn redraw(
        &self,
        account: &AccountId,
        shown: &Shown,
        replayed: bool,
    ) -> Result<Issued> {
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
        let generation = match self.store.account(account).await? {
            Some(account) => account.last_generation,
            None => self.store.first_number().await?,
        }
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
            jobs.push(self.code_job(account, generation, scheme, salt, code.canonical())?);
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
                imported: None,
                scheme,
                codes: stored_codes(locators, digests),
                holder: caller.holder().unwrap_or_else(|| no_holder(account)),
                seed: sealed,
                seed_until: now.plus(self.policy.pending_for),
                issued_at: now,
            },
            activation: Activation::OnConfirm,
            beside: self.beside(caller).await?,
            over: Over::Anything,
            idempotency: None,
            step_up: None,
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
        secret: &[u8],
    ) -> Result<Job> {
        Ok(Job {
            secret: Zeroizing::new(secret.to_vec()),
            salt,
            pepper: self.keyring.pepper(scheme.key)?,
            bound_to: scope(b"code", account, &generation.0.to_be_bytes()),
            params: scheme.params,
        })
    }

    /// For those who act for others, an account that a host vouches for (it has no login here and
    /// lives at no issuer) stays so.
    pub(super) async fn beside(&self, caller: &Caller) -> Result<Beside> {
        let for_others = matches!(
            caller.authority,
            Authority::Administrator | Authority::Manager { .. }
        );
        if !for_others {
            return Ok(caller.beside());
        }
        let account = self
            .store
            .account(&caller.account)
            .await?
            .ok_or(Refusal::UnknownAccount)?;
        Ok(if account.login.is_some() || account.issuer.is_some() {
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

impl Draft {
    /// Live in the transaction that stores it.
    pub(super) fn at_once(mut self, caller: &Caller, now: Timestamp) -> Self {
        let activated = event::by(caller, EventKind::CodesActivated, now)
            .about(self.stage.batch.generation)
            .because("at once");
        self.stage.events.push(activated);
        self.stage.activation = Activation::AtOnce;
        self.issued.state = BatchState::Active;
        self
    }
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
            recipe: None,
        })
        .collect()
}

/// Hosts and administrators hold their batches by their right, not by a session.
fn no_holder(account: &AccountId) -> TokenDigest {
    TokenDigest(scope(b"no holder", account, &[]))
}
