//! Problem documents (RFC 9457), as the account API has them.

use axum::http::StatusCode;
use serde_json::json;

use super::{No, Told};

pub(super) fn told(no: &No) -> Told {
    use StatusCode as S;
    let text;
    let (status, code, title, detail): (S, &str, &str, &str) = match no {
        No::Invalid(detail) | No::InvalidUri(detail) => {
            (S::BAD_REQUEST, "A0E-400-0001", "Bad Request", detail)
        }
        No::Missing(name) => {
            text = format!("The member {name} is required.");
            (S::BAD_REQUEST, "A0E-400-0001", "Bad Request", &text)
        }
        No::BadHeader => (
            S::BAD_REQUEST,
            "A0E-400-0003",
            "Bad Request",
            "Send credentials once, as Authorization: Bearer TOKEN.",
        ),
        No::MediaType => (
            S::UNSUPPORTED_MEDIA_TYPE,
            "A0E-415-0001",
            "Unsupported Media Type",
            "Send application/json.",
        ),
        No::TooLarge => (
            S::PAYLOAD_TOO_LARGE,
            "A0E-413-0001",
            "Content Too Large",
            "The body is too large.",
        ),
        No::Unauthenticated => (
            S::UNAUTHORIZED,
            "A0E-401-0001",
            "Unauthorized",
            "Send an access token.",
        ),
        No::BadToken | No::Audience | No::MfaBearer | No::Client => (
            S::UNAUTHORIZED,
            "A0E-401-0003",
            "Invalid Token",
            "The access token is not accepted here.",
        ),
        No::ExpiredToken => (
            S::UNAUTHORIZED,
            "A0E-401-0004",
            "Expired Token",
            "The access token has run out.",
        ),
        No::StepUp => (
            S::UNAUTHORIZED,
            "A0E-401-0005",
            "Step-up Required",
            "Prove a factor again: it is more than five minutes ago.",
        ),
        No::Scope(name) => {
            text = format!("The access token needs the scope {name}.");
            (S::FORBIDDEN, "A0E-403-0001", "Insufficient Scope", &text)
        }
        No::SwitchedOff => (
            S::FORBIDDEN,
            "A0E-403-0002",
            "Not Enabled",
            "Recovery codes are switched off.",
        ),
        No::NotFound | No::UnknownUser | No::UnknownMethod | No::NothingPending => (
            S::NOT_FOUND,
            "A0E-404-0001",
            "Not Found",
            "There is nothing here, or it has run out.",
        ),
        No::UnknownEnrollment => (
            S::CONFLICT,
            "A0E-409-0001",
            "No Authenticator",
            "Codes are never the only factor: set up an authenticator first.",
        ),
        No::Method => (
            S::METHOD_NOT_ALLOWED,
            "A0E-405-0001",
            "Method Not Allowed",
            "Not by this method.",
        ),
        No::IdempotencyKey => (
            S::CONFLICT,
            "A0E-409-0002",
            "Idempotency Conflict",
            "The idempotency key came with another request, or its answer can no longer be given.",
        ),
        No::RateLimit { .. } | No::TooMany { .. } => (
            S::TOO_MANY_REQUESTS,
            "A0E-429-0001",
            "Too Many Requests",
            "Wait before the next request.",
        ),
        No::Busy { .. } => (
            S::SERVICE_UNAVAILABLE,
            "A0E-503-0001",
            "Busy",
            "Nothing was changed; try again.",
        ),
        No::TimedOut => (
            S::SERVICE_UNAVAILABLE,
            "A0E-503-0002",
            "Timed Out",
            "It took too long.",
        ),
        No::Internal { .. } => (
            S::INTERNAL_SERVER_ERROR,
            "A0E-500-0001",
            "Internal Error",
            "Something broke here. Nothing was changed.",
        ),
        // Of signing in and of managing: nothing here asks for them.
        No::Grant(_)
        | No::UnknownGrant
        | No::Service
        | No::Scopes
        | No::Credentials
        | No::MfaRequired { .. }
        | No::Code
        | No::Otp
        | No::MfaTokenExpired
        | No::MfaToken
        | No::MfaTokenOfAnother
        | No::RefreshToken
        | No::AlreadyEnrolled
        | No::AssociationRequired
        | No::ChallengeType
        | No::UserExists
        | No::WeakPassword
        | No::SwitchFixed => (
            S::CONFLICT,
            "A0E-409-0003",
            "Conflict",
            "Not possible for this account.",
        ),
    };
    let mut body = json!({
        "type": format!("https://auth0.com/api-errors#{code}"),
        "status": status.as_u16(),
        "title": title,
        "detail": detail,
    });
    match no {
        No::Invalid(_) => body["validation_errors"] = json!([{ "detail": detail }]),
        No::Missing(name) => {
            body["validation_errors"] = json!([{ "detail": detail, "field": name }]);
        }
        No::Internal { request_id } => body["request_id"] = json!(request_id),
        _ => {}
    }
    Told {
        status,
        name: code.to_owned(),
        body,
    }
}
