//! `spare-key serve` and `spare-key dev`: listening.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::courier::courier;
use super::failure::Failure;
use super::open::{self, Absent, Missing};
use super::output::Output;
use super::stop::Stop;
use crate::app::{App, StoreUrl};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Config, Issuer, KeyringSource};
use crate::dev::{self, Data, Reach, Scheme};
use crate::front::Front;
use crate::http;
use crate::tls::Tls;

pub(super) const EXAMPLES: &str = "\
Examples:
  spare-key serve --keyring /etc/spare-key/keyring.toml \\
                  --store sqlite:/var/lib/spare-key/spare-key.db \\
                  --issuer https://login.example.com --recovery-codes on
  spare-key serve --config /etc/spare-key/spare-key.toml --listen 0.0.0.0:443 \
                  --tls-cert /etc/spare-key/tls.pem --tls-key /etc/spare-key/tls-key.pem
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
    let clear = config.tls.is_none() && config.trusted_proxies.is_empty();
    if clear && !config.listens_on().ip().is_loopback() {
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
    let front = Front {
        tls: match &config.tls {
            Some(files) => Some(Tls::load(files, SystemClock.now())?),
            None => None,
        },
        ..Front::default()
    };
    let keyring = open::keyring(keyring)?;
    let store = open::store(store, Absent::Made)?;
    let (listener, address) = bind(config.listens_on()).await?;
    let http = http::Settings {
        issuer: issuer.as_str().to_owned(),
        pages: config.pages,
        dev: false,
        trusted_proxies: config.trusted_proxies.clone(),
        trusted_issuers: config.trusted_issuers.clone(),
        theme: theme(config)?,
        canopy: config.canopy.or(http::CanopySettings::default()),
    };
    let courier = courier(&config.notices, &http.issuer, http.pages)?;
    let (mail, webhook) = (courier.mail.is_some(), courier.webhook.is_some());
    let app = open::app(config, store, keyring, http, courier)?;
    app.mfa().ready().await?;
    refuse_another_keyring(&app).await?;
    tracing::info!(
        listen = %address,
        tls = front.tls.is_some(),
        issuer = issuer.as_str(),
        pages = config.pages,
        recovery_codes = app.mfa().recovery_codes().await?,
        workers = config.workers,
        mail,
        webhook,
        version = env!("CARGO_PKG_VERSION"),
        "ready"
    );
    stop.serve(app, front, listener).await
}

pub(super) async fn dev(
    config: &Config,
    reach: Reach,
    scheme: Scheme,
    output: &mut Output,
) -> Result<(), Failure> {
    let wanted = config.listen.unwrap_or(match scheme {
        Scheme::Http => config::LISTEN,
        Scheme::Https => dev::LISTEN_HTTPS,
    });
    if !wanted.ip().is_loopback() && reach == Reach::Loopback {
        return Err(Failure::new(format!(
            "dev does not listen on {wanted}: everybody knows its passwords"
        ))
        .remedy(
            "listen on 127.0.0.1, start for production with: spare-key serve, or add \
             --i-know-this-is-not-production",
        ));
    }
    fits(config, scheme)?;
    let stop = listen_for_signals()?;
    // Bound before anything is made, so that a second start beside the first changes nothing.
    let (listener, address) = bind(wanted).await?;
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
    let authority = match scheme {
        Scheme::Http => None,
        Scheme::Https => Some(data.load_or_make_authority()?),
    };
    let tls = match &authority {
        Some(authority) => {
            let hosts = dev::hosts(wanted, config.issuer.as_ref());
            Some(authority.server(&hosts, SystemClock.now())?)
        }
        None => None,
    };
    let here = dev::address(scheme, address);
    let issuer = match &config.issuer {
        Some(issuer) => issuer.as_str().to_owned(),
        None => here.clone(),
    };
    let http = http::Settings {
        issuer: issuer.clone(),
        pages: config.pages,
        dev: true,
        trusted_proxies: config.trusted_proxies.clone(),
        trusted_issuers: config.trusted_issuers.clone(),
        theme: theme(config)?,
        canopy: config.canopy.or(http::CanopySettings::of_development()),
    };
    let mut notices = config.notices.clone();
    notices.mail.get_or_insert_with(|| data.mail());
    let courier = courier(&notices, &http.issuer, http.pages)?;
    let app = open::app(config, store, keyring, http, courier)?;
    refuse_another_keyring(&app).await?;
    dev::add_tenant(app.mfa()).await?;
    output.print(&dev::greeting(
        &here,
        &issuer,
        config.pages,
        &data,
        authority.as_ref(),
    ))?;
    let front = Front {
        tls,
        ..Front::default()
    };
    stop.serve(app, front, listener).await
}

/// Without the keys that its codes were made with, a server could only fail people one by one.
async fn refuse_another_keyring(app: &App) -> Result<(), Failure> {
    match app.mfa().keyring_unfit().await? {
        None => Ok(()),
        Some(unfit) => Err(unfit.into()),
    }
}

/// Whether what else was said agrees with how `dev` is spoken to.
fn fits(config: &Config, scheme: Scheme) -> Result<(), Failure> {
    if config.tls.is_some() {
        return Err(Failure::usage(
            "--tls-cert and --tls-key are for spare-key serve; dev makes its own certificate",
        )
        .remedy(
            "leave both out, and SPARE_KEY_TLS_CERT and SPARE_KEY_TLS_KEY unset: \
             spare-key dev --https",
        ));
    }
    match &config.issuer {
        Some(issuer) if scheme == Scheme::Https && !issuer.is_https() => Err(Failure::usage(
            "the issuer is http, and with --https everything is https",
        )
        .remedy("give the issuer as https://…, or leave --https out")),
        _ => Ok(()),
    }
}

/// The largest style sheet taken, in bytes.
const THEME_LIMIT: usize = 64 * 1024;

/// The style sheet of the pages, as it is at the start.
fn theme(config: &Config) -> Result<Option<String>, Failure> {
    let Some(path) = &config.theme else {
        return Ok(None);
    };
    let name = path.display();
    let read = std::fs::read_to_string(path).map_err(|error| {
        Failure::usage(format!("the theme {name} cannot be read"))
            .because(&error)
            .remedy("name a style sheet in UTF-8 that the server may read, or leave --theme out")
    })?;
    if read.len() > THEME_LIMIT {
        return Err(Failure::usage(format!("the theme {name} is too large"))
            .remedy("a theme is a few properties; at most 64 KiB are taken"));
    }
    Ok(Some(read))
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
