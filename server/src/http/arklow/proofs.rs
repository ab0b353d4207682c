//! Proving a factor, and new codes behind a proof.

use axum::Json;
use axum::http::HeaderMap;
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;

use super::body::{self, Fields, idempotency_key};
use super::caller::{Known, User};
use super::said::No;
use super::said::described::nos;
use super::wire::{
    BackupBody, BackupVerified, ConfirmBody, DeviceBody, Regenerated, Said, Verified,
};
use crate::domain::{Activation, Authority, Caller, Error, IdempotencyKey, Refusal, StageRequest};

nos!(TotpNos:
    No::Invalid(vec![body::DEVICE_ID, body::SIX_DIGITS]),
    No::Unauthorized,
    No::WrongPrincipal,
    No::DeviceNotFound,
    No::TooLarge,
    No::MediaType,
    No::Throttled { wait: Some(30) },
);

/// Prove a device
///
/// Right, it counts for five minutes, for this API key or session and for no other. A one-time
/// password is right once.
#[utoipa::path(
    post,
    path = "/v1/self/mfa/verify/totp",
    operation_id = "post_v1_self_mfa_verify_totp",
    tag = super::TAG,
    request_body = ConfirmBody,
    responses(
        (status = 200, description = "Whether it was right.", body = Said<Verified>, example = json!({ "data": {
            "valid": true,
            "device_id": "71",
            "verification_type": "totp",
            "session_mfa_not_after": "2026-11-21T09:36:00.000Z",
        }, "errors": null })),
        TotpNos,
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn totp(known: Known, mut fields: Fields) -> Result<Json<Said<Verified>>, No> {
    let Known { origin, caller } = known;
    let (number, otp) = (fields.device(), fields.otp());
    fields.done()?;
    let of = |error| origin.no(error);
    let mfa = origin.mfa();
    mfa.bound_device(&caller, number).await.map_err(of)?;
    let verified = match mfa.prove_device(&caller, &otp).await {
        Ok(until) => Verified::right(number, until),
        Err(Error::Refused(Refusal::OtpNotAccepted { tries_left })) => {
            Verified::wrong(number, mfa.fresh_until(&caller), tries_left)
        }
        Err(error) => return Err(of(error)),
    };
    Ok(Json(Said::new(verified)))
}

nos!(BackupNos:
    No::Invalid(vec![body::DEVICE_ID, body::CODE]),
    No::SwitchedOff,
    No::Unauthorized,
    No::WrongPrincipal,
    No::DeviceNotFound,
    No::TooLarge,
    No::MediaType,
    No::Throttled { wait: Some(30) },
    No::Busy { wait: 1 },
);

/// Prove a backup code
///
/// Right, it is spent and counts for five minutes like a proof of a device. Wrong, used, replaced
/// and malformed are one answer.
#[utoipa::path(
    post,
    path = "/v1/self/mfa/verify/totp/backup",
    operation_id = "post_v1_self_mfa_verify_totp_backup",
    tag = super::TAG,
    request_body = BackupBody,
    responses(
        (status = 200, description = "Whether it was right.", body = Said<BackupVerified>, example = json!({ "data": {
            "valid": true,
            "device_id": "71",
            "verification_type": "totp",
            "session_mfa_not_after": "2026-11-21T09:36:00.000Z",
            "backup_codes_remaining": 9,
            "backup_codes_generation": 1,
            "backup_code_number": 4,
        }, "errors": null })),
        BackupNos,
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn backup(
    known: Known,
    mut fields: Fields,
) -> Result<Json<Said<BackupVerified>>, No> {
    let Known { origin, caller } = known;
    let (number, typed) = (fields.device(), fields.code());
    fields.done()?;
    let of = |error| origin.no(error);
    let mfa = origin.mfa();
    if !mfa.recovery_codes().await.map_err(of)? {
        return Err(No::SwitchedOff);
    }
    mfa.bound_device(&caller, number).await.map_err(of)?;
    let tries_left = match mfa.read_code(&caller, &typed).await.map_err(of)? {
        Ok(code) => match mfa.redeem(&caller, &code).await {
            Ok(redemption) => {
                let until = redemption.fresh_until.unwrap_or_else(|| mfa.now());
                let answer = BackupVerified::right(number, until, &redemption);
                return Ok(Json(Said::new(answer)));
            }
            Err(Error::Refused(Refusal::CodeNotAccepted { tries_left, .. })) => tries_left,
            Err(error) => return Err(of(error)),
        },
        // Nothing was charged.
        Err(_) => {
            let status = mfa.status(&caller.account).await.map_err(of)?;
            status.throttle.tries_left
        }
    };
    let verified = Verified::wrong(number, mfa.fresh_until(&caller), tries_left);
    Ok(Json(Said::new(BackupVerified::wrong(verified))))
}

nos!(RegenerateNos:
    No::invalid(body::DEVICE_ID),
    No::SwitchedOff,
    No::Unauthorized,
    No::WrongPrincipal,
    No::MfaRequired,
    No::DeviceNotFound,
    No::KeyReused,
    No::KeySpent,
    No::TooLarge,
    No::MediaType,
    No::Busy { wait: 1 },
);

/// Regenerate MFA backup codes
///
/// A factor must have been proven within five minutes, by this API key or session. Every code
/// before is dead when this is answered. The same `Idempotency-Key` within ten minutes gets the
/// same answer, until a code of it is used or others are made.
#[utoipa::path(
    post,
    path = "/v1/self/mfa/regenerate/totp",
    operation_id = "post_v1_self_mfa_regenerate_totp",
    tag = super::TAG,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters.", min_length = 1, max_length = 255),
    ),
    request_body = DeviceBody,
    responses(
        (status = 200, description = "The new codes.", body = Said<Regenerated>, headers(("Idempotency-Replayed" = String, description = "`true` where the answer was given before under this key.")), example = json!({ "data": {
            "device": { "id": "71", "user_id": "1", "name": "Phone", "device_type": "totp", "confirmed_at": "2026-11-21T09:30:00.000Z", "last_used_at": "2026-11-21T09:31:00.000Z", "updated_at": "2026-11-21T09:32:00.000Z", "deleted_at": null },
            "backup_codes": ["KZ3M-Q7TB-WJ5R-HXYN"],
            "session_mfa_not_after": "2026-11-21T09:36:00.000Z",
            "backup_codes_generation": 2,
        }, "errors": null })),
        RegenerateNos,
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn regenerate(
    user: User,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, No> {
    let User { origin, caller } = user;
    let number = fields.device();
    fields.done()?;
    let key = idempotency_key(&headers)?;
    let of = |error| origin.no(error);
    let mfa = origin.mfa();
    let device = mfa.bound_device(&caller, number).await.map_err(of)?;
    let request = StageRequest {
        spec: mfa.policy().batch,
        activation: Activation::AtOnce,
        idempotency: key.map(|key| {
            let request: [&[u8]; 2] = [b"regenerate/totp", &number.to_be_bytes()];
            IdempotencyKey::new(&name(&caller), key, &request)
        }),
    };
    // Before the old codes die: after that nothing here may fail.
    let user = mfa.account(&caller.account).await.map_err(of)?.number;
    let issued = mfa.stage(&caller, request).await.map_err(of)?;
    let until = mfa.fresh_until(&caller).unwrap_or(issued.issued_at);
    let answer = Said::new(Regenerated::of(device, user, until, &issued));
    Ok(answer.answer(issued.replayed))
}

/// What tells one key or session from another under an idempotency key.
fn name(caller: &Caller) -> String {
    match &caller.authority {
        Authority::Carried { carried, .. } => {
            format!("carried {}", BASE64URL_NOPAD.encode(&carried.digest().0))
        }
        _ => caller.account.as_str().to_owned(),
    }
}
