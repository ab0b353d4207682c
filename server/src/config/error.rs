//! What is wrong with what was given, and what to do about it.

use super::{FileError, KEEP_EVENTS_MAX, KEEP_EVENTS_MIN, KEYRING_SECRET, UnfitIssuer};
use crate::app::UnfitStore;
use crate::notify::{UnfitMail, UnfitWebhook};

/// What was given cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not a database's address.
    #[error(transparent)]
    Store(#[from] UnfitStore),
    /// The issuer.
    #[error(transparent)]
    Issuer(#[from] UnfitIssuer),
    /// An identity provider to trust.
    #[error("an identity provider to trust is not one: {0}")]
    TrustedIssuer(UnfitIssuer),
    /// One of certificate and key, without the other.
    #[error("TLS needs a certificate and its private key, and {given} is given alone")]
    HalfTls {
        /// The flag that was given.
        given: &'static str,
    },
    /// TLS, and an address that says otherwise.
    #[error("the issuer is http, and with --tls-cert the server speaks https")]
    ClearIssuer,
    /// The keyring was given twice.
    #[error("the keyring is given twice, as a file and in {KEYRING_SECRET}")]
    TwoKeyrings,
    /// The environment secret is not text.
    #[error("{KEYRING_SECRET} is not text")]
    SecretNotText,
    /// An empty name.
    #[error("the product's name is empty or has control characters")]
    Product,
    /// Too short a time, or one that is none.
    #[error("the audit trail is kept for {KEEP_EVENTS_MIN} to {KEEP_EVENTS_MAX} days")]
    KeepEvents,
    /// People cannot be told by mail like this.
    #[error(transparent)]
    Mail(#[from] UnfitMail),
    /// Nor by a webhook like this.
    #[error(transparent)]
    Webhook(#[from] UnfitWebhook),
    /// One part of a way to tell people, without the other.
    #[error("{given} is given without {wanted}")]
    HalfWay {
        /// The flag that was given.
        given: &'static str,
        /// The flag that it needs.
        wanted: &'static str,
    },
    /// A name that cannot stand in an address.
    #[error("Canopy's account or application is not lower-case letters, digits and dashes")]
    Canopy,
}

impl ConfigError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::File(error) => error.remedy(),
            Self::Store(UnfitStore::Unknown) => {
                "give it as --store sqlite:PATH, for example --store sqlite:/var/lib/spare-key/spare-key.db, or as --store postgres://USER@HOST/DATABASE"
            }
            Self::Store(UnfitStore::Postgres(_)) => {
                "give it as postgres://USER:PASSWORD@HOST:PORT/DATABASE, with sslmode=require (or =disable), sslrootcert=FILE, max_connections=N behind a question mark where needed, and % signs for what is not a letter in a password"
            }
            Self::Issuer(_) => {
                "give the address that people type, for example --issuer https://login.example.com"
            }
            Self::TrustedIssuer(_) => {
                "give its name as its tokens have it, for example --trust-issuer https://id.example.com/"
            }
            Self::HalfTls { .. } => "give both: --tls-cert FILE --tls-key FILE",
            Self::ClearIssuer => {
                "give the issuer as https://…, or leave --tls-cert and --tls-key out"
            }
            Self::TwoKeyrings => "keep one: unset the variable or leave --keyring out",
            Self::SecretNotText => "put the text of a keyring file into it",
            Self::Product => "name your service, for example --product 'Example Inc.'",
            Self::KeepEvents => "give the days, for example --keep-events 400",
            Self::Mail(UnfitMail::Server) => {
                "give it as --mail-server smtps://USER:PASSWORD@HOST, smtp://USER:PASSWORD@HOST:587 or folder:PATH, with % signs for what is not a letter in a password"
            }
            Self::Mail(UnfitMail::Clear) => "leave ?tls=none out, or the password",
            Self::Mail(UnfitMail::From) => {
                "give it as --mail-from 'Example Inc. <no-reply@example.com>'"
            }
            Self::Webhook(UnfitWebhook::Url | UnfitWebhook::Clear) => {
                "give it as --webhook https://hooks.example.com/spare-key"
            }
            Self::Webhook(UnfitWebhook::Secret) => {
                "make one with: printf 'whsec_%s' \"$(openssl rand -base64 32)\" > FILE"
            }
            Self::HalfWay { .. } => "give both, or neither",
            Self::Canopy => "name it as the clients do, for example --canopy-account example",
        }
    }
}
