//! A person's authenticators, numbered and named, for what they carry: enroll, confirm, prove,
//! remove.
//!
//! The first comes with codes that wait with it. Removing one is proven by a one-time password or a
//! code, spent in the same transaction.

use zeroize::Zeroizing;

use super::binding::{Binding, Waiting};
use super::{Authority, Caller, Issued, Mfa, Presented, Refusal, Result, event, totp};
use crate::model::{AuthenticatorId, BatchState, EventKind, Timestamp};
use crate::store::{Carried, Others, Progress, RemoveTotp, TotpCard, TryTotp};

/// An authenticator as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its number: never used twice, and no secret.
    pub number: i64,
    /// Its public name.
    pub id: AuthenticatorId,
    /// What its owner calls it, where they have said.
    pub name: Option<String>,
    /// When it was bound; `None`: it waits for its first password.
    pub confirmed_at: Option<Timestamp>,
    /// When it was last accepted.
    pub last_used_at: Option<Timestamp>,
    /// When it, or the codes beside it, last changed.
    pub updated_at: Timestamp,
}

/// An authenticator that waits for its first password.
#[derive(Debug)]
pub struct DeviceEnrollment {
    /// Which.
    pub device: Device,
    /// The `otpauth:` address, for the QR code.
    pub uri: Zeroizing<String>,
    /// The codes that wait with it, where they are the account's first.
    pub codes: Option<Issued>,
}

