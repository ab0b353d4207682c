//! How this dialect's values look in JSON. Codes leave only here, in types without `Debug`.

mod asked;
mod factors;
mod portal;
mod sessions;

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, Response};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use zeroize::Zeroizing;

pub(super) use self::asked::*;
pub(super) use self::factors::*;
pub(super) use self::portal::*;
pub(super) use self::sessions::*;
use crate::clock::rfc3339;
use crate::domain::{Issued, TrustedDevice};
use crate::http::idempotency::IDEMPOTENCY_REPLAYED;
use crate::model::Token;

/// Several of a kind.
#[derive(Serialize, ToSchema)]
pub(super) struct Items<T> {
    pub(super) items: Vec<T>,
}

impl<T> Items<T> {
    /// Of these.
    pub(super) fn of<S>(all: Vec<S>) -> Json<Self>
    where
        T: From<S>,
    {
        Json(Self {
            items: all.into_iter().map(T::from).collect(),
        })
    }
}

/// A document about what is wrong.
#[derive(Serialize, ToSchema)]
pub(super) struct CanopyError {
    error: CanopyErrorBody,
}

/// What is wrong.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "statusCode": 404,
    "code": "common.not_found",
    "message": "There is nothing here.",
    "path": "/v1/identity/auth/nothing",
    "method": "GET",
}))]
pub(super) struct CanopyErrorBody {
    /// The status.
    status_code: u16,
    /// For programs.
    code: String,
    /// For people.
    message: String,
    /// What was asked for.
    path: String,
    /// And how.
    method: String,
    /// More, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    details: Option<String>,
}

/// A secret on its way to its owner, zeroed afterwards.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
pub(super) struct Shown(#[serde(serialize_with = "as_text")] pub(super) Zeroizing<String>);

impl Shown {
    /// A token.
    pub(super) fn token(token: &Token) -> Self {
        Self(Zeroizing::new(token.reveal().to_owned()))
    }
}

fn as_text<S: Serializer>(text: &Zeroizing<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(text)
}

fn codes(issued: &Issued) -> Vec<Shown> {
    let all = issued.codes.iter();
    all.map(|numbered| Shown(numbered.code.expose())).collect()
}

/// Says of an answer that it was given before under an idempotency key.
pub(super) fn replayed(mut response: Response<Body>, replayed: bool) -> Response<Body> {
    if replayed {
        let headers = response.headers_mut();
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// A sentence.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyMessage)]
pub(super) struct Message {
    pub(super) message: &'static str,
}

/// A device whose sign-ins are not asked for a second factor.
#[derive(Serialize, ToSchema)]
#[schema(as = CanopyTrustedDevice)]
pub(super) struct DeviceLine {
    #[schema(format = Uuid)]
    id: String,
    #[schema(format = Uuid)]
    environment_id: String,
    /// What it says of itself, at most 120 characters.
    label: String,
    #[schema(required)]
    ip_address: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    last_seen_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

impl DeviceLine {
    /// Of this environment.
    pub(super) fn of(device: TrustedDevice, environment: &str) -> Self {
        Self {
            id: device.id.to_string(),
            environment_id: environment.to_owned(),
            label: device.label,
            ip_address: device.ip,
            created_at: rfc3339(device.created_at),
            last_seen_at: rfc3339(device.last_seen_at),
            expires_at: rfc3339(device.expires_at),
        }
    }
}
