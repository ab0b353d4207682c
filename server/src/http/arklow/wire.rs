//! How this dialect's values look in JSON. Codes leave only here, in types without `Debug`.
//!
//! Members that may be null are always there.

mod asked;
mod people;

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, Response};
use axum::response::IntoResponse;
use data_encoding::BASE64;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use zeroize::Zeroizing;

pub(super) use self::asked::*;
pub(super) use self::people::*;
use crate::clock::rfc3339;
use crate::domain::{AccountState, Device, DeviceEnrollment, Issued, Redemption, Removed, Status};
use crate::http::idempotency::IDEMPOTENCY_REPLAYED;
use crate::model::Timestamp;

/// The one type of device here.
pub(super) const TOTP: &str = "totp";

/// What a device is called that nobody has named.
const UNNAMED: &str = "Authenticator";

/// An answer with data.
#[derive(Serialize, ToSchema)]
pub(super) struct Said<T> {
    /// What was asked for.
    data: T,
    /// Null.
    #[schema(required)]
    errors: Option<Vec<ErrorEntry>>,
}

impl<T> Said<T> {
    /// This, and nothing is wrong.
    pub(super) fn new(data: T) -> Self {
        Self { data, errors: None }
    }
}

impl<T: Serialize> Said<T> {
    /// The same; `replayed` where it was said before under an idempotency key.
    pub(super) fn answer(self, replayed: bool) -> Response<Body> {
        let mut response = Json(self).into_response();
        if replayed {
            let headers = response.headers_mut();
            headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// What is wrong.
#[derive(Serialize, ToSchema)]
pub(super) struct ErrorEntry {
    /// For programs.
    code: String,
    /// For people.
    message: String,
}

/// An answer without data.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "data": null,
    "errors": [{ "code": "not_found", "message": "There is nothing here." }],
}))]
pub(super) struct ArklowError {
    /// Null.
    #[schema(required, value_type = Option<Object>)]
    data: Option<String>,
    /// One at least.
    errors: Vec<ErrorEntry>,
}

/// A secret on its way to its owner, zeroed afterwards.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub(super) struct Shown(#[serde(serialize_with = "as_text")] pub(super) Zeroizing<String>);

fn as_text<S: Serializer>(text: &Zeroizing<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text)
}

fn codes(issued: &Issued) -> Vec<Shown> {
    let all = issued.codes.iter();
    all.map(|numbered| Shown(numbered.code.expose())).collect()
}

/// A device.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowDevice)]
pub(super) struct DeviceAnswer {
    /// Its number.
    id: String,
    /// Whose.
    user_id: String,
    /// What its owner calls it.
    #[schema(min_length = 1, max_length = 64)]
    name: String,
    /// `totp`.
    device_type: &'static str,
    /// When it was confirmed.
    #[schema(required, format = DateTime)]
    confirmed_at: Option<String>,
    /// When it was last proven.
    #[schema(required, format = DateTime)]
    last_used_at: Option<String>,
    /// When it, or the codes beside it, last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    /// When it was removed.
    #[schema(required, format = DateTime)]
    deleted_at: Option<String>,
}

impl DeviceAnswer {
    /// A device of this user.
    pub(super) fn of(device: Device, user: i64) -> Self {
        let Device {
            number,
            id: _,
            name,
            confirmed_at,
            last_used_at,
            updated_at,
        } = device;
        Self {
            id: number.to_string(),
            user_id: user.to_string(),
            name: name.unwrap_or_else(|| UNNAMED.to_owned()),
            device_type: TOTP,
            confirmed_at: confirmed_at.map(rfc3339),
            last_used_at: last_used_at.map(rfc3339),
            updated_at: rfc3339(updated_at),
            deleted_at: None,
        }
    }

    fn deleted(mut self, at: Timestamp) -> Self {
        self.updated_at = rfc3339(at);
        self.deleted_at = Some(rfc3339(at));
        self
    }
}

/// The devices, and how many codes are left.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowDevices)]
pub(super) struct Devices {
    /// This part of them.
    pub(super) items: Vec<DeviceAnswer>,
    /// How many there are in all.
    pub(super) count: usize,
    /// The codes, without the codes themselves.
    pub(super) backup_codes: Standing,
}

/// How many codes are left.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowBackupCodes)]
pub(super) struct Standing {
    /// The number of the list; 0 where there is none.
    generation: u32,
    /// How many are left.
    remaining: u32,
    /// Of how many.
    total: u32,
    /// When the list was made.
    #[schema(required, format = DateTime)]
    issued_at: Option<String>,
}

impl From<&Status> for Standing {
    fn from(status: &Status) -> Self {
        let live = status.state == AccountState::Active;
        let count = |number: u32| if live { number } else { 0 };
        Self {
            generation: count(status.generation.0),
            remaining: count(status.remaining),
            total: count(status.total),
            issued_at: status.issued_at.filter(|_| live).map(rfc3339),
        }
    }
}

/// A device that waits to be confirmed.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowEnrollment)]
pub(super) struct EnrollmentAnswer {
    device: DeviceAnswer,
    /// `otpauth://totp/…`.
    provisioning_uri: Shown,
    /// The same as a picture: `data:image/svg+xml;base64,…`.
    qr_code: Shown,
    /// Codes that work once the device is confirmed; none where a list is live already.
    backup_codes: Vec<Shown>,
}

