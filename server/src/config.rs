//! Settings: flags, then `SPARE_KEY_…`, then a file; few, because each one doubles what must be
//! tested.
//!
//! It reads and checks what was given and opens nothing. What a command cannot do without is that
//! command's own affair, so everything here may be missing.

mod canopy;
mod cost;
mod error;
mod file;
mod keyring;
mod notices;

use std::ffi::OsString;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use serde::Deserialize;

pub use self::canopy::{CanopyGiven, EnvelopeName};
pub use self::cost::{CostGiven, HashCost, UnfitCost};
pub use self::error::ConfigError;
pub use self::file::FileError;
pub use self::keyring::KeyringSource;
pub use self::notices::{MailGiven, Notices, NoticesGiven, WebhookGiven};
use crate::app::StoreUrl;
pub use crate::issuer::{Issuer, TrustedIssuer, UnfitIssuer};
use crate::tls::TlsFiles;

/// The variable that holds the text of a keyring file. No flag: arguments are seen by every
/// process of the computer.
pub const KEYRING_SECRET: &str = "SPARE_KEY_KEYRING_SECRET";

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(try_from = "String")]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(try_from = "String")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl TryFrom<String> for Switch {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_str(&text, false).map_err(|_| "it is \"on\" or \"off\"")
    }
}

impl TryFrom<String> for LogFormat {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::from_str(&text, false).map_err(|_| "it is \"text\" or \"json\"")
    }
}

/// What flags and environment give. `clap` lets a flag win over its variable.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings (a flag wins over its variable, that over the file)")]
pub struct Settings {
    /// A TOML file with settings, named as the flags with _ for -: listen = "127.0.0.1:8080"
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SPARE_KEY_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,

    /// The database: sqlite:PATH, or postgres://USER:PASSWORD@HOST:PORT/DATABASE; what is missing
    /// is made
    ///
    /// Further of PostgreSQL: ?sslmode=disable|require (without it: TLS unless the host is this
    /// computer), sslrootcert=FILE, max_connections=N (16), connect_timeout=SECONDS (5). With a
    /// password in it, give it as SPARE_KEY_STORE or in the settings file.
    // Text here and read later: clap would repeat a wrong address, password and all.
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SPARE_KEY_STORE",
        hide_env_values = true
    )]
    pub store: Option<String>,

    /// The keyring file; instead, SPARE_KEY_KEYRING_SECRET may hold the text of one
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "SPARE_KEY_KEYRING",
        hide_env_values = true
    )]
    pub keyring: Option<PathBuf>,

    /// Where to listen [default: 127.0.0.1:8080]; port 0 takes a free one
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS:PORT",
        env = "SPARE_KEY_LISTEN",
        hide_env_values = true
    )]
    pub listen: Option<SocketAddr>,

    /// The certificate to speak TLS with, in PEM, and behind it those that lead to its authority
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SPARE_KEY_TLS_CERT",
        hide_env_values = true
    )]
    pub tls_cert: Option<PathBuf>,

    /// Its private key, in PEM, readable by the server and its group alone
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SPARE_KEY_TLS_KEY",
        hide_env_values = true
    )]
    pub tls_key: Option<PathBuf>,

    /// The address that people and clients use
    #[arg(
        long,
        help = "The address that people and clients use [example: https://login.example.com]",
        global = true,
        value_name = "URL",
        env = "SPARE_KEY_ISSUER",
        hide_env_values = true
    )]
    pub issuer: Option<String>,

    /// An identity provider whose people may keep their factors here; may be given several times
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "SPARE_KEY_TRUST_ISSUER",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub trust_issuer: Vec<String>,

    /// Serve the API alone, without the pages
    #[arg(
        long,
        global = true,
        env = "SPARE_KEY_NO_PAGES",
        hide_env_values = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        hide_possible_values = true,
        value_name = "BOOL",
        value_parser = BoolishValueParser::new()
    )]
    pub no_pages: Option<bool>,

    /// A proxy whose X-Forwarded-For is believed; may be given several times
    #[arg(
        long,
        global = true,
        value_name = "IP",
        env = "SPARE_KEY_TRUSTED_PROXY",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub trusted_proxy: Vec<IpAddr>,

    /// Whether there are recovery codes at all [default: on in dev, otherwise off]
    #[arg(
        long,
        global = true,
        value_name = "on|off",
        env = "SPARE_KEY_RECOVERY_CODES",
        hide_env_values = true,
        hide_possible_values = true
    )]
    pub recovery_codes: Option<Switch>,

    /// What people know your service as, on sheets and in their apps [default: Spare Key]
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "SPARE_KEY_PRODUCT",
        hide_env_values = true
    )]
    pub product: Option<String>,

    /// A style sheet for the pages: your colours, corners and fonts (see /docs/themes)
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "SPARE_KEY_THEME",
        hide_env_values = true
    )]
    pub theme: Option<PathBuf>,

    /// How the Canopy dialect is spoken.
    #[command(flatten)]
    pub canopy: CanopyGiven,

    /// What one slow hash costs.
    #[command(flatten)]
    pub cost: CostGiven,

    /// How people are told of what happens.
    #[command(flatten)]
    pub notices: NoticesGiven,

    /// Slow hashes at a time, 19 MiB of memory each; 16 for each are admitted to a lane, the rest
    /// is told to come back [default: one a processor core]
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "SPARE_KEY_WORKERS",
        hide_env_values = true
    )]
    pub workers: Option<NonZeroUsize>,

    /// Days that the audit trail is kept, 30 or more [default: 400]
    #[arg(
        long,
        global = true,
        value_name = "DAYS",
        env = "SPARE_KEY_KEEP_EVENTS",
        hide_env_values = true
    )]
    pub keep_events: Option<u32>,

    /// Which log lines are written to stderr [examples: warn, spare_key_server=debug]
    #[arg(
        long,
        global = true,
        value_name = "FILTER",
        env = "SPARE_KEY_LOG",
        hide_env_values = true
    )]
    pub log: Option<String>,

    /// How log lines are written: text or json [default: text]
    #[arg(
        long,
        global = true,
        value_name = "text|json",
        env = "SPARE_KEY_LOG_FORMAT",
        hide_env_values = true,
        hide_possible_values = true
    )]
    pub log_format: Option<LogFormat>,
}

