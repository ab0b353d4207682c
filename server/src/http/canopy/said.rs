//! What this dialect says when it says no: one document, with a dotted code for programs and a
//! sentence for people.
//!
//! A "no" is a value first and an answer second, so that handlers and the OpenAPI document speak
//! from the same source. Path and method, which every document carries, are added on the way out.

pub(super) mod described;
mod refused;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Method, Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::domain::{Error, Mfa, Scope};
use crate::http::outcome::{Undone, noted};

/// What is wrong with one member of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    /// Which.
    pub(super) field: &'static str,
    /// What it should be.
    pub(super) message: &'static str,
}

/// Every "no" of this dialect.
#[derive(Debug, Clone)]
pub(super) enum No {
    /// Something in the request is not what it should be.
    Invalid(Vec<Fault>),
    /// The factor, or recovery codes, are not offered here.
    FactorNotAllowed,
    /// No credential, or one that is nobody's, has run out or was revoked.
    InvalidToken,
    /// Account, e-mail and password do not belong together.
    Credentials,
    /// A factor must be proven for this one change.
    StepUpRequired,
    /// The factor that was to be proven for it was not.
    StepUpInvalid {
        /// Attempts left without waiting.
        tries_left: u32,
    },
    /// The challenge is over, or was never there.
    ChallengeInvalid,
    /// The code that was to answer it is not accepted.
    CodeInvalid {
        /// Attempts left without waiting.
        tries_left: u32,
    },
    /// The enrollment is over, or was never there.
    EnrollmentInvalid,
    /// A credential of somebody of another kind.
    WrongPrincipal,
    /// The administrator may not do this.
    Scope(Scope),
    /// Nothing but enrolling can be done in this session.
    EnrollmentRequired,
    /// No such factor, or another's.
    FactorNotFound,
    /// No such trusted device, or another's.
    DeviceNotFound,
    /// No such session, or another's.
    SessionNotFound,
    /// No such identity.
    IdentityNotFound,
    /// No such environment.
    EnvironmentNotFound,
    /// No such path.
    NotFound,
    /// Not by this method.
    Method,
    /// One idempotency key, two requests.
    KeyReused,
    /// What was answered under the idempotency key can no longer be.
    KeySpent,
    /// Not possible for this account.
    Conflict,
    /// The body is over the limit.
    TooLarge,
    /// The body is of no type that is read here.
    MediaType,
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

/// How a "no" is told, but for the address that it answers.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) details: Option<Value>,
}

impl Told {
    fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            details: None,
        }
    }

    fn with(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// The document, as an answer to a request with this method and path.
    pub(super) fn body(&self, method: &str, path: &str) -> Value {
        let mut error = json!({
            "statusCode": self.status.as_u16(),
            "code": self.code,
            "message": self.message,
            "path": path,
            "method": method,
        });
        if let Some(details) = &self.details {
            error["details"] = details.clone();
        }
        json!({ "error": error })
    }
}

impl No {
    /// One fault in the request.
    pub(super) fn invalid(field: &'static str, message: &'static str) -> Self {
        Self::Invalid(vec![Fault { field, message }])
    }

