//! Enrolling an authenticator app.

use axum::http::HeaderMap;
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;

use super::body::{self, Fields, idempotency_key};
use super::caller::{Known, STEP_UP};
use super::said::described::nos;
use super::said::{Fault, No};
use super::wire::{ConfirmBody, EnrolledAnswer, EnrollmentAnswer, replayed};
use crate::domain::{Authority, Caller, Error, IdempotencyKey, NewFactor, Refusal};
use crate::model::Token;

const TOKEN: Fault = body::text("enrollment_token", "enrollment_token must be a text.");
const LABEL: Fault = body::text("label", "label must be a text of 1 to 64 characters.");

/// The longest label, in characters.
const LABEL_MAX: usize = 64;

nos!(StartNos:
    No::FactorNotAllowed,
    No::InvalidToken,
    No::StepUpRequired,
    No::WrongPrincipal,
);

/// Begin enrolling an authenticator app
///
/// In the place of one that waits. Who has a factor that this session has not seen proves it first
/// and sends `x-mfa-step-up-token`, here and when confirming.
#[utoipa::path(
    post,
    path = "/v1/identity/auth/mfa/totp/enroll/start",
    operation_id = "canopy_enroll_start",
    tag = super::TAG,
    params(("x-mfa-step-up-token" = Option<String>, Header, description = "Where one is needed.")),
    responses(
        (status = 200, description = "What the app needs.", body = EnrollmentAnswer, example = json!({
            "enrollment_token": "en_2hVpQ1Yk4mXo7cJ3nZr8tWb5dLs0gEaUiFhKqPvNyMx",
            "otpauth_uri": "otpauth://totp/Spare%20Key:carol%40example.com?secret=GEZDGNBVGY3TQOJQ&issuer=Spare%20Key",
            "manual_entry_key": "GEZDGNBVGY3TQOJQ",
        })),
        StartNos,
    ),
    security(("identity" = [])),
)]
pub(super) async fn start(known: Known) -> Result<Response, No> {
    let Known { origin, caller } = known;
    let begun = origin.mfa().begin_factor(&caller).await;
    let begun = begun.map_err(|error| origin.no(error))?;
    Ok(origin.say(EnrollmentAnswer::from(begun)))
}

nos!(VerifyNos:
    No::Invalid(vec![TOKEN, body::CODE, LABEL]),
    No::FactorNotAllowed,
    No::InvalidToken,
    No::StepUpRequired,
    No::EnrollmentInvalid,
    No::CodeInvalid { tries_left: 8 },
    No::WrongPrincipal,
    No::KeyReused,
    No::KeySpent,
    No::TooLarge,
    No::MediaType,
    No::Throttled { wait: Some(30) },
    No::Busy { wait: 1 },
);

/// Confirm an authenticator app
///
/// With the first factor come ten recovery codes, live when this is answered, and shown this once:
/// the same `Idempotency-Key` within ten minutes gets the same answer, until a code of it is used or
/// others are made. A wrong code leaves the enrollment, five times.
#[utoipa::path(
    post,
    path = "/v1/identity/auth/mfa/totp/enroll/verify",
    operation_id = "canopy_enroll_verify",
    tag = super::TAG,
    params(
        ("x-mfa-step-up-token" = Option<String>, Header, description = "Where one is needed."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters.", min_length = 1, max_length = 255),
    ),
    request_body = ConfirmBody,
    responses(
        (status = 200, description = "The factor, and the codes.", body = EnrolledAnswer, headers(("Idempotency-Replayed" = String, description = "`true` where the answer was given before under this key.")), example = json!({
            "factor": { "id": "0b7c6f7b-8a91-8c2d-9e10-5b0e3f0a6d0c", "type": "totp", "label": "Pixel", "enrolled_at": "2026-11-21T09:30:00.000Z", "last_used_at": null },
            "recovery_codes": ["KZ3M-Q7TB-WJ5R-HXYN"],
            "recovery_codes_generation": 1,
        })),
        VerifyNos,
    ),
    security(("identity" = [])),
)]
pub(super) async fn verify(
    known: Known,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, No> {
    let Known { origin, caller } = known;
    let token = fields.token(TOKEN);
    let otp = fields.code();
    let label = fields.text(LABEL, |text| {
        let trimmed = text.trim();
        let length = trimmed.chars().count();
        (1..=LABEL_MAX).contains(&length) && !trimmed.chars().any(char::is_control)
    });
    fields.done()?;
    let label = label.trim();
    let key = idempotency_key(&headers)?;
    let step_up = headers.get(STEP_UP).map(axum::http::HeaderValue::as_bytes);
    let parts: [&[u8]; 5] = [
        b"totp/enroll/verify",
        token.as_bytes(),
        otp.as_bytes(),
        label.as_bytes(),
        step_up.unwrap_or_default(),
    ];
    let token = Token::presented(&token);
    let new = NewFactor {
        token: &token,
        otp: &otp,
        label,
        idempotency: key.map(|key| IdempotencyKey::new(&name(&caller), key, &parts)),
    };
    let mfa = origin.mfa();
    let enrolled = match mfa.confirm_factor(&caller, new).await {
        // What cannot be a one-time password cost nothing.
        Err(Error::Refused(Refusal::MalformedOtp)) => {
            let tries_left = mfa.otp_tries_left(&caller).await;
            let tries_left = tries_left.map_err(|error| origin.no(error))?;
            return Err(No::CodeInvalid { tries_left });
        }
        other => other.map_err(|error| origin.no(error))?,
    };
    let before = enrolled.replayed;
    Ok(replayed(origin.say(EnrolledAnswer::from(enrolled)), before))
}

/// What tells one session from another under an idempotency key.
pub(super) fn name(caller: &Caller) -> String {
    match caller.authority {
        Authority::Bearer { session, .. } => {
            format!("bearer {}", BASE64URL_NOPAD.encode(&session.0))
        }
        _ => caller.account.as_str().to_owned(),
    }
}
