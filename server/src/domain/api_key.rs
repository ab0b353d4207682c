//! API keys: what a person's own programs carry. A key is shown once; its digest is stored.

use super::{Caller, Mfa, Refusal, Result, event};
use crate::entropy::draw_token;
use crate::keyring::token_digest;
use crate::model::{AccountId, EventKind, Timestamp, Token};
use crate::store::{ApiKey, ApiKeyAdded, NewApiKey};

/// What stands before a drawn key, so that people and scanners see what it is.
const PREFIX: &str = "ak_";

/// An API key to add.
#[derive(Debug, Default)]
pub struct NewKey {
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
    /// Adds a key of the caller's account and returns it: the only time it can be read.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`]; [`Refusal::ClientTaken`] of a given key that is somebody's
    /// already; a fault.
    pub async fn add_api_key(&self, caller: &Caller, new: NewKey) -> Result<(ApiKeyCard, Token)> {
        let NewKey { name, given } = new;
        let account = caller.account.clone();
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
                event: event::by(caller, EventKind::KeyAdded, now),
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
        let new = NewKey { name, given: None };
        self.add_api_key(caller, new).await
    }

    /// Removes a key of the caller's own, who must have just proven a factor, where there is one.
    ///
    /// # Errors
    /// [`Refusal::UnknownApiKey`], also of another's; [`Refusal::FreshProofRequired`]; a fault.
    pub async fn remove_own_key(&self, caller: &Caller, number: i64) -> Result<ApiKeyCard> {
        let keys = self.store.api_keys(Some(&caller.account)).await?;
        let found = keys.into_iter().find(|key| key.number == number);
        let found = found.ok_or(Refusal::UnknownApiKey)?;
        self.may_bind(caller, self.now()).await?;
        self.take_key(caller, found).await
    }

    /// The account's keys, or with `None` everybody's, by number.
    ///
    /// # Errors
    /// A fault.
    pub async fn api_keys(&self, account: Option<&AccountId>) -> Result<Vec<ApiKeyCard>> {
        let keys = self.store.api_keys(account).await?;
        Ok(keys.into_iter().map(ApiKeyCard::from).collect())
    }

    /// Removes whosever key this is, at the command line; it is nobody's from then on.
    ///
    /// # Errors
    /// [`Refusal::UnknownApiKey`]; a fault.
    pub async fn remove_api_key(&self, number: i64) -> Result<ApiKeyCard> {
        let keys = self.store.api_keys(None).await?;
        let found = keys.into_iter().find(|key| key.number == number);
        let found = found.ok_or(Refusal::UnknownApiKey)?;
        let caller = Caller::administrator(found.account.clone());
        self.take_key(&caller, found).await
    }

    async fn take_key(&self, caller: &Caller, key: ApiKey) -> Result<ApiKeyCard> {
        let row = event::by(caller, EventKind::KeyRemoved, self.now());
        let removed = self
            .store
            .remove_api_key(key.number, &caller.account, row)
            .await?;
        if removed {
            Ok(key.into())
        } else {
            Err(Refusal::UnknownApiKey.into())
        }
    }
}
