//! Local development: a folder with a keyring and a database, and people and programs to try.
//!
//! The tenant is fixed, so that examples and tests can name it; what is there already is left as
//! it is. Nothing here is fit for production.

use std::fs::{self, DirBuilder};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use lettre::Address;
use lettre::message::Mailbox;
use zeroize::Zeroizing;

use crate::app::StoreUrl;
use crate::cli::Failure;
use crate::clock::{Clock, SystemClock};
use crate::config::{Issuer, MailGiven};
use crate::domain::{
    self, Caller, Grant, Mfa, NewClient, NewKey, NewPerson, Refusal, Scope, Secrecy,
};
use crate::entropy::SystemEntropy;
use crate::keyring::{Keyring, KeyringError};
use crate::model::{AccountId, Token};
use crate::notify::MailServer;
use crate::tls::Authority;

/// Where the data is, in the folder that `dev` is started in.
pub const FOLDER: &str = "spare-key-data";

/// The password of all demo accounts.
pub const PASSWORD: &str = "correct horse battery staple";

/// The secret of carol's authenticator, in base32.
pub const TOTP_SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// The demo client of the native dialect.
pub const CLIENT: (&str, &str) = ("dev-host", "dev-host-secret");

/// The demo clients of the Auth0 dialect: one that manages, one that only reads, one that people
/// sign in to, and one of those that can keep no secret.
pub const MANAGEMENT: (&str, &str) = ("dev-management", "dev-management-secret");
/// Reads accounts only.
pub const READONLY: (&str, &str) = ("dev-readonly", "dev-readonly-secret");
/// People sign in to it.
pub const APP: (&str, &str) = ("dev-app", "dev-app-secret");
/// The same in a browser.
pub const SPA: &str = "dev-spa";

/// The demo accounts: identifier, login, the secret of an authenticator bound from the start.
pub const PEOPLE: [(&str, &str, Option<&str>); 3] = [
    ("auth0|alice", "alice@example.com", None),
    ("auth0|bob", "bob@example.com", None),
    ("auth0|carol", "carol@example.com", Some(TOTP_SECRET)),
];

/// The demo accounts' API keys for the Arklow dialect.
pub const API_KEYS: [(&str, &str); 3] = [
    ("auth0|alice", "dev-arklow-alice"),
    ("auth0|bob", "dev-arklow-bob"),
    ("auth0|carol", "dev-arklow-carol"),
];

/// From where `dev` can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// From this computer.
    Loopback,
    /// From wherever it is told to listen; somebody has taken that on themselves.
    Anywhere,
}

/// How `dev` is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// With a certificate of its own authority.
    Https,
}

/// Where `dev --https` listens unless told otherwise.
pub const LISTEN_HTTPS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);

/// The folder with the data.
#[derive(Debug, Clone)]
pub struct Data {
    folder: PathBuf,
}

impl Data {
    /// Of the current folder.
    pub fn here() -> Self {
        Self {
            folder: PathBuf::from(FOLDER),
        }
    }

    /// Where the keyring is.
    pub fn keyring(&self) -> PathBuf {
        self.folder.join("keyring.toml")
    }

    /// Which database.
    pub fn store(&self) -> StoreUrl {
        StoreUrl::Sqlite(self.database())
    }

    /// Where mail to people is put: nobody here has an address that anybody reads.
    pub fn mail(&self) -> MailGiven {
        MailGiven {
            server: MailServer::Folder(self.folder.join("mail")),
            from: Mailbox::new(
                Some("Spare Key".to_owned()),
                Address::new_dangerous("no-reply", "example.com"),
            ),
            contact: None,
        }
    }

    fn database(&self) -> PathBuf {
        self.folder.join("spare-key.db")
    }

