//! Clients: programs that call, and what they may do.

use async_trait::async_trait;

use super::StoreResult;
use crate::model::{Timestamp, TokenDigest};

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its identifier, unique.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Digest of its secret; `None` for a program that can keep none.
    pub secret: Option<TokenDigest>,
    /// What it may do, sorted.
    pub scopes: Vec<String>,
    /// How it gets tokens, sorted.
    pub grants: Vec<String>,
    /// Other APIs that it gets people's tokens for.
    pub audiences: Vec<String>,
    /// The web origins that it calls from.
    pub origins: Vec<String>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What the domain asks about clients.
#[async_trait]
pub trait Clients {
    /// Adds a client; `false` when the identifier is taken.
    async fn add_client(&self, client: Client) -> StoreResult<bool>;

    /// The client with this identifier.
    async fn client(&self, id: &str) -> StoreResult<Option<Client>>;

    /// All clients, by identifier.
    async fn clients(&self) -> StoreResult<Vec<Client>>;

    /// Removes a client, with the challenges and sessions that are its own and their tokens;
    /// `false` when there was none.
    async fn remove_client(&self, id: &str) -> StoreResult<bool>;
}