/// What somebody proves a factor with.
#[derive(Debug, Clone, Copy)]
pub enum Proof<'a> {
    /// Six digits of an authenticator app.
    Otp(&'a str),
    /// A recovery code; it is spent.
    Code(&'a Presented),
}

/// An authenticator was unbound.
#[derive(Debug)]
pub struct Removed {
    /// Which, as it was.
    pub device: Device,
    /// When.
    pub at: Timestamp,
    /// Whether another is left.
    pub others: bool,
    /// The next code, live at once, where a single code was spent and others are left.
    pub replacement: Option<Issued>,
}

impl Mfa {
    /// The account's authenticators by number, also one that waits for its first password.
    ///
    /// # Errors
    /// A fault.
    pub async fn devices(&self, caller: &Caller) -> Result<Vec<Device>> {
        let now = self.now();
        let issued_at = self.codes_changed_at(caller, now).await?;
        let cards = self.store.totp_cards(&caller.account).await?;
        Ok(cards
            .into_iter()
            .filter(|card| card.confirmed_at.is_some() || waits(card, now))
            .map(|card| device(card, issued_at))
            .collect())
    }

    /// The bound authenticator of this number.
    ///
    /// # Errors
    /// [`Refusal::UnknownAuthenticator`], also of another's and of one that waits; a fault.
    pub async fn bound_device(&self, caller: &Caller, number: i64) -> Result<Device> {
        let found = self.devices(caller).await?.into_iter();
        found
            .filter(|device| device.confirmed_at.is_some())
            .find(|device| device.number == number)
            .ok_or_else(|| Refusal::UnknownAuthenticator.into())
    }

    /// Begins binding an authenticator in the place of one that waits. The account's first comes
    /// with codes, which stay the same when the same caller begins anew.
    ///
    /// # Errors
    /// [`Refusal::FreshProofRequired`] of who has one and has not just proven it; busy; a fault.
    pub async fn enroll_device(&self, caller: &Caller, name: &str) -> Result<DeviceEnrollment> {
        let now = self.now();
        let Binding { holder, .. } = self.may_bind(caller, now).await?;
        let until = now.plus(self.policy.pending_for);
        let on = self.recovery_codes().await?;
        let first = on && self.store.authenticators(&caller.account).await?.is_empty();
        let shown = match first {
            true => {
                let shown = self.store.shown(&caller.account, None, Some(&holder), now);
                let shown = shown.await?;
                shown.filter(|shown| shown.state == BatchState::Pending)
            }
            false => None,
        };
        // Before anything is replaced: who is told "busy" has lost nothing.
        let permit = match first && shown.is_none() {
            true => Some(self.place_for(caller, self.policy.batch)?),
            false => None,
        };
        // What waits together lapses together.
        let until = shown.as_ref().map_or(until, |shown| shown.seed_until);
        let name = Some(name.to_owned());
        self.begin_named(caller, holder, name, now, until).await?;
        let codes = match (&shown, permit) {
            (Some(shown), _) => {
                let row = event::by(caller, EventKind::CodesShownAgain, now);
                self.store.record(vec![row.about(shown.generation)]).await?;
                Some(self.redraw(&caller.account, shown, false)?)
            }
            (None, Some(permit)) => {
                let spec = self.policy.batch;
                self.stage_with(caller, holder, &permit, (now, until), spec)
                    .await?
            }
            (None, None) => None,
        };
        let pending = self
            .store
            .pending_totp(&caller.account, &holder, now)
            .await?
            .ok_or(Refusal::NoPendingAuthenticator)?;
        let secret = self.open_secret(caller, &pending.id, &pending.secret)?;
        let label = self.label(caller).await?;
        let devices = self.devices(caller).await?;
        let device = devices.into_iter().find(|device| device.id == pending.id);
        Ok(DeviceEnrollment {
            device: device.ok_or(Refusal::NoPendingAuthenticator)?,
            uri: totp::uri(&self.policy.product, &label, &secret),
            codes,
        })
    }

    /// Binds the authenticator of this number, which the same caller began, by its first password;
    /// the codes that wait with it go live, and the caller has just proven a factor. Says until
    /// when that counts.
    ///
    /// # Errors
    /// [`Refusal::UnknownAuthenticator`], [`Refusal::AlreadyEnrolled`],
    /// [`Refusal::EnrollmentExpired`], [`Refusal::MalformedOtp`], [`Refusal::OtpNotAccepted`],
    /// [`Refusal::OtpThrottled`], [`Refusal::SessionGone`]; a fault.
    pub async fn confirm_device(
        &self,
        caller: &Caller,
        number: i64,
        otp: &str,
    ) -> Result<Timestamp> {
        let carried = carried(caller)?;
        let digits = totp::parse(otp).ok_or(Refusal::MalformedOtp)?;
        let now = self.now();
        let cards = self.store.totp_cards(&caller.account).await?;
        let card = cards.into_iter().find(|card| card.number == number);
        let card = card.ok_or(Refusal::UnknownAuthenticator)?;
        if card.confirmed_at.is_some() {
            return Err(Refusal::AlreadyEnrolled.into());
        }
        if !waits(&card, now) {
            return Err(Refusal::EnrollmentExpired.into());
        }
        let holder = carried.digest();
        let pending = self
            .store
            .pending_totp(&caller.account, &holder, now)
            .await?
            .filter(|pending| pending.id == card.id)
            .ok_or(Refusal::UnknownAuthenticator)?;
        let tries_left = self.reserve_otp(caller, now).await?;
        let attempt = TryTotp {
            account: caller.account.clone(),
            id: card.id.clone(),
            holder,
            most: self.policy.first_tries,
            at: now,
        };
        let left = self.store.try_totp(attempt).await?;
        let left = left.ok_or(Refusal::UnknownAuthenticator)?;
        let secret = self.open_secret(caller, &pending.id, &pending.secret)?;
        let Some(step) = totp::matching_step(&secret, &digits, now) else {
            if left == 0 {
                let remove = self.removal(caller, &card.id, now);
                self.store.remove_totp(remove).await?;
            }
            return self.otp_refused(caller, tries_left, now).await;
        };
        let codes = self.recovery_codes().await?.then(|| {
            event::by(caller, EventKind::CodesActivated, now).because("with its authenticator")
        });
        let proven = Waiting {
            pending,
            holder,
            others: Others::Keep,
        };
        let progress = Progress::Freshen { carried };
        self.bind(caller, proven, step, progress, codes).await?;
        Ok(now.plus(self.policy.fresh_for))
    }

    /// Proves any bound authenticator of the caller's, and says until when that counts.
    ///
    /// # Errors
    /// [`Refusal::MalformedOtp`], [`Refusal::OtpNotAccepted`], [`Refusal::OtpThrottled`],
    /// [`Refusal::SessionGone`]; a fault.
    pub async fn prove_device(&self, caller: &Caller, otp: &str) -> Result<Timestamp> {
        let carried = carried(caller)?;
        let now = self.now();
        self.spend_otp(caller, otp, Progress::Freshen { carried }, now)
            .await?;
        Ok(now.plus(self.policy.fresh_for))
    }

    /// Unbinds the authenticator of this number, or drops one that waits; the proof is spent in the
    /// same transaction. With the last one go the codes.
    ///
    /// # Errors
    /// [`Refusal::UnknownAuthenticator`], [`Refusal::MalformedOtp`], [`Refusal::OtpNotAccepted`],
    /// [`Refusal::OtpThrottled`], [`Refusal::CodeNotAccepted`], [`Refusal::Throttled`]; busy; a
    /// fault.
    pub async fn remove_device(
        &self,
        caller: &Caller,
        number: i64,
        proof: Proof<'_>,
    ) -> Result<Removed> {
        carried(caller)?;
        let now = self.now();
        let devices = self.devices(caller).await?;
        let device = devices.into_iter().find(|device| device.number == number);
        let device = device.ok_or(Refusal::UnknownAuthenticator)?;
        let unbind = Progress::Unbind(Box::new(self.removal(caller, &device.id, now)));
        let replacement = match proof {
            Proof::Otp(otp) => {
                self.spend_otp(caller, otp, unbind, now).await?;
                None
            }
            Proof::Code(code) => {
                let redemption = self.redeem_for(caller, code, Some(unbind)).await?;
                redemption.replacement
            }
        };
        let others = !self.store.authenticators(&caller.account).await?.is_empty();
        Ok(Removed {
            device,
            at: now,
            others,
            replacement: replacement.filter(|_| others),
        })
    }

    /// Spends a one-time password of any bound authenticator, with what hangs on it.
    pub(super) async fn spend_otp(
        &self,
        caller: &Caller,
        otp: &str,
        progress: Progress,
        now: Timestamp,
    ) -> Result<()> {
        let digits = totp::parse(otp).ok_or(Refusal::MalformedOtp)?;
        let bound = self.store.authenticators(&caller.account).await?;
        let tries_left = self.reserve_otp(caller, now).await?;
        match self.matching(caller, &bound, &digits, now)? {
            Some((id, step)) => self.accept(caller, id, step, progress, tries_left).await,
            None => self.otp_refused(caller, tries_left, now).await,
        }
    }

    pub(super) fn removal(
        &self,
        caller: &Caller,
        id: &AuthenticatorId,
        now: Timestamp,
    ) -> RemoveTotp {
        RemoveTotp {
            account: caller.account.clone(),
            id: id.clone(),
            at: now,
            event: event::by(caller, EventKind::FactorRemoved, now),
            codes: event::by(caller, EventKind::CodesRevoked, now)
                .because("with the last authenticator"),
            devices: event::by(caller, EventKind::DeviceForgotten, now)
                .because("with the last authenticator"),
            step_up: caller.step_up(),
        }
    }

    async fn codes_changed_at(&self, caller: &Caller, now: Timestamp) -> Result<Option<Timestamp>> {
        let status = self.store.status(&caller.account, now).await?;
        Ok(status.latest.map(|batch| batch.issued_at))
    }
}

fn carried(caller: &Caller) -> Result<Carried> {
    match caller.authority {
        Authority::Carried { carried, .. } => Ok(carried),
        _ => Err(Refusal::OutOfOrder.into()),
    }
}

fn waits(card: &TotpCard, now: Timestamp) -> bool {
    card.confirmed_at.is_none() && card.expires_at.is_some_and(|at| at > now)
}

fn device(card: TotpCard, codes_changed_at: Option<Timestamp>) -> Device {
    let TotpCard {
        number,
        id,
        name,
        begun_at,
        confirmed_at,
        last_used_at,
        expires_at: _,
    } = card;
    let beside = confirmed_at.and(codes_changed_at);
    let changes = [confirmed_at, last_used_at, beside];
    let updated_at = changes.into_iter().flatten().fold(begun_at, Ord::max);
    Device {
        number,
        id,
        name,
        confirmed_at,
        last_used_at,
        updated_at,
    }
}
