//! The certificate authority of local development: made once, kept, trusted by clients that are
//! told of it, and used to sign the certificate of this computer.
//!
//! It asks nobody and installs nothing: who is to trust it is told so by the developer. Files that
//! it does not understand it leaves as they are and says so.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, RootCertStore};
use zeroize::Zeroizing;

use super::pem::{self, Pem, Readers};
use super::{Tls, TlsError, provider, validity};
use crate::clock::date;
use crate::entropy::draw_certificate_key;
use crate::model::{Millis, Timestamp};

const DAY: i64 = 24 * 60 * 60 * 1_000;

/// Ten years, leap days included.
const AUTHORITY_FOR: Millis = Millis(3_652 * DAY);

/// Some clients refuse a server's certificate that is good for more than 398 days.
const SERVER_FOR: Millis = Millis(397 * DAY);

/// What would run out sooner is renewed.
const AHEAD: Millis = Millis(30 * DAY);

/// Certificates begin a little earlier than they are made: another computer's clock may be behind.
const EARLIER: Millis = Millis(-60 * 60 * 1_000);

/// The authority with its key.
pub struct Authority {
    certificate: CertificateDer<'static>,
    until: Timestamp,
    key: Zeroizing<KeyPair>,
    files: Files,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Authority")
            .field(&self.files.certificate)
            .finish()
    }
}

#[derive(Debug)]
struct Files {
    /// What clients are told to trust.
    certificate: PathBuf,
    key: PathBuf,
    /// Key and certificate of the server in one file, so that a crash cannot part them.
    server: PathBuf,
}

impl Authority {
    /// The one in `folder`, made when there is none.
    ///
    /// # Errors
    /// A file is there and not what it should be, or cannot be read or written.
    pub fn load_or_make(folder: &Path, now: Timestamp) -> Result<Self, TlsError> {
        let files = Files {
            certificate: folder.join("ca.pem"),
            key: folder.join("ca-key.pem"),
            server: folder.join("server.pem"),
        };
        let certificate = Pem::find(&files.certificate, Readers::Anybody)?;
        match (certificate, Pem::find(&files.key, Readers::Owner)?) {
            (Some(certificate), Some(key)) => Self::load(&certificate, &key, files, now),
            (Some(_), None) => Err(TlsError::NoKey {
                certificate: files.certificate,
                key: files.key,
            }),
            // A start was cut off between the two files.
            (None, Some(key)) => Self::make(read_key(&key)?, files, now),
            (None, None) => {
                let key = draw_certificate_key()?;
                pem::create(&files.key, &Zeroizing::new(key.serialize_pem()), 0o600)?;
                Self::make(key, files, now)
            }
        }
    }

    fn make(key: Zeroizing<KeyPair>, files: Files, now: Timestamp) -> Result<Self, TlsError> {
        let mut params = CertificateParams::default();
        let name = &mut params.distinguished_name;
        name.push(DnType::OrganizationName, "Spare Key for development");
        name.push(DnType::CommonName, format!("Spare Key {}", date(now)));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let until = now.plus(EARLIER).plus(AUTHORITY_FOR);
        valid(&mut params, now.plus(EARLIER), until);
        let certificate = params.self_signed(&*key).map_err(library)?;
        pem::create(&files.certificate, &certificate.pem(), 0o644)?;
        Ok(Self {
            certificate: certificate.der().clone(),
            until,
            key,
            files,
        })
    }

    fn load(certificate: &Pem, key: &Pem, files: Files, now: Timestamp) -> Result<Self, TlsError> {
        let unfit = |why: String| TlsError::Unfit {
            path: files.certificate.clone(),
            why,
        };
        let secret = read_key(key)?;
        let all = certificate.certificates()?;
        let [der] = all.as_slice() else {
            return Err(
                certificate.malformed("certificate", "there must be one in it, and only one")
            );
        };
        let parsed = certificate.parse(der)?;
        if parsed.public_key().raw != secret.subject_public_key_info() {
            return Err(TlsError::Mismatch {
                certificate: certificate.path.clone(),
                key: key.path.clone(),
            });
        }
        if !parsed.is_ca() {
            return Err(unfit("is not that of an authority".to_owned()));
        }
        let (from, until) = validity(&parsed);
        if from > now {
            return Err(unfit(format!("is valid from {} only", date(from))));
        }
        if until < now.plus(AHEAD) {
            return Err(unfit(format!("runs out on {}", date(until))));
        }
        Ok(Self {
            certificate: der.clone(),
            until,
            key: secret,
            files,
        })
    }

