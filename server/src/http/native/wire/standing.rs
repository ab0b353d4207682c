//! How accounts stand. No codes here.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{HeldFormat, SAMPLE_ACCOUNT, SAMPLE_AT, SAMPLE_LATER, sample};
use crate::clock::rfc3339;
use crate::domain::{AccountState, PendingStatus, Status, ThrottleStatus};
use crate::http::native::address::Cursor;

/// Whether an account has live codes.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AccountState)]
enum StateName {
    /// Never had any.
    None,
    /// A batch is live, be it used up.
    Active,
    /// The last live batch was ended without a successor.
    Revoked,
}

/// A batch that waits to be activated.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Pending)]
pub(in crate::http::native) struct PendingAnswer {
    /// Its number.
    generation: u32,
    /// Until when.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// How many attempts are left.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Throttle)]
pub(in crate::http::native) struct ThrottleAnswer {
    /// Without waiting.
    tries_left: u32,
    /// When the next can be made, if only after a wait; `null` with no tries left means never.
    #[schema(format = DateTime, required = true)]
    retry_at: Option<String>,
}

/// An account's codes, seen from outside.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Status, example = StatusAnswer::example)]
pub(in crate::http::native) struct StatusAnswer {
    /// The caller's own identifier.
    account: String,
    /// The live (or last) batch's number; 0 before the first.
    generation: u32,
    /// Whether there are live codes.
    state: StateName,
    /// The shape of its codes; `null` before the first batch.
    #[schema(required = true)]
    format: Option<HeldFormat>,
    /// How many codes the batch was issued with.
    total: u32,
    /// How many are left.
    remaining: u32,
    /// When it was issued.
    #[schema(format = DateTime, required = true)]
    issued_at: Option<String>,
    /// When a code was last redeemed, in any generation.
    #[schema(format = DateTime, required = true)]
    last_redeemed_at: Option<String>,
    /// The batch that waits to be activated.
    #[schema(required = true)]
    pending: Option<PendingAnswer>,
    /// Attempts.
    throttle: ThrottleAnswer,
}

impl From<&Status> for StatusAnswer {
    fn from(status: &Status) -> Self {
        let Status {
            account,
            generation,
            state,
            format,
            origin,
            total,
            remaining,
            issued_at,
            last_redeemed_at,
            pending,
            throttle,
            low: _,
            reminder_ended: _,
            kept: _,
        } = status;
        let ThrottleStatus {
            tries_left,
            retry_at,
        } = throttle;
        Self {
            account: account.as_str().to_owned(),
            generation: generation.0,
            state: match state {
                AccountState::None => StateName::None,
                AccountState::Active => StateName::Active,
                AccountState::Revoked => StateName::Revoked,
            },
            format: format.map(|format| HeldFormat::of(format, *origin)),
            total: *total,
            remaining: *remaining,
            issued_at: issued_at.map(rfc3339),
            last_redeemed_at: last_redeemed_at.map(rfc3339),
            pending: pending.map(
                |PendingStatus {
                     generation,
                     expires_at,
                 }| PendingAnswer {
                    generation: generation.0,
                    expires_at: rfc3339(expires_at),
                },
            ),
            throttle: ThrottleAnswer {
                tries_left: *tries_left,
                retry_at: retry_at.map(rfc3339),
            },
        }
    }
}

impl StatusAnswer {
    fn sample() -> Self {
        Self {
            account: SAMPLE_ACCOUNT.to_owned(),
            generation: 1,
            state: StateName::Active,
            format: Some(HeldFormat::List),
            total: 10,
            remaining: 9,
            issued_at: Some(rfc3339(SAMPLE_AT)),
            last_redeemed_at: Some(rfc3339(SAMPLE_LATER)),
            pending: None,
            throttle: ThrottleAnswer {
                tries_left: 10,
                retry_at: None,
            },
        }
    }

    fn example() -> Value {
        sample(&Self::sample())
    }
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Accounts, example = AccountsAnswer::example)]
pub(in crate::http::native) struct AccountsAnswer {
    /// By identifier.
    accounts: Vec<StatusAnswer>,
    /// The cursor of the next page; `null` on the last.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

impl AccountsAnswer {
    /// At most `limit` of `statuses`; one more tells that there is another page.
    pub(in crate::http::native) fn page(mut statuses: Vec<Status>, limit: usize) -> Self {
        let more = statuses.len() > limit;
        statuses.truncate(limit);
        let last = statuses.last().filter(|_| more);
        Self {
            next_cursor: last.map(|status| Cursor::after_account(&status.account)),
            accounts: statuses.iter().map(StatusAnswer::from).collect(),
        }
    }

    fn example() -> Value {
        sample(&Self {
            accounts: vec![StatusAnswer::sample()],
            next_cursor: None,
        })
    }
}
