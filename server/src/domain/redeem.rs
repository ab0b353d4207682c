//! Redeeming: spending one code, in an order that matters.
//!
//! parse (the edge; costs nothing) → challenge → admission, or busy → reserve the attempt, or
//! throttled → one slow hash, whatever there is → one transaction. An unknown account, no batch, a
//! wrong, a used and a superseded code are one answer and one time.

use spare_key_core::{Format, Spec};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::authenticator::gone;
use super::{
    Authority, BearerSession, Caller, Error, Issued, Mfa, Opened, Presented, Refusal, Result, event,
};
use crate::entropy::draw_token;
use crate::hasher::{Lane, Permit};
use crate::keyring::token_digest;
use crate::metrics::Outcome;
use crate::model::{EventKind, Generation, Scheme, Timestamp, Token};
use crate::store::{
    self, AtTheEnd, Door, LiveBatch, NewSession, Progress, Redeem, Redeemed, Reserved, SessionKind,
    StoredCode,
};

/// Tries at replacing a batch while others change the same account.
const TRIES: u32 = 5;

/// A code was spent.
#[derive(Debug, Clone)]
pub struct Redemption {
    /// The generation it was of.
    pub generation: Generation,
    /// Its number on the sheet: cross it out.
    pub number: u32,
    /// Codes left in that generation.
    pub remaining: u32,
    /// The size of that generation.
    pub total: u32,
    /// Few enough are left that the person should make new ones.
    pub low: bool,
    /// The next code, live at once, where a single code was spent.
    pub replacement: Option<Issued>,
    /// The session it opened, where a challenge of our pages was open.
    pub session: Option<Token>,
    /// The session it opened, where a program's challenge was open.
    pub opened: Option<Opened>,
    /// The session it opened, where an access token was asked for.
    pub bearer: Option<BearerSession>,
    /// Until when it counts as a factor proven just now with what the caller carries.
    pub fresh_until: Option<Timestamp>,
}

/// What an attempt is measured against.
pub(super) struct Candidate {
    pub(super) generation: Generation,
    pub(super) format: Format,
    pub(super) scheme: Scheme,
    /// The rows that its tag names: one at most of our own codes.
    pub(super) rows: Vec<Tried>,
    /// Whether one at most was unused when it was read.
    pub(super) last: bool,
    /// A restore left the batch live.
    pub(super) kept: bool,
}

/// A row, and what must digest to it.
pub(super) struct Tried {
    pub(super) row: StoredCode,
    pub(super) secret: Zeroizing<Vec<u8>>,
}

/// Where a spent code leads.
struct Way {
    session: Option<Token>,
    opened: Option<Opened>,
    bearer: Option<BearerSession>,
    progress: Progress,
}

impl Way {
    /// To this, and to no session.
    fn for_this(progress: Progress) -> Self {
        Self {
            session: None,
            opened: None,
            bearer: None,
            progress,
        }
    }
}

impl Mfa {
    /// Spends a code. Of a person, the challenge is spent in the same transaction and opens a
    /// session that may do one thing: enroll a new authenticator in place of the lost one. A list's
    /// last code is replaced by a single one where a program redeems it: it has no page that would
    /// ask for a new list.
    ///
    /// # Errors
    /// [`Refusal::ChallengeGone`] ([`Refusal::SessionGone`] of what is carried),
    /// [`Refusal::Throttled`], [`Refusal::CodeNotAccepted`];
    /// busy (nothing charged); a fault (no code spent, the charge taken back).
    pub async fn redeem(&self, caller: &Caller, code: &Presented) -> Result<Redemption> {
        self.redeem_for(caller, code, None).await
    }

    /// Spends a code for this and for nothing else.
    pub(super) async fn redeem_for(
        &self,
        caller: &Caller,
        code: &Presented,
        only: Option<Progress>,
    ) -> Result<Redemption> {
        let now = self.now();
        self.redeemable_challenge(caller).await?;
        let place = self.hasher.admit_for(Lane::Codes, 1, caller.asker());
        let permit = place.inspect_err(|_| {
            self.metrics.redemption(Outcome::Busy);
        })?;
        let tries = self.reserve(caller, now).await?;
        self.try_challenge(caller, now).await?;
        let spent = self
            .verify_and_spend(caller, code, &permit, now, only)
            .await;
        match spent {
            Ok(Some(redemption)) => {
                self.metrics.redemption(Outcome::Accepted);
                Ok(redemption)
            }
            Ok(None) => {
                self.metrics.redemption(Outcome::Refused);
                let (tries_left, retry_at) = tries;
                Err(Refusal::CodeNotAccepted {
                    tries_left,
                    retry_at,
                }
                .into())
            }
            Err(error @ Error::Refused(_)) => Err(error),
            Err(error) => {
                self.metrics.redemption(match error {
                    Error::Busy { .. } => Outcome::Busy,
                    _ => Outcome::Fault,
                });
                self.take_charge_back(caller, now).await;
                Err(error)
            }
        }
    }