    /// Makes the folder, for its owner only, and keeps it out of version control.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make_folder(&self) -> Result<(), Failure> {
        let make = || {
            match DirBuilder::new().mode(0o700).create(&self.folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
                other => other?,
            }
            fs::write(self.folder.join(".gitignore"), "*\n")
        };
        make().map_err(|error| {
            Failure::new(format!("the folder {FOLDER} cannot be made here"))
                .because(&error)
                .remedy("start spare-key in a folder that you may write to")
        })
    }

    /// The keyring, made at the first start.
    ///
    /// # Errors
    /// It cannot be read or made, or a database is there that was used with another one.
    pub fn load_or_make_keyring(&self) -> Result<Keyring, Failure> {
        let path = self.keyring();
        match Keyring::load(&path) {
            Err(KeyringError::NotFound(_)) if self.database().exists() => {
                Err(Failure::new(format!(
                    "{} is there and its keyring {} is not",
                    self.database().display(),
                    path.display()
                ))
                .remedy(format!(
                    "put the keyring back, or delete {FOLDER} to start over"
                )))
            }
            Err(KeyringError::NotFound(_)) => {
                let keyring = Keyring::draw(&SystemEntropy, SystemClock.now())?;
                match keyring.create(&path) {
                    // Another start was quicker.
                    Err(KeyringError::Exists(_)) => {}
                    other => other?,
                }
                // From the file, so that it is followed.
                Ok(Keyring::load(&path)?)
            }
            other => Ok(other?),
        }
    }

    /// The authority of `--https`, made at the first start with it.
    ///
    /// # Errors
    /// A file is there and not what it should be, or cannot be read or written.
    pub fn load_or_make_authority(&self) -> Result<Authority, Failure> {
        Ok(Authority::load_or_make(&self.folder, SystemClock.now())?)
    }
}

/// Adds what is missing of the demo tenant.
///
/// # Errors
/// The store or the hash pool failed.
pub async fn add_tenant(mfa: &Mfa) -> domain::Result<()> {
    for (id, login, totp) in PEOPLE {
        let Some(id) = AccountId::parse(id) else {
            continue;
        };
        if mfa.account(&id).await.is_ok() {
            continue;
        }
        let caller = Caller::administrator(id.clone());
        let person = NewPerson {
            id,
            login: login.to_owned(),
            password: Zeroizing::new(PASSWORD.to_owned()),
        };
        match mfa.add_person(&caller, person).await {
            // The developer has given the login to somebody else.
            Err(domain::Error::Refused(Refusal::AccountTaken | Refusal::LoginTaken)) => continue,
            other => other?,
        }
        if let Some(secret) = totp {
            mfa.bind_known_secret(&caller, secret).await?;
        }
    }
    for client in clients() {
        match mfa.add_client(client).await {
            Err(domain::Error::Refused(Refusal::ClientTaken)) => {}
            other => drop(other?),
        }
    }
    for (id, key) in API_KEYS {
        let Some(account) = AccountId::parse(id) else {
            continue;
        };
        let key = NewKey {
            name: Some("Demo key".to_owned()),
            given: Some(Token::presented(key)),
        };
        match mfa.add_api_key(&Caller::administrator(account), key).await {
            // It is there, or the developer has removed the account.
            Err(domain::Error::Refused(Refusal::ClientTaken | Refusal::UnknownAccount)) => {}
            other => drop(other?),
        }
    }
    mfa.offer_recovery_codes().await
}

/// The demo clients.
pub fn clients() -> [NewClient; 5] {
    let client = |id: &str, name: &str, secrecy| NewClient {
        id: id.to_owned(),
        name: name.to_owned(),
        secrecy,
        ..NewClient::default()
    };
    let known = |(id, secret), name| client(id, name, Secrecy::Given(Token::presented(secret)));
    let manages = Scope::ALL.into_iter().filter(|scope| scope.manages());
    [
        NewClient {
            scopes: Scope::HOST.to_vec(),
            ..known(CLIENT, "Demo host")
        },
        NewClient {
            scopes: manages.collect(),
            grants: vec![Grant::ClientCredentials],
            ..known(MANAGEMENT, "Demo management")
        },
        NewClient {
            scopes: vec![Scope::ReadUsers],
            grants: vec![Grant::ClientCredentials],
            ..known(READONLY, "Demo reader")
        },
        NewClient {
            grants: Grant::PEOPLE.to_vec(),
            ..known(APP, "Demo application")
        },
        NewClient {
            grants: Grant::PEOPLE.to_vec(),
            ..client(SPA, "Demo single-page application", Secrecy::Public)
        },
    ]
}

/// How the bound address is typed. "Everywhere" is no place to go to; this computer is.
pub fn address(scheme: Scheme, bound: SocketAddr) -> String {
    let scheme = match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    if bound.ip().is_unspecified() {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, bound.port()));
        return format!("{scheme}://{here}");
    }
    format!("{scheme}://{bound}")
}

