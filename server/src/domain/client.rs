//! Machine clients: programs that call, their secrets and what they may do.

use subtle::ConstantTimeEq;

use super::{Mfa, Refusal, Result};
use crate::entropy::draw_token;
use crate::keyring::token_digest;
use crate::model::{Timestamp, Token};
use crate::store::Client;

/// What a client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Stage, show, activate and give up batches.
    Issue,
    /// Redeem codes.
    Redeem,
    /// Read status and events.
    Read,
    /// End batches and forget accounts.
    Revoke,
}

/// Every scope.
pub const SCOPES: [Scope; 4] = [Scope::Issue, Scope::Redeem, Scope::Read, Scope::Revoke];

impl Scope {
    /// Its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "recovery:issue",
            Self::Redeem => "recovery:redeem",
            Self::Read => "recovery:read",
            Self::Revoke => "recovery:revoke",
        }
    }

    /// The scope of this name.
    pub fn named(name: &str) -> Option<Self> {
        SCOPES.into_iter().find(|scope| scope.name() == name)
    }
}

/// A client to add.
#[derive(Debug)]
pub struct NewMachineClient {
    /// Its identifier.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Its secret; drawn when there is none. Only the demo tenant gives one.
    pub secret: Option<Token>,
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
    /// When it was added.
    pub created_at: Timestamp,
}

impl From<Client> for ClientCard {
    fn from(client: Client) -> Self {
        let Client {
            id,
            name,
            scopes,
            created_at,
            ..
        } = client;
        let scopes = scopes
            .iter()
            .filter_map(|name| Scope::named(name))
            .collect();
        Self {
            id,
            name,
            scopes,
            created_at,
        }
    }
}

impl Mfa {
    /// Adds a client and returns its secret: the only time it can be read.
    ///
    /// # Errors
    /// [`Refusal::ClientTaken`]; a fault.
    pub async fn add_client(&self, new: NewMachineClient) -> Result<Token> {
        let NewMachineClient {
            id,
            name,
            mut scopes,
            secret,
        } = new;
        let secret = match secret {
            Some(secret) => secret,
            None => draw_token(&*self.entropy)?,
        };
        scopes.sort_unstable();
        scopes.dedup();
        let client = Client {
            id,
            name,
            secret: token_digest(&secret),
            scopes: scopes
                .into_iter()
                .map(|scope| scope.name().to_owned())
                .collect(),
            created_at: self.now(),
        };
        if self.store.add_client(client).await? {
            Ok(secret)
        } else {
            Err(Refusal::ClientTaken.into())
        }
    }

    /// The client with this identifier and secret; an unknown one takes as long as a wrong secret.
    ///
    /// # Errors
    /// [`Refusal::UnknownClient`] for either; a fault.
    pub async fn authenticate_client(&self, id: &str, secret: &Token) -> Result<ClientCard> {
        let presented = token_digest(secret);
        let found = self.store.client(id).await?;
        let expected = found.as_ref().map_or([0; 32], |client| client.secret.0);
        let right = bool::from(presented.0.ct_eq(&expected));
        found
            .filter(|_| right)
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
