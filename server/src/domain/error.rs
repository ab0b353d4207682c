//! Why a use case did not do what was asked.

use std::error::Error as _;
use std::time::Duration;

use crate::entropy::EntropyFault;
use crate::hasher::{Busy, HashFault};
use crate::keyring::{KeyFault, SealError};
use crate::model::{Generation, Timestamp};
use crate::store::StoreFault;

/// Refused, busy or broken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An answer we stand by.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The slow hash has no place left, or others changed the same account at every try; nothing
    /// was charged and nothing changed.
    #[error("busy")]
    Busy {
        /// When it is worth asking again.
        retry_after: Duration,
    },
    /// Something broke; nothing changed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Every answer of "no". Closed: a dialect maps it by a match without a wildcard, so that a new one
/// does not compile until every dialect has answered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The account is not known (never told to who redeems).
    UnknownAccount,
    /// The identifier is another account's.
    AccountTaken,
    /// The login is another account's.
    LoginTaken,
    /// The password is too short or too long (NIST SP 800-63B-4, 3.1.1.2).
    UnfitPassword,
    /// Login and password do not belong together.
    WrongCredentials,
    /// Too many passwords were wrong for this login from this address, or too many sign-ins were
    /// tried from there.
    PasswordThrottled {
        /// When the next can be tried.
        retry_at: Option<Timestamp>,
    },
    /// The sign-in is over: spent, run out, or never begun.
    ChallengeGone,
    /// The session is over.
    SessionGone,
    /// The next step of the sign-in is another one.
    OutOfOrder,
    /// A factor must have been proven within the last minutes.
    FreshProofRequired,
    /// No authenticator is bound, and codes are never the only factor.
    NoAuthenticator,
    /// An authenticator is bound already.
    AlreadyEnrolled,
    /// No authenticator waits for its first password.
    NoPendingAuthenticator,
    /// What was typed cannot be a one-time password; nothing was charged.
    MalformedOtp,
    /// The one-time password is wrong or was used.
    OtpNotAccepted {
        /// Attempts left without waiting.
        tries_left: u32,
    },
    /// Too many one-time passwords were wrong.
    OtpThrottled {
        /// When the next can be tried; never, without an administrator.
        retry_at: Option<Timestamp>,
    },
    /// There is no such authenticator.
    UnknownAuthenticator,
    /// There are no recovery codes here: the feature is off.
    RecoveryCodesOff,
    /// The code is wrong, used, superseded, revoked, or the account has none or is unknown: one
    /// answer for all.
    CodeNotAccepted {
        /// Attempts left without waiting.
        tries_left: u32,
        /// When the next can be made, if only after a wait.
        retry_at: Option<Timestamp>,
    },
    /// Too many codes were wrong.
    Throttled {
        /// When the next can be tried; never, until new codes are issued or an administrator helps.
        retry_at: Option<Timestamp>,
    },
    /// No batch is pending, or it ran out, or it is another's.
    NoPendingBatch,
    /// That batch is not the pending one.
    StaleGeneration {
        /// This one is, if any.
        pending: Option<Generation>,
    },
    /// The person has not said that the codes are saved.
    NotConfirmed,
    /// The idempotency key came with another request.
    IdempotencyConflict,
    /// What the idempotency key brought about can no longer be told: a code of it was used, others
    /// were made, or the time ran out.
    IdempotencySpent,
    /// The challenge ran out.
    ChallengeExpired,
    /// The challenge was opened for another program.
    ChallengeOfAnother,
    /// The client's identifier is another client's.
    ClientTaken,
    /// There is no such client.
    UnknownClient,
    /// The refresh token is nobody's, another client's, or was followed by another.
    RefreshGone,
    /// The switch is fixed by a setting of the server.
    SwitchFixed,
    /// The authenticator waited too long for its first password.
    EnrollmentExpired,
    /// There is no such API key.
    UnknownApiKey,
    /// A factor of that kind cannot be enrolled here.
    FactorNotAllowed,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Error {
    /// Others changed the same account at every try: nobody's fault, and soon over.
    pub(super) const CONTENDED: Self = Self::Busy {
        retry_after: Duration::from_secs(1),
    };
}

impl From<Busy> for Error {
    fn from(busy: Busy) -> Self {
        Self::Busy {
            retry_after: busy.retry_after,
        }
    }
}

/// What broke, with its chain.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyFault),
    /// The slow hash.
    #[error(transparent)]
    Hash(#[from] HashFault),
    /// A batch could not be drawn.
    #[error("no batch of distinct codes could be drawn")]
    Draft,
    /// Others changed the account again and again meanwhile.
    #[error("the account was changed by others at every try")]
    Contended,
    /// What is stored is not what this program stores.
    #[error("stored data is not what it should be: {0}")]
    Corrupt(&'static str),
}

impl Fault {
    /// The fault and what it came from, outermost first: for the log and for nobody else.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

macro_rules! fault_from {
    ($($from:ty),*) => {$(
        impl From<$from> for Error {
            fn from(fault: $from) -> Self {
                Self::Fault(fault.into())
            }
        }
    )*};
}

fault_from!(StoreFault, KeyFault, EntropyFault, HashFault);

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Key(fault) => fault.into(),
            SealError::Entropy(fault) => fault.into(),
        }
    }
}

#[cfg(test)]
pub(crate) use self::tests::every_refusal;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Each refusal, in the order of the declaration.
    pub(crate) fn every_refusal(later: Timestamp) -> [Refusal; 38] {
        [
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
                retry_at: Some(later),
            },
            Refusal::RecoveryCodesOff,
            Refusal::CodeNotAccepted {
                tries_left: 9,
                retry_at: None,
            },
            Refusal::CodeNotAccepted {
                tries_left: 0,
                retry_at: Some(later),
            },
            Refusal::Throttled {
                retry_at: Some(later),
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
            Refusal::IdempotencySpent,
            Refusal::EnrollmentExpired,
            Refusal::UnknownApiKey,
            Refusal::FactorNotAllowed,
        ]
    }

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
            Refusal::IdempotencySpent => 30,
            Refusal::EnrollmentExpired => 31,
            Refusal::UnknownApiKey => 32,
            Refusal::FactorNotAllowed => 33,
        }
    }

    #[test]
    fn no_refusal_is_missing_from_the_table() {
        let listed: BTreeSet<_> = every_refusal(Timestamp(1)).into_iter().map(place).collect();
        assert_eq!(listed, (0..34).collect());
    }
}
