//! Signing in to an access token that lives for minutes, with a cookie beside it that renews it.
//!
//! The session behind the token stays as it is from the sign-in on: fresher proof is a token of its
//! own. Who should have a factor and has none is let in for a time of grace, and after it only to
//! enroll one. The access tokens themselves are made elsewhere.

use std::net::IpAddr;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    Authority, Caller, Door, Environment, Mfa, Presented, Redemption, Refusal, Result, Standing,
    event, totp,
};
use crate::entropy::draw_token;
use crate::keyring::token_digest;
use crate::model::{EventKind, Millis, Timestamp, Token, TokenDigest};
use crate::store::{
    NewDevice, NewRefresh, NewSession, Progress, Refresh, Session, SessionKind, StoreResult,
};

/// A session that access tokens are made of.
#[derive(Debug, Clone)]
pub struct BearerSession {
    /// Its public name; nothing is opened by it.
    pub session: TokenDigest,
    /// Whose, and what may be done.
    pub caller: Caller,
    /// What the next access token is got with.
    pub refresh: Token,
    /// When the session ends whatever happens.
    pub expires_at: Timestamp,
    /// What the device that was just trusted is recognized by.
    pub device: Option<TrustGiven>,
}

/// What a device that was just trusted is recognized by.
#[derive(Debug, Clone)]
pub struct TrustGiven {
    /// The value that it keeps.
    pub token: Token,
    /// Until when it is trusted.
    pub expires_at: Timestamp,
}

/// How long somebody without the factor that they should have is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// Until when.
    pub ends_at: Timestamp,
    /// Whether that is past.
    pub over: bool,
}

/// A password was right.
#[derive(Debug)]
pub enum BearerSignIn {
    /// There is a session, of somebody who should enroll a factor where there is a time of grace.
    In(Box<BearerSession>, Option<Grace>),
    /// A second factor is needed first.
    FactorNeeded {
        /// Whose account it is.
        caller: Caller,
        /// What is held until then.
        challenge: Token,
        /// Until when.
        expires_at: Timestamp,
    },
}

