//! Factors and the codes beside them: listing, proving one for a change, and the changes.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use uuid::Uuid;

use super::body::{self, Fields, idempotency_key};
use super::caller::{Identity, Known, STEP_UP};
use super::enrolling::name;
use super::said::described::nos;
use super::said::{Fault, No};
use super::wire::{Factors, Regenerated, StepUpBody, SteppedUpAnswer, replayed};
use crate::domain::{Activation, Error, IdempotencyKey, Proof, Refusal, StageRequest};
use crate::http::request::InPath;

const FACTOR: Fault = body::text("factor", "factor must be totp or recovery_code.");

nos!(ListNos: No::InvalidToken, No::WrongPrincipal);

/// List one's factors
///
/// Beside them, how many recovery codes of how many are left.
#[utoipa::path(
    get,
    path = "/v1/identity/auth/mfa/factors",
    operation_id = "canopy_factors",
    tag = super::TAG,
    responses(
        (status = 200, description = "The factors.", body = Factors, example = json!({
            "items": [{ "id": "0b7c6f7b-8a91-8c2d-9e10-5b0e3f0a6d0c", "type": "totp", "label": "Pixel", "enrolled_at": "2026-11-21T09:30:00.000Z", "last_used_at": null }],
            "recovery_codes": { "generation": 2, "remaining": 9, "total": 10, "issued_at": "2026-11-21T09:30:00.000Z" },
        })),
        ListNos,
    ),
    security(("identity" = [])),
)]
pub(super) async fn list(known: Known) -> Result<Json<Factors>, No> {
    let Known { origin, caller } = known;
    let of = |error| origin.no(error);
    let devices = origin.mfa().devices(&caller).await.map_err(of)?;
    let status = origin.mfa().status(&caller.account).await.map_err(of)?;
    Ok(Json(Factors::of(devices, &status)))
}

nos!(StepUpNos:
    No::Invalid(vec![FACTOR, body::CODE]),
    No::FactorNotAllowed,
    No::InvalidToken,
    No::StepUpInvalid { tries_left: 8 },
    No::WrongPrincipal,
    No::EnrollmentRequired,
    No::TooLarge,
    No::MediaType,
    No::Throttled { wait: Some(30) },
    No::Busy { wait: 1 },
);

/// Prove a factor for one change
///
/// The token is good for five minutes, in this session, for one change of factors or codes. A
/// recovery code is spent by it.
#[utoipa::path(
    post,
    path = "/v1/identity/auth/mfa/step-up",
    operation_id = "canopy_step_up",
    tag = super::TAG,
    request_body = StepUpBody,
    responses(
        (status = 200, description = "The token.", body = SteppedUpAnswer, example = json!({
            "step_up_token": "su_2hVpQ1Yk4mXo7cJ3nZr8tWb5dLs0gEaUiFhKqPvNyMx",
            "expires_at": "2026-11-21T09:35:00.000Z",
        })),
        StepUpNos,
    ),
    security(("identity" = [])),
)]
pub(super) async fn step_up(identity: Identity, mut fields: Fields) -> Result<Response, No> {
    let Identity { origin, caller } = identity;
    let factor = fields.text(FACTOR, |text| matches!(text, "totp" | "recovery_code"));
    let code = fields.code();
    fields.done()?;
    let mfa = origin.mfa();
    let of = |error| origin.no(error);
    let proven = if *factor == "totp" {
        mfa.step_up(&caller, Proof::Otp(&code)).await
    } else {
        if !mfa.recovery_codes().await.map_err(of)? {
            return Err(No::FactorNotAllowed);
        }
        let Ok(code) = mfa.read_code(&caller, &code).await.map_err(of)? else {
            let status = mfa.status(&caller.account).await.map_err(of)?;
            let tries_left = status.throttle.tries_left;
            return Err(No::StepUpInvalid { tries_left });
        };
        mfa.step_up(&caller, Proof::Code(&code)).await
    };
    let stepped_up = match proven {
        Err(Error::Refused(Refusal::MalformedOtp)) => {
            let tries_left = mfa.otp_tries_left(&caller).await.map_err(of)?;
            return Err(No::StepUpInvalid { tries_left });
        }
        Err(Error::Refused(
            Refusal::OtpNotAccepted { tries_left } | Refusal::CodeNotAccepted { tries_left, .. },
        )) => return Err(No::StepUpInvalid { tries_left }),
        other => other.map_err(of)?,
    };
    Ok(origin.say(SteppedUpAnswer::from(stepped_up)))
}

