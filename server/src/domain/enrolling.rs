//! Enrolling within a session that access tokens are of: a token for what waits, and at the end a
//! named factor, with the account's first codes live when they are shown.

use zeroize::Zeroizing;

use super::binding::{Binding, Waiting};
use super::{
    Authority, Caller, Device, FactorKind, IdempotencyKey, Issued, Mfa, Refusal, Result, event,
    totp,
};
use crate::entropy::draw_token;
use crate::keyring::digest_parts;
use crate::model::{
    AuthenticatorId, BatchState, EventKind, Generation, Millis, Timestamp, Token, TokenDigest,
};
use crate::store::{
    ConfirmTotp, Idempotency, NewIdempotency, Others, Progress, StepUpUse, TotpConfirmed, TryTotp,
};

/// What stands before a token's value, so that people and scanners see what it is.
const PREFIX: &str = "en_";

/// How long it waits for its first password.
const WAITS_FOR: Millis = Millis::minutes(5);

/// An authenticator that waits for its first password.
pub struct FactorEnrollment {
    /// What it is confirmed with, beside that password.
    pub token: Token,
    /// The `otpauth:` address, for the QR code.
    pub uri: Zeroizing<String>,
    /// The secret in base32, for typing.
    pub secret: Zeroizing<String>,
}

impl std::fmt::Debug for FactorEnrollment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FactorEnrollment(…)")
    }
}

/// A factor to confirm.
#[derive(Debug)]
pub struct NewFactor<'a> {
    /// What was got when it was begun.
    pub token: &'a Token,
    /// Its first password.
    pub otp: &'a str,
    /// What its owner calls it.
    pub label: &'a str,
    /// The caller's idempotency key, if it sent one.
    pub idempotency: Option<IdempotencyKey>,
}

/// A factor was bound.
#[derive(Debug)]
pub struct FactorEnrolled {
    /// Which.
    pub device: Device,
    /// The account's codes, live, where these are the first.
    pub codes: Option<Issued>,
    /// The live batch's number; 0 where there is none.
    pub generation: Generation,
    /// Whether this is an answer given before, given again.
    pub replayed: bool,
}

impl Mfa {
    /// Begins binding an authenticator, in the place of one that waits.
    ///
    /// # Errors
    /// [`Refusal::FactorNotAllowed`]; [`Refusal::FreshProofRequired`] of who has one and has not
    /// proven it in this session; a fault.
    pub async fn begin_factor(&self, caller: &Caller) -> Result<FactorEnrollment> {
        let session = session_of(caller)?;
        let now = self.now();
        self.may_enroll(FactorKind::Totp).await?;
        self.may_bind(caller, now).await?;
        let token = draw_token(&*self.entropy)?.behind(PREFIX);
        let holder = holder(session, &token);
        let known = (holder, factor_id(&token));
        self.begin_as(caller, known, None, now, now.plus(WAITS_FOR))
            .await?;
        let pending = self
            .store
            .pending_totp(&caller.account, &holder, now)
            .await?
            .ok_or(Refusal::NoPendingAuthenticator)?;
        let secret = self.open_secret(caller, &pending.id, &pending.secret)?;
        let label = self.label(caller).await?;
        Ok(FactorEnrollment {
            token,
            uri: totp::uri(&self.policy.product, &label, &secret),
            secret: totp::base32(&secret),
        })
    }

    /// Binds the authenticator by its first password. The account's first codes go live with it.
    ///
    /// # Errors
    /// Those of [`Mfa::begin_factor`]; [`Refusal::NoPendingAuthenticator`] of a token that is not
    /// this session's, has run out or was used; [`Refusal::MalformedOtp`],
    /// [`Refusal::OtpNotAccepted`], [`Refusal::OtpThrottled`]; [`Refusal::IdempotencyConflict`],
    /// [`Refusal::IdempotencySpent`]; busy; a fault.
    pub async fn confirm_factor(
        &self,
        caller: &Caller,
        new: NewFactor<'_>,
    ) -> Result<FactorEnrolled> {
        let session = session_of(caller)?;
        let now = self.now();
        if let Some(key) = &new.idempotency
            && let Some(before) = self.store.idempotency(&key.key, now).await?
        {
            return self.enrolled_before(caller, (&new, key), before, now).await;
        }
        self.may_enroll(FactorKind::Totp).await?;
        let Binding { others, .. } = self.may_bind(caller, now).await?;
        let step_up = match self.binding_needs_step_up(caller).await? {
            true => caller.step_up(),
            false => None,
        };
        let holder = holder(session, new.token);
        let pending = self
            .store
            .pending_totp(&caller.account, &holder, now)
            .await?
            .ok_or(Refusal::NoPendingAuthenticator)?;
        let digits = totp::parse(new.otp).ok_or(Refusal::MalformedOtp)?;
        let on = self.recovery_codes().await?;
        let first = on && self.store.authenticators(&caller.account).await?.is_empty();
        // Before anything is charged: who is told "busy" has lost nothing.
        let permit = match first {
            true => Some(self.place_for(caller, self.policy.batch)?),
            false => None,
        };
        let tries_left = self.reserve_otp(caller, now).await?;
        let attempt = TryTotp {
            account: caller.account.clone(),
            id: pending.id.clone(),
            holder,
            most: self.policy.first_tries,
            at: now,
        };
        let left = self.store.try_totp(attempt).await?;
        left.ok_or(Refusal::NoPendingAuthenticator)?;
        let secret = self.open_secret(caller, &pending.id, &pending.secret)?;
        let Some(step) = totp::matching_step(&secret, &digits, now) else {
            return self.otp_refused(caller, tries_left, now).await;
        };
        let codes = match permit {
            Some(permit) => {
                let until = now.plus(WAITS_FOR);
                self.stage_with(caller, holder, &permit, (now, until), self.policy.batch)
                    .await?
            }
            None => None,
        };
        let proven = Waiting {
            pending,
            holder,
            others,
        };
        self.bind_factor(caller, proven, step, (step_up, codes.is_some()), &new)
            .await?;
        let codes = codes.map(|issued| Issued {
            state: BatchState::Active,
            expires_at: None,
            ..issued
        });
        self.enrolled(caller, new.token, codes, false).await
    }

