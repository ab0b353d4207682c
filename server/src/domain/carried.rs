//! What a person's own program carries with every request: an API key, or a session that stays the
//! same when a factor is proven in it.
//!
//! A proof counts for what it was made with and for nothing else: for five minutes it lets that key
//! or that session change factors and codes.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::{Authority, Caller, Mfa, Refusal, Result};
use crate::entropy::draw_token;
use crate::keyring::token_digest;
use crate::model::{Timestamp, Token};
use crate::store::{Carried, Door, NewSession, Progress, SessionKind};

/// What stands before such a session's value, so that people and scanners see what it is.
const PREFIX: &str = "ses_";

/// A session that was opened to be carried.
#[derive(Debug)]
pub struct Carrying {
    /// Its value.
    pub token: Token,
    /// Who carries it.
    pub caller: Caller,
    /// When it ends whatever happens.
    pub expires_at: Timestamp,
}

impl Mfa {
    /// Checks login and password and opens a session to be carried. Where the account has a
    /// factor it is unfinished until one is proven ([`Mfa::factor_is_missing`]).
    ///
    /// # Errors
    /// Those of [`Mfa::sign_in`].
    pub async fn sign_in_carrying(
        &self,
        login: &str,
        password: &Zeroizing<String>,
        ip: Option<IpAddr>,
    ) -> Result<Carrying> {
        let caller = self.begin(login, password, Door::Pages, ip).await?.caller;
        let Authority::Challenge { digest, .. } = caller.authority else {
            return Err(Refusal::OutOfOrder.into());
        };
        let now = self.now();
        let token = draw_token(&*self.entropy)?.behind(PREFIX);
        let expires_at = now.plus(self.policy.carried_for);
        let session = NewSession {
            digest: token_digest(&token),
            account: caller.account.clone(),
            kind: SessionKind::Carried,
            auth_time: now,
            factor_at: None,
            opened_by: None,
            client: None,
            refresh: None,
            device: None,
            at: now,
            expires_at,
        };
        let carried = Carried::Session(session.digest);
        let progress = Progress::Grant {
            challenge: digest,
            session,
        };
        if !self.store.pass(&caller.account, progress, now).await? {
            return Err(Refusal::WrongCredentials.into());
        }
        let caller = Caller {
            authority: Authority::Carried {
                carried,
                factor_at: None,
            },
            ..caller
        };
        Ok(Carrying {
            token,
            caller,
            expires_at,
        })
    }

    /// Who carries this API key, or this session.
    ///
    /// # Errors
    /// [`Refusal::SessionGone`] where it is nobody's, or not one of these; a fault.
    pub async fn caller_by_carried(&self, token: &Token, ip: Option<IpAddr>) -> Result<Caller> {
        let digest = token_digest(token);
        let (account, carried, factor_at) = if token.reveal().starts_with(PREFIX) {
            let now = self.now();
            let idle_since = Timestamp(now.0.saturating_sub(self.policy.idle_for.0));
            let session = self
                .store
                .session(&digest, now, idle_since)
                .await?
                .filter(|session| session.kind == SessionKind::Carried)
                .ok_or(Refusal::SessionGone)?;
            let carried = Carried::Session(digest);
            (session.account, carried, session.factor_at)
        } else {
            let key = self.store.api_key(&digest).await?;
            let key = key.ok_or(Refusal::SessionGone)?;
            (key.account, Carried::Key(digest), key.factor_at)
        };
        Ok(Caller {
            account,
            authority: Authority::Carried { carried, factor_at },
            ip,
        })
    }

    /// Whether this opaque value is somebody's, though nothing that is carried: a browser's
    /// session, a challenge, a refresh token.
    ///
    /// # Errors
    /// A fault.
    pub async fn is_of_another_kind(&self, token: &Token) -> Result<bool> {
        let digest = token_digest(token);
        let now = self.now();
        let session = self
            .store
            .session(&digest, now, Timestamp(i64::MIN))
            .await?;
        Ok(
            session.is_some_and(|session| session.kind != SessionKind::Carried)
                || self.store.challenge(&digest).await?.is_some()
                || self.store.refresh(&digest, now).await?.is_some(),
        )
    }

    /// Whether the caller came by a password alone to an account that has a factor.
    ///
    /// # Errors
    /// A fault.
    pub async fn factor_is_missing(&self, caller: &Caller) -> Result<bool> {
        let Authority::Carried {
            carried: Carried::Session(_),
            factor_at: None,
        } = caller.authority
        else {
            return Ok(false);
        };
        Ok(!self.store.authenticators(&caller.account).await?.is_empty())
    }

    /// Until when the last proof counts, or counted; `None` where there was none.
    pub fn fresh_until(&self, caller: &Caller) -> Option<Timestamp> {
        match caller.authority {
            Authority::Carried { factor_at, .. } => {
                factor_at.map(|at| at.plus(self.policy.fresh_for))
            }
            _ => None,
        }
    }

    /// Ends the session that the caller carries. A key is not ended by this.
    ///
    /// # Errors
    /// A fault. That it was over already is none.
    pub async fn put_down(&self, caller: &Caller) -> Result<()> {
        if let Authority::Carried {
            carried: Carried::Session(digest),
            ..
        } = &caller.authority
        {
            let row = super::event::by(caller, crate::model::EventKind::SignedOut, self.now());
            self.store.end_session(digest, row).await?;
        }
        Ok(())
    }
}
