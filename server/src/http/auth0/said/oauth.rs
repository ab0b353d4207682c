//! `{"error", "error_description"}` (RFC 6749, 5.2), in the words that Auth0's clients compare.

use axum::http::StatusCode;
use serde_json::json;

use super::{No, Told};

pub(super) fn told(no: &No) -> Told {
    use StatusCode as S;
    let missing;
    let grant;
    let scope;
    let (status, error, description): (S, &str, &str) = match no {
        No::Missing(name) => {
            missing = format!("Missing required parameter: {name}");
            (S::BAD_REQUEST, "invalid_request", &missing)
        }
        No::Invalid(text) | No::InvalidUri(text) => (S::BAD_REQUEST, "invalid_request", text),
        No::BadHeader => (
            S::BAD_REQUEST,
            "invalid_request",
            "Send credentials once, as Authorization: Bearer TOKEN.",
        ),
        No::MediaType => (
            S::UNSUPPORTED_MEDIA_TYPE,
            "invalid_request",
            "Send application/x-www-form-urlencoded or application/json.",
        ),
        No::TooLarge => (
            S::PAYLOAD_TOO_LARGE,
            "invalid_request",
            "The body is too large.",
        ),
        No::Client => (S::UNAUTHORIZED, "access_denied", "Unauthorized"),
        No::Grant(name) => {
            grant = format!("Grant type '{name}' not allowed for the client.");
            (S::FORBIDDEN, "unauthorized_client", &grant)
        }
        No::UnknownGrant => (
            S::FORBIDDEN,
            "unsupported_grant_type",
            "Unsupported grant type",
        ),
        No::Service => (
            S::FORBIDDEN,
            "access_denied",
            "Client is not authorized to access that audience. Grant it with: spare-key client add",
        ),
        No::Scopes => (
            S::FORBIDDEN,
            "invalid_scope",
            "The client has no such scope.",
        ),
        No::Credentials => (S::FORBIDDEN, "invalid_grant", "Wrong email or password."),
        No::MfaRequired { .. } => (
            S::FORBIDDEN,
            "mfa_required",
            "Multifactor authentication required",
        ),
        No::Code => (S::FORBIDDEN, "invalid_grant", "MFA Authorization rejected."),
        No::Otp => (S::FORBIDDEN, "invalid_grant", "Invalid otp_code."),
        No::MfaTokenExpired => (S::FORBIDDEN, "expired_token", "mfa_token is expired"),
        No::MfaToken => (S::FORBIDDEN, "invalid_grant", "Malformed mfa_token"),
        No::MfaTokenOfAnother => (
            S::BAD_REQUEST,
            "invalid_request",
            "mfa_token not issued to this client",
        ),
        No::MfaBearer => (
            S::UNAUTHORIZED,
            "invalid_grant",
            "The mfa_token provided is invalid. Try getting a new token.",
        ),
        No::RefreshToken => (
            S::FORBIDDEN,
            "invalid_grant",
            "Unknown or invalid refresh token.",
        ),
        No::TooMany { .. } => (
            S::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "Too many failed codes. Wait for some minutes before retrying.",
        ),
        No::RateLimit { .. } => (
            S::TOO_MANY_REQUESTS,
            "too_many_requests",
            "Global limit has been reached",
        ),
        No::AlreadyEnrolled => (S::FORBIDDEN, "access_denied", "User is already enrolled."),
        No::AssociationRequired | No::UnknownEnrollment => (
            S::FORBIDDEN,
            "association_required",
            "User does not have any active authenticators. Associate one first.",
        ),
        No::ChallengeType => (
            S::UNAUTHORIZED,
            "unsupported_challenge_type",
            "User does not have any of the accepted authenticator types.",
        ),
        No::Unauthenticated => (S::UNAUTHORIZED, "unauthorized", "Missing authentication"),
        No::BadToken | No::ExpiredToken | No::Audience => {
            (S::UNAUTHORIZED, "invalid_token", "Invalid token")
        }
        No::Scope(name) => {
            scope = format!("Insufficient scope, expected any of: {name}");
            (S::FORBIDDEN, "insufficient_scope", &scope)
        }
        No::StepUp => (
            S::UNAUTHORIZED,
            "insufficient_user_authentication",
            "Prove a factor again: it is more than five minutes ago.",
        ),
        No::NotFound | No::UnknownUser => (S::NOT_FOUND, "not_found", "There is nothing here."),
        No::UnknownMethod | No::NothingPending => {
            (S::NOT_FOUND, "not_found", "Authenticator not found")
        }
        No::SwitchedOff => (
            S::FORBIDDEN,
            "access_denied",
            "Recovery codes are switched off.",
        ),
        No::UserExists | No::SwitchFixed | No::IdempotencyKey => (
            S::CONFLICT,
            "invalid_request",
            "Something else was changed meanwhile.",
        ),
        No::WeakPassword => (
            S::BAD_REQUEST,
            "invalid_request",
            "The password is too weak.",
        ),
        No::Method => (
            S::METHOD_NOT_ALLOWED,
            "invalid_request",
            "Not by this method.",
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
            "server_error",
            "Something broke here. Nothing was changed.",
        ),
    };
    let mut body = json!({ "error": error, "error_description": description });
    match no {
        No::MfaRequired { token, enroll } => {
            body["mfa_token"] = json!(token.reveal());
            let what = if *enroll { "enroll" } else { "challenge" };
            body["mfa_requirements"] = json!({ what: [{ "type": "otp" }] });
        }
        No::Internal { request_id } => body["request_id"] = json!(request_id),
        _ => {}
    }
    Told {
        status,
        name: error.to_owned(),
        body,
    }
}
