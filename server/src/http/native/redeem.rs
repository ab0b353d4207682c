//! Spending one code.

use axum::Json;
use spare_key_core::ParseError;

use super::address::{Account, NoQuery};
use super::body::Body;
use super::caller::{Host, Redeem};
use super::problem::{Problem, problems};
use super::wire::{RedeemBody, RedemptionAnswer};
use crate::domain::Refusal;
use crate::metrics::Outcome;
use crate::model::Timestamp;

problems!(RedeemProblems, Redeem:
    Problem::member("/code", "This member is required."),
    Problem::FreshProofRequired,
    Problem::CodeNotAccepted { tries_left: 9, retry_at: None },
    Problem::ContentTooLarge,
    Problem::UnsupportedMediaType,
    Problem::MalformedCode(ParseError::Length { got: 15, want: 16 }),
    Problem::Throttled { retry_at: Some(Timestamp(1_795_219_230_000)), wait: Some(30) },
    Problem::Busy { wait: 1 },
);

/// Spend one code
///
/// The host vouches in `proof` that the person has proven a first factor. A text that cannot be a
/// code costs nothing. Anything else is one attempt, and its answer does not tell whether a code
/// was wrong, used or superseded, or the account unknown. A single code is replaced by the next
/// one, which is in the answer and live.
#[utoipa::path(
    post,
    path = "/recovery/v1/accounts/{account}/redeem",
    operation_id = "redeem",
    tag = super::TAG,
    params(("account" = String, Path, description = super::ACCOUNT, min_length = 1, max_length = 255)),
    request_body = RedeemBody,
    responses(
        (status = 200, description = "The code is spent.", body = RedemptionAnswer),
        RedeemProblems,
    ),
    security(("basic" = ["recovery:redeem"])),
)]
pub(super) async fn redeem(
    host: Host<Redeem>,
    Account(account): Account,
    _: NoQuery,
    Body(RedeemBody { code, proof }): Body<RedeemBody>,
) -> Result<Json<RedemptionAnswer>, Problem> {
    let proof = proof
        .ok_or_else(|| host.problem(Refusal::FreshProofRequired))?
        .read()?;
    let caller = host.asks_for(account, Some(proof));
    let code = host.mfa().read_code(&caller, code.as_str()).await;
    let code = code
        .map_err(|error| host.problem(error))?
        .map_err(|error| {
            host.mfa().metrics().redemption(Outcome::Malformed);
            Problem::MalformedCode(error)
        })?;
    let redemption = host.mfa().redeem(&caller, &code).await;
    let redemption = redemption.map_err(|error| host.problem(error))?;
    let account = caller.account.as_str().to_owned();
    Ok(Json(RedemptionAnswer::of(account, &redemption)))
}
