//! Administrators on the pages: who is one, whom they find, and how they help.
//!
//! An administrator is an account that was made one at the command line, in a browser's session
//! that came from password and authenticator, not from a recovery code. What changes somebody
//! else's sign-in needs a factor proven just now, and its audit row names who did it.

use std::net::IpAddr;

use super::challenge::fold_login;
use super::tenant::Toggle;
use super::{Authority, Caller, Mfa, Refusal, Result, event};
use crate::model::{AccountId, EventKind, Timestamp};
use crate::store::{
    AccountLine, AccountSearch, Actor, FindBy, NewEvent, Role, SessionKind, Setting,
};

/// Somebody who may administer the others, as of this request.
#[derive(Debug, Clone)]
pub struct Administrator {
    account: AccountId,
    ip: Option<IpAddr>,
    /// A factor was proven just now.
    fresh: bool,
}

impl Administrator {
    /// Whether a factor was proven just now: without, nothing can be changed.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    fn row(&self, account: &AccountId, kind: EventKind, at: Timestamp) -> NewEvent {
        let actor = Actor::Appointed(self.account.as_str().to_owned());
        let row = event::by_person(account, kind, at, self.ip);
        NewEvent { actor, ..row }
    }

    fn must_be_fresh(&self) -> Result<()> {
        if self.fresh {
            Ok(())
        } else {
            Err(Refusal::FreshProofRequired.into())
        }
    }
}

/// What an administrator looks for.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    /// How the login or the identifier begins; "" for everybody.
    pub prefix: String,
    /// By the identifier, although logins begin like this too.
    pub by_id: bool,
    /// What ended the page before.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// A page of accounts that begin like this.
#[derive(Debug, Clone)]
pub struct Found {
    /// The accounts.
    pub lines: Vec<AccountLine>,
    /// What ends this page, where there are more.
    pub next: Option<String>,
    /// They were found by the identifier.
    pub by_id: bool,
    /// There are identifiers too that begin like this, beside the logins that are shown.
    pub more_by_id: bool,
}

impl Mfa {
    /// The caller as an administrator; `None` for everybody else.
    ///
    /// # Errors
    /// A fault.
    pub async fn administrator(&self, caller: &Caller) -> Result<Option<Administrator>> {
        let Authority::Session {
            kind: SessionKind::Full,
            client: None,
            factor_at: Some(_),
            ..
        } = caller.authority
        else {
            return Ok(None);
        };
        let account = self.store.account(&caller.account).await?;
        let appointed = account.is_some_and(|account| account.administrator);
        Ok(appointed.then(|| Administrator {
            account: caller.account.clone(),
            ip: caller.ip,
            fresh: self.is_fresh(caller),
        }))
    }

    /// Makes the caller's account an administrator's, or no longer; `false` when it was so already.
    /// For the command line.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`]; a fault.
    pub async fn appoint(&self, caller: &Caller, role: Role) -> Result<bool> {
        self.account(&caller.account).await?;
        let kind = match role {
            Role::Administrator => EventKind::AdministratorAdded,
            Role::Person => EventKind::AdministratorRemoved,
        };
        let row = event::by(caller, kind, self.now());
        Ok(self.store.appoint(&caller.account, role, row).await?)
    }

    /// The accounts whose login begins like this, or, where none does or it is asked for, whose
    /// identifier does.
    ///
    /// # Errors
    /// A fault.
    pub async fn find_accounts(&self, _by: &Administrator, sought: &Sought) -> Result<Found> {
        let folded = fold_login(&sought.prefix);
        if !sought.by_id && !folded.is_empty() {
            let (lines, more) = self.find(sought, FindBy::Login, folded).await?;
            if !lines.is_empty() {
                let by_id = AccountSearch {
                    by: FindBy::Id,
                    prefix: sought.prefix.trim().to_owned(),
                    after: None,
                    limit: 1,
                };
                let more_by_id = !self.store.find_accounts(by_id).await?.is_empty();
                let last = lines.last().and_then(|line| line.login.clone());
                return Ok(Found {
                    next: last.filter(|_| more),
                    lines,
                    by_id: false,
                    more_by_id,
                });
            }
        }
        let prefix = sought.prefix.trim().to_owned();
        let (lines, more) = self.find(sought, FindBy::Id, prefix).await?;
        let last = lines.last().map(|line| line.id.as_str().to_owned());
        Ok(Found {
            next: last.filter(|_| more),
            lines,
            by_id: true,
            more_by_id: false,
        })
    }

    /// One page, and whether there are more.
    async fn find(
        &self,
        sought: &Sought,
        by: FindBy,
        prefix: String,
    ) -> Result<(Vec<AccountLine>, bool)> {
        let search = AccountSearch {
            by,
            prefix,
            after: sought.after.clone(),
            // One more than is shown tells whether there are more.
            limit: sought.limit.saturating_add(1),
        };
        let mut lines = self.store.find_accounts(search).await?;
        let limit = usize::try_from(sought.limit).unwrap_or(usize::MAX);
        let more = lines.len() > limit;
        lines.truncate(limit);
        Ok((lines, more))
    }

    /// Takes every authenticator and every code from somebody, and ends their sessions.
    ///
    /// # Errors
    /// [`Refusal::FreshProofRequired`], [`Refusal::UnknownAccount`]; a fault.
    pub async fn reset_for(&self, by: &Administrator, account: &AccountId) -> Result<()> {
        by.must_be_fresh()?;
        let now = self.now();
        let row = by.row(account, EventKind::MfaReset, now);
        if self.store.reset_mfa(account, now, row).await? {
            Ok(())
        } else {
            Err(Refusal::UnknownAccount.into())
        }
    }

    /// Ends somebody's live and pending codes; `false` when there were none.
    ///
    /// # Errors
    /// [`Refusal::FreshProofRequired`]; a fault.
    pub async fn revoke_for(&self, by: &Administrator, account: &AccountId) -> Result<bool> {
        by.must_be_fresh()?;
        let now = self.now();
        let row = by.row(account, EventKind::CodesRevoked, now);
        Ok(self.store.revoke(account, now, row).await?)
    }

    /// Whether recovery codes can be switched while the server runs.
    pub fn recovery_codes_are_settable(&self) -> bool {
        matches!(self.policy.recovery_codes, Toggle::Settable { .. })
    }

    /// Switches recovery codes on or off for everybody; on record at the administrator's account.
    ///
    /// # Errors
    /// [`Refusal::FreshProofRequired`], [`Refusal::SwitchFixed`]; a fault.
    pub async fn switch_for_everybody(&self, by: &Administrator, on: bool) -> Result<()> {
        by.must_be_fresh()?;
        if !self.recovery_codes_are_settable() {
            return Err(Refusal::SwitchFixed.into());
        }
        let (value, kind) = match on {
            true => ("on", EventKind::CodesSwitchedOn),
            false => ("off", EventKind::CodesSwitchedOff),
        };
        let row = by.row(&by.account, kind, self.now());
        let switched = self.store.switch(Setting::RecoveryCodes, value, row);
        Ok(switched.await?)
    }
}
