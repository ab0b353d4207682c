//! Local development: a folder with a keyring and a database, and people and programs to try.
//!
//! The tenant is fixed, so that examples and tests can name it; what is there already is left as
//! it is. Nothing here is fit for production.

use std::fs::{self, DirBuilder};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::app::StoreUrl;
use crate::cli::Failure;
use crate::clock::{Clock, SystemClock};
use crate::domain::{self, Caller, Grant, Mfa, NewClient, NewPerson, Refusal, Scope, Secrecy};
use crate::entropy::SystemEntropy;
use crate::keyring::{Keyring, KeyringError};
use crate::model::{AccountId, Token};

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

/// From where `dev` can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// From this computer.
    Loopback,
    /// From wherever it is told to listen; somebody has taken that on themselves.
    Anywhere,
}

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
                    Err(KeyringError::Exists(_)) => Ok(Keyring::load(&path)?),
                    other => Ok(other.map(|()| keyring)?),
                }
            }
            other => Ok(other?),
        }
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
pub fn address(bound: SocketAddr) -> String {
    if bound.ip().is_unspecified() {
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, bound.port()));
        return format!("http://{here}");
    }
    format!("http://{bound}")
}

/// What a developer needs to know, once, at the start.
pub fn greeting(listening: &str, issuer: &str, pages: bool, data: &Data) -> String {
    let (client, secret) = CLIENT;
    let folder = std::path::absolute(&data.folder).unwrap_or_else(|_| data.folder.clone());
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
        String::new(),
        format!("  data      {folder} (delete it to start over)"),
        "  stop      Ctrl-C".to_owned(),
        String::new(),
    ]);
    lines.join("\n")
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
            assert_eq!(address(bound.parse().unwrap()), typed);
        }
    }

    #[test]
    fn the_demo_accounts_are_accounts() {
        for (id, ..) in PEOPLE {
            assert!(AccountId::parse(id).is_some(), "{id}");
        }
    }
}