/// What the certificate is to name: this computer as it names itself, and as it was told to.
pub fn hosts(listen: SocketAddr, issuer: Option<&Issuer>) -> Vec<String> {
    let listen = Some(listen.ip()).filter(|ip| !ip.is_unspecified());
    let told = [
        listen.map(|ip| ip.to_string()),
        issuer.map(|issuer| issuer.host().to_owned()),
    ];
    let mut hosts = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    for host in told.into_iter().flatten() {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts
}

/// What a developer needs to know, once, at the start.
pub fn greeting(
    listening: &str,
    issuer: &str,
    pages: bool,
    data: &Data,
    authority: Option<&Authority>,
) -> String {
    let (client, secret) = CLIENT;
    let folder = absolute(&data.folder);
    let folder = folder.display();
    let mut lines = vec![
        "Spare Key for development. Everybody knows these passwords: not for production."
            .to_owned(),
        String::new(),
        format!("Listening on {listening}"),
        String::new(),
    ];
    if pages {
        lines.push(format!("  start     {issuer}/"));
        lines.push(format!("  sign in   {issuer}/u/login"));
        lines.push(format!("  account   {issuer}/account"));
    }
    lines.extend([
        format!("  API       {issuer}/docs"),
        format!("  guides    {issuer}/docs/auth0, /docs/arklow, /docs/canopy: for their clients"),
        String::new(),
        "  people    alice@example.com   no authenticator yet".to_owned(),
        "            bob@example.com     no authenticator yet".to_owned(),
        format!("            carol@example.com   authenticator secret {TOTP_SECRET}"),
        format!("  password  {PASSWORD}"),
        format!("  client    {client} with the secret {secret}, for the API of its own"),
        format!(
            "  Auth0     {}, {}, {} (each with the secret of its name and -secret), {SPA}",
            MANAGEMENT.0, READONLY.0, APP.0
        ),
        format!(
            "  Arklow    API keys {}, {}, {}",
            API_KEYS[0].1, API_KEYS[1].1, API_KEYS[2].1
        ),
        String::new(),
    ]);
    if let Some(authority) = authority {
        lines.extend(trust(&absolute(authority.certificate()), issuer));
    }
    lines.extend([
        format!(
            "  mail      {folder}/mail: what people are told of, unless --mail-server is given"
        ),
        format!("  data      {folder} (delete it to start over)"),
        "  stop      Ctrl-C".to_owned(),
        String::new(),
    ]);
    lines.join("\n")
}

/// How clients are told to trust the authority: the lines to type.
fn trust(certificate: &Path, issuer: &str) -> Vec<String> {
    let path = quoted(&certificate.display().to_string());
    vec![
        format!("  CA        {}", certificate.display()),
        "            trusted by what a shell starts behind one of these lines:".to_owned(),
        format!("  Node      export NODE_EXTRA_CA_CERTS={path}"),
        format!("  requests  export REQUESTS_CA_BUNDLE={path}"),
        format!("  httpx     export SSL_CERT_FILE={path}     (and what else uses OpenSSL)"),
        format!("  curl      curl --cacert {path} {issuer}/healthz"),
        String::new(),
    ]
}

/// As a shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_address_can_be_typed() {
        for (bound, typed) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(address(Scheme::Http, bound.parse().unwrap()), typed);
        }
        let bound = "127.0.0.1:8443".parse().unwrap();
        assert_eq!(address(Scheme::Https, bound), "https://127.0.0.1:8443");
    }

    #[test]
    fn the_certificate_names_what_people_type_and_nothing_twice() {
        let issuer = Issuer::parse("https://login.test:8443").unwrap();
        let here = ["localhost", "127.0.0.1", "::1"];
        let told = |listen: &str, issuer| hosts(listen.parse().unwrap(), issuer);
        assert_eq!(told("127.0.0.1:1", None), here);
        assert_eq!(told("0.0.0.0:1", None), here);
        let all = [&here[..], &["127.0.0.2", "login.test"]].concat();
        assert_eq!(told("127.0.0.2:1", Some(&issuer)), all);
    }

    #[test]
    fn a_path_is_one_word_for_the_shell() {
        assert_eq!(quoted("/srv/a-b/ca.pem"), "/srv/a-b/ca.pem");
        assert_eq!(quoted("/srv/it's here"), r"'/srv/it'\''s here'");
    }

    #[test]
    fn the_demo_accounts_are_accounts() {
        for (id, ..) in PEOPLE {
            assert!(AccountId::parse(id).is_some(), "{id}");
        }
    }
}