/// Everything that was given, checked, from wherever it came.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// The database.
    pub store: Option<StoreUrl>,
    /// The secrets.
    pub keyring: Option<KeyringSource>,
    /// Where to listen, if anybody said.
    pub listen: Option<SocketAddr>,
    /// With what to speak TLS.
    pub tls: Option<TlsFiles>,
    /// The address that people and clients use.
    pub issuer: Option<Issuer>,
    /// Identity providers whose people are let in.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// Whether the pages are served.
    pub pages: bool,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether there are recovery codes, if anybody said.
    pub recovery_codes: Option<Switch>,
    /// What people know the service as.
    pub product: Option<String>,
    /// What the pages look like.
    pub theme: Option<PathBuf>,
    /// How the Canopy dialect is spoken.
    pub canopy: CanopyGiven,
    /// How people are told of what happens.
    pub notices: Notices,
    /// What one slow hash costs, if anybody said.
    pub hash_cost: Option<HashCost>,
    /// Slow hashes at a time.
    pub workers: usize,
    /// Days that the audit trail is kept, if anybody said.
    pub keep_events: Option<u32>,
    /// Which log lines are written.
    pub log: Option<String>,
    /// How they are written.
    pub log_format: LogFormat,
}

/// The shortest that the audit trail is kept, in days: people must be able to see what happened while
/// they were away.
pub const KEEP_EVENTS_MIN: u32 = 30;

/// The longest, in days: a hundred years.
pub const KEEP_EVENTS_MAX: u32 = 36_525;

/// Where the server listens unless told otherwise.
pub const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

impl Config {
    /// Puts flags and environment over the file and checks the result.
    ///
    /// # Errors
    /// The file cannot be read, or a value cannot be used.
    pub fn read(given: Settings, secret: Option<OsString>) -> Result<Self, ConfigError> {
        let mut file = match &given.config {
            Some(path) => file::read(path)?,
            None => file::File::default(),
        };
        let notices = given.notices.over(file.notices()).checked()?;
        let store = given
            .store
            .or(file.store)
            .map(|url| StoreUrl::parse(&url))
            .transpose()?;
        let issuer = given.issuer.or(file.issuer);
        let product = given.product.or(file.product);
        if product
            .as_ref()
            .is_some_and(|name| name.trim().is_empty() || name.chars().any(char::is_control))
        {
            return Err(ConfigError::Product);
        }
        let canopy = given.canopy.over(file.canopy);
        if !canopy.is_sound() {
            return Err(ConfigError::Canopy);
        }
        let keep_events = given.keep_events.or(file.keep_events);
        if keep_events.is_some_and(|days| !(KEEP_EVENTS_MIN..=KEEP_EVENTS_MAX).contains(&days)) {
            return Err(ConfigError::KeepEvents);
        }
        let issuer = issuer.map(|url| Issuer::parse(&url)).transpose()?;
        let tls = tls(
            given.tls_cert.or(file.tls_cert),
            given.tls_key.or(file.tls_key),
        )?;
        if tls.is_some() && issuer.as_ref().is_some_and(|issuer| !issuer.is_https()) {
            return Err(ConfigError::ClearIssuer);
        }
        Ok(Self {
            file: given.config,
            store,
            keyring: keyring::chosen(given.keyring.or(file.keyring), secret)?,
            listen: given.listen.or(file.listen),
            tls,
            issuer,
            trusted_issuers: trusted_issuers(&given.trust_issuer, &file.trust_issuer)?,
            pages: !given.no_pages.or(file.no_pages).unwrap_or(false),
            trusted_proxies: if given.trusted_proxy.is_empty() {
                file.trusted_proxy
            } else {
                given.trusted_proxy
            },
            recovery_codes: given.recovery_codes.or(file.recovery_codes),
            product,
            theme: given.theme.or(file.theme),
            canopy,
            notices,
            hash_cost: given.cost.hash_cost.or(file.hash_cost),
            workers: given
                .workers
                .or(file.workers)
                .or_else(|| std::thread::available_parallelism().ok())
                .map_or(1, NonZeroUsize::get),
            keep_events,
            log: given.log.or(file.log),
            log_format: given
                .log_format
                .or(file.log_format)
                .unwrap_or(LogFormat::Text),
        })
    }

    /// Where a server listens: where it was told to, or on this computer alone.
    pub fn listens_on(&self) -> SocketAddr {
        self.listen.unwrap_or(LISTEN)
    }
}

fn trusted_issuers(given: &[String], file: &[String]) -> Result<Vec<TrustedIssuer>, ConfigError> {
    let named = if given.is_empty() { file } else { given };
    named
        .iter()
        .map(|url| TrustedIssuer::parse(url).map_err(ConfigError::TrustedIssuer))
        .collect()
}

fn tls(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<TlsFiles>, ConfigError> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (Some(_), None) => Err(ConfigError::HalfTls {
            given: "--tls-cert",
        }),
        (None, Some(_)) => Err(ConfigError::HalfTls { given: "--tls-key" }),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests;
