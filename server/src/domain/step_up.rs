//! Step-up: a fresh proof of a factor becomes a token for one change of factors or codes.
//!
//! The token is of one session, lives for minutes, and is spent in the transaction of the change; a
//! change that is refused or undone leaves it.

use super::{Authority, Caller, Issued, Mfa, Proof, Refusal, Result};
use crate::entropy::draw_token;
use crate::keyring::token_digest;
use crate::model::{Timestamp, Token};
use crate::store::{Progress, StepUpUse};

/// What stands before a token's value, so that people and scanners see what it is.
const PREFIX: &str = "su_";

/// A factor was proven for one change.
#[derive(Debug)]
pub struct SteppedUp {
    /// The token.
    pub token: Token,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// The next code, live at once, where a single code was spent for it.
    pub replacement: Option<Issued>,
}

impl Mfa {
    /// Proves a factor for one change of factors or codes in this session.
    ///
    /// # Errors
    /// [`Refusal::MalformedOtp`], [`Refusal::OtpNotAccepted`], [`Refusal::OtpThrottled`],
    /// [`Refusal::CodeNotAccepted`], [`Refusal::Throttled`], [`Refusal::SessionGone`]; busy; a
    /// fault.
    pub async fn step_up(&self, caller: &Caller, proof: Proof<'_>) -> Result<SteppedUp> {
        let Authority::Bearer { session, .. } = caller.authority else {
            return Err(Refusal::OutOfOrder.into());
        };
        let now = self.now();
        let token = draw_token(&*self.entropy)?.behind(PREFIX);
        let expires_at = now.plus(self.policy.fresh_for);
        let new = StepUpUse {
            session,
            token: token_digest(&token),
        };
        let progress = Progress::StepUpToken { new, expires_at };
        let replacement = match proof {
            Proof::Otp(otp) => {
                self.spend_otp(caller, otp, progress, now).await?;
                None
            }
            Proof::Code(code) => {
                let redemption = self.redeem_for(caller, code, Some(progress)).await?;
                redemption.replacement
            }
        };
        Ok(SteppedUp {
            token,
            expires_at,
            replacement,
        })
    }

    /// Whether the caller has proven a factor just now: by when it was, or by a token that says so.
    pub(super) async fn is_proven(&self, caller: &Caller, now: Timestamp) -> Result<bool> {
        match caller.step_up() {
            Some(step_up) => {
                let good = self.store.step_up_is_good(&caller.account, step_up, now);
                Ok(good.await?)
            }
            None => Ok(caller.is_fresh(now, self.policy.fresh_for)),
        }
    }

    /// Whether the caller has proven a factor just now, for who must know before anything else.
    ///
    /// # Errors
    /// [`Refusal::FreshProofRequired`]; a fault.
    pub async fn require_proof(&self, caller: &Caller) -> Result<()> {
        if self.is_proven(caller, self.now()).await? {
            Ok(())
        } else {
            Err(Refusal::FreshProofRequired.into())
        }
    }
}
