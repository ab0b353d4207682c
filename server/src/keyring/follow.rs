//! Following a keyring file, so that a key added to it is used without a restart.
//!
//! The keys in use are never exchanged for fewer or for others: a file that cannot be read, that
//! others can read, that lost a key or that says something else than before leaves them as they
//! are, and [`Keyring::trouble`] says so. It watches nothing by itself; somebody has to look.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use subtle::ConstantTimeEq;

use super::{Keyring, KeyringError, Ring};

/// A file and how it was when it was last read.
pub(super) struct Followed {
    path: PathBuf,
    seen: Mutex<Seen>,
}

struct Seen {
    /// `None` when it could not be read and is worth another try.
    stamp: Option<Stamp>,
    trouble: Option<String>,
}

/// What differs when a file was changed: device, inode, size, and when it or its mode was changed,
/// in seconds and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp(u64, u64, u64, i64, i64);

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        Some(Self(
            file.dev(),
            file.ino(),
            file.size(),
            file.ctime(),
            file.ctime_nsec(),
        ))
    }
}

impl Followed {
    /// Reads the file and remembers how it was.
    pub(super) fn begin(path: &Path) -> Result<(Ring, Self), KeyringError> {
        // Before it is read: what changes meanwhile is read at the next look.
        let stamp = Stamp::of(path);
        let ring = Ring::load(path)?;
        let followed = Self {
            path: path.to_owned(),
            seen: Mutex::new(Seen {
                stamp,
                trouble: None,
            }),
        };
        Ok((ring, followed))
    }
}

impl Keyring {
    /// Looks at the file and, when it was changed, takes up what it holds. Reads a small file;
    /// does nothing for a keyring that came from elsewhere.
    pub fn look(&self) {
        let Some(Followed { path, seen }) = &self.followed else {
            return;
        };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Stamp::of(path);
        if stamp.is_some() && stamp == seen.stamp {
            return;
        }
        let before = self.ring();
        match Ring::load(path).and_then(|after| after.instead_of(&before, path)) {
            Ok(after) => {
                tracing::info!(
                    path = %path.display(),
                    keys = after.keys.len(),
                    current = after.current.0,
                    "the keyring was read again"
                );
                self.swap(after);
                seen.stamp = stamp;
                seen.trouble = None;
            }
            Err(error) => {
                let trouble = error.to_string();
                if seen.trouble.as_ref() != Some(&trouble) {
                    tracing::error!(
                        error = %trouble,
                        "the keyring was changed and cannot be used; the keys read before stay in \
                         use"
                    );
                }
                seen.stamp = None;
                seen.trouble = Some(trouble);
            }
        }
    }

    /// Why the file is not what is in use, if it is not.
    pub fn trouble(&self) -> Option<String> {
        let seen = &self.followed.as_ref()?.seen;
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.trouble.clone()
    }
}

impl Ring {
    /// This one, if it has every key of the one before.
    fn instead_of(self, before: &Self, path: &Path) -> Result<Self, KeyringError> {
        for key in &before.keys {
            let path = || path.to_owned();
            let id = key.id.0;
            let Some(same) = self.key(key.id) else {
                return Err(KeyringError::Lost {
                    path: path(),
                    key: id,
                });
            };
            if !bool::from(same.secret.ct_eq(key.secret.as_slice())) {
                return Err(KeyringError::Another {
                    path: path(),
                    key: id,
                });
            }
        }
        Ok(self)
    }
}
