//! Clients: programs that call, their secrets, what they may do and how they get tokens.

mod scope;

use subtle::ConstantTimeEq;

pub use self::scope::{Grant, Scope};
use super::{Mfa, Refusal, Result};
use crate::entropy::draw_token;
use crate::keyring::token_digest;
use crate::model::{Timestamp, Token};
use crate::store::Client;

/// A client to add.
#[derive(Debug, Default)]
pub struct NewClient {
    /// Its identifier.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// How it gets tokens.
    pub grants: Vec<Grant>,
    /// Other APIs that it gets people's tokens for.
    pub audiences: Vec<String>,
    /// The web origins that it calls from.
    pub origins: Vec<String>,
    /// How it proves itself.
    pub secrecy: Secrecy,
}

/// How a client proves itself.
#[derive(Debug, Default)]
pub enum Secrecy {
    /// By a secret that is drawn for it.
    #[default]
    Drawn,
    /// By this secret: only the demo tenant's are given.
    Given(Token),
    /// Not at all: it runs where no secret can be kept (RFC 6749, 2.1).
    Public,
}

/// A client, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCard {
    /// Its identifier.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// How it gets tokens.
    pub grants: Vec<Grant>,
    /// Other APIs that it gets people's tokens for.
    pub audiences: Vec<String>,
    /// The web origins that it calls from.
    pub origins: Vec<String>,
    /// Whether it proves itself by no secret.
    pub public: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

impl From<Client> for ClientCard {
    fn from(client: Client) -> Self {
        let Client {
            id,
            name,
            secret,
            scopes,
            grants,
            audiences,
            origins,
            created_at,
        } = client;
        Self {
            id,
            name,
            scopes: scopes
                .iter()
                .filter_map(|name| Scope::named(name))
                .collect(),
            grants: grants
                .iter()
                .filter_map(|name| Grant::named(name))
                .collect(),
            audiences,
            origins,
            public: secret.is_none(),
            created_at,
        }
    }
}

impl Mfa {
    /// Adds a client and returns its secret, if it has one: the only time it can be read.
    ///
    /// # Errors
    /// [`Refusal::ClientTaken`]; a fault.
    pub async fn add_client(&self, new: NewClient) -> Result<Option<Token>> {
        let NewClient {
            id,
            name,
            mut scopes,
            mut grants,
            audiences,
            origins,
            secrecy,
        } = new;
        let secret = match secrecy {
            Secrecy::Drawn => Some(draw_token(&*self.entropy)?),
            Secrecy::Given(secret) => Some(secret),
            Secrecy::Public => None,
        };
        scopes.sort_unstable();
        scopes.dedup();
        grants.sort_unstable();
        grants.dedup();
        let client = Client {
            id,
            name,
            secret: secret.as_ref().map(token_digest),
            scopes: scopes
                .into_iter()
                .map(|scope| scope.name().to_owned())
                .collect(),
            grants: grants
                .into_iter()
                .map(|grant| grant.name().to_owned())
                .collect(),
            audiences,
            origins,
            created_at: self.now(),
        };
        if self.store.add_client(client).await? {
            Ok(secret)
        } else {
            Err(Refusal::ClientTaken.into())
        }
    }

    /// The client with this identifier and secret; an unknown one takes as long as a wrong secret,
    /// and one that has none is never proven by any.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`] for either; a fault.
    pub async fn authenticate_client(&self, id: &str, secret: &Token) -> Result<ClientCard> {
        let presented = token_digest(secret);
        let found = self.store.client(id).await?;
        let stored = found.as_ref().and_then(|client| client.secret);
        let expected = stored.map_or([0; 32], |digest| digest.0);
        let right = bool::from(presented.0.ct_eq(&expected)) & stored.is_some();
        found
            .filter(|_| right)
            .map(ClientCard::from)
            .ok_or_else(|| Refusal::UnknownClient.into())
    }

    /// The client with this identifier, if it is one that proves itself by no secret.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`], also for one that has a secret and did not send it; a fault.
    pub async fn public_client(&self, id: &str) -> Result<ClientCard> {
        let client = self.client(id).await?;
        if client.public {
            Ok(client)
        } else {
            Err(Refusal::UnknownClient.into())
        }
    }

    /// The client with this identifier, proven by something else: a token of its own.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`]; a fault.
    pub async fn client(&self, id: &str) -> Result<ClientCard> {
        let found = self.store.client(id).await?;
        found
            .map(ClientCard::from)
            .ok_or_else(|| Refusal::UnknownClient.into())
    }

    /// All clients, by identifier.
    ///
    /// # Errors
    /// A fault.
    pub async fn clients(&self) -> Result<Vec<ClientCard>> {
        Ok(self
            .store
            .clients()
            .await?
            .into_iter()
            .map(ClientCard::from)
            .collect())
    }

    /// Whether some client calls from this web origin.
    ///
    /// # Errors
    /// A fault.
    pub async fn is_client_origin(&self, origin: &str) -> Result<bool> {
        let clients = self.store.clients().await?;
        Ok(clients
            .iter()
            .any(|client| client.origins.iter().any(|allowed| allowed == origin)))
    }

    /// Removes a client.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`]; a fault.
    pub async fn remove_client(&self, id: &str) -> Result<()> {
        if self.store.remove_client(id).await? {
            Ok(())
        } else {
            Err(Refusal::UnknownClient.into())
        }
    }
}
