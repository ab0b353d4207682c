//! What this dialect says when it says no: problem documents (RFC 9457).
//!
//! A problem is a value first and an answer second, so that the handlers, the OpenAPI document and
//! the pages under `/problems/` speak from the same source. None of them holds a code.

pub(super) mod described;

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::{Map, Value, json};
use spare_key_core::ParseError;
use utoipa::ToSchema;

pub(super) use self::described::problems;
use crate::clock::rfc3339;
use crate::domain::Scope;
use crate::model::{Generation, Timestamp};

const MEDIA_TYPE: &str = "application/problem+json";

/// RFC 7617, 2 and 2.1: who asks here is asked in UTF-8.
const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"Spare Key\", charset=\"UTF-8\"");

/// Every "no" of this dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// Something in the request is not what it should be.
    BadRequest(Flaw),
    /// No client, an unknown one, or a wrong secret.
    Unauthorized,
    /// The client may not do this.
    InsufficientScope(Scope),
    /// The proof is missing, or too old to issue over a live batch.
    FreshProofRequired,
    /// Wrong, used, superseded, revoked, no batch, unknown account: one answer.
    CodeNotAccepted {
        tries_left: u32,
        retry_at: Option<Timestamp>,
    },
    /// The feature is off.
    RecoveryCodesOff,
    /// No such path, account or batch.
    NotFound,
    /// No batch waits.
    NoPendingBatch,
    /// Not by this method.
    MethodNotAllowed,
    /// Another batch waits.
    StaleGeneration { pending: Option<Generation> },
    /// One key, two requests; or its answer is gone.
    IdempotencyConflict,
    /// Right elsewhere, and not for an account that a host vouches for.
    OutOfPlace,
    /// The body is over the limit.
    ContentTooLarge,
    /// The body is no JSON by its own word.
    UnsupportedMediaType,
    /// Nobody said that the codes are saved.
    NotConfirmed,
    /// Cannot be a code.
    MalformedCode(ParseError),
    /// Too many wrong codes; `wait` in seconds, where waiting helps.
    Throttled {
        retry_at: Option<Timestamp>,
        wait: Option<u64>,
    },
    /// Something broke here.
    Internal { request_id: String },
    /// The hash pool is full.
    Busy { wait: u64 },
    /// It took too long.
    TimedOut,
}

/// What is wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    place: Place,
    detail: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// The request at large.
    Anywhere,
    /// A member of the body, by its JSON pointer (RFC 6901).
    Member(String),
    /// A parameter of the path, the query or the header.
    Parameter(&'static str),
}

impl Problem {
    /// The request at large is not understood.
    pub(super) fn unreadable(detail: &'static str) -> Self {
        let place = Place::Anywhere;
        Self::BadRequest(Flaw { place, detail })
    }

    /// The member at this JSON pointer is not what it should be.
    pub(super) fn member(pointer: impl Into<String>, detail: &'static str) -> Self {
        let place = Place::Member(pointer.into());
        Self::BadRequest(Flaw { place, detail })
    }

    /// This parameter is not what it should be.
    pub(super) fn parameter(name: &'static str, detail: &'static str) -> Self {
        let place = Place::Parameter(name);
        Self::BadRequest(Flaw { place, detail })
    }