    /// Reads the challenge anew: the caller was made from it some time ago.
    async fn redeemable_challenge(&self, caller: &Caller) -> Result<()> {
        match &caller.authority {
            Authority::Challenge { digest, .. } => {
                let challenge = self.open_challenge_of(digest).await?;
                if challenge.account == caller.account {
                    Ok(())
                } else {
                    Err(Refusal::ChallengeGone.into())
                }
            }
            Authority::Host { .. } | Authority::Carried { .. } | Authority::Bearer { .. } => Ok(()),
            // Who is in already, or sits at the server, has nothing to redeem.
            Authority::Session { .. } | Authority::Manager { .. } | Authority::Administrator => {
                Err(Refusal::OutOfOrder.into())
            }
        }
    }

    async fn reserve(&self, caller: &Caller, now: Timestamp) -> Result<(u32, Option<Timestamp>)> {
        let policy = self.policy.recovery_throttle;
        let reserved = self
            .store
            .reserve_attempt(&caller.account, store::Lane::Recovery, policy, now)
            .await?;
        let retry_at = match reserved {
            Reserved::Granted {
                tries_left,
                retry_at,
            } => return Ok((tries_left, retry_at)),
            Reserved::Throttled { retry_at } => Some(retry_at),
            Reserved::Dead => None,
        };
        self.metrics.redemption(Outcome::Throttled);
        let row = event::by(caller, EventKind::CodesThrottled, now);
        self.store.record(vec![row]).await?;
        Err(Refusal::Throttled { retry_at }.into())
    }

    /// `None`: not accepted, and on record why.
    async fn verify_and_spend(
        &self,
        caller: &Caller,
        code: &Presented,
        permit: &Permit,
        now: Timestamp,
        only: Option<Progress>,
    ) -> Result<Option<Redemption>> {
        let live = if self.recovery_codes().await? {
            self.store.live_batch(&caller.account).await?
        } else {
            None
        };
        let candidate = match live {
            Some(live) => Some(match live.imported {
                Some(imported) => {
                    let foreign = (live, imported);
                    self.foreign_candidate(caller, code, foreign, permit)
                        .await?
                }
                None => self.candidate(caller, code, live)?,
            }),
            None => None,
        };
        let matching = self.verify(caller, candidate.as_ref(), permit).await?;
        let why = match (&candidate, matching) {
            (None, _) => "no batch",
            (Some(candidate), Some(row)) => {
                match self
                    .spend(caller, candidate, row.number, permit, (now, only))
                    .await?
                {
                    Ok(redemption) => return Ok(Some(redemption)),
                    Err(why) => why,
                }
            }
            // The tag alone says so.
            (Some(candidate), None) if candidate.rows.iter().any(|tried| tried.row.used()) => {
                "used"
            }
            (Some(_), None) => "wrong",
        };
        let mut row = event::by(caller, EventKind::CodesRefused, now).because(why);
        row.generation = candidate.map(|candidate| candidate.generation);
        self.store.record(vec![row]).await?;
        Ok(None)
    }

    fn candidate(&self, caller: &Caller, code: &Presented, live: LiveBatch) -> Result<Candidate> {
        let LiveBatch {
            generation,
            format,
            imported: _,
            scheme,
            kept,
            codes,
        } = live;
        let last = codes.iter().filter(|row| !row.used()).count() <= 1;
        let mut rows = Vec::new();
        // None of ours: the batch that it was read for was replaced meanwhile.
        if let Some(code) = &code.code {
            let secret = Zeroizing::new(code.canonical().to_vec());
            let account = &caller.account;
            let locator = self
                .keyring
                .locator(scheme.key, account, generation, &secret)?;
            let row = codes.into_iter().find(|row| row.locator == locator);
            rows.extend(row.map(|row| Tried { row, secret }));
        }
        Ok(Candidate {
            generation,
            format,
            scheme,
            rows,
            last,
            kept,
        })
    }