    /// Where the certificate is that clients are told to trust.
    pub fn certificate(&self) -> &Path {
        &self.files.certificate
    }

    /// A server's certificate for all of these hosts: the one that is there, or a new one when it
    /// lacks a name or would run out within 30 days.
    ///
    /// # Errors
    /// As [`Authority::load_or_make`]; or something is no name of a host.
    pub fn server(&self, hosts: &[String], now: Timestamp) -> Result<Tls, TlsError> {
        let path = &self.files.server;
        let names = hosts
            .iter()
            .map(|host| {
                ServerName::try_from(host.as_str()).map_err(|_| TlsError::Name(host.clone()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(found) = Pem::find(path, Readers::Owner)? {
            let tls = Tls::of(&found, &found)?;
            if self.still_does(&found, &names, now)? {
                return Ok(tls);
            }
        }
        let key = draw_certificate_key()?;
        let mut params = CertificateParams::new(hosts).map_err(library)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        let name = &mut params.distinguished_name;
        name.push(DnType::OrganizationName, "Spare Key for development");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let from = now.plus(EARLIER);
        valid(&mut params, from, self.until.min(from.plus(SERVER_FOR)));
        let issuer = Issuer::from_ca_cert_der(&self.certificate, &*self.key).map_err(library)?;
        let certificate = params.signed_by(&*key, &issuer).map_err(library)?;
        let secret = Zeroizing::new(key.serialize_pem());
        let both = Zeroizing::new(format!("{}{}", secret.as_str(), certificate.pem()));
        pem::replace(path, &both)?;
        let made = Pem::read(path, Readers::Owner)?;
        // A client would refuse what cannot be verified here.
        if !self.still_does(&made, &names, now)? {
            return Err(library(rcgen::Error::CouldNotParseCertificate));
        }
        Tls::of(&made, &made)
    }

    /// Whether clients that trust this authority take a certificate for these hosts, today and for
    /// a while.
    fn still_does(
        &self,
        found: &Pem,
        names: &[ServerName<'_>],
        now: Timestamp,
    ) -> Result<bool, TlsError> {
        let chain = found.certificates()?;
        let Some(der) = chain.first() else {
            return Err(found.malformed("certificate", "there is none in it"));
        };
        let (from, until) = validity(&found.parse(der)?);
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).map_err(library)?;
        let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider())
            .build()
            .map_err(library)?;
        for name in names {
            // At a time at which it is valid: whether that is now is another question.
            match verifier.verify_server_cert(der, &[], name, &[], unix(from)) {
                Ok(_) => {}
                Err(rustls::Error::InvalidCertificate(
                    CertificateError::NotValidForName
                    | CertificateError::NotValidForNameContext { .. },
                )) => return Ok(false),
                Err(error) => {
                    return Err(TlsError::Unfit {
                        path: found.path.clone(),
                        why: format!(
                            "is not one that {} signed for a server ({error})",
                            self.files.certificate.display()
                        ),
                    });
                }
            }
        }
        Ok(from <= now && until >= now.plus(AHEAD).min(self.until))
    }
}

fn read_key(key: &Pem) -> Result<Zeroizing<KeyPair>, TlsError> {
    // The error is not repeated: nothing of a key belongs in a message.
    KeyPair::from_pem(key.text())
        .map(Zeroizing::new)
        .map_err(|_| key.malformed("private key", "there is no readable one in it"))
}

fn valid(params: &mut CertificateParams, from: Timestamp, until: Timestamp) {
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(unix(from).as_secs());
    params.not_after = epoch + Duration::from_secs(unix(until).as_secs());
}

fn unix(at: Timestamp) -> UnixTime {
    let seconds = u64::try_from(at.0 / 1_000).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn library(error: impl std::error::Error + Send + Sync + 'static) -> TlsError {
    TlsError::Library(Box::new(error))
}
