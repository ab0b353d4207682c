//! Authenticators: binding a TOTP app, proving it, putting a new one in the lost one's place.
//!
//! The secret is sealed under the keyring, bound to account and authenticator. A time step is
//! accepted once (RFC 6238, 5.2) and its acceptance carries whatever it brings about in the same
//! transaction. Guessing has a throttle of its own, behind the first factor.

use zeroize::Zeroizing;

use super::binding::{Binding, Waiting};
use super::{Authority, Caller, Mfa, Refusal, Result, event, totp};
use crate::entropy::{draw_authenticator_id, draw_bytes};
use crate::keyring::{Sealing, token_digest};
use crate::metrics::SignIn;
use crate::model::{AuthenticatorId, EventKind, Millis, Sealed, Timestamp, Token, TokenDigest};
use crate::store::{
    self, AcceptTotp, BoundTotp, ConfirmTotp, Door, NewEvent, NewTotp, Others, Progress, Reserved,
    TotpAccepted, TotpConfirmed,
};

/// An authenticator that waits for its first password: what the app needs.
pub struct Enrollment {
    /// The secret in base32, for typing.
    pub secret: Zeroizing<String>,
    /// The `otpauth:` address, for the QR code.
    pub uri: Zeroizing<String>,
    /// How the app will name the account.
    pub label: String,
    /// Whether it takes the place of another.
    pub replaces: bool,
}

impl std::fmt::Debug for Enrollment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enrollment(…)")
    }
}

/// A bound authenticator as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// Its public name.
    pub id: AuthenticatorId,
    /// When it was bound.
    pub confirmed_at: Timestamp,
    /// When it was last accepted.
    pub last_used_at: Option<Timestamp>,
}

/// What a one-time password brought about.
#[derive(Debug)]
pub enum Passed {
    /// A session: the person is in, or has a fresher one in place of the old.
    Session(Token),
    /// The factor is proven; recovery codes are still to be saved.
    SaveCodes,
}

impl Mfa {
    /// Begins binding an authenticator; one begun before and still waiting stays as it is.
    ///
    /// # Errors
    /// [`Refusal::AlreadyEnrolled`] of who has one and is not in,
    /// [`Refusal::FreshProofRequired`]; a fault.
    pub async fn begin_enrollment(&self, caller: &Caller) -> Result<()> {
        let now = self.now();
        let Binding { holder, .. } = self.may_bind(caller, now).await?;
        let waiting = self
            .store
            .pending_totp(&caller.account, &holder, now)
            .await?;
        match waiting {
            Some(_) => Ok(()),
            None => self.begin_totp(caller, holder, now).await,
        }
    }

    /// Draws a secret and stores it as a pending authenticator, in the place of any other that
    /// waits.
    pub(super) async fn begin_totp(
        &self,
        caller: &Caller,
        holder: TokenDigest,
        now: Timestamp,
    ) -> Result<()> {
        // Not longer than who may confirm it: what waits is listed.
        let waits_for = match &caller.authority {
            Authority::Challenge {
                door: Door::Program(_),
                ..
            } => self.policy.mfa_token_for,
            _ => self.policy.challenge_for,
        };
        self.begin_named(caller, holder, None, now, now.plus(waits_for))
            .await
    }

