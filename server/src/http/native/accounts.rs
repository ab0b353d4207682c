//! Accounts: listing them for reminders, and forgetting one.

use axum::Json;
use axum::http::StatusCode;

use super::address::{Account, AccountsPage, NoQuery};
use super::caller::{Host, Read, Revoke};
use super::problem::{Problem, problems};
use super::wire::AccountsAnswer;
use crate::domain::AccountPage;

problems!(ListProblems, Read: Problem::parameter("limit", "The limit is 1 to 200."));

/// Accounts, by identifier
///
/// With `remaining_at_most`, only those whose live batch has so few codes left: for reminders.
#[utoipa::path(
    get,
    path = "/recovery/v1/accounts",
    operation_id = "list_accounts",
    tag = super::TAG,
    params(
        ("remaining_at_most" = Option<u64>, Query, description = "Only accounts with a live batch that has at most so many codes left.", maximum = 4294967295_u32),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, description = "How many at most; 50 unless said otherwise.", minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, description = "A page of accounts.", body = AccountsAnswer),
        ListProblems,
    ),
    security(("basic" = ["recovery:read"])),
)]
pub(super) async fn list(
    host: Host<Read>,
    page: AccountsPage,
) -> Result<Json<AccountsAnswer>, Problem> {
    let AccountsPage {
        remaining_at_most,
        after,
        limit,
    } = page;
    let page = AccountPage {
        beginning: None,
        skip: 0,
        remaining_at_most,
        after,
        limit: limit.saturating_add(1),
    };
    let statuses = host.mfa().statuses(page).await;
    let statuses = statuses.map_err(|error| host.problem(error))?;
    Ok(Json(AccountsAnswer::page(statuses, limit as usize)))
}

problems!(ForgetProblems, Revoke: Problem::NotFound);

/// Forget an account
///
/// All of it: batches, throttle, audit rows. Its generations are forgotten too and begin again at
/// 1, so that its old sheets can't be told from strangers'.
#[utoipa::path(
    delete,
    path = "/recovery/v1/accounts/{account}",
    operation_id = "forget_account",
    tag = super::TAG,
    params(("account" = String, Path, description = super::ACCOUNT, min_length = 1, max_length = 255)),
    responses((status = 204, description = "It is forgotten."), ForgetProblems),
    security(("basic" = ["recovery:revoke"])),
)]
pub(super) async fn forget(
    host: Host<Revoke>,
    Account(account): Account,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let forgotten = host.mfa().forget(&account).await;
    forgotten.map_err(|error| host.problem(error))?;
    Ok(StatusCode::NO_CONTENT)
}
