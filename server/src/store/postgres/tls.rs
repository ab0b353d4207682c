//! What the way to the database is encrypted with: rustls over aws-lc-rs, as everywhere here.
//!
//! There is one kind of TLS: the server's chain, its time and its name are checked. What an address
//! asks for is [`super::url`]'s affair.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslNegotiation;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::{PostgresUrl, TlsMode};

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The file of `sslrootcert`.
    #[error("{} holds no certificate of an authority that can be read: {why}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The operating system has none to give.
    #[error("the operating system has no certificates of authorities; name some with sslrootcert")]
    NoneHere,
    /// What should not happen.
    #[error("TLS could not be set up: {0}")]
    Library(rustls::Error),
}

/// What the driver connects with. For an address in the clear nobody is believed.
pub(super) fn connector(url: &PostgresUrl) -> Result<MakeRustlsConnect, RootsError> {
    let roots = match &url.tls {
        TlsMode::Off => RootCertStore::empty(),
        TlsMode::Verified { roots: Some(path) } => from_file(path)?,
        TlsMode::Verified { roots: None } => from_system()?,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(RootsError::Library)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    if url.config.get_ssl_negotiation() == SslNegotiation::Direct {
        // Without it PostgreSQL refuses a handshake that it was not asked for.
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

fn from_file(path: &Path) -> Result<RootCertStore, RootsError> {
    let unfit = |why: String| RootsError::File {
        path: path.to_owned(),
        why,
    };
    let mut roots = RootCertStore::empty();
    for found in CertificateDer::pem_file_iter(path).map_err(|error| unfit(error.to_string()))? {
        let certificate = found.map_err(|error| unfit(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| unfit(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unfit("there is none in it".to_owned()));
    }
    Ok(roots)
}

fn from_system() -> Result<RootCertStore, RootsError> {
    let mut roots = RootCertStore::empty();
    // Some systems carry certificates that rustls does not take; the others serve.
    let (added, _) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err(RootsError::NoneHere);
    }
    Ok(roots)
}
