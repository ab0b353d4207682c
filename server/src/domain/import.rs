//! Taking over codes that another system made, so that nobody has to print a new sheet.
//!
//! What a code's text becomes by its origin's own hash is hashed once more with ours, salted and
//! peppered, and only that is stored. An imported batch is a batch like any other, live at once: it
//! has a number, is redeemed once a code, is never added to, and ends when the person makes codes
//! here. All of an account's codes are taken or none.

use zeroize::Zeroizing;

use super::{Caller, Error, Mfa, Result, event};
use crate::entropy::draw_bytes;
use crate::hasher::{Asker, Lane, Recipe, Unfit, WORK_MAX, argon2_work};
use crate::model::{
    AccountId, EventKind, Generation, Imported, Scheme, Sealed, Timestamp, TokenDigest,
};
use crate::store::{Activation, Beside, NewBatch, NewCode, Over, Stage, Staged};

/// The most codes a batch may have.
pub const IMPORT_CODES_MAX: usize = 16;

/// The highest place on a sheet.
pub(crate) const IMPORT_NUMBER_MAX: u32 = 99;

/// Tries at storing while others change the same account.
const TRIES: u32 = 5;

/// One code as its origin kept it.
#[derive(Debug)]
pub struct ForeignVerifier {
    /// Its place on the sheet, from 1.
    pub number: u32,
    /// How its text was digested.
    pub recipe: Recipe,
    /// What came of it.
    pub digest: Zeroizing<Vec<u8>>,
}

/// An account's codes to be taken over.
#[derive(Debug)]
pub struct ForeignBatch {
    /// Whose.
    pub account: AccountId,
    /// Where they came from and how they are read.
    pub imported: Imported,
    /// The unused ones.
    pub codes: Vec<ForeignVerifier>,
}

/// What to do about accounts that are not here, and about those that have had codes.
#[derive(Debug, Clone, Copy)]
pub struct ImportHow {
    /// Make an account of a host's where there is none.
    pub create: bool,
    /// End the codes that there are, and those that wait.
    pub replace: bool,
}

/// Why an account's codes cannot be taken over, whatever the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportUnfit {
    /// None is left.
    #[error("no unused code")]
    Empty,
    /// More than a batch has.
    #[error("more than {IMPORT_CODES_MAX} codes")]
    TooMany,
    /// A number is 0, over 99, or of two codes.
    #[error("a code's number is 0, over {IMPORT_NUMBER_MAX} or another's")]
    Numbers,
    /// The same code twice.
    #[error("the same code twice")]
    Twins,
    /// A verifier cannot be run here.
    #[error(transparent)]
    Verifier(#[from] Unfit),
    /// All of them together would keep a worker for too long.
    #[error("verifying costs more than {WORK_MAX} hashes of this server for each attempt")]
    TooDear,
}

/// What came of an account's codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportOutcome {
    /// They are live, or would be.
    Taken,
    /// It has codes, has had some, or is just making some: left alone.
    HasCodes,
    /// There is no such account.
    NoAccount,
    /// It signs in here and has no authenticator: codes are never the only second factor.
    NoAuthenticator,
}

impl Mfa {
    /// Whether these codes can be taken over at all. Costs next to nothing.
    ///
    /// # Errors
    /// Why not.
    pub fn import_fits(&self, batch: &ForeignBatch) -> std::result::Result<(), ImportUnfit> {
        let codes = &batch.codes;
        if codes.is_empty() {
            return Err(ImportUnfit::Empty);
        }
        if codes.len() > IMPORT_CODES_MAX {
            return Err(ImportUnfit::TooMany);
        }
        for (at, code) in codes.iter().enumerate() {
            let others = &codes[..at];
            if !(1..=IMPORT_NUMBER_MAX).contains(&code.number)
                || others.iter().any(|other| other.number == code.number)
            {
                return Err(ImportUnfit::Numbers);
            }
            if others.iter().any(|other| other.digest == code.digest) {
                return Err(ImportUnfit::Twins);
            }
            code.recipe.fits(self.policy.hash)?;
        }
        let works = codes.iter().map(|code| code.recipe.work());
        let work = works.fold(0, u64::saturating_add);
        if work > argon2_work(self.policy.hash).saturating_mul(WORK_MAX) {
            return Err(ImportUnfit::TooDear);
        }
        Ok(())
    }

    /// Whether there is such an account.
    ///
    /// # Errors
    /// A fault.
    pub async fn is_known(&self, account: &AccountId) -> Result<bool> {
        Ok(self.store.account(account).await?.is_some())
    }