impl EnrollmentAnswer {
    /// Of this user.
    pub(super) fn of(enrollment: DeviceEnrollment, user: i64) -> Self {
        let DeviceEnrollment {
            device,
            uri,
            codes: issued,
        } = enrollment;
        Self {
            device: DeviceAnswer::of(device, user),
            qr_code: Shown(picture(&uri)),
            provisioning_uri: Shown(uri),
            backup_codes: issued.as_ref().map(codes).unwrap_or_default(),
        }
    }
}

/// The QR code as an address with the picture in it; empty when the text is too long for one.
fn picture(text: &str) -> Zeroizing<String> {
    let Ok(code) = qrcode::QrCode::new(text.as_bytes()) else {
        return Zeroizing::default();
    };
    let svg = code
        .render::<qrcode::render::svg::Color<'_>>()
        .quiet_zone(true)
        .build();
    let svg = Zeroizing::new(svg);
    let encoded = Zeroizing::new(BASE64.encode(svg.as_bytes()));
    Zeroizing::new(format!("data:image/svg+xml;base64,{}", encoded.as_str()))
}

/// A device that was confirmed.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowConfirmed)]
pub(super) struct Confirmed {
    pub(super) device: DeviceAnswer,
    /// True.
    pub(super) two_factor_enabled: bool,
    /// The number of the list that is live now.
    #[schema(required)]
    pub(super) backup_codes_generation: Option<u32>,
    /// Until when the proof counts.
    #[schema(format = DateTime)]
    pub(super) session_mfa_not_after: String,
}

/// Whether a factor was proven.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowVerification)]
pub(super) struct Verified {
    /// Whether it was right.
    valid: bool,
    device_id: String,
    /// `totp`.
    verification_type: &'static str,
    /// Until when the last proof counts, or counted.
    #[schema(required, format = DateTime)]
    session_mfa_not_after: Option<String>,
    /// Attempts left without waiting, where it was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    tries_left: Option<u32>,
}

impl Verified {
    /// It was right; it counts until then.
    pub(super) fn right(device: i64, until: Timestamp) -> Self {
        Self::of(device, Some(until), None)
    }

    /// It was not, and so many attempts are left; the window is as it was.
    pub(super) fn wrong(device: i64, until: Option<Timestamp>, tries_left: u32) -> Self {
        Self::of(device, until, Some(tries_left))
    }

    fn of(device: i64, until: Option<Timestamp>, tries_left: Option<u32>) -> Self {
        Self {
            valid: tries_left.is_none(),
            device_id: device.to_string(),
            verification_type: TOTP,
            session_mfa_not_after: until.map(rfc3339),
            tries_left,
        }
    }
}

/// Whether a backup code was right, and what is left of the list.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowBackupVerification)]
pub(super) struct BackupVerified {
    #[serde(flatten)]
    #[schema(inline)]
    verified: Verified,
    /// Codes left.
    #[schema(required)]
    backup_codes_remaining: Option<u32>,
    /// The number of the list it was of.
    #[schema(required)]
    backup_codes_generation: Option<u32>,
    /// Its place on the list: cross it out.
    #[schema(required)]
    backup_code_number: Option<u32>,
    /// The code that takes its place, where there was only that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_codes: Option<Vec<Shown>>,
}

impl BackupVerified {
    /// It was right, and is spent.
    pub(super) fn right(device: i64, until: Timestamp, redemption: &Redemption) -> Self {
        Self {
            verified: Verified::right(device, until),
            backup_codes_remaining: Some(redemption.remaining),
            backup_codes_generation: Some(redemption.generation.0),
            backup_code_number: Some(redemption.number),
            backup_codes: redemption.replacement.as_ref().map(codes),
        }
    }

    /// It was not.
    pub(super) fn wrong(verified: Verified) -> Self {
        Self {
            verified,
            backup_codes_remaining: None,
            backup_codes_generation: None,
            backup_code_number: None,
            backup_codes: None,
        }
    }
}

/// New codes; every one before is dead.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowRegenerated)]
pub(super) struct Regenerated {
    device: DeviceAnswer,
    /// This once.
    backup_codes: Vec<Shown>,
    /// Until when the last proof counts.
    #[schema(format = DateTime)]
    session_mfa_not_after: String,
    /// The number of the list.
    backup_codes_generation: u32,
}

impl Regenerated {
    /// For this device of this user.
    pub(super) fn of(mut device: Device, user: i64, until: Timestamp, issued: &Issued) -> Self {
        device.updated_at = device.updated_at.max(issued.issued_at);
        Self {
            device: DeviceAnswer::of(device, user),
            backup_codes: codes(issued),
            session_mfa_not_after: rfc3339(until),
            backup_codes_generation: issued.generation.0,
        }
    }
}

/// A device that was removed.
#[derive(Serialize, ToSchema)]
#[schema(as = ArklowRemoved)]
pub(super) struct RemovedAnswer {
    /// True.
    removed: bool,
    device: DeviceAnswer,
    /// Whether another factor is left.
    two_factor_enabled: bool,
    /// The code that takes the spent one's place, where there was only that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_codes: Option<Vec<Shown>>,
}

impl RemovedAnswer {
    /// Of this user.
    pub(super) fn of(removed: Removed, user: i64) -> Self {
        let Removed {
            device,
            at,
            others,
            replacement,
        } = removed;
        Self {
            removed: true,
            device: DeviceAnswer::of(device, user).deleted(at),
            two_factor_enabled: others,
            backup_codes: replacement.as_ref().map(codes),
        }
    }
}
