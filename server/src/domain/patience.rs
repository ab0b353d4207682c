//! What the pages grant to people who need longer, or who have heard enough.

use super::{Caller, Mfa, Refusal, Result};
use crate::model::{Generation, Timestamp};
use crate::store::Prolong;

/// How often the time of a batch that waits can be given once more, at the least: WCAG 2.2, 2.2.1
/// asks for ten times.
const AT_LEAST: i64 = 10;

impl Mfa {
    /// Gives the batch that the caller is shown its full time once more, ten times at the least;
    /// says until when it now is shown.
    ///
    /// # Errors
    /// [`Refusal::RecoveryCodesOff`]; [`Refusal::NoPendingBatch`] when it has run out, or has had
    /// all the time that there is; a fault.
    pub async fn more_time(&self, caller: &Caller) -> Result<Timestamp> {
        self.recovery_codes_are_on().await?;
        let now = self.now();
        let once = self.policy.pending_for;
        let prolong = Prolong {
            account: caller.account.clone(),
            holder: caller.holder().ok_or(Refusal::OutOfOrder)?,
            at: now,
            until: now.plus(once),
            longest: crate::model::Millis(once.0.saturating_mul(AT_LEAST + 1)),
            challenge_beyond: once,
        };
        let until = self.store.prolong(prolong).await?;
        until.ok_or_else(|| Refusal::NoPendingBatch.into())
    }

    /// The owner wants to hear no more of how few codes are left of this generation; `false` when
    /// another is live, or they had said so.
    ///
    /// # Errors
    /// A fault.
    pub async fn end_reminder(&self, caller: &Caller, generation: Generation) -> Result<bool> {
        let account = &caller.account;
        let ended = self.store.end_reminder(account, generation, self.now());
        Ok(ended.await?)
    }
}
