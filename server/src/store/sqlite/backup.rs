//! A copy of the file while servers write to it.
//!
//! `VACUUM INTO` reads one state of the database and holds nobody up; what was erased is not in the
//! copy, not even as free space. The copy says of itself that it is one.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::SqliteStore;
use super::migrate::{self, BACKUP_ID, OpenError, connect};
use crate::model::Timestamp;
use crate::store::{Counts, Standing};

/// A backup that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    /// What is in it.
    pub counts: Counts,
    /// How large it is, in bytes.
    pub size: u64,
}

/// Why there is no backup. Nothing was left behind.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is nothing to back up.
    #[error("there is no database at {}", .0.display())]
    Absent(PathBuf),
    /// Something is there already.
    #[error("{} is there already; nothing is ever overwritten", .0.display())]
    Exists(PathBuf),
    /// The file system said no.
    #[error("{} could not be written", path.display())]
    Io {
        /// The copy.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The database said no.
    #[error("the copy could not be made")]
    Database(#[from] rusqlite::Error),
    /// The copy is not sound, so the original may not be either.
    #[error("the copy is damaged: {0}")]
    Damaged(String),
}

impl SqliteStore {
    /// Copies the database at `from` to `to`, mode 0600, marked as a backup of `at`, and looks
    /// whether the copy is sound. Blocks; servers and other processes go on.
    ///
    /// # Errors
    /// [`BackupError`]; then there is nothing at `to`.
    pub fn back_up(from: &Path, to: &Path, at: Timestamp) -> Result<BackedUp, BackupError> {
        if to.exists() {
            return Err(BackupError::Exists(to.to_owned()));
        }
        if migrate::look(from)? == Standing::Absent {
            return Err(BackupError::Absent(from.to_owned()));
        }
        let source = connect(from)?;
        let copy = Copy::of(&source, to)?;
        let mut db = connect(&copy.partial)?;
        let mark = db.transaction()?;
        mark.execute_batch("CREATE TABLE backup (taken_at INTEGER NOT NULL) STRICT")?;
        mark.execute("INSERT INTO backup (taken_at) VALUES (?1)", [at])?;
        mark.pragma_update(None, "application_id", BACKUP_ID)?;
        mark.commit()?;
        sound(&db)?;
        let counts = counts(&db)?;
        db.close().map_err(|(_, error)| error)?;
        let size = copy.put_in_place(to)?;
        Ok(BackedUp { counts, size })
    }
}

/// A file that is being written beside the one that it will be; gone with its owner.
pub(super) struct Copy {
    pub(super) partial: PathBuf,
}

impl Copy {
    /// One state of the database, in a file of its owner's alone.
    pub(super) fn of(source: &Connection, to: &Path) -> Result<Self, BackupError> {
        let mut partial = to.as_os_str().to_owned();
        partial.push(format!(".{}.partial", std::process::id()));
        let partial = PathBuf::from(partial);
        let io = |source| BackupError::Io {
            path: partial.clone(),
            source,
        };
        let name = partial
            .to_str()
            .ok_or_else(|| io(io::ErrorKind::InvalidFilename.into()))?;
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)
            .map_err(io)?;
        let copy = Self {
            partial: partial.clone(),
        };
        source.execute("VACUUM INTO ?1", params![name])?;
        Ok(copy)
    }

    /// Gives the file its name once all of it is on disk; its size. Nothing is overwritten: a link
    /// is made only where nothing is.
    pub(super) fn put_in_place(self, to: &Path) -> Result<u64, BackupError> {
        let io = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
            _ => BackupError::Io {
                path: to.to_owned(),
                source,
            },
        };
        let file = File::open(&self.partial).map_err(io)?;
        file.sync_all().map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        fs::hard_link(&self.partial, to).map_err(io)?;
        let folder = match to.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(io)?;
        Ok(size)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // What cannot be removed bears a name that says what it is.
        let _removed = fs::remove_file(&self.partial);
    }
}

/// A connection that changes nothing, not even by closing.
pub(super) fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

/// Every page, every index, every reference.
pub(super) fn sound(db: &Connection) -> Result<(), BackupError> {
    let said: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if said != "ok" {
        return Err(BackupError::Damaged(said));
    }
    let strays = db
        .prepare("PRAGMA foreign_key_check")?
        .query_map([], |row| row.get::<_, String>(0))?
        .count();
    if strays > 0 {
        return Err(BackupError::Damaged(format!("{strays} rows without owner")));
    }
    Ok(())
}

pub(super) fn counts(db: &Connection) -> rusqlite::Result<Counts> {
    db.query_row(Counts::SQL, [], |row| {
        let count = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
        Ok(Counts {
            accounts: count(0)?,
            authenticators: count(1)?,
            live: count(2)?,
            codes: count(3)?,
        })
    })
}
