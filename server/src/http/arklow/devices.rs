//! `/v1/self/mfa`: the devices, enrolling one, removing one.

use axum::Json;
use axum::extract::RawQuery;

use super::body::{self, Fields, Page};
use super::caller::{Known, User};
use super::said::No;
use super::said::described::nos;
use super::wire::{
    ConfirmBody, Confirmed, DeviceAnswer, Devices, EnrollmentAnswer, RemoveBody, RemovedAnswer,
    Said, StartBody, TOTP,
};
use crate::clock::rfc3339;
use crate::domain::{AccountState, Proof};

nos!(ListNos:
    No::Invalid(vec![
        "take must be a number from 1 to 50.",
        "skip must be a number from 0.",
        "count_only must be true or false.",
    ]),
    No::Unauthorized,
    No::WrongPrincipal,
);

/// The devices
///
/// By number; one that waits to be confirmed is among them for ten minutes.
#[utoipa::path(
    get,
    path = "/v1/self/mfa/",
    operation_id = "get_v1_self_mfa",
    tag = super::TAG,
    params(
        ("take" = Option<u8>, Query, description = "At most so many, 50 unless said otherwise.", minimum = 1, maximum = 50),
        ("skip" = Option<u64>, Query, description = "So many are left out before.", maximum = 4294967295_u32),
        ("count_only" = Option<bool>, Query, description = "Only how many there are."),
    ),
    responses(
        (status = 200, description = "The devices, and how many codes are left.", body = Said<Devices>, example = json!({ "data": {
            "items": [{ "id": "71", "user_id": "3", "name": "Phone", "device_type": "totp", "confirmed_at": "2026-11-21T09:30:00.000Z", "last_used_at": null, "updated_at": "2026-11-21T09:30:00.000Z", "deleted_at": null }],
            "count": 1,
            "backup_codes": { "generation": 1, "remaining": 9, "total": 10, "issued_at": "2026-11-21T09:30:00.000Z" },
        }, "errors": null })),
        ListNos,
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn list(
    known: Known,
    RawQuery(query): RawQuery,
) -> Result<Json<Said<Devices>>, No> {
    let Known { origin, caller } = known;
    let page = Page::read(query.as_deref())?;
    let of = |error| origin.no(error);
    let mfa = origin.mfa();
    let user = mfa.account(&caller.account).await.map_err(of)?.number;
    let devices = mfa.devices(&caller).await.map_err(of)?;
    let status = mfa.status(&caller.account).await.map_err(of)?;
    let count = devices.len();
    let take = if page.count_only { 0 } else { page.take };
    let part = devices.into_iter().skip(page.skip).take(take);
    Ok(Json(Said::new(Devices {
        items: part.map(|device| DeviceAnswer::of(device, user)).collect(),
        count,
        backup_codes: (&status).into(),
    })))
}

/// What is said of a name that is none.
const NAME: &str = "name must be a string of 1 to 64 characters.";

/// Of a type that is not offered.
const TYPE: &str = "device_type must be totp.";

nos!(StartNos:
    No::Invalid(vec![NAME, TYPE]),
    No::Unauthorized,
    No::WrongPrincipal,
    No::MfaRequired,
    No::TooLarge,
    No::MediaType,
    No::Busy { wait: 1 },
);

/// Begin with a device
///
/// It waits for ten minutes, with the codes, of which none works before. Started again, another
/// device waits in its place with the same codes. Where there is a device already, a factor must
/// have been proven within five minutes.
#[utoipa::path(
    post,
    path = "/v1/self/mfa/enroll/start",
    operation_id = "post_v1_self_mfa_enroll_start",
    tag = super::TAG,
    request_body = StartBody,
    responses(
        (status = 200, description = "The device, what the app needs, and the codes.", body = Said<EnrollmentAnswer>, example = json!({ "data": {
            "device": { "id": "72", "user_id": "1", "name": "Phone", "device_type": "totp", "confirmed_at": null, "last_used_at": null, "updated_at": "2026-11-21T09:30:00.000Z", "deleted_at": null },
            "provisioning_uri": "otpauth://totp/Spare%20Key:alice%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Spare%20Key&algorithm=SHA1&digits=6&period=30",
            "qr_code": "data:image/svg+xml;base64,PHN2Zy8+",
            "backup_codes": ["KZ3M-Q7TB-WJ5R-HXYN"],
        }, "errors": null })),
        StartNos,
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn start(
    user: User,
    mut fields: Fields,
) -> Result<Json<Said<EnrollmentAnswer>>, No> {
    let User { origin, caller } = user;
    let fits = |text: &str| (1..=64).contains(&text.chars().count());
    let name = fields.text("name", fits, NAME);
    fields.optional("device_type", |text| text == TOTP, TYPE);
    fields.done()?;
    let of = |error| origin.no(error);
    let user = origin.mfa().account(&caller.account).await.map_err(of)?;
    let enrollment = origin.mfa().enroll_device(&caller, &name).await;
    let enrollment = enrollment.map_err(of)?;
    Ok(Json(Said::new(EnrollmentAnswer::of(
        enrollment,
        user.number,
    ))))
}

nos!(ConfirmNos:
    No::Invalid(vec![body::DEVICE_ID, body::SIX_DIGITS]),
    No::Unauthorized,
    No::WrongPrincipal,
    No::MfaRequired,
    No::InvalidCode,
    No::DeviceNotFound,
    No::AlreadyConfirmed,
    No::EnrollmentExpired,
    No::TooLarge,
    No::MediaType,
    No::Throttled { wait: Some(30) },
);

/// Confirm a device
///
/// By the app's first password: the device counts from now on, its codes work, and a factor was
/// proven. After five wrong ones it is gone.
#[utoipa::path(
    post,
    path = "/v1/self/mfa/enroll/confirm",
    operation_id = "post_v1_self_mfa_enroll_confirm",
    tag = super::TAG,
    request_body = ConfirmBody,
    responses(
        (status = 200, description = "It is confirmed.", body = Said<Confirmed>, example = json!({ "data": {
            "device": { "id": "72", "user_id": "1", "name": "Phone", "device_type": "totp", "confirmed_at": "2026-11-21T09:31:00.000Z", "last_used_at": null, "updated_at": "2026-11-21T09:31:00.000Z", "deleted_at": null },
            "two_factor_enabled": true,
            "backup_codes_generation": 1,
            "session_mfa_not_after": "2026-11-21T09:36:00.000Z",
        }, "errors": null })),
        ConfirmNos,
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn confirm(user: User, mut fields: Fields) -> Result<Json<Said<Confirmed>>, No> {
    let User { origin, caller } = user;
    let (number, otp) = (fields.device(), fields.otp());
    fields.done()?;
    let of = |error| origin.no(error);
    let mfa = origin.mfa();
    let until = mfa.confirm_device(&caller, number, &otp).await;
    let until = until.map_err(of)?;
    let user = mfa.account(&caller.account).await.map_err(of)?.number;
    let device = mfa.bound_device(&caller, number).await.map_err(of)?;
    let status = mfa.status(&caller.account).await.map_err(of)?;
    let live = status.state == AccountState::Active;
    Ok(Json(Said::new(Confirmed {
        device: DeviceAnswer::of(device, user),
        two_factor_enabled: true,
        backup_codes_generation: live.then_some(status.generation.0),
        session_mfa_not_after: rfc3339(until),
    })))
}

/// What is said of a proof of another kind.
const VERIFICATION: &str = "verification_type must be totp.";

nos!(RemoveNos:
    No::Invalid(vec![body::DEVICE_ID, VERIFICATION, body::CODE]),
    No::Unauthorized,
    No::WrongPrincipal,
    No::MfaRequired,
    No::InvalidCode,
    No::DeviceNotFound,
    No::TooLarge,
    No::MediaType,
    No::Throttled { wait: Some(30) },
    No::Busy { wait: 1 },
);

/// Remove a device
///
/// The proof is in the body: a one-time password of any confirmed device, or a backup code, which
/// is spent. With the last device go the codes.
#[utoipa::path(
    delete,
    path = "/v1/self/mfa/remove",
    operation_id = "delete_v1_self_mfa_remove",
    tag = super::TAG,
    request_body = RemoveBody,
    responses(
        (status = 200, description = "It is gone.", body = Said<RemovedAnswer>, example = json!({ "data": {
            "removed": true,
            "device": { "id": "71", "user_id": "1", "name": "Phone", "device_type": "totp", "confirmed_at": "2026-11-21T09:30:00.000Z", "last_used_at": null, "updated_at": "2026-11-21T09:50:00.000Z", "deleted_at": "2026-11-21T09:50:00.000Z" },
            "two_factor_enabled": false,
        }, "errors": null })),
        RemoveNos,
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn remove(
    user: User,
    mut fields: Fields,
) -> Result<Json<Said<RemovedAnswer>>, No> {
    let User { origin, caller } = user;
    let number = fields.device();
    fields.text("verification_type", |text| text == TOTP, VERIFICATION);
    let code = fields.code();
    fields.done()?;
    let of = |error| origin.no(error);
    let mfa = origin.mfa();
    let read = mfa.read_code(&caller, &code).await.map_err(of)?;
    let proof = match &read {
        // Whatever an imported code may look like.
        _ if is_otp(&code) => Proof::Otp(&code),
        Ok(code) => Proof::Code(code),
        // Whatever else it is, it can only be an app's.
        Err(_) => Proof::Otp(&code),
    };
    // Before the proof is spent: after that nothing here may fail.
    let user = mfa.account(&caller.account).await.map_err(of)?.number;
    let removed = mfa.remove_device(&caller, number, proof).await;
    let removed = removed.map_err(of)?;
    Ok(Json(Said::new(RemovedAnswer::of(removed, user))))
}

/// Whether it is what an authenticator app shows: six digits.
fn is_otp(typed: &str) -> bool {
    let shown: Vec<char> = typed.chars().filter(|c| !c.is_whitespace()).collect();
    shown.len() == 6 && shown.iter().all(char::is_ascii_digit)
}