/// A session in the list of its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// Its public name.
    pub id: Uuid,
    /// When the person signed in.
    pub created_at: Timestamp,
    /// When it was last seen, to the minute.
    pub last_seen_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Mfa {
    /// Checks login and password; a trusted device's value may stand for the second factor. `None`
    /// for a login is nobody's, at the same cost. Charged to the address as by
    /// [`Mfa::admit_sign_in`], once there is a place in the pool.
    ///
    /// # Errors
    /// Those of [`Mfa::sign_in`].
    pub async fn sign_in_bearer(
        &self,
        login: Option<&str>,
        password: &Zeroizing<String>,
        device: Option<&Token>,
        ip: Option<IpAddr>,
    ) -> Result<BearerSignIn> {
        // No login holds a control character.
        let login = login.unwrap_or("\0");
        let signed_in = self.begin(login, password, Door::Bearer, ip).await?;
        let caller = signed_in.caller;
        let Authority::Challenge { digest, .. } = caller.authority else {
            return Err(Refusal::OutOfOrder.into());
        };
        let environment = self.environment().await?;
        let enrolled = !self.store.authenticators(&caller.account).await?.is_empty();
        let now = self.now();
        if environment.mfa_required && enrolled {
            let trusted = match device {
                Some(device) => self.recognizes(&caller, &environment, device, now).await?,
                None => false,
            };
            if !trusted {
                return Ok(BearerSignIn::FactorNeeded {
                    caller,
                    challenge: signed_in.challenge,
                    expires_at: now.plus(self.policy.mfa_token_for),
                });
            }
        }
        let grace = match environment.mfa_required && !enrolled {
            true => Some(self.grace(&caller, &environment, now).await?),
            false => None,
        };
        let (mut opened, mut session) = self.bearer_session(&caller, None, now)?;
        if grace.is_some_and(|grace| grace.over) {
            session.kind = SessionKind::EnrollOnly;
            opened.caller.authority = authority_of(&session, None);
        }
        let progress = Progress::Grant {
            challenge: digest,
            session,
        };
        if !self.store.pass(&caller.account, progress, now).await? {
            return Err(Refusal::ChallengeGone.into());
        }
        Ok(BearerSignIn::In(Box::new(opened), grace))
    }

    /// The time of grace of somebody without a factor; an administrator's reset ends it.
    async fn grace(
        &self,
        caller: &Caller,
        environment: &Environment,
        now: Timestamp,
    ) -> Result<Grace> {
        let account = self.store.account(&caller.account).await?;
        let reset_at = account.and_then(|account| account.reset_at);
        let from = self.store.begin_grace(&caller.account, now).await?;
        let from = from.ok_or(Refusal::WrongCredentials)?;
        let ends_at = from.plus(Millis::days(environment.grace_days));
        let ends_at = reset_at.map_or(ends_at, |reset_at| ends_at.min(reset_at));
        Ok(Grace {
            ends_at,
            over: ends_at <= now,
        })
    }

    /// Whose challenge this is that leads to an access token.
    ///
    /// # Errors
    /// [`Refusal::ChallengeGone`], also after too many wrong answers; a fault.
    pub async fn caller_by_bearer_challenge(
        &self,
        token: &Token,
        ip: Option<IpAddr>,
    ) -> Result<Caller> {
        let digest = token_digest(token);
        let challenge = self.open_challenge_of(&digest).await?;
        if challenge.door != Door::Bearer || challenge.tries >= self.policy.first_tries {
            return Err(Refusal::ChallengeGone.into());
        }
        let authority = Authority::Challenge {
            digest,
            factor_at: None,
            password_at: challenge.password_at,
            door: Door::Bearer,
        };
        Ok(Caller {
            account: challenge.account,
            authority,
            ip,
        })
    }

    /// Completes such a challenge by a bound authenticator. With a label, the device is trusted
    /// from now on, where devices can be.
    ///
    /// # Errors
    /// [`Refusal::MalformedOtp`], [`Refusal::OtpNotAccepted`], [`Refusal::OtpThrottled`],
    /// [`Refusal::ChallengeGone`]; a fault.
    pub async fn pass_bearer_with_otp(
        &self,
        caller: &Caller,
        otp: &str,
        trust: Option<&str>,
    ) -> Result<BearerSession> {
        let challenge = bearer_challenge(caller)?;
        let digits = totp::parse(otp).ok_or(Refusal::MalformedOtp)?;
        let now = self.now();
        let bound = self.store.authenticators(&caller.account).await?;
        let environment = self.environment().await?;
        // What can fail for want of randomness does so before anything is charged.
        let (mut opened, mut session) = self.bearer_session(caller, None, now)?;
        session.factor_at = Some(now);
        if let Some(label) = trust
            && let Some((device, given)) = self.trust(caller, &environment, label, now)?
        {
            session.device = Some(device);
            opened.device = Some(given);
        }
        opened.caller.authority = authority_of(&session, None);
        let tries_left = self.reserve_otp(caller, now).await?;
        self.try_challenge(caller, now).await?;
        let Some((id, step)) = self.matching(caller, &bound, &digits, now)? else {
            return self.otp_refused(caller, tries_left, now).await;
        };
        let progress = Progress::Grant { challenge, session };
        self.accept(caller, id, step, progress, tries_left).await?;
        Ok(opened)
    }

    /// Completes such a challenge by a recovery code; no device is trusted by it, and none that was
    /// is any more.
    ///
    /// # Errors
    /// Those of [`Mfa::redeem`].
    pub async fn pass_bearer_with_code(
        &self,
        caller: &Caller,
        code: &Presented,
    ) -> Result<Redemption> {
        bearer_challenge(caller)?;
        self.redeem(caller, code).await
    }

    /// Who holds access tokens of this session, with the step-up token that came along.
    ///
    /// # Errors
    /// [`Refusal::SessionGone`]; a fault.
    pub async fn caller_by_bearer(
        &self,
        session: &TokenDigest,
        step_up: Option<&Token>,
        ip: Option<IpAddr>,
    ) -> Result<Caller> {
        let found = self.bearer_session_of(session).await?;
        let found = found.ok_or(Refusal::SessionGone)?;
        Ok(caller_of(*session, found, step_up.map(token_digest), ip))
    }

    async fn bearer_session_of(&self, session: &TokenDigest) -> StoreResult<Option<Session>> {
        let now = self.now();
        // However long the pause: the access token itself runs out.
        let found = self
            .store
            .session(session, now, Timestamp(i64::MIN))
            .await?;
        Ok(found.filter(|found| standing(found.kind).is_some()))
    }

    /// The session that this refresh token is of, and the next one. Used again after a minute, it
    /// ends the session: somebody else has it.
    ///
    /// # Errors
    /// [`Refusal::RefreshGone`]; a fault.
    pub async fn renew_bearer(&self, token: &Token, ip: Option<IpAddr>) -> Result<BearerSession> {
        let now = self.now();
        let digest = token_digest(token);
        let found = self.store.refresh(&digest, now).await?;
        let Refresh {
            session,
            audience,
            scope,
            ..
        } = found.ok_or(Refusal::RefreshGone)?;
        let found = self.bearer_session_of(&session).await?;
        let found = found.ok_or(Refusal::RefreshGone)?;
        let expires_at = found.expires_at;
        let first = NewRefresh {
            digest,
            audience,
            scope,
        };
        let refresh = self.follow(&first, now).await?;
        Ok(BearerSession {
            session,
            caller: caller_of(session, found, None, ip),
            refresh,
            expires_at,
            device: None,
        })
    }

    /// The caller's sessions of every kind, last seen first.
    ///
    /// # Errors
    /// A fault.
    pub async fn own_sessions(&self, caller: &Caller) -> Result<Vec<OwnSession>> {
        let here = caller.holder();
        let lines = self.store.sessions(&caller.account, self.now()).await?;
        Ok(lines
            .into_iter()
            .map(|line| OwnSession {
                id: line.digest.uuid(),
                created_at: line.auth_time,
                last_seen_at: line.seen_at,
                current: here == Some(line.digest),
            })
            .collect())
    }

    /// Ends one of the caller's sessions; `false` when it is not among them.
    ///
    /// # Errors
    /// A fault.
    pub async fn end_own_session(&self, caller: &Caller, id: Uuid) -> Result<bool> {
        let now = self.now();
        let lines = self.store.sessions(&caller.account, now).await?;
        let Some(line) = lines.into_iter().find(|line| line.digest.uuid() == id) else {
            return Ok(false);
        };
        let row = event::by(caller, EventKind::SignedOut, now);
        Ok(self.store.end_session(&line.digest, row).await?)
    }

    /// A session for the challenge's owner, by a password alone or by the code that was spent.
    pub(super) fn bearer_session(
        &self,
        caller: &Caller,
        opened_by: Option<(u32, u32)>,
        now: Timestamp,
    ) -> Result<(BearerSession, NewSession)> {
        let digest = token_digest(&draw_token(&*self.entropy)?);
        let refresh = draw_token(&*self.entropy)?;
        let session = NewSession {
            digest,
            account: caller.account.clone(),
            kind: SessionKind::Bearer,
            auth_time: now,
            factor_at: None,
            opened_by,
            client: None,
            refresh: Some(NewRefresh {
                digest: token_digest(&refresh),
                audience: None,
                scope: String::new(),
            }),
            device: None,
            at: now,
            expires_at: now.plus(self.policy.session_for),
        };
        let opened = BearerSession {
            session: digest,
            caller: Caller {
                account: caller.account.clone(),
                authority: authority_of(&session, None),
                ip: caller.ip,
            },
            refresh,
            expires_at: session.expires_at,
            device: None,
        };
        Ok((opened, session))
    }

    /// Counts an answer where the challenge bears only so many.
    pub(super) async fn try_challenge(&self, caller: &Caller, now: Timestamp) -> Result<()> {
        let Ok(challenge) = bearer_challenge(caller) else {
            return Ok(());
        };
        let most = self.policy.first_tries;
        let left = self.store.try_challenge(&challenge, most, now).await?;
        left.map(|_| ())
            .ok_or_else(|| Refusal::ChallengeGone.into())
    }

    /// A fault of ours was in the way of an answer. If this fails too, the count stands.
    pub(super) async fn untry_challenge(&self, caller: &Caller) {
        if let Ok(challenge) = bearer_challenge(caller)
            && let Err(fault) = self.store.untry_challenge(&challenge).await
        {
            tracing::warn!(error = %fault, "an answer that a fault cut off stays counted");
        }
    }

    /// Makes a device's trust, where devices are trusted at all.
    fn trust(
        &self,
        caller: &Caller,
        environment: &Environment,
        label: &str,
        now: Timestamp,
    ) -> Result<Option<(NewDevice, TrustGiven)>> {
        let Some(trusted_for) = environment.trusted_for() else {
            return Ok(None);
        };
        let device = self.new_device(caller, label, trusted_for, now)?;
        Ok(Some(device))
    }
}

