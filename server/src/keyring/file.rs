//! A keyring as a file or an environment secret.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::follow::Followed;
use super::{Key, Keyring, Ring};
use crate::clock::{parse_rfc3339, rfc3339};
use crate::entropy::{Entropy, EntropyFault};
use crate::model::{KeyId, Timestamp};

/// One key as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLine {
    /// Its number.
    pub id: KeyId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether new things are made with it.
    pub current: bool,
}

/// Why there is no keyring.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// No file there.
    #[error("there is no keyring at {0}; make one with: spare-key keyring init --keyring {0}")]
    NotFound(PathBuf),
    /// A file is there already.
    #[error("{0} is there already; a keyring is never overwritten")]
    Exists(PathBuf),
    /// Others can read it.
    #[error("{path} can be read by others (mode {mode:o}); protect it with: chmod 600 {path}")]
    TooOpen {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file system said no.
    #[error("the keyring at {path} could not be {doing}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Read or written.
        doing: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not a keyring.
    #[error("{origin} does not hold a keyring: {why}")]
    Malformed {
        /// The file's path or the variable's name.
        origin: String,
        /// What is wrong; never a part of a key.
        why: &'static str,
    },
    /// It has lost a key that it had.
    #[error("{path} does not hold key {key} any more, and things were made with it")]
    Lost {
        /// Where.
        path: PathBuf,
        /// Which.
        key: u32,
    },
    /// A key's number stands for another key than before.
    #[error("{path} holds another key {key} than before")]
    Another {
        /// Where.
        path: PathBuf,
        /// Which.
        key: u32,
    },
}

/// Why a keyring file was not given another key.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The file.
    #[error(transparent)]
    File(#[from] KeyringError),
    /// The randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyFault),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    current: u32,
    key: Vec<DocumentKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentKey {
    id: u32,
    created_at: String,
    secret: String,
}

impl Drop for DocumentKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

const HEADER: &str = "# Spare Key's keyring. Keep it secret, keep a copy, keep it away from the database:\n\
                      # without it no stored code can be redeemed and no authenticator checked.\n";

impl Ring {
    /// Reads a keyring file; refuses one that others can read.
    pub(super) fn load(path: &Path) -> Result<Self, KeyringError> {
        let io = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => KeyringError::NotFound(path.to_owned()),
            _ => KeyringError::Io {
                path: path.to_owned(),
                doing: "read",
                source,
            },
        };
        let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyringError::TooOpen {
                path: path.to_owned(),
                mode,
            });
        }
        let text = Zeroizing::new(fs::read_to_string(path).map_err(io)?);
        Self::parse(&text, &path.display().to_string())
    }

    fn parse(text: &str, origin: &str) -> Result<Self, KeyringError> {
        let malformed = |why| KeyringError::Malformed {
            origin: origin.to_owned(),
            why,
        };
        let document: Document = toml::from_str(text)
            .map_err(|_| malformed("expected `current` and a list of `[[key]]`"))?;
        let mut keys = Vec::with_capacity(document.key.len());
        for key in &document.key {
            let bytes = Zeroizing::new(
                BASE64
                    .decode(key.secret.as_bytes())
                    .map_err(|_| malformed("a secret is not base64"))?,
            );
            let secret: [u8; 32] = bytes
                .as_slice()
                .try_into()
                .map_err(|_| malformed("a secret does not have 32 bytes"))?;
            let created_at =
                parse_rfc3339(&key.created_at).ok_or(malformed("a created_at is not a time"))?;
            keys.push(Key {
                id: KeyId(key.id),
                created_at,
                secret: Zeroizing::new(secret),
            });
        }
        keys.sort_by_key(|key| key.id);
        if keys.windows(2).any(|pair| pair[0].id == pair[1].id) {
            return Err(malformed("two keys have the same id"));
        }
        if !keys.iter().any(|key| key.id.0 == document.current) {
            return Err(malformed("the current key is not among the keys"));
        }
        Ok(Self {
            keys,
            current: KeyId(document.current),
        })
    }
}

impl Keyring {
    /// Reads a keyring file and follows it from then on; refuses one that others can read.
    pub fn load(path: &Path) -> Result<Self, KeyringError> {
        let (ring, followed) = Followed::begin(path)?;
        Ok(Self {
            followed: Some(followed),
            ..Self::of(ring)
        })
    }

    /// Adds a new key to a keyring file and makes it the current one. Whoever does the same at the
    /// same moment waits, so that no key is lost.
    pub fn rotate_file(
        path: &Path,
        entropy: &dyn Entropy,
        now: Timestamp,
    ) -> Result<KeyId, RotateError> {
        let io = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::NotFound => KeyringError::NotFound(path.to_owned()),
            _ => KeyringError::Io {
                path: path.to_owned(),
                doing: "read",
                source,
            },
        };
        loop {
            let held = File::open(path).map_err(io)?;
            held.lock().map_err(io)?;
            // Who had the lock before has put another file in this one's place.
            let (ours, there) = (
                held.metadata().map_err(io)?,
                fs::metadata(path).map_err(io)?,
            );
            if (ours.dev(), ours.ino()) != (there.dev(), there.ino()) {
                continue;
            }
            let mut keyring = Self::load(path)?;
            let key = keyring.rotate(entropy, now)?;
            keyring.replace(path)?;
            return Ok(key);
        }
    }

    /// Reads a keyring from the text of a file or of an environment secret; `origin` names which.
    pub fn parse(text: &str, origin: &str) -> Result<Self, KeyringError> {
        Ring::parse(text, origin).map(Self::of)
    }

    /// Writes a new file with mode 0600; never over another.
    pub fn create(&self, path: &Path) -> Result<(), KeyringError> {
        self.write(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => KeyringError::Exists(path.to_owned()),
            _ => KeyringError::Io {
                path: path.to_owned(),
                doing: "written",
                source,
            },
        })
    }

    /// Puts this keyring in the place of the file in one step: a crash leaves the old or the new.
    pub fn replace(&self, path: &Path) -> Result<(), KeyringError> {
        let next = path.with_extension("next");
        let io = |source| KeyringError::Io {
            path: path.to_owned(),
            doing: "written",
            source,
        };
        match fs::remove_file(&next) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        self.write(&next).map_err(io)?;
        fs::rename(&next, path).map_err(io)?;
        // The new name is on disk before anything is made with the new key.
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(io)
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(HEADER.as_bytes())?;
        file.write_all(self.text().as_bytes())?;
        file.sync_all()
    }

    fn text(&self) -> Zeroizing<String> {
        let ring = self.ring();
        let document = Document {
            current: ring.current.0,
            key: ring
                .keys
                .iter()
                .map(|key| DocumentKey {
                    id: key.id.0,
                    created_at: rfc3339(key.created_at),
                    secret: BASE64.encode(key.secret.as_slice()),
                })
                .collect(),
        };
        Zeroizing::new(toml::to_string(&document).unwrap_or_default())
    }
}
