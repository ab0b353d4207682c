//! The domain's "no" in this dialect's words: one match without a wildcard, so that a new refusal
//! does not compile until it is answered here.

use super::problem::Problem;
use crate::domain::{Error, Mfa, Refusal, wait_until};
use crate::model::{Millis, Timestamp};

impl Problem {
    /// The answer to a refusal.
    pub(super) fn of_refusal(refusal: Refusal, now: Timestamp) -> Self {
        match refusal {
            Refusal::UnknownAccount => Self::NotFound,
            Refusal::UnknownClient => Self::Unauthorized,
            Refusal::FreshProofRequired => Self::FreshProofRequired,
            Refusal::RecoveryCodesOff => Self::RecoveryCodesOff,
            Refusal::CodeNotAccepted {
                tries_left,
                retry_at,
            } => Self::CodeNotAccepted {
                tries_left,
                retry_at,
            },
            Refusal::Throttled { retry_at } => Self::Throttled {
                retry_at,
                wait: retry_at.map(|at| wait_until(at, now)),
            },
            Refusal::NoPendingBatch => Self::NoPendingBatch,
            Refusal::StaleGeneration { pending } => Self::StaleGeneration { pending },
            Refusal::NotConfirmed => Self::NotConfirmed,
            Refusal::IdempotencyConflict | Refusal::IdempotencySpent => Self::IdempotencyConflict,
            // Of passwords, authenticators and sign-ins, which a host has of its own: nothing here
            // asks for them, so nothing here is refused with them.
            Refusal::AccountTaken
            | Refusal::LoginTaken
            | Refusal::UnfitPassword
            | Refusal::WrongCredentials
            | Refusal::PasswordThrottled { .. }
            | Refusal::ChallengeGone
            | Refusal::ChallengeExpired
            | Refusal::ChallengeOfAnother
            | Refusal::SessionGone
            | Refusal::RefreshGone
            | Refusal::SwitchFixed
            | Refusal::UnknownAuthenticator
            | Refusal::OutOfOrder
            | Refusal::NoAuthenticator
            | Refusal::AlreadyEnrolled
            | Refusal::NoPendingAuthenticator
            | Refusal::MalformedOtp
            | Refusal::OtpNotAccepted { .. }
            | Refusal::OtpThrottled { .. }
            | Refusal::EnrollmentExpired
            | Refusal::FactorNotAllowed
            | Refusal::UnknownApiKey
            | Refusal::ClientTaken => Self::OutOfPlace,
        }
    }

    /// The answer to whatever went wrong. A fault is logged here, once, and told to nobody else.
    pub(super) fn of_error(error: &Error, mfa: &Mfa, request_id: &str) -> Self {
        match error {
            Error::Refused(refusal) => {
                let problem = Self::of_refusal(*refusal, mfa.now());
                tracing::info!(refusal = problem.name(), "refused");
                problem
            }
            Error::Busy { retry_after } => {
                let millis = i64::try_from(retry_after.as_millis()).unwrap_or(i64::MAX);
                let wait = Millis(millis).ceil_seconds().max(1);
                tracing::info!(refusal = "busy", "refused");
                Self::Busy { wait }
            }
            Error::Fault(fault) => {
                tracing::error!(error.chain = %fault.chain(), "a request broke");
                Self::Internal {
                    request_id: request_id.to_owned(),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::every_refusal;

    const LATER: Timestamp = Timestamp(1_795_219_230_000);

    #[test]
    fn whatever_the_match_yields_is_a_documented_type() {
        let documented: BTreeSet<_> = Problem::samples().iter().map(Problem::name).collect();
        for refusal in every_refusal(LATER) {
            assert!(documented.contains(Problem::of_refusal(refusal, LATER).name()));
        }
    }
}
