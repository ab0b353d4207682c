//! Where the keyring is. Reads nothing.

use std::ffi::OsString;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::ConfigError;

/// Where the keyring is.
#[derive(Clone)]
pub enum KeyringSource {
    /// In a file.
    File(PathBuf),
    /// In the environment: its text.
    Secret(Zeroizing<String>),
}

impl std::fmt::Debug for KeyringSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Secret(_) => f.write_str("Secret(…)"),
        }
    }
}

/// The file or the secret; both is one too many.
pub(super) fn chosen(
    path: Option<PathBuf>,
    secret: Option<OsString>,
) -> Result<Option<KeyringSource>, ConfigError> {
    let secret = secret.filter(|text| !text.is_empty());
    match (path, secret) {
        (Some(_), Some(_)) => Err(ConfigError::TwoKeyrings),
        (Some(path), None) => Ok(Some(KeyringSource::File(path))),
        (None, Some(text)) => text
            .into_string()
            .map(|text| Some(KeyringSource::Secret(Zeroizing::new(text))))
            .map_err(|_| ConfigError::SecretNotText),
        (None, None) => Ok(None),
    }
}
