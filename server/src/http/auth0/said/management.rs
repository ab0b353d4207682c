//! `{"statusCode", "error", "message", "errorCode"}`, as the management API has it.

use axum::http::StatusCode;
use serde_json::json;

use super::{No, Told};

pub(super) fn told(no: &No) -> Told {
    use StatusCode as S;
    let text;
    let (status, code, message): (S, &str, &str) = match no {
        No::Invalid(detail) => {
            text = format!("Payload validation error: '{detail}'");
            (S::BAD_REQUEST, "invalid_body", &text)
        }
        No::Missing(name) => {
            text = format!("Payload validation error: 'Missing required property: {name}'");
            (S::BAD_REQUEST, "invalid_body", &text)
        }
        No::InvalidUri(detail) => {
            text = format!("Path validation error: '{detail}'");
            (S::BAD_REQUEST, "invalid_uri", &text)
        }
        No::BadHeader => (
            S::BAD_REQUEST,
            "Bearer",
            "Bad HTTP authentication header format",
        ),
        No::MediaType => (
            S::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send application/json.",
        ),
        No::TooLarge => (
            S::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            "The body is too large.",
        ),
        No::Unauthenticated => (S::UNAUTHORIZED, "", "Missing authentication"),
        No::ExpiredToken => (
            S::UNAUTHORIZED,
            "",
            "Expired token received for JSON Web Token validation",
        ),
        No::Audience => (S::UNAUTHORIZED, "", "Bad audience"),
        No::BadToken | No::Client | No::MfaBearer => (S::UNAUTHORIZED, "", "Invalid token"),
        No::Scope(name) => {
            text = format!("Insufficient scope, expected any of: {name}");
            (S::FORBIDDEN, "insufficient_scope", &text)
        }
        No::UnknownUser => (S::NOT_FOUND, "inexistent_user", "The user does not exist."),
        No::UnknownEnrollment => (S::NOT_FOUND, "enrollment_not_found", "Enrollment not found"),
        No::UnknownMethod | No::NothingPending => (
            S::NOT_FOUND,
            "authentication_method_not_found",
            "Authentication method not found",
        ),
        No::NotFound => (S::NOT_FOUND, "not_found", "Not Found"),
        No::UserExists => (S::CONFLICT, "auth0_idp_error", "The user already exists."),
        No::WeakPassword => (
            S::BAD_REQUEST,
            "invalid_body",
            "PasswordStrengthError: Password is too weak: it has 8 to 256 characters.",
        ),
        No::SwitchedOff => (
            S::FORBIDDEN,
            "feature_not_enabled",
            "Recovery codes are switched off; PUT /api/v2/guardian/factors/recovery-code \
             switches them on.",
        ),
        No::SwitchFixed => (
            S::CONFLICT,
            "fixed_by_configuration",
            "The server was started with --recovery-codes; without it, this call switches them.",
        ),
        No::IdempotencyKey => (
            S::CONFLICT,
            "idempotency_conflict",
            "The idempotency key came with another request, or its answer can no longer be given.",
        ),
        No::Method => (
            S::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Not by this method.",
        ),
        No::RateLimit { .. } => (
            S::TOO_MANY_REQUESTS,
            "too_many_requests",
            "Global limit has been reached",
        ),
        No::TooMany { .. } => (
            S::TOO_MANY_REQUESTS,
            "too_many_requests",
            "Too many failed attempts",
        ),
        No::Busy { .. } => (
            S::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "Busy. Nothing was changed; try again.",
        ),
        No::TimedOut => (
            S::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "It took too long.",
        ),
        No::Internal { .. } => (
            S::INTERNAL_SERVER_ERROR,
            "internal_error",
            "Something broke here. Nothing was changed.",
        ),
        // Of signing in and of people's own factors: nothing here asks for them.
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
        | No::StepUp => (
            S::CONFLICT,
            "operation_not_supported",
            "Not possible for this account.",
        ),
    };
    let reason = status.canonical_reason().unwrap_or("Error");
    let mut body = json!({
        "statusCode": status.as_u16(),
        "error": reason,
        "message": message,
    });
    match code {
        "" => body["attributes"] = json!({ "error": message }),
        code => body["errorCode"] = json!(code),
    }
    if let No::Internal { request_id } = no {
        body["requestId"] = json!(request_id);
    }
    let name = match code {
        "" => message.to_ascii_lowercase().replace(' ', "_"),
        code => code.to_owned(),
    };
    Told { status, name, body }
}
