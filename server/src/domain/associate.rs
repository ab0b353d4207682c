//! Enrolling for a program: an authenticator and its first codes together, confirmed by the grant.
//!
//! Nothing is live before the first verification, which is one transaction with the session it
//! opens. An association that is begun again replaces what waits and shows its codes again.

use spare_key_core::Spec;

use super::binding::{Binding, Waiting, waiting_for_sign_in};
use super::draft::Draft;
use super::{
    Authority, Caller, Enrollment, Error, Issued, Mfa, Opened, Refusal, Result, event, totp,
};
use crate::metrics::SignIn;
use crate::model::{AuthenticatorId, EventKind, Timestamp, TokenDigest};
use crate::store::{Beside, NamedTotp, Others, Progress, Staged, TotpRemoved};

/// Tries at staging while others change the same account.
const TRIES: u32 = 5;

/// An authenticator that waits for its first password, and the codes that wait with it.
#[derive(Debug)]
pub struct Association {
    /// What the app needs.
    pub enrollment: Enrollment,
    /// The codes of a first association, where there are recovery codes.
    pub codes: Option<Issued>,
}

impl Mfa {
    /// Begins binding an authenticator for a program, replacing one that waits. The first of an
    /// account comes with a single recovery code, pending until the authenticator is confirmed.
    ///
    /// # Errors
    /// [`Refusal::AlreadyEnrolled`] of who has one and is not in,
    /// [`Refusal::FreshProofRequired`]; busy; a fault.
    pub async fn associate(&self, caller: &Caller) -> Result<Association> {
        let now = self.now();
        let Binding { holder, .. } = self.may_bind(caller, now).await?;
        let first = match caller.authority {
            Authority::Challenge { .. } => self.recovery_codes().await?,
            _ => false,
        };
        // Before anything is replaced: who is told "busy" has lost nothing.
        let permit = match first {
            true => Some(self.place_for(caller, Spec::SINGLE)?),
            false => None,
        };
        self.begin_totp(caller, holder, now).await?;
        let codes = match permit {
            Some(permit) => {
                let until = now.plus(self.policy.mfa_token_for);
                self.stage_with(caller, holder, &permit, (now, until), Spec::SINGLE)
                    .await?
            }
            None => None,
        };
        Ok(Association {
            enrollment: self.pending_enrollment(caller).await?,
            codes,
        })
    }

    /// Stages the codes of an enrollment, pending until then. `None`: codes are live already.
    pub(super) async fn stage_with(
        &self,
        caller: &Caller,
        holder: TokenDigest,
        permit: &crate::hasher::Permit,
        (now, until): (Timestamp, Timestamp),
        spec: Spec,
    ) -> Result<Option<Issued>> {
        for _ in 0..TRIES {
            let draft = self.draft(caller, spec, now, permit).await?;
            let Draft { mut stage, issued } = draft;
            stage.beside = Beside::Enrolling(holder);
            stage.batch.holder = holder;
            stage.batch.seed_until = until;
            match self.store.stage(stage).await? {
                Staged::Done => {
                    self.metrics.issued();
                    return Ok(Some(issued));
                }
                Staged::NoAuthenticator => return Ok(None),
                Staged::NoAccount => return Err(Refusal::ChallengeGone.into()),
                Staged::NoProof => return Err(Refusal::FreshProofRequired.into()),
                Staged::GenerationTaken | Staged::HasCodes | Staged::KeyTaken => {}
            }
        }
        Err(Error::CONTENDED)
    }

