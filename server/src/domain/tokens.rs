//! Signing people in to programs: what a program's tokens are made of, and renewing them.
//!
//! A program gets tokens of a session, as a browser gets a cookie of one: what may be done with
//! them depends on the same [`Caller`]. The tokens themselves are made elsewhere.

use std::net::IpAddr;

use zeroize::Zeroizing;

use super::{Authority, Caller, Mfa, NextStep, Refusal, Result, SecondFactor, event};
use crate::entropy::draw_token;
use crate::keyring::token_digest;
use crate::model::{EventKind, Timestamp, Token, TokenDigest};
use crate::store::{
    Asked, Challenge, Door, NewChallenge, NewRefresh, NewSession, Progress, Refresh, Rotated,
    Session, SessionKind,
};

/// The scope by which a program asks for a refresh token (OpenID Connect Core, 11).
const OFFLINE: &str = "offline_access";

/// What says who somebody is, and for how long (OpenID Connect Core, 5.4 and 11).
const OF_THE_PERSON: [&str; 4] = ["openid", "profile", "email", OFFLINE];

/// What the tokens that are asked for will be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Somebody else's API, or who it is.
    Elsewhere,
    /// The person's own factors and codes here: a factor must have been proven just now.
    OwnFactors,
}

/// A session that a program has tokens of.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Its public name; nothing is opened by it.
    pub session: TokenDigest,
    /// Whose, and what may be done.
    pub caller: Caller,
    /// The refresh token, where there is a new one.
    pub refresh: Option<Token>,
}

/// A password or a refresh token was right.
#[derive(Debug)]
pub enum Renewed {
    /// There are tokens.
    Opened(Box<Opened>),
    /// A second factor is needed first.
    FactorNeeded {
        /// What the program holds until then.
        challenge: Token,
        /// Prove one, or enroll one.
        next: NextStep,
    },
}

/// A refresh token and what is asked of it.
#[derive(Debug)]
pub struct Renewing<'a> {
    /// The token.
    pub token: &'a Token,
    /// The client that sent it.
    pub client: &'a str,
    /// Whether the client can keep no secret: then each token is followed by the next (RFC 9700,
    /// 2.2.2).
    pub public: bool,
    /// What it wants other than at first; `None`: the same.
    pub audience: Option<String>,
    /// The scopes it wants; `None`: the same. What it did not get at first it does not get now,
    /// but for the scopes of another API.
    pub scope: Option<String>,
}

impl Mfa {
    /// Checks login and password for a program.
    ///
    /// # Errors
    /// Those of [`Mfa::sign_in`].
    pub async fn sign_in_to(
        &self,
        asked: Asked,
        reach: Reach,
        (login, password): (&str, &Zeroizing<String>),
        ip: Option<IpAddr>,
    ) -> Result<Renewed> {
        let signed_in = self
            .begin(login, password, Door::Program(asked), ip)
            .await?;
        let caller = &signed_in.caller;
        let next = self.next_step(caller).await?;
        let needed = reach == Reach::OwnFactors
            || next != NextStep::Enroll
            || self.second_factor().await? == SecondFactor::Everybody;
        if needed {
            return Ok(Renewed::FactorNeeded {
                challenge: signed_in.challenge,
                next,
            });
        }
        let now = self.now();
        let (opened, session) = self.session_for(caller, SessionKind::Full, None, now)?;
        let Authority::Challenge { digest, .. } = caller.authority else {
            return Err(Refusal::OutOfOrder.into());
        };
        let progress = Progress::Grant {
            challenge: digest,
            session,
        };
        if self.store.pass(&caller.account, progress, now).await? {
            Ok(Renewed::Opened(Box::new(opened)))
        } else {
            Err(Refusal::ChallengeGone.into())
        }
    }

    /// Whose challenge a program holds.
    ///
    /// # Errors
    /// [`Refusal::ChallengeExpired`]; [`Refusal::ChallengeOfAnother`] where it was opened for
    /// another client than this; [`Refusal::ChallengeGone`]; a fault.
    pub async fn caller_by_client_challenge(
        &self,
        token: &Token,
        client: Option<&str>,
        ip: Option<IpAddr>,
    ) -> Result<Caller> {
        let digest = token_digest(token);
        let Challenge {
            account,
            password_at,
            factor_at,
            door,
            expires_at,
            spent_at,
            ..
        } = self
            .store
            .challenge(&digest)
            .await?
            .ok_or(Refusal::ChallengeGone)?;
        // One of our own pages is nothing to a program.
        let Door::Program(asked) = door else {
            return Err(Refusal::ChallengeGone.into());
        };
        if client.is_some_and(|client| client != asked.client) {
            return Err(Refusal::ChallengeOfAnother.into());
        }
        if spent_at.is_some() {
            return Err(Refusal::ChallengeGone.into());
        }
        if expires_at <= self.now() {
            return Err(Refusal::ChallengeExpired.into());
        }
        let authority = Authority::Challenge {
            digest,
            factor_at,
            password_at,
            door: Door::Program(asked),
        };
        Ok(Caller {
            account,
            authority,
            ip,
        })
    }