    /// The problem behind a status that no handler gave.
    pub(super) fn of_status(status: StatusCode, request_id: &str) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::SERVICE_UNAVAILABLE => Self::TimedOut,
            _ => Self::Internal {
                request_id: request_id.to_owned(),
            },
        }
    }

    /// One of each kind, as an example.
    pub(super) fn samples() -> Vec<Self> {
        let retry_at = Timestamp(1_795_219_230_000);
        vec![
            Self::member("/count", "The count of a list is 1 to 16."),
            Self::Unauthorized,
            Self::InsufficientScope(Scope::Issue),
            Self::FreshProofRequired,
            Self::CodeNotAccepted {
                tries_left: 9,
                retry_at: None,
            },
            Self::RecoveryCodesOff,
            Self::NotFound,
            Self::NoPendingBatch,
            Self::MethodNotAllowed,
            Self::StaleGeneration {
                pending: Some(Generation(3)),
            },
            Self::IdempotencyConflict,
            Self::OutOfPlace,
            Self::ContentTooLarge,
            Self::UnsupportedMediaType,
            Self::NotConfirmed,
            Self::MalformedCode(ParseError::Length { got: 15, want: 16 }),
            Self::Throttled {
                retry_at: Some(retry_at),
                wait: Some(30),
            },
            Self::Internal {
                request_id: "GLvLyxnDRfyN4ERt".to_owned(),
            },
            Self::Busy { wait: 1 },
            Self::TimedOut,
        ]
    }

    /// The last part of its type, which clients key on; its status; its title.
    const fn kind(&self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::BadRequest(_) => (
                "bad-request",
                StatusCode::BAD_REQUEST,
                "The request is not understood",
            ),
            Self::Unauthorized => (
                "unauthorized",
                StatusCode::UNAUTHORIZED,
                "The client is not known",
            ),
            Self::InsufficientScope(_) => (
                "insufficient-scope",
                StatusCode::FORBIDDEN,
                "The client may not do this",
            ),
            Self::FreshProofRequired => (
                "fresh-proof-required",
                StatusCode::FORBIDDEN,
                "A fresh proof is required",
            ),
            Self::CodeNotAccepted { .. } => (
                "code-not-accepted",
                StatusCode::FORBIDDEN,
                "The code was not accepted",
            ),
            Self::RecoveryCodesOff => (
                "recovery-codes-off",
                StatusCode::FORBIDDEN,
                "Recovery codes are switched off",
            ),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is nothing here"),
            Self::NoPendingBatch => (
                "no-pending-batch",
                StatusCode::NOT_FOUND,
                "No batch is pending",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "Not by this method",
            ),
            Self::StaleGeneration { .. } => (
                "stale-generation",
                StatusCode::CONFLICT,
                "That batch is not the pending one",
            ),
            Self::IdempotencyConflict => (
                "idempotency-conflict",
                StatusCode::CONFLICT,
                "The idempotency key is taken",
            ),
            Self::OutOfPlace => (
                "out-of-place",
                StatusCode::CONFLICT,
                "Not possible for this account",
            ),
            Self::ContentTooLarge => (
                "content-too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body is not JSON",
            ),
            Self::NotConfirmed => (
                "not-confirmed",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The codes are not confirmed as saved",
            ),
            Self::MalformedCode(_) => (
                "malformed-code",
                StatusCode::UNPROCESSABLE_ENTITY,
                "This cannot be a recovery code",
            ),
            Self::Throttled { .. } => (
                "throttled",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many codes were wrong",
            ),
            Self::Internal { .. } => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something broke here",
            ),
            Self::Busy { .. } => ("busy", StatusCode::SERVICE_UNAVAILABLE, "Busy"),
            Self::TimedOut => (
                "timed-out",
                StatusCode::SERVICE_UNAVAILABLE,
                "It took too long",
            ),
        }
    }

    /// The last part of its type.
    pub(super) const fn name(&self) -> &'static str {
        self.kind().0
    }

    /// The status it is answered with.
    pub(super) const fn status(&self) -> StatusCode {
        self.kind().1
    }

    /// What it is, the same every time.
    pub(super) const fn title(&self) -> &'static str {
        self.kind().2
    }

    /// What to do about it.
    pub(super) fn detail(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::BadRequest(Flaw { detail, .. }) => detail,
            Self::Unauthorized => {
                "Send the client's identifier and secret as HTTP Basic credentials."
            }
            Self::InsufficientScope(scope) => {
                let scope = scope.name();
                return format!("Use a client that has the scope {scope}.").into();
            }
            Self::FreshProofRequired => {
                "Say in `proof` which factor the person has proven and when. To issue over a live \
                 batch, that was within the last 5 minutes, or an administrator answers for it."
            }
            Self::CodeNotAccepted { .. } => {
                "Ask for another code of the newest sheet. A used code is not accepted again."
            }
            Self::RecoveryCodesOff => {
                "Switch recovery codes on in this server's settings. None are issued until then."
            }
            Self::NotFound => "Check the path, the account and the generation.",
            Self::NoPendingBatch => {
                "Stage a new batch. The last one was activated, given up, or has run out."
            }
            Self::MethodNotAllowed => "Use a method that `Allow` names.",
            Self::StaleGeneration { pending: Some(_) } => {
                "Show the pending batch, whose number is in `generation`, and activate that one."
            }
            Self::StaleGeneration { pending: None } => {
                "Stage a new batch and activate that one. None is pending."
            }
            Self::IdempotencyConflict => {
                "Use a new key. This one came with another request, or its codes can no longer be \
                 shown."
            }
            Self::OutOfPlace => "Use the pages: this account's factors are kept there.",
            Self::ContentTooLarge => "Send at most 16 KiB.",
            Self::UnsupportedMediaType => "Send JSON, and `Content-Type: application/json`.",
            Self::NotConfirmed => {
                "Send {\"saved\":true} once the person has said that the codes are saved."
            }
            Self::MalformedCode(error) => return malformed_detail(*error),
            Self::Throttled {
                retry_at: Some(_), ..
            } => "Try again at `retry_at`. The person's other ways to sign in still work.",
            Self::Throttled { retry_at: None, .. } => {
                "Waiting does not help any more. Issue a new batch after the person has proven \
                 another factor, or on an administrator's word."
            }
            Self::Internal { .. } => {
                "Nothing was changed. Try again, and name the `request_id` to whoever runs this \
                 server if it stays."
            }
            Self::Busy { .. } => "Nothing was charged. Try again after `Retry-After` seconds.",
            Self::TimedOut => "Ask for the account's status before trying again.",
        })
    }

    /// Its extension members.
    fn members(&self) -> Map<String, Value> {
        let time = |at: &Option<Timestamp>| at.map(rfc3339);
        let members = match self {
            Self::BadRequest(Flaw { place, .. }) => match place {
                Place::Anywhere => json!({}),
                Place::Member(pointer) => json!({ "pointer": pointer }),
                Place::Parameter(name) => json!({ "parameter": name }),
            },
            Self::InsufficientScope(scope) => json!({ "scope": scope.name() }),
            Self::CodeNotAccepted {
                tries_left,
                retry_at,
            } => json!({ "tries_left": tries_left, "retry_at": time(retry_at) }),
            Self::StaleGeneration { pending } => {
                json!({ "generation": pending.map(|generation| generation.0) })
            }
            Self::MalformedCode(error) => {
                let (reason, at, missing) = match error {
                    ParseError::Empty => ("empty", None, None),
                    ParseError::Length { got, want } => ("length", None, want.checked_sub(*got)),
                    ParseError::Symbol { at } => ("symbol", Some(*at), None),
                    ParseError::Check => ("check", None, None),
                };
                json!({ "reason": reason, "at": at, "missing": missing })
            }
            Self::Throttled { retry_at, .. } => json!({ "retry_at": time(retry_at) }),
            Self::Internal { request_id } => json!({ "request_id": request_id }),
            Self::Unauthorized
            | Self::FreshProofRequired
            | Self::RecoveryCodesOff
            | Self::NotFound
            | Self::NoPendingBatch
            | Self::MethodNotAllowed
            | Self::IdempotencyConflict
            | Self::OutOfPlace
            | Self::ContentTooLarge
            | Self::UnsupportedMediaType
            | Self::NotConfirmed
            | Self::Busy { .. }
            | Self::TimedOut => json!({}),
        };
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }

    /// The document as it is sent.
    pub(super) fn document(&self) -> Document {
        Document {
            kind: format!("/problems/{}", self.name()),
            title: self.title(),
            status: self.status().as_u16(),
            detail: self.detail(),
            members: self.members(),
        }
    }

    /// In seconds, where waiting helps (RFC 9110, 10.2.3).
    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Throttled { wait, .. } => *wait,
            Self::Busy { wait } => Some(*wait),
            _ => None,
        }
    }
}

