//! What backing up and restoring have come to.

use std::path::Path;

use serde::Serialize;

use super::time;
use crate::app::StoreUrl;
use crate::clock::rfc3339;
use crate::model::Timestamp;
use crate::store::sqlite::BackedUp;
use crate::store::{Counts, NUMBERS_JUMP, Restored};

/// How many there are.
#[derive(Debug, Serialize)]
struct CountsRow {
    accounts: u64,
    authenticators: u64,
    live_batches: u64,
    unused_codes: u64,
}

impl From<Counts> for CountsRow {
    fn from(counts: Counts) -> Self {
        let Counts {
            accounts,
            authenticators,
            live,
            codes,
        } = counts;
        Self {
            accounts,
            authenticators,
            live_batches: live,
            unused_codes: codes,
        }
    }
}

impl CountsRow {
    fn text(&self) -> String {
        let Self {
            accounts,
            authenticators,
            live_batches,
            unused_codes,
        } = self;
        format!(
            "{accounts} accounts, {authenticators} authenticators, {live_batches} live batches \
             with {unused_codes} unused codes"
        )
    }
}

/// A backup.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct BackupAnswer {
    file: String,
    taken_at: String,
    bytes: u64,
    #[serde(flatten)]
    counts: CountsRow,
}

impl BackupAnswer {
    pub(in crate::cli) fn of(file: &Path, at: Timestamp, taken: &BackedUp) -> Self {
        Self {
            file: file.display().to_string(),
            taken_at: rfc3339(at),
            bytes: taken.size,
            counts: taken.counts.into(),
        }
    }

    pub(in crate::cli) fn text(&self) -> String {
        let Self {
            file,
            bytes,
            counts,
            ..
        } = self;
        let counts = counts.text();
        format!(
            "{file}: {counts}; {bytes} bytes, checked; the keyring is not in it, keep a copy of \
             that elsewhere"
        )
    }
}

/// A restore.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct RestoreAnswer {
    store: String,
    taken_at: Option<String>,
    in_the_backup: CountsRow,
    now: CountsRow,
}

impl RestoreAnswer {
    pub(in crate::cli) fn of(url: &StoreUrl, restored: &Restored) -> Self {
        Self {
            store: url.to_string(),
            taken_at: time(restored.taken_at),
            in_the_backup: restored.before.into(),
            now: restored.after.into(),
        }
    }

    pub(in crate::cli) fn text(&self) -> String {
        let taken = match &self.taken_at {
            Some(at) => format!(" of {at}"),
            None => String::new(),
        };
        format!(
            "{}: restored the backup{taken}\n  in the backup: {}\n  now: {}\n  sessions, trusted \
             devices and signed tokens have ended; numbers of batches go on {NUMBERS_JUMP} higher\n  \
             look through what came back with it: spare-key client list, spare-key api-key list",
            self.store,
            self.in_the_backup.text(),
            self.now.text()
        )
    }
}