fn bearer_challenge(caller: &Caller) -> Result<TokenDigest> {
    match caller.authority {
        Authority::Challenge {
            digest,
            door: Door::Bearer,
            ..
        } => Ok(digest),
        _ => Err(Refusal::OutOfOrder.into()),
    }
}

/// What may be done in a session of this kind, where access tokens are made of it.
fn standing(kind: SessionKind) -> Option<Standing> {
    match kind {
        SessionKind::Bearer => Some(Standing::Whole),
        SessionKind::EnrollOnly => Some(Standing::EnrollOnly),
        SessionKind::Full | SessionKind::Recovery | SessionKind::Carried => None,
    }
}

fn authority_of(session: &NewSession, step_up: Option<TokenDigest>) -> Authority {
    Authority::Bearer {
        session: session.digest,
        standing: standing(session.kind).unwrap_or(Standing::EnrollOnly),
        auth_time: session.auth_time,
        factor_at: session.factor_at,
        opened_by: session.opened_by,
        step_up,
    }
}

fn caller_of(
    digest: TokenDigest,
    session: Session,
    step_up: Option<TokenDigest>,
    ip: Option<IpAddr>,
) -> Caller {
    Caller {
        account: session.account,
        authority: Authority::Bearer {
            session: digest,
            standing: standing(session.kind).unwrap_or(Standing::EnrollOnly),
            auth_time: session.auth_time,
            factor_at: session.factor_at,
            opened_by: session.opened_by,
            step_up,
        },
        ip,
    }
}
