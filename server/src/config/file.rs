//! The settings file: TOML, the flags' names with `_` for `-`, nothing else.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{CanopyGiven, HashCost, LogFormat, NoticesGiven, Switch};

/// What a settings file may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) store: Option<String>,
    pub(super) keyring: Option<PathBuf>,
    pub(super) listen: Option<SocketAddr>,
    pub(super) tls_cert: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    pub(super) issuer: Option<String>,
    #[serde(default)]
    pub(super) trust_issuer: Vec<String>,
    pub(super) no_pages: Option<bool>,
    #[serde(default)]
    pub(super) trusted_proxy: Vec<IpAddr>,
    pub(super) recovery_codes: Option<Switch>,
    pub(super) product: Option<String>,
    pub(super) theme: Option<PathBuf>,
    #[serde(default)]
    pub(super) canopy: CanopyGiven,
    mail_server: Option<String>,
    mail_from: Option<String>,
    mail_contact: Option<String>,
    webhook: Option<String>,
    webhook_secret_file: Option<PathBuf>,
    pub(super) hash_cost: Option<HashCost>,
    pub(super) workers: Option<NonZeroUsize>,
    pub(super) keep_events: Option<u32>,
    pub(super) log: Option<String>,
    pub(super) log_format: Option<LogFormat>,
}

impl File {
    /// How people are told; taken out of it.
    pub(super) fn notices(&mut self) -> NoticesGiven {
        NoticesGiven {
            mail_server: self.mail_server.take(),
            mail_from: self.mail_from.take(),
            mail_contact: self.mail_contact.take(),
            webhook: self.webhook.take(),
            webhook_secret_file: self.webhook_secret_file.take(),
        }
    }
}

/// Why a settings file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("the settings file {} could not be read", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It does not say what a settings file says.
    #[error("the settings file {}, line {line}: {why}", path.display())]
    Malformed {
        /// Where.
        path: PathBuf,
        /// In which line, from 1.
        line: usize,
        /// What is wrong; names keys, and never repeats the line.
        why: String,
    },
}

impl FileError {
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::Io { .. } => "name a file that can be read with --config or SPARE_KEY_CONFIG",
            Self::Malformed { .. } => {
                "correct it; keys are the flags' names with _ for -, see: spare-key serve --help"
            }
        }
    }
}

pub(super) fn read(path: &Path) -> Result<File, FileError> {
    let text = fs::read_to_string(path).map_err(|source| FileError::Io {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().map_or(0, |span| span.start);
        FileError::Malformed {
            path: path.to_owned(),
            line: 1 + text
                .bytes()
                .take(before)
                .filter(|byte| *byte == b'\n')
                .count(),
            // Not the error's own text: that shows the line, and somebody may have put a secret
            // there.
            why: error.message().to_owned(),
        }
    })
}
