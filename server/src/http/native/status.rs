//! How an account stands.

use axum::Json;

use super::address::{Account, NoQuery};
use super::caller::{Host, Read};
use super::problem::{Problem, problems};
use super::wire::StatusAnswer;

problems!(StatusProblems, Read:);

/// How an account stands
///
/// An account that was never heard of has no codes: `state` is `none` and `generation` is 0.
#[utoipa::path(
    get,
    path = "/recovery/v1/accounts/{account}",
    operation_id = "status",
    tag = super::TAG,
    params(("account" = String, Path, description = super::ACCOUNT, min_length = 1, max_length = 255)),
    responses(
        (status = 200, description = "Its codes, seen from outside.", body = StatusAnswer),
        StatusProblems,
    ),
    security(("basic" = ["recovery:read"])),
)]
pub(super) async fn status(
    host: Host<Read>,
    Account(account): Account,
    _: NoQuery,
) -> Result<Json<StatusAnswer>, Problem> {
    let status = host.mfa().status(&account).await;
    let status = status.map_err(|error| host.problem(error))?;
    Ok(Json(StatusAnswer::from(&status)))
}