    /// What [`Mfa::import`] would answer now. Changes nothing.
    ///
    /// # Errors
    /// A fault.
    pub async fn would_import(&self, account: &AccountId, how: ImportHow) -> Result<ImportOutcome> {
        Ok(match self.importable(account, how, self.now()).await? {
            Ok(_) => ImportOutcome::Taken,
            Err(outcome) => outcome,
        })
    }

    /// Takes an account's codes over: live at once. They must fit ([`Mfa::import_fits`]).
    ///
    /// # Errors
    /// Busy; a fault. Nothing changed then.
    pub async fn import(&self, batch: &ForeignBatch, how: ImportHow) -> Result<ImportOutcome> {
        let asker = Asker::named(batch.account.as_str());
        let permit = self
            .hasher
            .admit_for(Lane::Codes, batch.codes.len(), asker)?;
        for _ in 0..TRIES {
            let now = self.now();
            let (generation, beside) = match self.importable(&batch.account, how, now).await? {
                Ok(next) => next,
                Err(outcome) => return Ok(outcome),
            };
            let scheme = Scheme {
                params: self.policy.hash,
                key: self.keyring.current(),
            };
            let account = &batch.account;
            let mut jobs = Vec::with_capacity(batch.codes.len());
            let mut locators = Vec::with_capacity(batch.codes.len());
            for code in &batch.codes {
                let salt = *draw_bytes::<16>(&*self.entropy)?;
                locators.push(self.keyring.locator(
                    scheme.key,
                    account,
                    generation,
                    &code.digest,
                )?);
                jobs.push(self.code_job(account, generation, scheme, salt, &code.digest)?);
            }
            let digests = permit.hash_all(jobs).await?;
            let codes = batch.codes.iter().zip(locators).zip(digests);
            let codes = codes.map(|((code, locator), digest)| NewCode {
                number: code.number,
                locator,
                digest,
                recipe: Some(code.recipe.text()),
            });
            let caller = Caller::administrator(account.clone());
            let mut row = event::by(&caller, EventKind::CodesImported, now)
                .about(generation)
                .because(batch.imported.origin.name());
            row.remaining = u32::try_from(batch.codes.len()).ok();
            let stage = Stage {
                batch: NewBatch {
                    account: account.clone(),
                    generation,
                    format: spare_key_core::Format::List,
                    imported: Some(batch.imported),
                    scheme,
                    codes: codes.collect(),
                    // Live at once and with no time left: neither is kept.
                    holder: TokenDigest([0; 32]),
                    seed: Sealed(Vec::new()),
                    seed_until: now,
                    issued_at: now,
                },
                activation: Activation::AtOnce,
                beside,
                over: if how.replace {
                    Over::Anything
                } else {
                    Over::Nothing
                },
                idempotency: None,
                step_up: None,
                events: vec![row],
            };
            match self.store.stage(stage).await? {
                Staged::Done => {
                    self.metrics.issued();
                    return Ok(ImportOutcome::Taken);
                }
                Staged::HasCodes => return Ok(ImportOutcome::HasCodes),
                Staged::NoAccount => return Ok(ImportOutcome::NoAccount),
                Staged::NoAuthenticator => return Ok(ImportOutcome::NoAuthenticator),
                Staged::GenerationTaken | Staged::KeyTaken | Staged::NoProof => {}
            }
        }
        Err(Error::CONTENDED)
    }

    /// The number that an imported batch would get, and what must stand beside it.
    async fn importable(
        &self,
        account: &AccountId,
        how: ImportHow,
        now: Timestamp,
    ) -> Result<std::result::Result<(Generation, Beside), ImportOutcome>> {
        let Some(found) = self.store.account(account).await? else {
            return Ok(if how.create {
                Ok((Generation(1), Beside::Host))
            } else {
                Err(ImportOutcome::NoAccount)
            });
        };
        let status = self.store.status(account, now).await?;
        if !how.replace && (status.latest.is_some() || status.pending.is_some()) {
            return Ok(Err(ImportOutcome::HasCodes));
        }
        let beside = self.beside(&Caller::administrator(account.clone())).await?;
        if beside == Beside::Authenticator && self.store.authenticators(account).await?.is_empty() {
            return Ok(Err(ImportOutcome::NoAuthenticator));
        }
        Ok(Ok((found.last_generation.next(), beside)))
    }
}
