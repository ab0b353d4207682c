//! TLS: certificates and keys from PEM files, made into what a listener needs.
//!
//! Versions 1.2 and 1.3, HTTP/1.1, the cryptography of aws-lc-rs, handed over by name: nothing is
//! installed for the whole process. It takes no connections ([`crate::front`]) and watches no
//! files: a renewed certificate is read at the next start.

mod authority;
mod pem;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, ServerConfig, version};
use x509_parser::certificate::X509Certificate;

pub use self::authority::Authority;
use self::pem::{Pem, Readers};
use crate::entropy::EntropyFault;
use crate::model::Timestamp;

/// Where a certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and behind it those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A certificate with its key, ready to answer with.
#[derive(Debug, Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    until: Timestamp,
}

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file system said no.
    #[error("{} could not be {doing}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Read or written.
        doing: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others can read a private key.
    #[error("the private key {} can be read by others (mode {mode:o})", path.display())]
    TooOpen {
        /// Where.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not what it should be.
    #[error("{} holds no {what}: {why}", path.display())]
    Malformed {
        /// Where.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong; never a part of a key.
        why: String,
    },
    /// Two files that do not belong together.
    #[error("the private key in {} is not that of the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// Where the certificate is.
        certificate: PathBuf,
        /// Where the key is.
        key: PathBuf,
    },
    /// It is a certificate, and of no use.
    #[error("the certificate in {} {why}", path.display())]
    Unfit {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Half of a pair.
    #[error("{} is there and its private key {} is not", certificate.display(), key.display())]
    NoKey {
        /// Where the certificate is.
        certificate: PathBuf,
        /// Where the key should be.
        key: PathBuf,
    },
    /// Neither an address nor the name of a host.
    #[error("no certificate can be made for {0:?}: it is neither an IP address nor a host's name")]
    Name(String),
    /// The source of randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyFault),
    /// What should not happen with files that were just found to be sound.
    #[error("the certificate could not be put to use")]
    Library(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Tls {
    /// From the files of an operator. The key may be read by its owner and a group, which is how
    /// servers share one, and by nobody else.
    ///
    /// # Errors
    /// A file is missing, unreadable, too open or not what it should be, the two do not belong
    /// together, or the certificate has run out.
    pub fn load(files: &TlsFiles, now: Timestamp) -> Result<Self, TlsError> {
        let certificate = Pem::read(&files.certificate, Readers::Anybody)?;
        let key = Pem::read(&files.key, Readers::Group)?;
        let tls = Self::of(&certificate, &key)?;
        if tls.until < now {
            return Err(TlsError::Unfit {
                path: files.certificate.clone(),
                why: format!("ran out on {}", crate::clock::date(tls.until)),
            });
        }
        Ok(tls)
    }

    fn of(certificate: &Pem, key: &Pem) -> Result<Self, TlsError> {
        let chain = certificate.certificates()?;
        let until = match chain.first() {
            Some(first) => validity(&certificate.parse(first)?).1,
            None => return Err(certificate.malformed("certificate", "there is none in it")),
        };
        let provider = provider();
        let secret = provider
            .key_provider
            .load_private_key(key.private_key()?)
            .map_err(|error| key.malformed("private key that can be used", &error))?;
        let certified = CertifiedKey::new(chain, secret);
        certified.keys_match().map_err(|error| match error {
            Error::InconsistentKeys(_) => TlsError::Mismatch {
                certificate: certificate.path.clone(),
                key: key.path.clone(),
            },
            error => certificate.malformed("certificate that a server can use", &error),
        })?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&version::TLS13, &version::TLS12])
            .map_err(|error| TlsError::Library(error.into()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            until,
        })
    }

    /// When the certificate runs out.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    pub(crate) fn into_config(self) -> Arc<ServerConfig> {
        self.config
    }
}

/// The one cryptographic library.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// From when until when.
fn validity(certificate: &X509Certificate<'_>) -> (Timestamp, Timestamp) {
    let at = |time: x509_parser::time::ASN1Time| Timestamp(time.timestamp().saturating_mul(1_000));
    let validity = certificate.validity();
    (at(validity.not_before), at(validity.not_after))
}

#[cfg(test)]
mod tests;