    /// The same under a name, waiting until `expires_at`.
    pub(super) async fn begin_named(
        &self,
        caller: &Caller,
        holder: TokenDigest,
        name: Option<String>,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<()> {
        let id = draw_authenticator_id(&*self.entropy)?;
        self.begin_as(caller, (holder, id), name, now, expires_at)
            .await
    }

    /// The same, to be known as `id`.
    pub(super) async fn begin_as(
        &self,
        caller: &Caller,
        (holder, id): (TokenDigest, AuthenticatorId),
        name: Option<String>,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<()> {
        let secret = draw_bytes::<{ totp::SECRET_BYTES }>(&*self.entropy)?;
        let what = Sealing::Totp(&id.0);
        let sealed = self
            .keyring
            .seal(&*self.entropy, &caller.account, what, secret.as_slice())?;
        let new = NewTotp {
            id,
            account: caller.account.clone(),
            name,
            secret: sealed,
            holder,
            at: now,
            expires_at,
        };
        Ok(self.store.begin_totp(new).await?)
    }

    /// What the app needs of the authenticator that was begun; a reload shows the same.
    ///
    /// # Errors
    /// [`Refusal::NoPendingAuthenticator`], and those of [`Mfa::begin_enrollment`]; a fault.
    pub async fn pending_enrollment(&self, caller: &Caller) -> Result<Enrollment> {
        let now = self.now();
        let Binding { holder, others } = self.may_bind(caller, now).await?;
        let pending = self
            .store
            .pending_totp(&caller.account, &holder, now)
            .await?
            .ok_or(Refusal::NoPendingAuthenticator)?;
        let secret = self.open_secret(caller, &pending.id, &pending.secret)?;
        let label = self.label(caller).await?;
        Ok(Enrollment {
            uri: totp::uri(&self.policy.product, &label, &secret),
            secret: totp::base32(&secret),
            label,
            replaces: others == Others::Replace,
        })
    }

    /// Binds the pending authenticator with its first password.
    ///
    /// # Errors
    /// [`Refusal::MalformedOtp`], [`Refusal::OtpNotAccepted`], [`Refusal::OtpThrottled`],
    /// [`Refusal::NoPendingAuthenticator`], and those of [`Mfa::begin_enrollment`]; a fault.
    pub async fn confirm_enrollment(&self, caller: &Caller, otp: &str) -> Result<Passed> {
        let digits = totp::parse(otp).ok_or(Refusal::MalformedOtp)?;
        let now = self.now();
        let Binding { holder, others } = self.may_bind(caller, now).await?;
        let pending = self
            .store
            .pending_totp(&caller.account, &holder, now)
            .await?
            .ok_or(Refusal::NoPendingAuthenticator)?;
        let tries_left = self.reserve_otp(caller, now).await?;
        let secret = self.open_secret(caller, &pending.id, &pending.secret)?;
        let Some(step) = totp::matching_step(&secret, &digits, now) else {
            return self.otp_refused(caller, tries_left, now).await;
        };
        let (passed, progress) = self.progress(caller, now).await?;
        let proven = Waiting {
            pending,
            holder,
            others,
        };
        self.bind(caller, proven, step, progress, None).await?;
        if let (Others::Replace, Passed::Session(token)) = (others, &passed) {
            // Whoever holds the lost authenticator may be in with it. If this breaks, the
            // replacement stands, and the fault is told: the others can sign out by hand.
            let here = token_digest(token);
            self.store
                .end_sessions(&caller.account, Some(&here))
                .await?;
        }
        Ok(passed)
    }

    /// Makes a pending authenticator a bound one, with the progress and the codes that hang on it.
    pub(super) async fn bind(
        &self,
        caller: &Caller,
        proven: Waiting,
        step: i64,
        progress: Progress,
        codes: Option<NewEvent>,
    ) -> Result<()> {
        let Waiting {
            pending,
            holder,
            others,
        } = proven;
        let now = self.now();
        let over = gone(caller, &progress);
        let kind = match others {
            Others::Replace => EventKind::FactorReplaced,
            Others::Keep => EventKind::FactorEnrolled,
        };
        let confirm = ConfirmTotp {
            account: caller.account.clone(),
            id: pending.id,
            holder,
            step,
            others,
            progress,
            codes,
            name: None,
            shown_again: None,
            idempotency: None,
            at: now,
            event: event::by(caller, kind, now),
        };
        match self.store.confirm_totp(confirm).await? {
            TotpConfirmed::Done => Ok(()),
            TotpConfirmed::Gone => Err(Refusal::NoPendingAuthenticator.into()),
            TotpConfirmed::NoProgress => Err(over.into()),
            TotpConfirmed::KeyTaken => Err(Refusal::IdempotencyConflict.into()),
        }
    }

    /// Proves a bound authenticator: completes a challenge, or freshens a session (step-up).
    ///
    /// # Errors
    /// [`Refusal::MalformedOtp`], [`Refusal::OtpNotAccepted`], [`Refusal::OtpThrottled`],
    /// [`Refusal::NoAuthenticator`], [`Refusal::ChallengeGone`], [`Refusal::SessionGone`];
    /// a fault.
    pub async fn prove_totp(&self, caller: &Caller, otp: &str) -> Result<Passed> {
        let (passed, _) = self.prove_in(caller, otp, None).await?;
        Ok(passed)
    }

    /// Spends a time step, with the progress that hangs on it.
    pub(super) async fn accept(
        &self,
        caller: &Caller,
        id: AuthenticatorId,
        step: i64,
        progress: Progress,
        tries_left: u32,
    ) -> Result<()> {
        let now = self.now();
        let over = gone(caller, &progress);
        let accept = AcceptTotp {
            account: caller.account.clone(),
            id,
            step,
            progress,
            at: now,
            event: event::by(caller, EventKind::FactorVerified, now),
        };
        match self.store.accept_totp(accept).await? {
            TotpAccepted::Done => {
                self.metrics.sign_in(SignIn::OtpAccepted);
                Ok(())
            }
            TotpAccepted::StepSpent => self.otp_refused(caller, tries_left, now).await,
            TotpAccepted::NoProgress => Err(over.into()),
        }
    }

    /// The account's bound authenticators, oldest first.
    ///
    /// # Errors
    /// A fault.
    pub async fn factors(&self, caller: &Caller) -> Result<Vec<Factor>> {
        let bound = self.store.authenticators(&caller.account).await?;
        Ok(bound
            .into_iter()
            .map(
                |BoundTotp {
                     id,
                     confirmed_at,
                     last_used_at,
                     ..
                 }| Factor {
                    id,
                    confirmed_at,
                    last_used_at,
                },
            )
            .collect())
    }

    /// Binds an authenticator whose secret is given: the demo tenant's, and administration.
    ///
    /// # Errors
    /// [`Refusal::MalformedOtp`] for a secret that is none; a fault.
    pub async fn bind_known_secret(&self, caller: &Caller, base32: &str) -> Result<()> {
        let secret = totp::parse_base32(base32).ok_or(Refusal::MalformedOtp)?;
        let now = self.now();
        let id = draw_authenticator_id(&*self.entropy)?;
        let holder = TokenDigest(*draw_bytes::<32>(&*self.entropy)?);
        let what = Sealing::Totp(&id.0);
        let sealed = self
            .keyring
            .seal(&*self.entropy, &caller.account, what, &secret)?;
        self.store
            .begin_totp(NewTotp {
                id: id.clone(),
                account: caller.account.clone(),
                name: None,
                secret: sealed,
                holder,
                at: now,
                expires_at: now.plus(Millis::minutes(1)),
            })
            .await?;
        let confirm = ConfirmTotp {
            account: caller.account.clone(),
            id,
            holder,
            // No password was seen, so none is spent: two steps back are past every window.
            step: now.0.div_euclid(1_000).div_euclid(totp::STEP) - 2,
            others: Others::Keep,
            progress: Progress::Nothing,
            codes: None,
            name: None,
            shown_again: None,
            idempotency: None,
            at: now,
            event: event::by(caller, EventKind::FactorEnrolled, now).because("given secret"),
        };
        match self.store.confirm_totp(confirm).await? {
            TotpConfirmed::Done => Ok(()),
            TotpConfirmed::Gone | TotpConfirmed::NoProgress | TotpConfirmed::KeyTaken => {
                Err(Refusal::NoPendingAuthenticator.into())
            }
        }
    }

    /// What a proven factor brings about for this caller.
    pub(super) async fn progress(
        &self,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(Passed, Progress)> {
        match &caller.authority {
            Authority::Challenge {
                digest,
                door: Door::Pages,
                ..
            } => {
                let codes_due = self.recovery_codes().await?
                    && self.store.live_batch(&caller.account).await?.is_none();
                if codes_due {
                    return Ok((
                        Passed::SaveCodes,
                        Progress::FactorProven { challenge: *digest },
                    ));
                }
                let (token, session) = self.full_session(&caller.account, now)?;
                let progress = Progress::Grant {
                    challenge: *digest,
                    session,
                };
                Ok((Passed::Session(token), progress))
            }
            Authority::Session {
                digest,
                auth_time,
                opened_by,
                client: None,
                ..
            } => {
                let (token, mut next) = self.full_session(&caller.account, now)?;
                next.auth_time = *auth_time;
                next.opened_by = *opened_by;
                let progress = Progress::StepUp {
                    session: *digest,
                    next,
                };
                Ok((Passed::Session(token), progress))
            }
            Authority::Challenge { .. }
            | Authority::Session { .. }
            | Authority::Bearer { .. }
            | Authority::Carried { .. }
            | Authority::Host { .. }
            | Authority::Manager { .. }
            | Authority::Administrator => Err(Refusal::OutOfOrder.into()),
        }
    }

    pub(super) fn matching(
        &self,
        caller: &Caller,
        bound: &[BoundTotp],
        digits: &str,
        now: Timestamp,
    ) -> Result<Option<(AuthenticatorId, i64)>> {
        for authenticator in bound {
            let secret = self.open_secret(caller, &authenticator.id, &authenticator.secret)?;
            if let Some(step) = totp::matching_step(&secret, digits, now) {
                return Ok(Some((authenticator.id.clone(), step)));
            }
        }
        Ok(None)
    }

    pub(super) async fn reserve_otp(&self, caller: &Caller, now: Timestamp) -> Result<u32> {
        let policy = self.policy.totp_throttle;
        let reserved = self
            .store
            .reserve_attempt(&caller.account, store::Lane::Totp, policy, now)
            .await?;
        let retry_at = match reserved {
            Reserved::Granted { tries_left, .. } => return Ok(tries_left),
            Reserved::Throttled { retry_at } => Some(retry_at),
            Reserved::Dead => None,
        };
        self.metrics.sign_in(SignIn::OtpThrottled);
        Err(Refusal::OtpThrottled { retry_at }.into())
    }

    pub(super) async fn otp_refused<T>(
        &self,
        caller: &Caller,
        tries_left: u32,
        now: Timestamp,
    ) -> Result<T> {
        self.metrics.sign_in(SignIn::OtpRefused);
        self.store
            .record(vec![event::by(caller, EventKind::FactorRefused, now)])
            .await?;
        Err(Refusal::OtpNotAccepted { tries_left }.into())
    }

    pub(super) fn open_secret(
        &self,
        caller: &Caller,
        id: &AuthenticatorId,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>> {
        Ok(self
            .keyring
            .open(&caller.account, Sealing::Totp(&id.0), sealed)?)
    }

    /// How the authenticator app will name the account.
    pub(super) async fn label(&self, caller: &Caller) -> Result<String> {
        let account = self.store.account(&caller.account).await?;
        Ok(account
            .and_then(|account| account.login)
            .unwrap_or_else(|| caller.account.as_str().to_owned()))
    }
}

/// What is told of a guard that was in the way of what a proof was for.
pub(super) fn gone(caller: &Caller, progress: &Progress) -> Refusal {
    match (progress, &caller.authority) {
        (Progress::Unbind(_), _) => Refusal::UnknownAuthenticator,
        (_, Authority::Session { .. } | Authority::Carried { .. } | Authority::Bearer { .. }) => {
            Refusal::SessionGone
        }
        _ => Refusal::ChallengeGone,
    }
}