    /// Completes a program's challenge with a one-time password: of a bound authenticator, or of
    /// one that waits for its first, which is bound then with the codes that wait beside it.
    ///
    /// # Errors
    /// [`Refusal::MalformedOtp`], [`Refusal::OtpNotAccepted`], [`Refusal::OtpThrottled`],
    /// [`Refusal::NoPendingAuthenticator`] where there is none to prove,
    /// [`Refusal::ChallengeGone`]; a fault.
    pub async fn pass_with_otp(&self, caller: &Caller, otp: &str) -> Result<Opened> {
        let Authority::Challenge { digest, .. } = caller.authority else {
            return Err(Refusal::OutOfOrder.into());
        };
        let digits = totp::parse(otp).ok_or(Refusal::MalformedOtp)?;
        let now = self.now();
        let bound = self.store.authenticators(&caller.account).await?;
        let waiting = self.waiting(caller, digest, bound.is_empty(), now).await?;
        if bound.is_empty() && waiting.is_empty() {
            return Err(Refusal::NoPendingAuthenticator.into());
        }
        let tries_left = self.reserve_otp(caller, now).await?;
        let (opened, session) = self.session_by_factor(caller, now)?;
        let progress = Progress::Grant {
            challenge: digest,
            session,
        };
        if let Some((id, step)) = self.matching(caller, &bound, &digits, now)? {
            self.accept(caller, id, step, progress, tries_left).await?;
            return Ok(opened);
        }
        for waiting in waiting {
            let pending = &waiting.pending;
            let secret = self.open_secret(caller, &pending.id, &pending.secret)?;
            let Some(step) = totp::matching_step(&secret, &digits, now) else {
                continue;
            };
            let codes = self.recovery_codes().await?.then(|| {
                event::by(caller, EventKind::CodesActivated, now).because("with its authenticator")
            });
            let replaces = waiting.others == Others::Replace;
            self.bind(caller, waiting, step, progress, codes).await?;
            self.metrics.sign_in(SignIn::OtpAccepted);
            if replaces {
                // As on our own pages: whoever holds the lost one may be in with it.
                self.store
                    .end_sessions(&caller.account, Some(&opened.session))
                    .await?;
            }
            return Ok(opened);
        }
        self.otp_refused(caller, tries_left, now).await
    }

    /// What this challenge may confirm: what it began itself where nothing is bound, and what was
    /// begun for the next sign-in.
    async fn waiting(
        &self,
        caller: &Caller,
        challenge: TokenDigest,
        first: bool,
        now: Timestamp,
    ) -> Result<Vec<Waiting>> {
        let own = first.then_some(Binding {
            holder: challenge,
            others: Others::Keep,
        });
        let begun_before = [Others::Keep, Others::Replace]
            .map(|others| waiting_for_sign_in(&caller.account, others));
        let mut found = Vec::new();
        for Binding { holder, others } in own.into_iter().chain(begun_before) {
            let pending = self
                .store
                .pending_totp(&caller.account, &holder, now)
                .await?;
            found.extend(pending.map(|pending| Waiting {
                pending,
                holder,
                others,
            }));
        }
        Ok(found)
    }

    /// The account's authenticator that waits for its first password: its name, and when it was
    /// begun.
    ///
    /// # Errors
    /// A fault.
    pub async fn waiting_factor(
        &self,
        caller: &Caller,
    ) -> Result<Option<(AuthenticatorId, Timestamp)>> {
        let waiting = self.store.waiting_totp(&caller.account, self.now()).await?;
        Ok(waiting.map(|(id, begun_at, _)| (id, begun_at)))
    }

    /// The authenticator of this name, whosever it is.
    ///
    /// # Errors
    /// [`Refusal::UnknownAuthenticator`]; a fault.
    pub async fn named_factor(&self, id: &AuthenticatorId) -> Result<NamedTotp> {
        let found = self.store.named_totp(id, self.now()).await?;
        found.ok_or_else(|| Refusal::UnknownAuthenticator.into())
    }

    /// Unbinds an authenticator. With the last one go the codes.
    ///
    /// # Errors
    /// [`Refusal::FreshProofRequired`] of a person, [`Refusal::UnknownAuthenticator`]; a fault.
    pub async fn remove_factor(&self, caller: &Caller, id: &AuthenticatorId) -> Result<()> {
        let now = self.now();
        if !self.is_proven(caller, now).await? {
            return Err(Refusal::FreshProofRequired.into());
        }
        let remove = self.removal(caller, id, now);
        match self.store.remove_totp(remove).await? {
            TotpRemoved::Done | TotpRemoved::Last => Ok(()),
            TotpRemoved::Gone => Err(Refusal::UnknownAuthenticator.into()),
            TotpRemoved::NoProof => Err(Refusal::FreshProofRequired.into()),
        }
    }
}
