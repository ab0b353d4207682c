//! Opening connections and bringing the schema up to this binary's.
//!
//! `application_id` says whose file it is and `user_version` which migration was last; both are in
//! the header, so a foreign or a newer file is told before a single table is looked at.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::clock::rfc3339;
use crate::model::Timestamp;
use crate::store::Standing;

/// "SpKy", in the file's header.
pub(super) const APPLICATION_ID: i32 = 0x5370_4b79;

/// "SpKB", in a backup's: it is not served from until it has been restored.
pub(super) const BACKUP_ID: i32 = 0x5370_4b42;

/// The migrations, the first is number 1.
const MIGRATIONS: [&str; 4] = [
    include_str!("../../../migrations/sqlite/0001_first.sql"),
    include_str!("../../../migrations/sqlite/0002_retention.sql"),
    include_str!("../../../migrations/sqlite/0003_imported.sql"),
    include_str!("../../../migrations/sqlite/0004_notices.sql"),
];

/// This binary's schema.
pub(super) const KNOWN: i32 = MIGRATIONS.len() as i32;

/// Distinct statements of the adapter, so that each is parsed once a connection.
const STATEMENTS: usize = 128;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened, made or written.
    #[error("cannot open the database {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What was said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is something else.
    #[error("{} is not a Spare Key database; name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer binary has migrated it.
    #[error(
        "the database {} has schema {found}, this binary knows up to {known}: use a newer spare-key",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i32,
        /// The latest this binary knows.
        known: i32,
    },
    /// It is a backup, and what it means to go back to one has not been decided.
    #[error(
        "{} is a backup{}; nothing is served from it before it is restored",
        path.display(),
        taken_at.map(|at| format!(" of {}", rfc3339(at))).unwrap_or_default()
    )]
    Backup {
        /// The file.
        path: PathBuf,
        /// When it was taken, if it says so.
        taken_at: Option<Timestamp>,
    },
    /// A migration failed; the database is as it was.
    #[error("migration {number} of the database {} failed; nothing was changed", path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// Which.
        number: i32,
        /// What the database said.
        #[source]
        source: rusqlite::Error,
    },
}

/// Opens the writing connection: makes the file, migrates it, sets it up.
pub(super) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let broken = |source: Box<dyn std::error::Error + Send + Sync>| OpenError::Open {
        path: path.to_owned(),
        source,
    };
    make_private(path).map_err(|e| broken(e.into()))?;
    let mut db = connect(path).map_err(|e| refused(path, e))?;
    overwrite_what_is_erased(&db).map_err(|e| refused(path, e))?;
    migrate(&mut db, path)?;
    set_up(&db).map_err(|e| refused(path, e))?;
    Ok(db)
}

/// What the file is; brings nothing up to date.
pub(super) fn look(path: &Path) -> Result<Standing, OpenError> {
    if !path.exists() {
        return Ok(Standing::Absent);
    }
    let mut db = connect(path).map_err(|e| refused(path, e))?;
    let look = db.transaction().map_err(|e| refused(path, e))?;
    Ok(match examine(&look, path)? {
        0 => Standing::Absent,
        KNOWN => Standing::Current,
        found => Standing::Older {
            found: found.unsigned_abs(),
            known: KNOWN.unsigned_abs(),
        },
    })
}

/// Opens a connection that cannot write. The file must have been opened for writing before.
pub(super) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let open = || {
        let db = connect(path)?;
        set_up(&db)?;
        db.pragma_update(None, "query_only", true)?;
        Ok(db)
    };
    open().map_err(|e| refused(path, e))
}

/// Makes the file when it is missing, for its owner only; SQLite gives its log the same mode. A
/// file that is there is left alone: to open and close it would drop this process's locks on it.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    db.busy_handler(Some(wait_for_the_lock))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // A plan is made once a statement; without this SQLite looks at the values too, and makes
    // another one each time they differ.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(db)
}

