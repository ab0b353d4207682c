//! Who it is, and in which sessions.

use axum::Json;
use axum::http::StatusCode;
use axum::response::Response;
use uuid::Uuid;

use super::caller::{Identity, Known};
use super::said::No;
use super::said::described::nos;
use super::wire::{Items, Me, SessionLine};
use crate::http::request::InPath;

nos!(KnownNos: No::InvalidToken, No::WrongPrincipal);

/// Who it is
#[utoipa::path(
    get,
    path = "/v1/identity/auth/me",
    operation_id = "canopy_me",
    tag = super::TAG,
    responses(
        (status = 200, description = "The identity.", body = Me, example = json!({
            "id": "5b0e3f0a-6d0c-8f1e-9a55-0d2c6f7b8a91",
            "email": "carol@example.com",
            "first_name": "Carol",
            "last_name": "",
            "email_verified": false,
            "created_at": "2026-11-21T09:00:00.000Z",
        })),
        KnownNos,
    ),
    security(("identity" = [])),
)]
pub(super) async fn own(known: Known) -> Result<Response, No> {
    let Known { origin, caller } = known;
    let card = origin.mfa().account(&caller.account).await;
    let card = card.map_err(|error| origin.no(error))?;
    Ok(origin.say(Me::of(&card)))
}

nos!(SessionsNos: No::InvalidToken, No::WrongPrincipal, No::EnrollmentRequired);

/// List one's sessions
///
/// Of every kind, last seen first.
#[utoipa::path(
    get,
    path = "/v1/identity/auth/sessions",
    operation_id = "canopy_sessions",
    tag = super::TAG,
    responses(
        (status = 200, description = "The sessions.", body = Items<SessionLine>, example = json!({ "items": [{
            "id": "7c3f7d3b-94c3-8c9e-8bd6-0d1f2f3c4b5a",
            "created_at": "2026-11-21T09:30:00.000Z",
            "last_seen_at": "2026-11-21T09:31:00.000Z",
            "current": true,
        }] })),
        SessionsNos,
    ),
    security(("identity" = [])),
)]
pub(super) async fn sessions(identity: Identity) -> Result<Json<Items<SessionLine>>, No> {
    let Identity { origin, caller } = identity;
    let all = origin.mfa().own_sessions(&caller).await;
    Ok(Items::of(all.map_err(|error| origin.no(error))?))
}

nos!(EndSessionNos:
    No::InvalidToken,
    No::WrongPrincipal,
    No::EnrollmentRequired,
    No::SessionNotFound,
);

/// End one of one's sessions
#[utoipa::path(
    delete,
    path = "/v1/identity/auth/sessions/{id}",
    operation_id = "canopy_end_session",
    tag = super::TAG,
    params(("id" = String, Path, description = "Which.", format = Uuid)),
    responses((status = 204, description = "It is over."), EndSessionNos),
    security(("identity" = [])),
)]
pub(super) async fn end_session(
    identity: Identity,
    InPath(id): InPath<String>,
) -> Result<StatusCode, No> {
    let Identity { origin, caller } = identity;
    let id = Uuid::try_parse(&id).map_err(|_| No::SessionNotFound)?;
    let ended = origin.mfa().end_own_session(&caller, id).await;
    if ended.map_err(|error| origin.no(error))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(No::SessionNotFound)
    }
}
