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
            Refusal::IdempotencyConflict => Self::IdempotencyConflict,
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
    use std::fmt::Write as _;

    use super::*;
    use crate::model::Generation;

    const NOW: Timestamp = Timestamp(1_795_219_200_000);
    const LATER: Timestamp = Timestamp(1_795_219_230_000);

    /// Each refusal, in the order of the declaration.
    const REFUSALS: [Refusal; 34] = [
        Refusal::UnknownAccount,
        Refusal::AccountTaken,
        Refusal::LoginTaken,
        Refusal::UnfitPassword,
        Refusal::WrongCredentials,
        Refusal::PasswordThrottled { retry_at: None },
        Refusal::ChallengeGone,
        Refusal::SessionGone,
        Refusal::OutOfOrder,
        Refusal::FreshProofRequired,
        Refusal::NoAuthenticator,
        Refusal::AlreadyEnrolled,
        Refusal::NoPendingAuthenticator,
        Refusal::MalformedOtp,
        Refusal::OtpNotAccepted { tries_left: 9 },
        Refusal::OtpThrottled { retry_at: None },
        Refusal::OtpThrottled {
            retry_at: Some(LATER),
        },
        Refusal::RecoveryCodesOff,
        Refusal::CodeNotAccepted {
            tries_left: 9,
            retry_at: None,
        },
        Refusal::CodeNotAccepted {
            tries_left: 0,
            retry_at: Some(LATER),
        },
        Refusal::Throttled {
            retry_at: Some(LATER),
        },
        Refusal::Throttled { retry_at: None },
        Refusal::NoPendingBatch,
        Refusal::StaleGeneration {
            pending: Some(Generation(3)),
        },
        Refusal::StaleGeneration { pending: None },
        Refusal::NotConfirmed,
        Refusal::IdempotencyConflict,
        Refusal::ClientTaken,
        Refusal::UnknownClient,
        Refusal::ChallengeExpired,
        Refusal::ChallengeOfAnother,
        Refusal::RefreshGone,
        Refusal::SwitchFixed,
        Refusal::UnknownAuthenticator,
    ];

    /// How many kinds of refusal there are. A new one does not compile here either, and then the
    /// list above has to grow with this number.
    const fn place(refusal: Refusal) -> usize {
        match refusal {
            Refusal::UnknownAccount => 0,
            Refusal::AccountTaken => 1,
            Refusal::LoginTaken => 2,
            Refusal::UnfitPassword => 3,
            Refusal::WrongCredentials => 4,
            Refusal::ChallengeGone => 5,
            Refusal::SessionGone => 6,
            Refusal::OutOfOrder => 7,
            Refusal::FreshProofRequired => 8,
            Refusal::NoAuthenticator => 9,
            Refusal::AlreadyEnrolled => 10,
            Refusal::NoPendingAuthenticator => 11,
            Refusal::MalformedOtp => 12,
            Refusal::OtpNotAccepted { .. } => 13,
            Refusal::OtpThrottled { .. } => 14,
            Refusal::RecoveryCodesOff => 15,
            Refusal::CodeNotAccepted { .. } => 16,
            Refusal::Throttled { .. } => 17,
            Refusal::NoPendingBatch => 18,
            Refusal::StaleGeneration { .. } => 19,
            Refusal::NotConfirmed => 20,
            Refusal::IdempotencyConflict => 21,
            Refusal::ClientTaken => 22,
            Refusal::UnknownClient => 23,
            Refusal::PasswordThrottled { .. } => 24,
            Refusal::ChallengeExpired => 25,
            Refusal::ChallengeOfAnother => 26,
            Refusal::RefreshGone => 27,
            Refusal::SwitchFixed => 28,
            Refusal::UnknownAuthenticator => 29,
        }
    }

    #[test]
    fn no_refusal_is_missing_from_the_table() {
        let listed: BTreeSet<_> = REFUSALS.into_iter().map(place).collect();
        assert_eq!(listed, (0..30).collect());
    }

    /// The table in `refusals.snap`: what every refusal becomes. When it differs on purpose, the
    /// test's message is the new table.
    #[test]
    fn every_refusal_has_the_answer_that_the_table_says() {
        let mut table = String::new();
        for refusal in REFUSALS {
            let problem = Problem::of_refusal(refusal, NOW);
            let body = serde_json::to_string(&problem.document()).unwrap();
            writeln!(
                table,
                "{refusal:?}\n    {} {body}",
                problem.status().as_u16()
            )
            .unwrap();
        }
        assert!(
            table == include_str!("refusals.snap"),
            "the table has changed:\n{table}"
        );
    }

    #[test]
    fn whatever_the_match_yields_is_a_documented_type() {
        let documented: BTreeSet<_> = Problem::samples().iter().map(Problem::name).collect();
        for refusal in REFUSALS {
            assert!(documented.contains(Problem::of_refusal(refusal, NOW).name()));
        }
    }
}