    /// Status, code and what is said.
    pub(super) fn told(&self) -> Told {
        use StatusCode as S;
        let told = Told::new;
        match self {
            Self::Invalid(faults) => {
                let fields: Vec<_> = faults
                    .iter()
                    .map(|fault| json!({ "field": fault.field, "message": fault.message }))
                    .collect();
                let messages: Vec<_> = faults.iter().map(|fault| fault.message).collect();
                let message = messages.join(" ");
                told(S::BAD_REQUEST, "common.validation_failed", &message)
                    .with(json!({ "fields": fields }))
            }
            Self::FactorNotAllowed => told(
                S::BAD_REQUEST,
                "mfa.factor_not_allowed",
                "That is not offered here.",
            ),
            Self::InvalidToken => told(
                S::UNAUTHORIZED,
                "auth.invalid_token",
                "Send an access token that is good: Authorization: Bearer.",
            ),
            Self::Credentials => told(
                S::UNAUTHORIZED,
                "auth.invalid_credentials",
                "Account, email and password do not belong together.",
            ),
            Self::StepUpRequired => told(
                S::UNAUTHORIZED,
                "mfa.step_up_required",
                "Prove a factor at /v1/identity/auth/mfa/step-up and send the token in \
                 x-mfa-step-up-token; it is good for one change.",
            ),
            Self::StepUpInvalid { tries_left } => told(
                S::UNAUTHORIZED,
                "mfa.step_up_invalid",
                "The factor was not proven. Use a fresh code.",
            )
            .with(json!({ "tries_left": tries_left })),
            Self::ChallengeInvalid => told(
                S::UNAUTHORIZED,
                "mfa.challenge_invalid",
                "The sign-in is over. Begin again with the password.",
            ),
            Self::CodeInvalid { tries_left } => told(
                S::UNAUTHORIZED,
                "mfa.code_invalid",
                "That code did not work. Use another one from your current list.",
            )
            .with(json!({ "tries_left": tries_left })),
            Self::EnrollmentInvalid => told(
                S::UNAUTHORIZED,
                "mfa.enrollment_invalid",
                "The enrollment is over. Start it again.",
            ),
            Self::WrongPrincipal => told(
                S::FORBIDDEN,
                "auth.wrong_principal",
                "This token is not authorized for this endpoint.",
            ),
            Self::Scope(scope) => told(
                S::FORBIDDEN,
                "auth.insufficient_scope",
                &format!("The token needs the scope {}.", scope.name()),
            ),
            Self::EnrollmentRequired => told(
                S::FORBIDDEN,
                "mfa.enrollment_required",
                "Enroll a factor first, at /v1/identity/auth/mfa/totp/enroll/start.",
            ),
            Self::FactorNotFound => told(
                S::NOT_FOUND,
                "mfa.factor_not_found",
                "There is no such factor among yours.",
            ),
            Self::DeviceNotFound => told(
                S::NOT_FOUND,
                "mfa.trusted_device_not_found",
                "There is no such trusted device among yours.",
            ),
            Self::SessionNotFound => told(
                S::NOT_FOUND,
                "auth.session_not_found",
                "There is no such session among yours.",
            ),
            Self::IdentityNotFound => told(
                S::NOT_FOUND,
                "identities.identity_not_found",
                "There is no such identity in this account.",
            ),
            Self::EnvironmentNotFound => told(
                S::NOT_FOUND,
                "environments.environment_not_found",
                "There is no such environment.",
            ),
            Self::NotFound => told(S::NOT_FOUND, "common.not_found", "There is nothing here."),
            Self::Method => told(
                S::METHOD_NOT_ALLOWED,
                "common.method_not_allowed",
                "Not by this method.",
            ),
            Self::KeyReused => told(
                S::CONFLICT,
                "common.idempotency_key_reused",
                "The idempotency key came with another request.",
            ),
            Self::KeySpent => told(
                S::CONFLICT,
                "common.idempotency_key_spent",
                "What was answered under this idempotency key can no longer be told.",
            ),
            Self::Conflict => told(
                S::CONFLICT,
                "common.conflict",
                "Not possible for this identity.",
            ),
            Self::TooLarge => told(
                S::PAYLOAD_TOO_LARGE,
                "common.payload_too_large",
                "The body is over 16 KiB.",
            ),
            Self::MediaType => told(
                S::UNSUPPORTED_MEDIA_TYPE,
                "common.unsupported_media_type",
                "Send application/json.",
            ),
            Self::RateLimited { wait } => waiting(
                "common.rate_limited",
                "Too many sign-ins.",
                *wait,
                json!({}),
            ),
            Self::Throttled { wait } => waiting(
                "mfa.throttled",
                "Too many codes were wrong.",
                *wait,
                json!({ "tries_left": 0 }),
            ),
            Self::Busy { wait } => told(
                S::SERVICE_UNAVAILABLE,
                "common.busy",
                "Nothing was changed and no attempt was counted. Try again.",
            )
            .with(json!({ "retry_after_seconds": wait })),
            Self::TimedOut => told(
                S::SERVICE_UNAVAILABLE,
                "common.timed_out",
                "It took too long.",
            ),
            Self::Internal { request_id } => told(
                S::INTERNAL_SERVER_ERROR,
                "common.internal",
                &format!(
                    "Something broke here. Nothing was changed. The request was {request_id}."
                ),
            ),
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

    /// What the credential should have been (RFC 6750, 3; for step-up RFC 9470, 3).
    pub(super) fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::StepUpRequired => {
                Some("Bearer error=\"insufficient_user_authentication\", max_age=\"300\"")
            }
            no if no.told().status == StatusCode::UNAUTHORIZED => Some("Bearer"),
            _ => None,
        }
    }
}

