//! What this dialect says when it says no: an envelope without data, and what is wrong.
//!
//! A "no" is a value first and an answer second, so that handlers and the OpenAPI document speak
//! from the same source.

pub(super) mod described;
mod refused;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::domain::{Error, Mfa};
use crate::http::outcome::{Undone, noted};

/// Every "no" of this dialect.
#[derive(Debug, Clone)]
pub(super) enum No {
    /// Something in the request is not what it should be: a sentence a fault.
    Invalid(Vec<&'static str>),
    /// The body is of no type that is read here.
    MediaType,
    /// The body is over the limit.
    TooLarge,
    /// Recovery codes are switched off.
    SwitchedOff,
    /// No credential, or one that is nobody's.
    Unauthorized,
    /// Login and password do not belong together.
    Credentials,
    /// A credential of another kind than these.
    WrongPrincipal,
    /// Another organization's.
    Forbidden,
    /// A factor must be proven first.
    MfaRequired,
    /// The code that was to prove it is not accepted.
    InvalidCode,
    /// No such device, or another's.
    DeviceNotFound,
    /// No such key, or another's.
    KeyNotFound,
    /// No such path.
    NotFound,
    /// Not by this method.
    Method,
    /// The device has been confirmed before.
    AlreadyConfirmed,
    /// The device waited too long.
    EnrollmentExpired,
    /// One idempotency key, two requests.
    KeyReused,
    /// What was answered under the idempotency key can no longer be.
    KeySpent,
    /// Not possible for this account.
    Conflict,
    /// Too many sign-ins; `wait` in seconds, where waiting helps.
    RateLimited { wait: Option<u64> },
    /// Too many codes were wrong; `wait` in seconds, where waiting helps.
    Throttled { wait: Option<u64> },
    /// The hash pool is full.
    Busy { wait: u64 },
    /// It took too long.
    TimedOut,
    /// Something broke here.
    Internal { request_id: String },
}

/// How a "no" is told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) messages: Vec<String>,
}

impl Told {
    /// The envelope.
    pub(super) fn body(&self) -> Value {
        let errors: Vec<_> = self
            .messages
            .iter()
            .map(|message| json!({ "code": self.code, "message": message }))
            .collect();
        json!({ "data": null, "errors": errors })
    }
}

impl No {
    /// One fault in the request.
    pub(super) fn invalid(message: &'static str) -> Self {
        Self::Invalid(vec![message])
    }

    /// Status, code and what is said.
    pub(super) fn told(&self) -> Told {
        use StatusCode as S;
        let (status, code, message): (S, &'static str, &str) = match self {
            Self::Invalid(faults) => {
                return Told {
                    status: S::BAD_REQUEST,
                    code: "validation_error",
                    messages: faults.iter().map(|&fault| fault.to_owned()).collect(),
                };
            }
            Self::MediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send application/json.",
            ),
            Self::TooLarge => (
                S::PAYLOAD_TOO_LARGE,
                "payload_too_large",
                "The body is over 16 KiB.",
            ),
            Self::SwitchedOff => (
                S::BAD_REQUEST,
                "factor_not_allowed",
                "Recovery codes are switched off.",
            ),
            Self::Unauthorized => (
                S::UNAUTHORIZED,
                "unauthorized",
                "Send an API key or a session token in x-arklow-auth.",
            ),
            Self::Credentials => (
                S::UNAUTHORIZED,
                "invalid_credentials",
                "Email and password do not belong together.",
            ),
            Self::WrongPrincipal => (
                S::FORBIDDEN,
                "wrong_principal",
                "Credentials of another kind are not accepted here.",
            ),
            Self::Forbidden => (
                S::FORBIDDEN,
                "forbidden",
                "The credentials are of another organization.",
            ),
            Self::MfaRequired => (
                S::FORBIDDEN,
                "mfa_required",
                "Prove a factor at /v1/self/mfa/verify/totp first; it counts for five minutes.",
            ),
            Self::InvalidCode => (
                S::FORBIDDEN,
                "invalid_code",
                "The code is not accepted. Nothing was changed.",
            ),
            Self::DeviceNotFound => (
                S::NOT_FOUND,
                "device_not_found",
                "There is no such device among yours.",
            ),
            Self::KeyNotFound => (
                S::NOT_FOUND,
                "key_not_found",
                "There is no such key among yours.",
            ),
            Self::NotFound => (S::NOT_FOUND, "not_found", "There is nothing here."),
            Self::Method => (
                S::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "Not by this method.",
            ),
            Self::AlreadyConfirmed => (
                S::CONFLICT,
                "device_already_confirmed",
                "The device is confirmed already.",
            ),
            Self::EnrollmentExpired => (
                S::GONE,
                "enrollment_expired",
                "The device waited too long. Start again.",
            ),
            Self::KeyReused => (
                S::CONFLICT,
                "idempotency_key_reused",
                "The idempotency key came with another request.",
            ),
            Self::KeySpent => (
                S::CONFLICT,
                "idempotency_key_spent",
                "The codes under this idempotency key can no longer be shown. Make new ones.",
            ),
            Self::Conflict => (S::CONFLICT, "conflict", "Not possible for this account."),
            Self::RateLimited { wait } => {
                return waiting("rate_limited", "Too many sign-ins failed.", *wait);
            }
            Self::Throttled { wait } => {
                return waiting("throttled", "Too many codes were wrong.", *wait);
            }
            Self::Busy { .. } => (
                S::SERVICE_UNAVAILABLE,
                "busy",
                "Nothing was changed and no attempt was counted. Try again.",
            ),
            Self::TimedOut => (S::SERVICE_UNAVAILABLE, "timed_out", "It took too long."),
            Self::Internal { request_id } => {
                return Told {
                    status: S::INTERNAL_SERVER_ERROR,
                    code: "internal_error",
                    messages: vec![format!(
                        "Something broke here. Nothing was changed. The request was {request_id}."
                    )],
                };
            }
        };
        Told {
            status,
            code,
            messages: vec![message.to_owned()],
        }
    }

    /// The "no" behind a status that no handler gave.
    pub(super) fn of_status(status: StatusCode, request_id: &str) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::Method,
            StatusCode::SERVICE_UNAVAILABLE => Self::TimedOut,
            _ => Self::Internal {
                request_id: request_id.to_owned(),
            },
        }
    }

    /// The answer to whatever went wrong. A fault is logged here, once, and told to nobody else.
    pub(super) fn of_error(error: &Error, mfa: &Mfa, request_id: &str) -> Self {
        match noted(error) {
            Undone::Refused(refusal) => Self::of_refusal(refusal, mfa.now()),
            Undone::Busy { wait } => Self::Busy { wait },
            Undone::Broken => Self::Internal {
                request_id: request_id.to_owned(),
            },
        }
    }

    /// Seconds after which it is worth asking again.
    pub(super) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited { wait } | Self::Throttled { wait } => *wait,
            Self::Busy { wait } => Some(*wait),
            Self::TimedOut => Some(1),
            _ => None,
        }
    }
}

/// Too many were wrong: how long to wait, or that waiting does not help.
fn waiting(code: &'static str, what: &str, wait: Option<u64>) -> Told {
    let then = match wait {
        Some(wait) => format!("Wait for {wait} seconds."),
        None => "Ask an administrator.".to_owned(),
    };
    Told {
        status: StatusCode::TOO_MANY_REQUESTS,
        code,
        messages: vec![format!("{what} {then}")],
    }
}

impl IntoResponse for No {
    fn into_response(self) -> Response<Body> {
        let told = self.told();
        let mut response = Response::new(Body::from(told.body().to_string()));
        *response.status_mut() = told.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}
