//! What to do when TLS cannot be spoken, by development or by production.

use std::path::Path;

use super::failure::Failure;
use crate::dev;
use crate::tls::TlsError;

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        let remedy = remedy(&error);
        Self::new(error.to_string()).because(&error).remedy(remedy)
    }
}

fn remedy(error: &TlsError) -> String {
    match error {
        TlsError::Io { path, doing, .. } => match *doing {
            "written" => format!("see that you may write to {}", path.display()),
            _ => format!("see that {} is a file you may read", path.display()),
        },
        TlsError::TooOpen { path, .. } => {
            format!("protect it: chmod 600 {}", path.display())
        }
        TlsError::Malformed { path, .. }
        | TlsError::Unfit { path, .. }
        | TlsError::Mismatch {
            certificate: path, ..
        }
        | TlsError::NoKey {
            certificate: path, ..
        } => put_right(path),
        TlsError::Name(_) => {
            "listen on an IP address, and give an issuer with a host's name in it".to_owned()
        }
        TlsError::Entropy(_) | TlsError::Library(_) => {
            "see what is wrong with: spare-key check".to_owned()
        }
    }
}

/// What `dev` has made it can make again; what an operator was given only they can replace.
fn put_right(path: &Path) -> String {
    if path.parent() != Some(Path::new(dev::FOLDER)) {
        return "give --tls-cert the certificate as its authority issued it, with the chain behind \
                it, and --tls-key the private key that belongs to it, both in PEM"
            .to_owned();
    }
    let folder = dev::FOLDER;
    if path.ends_with("server.pem") {
        return format!(
            "put it back, or delete it to have a new one: rm {}",
            path.display()
        );
    }
    format!(
        "put back what was there; or make a new authority, which every client has to be told of: \
         rm {folder}/ca.pem {folder}/ca-key.pem {folder}/server.pem"
    )
}
