//! What went wrong below, in words that may be logged, and whether it is worth another try.
//!
//! PostgreSQL explains a refusal with the row or the key that it refused (`DETAIL`), and ours hold
//! digests and sealed secrets: only its message, its code and the names of table and constraint are
//! passed on.

use std::error::Error;
use std::fmt::{self, Write as _};

use deadpool_postgres::{HookError, PoolError, TimeoutType};
use tokio_postgres::error::SqlState;

use crate::store::StoreFault;

/// Why a piece of work came to nothing.
pub(super) enum Broken {
    /// The database, or the way to it.
    Database(tokio_postgres::Error),
    /// No connection could be had.
    NoConnection(String),
    /// The answer did not come in time.
    Silent,
    /// The answer to the commit did not come: it is unknown whether it was carried out.
    Unknown(String),
    /// A column holds what nobody wrote there.
    Column(&'static str),
}

/// What a piece of work answers.
pub(super) type Work<T> = Result<T, Broken>;

impl From<tokio_postgres::Error> for Broken {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<PoolError> for Broken {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                Self::NoConnection(words(&error))
            }
            PoolError::Timeout(TimeoutType::Wait) => {
                Self::NoConnection("all connections are in use; see max_connections".to_owned())
            }
            PoolError::Timeout(_) => {
                Self::NoConnection("the database did not answer in time".to_owned())
            }
            other => Self::NoConnection(other.to_string()),
        }
    }
}

impl Broken {
    /// Whether nothing was changed and the same may go well when it is begun anew: two transactions
    /// stood in each other's way, the connection was gone before its commit was sent, or its server
    /// is no longer the one that is written to.
    pub(super) fn is_worth_another_try(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        match error.code() {
            Some(code) => {
                stood_in_the_way(error)
                    || *code == SqlState::READ_ONLY_SQL_TRANSACTION
                    || [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN].contains(code)
            }
            None => error.is_closed() || is_io(error),
        }
    }

    /// Whether the connection is of no more use to anybody: the next who took it would wait too, or
    /// would be told again that nothing is written there.
    pub(super) fn spoils_the_connection(&self) -> bool {
        match self {
            Self::Silent | Self::Unknown(_) => true,
            Self::Database(error) => error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION),
            Self::NoConnection(_) | Self::Column(_) => false,
        }
    }

    /// The fault that the port's caller is told, with `context` as the port's word for the deed.
    pub(super) fn fault(self, context: &'static str) -> StoreFault {
        StoreFault {
            context,
            source: Box::new(self),
        }
    }
}

/// 40001 and 40P01: the database has rolled one of two transactions back.
pub(super) fn stood_in_the_way(error: &tokio_postgres::Error) -> bool {
    let code = error.code();
    code == Some(&SqlState::T_R_SERIALIZATION_FAILURE)
        || code == Some(&SqlState::T_R_DEADLOCK_DETECTED)
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        if cause.is::<std::io::Error>() {
            return true;
        }
        next = cause.source();
    }
    false
}

/// An error of the driver without what it quotes.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    let Some(said) = error.as_db_error() else {
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            if !text.ends_with(&cause_text) {
                // Writing to a string does not fail.
                let _written = write!(text, ": {cause_text}");
            }
            next = cause.source();
        }
        return text;
    };
    let mut text = format!("{} (SQLSTATE {}", said.message(), said.code().code());
    for (what, name) in [("table", said.table()), ("constraint", said.constraint())] {
        if let Some(name) = name {
            let _written = write!(text, ", {what} {name}");
        }
    }
    text.push(')');
    text
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => f.write_str(&words(error)),
            Self::NoConnection(why) => write!(f, "no connection to the database: {why}"),
            Self::Silent => f.write_str("the database did not answer in time"),
            Self::Unknown(why) => write!(
                f,
                "the connection broke off during the commit, and it is unknown whether that was \
                 carried out: {why}"
            ),
            Self::Column(what) => write!(f, "a column does not hold {what}"),
        }
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broken({self})")
    }
}

// Without a source: the driver's own error would be logged with all that it quotes.
impl Error for Broken {}
