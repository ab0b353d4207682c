//! Why a command ended without doing what it should: what, why, and what to do. Never a secret.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::domain::{self, KeyringUnfit, Refusal};
use crate::entropy::EntropyFault;
use crate::keyring::{KeyringError, RotateError};

/// How a command that failed tells whoever started it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It was refused, or something broke.
    Failed,
    /// It was called the wrong way.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Failed => Self::from(1),
            Exit::Usage => Self::from(2),
        }
    }
}

/// A failure as a person reads it.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    what: String,
    causes: Vec<String>,
    remedy: Option<String>,
}

impl Failure {
    /// Refused, or broken.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            what: what.into(),
            causes: Vec::new(),
            remedy: None,
        }
    }

    /// Called the wrong way.
    pub fn usage(what: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            ..Self::new(what)
        }
    }

    /// With the chain of what went wrong beneath.
    #[must_use]
    pub fn because(mut self, error: &dyn Error) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let cause = error.to_string();
            // Errors that only pass another on have the same text.
            if self.causes.last() != Some(&cause) && self.what != cause {
                self.causes.push(cause);
            }
            next = error.source();
        }
        self
    }

    /// With what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// What went wrong and why, in one line.
    pub fn summary(&self) -> String {
        let causes = self.causes.iter().map(String::as_str);
        std::iter::once(self.what.as_str())
            .chain(causes)
            .collect::<Vec<_>>()
            .join(": ")
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// The lines for stderr.
    pub fn text(&self) -> String {
        let mut text = format!("error: {}", self.what);
        for cause in &self.causes {
            // Writing to a string does not fail.
            let _written = write!(text, "\n  because: {cause}");
        }
        if let Some(remedy) = &self.remedy {
            let _written = write!(text, "\n  do: {remedy}");
        }
        text
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let remedy = error.remedy();
        Self::usage(error.to_string())
            .because(&error)
            .remedy(remedy)
    }
}

impl From<KeyringError> for Failure {
    fn from(error: KeyringError) -> Self {
        let failure = |what: String| Self::new(what).because(&error);
        match &error {
            KeyringError::NotFound(path) => {
                let path = path.display();
                Self::new(format!("there is no keyring at {path}")).remedy(format!(
                    "restore it from your copy; for a new database make one: \
                     spare-key keyring init --keyring {path}"
                ))
            }
            KeyringError::Exists(path) => {
                let path = path.display();
                Self::new(format!(
                    "{path} is there already; a keyring is never overwritten"
                ))
                .remedy(format!(
                    "name another file, or add a key to this one: \
                     spare-key keyring rotate --keyring {path}"
                ))
            }
            KeyringError::TooOpen { path, mode } => {
                let path = path.display();
                Self::new(format!(
                    "the keyring {path} can be read by others (mode {mode:o})"
                ))
                .remedy(format!("protect it: chmod 600 {path}"))
            }
            KeyringError::Io { path, doing, .. } => {
                failure(error.to_string()).remedy(match *doing {
                    "written" => format!("see that you may write to {}", path.display()),
                    _ => format!("see that {} is a file you may read", path.display()),
                })
            }
            KeyringError::Malformed { .. }
            | KeyringError::Lost { .. }
            | KeyringError::Another { .. } => {
                failure(error.to_string()).remedy("restore it from your copy")
            }
        }
    }
}

impl From<RotateError> for Failure {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::File(error) => error.into(),
            RotateError::Entropy(error) => error.into(),
        }
    }
}

impl From<KeyringUnfit> for Failure {
    fn from(unfit: KeyringUnfit) -> Self {
        Self::new(unfit.to_string()).remedy(
            "use the keyring that this store was used with, from your copy (see /docs/operations)",
        )
    }
}

impl From<EntropyFault> for Failure {
    fn from(error: EntropyFault) -> Self {
        Self::new(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new("the result could not be written")
            .because(&error)
            .remedy("see where standard output goes, and whether there is room")
    }
}

impl From<domain::Error> for Failure {
    fn from(error: domain::Error) -> Self {
        match error {
            domain::Error::Refused(refusal) => Self::refused(refusal),
            domain::Error::Busy { .. } => {
                Self::new("all workers are busy").remedy("try again in a moment")
            }
            domain::Error::Fault(fault) => Self::new("something broke; nothing was changed")
                .because(&fault)
                .remedy("see what is wrong with: spare-key check"),
        }
    }
}

impl Failure {
    fn refused(refusal: Refusal) -> Self {
        let (what, remedy) = match refusal {
            Refusal::UnknownAccount => (
                "there is no such account",
                "see which there are: spare-key account list",
            ),
            Refusal::AccountTaken => (
                "there is an account of this identifier already",
                "take another identifier, or remove the account first",
            ),
            Refusal::LoginTaken => (
                "another account signs in with this login",
                "take another --login, or remove the other account first",
            ),
            Refusal::UnfitPassword => (
                "the password does not have 8 to 256 characters",
                "choose another one",
            ),
            Refusal::RecoveryCodesOff => (
                "recovery codes are switched off",
                "switch them on: --recovery-codes on, SPARE_KEY_RECOVERY_CODES=on, or \
                 recovery_codes = \"on\" in the settings file",
            ),
            Refusal::NoAuthenticator => (
                "the account has no authenticator, and codes are never the only second factor",
                "let the person sign in and set up an authenticator app first",
            ),
            Refusal::ClientTaken => (
                "there is a client of this identifier already",
                "take another identifier, or remove the client first",
            ),
            Refusal::UnknownClient => (
                "there is no such client",
                "see which there are: spare-key client list",
            ),
            Refusal::MalformedOtp => (
                "the authenticator's secret is not base32 of at least 16 bytes",
                "take it from where it was made",
            ),
            Refusal::UnknownApiKey => (
                "there is no such API key",
                "list them: spare-key api-key list",
            ),
            // Answers to people and programs; nobody at the command line asks for these.
            Refusal::WrongCredentials
            | Refusal::PasswordThrottled { .. }
            | Refusal::ChallengeGone
            | Refusal::ChallengeExpired
            | Refusal::ChallengeOfAnother
            | Refusal::RefreshGone
            | Refusal::SwitchFixed
            | Refusal::UnknownAuthenticator
            | Refusal::SessionGone
            | Refusal::OutOfOrder
            | Refusal::FreshProofRequired
            | Refusal::AlreadyEnrolled
            | Refusal::NoPendingAuthenticator
            | Refusal::OtpNotAccepted { .. }
            | Refusal::OtpThrottled { .. }
            | Refusal::CodeNotAccepted { .. }
            | Refusal::Throttled { .. }
            | Refusal::NoPendingBatch
            | Refusal::StaleGeneration { .. }
            | Refusal::NotConfirmed
            | Refusal::EnrollmentExpired
            | Refusal::FactorNotAllowed
            | Refusal::IdempotencySpent
            | Refusal::IdempotencyConflict => (
                "the account was changed by others meanwhile",
                "look at it and try again: spare-key account show ID",
            ),
        };
        Self::new(what).remedy(remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("inner")]
    struct Inner;

    #[test]
    fn a_failure_says_what_why_and_what_to_do() {
        let failure = Failure::new("no").because(&Outer(Inner)).remedy("try");
        assert_eq!(
            failure.text(),
            "error: no\n  because: outer\n  because: inner\n  do: try"
        );
        assert_eq!(failure.summary(), "no: outer: inner");
    }

    #[test]
    fn a_cause_that_only_repeats_is_left_out() {
        let failure = Failure::new("outer").because(&Outer(Inner));
        assert_eq!(failure.text(), "error: outer\n  because: inner");
    }
}
