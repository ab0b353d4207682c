//! What became of a use case that did not do what was asked, noted in the log once and for all
//! dialects; the words are each dialect's own.

use crate::domain::{Error, Refusal};

/// Why it was not done.
#[derive(Debug, Clone, Copy)]
pub(super) enum Undone {
    /// An answer we stand by.
    Refused(Refusal),
    /// There was no room.
    Busy {
        /// Seconds after which it is worth asking again.
        wait: u64,
    },
    /// Something broke here; nobody else is told what.
    Broken,
}

/// Sorts an error for its answer, and notes it.
pub(super) fn noted(error: &Error) -> Undone {
    match error {
        Error::Refused(refusal) => {
            tracing::info!(refusal = ?refusal, "refused");
            Undone::Refused(*refusal)
        }
        Error::Busy { retry_after } => {
            tracing::info!(refusal = "busy", "refused");
            Undone::Busy {
                wait: retry_after.as_secs().max(1),
            }
        }
        Error::Fault(fault) => {
            tracing::error!(error.chain = %fault.chain(), "a request broke");
            Undone::Broken
        }
    }
}
