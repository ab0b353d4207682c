//! Signing in: a password opens a challenge, a factor completes it, and it yields one session.

use std::net::IpAddr;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Authority, Caller, Fault, Mfa, Refusal, Result, event, tokens};
use crate::entropy::draw_token;
use crate::hasher::{Asker, Job, Lane};
use crate::keyring::{digest_parts, scope, token_digest};
use crate::metrics::SignIn;
use crate::model::{
    AccountId, EventKind, Generation, Scheme, SecretDigest, Timestamp, Token, TokenDigest,
};
use crate::store::{
    self, Account, Challenge, Door, NewChallenge, NewSession, PasswordDigest, Progress, Reserved,
    SessionKind,
};

/// A password was right.
#[derive(Debug)]
pub struct SignedIn {
    /// What the person holds until the challenge is complete.
    pub challenge: Token,
    /// Who it is, now that a factor is proven.
    pub caller: Caller,
}

/// What a sign-in still needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// No authenticator is bound: bind one.
    Enroll,
    /// Prove the authenticator (or redeem a code).
    Prove,
    /// A factor is proven and there are no live codes: save some.
    SaveCodes,
}

impl Mfa {
    /// Checks login and password and opens a challenge.
    ///
    /// # Errors
    /// [`Refusal::WrongCredentials`], for an unknown login at the same cost;
    /// [`Refusal::PasswordThrottled`]; busy; a fault.
    pub async fn sign_in(
        &self,
        login: &str,
        password: &Zeroizing<String>,
        ip: Option<IpAddr>,
    ) -> Result<SignedIn> {
        self.begin(login, password, Door::Pages, ip).await
    }

