//! Who asks, for whose account, and on what authority.

use std::net::IpAddr;

use crate::hasher::Asker;
use crate::model::{AccountId, Millis, Timestamp, TokenDigest};
use crate::store::{Actor, Asked, Beside, Carried, Door, SessionKind, StepUpUse};

/// Made by a dialect's extractor; what may be done depends on it alone.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose account.
    pub account: AccountId,
    /// By what right.
    pub authority: Authority,
    /// From where.
    pub ip: Option<IpAddr>,
}

/// By what right somebody asks.
#[derive(Debug, Clone)]
pub enum Authority {
    /// A person who has proven a first factor and is on the way in.
    Challenge {
        /// The challenge.
        digest: TokenDigest,
        /// When a second factor was proven in it.
        factor_at: Option<Timestamp>,
        /// When the first was.
        password_at: Timestamp,
        /// Where it leads.
        door: Door,
    },
    /// A person who is in.
    Session {
        /// The session.
        digest: TokenDigest,
        /// What it may do.
        kind: SessionKind,
        /// When the person signed in.
        auth_time: Timestamp,
        /// When an authenticator was last proven in it.
        factor_at: Option<Timestamp>,
        /// The code that opened it: generation and number.
        opened_by: Option<(u32, u32)>,
        /// The program that holds tokens of it; `None` of a browser.
        client: Option<String>,
    },
    /// A person by something that their own program carries with every request.
    Carried {
        /// What.
        carried: Carried,
        /// When a factor was last proven with it.
        factor_at: Option<Timestamp>,
    },
    /// A person by an access token of a session that stays as it is.
    Bearer {
        /// The session.
        session: TokenDigest,
        /// What may be done in it.
        standing: Standing,
        /// When the person signed in.
        auth_time: Timestamp,
        /// When an authenticator was proven at the sign-in, or enrolled since.
        factor_at: Option<Timestamp>,
        /// The code that opened it: generation and number.
        opened_by: Option<(u32, u32)>,
        /// Digest of a step-up token that came along; whether it is good is asked when it is
        /// needed.
        step_up: Option<TokenDigest>,
    },
    /// A host that has a login of its own and vouches for the person.
    Host {
        /// Its client identifier.
        client: String,
        /// What it says it has seen; `None` where nothing needs to be vouched for.
        proof: Option<HostProof>,
    },
    /// A program that manages the tenant.
    Manager {
        /// Its client identifier.
        client: String,
    },
    /// Somebody at the command line of the server.
    Administrator,
}

/// What may be done in a session that access tokens are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Everything that its proofs allow.
    Whole,
    /// Enroll an authenticator, and nothing before.
    EnrollOnly,
}

/// What a host vouches for: recorded, and its time is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostProof {
    /// The methods, as RFC 8176 names them.
    pub amr: Vec<String>,
    /// When.
    pub at: Timestamp,
    /// On whose behalf.
    pub by: VouchedBy,
}

/// On whose behalf a host acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VouchedBy {
    /// The person proved it.
    Person,
    /// One of the host's administrators answers for it.
    Administrator,
}

impl Caller {
    /// Somebody at the command line, for this account.
    pub fn administrator(account: AccountId) -> Self {
        Self {
            account,
            authority: Authority::Administrator,
            ip: None,
        }
    }

    /// A program that manages the tenant, for this account.
    pub fn manager(client: &str, account: AccountId, ip: Option<IpAddr>) -> Self {
        let client = client.to_owned();
        Self {
            account,
            authority: Authority::Manager { client },
            ip,
        }
    }

    /// For whom a place in the pool is asked. A host's or a manager's address is that of all its
    /// people, and it has proven a secret.
    pub(super) fn asker(&self) -> Asker {
        let asker = Asker::named(self.account.as_str());
        match self.authority {
            Authority::Host { .. } | Authority::Manager { .. } | Authority::Administrator => asker,
            Authority::Challenge { .. }
            | Authority::Session { .. }
            | Authority::Carried { .. }
            | Authority::Bearer { .. } => asker.at(self.ip),
        }
    }

    /// Who it is, for the audit trail.
    pub(super) fn actor(&self) -> Actor {
        match &self.authority {
            Authority::Challenge {
                door: Door::Program(Asked { client, .. }),
                ..
            }
            | Authority::Session {
                client: Some(client),
                ..
            } => Actor::Through(client.clone()),
            Authority::Challenge { .. }
            | Authority::Session { .. }
            | Authority::Bearer { .. }
            | Authority::Carried { .. } => Actor::Person,
            Authority::Host { client, .. } | Authority::Manager { client } => {
                Actor::Client(client.clone())
            }
            Authority::Administrator => Actor::Administrator,
        }
    }

    /// What is noted of the authority in the audit trail.
    pub(super) fn vouched(&self) -> Option<String> {
        match &self.authority {
            Authority::Host {
                proof: Some(proof), ..
            } => {
                let by = match proof.by {
                    VouchedBy::Person => "person",
                    VouchedBy::Administrator => "administrator",
                };
                Some(format!(
                    "{by}, {}, {}",
                    proof.amr.join(" "),
                    crate::clock::rfc3339(proof.at)
                ))
            }
            _ => None,
        }
    }

    /// Who may see a pending batch again: the same challenge or session. Hosts hold all of theirs.
    pub(super) fn holder(&self) -> Option<TokenDigest> {
        match self.authority {
            Authority::Challenge { digest, .. } | Authority::Session { digest, .. } => Some(digest),
            Authority::Carried { carried, .. } => Some(carried.digest()),
            Authority::Bearer { session, .. } => Some(session),
            Authority::Host { .. } | Authority::Manager { .. } | Authority::Administrator => None,
        }
    }

    /// What must stand beside a batch: our own rule, or the host's.
    pub(super) fn beside(&self) -> Beside {
        match self.authority {
            Authority::Host { .. } => Beside::Host,
            _ => Beside::Authenticator,
        }
    }

    /// The step-up token that came along.
    pub(super) fn step_up(&self) -> Option<StepUpUse> {
        match self.authority {
            Authority::Bearer {
                session,
                step_up: Some(token),
                ..
            } => Some(StepUpUse { session, token }),
            _ => None,
        }
    }

    /// Whether a factor was proven within `window` before `now`.
    pub(super) fn is_fresh(&self, now: Timestamp, window: Millis) -> bool {
        let proven_at = match &self.authority {
            Authority::Challenge { factor_at, .. }
            | Authority::Session { factor_at, .. }
            | Authority::Carried { factor_at, .. } => *factor_at,
            Authority::Host { proof, .. } => match proof {
                Some(proof) if proof.by == VouchedBy::Administrator => return true,
                Some(proof) => Some(proof.at),
                None => None,
            },
            // A token says so, and the store knows it.
            Authority::Bearer { .. } => None,
            Authority::Manager { .. } | Authority::Administrator => return true,
        };
        proven_at.is_some_and(|at| {
            // A little ahead of our clock is a clock's fault, not a lie.
            let age = now.since(at);
            age <= window && age >= Millis::minutes(-1)
        })
    }
}
