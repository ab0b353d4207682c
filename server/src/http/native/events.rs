//! The audit trail of an account.

use axum::Json;

use super::address::{Account, EventsPage};
use super::caller::{Host, Read};
use super::problem::{Problem, problems};
use super::wire::EventsAnswer;

problems!(EventsProblems, Read: Problem::parameter("limit", "The limit is 1 to 200."));

/// Audit rows, newest first
///
/// They tell auditors why a code was refused, which the person who typed it is never told.
#[utoipa::path(
    get,
    path = "/recovery/v1/accounts/{account}/events",
    operation_id = "events",
    tag = super::TAG,
    params(
        ("account" = String, Path, description = super::ACCOUNT, min_length = 1, max_length = 255),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("limit" = Option<u32>, Query, description = "How many at most; 50 unless said otherwise.", minimum = 1, maximum = 200),
    ),
    responses(
        (status = 200, description = "A page of audit rows.", body = EventsAnswer),
        EventsProblems,
    ),
    security(("basic" = ["recovery:read"])),
)]
pub(super) async fn events(
    host: Host<Read>,
    Account(account): Account,
    EventsPage { before, limit }: EventsPage,
) -> Result<Json<EventsAnswer>, Problem> {
    let wanted = limit.saturating_add(1);
    let events = host.mfa().events(&account, before, wanted).await;
    let events = events.map_err(|error| host.problem(error))?;
    Ok(Json(EventsAnswer::page(events, limit as usize)))
}
