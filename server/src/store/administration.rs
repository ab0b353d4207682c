//! What administrators do on the pages: finding accounts, switching; and who is one.

use async_trait::async_trait;

use super::{AccountLine, NewEvent, Setting, StoreResult};
use crate::model::AccountId;

/// Whether an account may administer the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It may not.
    Person,
    /// It may, on the pages and after proving a second factor.
    Administrator,
}

/// What an account is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindBy {
    /// The login that the person signs in with; accounts without one are not found.
    Login,
    /// The caller's own identifier.
    Id,
}

/// Which accounts to find: those whose login or identifier begins with `prefix` (as given, byte
/// for byte), ordered by it, after `after`, at most `limit`. However many accounts there are, only
/// those that are given back are looked at.
#[derive(Debug, Clone)]
pub struct AccountSearch {
    /// By what.
    pub by: FindBy,
    /// How it begins; "" finds all.
    pub prefix: String,
    /// The login or identifier that ended the page before.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// What the domain asks on behalf of administrators.
#[async_trait]
pub trait Administration {
    /// Makes an account an administrator's, or no longer; `false`, and nothing changed, when there
    /// is no such account or it is so already. The event is written only when it changed.
    async fn appoint(&self, id: &AccountId, role: Role, event: NewEvent) -> StoreResult<bool>;

    /// The accounts that begin like this.
    async fn find_accounts(&self, search: AccountSearch) -> StoreResult<Vec<AccountLine>>;

    /// Sets a switch and writes the event. The last word counts.
    async fn switch(&self, setting: Setting, value: &str, event: NewEvent) -> StoreResult<()>;
}
