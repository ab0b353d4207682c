//! PEM files: read with regard to who else can read them, written so that nobody else can.

use std::fmt::Display;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use super::TlsError;

/// Who may read a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Readers {
    /// Its owner.
    Owner,
    /// Its owner and a group.
    Group,
    /// Everybody: nothing in it is secret.
    Anybody,
}

impl Readers {
    /// The permission bits that go too far.
    fn excess(self) -> u32 {
        match self {
            Self::Owner => 0o077,
            Self::Group => 0o007,
            Self::Anybody => 0,
        }
    }
}

/// The text of a file and where it is from.
pub(super) struct Pem {
    pub(super) path: PathBuf,
    text: Zeroizing<String>,
}

impl Pem {
    /// Reads a file; refuses one that too many can read.
    pub(super) fn read(path: &Path, readers: Readers) -> Result<Self, TlsError> {
        let io = |source| TlsError::Io {
            path: path.to_owned(),
            doing: "read",
            source,
        };
        let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
        if mode & readers.excess() != 0 {
            return Err(TlsError::TooOpen {
                path: path.to_owned(),
                mode,
            });
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(io)?);
        // PEM is ASCII; what is not is no PEM, and is said so when its parts are asked for.
        let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }

    /// The same; `None` when there is no such file.
    pub(super) fn find(path: &Path, readers: Readers) -> Result<Option<Self>, TlsError> {
        match Self::read(path, readers) {
            Err(TlsError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Every certificate in it, in order.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        CertificateDer::pem_slice_iter(self.text.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            // The error is not repeated: it may show a line, and a key may be in the same file.
            .map_err(|_| self.malformed("certificate", "a part of it cannot be read"))
    }

    /// The private key in it.
    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        const KEY: &str = "private key";
        if self.text.contains("ENCRYPTED") {
            let why = "it is encrypted, and a server has nobody to ask for the password";
            return Err(self.malformed(KEY, why));
        }
        // The error is not repeated: it shows bytes of what it could not read.
        PrivateKeyDer::from_pem_slice(self.text.as_bytes())
            .map_err(|_| self.malformed(KEY, "there is no readable one in it"))
    }

    /// A certificate of this file, taken apart.
    pub(super) fn parse<'a>(
        &self,
        der: &'a CertificateDer<'_>,
    ) -> Result<X509Certificate<'a>, TlsError> {
        match X509Certificate::from_der(der) {
            Ok(([], parsed)) => Ok(parsed),
            Ok(_) => Err(self.malformed("certificate", "there is something behind it")),
            Err(error) => Err(self.malformed("certificate", &error)),
        }
    }

    pub(super) fn malformed(&self, what: &'static str, why: impl Display) -> TlsError {
        TlsError::Malformed {
            path: self.path.clone(),
            what,
            why: why.to_string(),
        }
    }
}

/// Writes a new file with this mode; never over another.
pub(super) fn create(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    write(path, text, mode).map_err(|source| TlsError::Io {
        path: path.to_owned(),
        doing: "written",
        source,
    })
}

/// Puts a text that only its owner may read in the place of a file in one step: a crash leaves the
/// old or the new.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), TlsError> {
    let next = path.with_extension("next");
    let io = |source| TlsError::Io {
        path: path.to_owned(),
        doing: "written",
        source,
    };
    match fs::remove_file(&next) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    write(&next, text, 0o600).map_err(io)?;
    fs::rename(&next, path).map_err(io)
}

fn write(path: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
