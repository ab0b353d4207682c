//! `spare-key serve` and `spare-key dev`: listening.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::failure::Failure;
use super::open::{self, Absent, Missing};
use super::output::Output;
use super::stop::Stop;
use crate::config::{Config, Issuer, KeyringSource};
use crate::dev::{self, Data, Reach};
use crate::{app::StoreUrl, http};

pub(super) const EXAMPLES: &str = "\
Examples:
  spare-key serve --keyring /etc/spare-key/keyring.toml \\
                  --store sqlite:/var/lib/spare-key/spare-key.db \\
                  --issuer https://login.example.com --recovery-codes on
  spare-key serve --config /etc/spare-key/spare-key.toml
  spare-key serve --config spare-key.toml --listen 0.0.0.0:8080 --trusted-proxy 10.0.0.1

See first whether everything is fit: spare-key check, with the same settings.";

/// What a server cannot do without.
struct Needs<'a> {
    store: &'a StoreUrl,
    keyring: &'a KeyringSource,
    issuer: &'a Issuer,
}

/// What `serve` would miss, all of it.
pub(super) fn missing(config: &Config) -> Vec<Missing> {
    needs(config).err().unwrap_or_default()
}

fn needs(config: &Config) -> Result<Needs<'_>, Vec<Missing>> {
    let mut missing = Vec::new();
    if config.keyring.is_none() {
        missing.push(open::NO_KEYRING);
    }
    if config.issuer.is_none() {
        missing.push(open::NO_ISSUER);
    }
    if config.store.is_none() {
        missing.push(open::NO_STORE);
    }
    // Plain HTTP between computers carries codes in the clear, unless a proxy stands before it.
    if !config.listen.ip().is_loopback() && config.trusted_proxies.is_empty() {
        missing.push(open::NO_PROXY);
    }
    match (&config.store, &config.keyring, &config.issuer) {
        (Some(store), Some(keyring), Some(issuer)) if missing.is_empty() => Ok(Needs {
            store,
            keyring,
            issuer,
        }),
        _ => Err(missing),
    }
}

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let Needs {
        store,
        keyring,
        issuer,
    } = needs(config).map_err(|missing| Missing::failure(&missing))?;
    let stop = listen_for_signals()?;
    let keyring = open::keyring(keyring)?;
    let store = open::store(store, Absent::Made)?;
    let (listener, address) = bind(config.listen).await?;
    let http = http::Settings {
        issuer: issuer.as_str().to_owned(),
        pages: config.pages,
        dev: false,
        trusted_proxies: config.trusted_proxies.clone(),
    };
    let app = open::app(config, store, keyring, http)?;
    app.mfa().ready().await?;
    tracing::info!(
        listen = %address,
        issuer = issuer.as_str(),
        pages = config.pages,
        recovery_codes = app.mfa().recovery_codes().await?,
        workers = config.workers,
        version = env!("CARGO_PKG_VERSION"),
        "ready"
    );
    stop.serve(app, listener).await
}

pub(super) async fn dev(config: &Config, reach: Reach, output: &mut Output) -> Result<(), Failure> {
    if !config.listen.ip().is_loopback() && reach == Reach::Loopback {
        return Err(Failure::new(format!(
            "dev does not listen on {}: everybody knows its passwords",
            config.listen
        ))
        .remedy(
            "listen on 127.0.0.1, start for production with: spare-key serve, or add \
             --i-know-this-is-not-production",
        ));
    }
    let stop = listen_for_signals()?;
    // Bound before anything is made, so that a second start beside the first changes nothing.
    let (listener, address) = bind(config.listen).await?;
    let data = Data::here();
    data.make_folder()?;
    let keyring = match &config.keyring {
        Some(source) => open::keyring(source)?,
        None => data.load_or_make_keyring()?,
    };
    let store = match &config.store {
        Some(url) => open::store(url, Absent::Made)?,
        None => open::store(&data.store(), Absent::Made)?,
    };
    let issuer = match &config.issuer {
        Some(issuer) => issuer.as_str().to_owned(),
        None => dev::address(address),
    };
    let http = http::Settings {
        issuer: issuer.clone(),
        pages: config.pages,
        dev: true,
        trusted_proxies: config.trusted_proxies.clone(),
    };
    let app = open::app(config, store, keyring, http)?;
    dev::add_tenant(app.mfa()).await?;
    output.print(&dev::greeting(
        &dev::address(address),
        &issuer,
        config.pages,
        &data,
    ))?;
    stop.serve(app, listener).await
}

fn listen_for_signals() -> Result<Stop, Failure> {
    Stop::listen().map_err(|error| Failure::new("signals cannot be listened for").because(&error))
}

async fn bind(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let failure = |error: &std::io::Error| match error.kind() {
        ErrorKind::AddrInUse => Failure::new(format!(
            "port {} is taken: something else listens on {wanted}",
            wanted.port()
        ))
        .because(error)
        .remedy(format!(
            "stop that (perhaps another spare-key), or take another port: --listen {}",
            SocketAddr::new(wanted.ip(), wanted.port().checked_add(1).unwrap_or(0))
        )),
        _ => Failure::new(format!("{wanted} cannot be listened on"))
            .because(error)
            .remedy(
                "take an address of this computer and a port above 1023: --listen ADDRESS:PORT",
            ),
    };
    let listener = TcpListener::bind(wanted)
        .await
        .map_err(|error| failure(&error))?;
    let address = listener.local_addr().map_err(|error| failure(&error))?;
    Ok((listener, address))
}
