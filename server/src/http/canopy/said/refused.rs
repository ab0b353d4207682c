//! The domain's "no" in this dialect's words: one match without a wildcard, so that a new refusal
//! does not compile until it is answered here.

use super::No;
use crate::domain::{Refusal, wait_until};
use crate::model::Timestamp;

impl No {
    /// The answer to a refusal.
    pub(in crate::http::canopy) fn of_refusal(refusal: Refusal, now: Timestamp) -> Self {
        let wait = |retry_at: Option<Timestamp>| retry_at.map(|at| wait_until(at, now));
        match refusal {
            Refusal::WrongCredentials => Self::Credentials,
            Refusal::PasswordThrottled { retry_at } => Self::RateLimited {
                wait: wait(retry_at),
            },
            Refusal::OtpThrottled { retry_at } | Refusal::Throttled { retry_at } => {
                Self::Throttled {
                    wait: wait(retry_at),
                }
            }
            // The session is over, or whose it was is gone.
            Refusal::SessionGone | Refusal::RefreshGone => Self::InvalidToken,
            Refusal::UnknownAccount => Self::IdentityNotFound,
            Refusal::ChallengeGone | Refusal::ChallengeExpired | Refusal::ChallengeOfAnother => {
                Self::ChallengeInvalid
            }
            Refusal::FreshProofRequired => Self::StepUpRequired,
            Refusal::NoPendingAuthenticator | Refusal::EnrollmentExpired => Self::EnrollmentInvalid,
            Refusal::NoAuthenticator | Refusal::UnknownAuthenticator => Self::FactorNotFound,
            Refusal::OtpNotAccepted { tries_left }
            | Refusal::CodeNotAccepted { tries_left, .. } => Self::CodeInvalid { tries_left },
            Refusal::RecoveryCodesOff | Refusal::FactorNotAllowed => Self::FactorNotAllowed,
            Refusal::IdempotencyConflict => Self::KeyReused,
            Refusal::IdempotencySpent => Self::KeySpent,
            // Of administration, of pages and of other programs' sign-ins, and of one-time
            // passwords whose form is looked at before: nothing here is refused with them.
            Refusal::AccountTaken
            | Refusal::LoginTaken
            | Refusal::UnfitPassword
            | Refusal::OutOfOrder
            | Refusal::AlreadyEnrolled
            | Refusal::MalformedOtp
            | Refusal::NoPendingBatch
            | Refusal::StaleGeneration { .. }
            | Refusal::NotConfirmed
            | Refusal::ClientTaken
            | Refusal::UnknownClient
            | Refusal::UnknownApiKey
            | Refusal::SwitchFixed => Self::Conflict,
        }
    }
}