    /// The one slow hash of an attempt: against the row, or against nothing at the same cost.
    async fn verify<'a>(
        &self,
        caller: &Caller,
        candidate: Option<&'a Candidate>,
        permit: &Permit,
    ) -> Result<Option<&'a StoredCode>> {
        let generation = candidate.map_or(Generation(0), |candidate| candidate.generation);
        let scheme = candidate.map_or(
            Scheme {
                params: self.policy.hash,
                key: self.keyring.current(),
            },
            |candidate| candidate.scheme,
        );
        let job =
            |salt, secret: &[u8]| self.code_job(&caller.account, generation, scheme, salt, secret);
        let rows = candidate.map_or(&[][..], |candidate| &candidate.rows);
        if rows.is_empty() {
            permit.hash(job([0; 16], &[0; 16])?).await?;
        }
        let mut matching = None;
        for Tried { row, secret } in rows {
            // What a used code was measured by is erased; the hash is run all the same.
            let unused = row.digest.as_ref();
            let salt = unused.map_or([0; 16], |row| row.salt);
            let expected = unused.map_or([0; 32], |row| row.digest);
            let digest = permit.hash(job(salt, secret)?).await?;
            if bool::from(digest.ct_eq(&expected)) & unused.is_some() {
                matching = Some(row);
            }
        }
        Ok(matching)
    }

    /// Spends the row, its challenge and, where one is due, stores the replacement: one transaction.
    async fn spend(
        &self,
        caller: &Caller,
        candidate: &Candidate,
        number: u32,
        permit: &Permit,
        (now, only): (Timestamp, Option<Progress>),
    ) -> Result<std::result::Result<Redemption, &'static str>> {
        let generation = candidate.generation;
        let at_the_end = at_the_end(caller);
        let mut replace = match candidate.format {
            Format::List => candidate.last && at_the_end == AtTheEnd::Replace,
            Format::Single => true,
        };
        for _ in 0..TRIES {
            let (replacement, issued) = if replace {
                let draft = self.draft(caller, Spec::SINGLE, now, permit).await?;
                let draft = draft.at_once(caller, now);
                (Some(draft.stage), Some(draft.issued))
            } else {
                (None, None)
            };
            let Way {
                session,
                opened,
                bearer,
                progress,
            } = match &only {
                Some(progress) => Way::for_this(progress.clone()),
                None => self.recovery_session(caller, generation, number, now)?,
            };
            let over = match progress {
                Progress::Grant { .. } => Refusal::ChallengeGone,
                _ => gone(caller, &progress),
            };
            let freshens = matches!(progress, Progress::Freshen { .. });
            let row = event::by(caller, EventKind::CodesRedeemed, now)
                .about(generation)
                .number(number);
            let redeem = Redeem {
                account: caller.account.clone(),
                generation,
                number,
                progress,
                replacement,
                at_the_end,
                devices: event::by(caller, EventKind::DeviceForgotten, now)
                    .because("a recovery code was used"),
                at: now,
                event: match caller.vouched() {
                    Some(proof) => row.because(proof),
                    None => row,
                },
            };
            match self.store.redeem(redeem).await? {
                Redeemed::Done { remaining, total } => {
                    return Ok(Ok(Redemption {
                        generation,
                        number,
                        remaining,
                        total,
                        low: issued.is_none()
                            && (candidate.kept || remaining <= self.policy.low_at),
                        replacement: issued,
                        session,
                        opened,
                        bearer,
                        fresh_until: freshens.then(|| now.plus(self.policy.fresh_for)),
                    }));
                }
                Redeemed::AlreadyUsed => return Ok(Err("used")),
                Redeemed::NotLive => return Ok(Err("superseded")),
                Redeemed::NoProgress => return Err(over.into()),
                Redeemed::ReplacementDue => replace = true,
                Redeemed::GenerationTaken => {}
            }
        }
        Err(Error::CONTENDED)
    }

    fn recovery_session(
        &self,
        caller: &Caller,
        generation: Generation,
        number: u32,
        now: Timestamp,
    ) -> Result<Way> {
        let (digest, door) = match &caller.authority {
            Authority::Challenge { digest, door, .. } => (digest, door),
            Authority::Carried { carried, .. } => {
                let carried = *carried;
                return Ok(Way::for_this(Progress::Freshen { carried }));
            }
            _ => return Ok(Way::for_this(Progress::Nothing)),
        };
        let challenge = *digest;
        let opened_by = Some((generation.0, number));
        match door {
            Door::Pages => {}
            Door::Program(_) => {
                let (opened, session) =
                    self.session_for(caller, SessionKind::Recovery, opened_by, now)?;
                return Ok(Way {
                    opened: Some(opened),
                    ..Way::for_this(Progress::Grant { challenge, session })
                });
            }
            Door::Bearer => {
                let (bearer, session) = self.bearer_session(caller, opened_by, now)?;
                return Ok(Way {
                    bearer: Some(bearer),
                    ..Way::for_this(Progress::Grant { challenge, session })
                });
            }
        }
        let token = draw_token(&*self.entropy)?;
        let session = NewSession {
            digest: token_digest(&token),
            account: caller.account.clone(),
            kind: SessionKind::Recovery,
            auth_time: now,
            factor_at: None,
            opened_by,
            client: None,
            refresh: None,
            device: None,
            at: now,
            expires_at: now.plus(self.policy.session_for),
        };
        Ok(Way {
            session: Some(token),
            ..Way::for_this(Progress::Grant { challenge, session })
        })
    }

    /// A fault of ours is not charged to the person. If this fails too, the charge stands.
    async fn take_charge_back(&self, caller: &Caller, now: Timestamp) {
        let policy = self.policy.recovery_throttle;
        let undone = self
            .store
            .forgive_attempt(&caller.account, store::Lane::Recovery, policy, now)
            .await;
        if let Err(fault) = undone {
            tracing::warn!(error = %fault, "an attempt that a fault cut off stays charged");
        }
        self.untry_challenge(caller).await;
    }
}

/// Our own pages and hosts ask the person for a new list; a program cannot.
fn at_the_end(caller: &Caller) -> AtTheEnd {
    match caller.authority {
        Authority::Challenge {
            door: Door::Program(_),
            ..
        } => AtTheEnd::Replace,
        _ => AtTheEnd::Nothing,
    }
}
