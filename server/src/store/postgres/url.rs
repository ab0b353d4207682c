//! Where a PostgreSQL database is, and how it is reached: the address of `--store`.
//!
//! It reads and checks an address and opens nothing. The address may hold a password, so neither it
//! nor any part of it that could be one is in an error, in `Debug` or in what a person is shown.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// Connections of one store at most, unless the address says otherwise.
const CONNECTIONS: usize = 16;

/// The most that can be asked for: PostgreSQL itself is set to 100 for all who come.
const MOST_CONNECTIONS: usize = 1_000;

/// How long a connection may take to come about, unless the address says otherwise.
const CONNECT: Duration = Duration::from_secs(5);

/// The longest that can be asked for: whoever waits longer has gone away.
const LONGEST_CONNECT: Duration = Duration::from_secs(60);

/// After so long without an answer a connection is taken for broken.
const SILENCE: Duration = Duration::from_secs(15);

/// The address of a database: hosts, user, password, and how it is spoken to.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    pub(super) config: Config,
    pub(super) tls: TlsMode,
    pub(super) connections: usize,
}

/// Whether the way to the database is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TlsMode {
    /// In the clear.
    Off,
    /// Encrypted, and the server's certificate checked: its chain, its time and its name.
    Verified {
        /// The file with the authorities that are believed; `None`: those of the operating system.
        roots: Option<PathBuf>,
    },
}

/// Why an address is none. Repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnfitUrl {
    /// Not an address, or with a parameter that is not known.
    #[error("the store's address is not one of PostgreSQL, or has a parameter that is not known")]
    Malformed,
    /// Nobody to connect to.
    #[error("the store's address names no host")]
    NoHost,
    /// `allow` and `prefer`.
    #[error("with sslmode=allow or prefer whoever is in between can switch encryption off")]
    Opportunistic,
    /// Another word.
    #[error("the store's sslmode is not one that is known")]
    SslMode,
    /// Roots for a connection that is in the clear.
    #[error("sslrootcert is given, and the connection is not encrypted")]
    IdleRoots,
    /// No number, or too large a one.
    #[error("max_connections is not a number from 1 to {MOST_CONNECTIONS}")]
    Connections,
}

impl PostgresUrl {
    /// Whether this is an address of PostgreSQL, sound or not.
    pub fn is_one(text: &str) -> bool {
        text.starts_with("postgres:") || text.starts_with("postgresql:")
    }

    /// Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETER=VALUE`, as libpq has it.
    ///
    /// Of the parameters, `sslmode`, `sslrootcert` and `max_connections` are read here and the
    /// others by the driver. A host on this computer is spoken to in the clear unless `sslmode`
    /// says otherwise, any other one with TLS; `require`, `verify-ca` and `verify-full` are one and
    /// the same: chain and name are checked.
    ///
    /// # Errors
    /// It is not one, or asks for what is not there.
    pub fn parse(text: &str) -> Result<Self, UnfitUrl> {
        let (address, query) = text.split_once('?').unwrap_or((text, ""));
        let mut mode = None;
        let mut roots = None;
        let mut connections = CONNECTIONS;
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or(UnfitUrl::Malformed)?;
            match name {
                "sslmode" => mode = Some(decoded(value)?),
                "sslrootcert" => roots = Some(decoded(value)?),
                "max_connections" => {
                    connections = decoded(value)?
                        .parse()
                        .ok()
                        .filter(|most| (1..=MOST_CONNECTIONS).contains(most))
                        .ok_or(UnfitUrl::Connections)?;
                }
                _ => rest.push(pair),
            }
        }
        let mut config = Config::from_str(&format!("{address}?{}", rest.join("&")))
            .map_err(|_| UnfitUrl::Malformed)?;
        // An @ in a password that is not written as %40 ends it, and its rest would be shown as a host
        // or a database.
        if address.matches('@').count() > 1 {
            return Err(UnfitUrl::Malformed);
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(UnfitUrl::NoHost);
        }
        let tls = tls(mode.as_deref(), roots, &config)?;
        config
            .ssl_mode(match tls {
                TlsMode::Off => SslMode::Disable,
                TlsMode::Verified { .. } => SslMode::Require,
            })
            // Gates on redemption never read from a replica.
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .tcp_user_timeout(SILENCE)
            .keepalives_idle(SILENCE);
        let connect = config.get_connect_timeout().copied().unwrap_or(CONNECT);
        config.connect_timeout(connect.min(LONGEST_CONNECT));
        if config.get_application_name().is_none() {
            config.application_name("spare-key");
        }
        Ok(Self {
            config,
            tls,
            connections,
        })
    }

    /// How long a connection may take to come about.
    pub(super) fn patience(&self) -> Duration {
        self.config
            .get_connect_timeout()
            .copied()
            .unwrap_or(CONNECT)
    }
}