    /// Who calls by an access token of this session.
    ///
    /// # Errors
    /// [`Refusal::SessionGone`], also where it is another client's or a browser's; a fault.
    pub async fn caller_by_grant(
        &self,
        session: &TokenDigest,
        client: &str,
        ip: Option<IpAddr>,
    ) -> Result<Caller> {
        // No pause is too long: the token itself runs out.
        let found = self
            .store
            .session(session, self.now(), Timestamp(i64::MIN))
            .await?
            .filter(|found| found.client.as_deref() == Some(client))
            .ok_or(Refusal::SessionGone)?;
        Ok(caller_of(*session, found, ip))
    }

    /// New tokens for a refresh token, or a challenge where a second factor is due: that depends on
    /// the API that they are for, be it the one asked for at first; `reach_of` says what a token
    /// for it is good for, and nothing for one that the client no longer gets tokens for.
    ///
    /// # Errors
    /// [`Refusal::RefreshGone`]; a fault.
    pub async fn renew(
        &self,
        renewing: Renewing<'_>,
        reach_of: impl Fn(Option<&str>) -> Option<Reach>,
        ip: Option<IpAddr>,
    ) -> Result<(Renewed, Asked)> {
        let now = self.now();
        let digest = token_digest(renewing.token);
        let Refresh {
            session,
            audience,
            scope,
            replaced_at,
        } = self
            .store
            .refresh(&digest, now)
            .await?
            .ok_or(Refusal::RefreshGone)?;
        let caller = match self.caller_by_grant(&session, renewing.client, ip).await {
            Err(super::Error::Refused(_)) => return Err(Refusal::RefreshGone.into()),
            other => other?,
        };
        let first = NewRefresh {
            digest,
            audience,
            scope,
        };
        let asked = Asked {
            client: renewing.client.to_owned(),
            scope: narrowed(&renewing, &first),
            audience: renewing.audience.or_else(|| first.audience.clone()),
        };
        let reach = reach_of(asked.audience.as_deref()).ok_or(Refusal::RefreshGone)?;
        let reused = replaced_at.is_some_and(|at| at <= self.lost_since(now));
        if !reused && self.factor_is_due(&caller, reach, now).await? {
            let (challenge, next) = self.ask_again(&caller, &asked, now).await?;
            return Ok((Renewed::FactorNeeded { challenge, next }, asked));
        }
        let refresh = if renewing.public || reused {
            Some(self.follow(&first, now).await?)
        } else {
            None
        };
        let opened = Opened {
            session,
            caller,
            refresh,
        };
        Ok((Renewed::Opened(Box::new(opened)), asked))
    }

    /// Whether the session's own proof is not enough for what is asked.
    async fn factor_is_due(&self, caller: &Caller, reach: Reach, now: Timestamp) -> Result<bool> {
        let Authority::Session {
            kind: SessionKind::Full,
            factor_at,
            ..
        } = caller.authority
        else {
            // A recovery code was that proof, and the way to a new authenticator.
            return Ok(false);
        };
        Ok(match (reach, factor_at) {
            (Reach::OwnFactors, _) => !caller.is_fresh(now, self.policy.fresh_for),
            (Reach::Elsewhere, Some(_)) => false,
            (Reach::Elsewhere, None) => {
                self.second_factor().await? == SecondFactor::Everybody
                    || !self.store.authenticators(&caller.account).await?.is_empty()
            }
        })
    }

    /// Opens a challenge behind the first factor of a session.
    async fn ask_again(
        &self,
        caller: &Caller,
        asked: &Asked,
        now: Timestamp,
    ) -> Result<(Token, NextStep)> {
        let Authority::Session { auth_time, .. } = caller.authority else {
            return Err(Refusal::OutOfOrder.into());
        };
        let token = draw_token(&*self.entropy)?;
        let challenge = NewChallenge {
            digest: token_digest(&token),
            account: caller.account.clone(),
            password_at: auth_time,
            door: Door::Program(asked.clone()),
            expires_at: now.plus(self.policy.mfa_token_for),
            event: event::by(caller, EventKind::FactorAsked, now),
        };
        if !self.store.open_challenge(challenge).await? {
            return Err(Refusal::RefreshGone.into());
        }
        let bound = self.store.authenticators(&caller.account).await?;
        let next = if bound.is_empty() {
            NextStep::Enroll
        } else {
            NextStep::Prove
        };
        Ok((token, next))
    }

