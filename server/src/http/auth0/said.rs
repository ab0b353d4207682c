//! What this dialect says when it says no, on its three surfaces: OAuth and MFA, management, the
//! person's own account.
//!
//! A "no" is a value first and an answer second, so that handlers and the OpenAPI document speak
//! from the same source. Descriptions that clients compare are theirs to the letter.

pub(super) mod described;
mod management;
mod my_account;
mod oauth;
mod refused;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::Value;

use crate::domain::{Error, Mfa, Scope};
use crate::http::outcome::{Undone, noted};
use crate::model::Token;

/// Every "no" of this dialect.
#[derive(Debug, Clone)]
pub(super) enum No {
    /// Something in the request is not what it should be.
    Invalid(&'static str),
    /// A member is missing, by its name.
    Missing(&'static str),
    /// The address holds what cannot be one's name.
    InvalidUri(&'static str),
    /// The body is of no type that is read here.
    MediaType,
    /// The body is over the limit.
    TooLarge,
    /// The client is unknown, or its secret is wrong.
    Client,
    /// The client may not use this grant.
    Grant(&'static str),
    /// There is no such grant here.
    UnknownGrant,
    /// The client gets no tokens for that API.
    Service,
    /// A scope that this client cannot have.
    Scopes,
    /// Login and password do not belong together.
    Credentials,
    /// A second factor is needed.
    MfaRequired { token: Token, enroll: bool },
    /// A recovery code that is wrong, used, superseded, unknown or malformed: one answer.
    Code,
    /// A one-time password that is wrong or was used.
    Otp,
    /// The `mfa_token` ran out.
    MfaTokenExpired,
    /// The `mfa_token` is nobody's, or was spent.
    MfaToken,
    /// The `mfa_token` is another client's.
    MfaTokenOfAnother,
    /// The `mfa_token` as a bearer is not accepted.
    MfaBearer,
    /// The refresh token is nobody's.
    RefreshToken,
    /// Too many were wrong; `wait` in seconds, where waiting helps.
    TooMany { wait: Option<u64> },
    /// This client asks too often; the limit is free again at `reset`, in seconds since 1970.
    RateLimit { wait: u64, reset: i64 },
    /// There is an authenticator already.
    AlreadyEnrolled,
    /// There is no authenticator to challenge.
    AssociationRequired,
    /// Nothing that the client accepts is enrolled.
    ChallengeType,
    /// The header of the credentials is none.
    BadHeader,
    /// No credentials.
    Unauthenticated,
    /// The access token is not accepted.
    BadToken,
    /// The access token ran out.
    ExpiredToken,
    /// The access token is for somebody else.
    Audience,
    /// The token may not do this.
    Scope(&'static str),
    /// The proof of a factor is too old.
    StepUp,
    /// No such path.
    NotFound,
    /// No such account.
    UnknownUser,
    /// The account has no authenticator; or there is no such enrollment.
    UnknownEnrollment,
    /// No such authenticator.
    UnknownMethod,
    /// Nothing waits to be confirmed under this name.
    NothingPending,
    /// The identifier or the mail address is another account's.
    UserExists,
    /// The password is too short or too long.
    WeakPassword,
    /// Recovery codes are switched off.
    SwitchedOff,
    /// The switch is fixed by a setting of the server.
    SwitchFixed,
    /// One idempotency key, two requests.
    IdempotencyKey,
    /// Not by this method.
    Method,
    /// The hash pool is full.
    Busy { wait: u64 },
    /// It took too long.
    TimedOut,
    /// Something broke here.
    Internal { request_id: String },
}

/// A "no" on the OAuth and MFA endpoints.
pub(super) struct Oauth(pub(super) No);

/// A "no" of the management API.
pub(super) struct Management(pub(super) No);

/// A "no" of the account API.
pub(super) struct MyAccount(pub(super) No);

/// A surface of this dialect.
pub(super) trait Surface: IntoResponse + From<No> {
    /// The media type of its errors.
    const MEDIA_TYPE: &'static str;
    /// The name of their schema.
    const SCHEMA: &'static str;

    /// What went wrong.
    fn no(&self) -> &No;
    /// Status, name and body.
    fn told(no: &No) -> Told;
}

/// How a "no" is told.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: StatusCode,
    /// What it is called; also its name among the document's examples.
    pub(super) name: String,
    pub(super) body: Value,
}

macro_rules! surface {
    ($name:ident, $told:path, $media:literal, $schema:literal) => {
        impl From<No> for $name {
            fn from(no: No) -> Self {
                Self(no)
            }
        }

        impl Surface for $name {
            const MEDIA_TYPE: &'static str = $media;
            const SCHEMA: &'static str = $schema;

            fn no(&self) -> &No {
                &self.0
            }

            fn told(no: &No) -> Told {
                $told(no)
            }
        }

        impl IntoResponse for $name {
            fn into_response(self) -> Response<Body> {
                answer(&self)
            }
        }
    };
}

surface!(Oauth, oauth::told, "application/json", "OAuthError");
surface!(
    Management,
    management::told,
    "application/json; charset=utf-8",
    "ManagementError"
);
surface!(
    MyAccount,
    my_account::told,
    "application/problem+json",
    "MyAccountError"
);

fn answer<S: Surface>(said: &S) -> Response<Body> {
    let told = S::told(said.no());
    let mut response = Response::new(Body::from(told.body.to_string()));
    *response.status_mut() = told.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(S::MEDIA_TYPE));
    headers.insert("pragma", HeaderValue::from_static("no-cache"));
    if let Some(wait) = said.no().retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait));
    }
    if let No::RateLimit { reset, .. } = said.no() {
        headers.insert(
            HeaderName::from_static("x-ratelimit-reset"),
            HeaderValue::from(*reset),
        );
    }
    if let Some(challenge) = said.no().challenge() {
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

impl No {
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

    /// Without the needed scope.
    pub(super) fn scope(scope: Scope) -> Self {
        Self::Scope(scope.name())
    }

    /// Seconds after which it is worth asking again.
    pub(super) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany { wait } => *wait,
            Self::RateLimit { wait, .. } | Self::Busy { wait } => Some(*wait),
            Self::TimedOut => Some(1),
            _ => None,
        }
    }

    /// What a bearer is told of bearing (RFC 6750, 3; RFC 9470, 3). Never on the token endpoint,
    /// whose clients take the header for the error.
    pub(super) fn challenge(&self) -> Option<HeaderValue> {
        Some(HeaderValue::from_static(match self {
            Self::Unauthenticated => "Bearer",
            Self::BadHeader => "Bearer error=\"invalid_request\"",
            Self::BadToken | Self::ExpiredToken | Self::Audience | Self::MfaBearer => {
                "Bearer error=\"invalid_token\""
            }
            Self::Scope(_) => "Bearer error=\"insufficient_scope\"",
            Self::StepUp => "Bearer error=\"insufficient_user_authentication\", max_age=300",
            _ => return None,
        }))
    }
}