fn malformed_detail(error: ParseError) -> Cow<'static, str> {
    match error {
        ParseError::Empty => "Ask for a code. Nothing was typed.".into(),
        ParseError::Length { got, want } => match want.checked_sub(got) {
            Some(1) => "Ask for the code again. One symbol is missing.".into(),
            Some(missing) => {
                format!("Ask for the code again. {missing} symbols are missing.").into()
            }
            None => "Ask for the code again. It is too long.".into(),
        },
        ParseError::Symbol { at } => format!(
            "Ask for the code again. Codes have the letters A to Z and the digits 2 to 7, and \
             symbol {} is none of them.",
            at.saturating_add(1)
        )
        .into(),
        ParseError::Check => "Ask for the code again. There is a typing error in it.".into(),
    }
}

/// A problem document. Some types have further members, which each says of itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Document {
    /// What went wrong, for programs: `/problems/` and a stable name.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference", example = "/problems/not-found")]
    kind: String,
    /// What went wrong, for people; the same for every problem of this type.
    #[schema(value_type = String)]
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What to do about it.
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
    #[serde(flatten)]
    #[schema(ignore)]
    members: Map<String, Value>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let text = serde_json::to_vec(&self.document()).unwrap_or_default();
        let kind = [(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
        let mut response = (self.status(), kind, text).into_response();
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if self == Self::Unauthorized {
            response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Row A-88.
    #[test]
    fn every_kind_has_a_type_of_its_own_and_says_what_to_do() {
        let samples = Problem::samples();
        let names: BTreeSet<_> = samples.iter().map(Problem::name).collect();
        assert_eq!(names.len(), samples.len());
        for problem in samples {
            let detail = problem.detail();
            assert!(
                detail.len() > 15 && detail.ends_with('.'),
                "{}: {detail}",
                problem.name()
            );
            // RFC 9457, 3.2: the names of extensions are letters, digits and `_`, three at least.
            for name in problem.members().keys() {
                assert!(name.len() >= 3 || name == "at", "{name}");
                assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            }
        }
    }
}
