//! Remembered browsers: trusted devices on our own pages.
//!
//! Where the tenant trusts devices, who has just proven the authenticator may have this browser
//! remembered; its next sign-ins then need the password alone. Nothing can be changed on its word,
//! a recovery code ends it, and administrators are always asked.

use super::bearer::TrustGiven;
use super::{Authority, Caller, Mfa, Passed, Refusal, Result, event, totp};
use crate::model::{EventKind, Timestamp, Token};
use crate::store::{Account, Door, NewDevice, Progress};

/// What the audit row of a sign-in without a factor says.
pub const BY_BROWSER: &str = "remembered browser";

impl Mfa {
    /// For how many days the caller's browser can be remembered; `None`: not at all.
    ///
    /// # Errors
    /// A fault.
    pub async fn remembers_for(&self, caller: &Caller) -> Result<Option<u32>> {
        let environment = self.environment().await?;
        if environment.trusted_for().is_none() || self.is_administrators(caller).await? {
            return Ok(None);
        }
        Ok(Some(environment.trusted_days))
    }

    /// Completes a sign-in on our pages in a remembered browser. `None`: it is not one, or is not to
    /// be taken; the factor is asked for as ever.
    ///
    /// # Errors
    /// [`Refusal::ChallengeGone`]; a fault.
    pub async fn pass_by_browser(&self, caller: &Caller, browser: &Token) -> Result<Option<Token>> {
        let Authority::Challenge {
            digest,
            door: Door::Pages,
            ..
        } = caller.authority
        else {
            return Err(Refusal::OutOfOrder.into());
        };
        let now = self.now();
        let bound = self.store.authenticators(&caller.account).await?;
        if bound.is_empty() || self.is_administrators(caller).await? {
            return Ok(None);
        }
        let environment = self.environment().await?;
        if !self.recognizes(caller, &environment, browser, now).await? {
            return Ok(None);
        }
        let (token, mut session) = self.full_session(&caller.account, now)?;
        session.factor_at = None;
        let progress = Progress::Grant {
            challenge: digest,
            session,
        };
        if !self.store.pass(&caller.account, progress, now).await? {
            return Err(Refusal::ChallengeGone.into());
        }
        let row = event::by(caller, EventKind::PasswordVerified, now).because(BY_BROWSER);
        self.store.record(vec![row]).await?;
        Ok(Some(token))
    }

    /// As [`Self::prove_totp`], and this browser, which says so of itself, is remembered from now
    /// on, where that can be and the sign-in is complete with it.
    ///
    /// # Errors
    /// Those of [`Self::prove_totp`].
    pub async fn prove_totp_and_remember(
        &self,
        caller: &Caller,
        otp: &str,
        label: &str,
    ) -> Result<(Passed, Option<TrustGiven>)> {
        self.prove_in(caller, otp, Some(label)).await
    }

    /// Proves a bound authenticator in a browser, which may be remembered under this label.
    pub(super) async fn prove_in(
        &self,
        caller: &Caller,
        otp: &str,
        label: Option<&str>,
    ) -> Result<(Passed, Option<TrustGiven>)> {
        let digits = totp::parse(otp).ok_or(Refusal::MalformedOtp)?;
        let now = self.now();
        let bound = self.store.authenticators(&caller.account).await?;
        if bound.is_empty() {
            return Err(Refusal::NoAuthenticator.into());
        }
        let device = match label {
            Some(label) => self.browser(caller, label, now).await?,
            None => None,
        };
        let tries_left = self.reserve_otp(caller, now).await?;
        let Some((id, step)) = self.matching(caller, &bound, &digits, now)? else {
            return self.otp_refused(caller, tries_left, now).await;
        };
        let (passed, mut progress) = self.progress(caller, now).await?;
        let given = match (&mut progress, device) {
            (Progress::Grant { session, .. }, Some((device, given))) => {
                session.device = Some(device);
                Some(given)
            }
            _ => None,
        };
        self.accept(caller, id, step, progress, tries_left).await?;
        Ok((passed, given))
    }

    async fn browser(
        &self,
        caller: &Caller,
        label: &str,
        now: Timestamp,
    ) -> Result<Option<(NewDevice, TrustGiven)>> {
        let Some(trusted_for) = self.environment().await?.trusted_for() else {
            return Ok(None);
        };
        if self.is_administrators(caller).await? {
            return Ok(None);
        }
        self.new_device(caller, label, trusted_for, now).map(Some)
    }

    async fn is_administrators(&self, caller: &Caller) -> Result<bool> {
        let account = self.store.account(&caller.account).await?;
        Ok(account.is_some_and(|Account { administrator, .. }| administrator))
    }
}
