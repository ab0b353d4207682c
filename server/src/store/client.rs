//! Machine clients: programs that call.

use async_trait::async_trait;

use super::StoreResult;
use crate::model::{Timestamp, TokenDigest};

/// A machine client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its identifier, unique.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Digest of its secret.
    pub secret: TokenDigest,
    /// What it may do, sorted.
    pub scopes: Vec<String>,
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

    /// Removes a client; `false` when there was none.
    async fn remove_client(&self, id: &str) -> StoreResult<bool>;
}
