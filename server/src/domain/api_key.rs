//! API keys: what a person's own programs carry. A key is shown once; its digest is stored.

use super::{Caller, Mfa, Refusal, Result};
use crate::entropy::draw_token;
use crate::keyring::token_digest;
use crate::model::{AccountId, Timestamp, Token};
use crate::store::{ApiKey, ApiKeyAdded, NewApiKey};

/// What stands before a drawn key, so that people and scanners see what it is.
const PREFIX: &str = "ak_";

/// An API key to add.
#[derive(Debug)]
pub struct NewKey {
    /// Whose.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: Option<String>,
    /// This key; `None`: one is drawn. Only the demo tenant's are given.
    pub given: Option<Token>,
}

/// An API key, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyCard {
    /// Its number: never used twice, and no secret.
    pub number: i64,
    /// Whose.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl From<ApiKey> for ApiKeyCard {
    fn from(key: ApiKey) -> Self {
        let ApiKey {
            number,
            account,
            name,
            factor_at: _,
            created_at,
        } = key;
        Self {
            number,
            account,
            name,
            created_at,
        }
    }
}

impl Mfa {
    /// Adds a key and returns it: the only time it can be read.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`]; [`Refusal::ClientTaken`] of a given key that is somebody's
    /// already; a fault.
    pub async fn add_api_key(&self, new: NewKey) -> Result<(ApiKeyCard, Token)> {
        let NewKey {
            account,
            name,
            given,
        } = new;
        let key = match given {
            Some(key) => key,
            None => draw_token(&*self.entropy)?.behind(PREFIX),
        };
        let now = self.now();
        let added = self
            .store
            .add_api_key(NewApiKey {
                digest: token_digest(&key),
                account: account.clone(),
                name: name.clone(),
                at: now,
            })
            .await?;
        match added {
            ApiKeyAdded::Done(number) => Ok((
                ApiKeyCard {
                    number,
                    account,
                    name,
                    created_at: now,
                },
                key,
            )),
            ApiKeyAdded::NoAccount => Err(Refusal::UnknownAccount.into()),
            ApiKeyAdded::Taken => Err(Refusal::ClientTaken.into()),
        }
    }

    /// Adds a key of the caller's own, who must have just proven a factor, where there is one.
    ///
    /// # Errors
    /// [`Refusal::FreshProofRequired`]; those of [`Mfa::add_api_key`].
    pub async fn add_own_key(
        &self,
        caller: &Caller,
        name: Option<String>,
    ) -> Result<(ApiKeyCard, Token)> {
        self.may_bind(caller, self.now()).await?;
        self.add_api_key(NewKey {
            account: caller.account.clone(),
            name,
            given: None,
        })
        .await
    }

    /// Removes a key of the caller's own, who must have just proven a factor, where there is one.
    ///
    /// # Errors
    /// [`Refusal::UnknownApiKey`], also of another's; [`Refusal::FreshProofRequired`]; a fault.
    pub async fn remove_own_key(&self, caller: &Caller, number: i64) -> Result<ApiKeyCard> {
        let own = Some(&caller.account);
        let keys = self.store.api_keys(own).await?;
        if !keys.iter().any(|key| key.number == number) {
            return Err(Refusal::UnknownApiKey.into());
        }
        self.may_bind(caller, self.now()).await?;
        self.remove_api_key(number, own).await
    }

    /// The account's keys, or with `None` everybody's, by number.
    ///
    /// # Errors
    /// A fault.
    pub async fn api_keys(&self, account: Option<&AccountId>) -> Result<Vec<ApiKeyCard>> {
        let keys = self.store.api_keys(account).await?;
        Ok(keys.into_iter().map(ApiKeyCard::from).collect())
    }

    /// Removes a key, with `account` only if it is that account's; it is nobody's from then on.
    ///
    /// # Errors
    /// [`Refusal::UnknownApiKey`]; a fault.
    pub async fn remove_api_key(
        &self,
        number: i64,
        account: Option<&AccountId>,
    ) -> Result<ApiKeyCard> {
        let removed = self.store.remove_api_key(number, account).await?;
        removed
            .map(ApiKeyCard::from)
            .ok_or_else(|| Refusal::UnknownApiKey.into())
    }
}
