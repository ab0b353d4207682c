//! Whether the file that was opened is still the one at its path.
//!
//! A file that was moved away or removed takes writes as before, and whatever is written is lost
//! with it: a code would be spent where the next start does not look. So before each transaction
//! the file is looked for, and without it nothing is written.

use std::fs;
use std::io;
use std::path::PathBuf;

use rusqlite::Connection;

/// Where the file was, and which it was.
pub(super) struct Place {
    path: PathBuf,
    file: Identity,
}

/// The file is not where it was opened.
#[derive(Debug, thiserror::Error)]
#[error("the database's file is not at its path any more: {0}")]
pub(super) struct Moved(String);

impl Place {
    /// Of an open connection; `None` of one that has no file.
    pub(super) fn of(db: &Connection) -> Option<Self> {
        let path = PathBuf::from(db.path().filter(|path| !path.is_empty())?);
        let file = identity(&path).ok()?;
        Some(Self { path, file })
    }

    /// Whether it is still there.
    pub(super) fn look(&self) -> Result<(), Moved> {
        match identity(&self.path) {
            Ok(file) if file == self.file => Ok(()),
            Ok(_) => Err(Moved("another is in its place".to_owned())),
            Err(error) => Err(Moved(error.to_string())),
        }
    }
}

/// The device and the number on it.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &std::path::Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Elsewhere an open file can neither be moved nor removed.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(path: &std::path::Path) -> io::Result<Identity> {
    fs::metadata(path).map(drop)
}
