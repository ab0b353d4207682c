//! The domain's "no" in this dialect's words: one match without a wildcard, so that a new refusal
//! does not compile until it is answered here.

use super::No;
use crate::domain::{Refusal, wait_until};
use crate::model::Timestamp;

impl No {
    /// The answer to a refusal.
    pub(in crate::http::auth0) fn of_refusal(refusal: Refusal, now: Timestamp) -> Self {
        let too_many = |retry_at: Option<Timestamp>| Self::TooMany {
            wait: retry_at.map(|at| wait_until(at, now)),
        };
        match refusal {
            Refusal::UnknownAccount => Self::UnknownUser,
            Refusal::AccountTaken | Refusal::LoginTaken => Self::UserExists,
            Refusal::UnfitPassword => Self::WeakPassword,
            Refusal::WrongCredentials => Self::Credentials,
            Refusal::PasswordThrottled { retry_at }
            | Refusal::OtpThrottled { retry_at }
            | Refusal::Throttled { retry_at } => too_many(retry_at),
            Refusal::ChallengeGone => Self::MfaToken,
            Refusal::ChallengeExpired => Self::MfaTokenExpired,
            Refusal::ChallengeOfAnother => Self::MfaTokenOfAnother,
            Refusal::SessionGone => Self::BadToken,
            Refusal::OutOfOrder => Self::MfaToken,
            Refusal::FreshProofRequired => Self::StepUp,
            Refusal::NoAuthenticator => Self::UnknownEnrollment,
            Refusal::AlreadyEnrolled => Self::AlreadyEnrolled,
            // Nothing to prove: the client is to associate first.
            Refusal::NoPendingAuthenticator | Refusal::EnrollmentExpired => {
                Self::AssociationRequired
            }
            Refusal::UnknownAuthenticator => Self::UnknownMethod,
            Refusal::MalformedOtp | Refusal::OtpNotAccepted { .. } => Self::Otp,
            Refusal::RecoveryCodesOff | Refusal::FactorNotAllowed => Self::SwitchedOff,
            Refusal::CodeNotAccepted { .. } => Self::Code,
            Refusal::NoPendingBatch | Refusal::StaleGeneration { .. } | Refusal::NotConfirmed => {
                Self::NothingPending
            }
            Refusal::IdempotencyConflict | Refusal::IdempotencySpent => Self::IdempotencyKey,
            Refusal::ClientTaken => Self::UserExists,
            Refusal::UnknownClient | Refusal::UnknownApiKey => Self::Client,
            Refusal::RefreshGone => Self::RefreshToken,
            Refusal::SwitchFixed => Self::SwitchFixed,
        }
    }
}
