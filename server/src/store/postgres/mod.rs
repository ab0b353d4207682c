//! The PostgreSQL adapter: one database, any number of servers.
//!
//! Each aggregate's SQL is in the file of that name, beside the method that uses it. Transactions
//! are READ COMMITTED: the guard is in the statement and the row count decides. Where a decision
//! rests on more than one row, the account's row is locked first (`sql::locked_account`), so that
//! what changes one account happens one after the other, as it does in the other adapter, whose
//! file has one writer. Nothing is cached between calls, and nothing is read from a replica.
//!
//! Erased rows are not overwritten here: PostgreSQL keeps them until it vacuums, and in its log.

mod account;
mod administration;
mod api_key;
mod authenticator;
mod client;
mod ending;
mod event;
mod fault;
mod key_use;
mod migrate;
mod notice;
mod pool;
mod progress;
mod recovery;
mod redeem;
mod restore;
mod session;
mod setting;
mod sql;
mod stage;
mod step_up;
mod throttle;
mod tls;
mod trusted_device;
mod upkeep;
mod url;

use std::fmt;
use std::future::Future;

use super::Standing;

pub use self::migrate::OpenError;
use self::pool::Pool;
pub use self::restore::RestoreError;
pub use self::tls::RootsError;
pub use self::url::{PostgresUrl, UnfitUrl};

/// A store in one PostgreSQL database, in the schema `spare_key`.
pub struct PostgresStore {
    pool: Pool,
    place: String,
}

impl PostgresStore {
    /// Looks whether the database can be reached and migrates it. Blocks: call it while starting,
    /// or where blocking is allowed.
    ///
    /// # Errors
    /// Says which database, and what is wrong with it: it cannot be reached, holds something else
    /// under our name, was migrated by a newer binary, or could not be migrated.
    pub fn open(url: &PostgresUrl) -> Result<Self, OpenError> {
        let tls = tls::connector(url)?;
        waited_for(migrate::migrate(url, &tls))?;
        Ok(Self {
            pool: Pool::new(url, tls),
            place: url.to_string(),
        })
    }

    /// What there is; makes and changes nothing. Blocks.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub fn look(url: &PostgresUrl) -> Result<Standing, OpenError> {
        let tls = tls::connector(url)?;
        waited_for(migrate::look(url, &tls))
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresStore({})", self.place)
    }
}

/// Waits on a thread of its own, as the caller's may be one that runs tasks.
fn waited_for<T: Send, E: From<OpenError> + Send>(
    work: impl Future<Output = Result<T, E>> + Send,
) -> Result<T, E> {
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(OpenError::NoThread)?;
            runtime.block_on(work)
        });
        waiting
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
