//! The domain's "no" in this dialect's words: one match without a wildcard, so that a new refusal
//! does not compile until it is answered here.

use super::No;
use crate::domain::{Refusal, wait_until};
use crate::model::Timestamp;

impl No {
    /// The answer to a refusal.
    pub(in crate::http::arklow) fn of_refusal(refusal: Refusal, now: Timestamp) -> Self {
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
            // What the caller carries is over, or whose it was is gone.
            Refusal::SessionGone | Refusal::UnknownAccount => Self::Unauthorized,
            Refusal::FreshProofRequired => Self::MfaRequired,
            Refusal::AlreadyEnrolled => Self::AlreadyConfirmed,
            Refusal::EnrollmentExpired => Self::EnrollmentExpired,
            Refusal::NoAuthenticator
            | Refusal::NoPendingAuthenticator
            | Refusal::UnknownAuthenticator => Self::DeviceNotFound,
            Refusal::MalformedOtp
            | Refusal::OtpNotAccepted { .. }
            | Refusal::CodeNotAccepted { .. } => Self::InvalidCode,
            Refusal::RecoveryCodesOff | Refusal::FactorNotAllowed => Self::SwitchedOff,
            Refusal::IdempotencyConflict => Self::KeyReused,
            Refusal::IdempotencySpent => Self::KeySpent,
            Refusal::UnknownApiKey => Self::KeyNotFound,
            // Of administration, of pages and of other programs' sign-ins: nothing here asks for
            // them, so nothing here is refused with them.
            Refusal::AccountTaken
            | Refusal::LoginTaken
            | Refusal::UnfitPassword
            | Refusal::ChallengeGone
            | Refusal::ChallengeExpired
            | Refusal::ChallengeOfAnother
            | Refusal::OutOfOrder
            | Refusal::NoPendingBatch
            | Refusal::StaleGeneration { .. }
            | Refusal::NotConfirmed
            | Refusal::ClientTaken
            | Refusal::UnknownClient
            | Refusal::RefreshGone
            | Refusal::SwitchFixed => Self::Conflict,
        }
    }
}