    pub(super) async fn begin(
        &self,
        login: &str,
        password: &Zeroizing<String>,
        door: Door,
        ip: Option<IpAddr>,
    ) -> Result<SignedIn> {
        let now = self.now();
        let login = fold_login(login);
        let asker = Asker::named(&login).at(ip);
        let permit = self.hasher.admit_for(Lane::Passwords, 1, asker)?;
        if door == Door::Bearer {
            self.admit_sign_in(ip).await?;
        }
        let guesser = self.reserve_password(&login, ip, now).await?;
        let found = self.store.account_by_login(&login).await?;
        let stored = found.as_ref().and_then(|account| account.password.as_ref());
        let digest = permit
            .hash(self.password_job(found.as_ref(), password)?)
            .await?;
        let expected = stored.map_or([0; 32], |stored| stored.digest.digest);
        let right = bool::from(digest.ct_eq(&expected)) & stored.is_some();
        let account = match (found, right) {
            (Some(account), true) => account.id,
            (found, _) => {
                self.metrics.sign_in(SignIn::PasswordRefused);
                if let Some(account) = found {
                    let row = event::by_person(&account.id, EventKind::PasswordRefused, now, ip);
                    self.store.record(vec![row]).await?;
                }
                return Err(Refusal::WrongCredentials.into());
            }
        };
        let policy = self.policy.password_throttle;
        self.store
            .forgive_attempt(&guesser, store::Lane::Password, policy, now)
            .await?;
        let token = draw_token(&*self.entropy)?;
        let digest = token_digest(&token);
        let challenge = NewChallenge {
            digest,
            account: account.clone(),
            password_at: now,
            expires_at: now.plus(match door {
                Door::Program(_) | Door::Bearer => self.policy.mfa_token_for,
                Door::Pages => self.policy.challenge_for,
            }),
            door: door.clone(),
            event: event::by_person(&account, EventKind::PasswordVerified, now, ip),
        };
        if !self.store.open_challenge(challenge).await? {
            return Err(Refusal::WrongCredentials.into());
        }
        self.metrics.sign_in(SignIn::PasswordAccepted);
        let authority = Authority::Challenge {
            digest,
            factor_at: None,
            password_at: now,
            door,
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

    /// Charges a try at this login from this address, under a name that is made of both.
    async fn reserve_password(
        &self,
        login: &str,
        ip: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<AccountId> {
        let address = ip.map_or_else(String::new, |ip| ip.to_string());
        let name = digest_parts(&[b"password", login.as_bytes(), address.as_bytes()]);
        let guesser = guesser(&name)?;
        let policy = self.policy.password_throttle;
        let reserved = self
            .store
            .reserve_attempt(&guesser, store::Lane::Password, policy, now)
            .await?;
        let retry_at = match reserved {
            Reserved::Granted { .. } => return Ok(guesser),
            Reserved::Throttled { retry_at } => Some(retry_at),
            Reserved::Dead => None,
        };
        self.metrics.sign_in(SignIn::PasswordThrottled);
        Err(Refusal::PasswordThrottled { retry_at }.into())
    }

    /// Charges a sign-in from this address, where there is such a limit; a right password is charged
    /// too.
    ///
    /// # Errors
    /// [`Refusal::PasswordThrottled`]; a fault.
    pub async fn admit_sign_in(&self, ip: Option<IpAddr>) -> Result<()> {
        let (Some(policy), Some(ip)) = (self.policy.sign_in_throttle, ip) else {
            return Ok(());
        };
        let name = digest_parts(&[b"sign-ins", ip.to_string().as_bytes()]);
        let address = guesser(&name)?;
        let now = self.now();
        let reserved = self
            .store
            .reserve_attempt(&address, store::Lane::Password, policy, now)
            .await?;
        let retry_at = match reserved {
            Reserved::Granted { .. } => return Ok(()),
            Reserved::Throttled { retry_at } => Some(retry_at),
            Reserved::Dead => None,
        };
        self.metrics.sign_in(SignIn::PasswordThrottled);
        Err(Refusal::PasswordThrottled { retry_at }.into())
    }

    /// Whose challenge of our own pages this is.
    ///
    /// # Errors
    /// [`Refusal::ChallengeGone`], also for a program's; a fault.
    pub async fn caller_by_challenge(&self, token: &Token, ip: Option<IpAddr>) -> Result<Caller> {
        let digest = token_digest(token);
        let challenge = self.open_challenge_of(&digest).await?;
        if challenge.door != Door::Pages {
            return Err(Refusal::ChallengeGone.into());
        }
        let authority = Authority::Challenge {
            digest,
            factor_at: challenge.factor_at,
            password_at: challenge.password_at,
            door: Door::Pages,
        };
        Ok(Caller {
            account: challenge.account,
            authority,
            ip,
        })
    }

    /// Whose session of a browser this is.
    ///
    /// # Errors
    /// [`Refusal::SessionGone`], also for a program's; a fault.
    pub async fn caller_by_session(&self, token: &Token, ip: Option<IpAddr>) -> Result<Caller> {
        let digest = token_digest(token);
        let now = self.now();
        let idle_since = Timestamp(now.0.saturating_sub(self.policy.idle_for.0));
        let session = self
            .store
            .session(&digest, now, idle_since)
            .await?
            .filter(|session| {
                let held = matches!(session.kind, SessionKind::Full | SessionKind::Recovery);
                held && session.client.is_none()
            })
            .ok_or(Refusal::SessionGone)?;
        Ok(tokens::caller_of(digest, session, ip))
    }

    /// What the challenge still needs.
    ///
    /// # Errors
    /// [`Refusal::OutOfOrder`] for who is not on the way in; a fault.
    pub async fn next_step(&self, caller: &Caller) -> Result<NextStep> {
        let Authority::Challenge { factor_at, .. } = caller.authority else {
            return Err(Refusal::OutOfOrder.into());
        };
        if self.store.authenticators(&caller.account).await?.is_empty() {
            return Ok(NextStep::Enroll);
        }
        Ok(if factor_at.is_some() {
            NextStep::SaveCodes
        } else {
            NextStep::Prove
        })
    }

    /// The end of enrollment: the codes are saved, the batch goes live, the session opens. When a
    /// repeat finds the batch live already, the challenge has yielded its session before.
    ///
    /// # Errors
    /// [`Refusal::NotConfirmed`] unless `saved`, [`Refusal::StaleGeneration`],
    /// [`Refusal::ChallengeGone`], [`Refusal::OutOfOrder`]; a fault.
    pub async fn complete_enrollment(
        &self,
        caller: &Caller,
        generation: Generation,
        saved: Saved,
    ) -> Result<Token> {
        let Authority::Challenge {
            digest,
            factor_at: Some(_),
            ..
        } = caller.authority
        else {
            return Err(Refusal::OutOfOrder.into());
        };
        saved.or_refuse()?;
        let (token, session) = self.full_session(&caller.account, self.now())?;
        let progress = Progress::Grant {
            challenge: digest,
            session,
        };
        if self.activate_and(caller, generation, progress).await? {
            Ok(token)
        } else {
            Err(Refusal::ChallengeGone.into())
        }
    }

    /// Whether the caller has proven a factor within the last minutes.
    pub fn is_fresh(&self, caller: &Caller) -> bool {
        caller.is_fresh(self.now(), self.policy.fresh_for)
    }

    /// Ends the caller's session.
    ///
    /// # Errors
    /// A fault. That it was over already is none.
    pub async fn sign_out(&self, caller: &Caller) -> Result<()> {
        if let Authority::Session { digest, .. }
        | Authority::Bearer {
            session: digest, ..
        } = &caller.authority
        {
            let row = event::by(caller, EventKind::SignedOut, self.now());
            self.store.end_session(digest, row).await?;
        }
        Ok(())
    }

    pub(super) async fn open_challenge_of(&self, digest: &TokenDigest) -> Result<Challenge> {
        let now = self.now();
        let challenge = self.store.challenge(digest).await?;
        challenge
            .filter(|challenge| challenge.spent_at.is_none() && challenge.expires_at > now)
            .ok_or_else(|| Refusal::ChallengeGone.into())
    }

    /// A session that an enrolled authenticator opens.
    pub(super) fn full_session(
        &self,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<(Token, NewSession)> {
        let token = draw_token(&*self.entropy)?;
        let session = NewSession {
            digest: token_digest(&token),
            account: account.clone(),
            kind: SessionKind::Full,
            auth_time: now,
            factor_at: Some(now),
            opened_by: None,
            client: None,
            refresh: None,
            device: None,
            at: now,
            expires_at: now.plus(self.policy.session_for),
        };
        Ok((token, session))
    }

    /// The one slow hash of a password: the account's, or one of the same cost against nothing.
    fn password_job(&self, account: Option<&Account>, password: &Zeroizing<String>) -> Result<Job> {
        let stored = account.and_then(|account| account.password.as_ref());
        let scheme = stored.map_or_else(|| self.current_scheme(), |stored| stored.scheme);
        let salt = stored.map_or([0; 16], |stored| stored.digest.salt);
        Ok(Job {
            secret: Zeroizing::new(password.as_bytes().to_vec()),
            salt,
            pepper: self.keyring.pepper(scheme.key)?,
            bound_to: account.map_or([0; 32], |account| scope(b"password", &account.id, &[])),
            params: scheme.params,
        })
    }

    pub(super) fn current_scheme(&self) -> Scheme {
        Scheme {
            params: self.policy.hash,
            key: self.keyring.current(),
        }
    }

    /// Digests a new password.
    pub(super) async fn digest_password(
        &self,
        account: &AccountId,
        password: &Zeroizing<String>,
    ) -> Result<PasswordDigest> {
        let asker = Asker::named(account.as_str());
        let permit = self.hasher.admit_for(Lane::Passwords, 1, asker)?;
        let scheme = self.current_scheme();
        let salt = *crate::entropy::draw_bytes::<16>(&*self.entropy)?;
        let digest = permit
            .hash(Job {
                secret: Zeroizing::new(password.as_bytes().to_vec()),
                salt,
                pepper: self.keyring.pepper(scheme.key)?,
                bound_to: scope(b"password", account, &[]),
                params: scheme.params,
            })
            .await?;
        Ok(PasswordDigest {
            scheme,
            digest: SecretDigest {
                salt,
                digest: *digest,
            },
        })
    }
}

/// Whether the person has said that the codes are saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// Said so.
    Confirmed,
    /// Did not.
    Unconfirmed,
}

impl Saved {
    /// Refuses what is not confirmed.
    ///
    /// # Errors
    /// [`Refusal::NotConfirmed`].
    pub fn or_refuse(self) -> Result<()> {
        match self {
            Self::Confirmed => Ok(()),
            Self::Unconfirmed => Err(Refusal::NotConfirmed.into()),
        }
    }
}

/// Under what name attempts are counted that are no account's.
fn guesser(name: &TokenDigest) -> Result<AccountId> {
    AccountId::parse(&data_encoding::BASE64URL_NOPAD.encode(&name.0))
        .ok_or_else(|| Fault::Corrupt("a guesser's name").into())
}

/// Logins are compared without regard to case and surrounding spaces.
pub(super) fn fold_login(login: &str) -> String {
    login.trim().to_lowercase()
}