/// For people: hosts and database, without user, password and parameters.
impl PostgresUrl {
    /// As PostgreSQL's own tools are told it: with the user, without the password.
    pub fn for_tools(&self) -> String {
        match self.config.get_user() {
            Some(user) => self.to_string().replacen("://", &format!("://{user}@"), 1),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        let ports = self.config.get_ports();
        let hosts = self.config.get_hosts();
        let addresses = self.config.get_hostaddrs();
        for place in 0..hosts.len().max(addresses.len()) {
            if place > 0 {
                f.write_str(",")?;
            }
            match (hosts.get(place), addresses.get(place)) {
                (Some(Host::Tcp(name)), _) => f.write_str(name)?,
                #[cfg(unix)]
                (Some(Host::Unix(folder)), _) => write!(f, "{}", folder.display())?,
                (None, Some(address)) => write!(f, "{address}")?,
                (None, None) => {}
            }
            if let Some(port) = ports.get(place).or_else(|| ports.first()) {
                write!(f, ":{port}")?;
            }
        }
        match self.config.get_dbname().or_else(|| self.config.get_user()) {
            Some(database) => write!(f, "/{database}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

fn tls(mode: Option<&str>, roots: Option<String>, config: &Config) -> Result<TlsMode, UnfitUrl> {
    let verified = match mode {
        None => !stays_here(config),
        Some("disable") => false,
        Some("require" | "verify-ca" | "verify-full") => true,
        Some("allow" | "prefer") => return Err(UnfitUrl::Opportunistic),
        Some(_) => return Err(UnfitUrl::SslMode),
    };
    match (verified, roots) {
        // To name authorities is to ask for TLS.
        (false, Some(_)) if mode.is_some() => Err(UnfitUrl::IdleRoots),
        (false, None) => Ok(TlsMode::Off),
        (_, roots) => Ok(TlsMode::Verified {
            // libpq's word for those of the operating system.
            roots: roots.filter(|path| path != "system").map(PathBuf::from),
        }),
    }
}

/// Whether nothing that is said leaves this computer.
fn stays_here(config: &Config) -> bool {
    let loopback = |address: &IpAddr| address.is_loopback();
    let addresses = config.get_hostaddrs();
    if !addresses.is_empty() {
        return addresses.iter().all(loopback);
    }
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|a| loopback(&a)),
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
}

/// A parameter's value without its percent signs; libpq leaves a plus as it is.
fn decoded(value: &str) -> Result<String, UnfitUrl> {
    let pair = format!("v={}", value.replace('+', "%2B"));
    let mut pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(&pair).map_err(|_| UnfitUrl::Malformed)?;
    pairs
        .pop()
        .map(|(_, value)| value)
        .ok_or(UnfitUrl::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> PostgresUrl {
        PostgresUrl::parse(text).unwrap()
    }

    fn verified(roots: Option<&str>) -> TlsMode {
        TlsMode::Verified {
            roots: roots.map(PathBuf::from),
        }
    }

    #[test]
    fn another_computer_is_spoken_to_with_tls_and_this_one_in_the_clear() {
        for here in [
            "postgres://spare@localhost/spare",
            "postgresql://spare@127.0.0.1:5433/spare",
            "postgres://spare@[::1]/spare",
            "postgres:///spare?host=/run/postgresql",
            "postgres://spare@%2Frun%2Fpostgresql/spare",
        ] {
            assert_eq!(parse(here).tls, TlsMode::Off, "{here}");
        }
        for elsewhere in [
            "postgres://spare@db.example.com/spare",
            "postgres://spare@localhost,db.example.com/spare",
            "postgres://spare@10.0.0.5/spare",
            "postgres://spare@localhost/spare?hostaddr=10.0.0.5",
        ] {
            assert_eq!(parse(elsewhere).tls, verified(None), "{elsewhere}");
        }
    }

    #[test]
    fn whoever_asks_for_tls_gets_a_server_that_is_checked() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let url = format!("postgres://spare@localhost/spare?sslmode={mode}");
            assert_eq!(parse(&url).tls, verified(None), "{mode}");
            assert_eq!(parse(&url).config.get_ssl_mode(), SslMode::Require);
            let own = format!("{url}&sslrootcert=/etc/a%20b/root+1.pem");
            assert_eq!(parse(&own).tls, verified(Some("/etc/a b/root+1.pem")));
            let system = format!("{url}&sslrootcert=system");
            assert_eq!(parse(&system).tls, verified(None));
        }
        let roots = "postgres://spare@localhost/spare?sslrootcert=/r.pem";
        assert_eq!(parse(roots).tls, verified(Some("/r.pem")));
        let clear = parse("postgres://spare@10.0.0.5/spare?sslmode=disable");
        assert_eq!(clear.tls, TlsMode::Off);
        assert_eq!(clear.config.get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_not_repeated() {
        for (rest, why) in [
            ("?sslmode=prefer", UnfitUrl::Opportunistic),
            ("?sslmode=allow", UnfitUrl::Opportunistic),
            ("?sslmode=hunter2", UnfitUrl::SslMode),
            ("?sslmode=disable&sslrootcert=/hunter2", UnfitUrl::IdleRoots),
            ("?max_connections=0", UnfitUrl::Connections),
            ("?max_connections=1001", UnfitUrl::Connections),
            ("?max_connections=hunter2", UnfitUrl::Connections),
            ("?sslcert=/hunter2", UnfitUrl::Malformed),
            ("?hunter2", UnfitUrl::Malformed),
            (":hunter2?x", UnfitUrl::Malformed),
            ("@db.example.com/spare", UnfitUrl::Malformed),
            ("/hunter2@db.example.com/spare", UnfitUrl::Malformed),
        ] {
            let text = format!("postgres://spare:hunter2@localhost{rest}");
            let refused = PostgresUrl::parse(&text).unwrap_err();
            assert_eq!(refused, why, "{text}");
            assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        }
        assert_eq!(
            PostgresUrl::parse("postgres:///spare"),
            Err(UnfitUrl::NoHost)
        );
    }

    #[test]
    fn waits_and_connections_are_bounded() {
        let usual = parse("postgres://spare@localhost/spare");
        assert_eq!(usual.connections, CONNECTIONS);
        assert_eq!(usual.patience(), CONNECT);
        let own = parse("postgres://s@localhost/s?max_connections=3&connect_timeout=9");
        assert_eq!((own.connections, own.patience().as_secs()), (3, 9));
        let endless = parse("postgres://spare@localhost/spare?connect_timeout=86400");
        assert_eq!(endless.patience(), LONGEST_CONNECT);
    }

    #[test]
    fn a_password_is_nowhere_to_be_seen() {
        let url = parse("postgres://spare:hunter2@db.example.com:5433/codes?sslmode=require");
        assert_eq!(url.to_string(), "postgres://db.example.com:5433/codes");
        assert!(!format!("{url:?} {:?}", url.config).contains("hunter2"));
        let socket = parse("postgres:///codes?host=/run/postgresql&password=hunter2");
        assert_eq!(socket.to_string(), "postgres:///run/postgresql/codes");
        assert!(!format!("{socket:?}").contains("hunter2"));
    }
}
