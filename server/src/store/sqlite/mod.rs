//! The SQLite adapter: one file, one writing thread, a few readers.
//!
//! Each aggregate's SQL is in the file of that name, beside the method that uses it. Several
//! stores, in this process and in others, may share one file; nothing is cached between calls.

mod account;
mod administration;
mod api_key;
mod authenticator;
mod backup;
mod client;
mod event;
mod key_use;
mod migrate;
mod notice;
mod place;
mod progress;
mod readers;
mod recovery;
mod redeem;
mod restore;
mod session;
mod setting;
mod sql;
mod stage;
mod step_up;
mod throttle;
mod trusted_device;
mod upkeep;
mod writer;

use std::path::Path;

use super::Standing;

pub use backup::{BackedUp, BackupError};
pub use migrate::OpenError;
use readers::Readers;
pub use restore::RestoreError;
use writer::Writer;

/// How many reads may run at once.
const READERS: usize = 4;

/// A store in one SQLite file.
///
/// Dropping it finishes what was handed over, empties the log into the file and closes it, which
/// blocks for as long as that takes.
#[derive(Debug)]
pub struct SqliteStore {
    // In this order: the readers close first, so that the writer, closing last, can remove the log.
    readers: Readers,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the file, makes it (mode 0600) when it is missing, and migrates it. Blocks: call it
    /// while starting, or where blocking is allowed.
    ///
    /// # Errors
    /// Says which file, and what is wrong with it: it cannot be opened, is not a Spare Key
    /// database, was migrated by a newer binary, or could not be migrated.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let writing = migrate::open_writer(path)?;
        let reading = (0..READERS)
            .map(|_| migrate::open_reader(path))
            .collect::<Result<_, _>>()?;
        let writer = Writer::start(writing).map_err(|e| OpenError::Open {
            path: path.to_owned(),
            source: e.into(),
        })?;
        Ok(Self {
            readers: Readers::new(reading),
            writer,
        })
    }

    /// What the file is; changes nothing. Blocks.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn look(path: &Path) -> Result<Standing, OpenError> {
        migrate::look(path)
    }
}
