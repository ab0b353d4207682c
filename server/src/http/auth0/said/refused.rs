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

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::{Management, MyAccount, Oauth, Surface};
    use super::*;
    use crate::domain::every_refusal;

    const NOW: Timestamp = Timestamp(1_795_219_200_000);
    const LATER: Timestamp = Timestamp(1_795_219_230_000);

    fn line<S: Surface>(table: &mut String, surface: &str, no: &No) {
        let told = S::told(no);
        let status = told.status.as_u16();
        writeln!(table, "    {surface} {status} {}", told.body).unwrap();
    }

    /// The table in `refusals.snap`: what every refusal becomes on each surface. When it differs on
    /// purpose, the test's message is the new table.
    #[test]
    fn every_refusal_has_the_answers_that_the_table_says() {
        let mut table = String::new();
        for refusal in every_refusal(LATER) {
            let no = No::of_refusal(refusal, NOW);
            writeln!(table, "{refusal:?}").unwrap();
            line::<Oauth>(&mut table, "oauth", &no);
            line::<Management>(&mut table, "management", &no);
            line::<MyAccount>(&mut table, "account", &no);
        }
        assert!(
            table == include_str!("refusals.snap"),
            "the table has changed:\n{table}"
        );
    }

    #[test]
    fn no_answer_to_a_refusal_is_a_fault_of_ours() {
        for refusal in every_refusal(LATER) {
            let no = No::of_refusal(refusal, NOW);
            for told in [
                Oauth::told(&no),
                Management::told(&no),
                MyAccount::told(&no),
            ] {
                assert!(told.status.is_client_error(), "{refusal:?}: {told:?}");
            }
        }
    }
}