    /// Follows a refresh token by the next.
    pub(super) async fn follow(&self, first: &NewRefresh, now: Timestamp) -> Result<Token> {
        let token = draw_token(&*self.entropy)?;
        let next = NewRefresh {
            digest: token_digest(&token),
            ..first.clone()
        };
        let lost_since = self.lost_since(now);
        match self
            .store
            .rotate_refresh(&first.digest, next, now, lost_since)
            .await?
        {
            Rotated::Done => Ok(token),
            Rotated::Reused => {
                tracing::warn!("a refresh token was used again; its session is ended");
                Err(Refusal::RefreshGone.into())
            }
            Rotated::Gone => Err(Refusal::RefreshGone.into()),
        }
    }

    pub(super) fn lost_since(&self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_sub(self.policy.refresh_lost_for.0))
    }

    /// A session for the program that this challenge was opened for.
    pub(super) fn session_for(
        &self,
        caller: &Caller,
        kind: SessionKind,
        opened_by: Option<(u32, u32)>,
        now: Timestamp,
    ) -> Result<(Opened, NewSession)> {
        let Authority::Challenge {
            door: Door::Program(asked),
            factor_at,
            ..
        } = &caller.authority
        else {
            return Err(Refusal::OutOfOrder.into());
        };
        let digest = token_digest(&draw_token(&*self.entropy)?);
        let offline = asked.scope.split(' ').any(|scope| scope == OFFLINE);
        let refresh = match offline {
            true => Some(draw_token(&*self.entropy)?),
            false => None,
        };
        // Who came by a recovery code signs in again with the new authenticator, and soon.
        let life = match (offline, kind) {
            (true, SessionKind::Full) => self.policy.refresh_for,
            _ => self.policy.session_for,
        };
        let session = NewSession {
            digest,
            account: caller.account.clone(),
            kind,
            auth_time: now,
            factor_at: *factor_at,
            opened_by,
            client: Some(asked.client.clone()),
            refresh: refresh.as_ref().map(|token| NewRefresh {
                digest: token_digest(token),
                audience: asked.audience.clone(),
                scope: asked.scope.clone(),
            }),
            device: None,
            at: now,
            expires_at: now.plus(life),
        };
        let opened = Opened {
            session: digest,
            caller: Caller {
                account: caller.account.clone(),
                authority: authority_of(&session),
                ip: caller.ip,
            },
            refresh,
        };
        Ok((opened, session))
    }

    /// The same, by an authenticator that was proven now.
    pub(super) fn session_by_factor(
        &self,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<(Opened, NewSession)> {
        let (mut opened, mut session) = self.session_for(caller, SessionKind::Full, None, now)?;
        session.factor_at = Some(now);
        opened.caller.authority = authority_of(&session);
        Ok((opened, session))
    }
}

/// The scopes of a renewal (RFC 6749, 6): those asked for that were granted at first, and for
/// another API than at first the scopes of that one. No more is told of the person in any case.
fn narrowed(renewing: &Renewing<'_>, first: &NewRefresh) -> String {
    let Some(asked) = &renewing.scope else {
        return first.scope.clone();
    };
    let elsewhere = renewing.audience.is_some() && renewing.audience != first.audience;
    let granted = asked.split(' ').filter(|scope| {
        first.scope.split(' ').any(|one| one == *scope)
            || elsewhere && !OF_THE_PERSON.contains(scope)
    });
    granted.collect::<Vec<_>>().join(" ")
}

fn authority_of(session: &NewSession) -> Authority {
    Authority::Session {
        digest: session.digest,
        kind: session.kind,
        auth_time: session.auth_time,
        factor_at: session.factor_at,
        opened_by: session.opened_by,
        client: session.client.clone(),
    }
}

/// Who holds a stored session.
pub(super) fn caller_of(digest: TokenDigest, session: Session, ip: Option<IpAddr>) -> Caller {
    let Session {
        account,
        kind,
        auth_time,
        factor_at,
        opened_by,
        client,
        ..
    } = session;
    let authority = Authority::Session {
        digest,
        kind,
        auth_time,
        factor_at,
        opened_by,
        client,
    };
    Caller {
        account,
        authority,
        ip,
    }
}