/// Waits for another process's transaction, about five seconds in all. Short naps, because its
/// group commits take milliseconds and SQLite's own handler soon sleeps for a tenth of a second.
fn wait_for_the_lock(times: i32) -> bool {
    let nap = u64::try_from(times).unwrap_or(0).clamp(1, 10);
    thread::sleep(Duration::from_millis(nap));
    times < 500
}

pub(super) fn refused(path: &Path, error: rusqlite::Error) -> OpenError {
    if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        OpenError::Foreign {
            path: path.to_owned(),
        }
    } else {
        OpenError::Open {
            path: path.to_owned(),
            source: error.into(),
        }
    }
}

/// Applies what is missing in one transaction; several processes may start at once.
fn migrate(db: &mut Connection, path: &Path) -> Result<(), OpenError> {
    let refused = |error| refused(path, error);
    // A look before the lock: a foreign file is not to be written to at all. In one transaction,
    // as another process may be migrating it between two reads.
    let look = db.transaction().map_err(refused)?;
    examine(&look, path)?;
    drop(look);
    let transaction = db
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(refused)?;
    let found = examine(&transaction, path)?;
    apply(&transaction, path, found)?;
    transaction.commit().map_err(refused)
}

/// Applies what is missing to a schema.
pub(super) fn apply(transaction: &Connection, path: &Path, found: i32) -> Result<(), OpenError> {
    for number in found + 1..=KNOWN {
        let apply = || {
            let sql = usize::try_from(number - 1)
                .ok()
                .and_then(|at| MIGRATIONS.get(at));
            transaction.execute_batch(sql.copied().unwrap_or_default())?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", number)
        };
        apply().map_err(|source| OpenError::Migration {
            path: path.to_owned(),
            number,
            source,
        })?;
    }
    Ok(())
}

/// The file's schema, 0 for an empty file.
pub(super) fn examine(db: &Connection, path: &Path) -> Result<i32, OpenError> {
    let header = || {
        let application: i32 = db.pragma_query_value(None, "application_id", |r| r.get(0))?;
        let version: i32 = db.pragma_query_value(None, "user_version", |r| r.get(0))?;
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
        Ok((application, version, tables))
    };
    match header().map_err(|error| refused(path, error))? {
        (0, 0, 0) => Ok(0),
        (APPLICATION_ID, found, _) if found <= KNOWN => Ok(found),
        (BACKUP_ID, found, _) if found <= KNOWN => Err(OpenError::Backup {
            path: path.to_owned(),
            taken_at: taken_at(db),
        }),
        (APPLICATION_ID | BACKUP_ID, found, _) => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: KNOWN,
        }),
        _ => Err(OpenError::Foreign {
            path: path.to_owned(),
        }),
    }
}

/// When a backup was taken; `None` when it does not say.
pub(super) fn taken_at(db: &Connection) -> Option<Timestamp> {
    db.query_row("SELECT taken_at FROM backup", [], |row| row.get(0))
        .ok()
}

/// What each connection is told.
fn set_up(db: &Connection) -> rusqlite::Result<()> {
    log_ahead(db)?;
    // A commit that was answered is on disk (property C7), not on its way there.
    db.pragma_update(None, "synchronous", "FULL")?;
    overwrite_what_is_erased(db)?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    Ok(())
}

/// Erased digests and seeds are overwritten, not only unlinked; a migration erases some too.
pub(super) fn overwrite_what_is_erased(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "secure_delete", true)
}

/// Turns the write-ahead log on. SQLite does not call the busy handler here when two processes
/// open a new file at the same moment, so this waits by itself.
fn log_ahead(db: &Connection) -> rusqlite::Result<()> {
    let mut times = 0;
    loop {
        match db.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && wait_for_the_lock(times) =>
            {
                times += 1;
            }
            other => return other,
        }
    }
}

/// Writes the file's name tag over itself: the smallest change that reaches the disk.
pub(super) fn touch_header(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "application_id", APPLICATION_ID)
}
