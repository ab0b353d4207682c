//! Opening what a command works on: keyring, store, and the product over both.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use super::failure::Failure;
use crate::app::{App, Ingredients, OpenError, StoreUrl};
use crate::clock::SystemClock;
use crate::config::{Config, HashCost, KEYRING_SECRET, KeyringSource, Switch};
use crate::dev;
use crate::domain::{Environment, Policy, Toggle};
use crate::entropy::SystemEntropy;
use crate::hasher::PoolSize;
use crate::http;
use crate::keyring::{Keyring, KeyringError};
use crate::model::Millis;
use crate::notify::Courier;
use crate::store::sqlite;
use crate::store::{Standing, Store};

/// Of administration.
pub(super) const NOTE: &str = "\
Works on the store given by --store and --keyring, also while servers run on it. With neither, it
works on the data of `spare-key dev` in ./spare-key-data/, if that is there.";

/// Jobs admitted for each worker: an attempt waits half a second at most before it is refused.
const ADMITTED_EACH: usize = 16;

/// A setting that is not there, and how it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing(&'static str);

pub(super) const NO_KEYRING: Missing = Missing(
    "a keyring: --keyring PATH, SPARE_KEY_KEYRING, or the text of one in \
     SPARE_KEY_KEYRING_SECRET; make one with: spare-key keyring init --keyring PATH",
);
pub(super) const NO_STORE: Missing = Missing(
    "a store: --store sqlite:PATH, --store postgres://USER@HOST/DATABASE, or SPARE_KEY_STORE",
);
pub(super) const NO_ISSUER: Missing = Missing(
    "an issuer, the address that people type: --issuer https://login.example.com or \
     SPARE_KEY_ISSUER",
);
pub(super) const NO_PROXY: Missing = Missing(
    "TLS: --tls-cert FILE with --tls-key FILE, or the proxy that speaks it, --trusted-proxy IP or \
     SPARE_KEY_TRUSTED_PROXY, because --listen is not on this computer alone",
);

impl Missing {
    /// One failure that names all of them.
    pub(super) fn failure(missing: &[Self]) -> Failure {
        let mut what = "this is missing:".to_owned();
        for Self(how) in missing {
            // Writing to a string does not fail.
            let _written = write!(what, "\n  - {how}");
        }
        Failure::new(what).remedy(
            "give what is missing; to try Spare Key without any of it, start: spare-key dev",
        )
    }

    /// What is missing and how it is given.
    pub(super) fn text(self) -> &'static str {
        self.0
    }
}

/// Whether a database that is not there is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// Made.
    Made,
    /// Refused: an empty one would only hide that its name was mistyped.
    Refused,
}

/// The keyring from where it is.
pub(super) fn keyring(source: &KeyringSource) -> Result<Keyring, KeyringError> {
    match source {
        KeyringSource::File(path) => Keyring::load(path),
        KeyringSource::Secret(text) => Keyring::parse(text, KEYRING_SECRET),
    }
}

/// The database.
pub(super) fn store(url: &StoreUrl, absent: Absent) -> Result<Arc<dyn Store>, Failure> {
    let standing = url.look().map_err(|error| not_opened(url, &error))?;
    if absent == Absent::Refused && standing == Standing::Absent {
        return Err(match url {
            StoreUrl::Sqlite(path) => {
                Failure::new(format!("there is no database at {}", path.display()))
                    .remedy("name the one that the server uses: --store sqlite:PATH")
            }
            StoreUrl::Postgres(url) => Failure::new(format!(
                "nothing of Spare Key is in the database {url}"
            ))
            .remedy("name the one that the server uses: --store postgres://USER@HOST/DATABASE"),
        });
    }
    url.open().map_err(|error| not_opened(url, &error))
}

pub(super) fn not_opened(url: &StoreUrl, error: &OpenError) -> Failure {
    let remedy = match url {
        StoreUrl::Sqlite(path)
            if matches!(error, OpenError::Sqlite(sqlite::OpenError::Backup { .. })) =>
        {
            let path = path.display();
            format!(
                "say what becomes of its codes: spare-key restore --store sqlite:{path} --codes end \
                 (see spare-key restore --help)"
            )
        }
        StoreUrl::Sqlite(path) => format!(
            "see that {} is Spare Key's database and that you may write to it and its folder",
            path.display()
        ),
        StoreUrl::Postgres(_) => {
            "see that the server runs, lets this user in with this password and encryption, and \
             that the user may create in the database; for another host without TLS say \
             sslmode=disable"
                .to_owned()
        }
    };
    Failure::new("the store could not be opened")
        .because(error)
        .remedy(remedy)
}

/// The store for a command that needs no keyring.
pub(super) fn store_alone(config: &Config) -> Result<StoreUrl, Failure> {
    match &config.store {
        Some(url) => Ok(url.clone()),
        None if config.keyring.is_none() && Path::new(dev::FOLDER).is_dir() => {
            Ok(dev::Data::here().store())
        }
        None => Err(Missing::failure(&[NO_STORE])),
    }
}

/// The product over a store and a keyring.
pub(super) fn app(
    config: &Config,
    store: Arc<dyn Store>,
    keyring: Keyring,
    http: http::Settings,
    courier: Courier,
) -> Result<App, Failure> {
    let mut policy = Policy::standard(false);
    if let Some(switch) = config.recovery_codes {
        policy.recovery_codes = Toggle::Fixed(switch == Switch::On);
    }
    if http.dev {
        policy.environment = Environment::of_development();
        policy.sign_in_throttle = None;
    }
    if let Some(HashCost(params)) = config.hash_cost {
        policy.hash = params;
    }
    if let Some(days) = config.keep_events {
        policy.keep_events = Millis::days(days);
    }
    if let Some(product) = &config.product {
        product.clone_into(&mut policy.product);
    }
    App::assemble(Ingredients {
        store,
        keyring: Arc::new(keyring),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        policy,
        pool: PoolSize {
            workers: config.workers,
            admitted: config.workers.saturating_mul(ADMITTED_EACH),
        },
        http,
        courier,
    })
    .map_err(|error| {
        Failure::new(format!("{} workers could not be started", config.workers))
            .because(&error)
            .remedy("take fewer: --workers N")
    })
}

/// The product for a command that administers and does not listen.
pub(super) fn administration(config: &Config, absent: Absent) -> Result<App, Failure> {
    let (url, source) = match (&config.store, &config.keyring) {
        (Some(store), Some(keyring)) => (store.clone(), keyring.clone()),
        (None, None) if Path::new(dev::FOLDER).is_dir() => {
            // Nothing is lost when nobody reads it.
            let _written = writeln!(
                std::io::stderr(),
                "note: works on the data of `spare-key dev` in ./{}/",
                dev::FOLDER
            );
            let data = dev::Data::here();
            (data.store(), KeyringSource::File(data.keyring()))
        }
        (store, keyring) => {
            let missing: Vec<Missing> = [
                store.is_none().then_some(NO_STORE),
                keyring.is_none().then_some(NO_KEYRING),
            ]
            .into_iter()
            .flatten()
            .collect();
            return Err(Missing::failure(&missing));
        }
    };
    let keyring = self::keyring(&source)?;
    let store = self::store(&url, absent)?;
    let http = http::Settings {
        issuer: String::new(),
        pages: false,
        dev: false,
        trusted_proxies: Vec::new(),
        trusted_issuers: Vec::new(),
        theme: None,
        canopy: http::CanopySettings::default(),
    };
    app(config, store, keyring, http, Courier::default())
}
