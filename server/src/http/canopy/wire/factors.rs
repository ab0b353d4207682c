//! Factors, the codes beside them, and the proof that changing them needs.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Shown, codes};
use crate::clock::rfc3339;
use crate::domain::{
    AccountState, Device, FactorEnrolled, FactorEnrollment, Issued, Status, SteppedUp,
};

/// The one type of factor that is bound here.
const TOTP: &str = "totp";

/// What a factor is called that nobody has named.
const UNNAMED: &str = "Authenticator";

/// A factor.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyFactor)]
pub(in crate::http::canopy) struct Factor {
    #[schema(format = Uuid)]
    id: String,
    /// `totp`.
    #[serde(rename = "type")]
    kind: &'static str,
    label: String,
    #[schema(format = DateTime)]
    enrolled_at: String,
    #[schema(required, format = DateTime)]
    last_used_at: Option<String>,
}

impl From<Device> for Factor {
    fn from(device: Device) -> Self {
        Self {
            id: device.id.uuid().to_string(),
            kind: TOTP,
            label: device.name.unwrap_or_else(|| UNNAMED.to_owned()),
            enrolled_at: rfc3339(device.confirmed_at.unwrap_or(device.updated_at)),
            last_used_at: device.last_used_at.map(rfc3339),
        }
    }
}

/// The factors that are bound.
pub(in crate::http::canopy) fn bound(devices: Vec<Device>) -> Vec<Factor> {
    let bound = devices.into_iter();
    let bound = bound.filter(|device| device.confirmed_at.is_some());
    bound.map(Factor::from).collect()
}

/// Factors, and what is left of the codes beside them.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyFactors)]
pub(in crate::http::canopy) struct Factors {
    items: Vec<Factor>,
    recovery_codes: Standing,
}

impl Factors {
    /// These, and that.
    pub(in crate::http::canopy) fn of(devices: Vec<Device>, status: &Status) -> Self {
        Self {
            items: bound(devices),
            recovery_codes: Standing::of(status),
        }
    }
}

/// What is left of the list: all zero and null where there is none.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyStanding)]
struct Standing {
    /// The number of the list.
    generation: u32,
    remaining: u32,
    total: u32,
    #[schema(required, format = DateTime)]
    issued_at: Option<String>,
}

impl Standing {
    fn of(status: &Status) -> Self {
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

/// An authenticator that waits for its first password.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyEnrollment)]
pub(in crate::http::canopy) struct EnrollmentAnswer {
    /// To be sent back as it is, within five minutes.
    enrollment_token: Shown,
    /// For a QR code.
    otpauth_uri: Shown,
    /// For typing, in base32.
    manual_entry_key: Shown,
}

impl From<FactorEnrollment> for EnrollmentAnswer {
    fn from(enrollment: FactorEnrollment) -> Self {
        Self {
            enrollment_token: Shown::token(&enrollment.token),
            otpauth_uri: Shown(enrollment.uri),
            manual_entry_key: Shown(enrollment.secret),
        }
    }
}

/// A factor that was bound.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyEnrolled)]
pub(in crate::http::canopy) struct EnrolledAnswer {
    factor: Factor,
    /// With the first factor, this once.
    #[schema(required)]
    recovery_codes: Option<Vec<Shown>>,
    /// The number of the list that is live; 0: there is none.
    recovery_codes_generation: u32,
}

impl From<FactorEnrolled> for EnrolledAnswer {
    fn from(enrolled: FactorEnrolled) -> Self {
        Self {
            factor: enrolled.device.into(),
            recovery_codes: enrolled.codes.as_ref().map(codes),
            recovery_codes_generation: enrolled.generation.0,
        }
    }
}

/// The proof for one change.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopySteppedUp)]
pub(in crate::http::canopy) struct SteppedUpAnswer {
    /// For `x-mfa-step-up-token`, once.
    step_up_token: Shown,
    #[schema(format = DateTime)]
    expires_at: String,
    /// The code that takes the spent one's place, where there was only that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes: Option<Vec<Shown>>,
}

impl From<SteppedUp> for SteppedUpAnswer {
    fn from(stepped_up: SteppedUp) -> Self {
        Self {
            step_up_token: Shown::token(&stepped_up.token),
            expires_at: rfc3339(stepped_up.expires_at),
            recovery_codes: stepped_up.replacement.as_ref().map(codes),
        }
    }
}

/// New codes; every unused one before is dead.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyRegenerated)]
pub(in crate::http::canopy) struct Regenerated {
    /// This once.
    recovery_codes: Vec<Shown>,
    /// The number of the list: it only grows.
    recovery_codes_generation: u32,
}

impl From<&Issued> for Regenerated {
    fn from(issued: &Issued) -> Self {
        Self {
            recovery_codes: codes(issued),
            recovery_codes_generation: issued.generation.0,
        }
    }
}
