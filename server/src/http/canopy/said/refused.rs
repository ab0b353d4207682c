//! The domain's "no" in this dialect's words: one match without a wildcard, so that a new refusal
//! does not compile until it is answered here.

use super::No;
use crate::domain::{Refusal, wait_until};
use crate::model::Timestamp;

impl No {
    /// The answer to a refusal.
    pub(super) fn of_refusal(refusal: Refusal, now: Timestamp) -> Self {
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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::domain::every_refusal;

    const NOW: Timestamp = Timestamp(1_795_219_200_000);
    const LATER: Timestamp = Timestamp(1_795_219_230_000);

    /// The table in `refusals.snap`: what every refusal becomes. When it differs on purpose, the
    /// test's message is the new table.
    #[test]
    fn every_refusal_has_the_answer_that_the_table_says() {
        let mut table = String::new();
        for refusal in every_refusal(LATER) {
            let told = No::of_refusal(refusal, NOW).told();
            let status = told.status.as_u16();
            let body = told.body("POST", "/v1/identity");
            writeln!(table, "{refusal:?}\n    {status} {body}").unwrap();
        }
        assert_eq!(table, include_str!("refusals.snap"), "\n{table}");
    }
}
