//! Accounts: adding, listing, forgetting, and an administrator's help.

use zeroize::Zeroizing;

use super::challenge::fold_login;
use super::{Caller, Mfa, Refusal, Result, event};
use crate::model::{AccountId, EventKind};
use crate::store::{Account, AccountAdded, AccountLine, AccountPage, NewAccount};

/// Bounds of a password in characters (NIST SP 800-63B-4, 3.1.1.2: at least 8 with a second
/// factor, at least 64 allowed).
const PASSWORD_MIN: usize = 8;
const PASSWORD_MAX: usize = 256;

/// Somebody who will sign in here.
#[derive(Debug)]
pub struct NewPerson {
    /// The account's identifier.
    pub id: AccountId,
    /// What the person signs in with.
    pub login: String,
    /// The password, 8 to 256 characters.
    pub password: Zeroizing<String>,
}

/// An account, seen from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountCard {
    /// The account.
    pub id: AccountId,
    /// Its number in this store: never used twice, and no secret.
    pub number: i64,
    /// What the person signs in with; hosts' accounts have none here.
    pub login: Option<String>,
    /// When an administrator last took all factors from it.
    pub reset_at: Option<crate::model::Timestamp>,
    /// It may administer the others.
    pub administrator: bool,
    /// When it came into being.
    pub created_at: crate::model::Timestamp,
}

impl From<Account> for AccountCard {
    fn from(account: Account) -> Self {
        let Account {
            id,
            number,
            login,
            reset_at,
            administrator,
            created_at,
            ..
        } = account;
        Self {
            id,
            number,
            login,
            reset_at,
            administrator,
            created_at,
        }
    }
}

impl Mfa {
    /// Adds an account with a login and a password.
    ///
    /// # Errors
    /// [`Refusal::AccountTaken`], [`Refusal::LoginTaken`], [`Refusal::UnfitPassword`]; busy; a
    /// fault.
    pub async fn add_person(&self, caller: &Caller, person: NewPerson) -> Result<()> {
        let NewPerson {
            id,
            login,
            password,
        } = person;
        let length = password.chars().count();
        if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&length) {
            return Err(Refusal::UnfitPassword.into());
        }
        let digest = self.digest_password(&id, &password).await?;
        let now = self.now();
        let new = NewAccount {
            id,
            login: Some(fold_login(&login)),
            issuer: None,
            password: Some(digest),
            at: now,
            event: event::by(caller, EventKind::AccountAdded, now),
        };
        match self.store.add_account(new).await? {
            AccountAdded::Done => Ok(()),
            AccountAdded::IdTaken => Err(Refusal::AccountTaken.into()),
            AccountAdded::LoginTaken => Err(Refusal::LoginTaken.into()),
        }
    }

    /// The account with this identifier.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`]; a fault.
    pub async fn account(&self, id: &AccountId) -> Result<AccountCard> {
        let found = self.store.account(id).await?;
        found
            .map(AccountCard::from)
            .ok_or_else(|| Refusal::UnknownAccount.into())
    }

    /// The account that signs in with this login.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`]; a fault.
    pub async fn account_by_login(&self, login: &str) -> Result<AccountCard> {
        let found = self.store.account_by_login(&fold_login(login)).await?;
        found
            .map(AccountCard::from)
            .ok_or_else(|| Refusal::UnknownAccount.into())
    }

    /// The account that is known by this UUID.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`]; a fault.
    pub async fn account_by_uuid(&self, uuid: uuid::Uuid) -> Result<AccountCard> {
        let found = self.store.account_by_uuid(uuid).await?;
        found
            .map(AccountCard::from)
            .ok_or_else(|| Refusal::UnknownAccount.into())
    }

    /// How many accounts there are.
    ///
    /// # Errors
    /// A fault.
    pub async fn count_accounts(&self) -> Result<u64> {
        Ok(self.store.count_accounts().await?)
    }

    /// A page of accounts, by identifier.
    ///
    /// # Errors
    /// A fault.
    pub async fn accounts(&self, page: AccountPage) -> Result<Vec<AccountLine>> {
        Ok(self.store.accounts(page).await?)
    }

    /// Forgets an account and all of it, its generations too.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`]; a fault.
    pub async fn forget(&self, id: &AccountId) -> Result<()> {
        if self.store.remove_account(id).await? {
            Ok(())
        } else {
            Err(Refusal::UnknownAccount.into())
        }
    }

    /// Takes every authenticator and every code from an account, ends its sessions: the person
    /// enrolls anew at the next sign-in.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`]; a fault.
    pub async fn reset_mfa(&self, caller: &Caller) -> Result<()> {
        let now = self.now();
        let row = event::by(caller, EventKind::MfaReset, now);
        if self.store.reset_mfa(&caller.account, now, row).await? {
            Ok(())
        } else {
            Err(Refusal::UnknownAccount.into())
        }
    }
}
