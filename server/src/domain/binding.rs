//! Who may bind an authenticator, who may confirm it, and what becomes of the others.

use super::{Authority, Caller, Mfa, Refusal, Result};
use crate::keyring::scope;
use crate::model::{AccountId, Timestamp, TokenDigest};
use crate::store::{Others, PendingTotp, SessionKind};

/// Who may confirm what is begun, and what becomes of the others then.
pub(super) struct Binding {
    pub(super) holder: TokenDigest,
    pub(super) others: Others,
}

/// A pending authenticator whose first password was right.
pub(super) struct Waiting {
    pub(super) pending: PendingTotp,
    pub(super) holder: TokenDigest,
    pub(super) others: Others,
}

/// What a program began within a session, any later sign-in of the account may confirm.
pub(super) fn waiting_for_sign_in(account: &AccountId, others: Others) -> Binding {
    let kind: &[u8] = match others {
        Others::Keep => b"added at the next sign-in",
        Others::Replace => b"replaced at the next sign-in",
    };
    Binding {
        holder: TokenDigest(scope(kind, account, &[])),
        others,
    }
}

impl Mfa {
    /// Who may bind: on the way in, whoever has none; within, whoever came by a recovery code (in
    /// place of the lost one), has just proven the one there is, or has none and just signed in.
    pub(super) async fn may_bind(&self, caller: &Caller, now: Timestamp) -> Result<Binding> {
        match &caller.authority {
            Authority::Challenge { digest, .. } => {
                if self.store.authenticators(&caller.account).await?.is_empty() {
                    Ok(Binding {
                        holder: *digest,
                        others: Others::Keep,
                    })
                } else {
                    Err(Refusal::AlreadyEnrolled.into())
                }
            }
            Authority::Session {
                digest,
                kind,
                auth_time,
                client,
                ..
            } => {
                let recovering = *kind == SessionKind::Recovery;
                let may = recovering
                    || caller.is_fresh(now, self.policy.fresh_for)
                    || now.since(*auth_time) <= self.policy.fresh_for
                        && self.store.authenticators(&caller.account).await?.is_empty();
                if !may {
                    return Err(Refusal::FreshProofRequired.into());
                }
                Ok(match client {
                    // Our pages have one authenticator at a time.
                    None => Binding {
                        holder: *digest,
                        others: Others::Replace,
                    },
                    // A program's is confirmed at the next sign-in, by another challenge.
                    Some(_) if recovering => waiting_for_sign_in(&caller.account, Others::Replace),
                    Some(_) => waiting_for_sign_in(&caller.account, Others::Keep),
                })
            }
            Authority::Carried { carried, .. } => {
                let may = caller.is_fresh(now, self.policy.fresh_for)
                    || self.store.authenticators(&caller.account).await?.is_empty();
                if !may {
                    return Err(Refusal::FreshProofRequired.into());
                }
                Ok(Binding {
                    holder: carried.digest(),
                    others: Others::Keep,
                })
            }
            Authority::Bearer {
                session,
                factor_at,
                opened_by,
                ..
            } => {
                if self.binding_needs_step_up(caller).await? && !self.is_proven(caller, now).await?
                {
                    return Err(Refusal::FreshProofRequired.into());
                }
                let recovering = opened_by.is_some() && factor_at.is_none();
                Ok(Binding {
                    holder: *session,
                    others: if recovering {
                        Others::Replace
                    } else {
                        Others::Keep
                    },
                })
            }
            Authority::Host { .. } | Authority::Manager { .. } | Authority::Administrator => {
                Err(Refusal::OutOfOrder.into())
            }
        }
    }
}
