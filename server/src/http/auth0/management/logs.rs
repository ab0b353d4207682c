//! An account's audit rows, under the names that Auth0's logs have for them.
//!
//! Rows that Auth0 has no name for are left out; the native API shows them all.

use axum::Json;
use serde::Deserialize;

use super::super::bearer::{Manager, ReadLogs};
use super::super::said::{Management, No};
use super::super::wire::LogLine;
use super::{Asked, UserId, manages};

/// The most rows on a page.
const PAGE_MAX: u32 = 100;

/// Rows that are read at a time.
const SLICE: u32 = 200;

/// Rows that are looked through at most.
const REACH: usize = 2_000;

/// Which page.
#[derive(Deserialize)]
pub(in crate::http::auth0) struct LogsAsked {
    page: Option<u32>,
    per_page: Option<u32>,
}

manages!(ListNos, "read:logs_users":
    No::InvalidUri("The page has 1 to 100 entries."),
    No::UnknownUser,
);

/// An account's log, newest first
///
/// Recovery codes: `gd_recovery_succeed`, `gd_recovery_failed`, `gd_recovery_rate_limit_exceed` on
/// our own pages and behind a host, `sercft` and `fercft` through the token endpoint. Of the last
/// 2 000 rows of the audit trail.
#[utoipa::path(
    get,
    path = "/api/v2/users/{id}/logs",
    operation_id = "list_logs",
    tag = crate::http::auth0::MANAGEMENT_TAG,
    params(
        ("id" = String, Path, description = "The account, percent-encoded.", min_length = 1, max_length = 255),
        ("page" = Option<u64>, Query, description = "Which page, from 0.", maximum = 4294967295_u32),
        ("per_page" = Option<u32>, Query, description = "How many on a page; 50 unless said otherwise.", minimum = 1, maximum = 100),
    ),
    responses((status = 200, description = "A page of the log.", body = Vec<LogLine>), ListNos),
    security(("machine" = ["read:logs_users"])),
)]
pub(in crate::http::auth0) async fn list(
    manager: Manager<ReadLogs>,
    UserId(account): UserId,
    Asked(LogsAsked { page, per_page }): Asked<LogsAsked>,
) -> Result<Json<Vec<LogLine>>, Management> {
    let limit = per_page.unwrap_or(50);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(No::InvalidUri("The page has 1 to 100 entries.").into());
    }
    let skip = page.unwrap_or(0).saturating_mul(limit) as usize;
    let of = |error| manager.no(error);
    let account = manager.mfa().account(&account).await.map_err(of)?;
    let mut lines = Vec::new();
    let (mut before, mut seen) = (None, 0);
    while lines.len() < skip + limit as usize && seen < REACH {
        let slice = manager.mfa().events(&account.id, before, SLICE).await;
        let slice = slice.map_err(of)?;
        seen += slice.len();
        before = slice.last().map(|event| event.id);
        let last = slice.len() < SLICE as usize;
        lines.extend(
            slice
                .iter()
                .filter_map(|event| LogLine::of(&account, event)),
        );
        if last {
            break;
        }
    }
    Ok(Json(
        lines.into_iter().skip(skip).take(limit as usize).collect(),
    ))
}
