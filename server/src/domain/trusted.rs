//! People whose accounts live at a trusted identity provider.
//!
//! The provider is their first factor; their second is bound here, and their codes stand beside it.
//! An account comes into being with its first use, under the provider's name and the person's name
//! there, so that no two providers' people are ever one.

use std::net::IpAddr;

use super::{Authority, Caller, Mfa, Refusal, Result, SignedIn, event};
use crate::entropy::draw_token;
use crate::keyring::{digest_parts, token_digest};
use crate::model::{AccountId, EventKind, Timestamp};
use crate::store::{AccountAdded, Door, NewAccount, NewChallenge, SessionKind};

/// Somebody a trusted provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The provider's name, without a slash at the end.
    pub issuer: String,
    /// The person's name there.
    pub subject: String,
    /// When the person signed in there, if it says so.
    pub auth_time: Option<Timestamp>,
    /// Whether with two factors.
    pub multi_factor: bool,
}

impl Mfa {
    /// Who a provider vouches for, with what its word is good for: two factors proven just now are
    /// as good as ours; whatever is older or less has to be proven again.
    ///
    /// # Errors
    /// [`Refusal::AccountTaken`] where the account belongs to somebody else here, or the name is
    /// too long for one; a fault.
    pub async fn caller_by_issuer(&self, guest: &Guest, ip: Option<IpAddr>) -> Result<Caller> {
        let account = self.account_of(guest, ip).await?;
        let auth_time = guest.auth_time.unwrap_or(Timestamp(0));
        let names = [guest.issuer.as_bytes(), guest.subject.as_bytes()];
        let authority = Authority::Session {
            // What this person is shown in one request is shown in the next.
            digest: digest_parts(&[b"vouched for", names[0], names[1]]),
            kind: SessionKind::Full,
            auth_time,
            factor_at: guest.auth_time.filter(|_| guest.multi_factor),
            opened_by: None,
            client: Some(guest.issuer.clone()),
        };
        Ok(Caller {
            account,
            authority,
            ip,
        })
    }

    /// Lets somebody in whom a provider vouches for: to the pages, where the second factor is
    /// proven or bound.
    ///
    /// # Errors
    /// As [`Mfa::caller_by_issuer`]; [`Refusal::FreshProofRequired`] where the person signed in
    /// there too long ago, or nobody says when: to bind a first authenticator, minutes ago.
    pub async fn enter(&self, guest: &Guest, ip: Option<IpAddr>) -> Result<SignedIn> {
        let now = self.now();
        let account = self.account_of(guest, ip).await?;
        let signed_in_at = guest
            .auth_time
            .filter(|at| now.since(*at) <= self.policy.session_for)
            .ok_or(Refusal::FreshProofRequired)?;
        let first = self.store.authenticators(&account).await?.is_empty();
        if first && now.since(signed_in_at) > self.policy.fresh_for {
            // A token that lay about somewhere is not to bind a stranger's authenticator.
            return Err(Refusal::FreshProofRequired.into());
        }
        let token = draw_token(&*self.entropy)?;
        let digest = token_digest(&token);
        let challenge = NewChallenge {
            digest,
            account: account.clone(),
            password_at: signed_in_at,
            door: Door::Pages,
            expires_at: now.plus(self.policy.challenge_for),
            event: event::by_person(&account, EventKind::PasswordVerified, now, ip)
                .because("by a trusted issuer"),
        };
        if !self.store.open_challenge(challenge).await? {
            return Err(Refusal::UnknownAccount.into());
        }
        let authority = Authority::Challenge {
            digest,
            factor_at: None,
            password_at: signed_in_at,
            door: Door::Pages,
        };
        Ok(SignedIn {
            challenge: token,
            caller: Caller {
                account,
                authority,
                ip,
            },
        })
    }

    /// The account of somebody a provider vouches for; made when it is not there.
    async fn account_of(&self, guest: &Guest, ip: Option<IpAddr>) -> Result<AccountId> {
        let id = AccountId::parse(&format!("{}|{}", guest.issuer, guest.subject))
            .ok_or(Refusal::AccountTaken)?;
        let found = match self.store.account(&id).await? {
            Some(found) => Some(found),
            None => {
                let now = self.now();
                let new = NewAccount {
                    id: id.clone(),
                    login: None,
                    issuer: Some(guest.issuer.clone()),
                    password: None,
                    at: now,
                    event: event::by_person(&id, EventKind::AccountAdded, now, ip)
                        .because("by a trusted issuer"),
                };
                match self.store.add_account(new).await? {
                    AccountAdded::Done => return Ok(id),
                    AccountAdded::IdTaken | AccountAdded::LoginTaken => {
                        self.store.account(&id).await?
                    }
                }
            }
        };
        // A host may have taken the name for an account of its own.
        found
            .filter(|account| account.issuer.as_deref() == Some(guest.issuer.as_str()))
            .map(|account| account.id)
            .ok_or_else(|| Refusal::AccountTaken.into())
    }
}