/// Too many were wrong: how long to wait, or that waiting does not help.
fn waiting(code: &'static str, what: &str, wait: Option<u64>, mut details: Value) -> Told {
    let then = match wait {
        Some(wait) => {
            details["retry_after_seconds"] = wait.into();
            format!("Wait for {wait} seconds.")
        }
        None => "Ask an administrator.".to_owned(),
    };
    Told::new(
        StatusCode::TOO_MANY_REQUESTS,
        code,
        &format!("{what} {then}"),
    )
    .with(details)
}

impl IntoResponse for No {
    fn into_response(self) -> Response<Body> {
        let told = self.told();
        let mut response = Response::new(Body::empty());
        *response.status_mut() = told.status;
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait));
        }
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        // The document follows: only the way out knows the address.
        response.extensions_mut().insert(told);
        response
    }
}

/// Gives every "no" on its way out its document.
pub(super) async fn addressed(request: Request, next: Next) -> Response<Body> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    with_address(next.run(request).await, &method, &path)
}

/// The same for one answer.
pub(super) fn with_address(
    mut response: Response<Body>,
    method: &Method,
    path: &str,
) -> Response<Body> {
    if let Some(told) = response.extensions_mut().remove::<Told>() {
        let body = told.body(method.as_str(), &repeatable(path)).to_string();
        *response.body_mut() = Body::from(body);
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
    }
    response
}

/// The longest part of a path that is repeated.
const PART_MAX: usize = 40;

/// A path as it may be repeated: nothing in it that may be a code or a token, wherever it strayed
/// from.
fn repeatable(path: &str) -> String {
    let parts: Vec<_> = path
        .split('/')
        .map(|part| {
            let known = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-._".contains(&c);
            let plain = part.len() <= PART_MAX && part.bytes().all(known);
            if plain && spare_key_core::Code::parse(part).is_err() {
                part
            } else {
                "…"
            }
        })
        .collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_repeated_but_for_what_may_be_a_secret() {
        for path in [
            "/v1/identity/auth/mfa/factors/7c3f7d3b-94c3-8c9e-8bd6-0d1f2f3c4b5a",
            "/portal/v1/accounts/dev/identities",
            "/",
        ] {
            assert_eq!(repeatable(path), path);
        }
        for stray in [
            "KZ3M-Q7TB-WJ5R-HXYN",
            "kz3m-q7tb-wj5r-hxyn",
            "kz3mq7tbwj5rhxyn",
            "su_2hVpQ1Yk4mXo7cJ3nZr8tWb5dLs0gEaUiFhKqPvNyMx",
            "a%20b",
        ] {
            let path = format!("/v1/identity/{stray}/x");
            assert_eq!(repeatable(&path), "/v1/identity/…/x", "{stray}");
        }
    }
}