nos!(RegenerateNos:
    No::FactorNotAllowed,
    No::InvalidToken,
    No::StepUpRequired,
    No::WrongPrincipal,
    No::EnrollmentRequired,
    No::KeyReused,
    No::KeySpent,
    No::Busy { wait: 1 },
);

/// Regenerate one's single-use recovery codes
///
/// Ten new codes under the next number, and every unused one before is dead when this is answered.
/// The same `Idempotency-Key`, with the same step-up token, within ten minutes gets the same answer,
/// until a code of it is used or others are made.
#[utoipa::path(
    post,
    path = "/v1/identity/auth/mfa/recovery-codes/regenerate",
    operation_id = "canopy_regenerate",
    tag = super::TAG,
    params(
        ("x-mfa-step-up-token" = Option<String>, Header, description = "The proof, for this change alone."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters.", min_length = 1, max_length = 255),
    ),
    responses(
        (status = 200, description = "The new codes.", body = Regenerated, headers(("Idempotency-Replayed" = String, description = "`true` where the answer was given before under this key.")), example = json!({
            "recovery_codes": ["KZ3M-Q7TB-WJ5R-HXYN", "MB4T-6XQW-J2LH-AZPT"],
            "recovery_codes_generation": 2,
        })),
        RegenerateNos,
    ),
    security(("identity" = [])),
)]
pub(super) async fn regenerate(identity: Identity, headers: HeaderMap) -> Result<Response, No> {
    let Identity { origin, caller } = identity;
    let mfa = origin.mfa();
    let of = |error| origin.no(error);
    let key = idempotency_key(&headers)?;
    if !mfa.recovery_codes().await.map_err(of)? {
        return Err(No::FactorNotAllowed);
    }
    let proof = headers.get(STEP_UP).ok_or(No::StepUpRequired)?;
    let parts: [&[u8]; 2] = [b"recovery-codes/regenerate", proof.as_bytes()];
    let request = StageRequest {
        spec: mfa.policy().batch,
        activation: Activation::AtOnce,
        idempotency: key.map(|key| IdempotencyKey::new(&name(&caller), key, &parts)),
    };
    let issued = mfa.stage(&caller, request).await.map_err(of)?;
    let answer = origin.say(Regenerated::from(&issued));
    Ok(replayed(answer, issued.replayed))
}

nos!(RemoveNos:
    No::InvalidToken,
    No::StepUpRequired,
    No::WrongPrincipal,
    No::EnrollmentRequired,
    No::FactorNotFound,
);

/// Remove one of one's factors
///
/// With the last one go the recovery codes and the trust in devices.
#[utoipa::path(
    delete,
    path = "/v1/identity/auth/mfa/factors/{id}",
    operation_id = "canopy_remove_factor",
    tag = super::TAG,
    params(
        ("id" = String, Path, description = "Which.", format = Uuid),
        ("x-mfa-step-up-token" = Option<String>, Header, description = "The proof, for this change alone."),
    ),
    responses((status = 204, description = "It is gone."), RemoveNos),
    security(("identity" = [])),
)]
pub(super) async fn remove(
    identity: Identity,
    InPath(id): InPath<String>,
) -> Result<StatusCode, No> {
    let Identity { origin, caller } = identity;
    let mfa = origin.mfa();
    let of = |error| origin.no(error);
    mfa.require_proof(&caller).await.map_err(of)?;
    let id = Uuid::try_parse(&id).map_err(|_| No::FactorNotFound)?;
    let devices = mfa.devices(&caller).await.map_err(of)?;
    let found = devices
        .into_iter()
        .find(|device| device.confirmed_at.is_some() && device.id.uuid() == id)
        .ok_or(No::FactorNotFound)?;
    mfa.remove_factor(&caller, &found.id).await.map_err(of)?;
    Ok(StatusCode::NO_CONTENT)
}
