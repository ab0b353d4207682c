//! Trusted devices: listing them, trusting them no more.

use axum::Json;
use axum::http::StatusCode;
use uuid::Uuid;

use super::caller::Identity;
use super::environments::environment_id;
use super::said::No;
use super::said::described::nos;
use super::wire::{DeviceLine, Items};
use crate::http::request::InPath;

nos!(Nos: No::InvalidToken, No::WrongPrincipal, No::EnrollmentRequired);

/// List one's trusted devices
///
/// Last seen first.
#[utoipa::path(
    get,
    path = "/v1/identity/auth/mfa/trusted-devices",
    operation_id = "canopy_trusted_devices",
    tag = super::TAG,
    responses(
        (status = 200, description = "The devices.", body = Items<DeviceLine>, example = json!({ "items": [{
            "id": "3e55a1b2-94c3-4c9e-8bd6-0d1f2f3c4b5a",
            "environment_id": "6b1d2f3c-4b5a-8c9e-8bd6-0d1f7c3f7d3b",
            "label": "Mozilla/5.0 (X11; Linux x86_64)",
            "ip_address": "192.0.2.7",
            "created_at": "2026-11-21T09:30:00.000Z",
            "last_seen_at": "2026-11-21T09:31:00.000Z",
            "expires_at": "2026-12-21T09:30:00.000Z",
        }] })),
        Nos,
    ),
    security(("identity" = [])),
)]
pub(super) async fn list(identity: Identity) -> Result<Json<Items<DeviceLine>>, No> {
    let Identity { origin, caller } = identity;
    let devices = origin.mfa().trusted_devices(&caller).await;
    let devices = devices.map_err(|error| origin.no(error))?;
    let environment = environment_id(&origin);
    let items = devices
        .into_iter()
        .map(|device| DeviceLine::of(device, &environment))
        .collect();
    Ok(Json(Items { items }))
}

nos!(RevokeNos:
    No::InvalidToken,
    No::WrongPrincipal,
    No::EnrollmentRequired,
    No::DeviceNotFound,
);

/// Trust one of one's devices no more
#[utoipa::path(
    delete,
    path = "/v1/identity/auth/mfa/trusted-devices/{id}",
    operation_id = "canopy_revoke_trusted_device",
    tag = super::TAG,
    params(("id" = String, Path, description = "Which.", format = Uuid)),
    responses((status = 204, description = "It is asked again."), RevokeNos),
    security(("identity" = [])),
)]
pub(super) async fn revoke(
    identity: Identity,
    InPath(id): InPath<String>,
) -> Result<StatusCode, No> {
    let Identity { origin, caller } = identity;
    let id = Uuid::try_parse(&id).map_err(|_| No::DeviceNotFound)?;
    let forgotten = origin.mfa().forget_device(&caller, id).await;
    if forgotten.map_err(|error| origin.no(error))? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(No::DeviceNotFound)
    }
}

/// Trust none of one's devices any more
#[utoipa::path(
    delete,
    path = "/v1/identity/auth/mfa/trusted-devices",
    operation_id = "canopy_revoke_trusted_devices",
    tag = super::TAG,
    responses((status = 204, description = "All are asked again."), Nos),
    security(("identity" = [])),
)]
pub(super) async fn revoke_all(identity: Identity) -> Result<StatusCode, No> {
    let Identity { origin, caller } = identity;
    let forgotten = origin.mfa().forget_devices(&caller).await;
    forgotten.map_err(|error| origin.no(error))?;
    Ok(StatusCode::NO_CONTENT)
}