    async fn bind_factor(
        &self,
        caller: &Caller,
        proven: Waiting,
        step: i64,
        (step_up, with_codes): (Option<StepUpUse>, bool),
        new: &NewFactor<'_>,
    ) -> Result<()> {
        let Waiting {
            pending,
            holder,
            others,
        } = proven;
        let session = session_of(caller)?;
        let now = self.now();
        let kind = match others {
            Others::Replace => EventKind::FactorReplaced,
            Others::Keep => EventKind::FactorEnrolled,
        };
        let kept = now.plus(self.policy.replay_for);
        let confirm = ConfirmTotp {
            account: caller.account.clone(),
            id: pending.id,
            holder,
            step,
            name: Some(new.label.to_owned()),
            others,
            progress: Progress::Enrolled { session, step_up },
            codes: with_codes.then(|| {
                event::by(caller, EventKind::CodesActivated, now).because("with its authenticator")
            }),
            shown_again: new.idempotency.as_ref().map(|_| kept),
            idempotency: new.idempotency.as_ref().map(|key| NewIdempotency {
                key: key.key,
                request: key.request,
                until: kept,
            }),
            at: now,
            event: event::by(caller, kind, now),
        };
        match self.store.confirm_totp(confirm).await? {
            TotpConfirmed::Done => {}
            TotpConfirmed::Gone => return Err(Refusal::NoPendingAuthenticator.into()),
            TotpConfirmed::NoProgress if step_up.is_some() => {
                return Err(Refusal::FreshProofRequired.into());
            }
            TotpConfirmed::NoProgress => return Err(Refusal::SessionGone.into()),
            TotpConfirmed::KeyTaken => return Err(Refusal::IdempotencyConflict.into()),
        }
        if others == Others::Replace {
            // Whoever holds the lost one may be in with it.
            self.store
                .end_sessions(&caller.account, Some(&session))
                .await?;
        }
        Ok(())
    }

    /// The answer of a request that was answered before.
    async fn enrolled_before(
        &self,
        caller: &Caller,
        (new, key): (&NewFactor<'_>, &IdempotencyKey),
        before: Idempotency,
        now: Timestamp,
    ) -> Result<FactorEnrolled> {
        if before.request != key.request || before.account != caller.account {
            return Err(Refusal::IdempotencyConflict.into());
        }
        let codes = if before.generation == Generation(0) {
            None
        } else {
            let shown = self
                .store
                .shown(&caller.account, Some(before.generation), None, now)
                .await?
                .ok_or(Refusal::IdempotencySpent)?;
            Some(self.redraw(&caller.account, &shown, true)?)
        };
        self.enrolled(caller, new.token, codes, true).await
    }

    async fn enrolled(
        &self,
        caller: &Caller,
        token: &Token,
        codes: Option<Issued>,
        replayed: bool,
    ) -> Result<FactorEnrolled> {
        let devices = self.devices(caller).await?;
        let id = factor_id(token);
        let device = devices.into_iter().find(|device| device.id == id);
        let live = self.store.live_batch(&caller.account).await?;
        let generation = live.map_or(Generation(0), |live| live.generation);
        // Others may have gone live at the same time: these then never did.
        let codes = codes.filter(|issued| issued.generation == generation);
        Ok(FactorEnrolled {
            // It is gone since: what was answered is no longer true.
            device: device.ok_or(Refusal::IdempotencySpent)?,
            codes,
            generation,
            replayed,
        })
    }

    /// Whether the caller may bind one more only with a fresh proof: there is one already, and this
    /// session has not seen it.
    pub(super) async fn binding_needs_step_up(&self, caller: &Caller) -> Result<bool> {
        let Authority::Bearer {
            factor_at: None,
            opened_by: None,
            ..
        } = caller.authority
        else {
            return Ok(false);
        };
        Ok(!self.store.authenticators(&caller.account).await?.is_empty())
    }
}

fn session_of(caller: &Caller) -> Result<TokenDigest> {
    match caller.authority {
        Authority::Bearer { session, .. } => Ok(session),
        _ => Err(Refusal::OutOfOrder.into()),
    }
}

/// The name of what is begun with this token; nothing of the token can be told from it.
fn factor_id(token: &Token) -> AuthenticatorId {
    let digest = digest_parts(&[b"enrolled by", token.reveal().as_bytes()]);
    let name = data_encoding::BASE64URL_NOPAD.encode(&digest.0[..16]);
    AuthenticatorId(format!("totp|dev_{name}"))
}

/// Who may confirm what is begun: this session with this token.
fn holder(session: TokenDigest, token: &Token) -> TokenDigest {
    digest_parts(&[b"enrollment", &session.0, token.reveal().as_bytes()])
}
