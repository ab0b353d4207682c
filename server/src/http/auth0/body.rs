//! Bodies, as the clients of this dialect send them: forms or JSON, `null` for absent, any
//! charset's name, members that nobody here knows. Nothing of their content is repeated.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::said::{No, Oauth, Surface};
use crate::http::Web;
use crate::http::idempotency::sent_key;

/// What a body says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Form,
    Json,
    Nothing,
    Other,
}

fn kind(headers: &HeaderMap) -> Kind {
    let mut sent = headers.get_all(CONTENT_TYPE).iter();
    let Some(value) = sent.next() else {
        return Kind::Nothing;
    };
    let value = value.to_str().unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    if sent.next().is_some() {
        Kind::Other
    } else if essence.eq_ignore_ascii_case("application/json") {
        Kind::Json
    } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        Kind::Form
    } else {
        Kind::Other
    }
}

async fn bytes(request: Request, web: &Web) -> Result<Bytes, No> {
    Bytes::from_request(request, web).await.map_err(|refused| {
        match refused.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => No::TooLarge,
            _ => No::Invalid("The body did not arrive."),
        }
    })
}

/// The caller's idempotency key, if it sent one.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, No> {
    sent_key(headers).map_err(|_| {
        No::Invalid("The Idempotency-Key is 1 to 255 visible ASCII characters, sent once.")
    })
}

/// The parameters of a request to the token endpoint.
pub(super) struct Params(BTreeMap<String, Zeroizing<String>>);

impl Params {
    /// This parameter; an empty one is as good as none (RFC 6749, 3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|value| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// This parameter, which must be there.
    pub(super) fn need(&self, name: &'static str) -> Result<&str, No> {
        self.get(name).ok_or(No::Missing(name))
    }

    fn form(bytes: &[u8]) -> Result<Self, No> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes)
            .map_err(|_| No::Invalid("The body is not a form."))?;
        let mut params = BTreeMap::new();
        for (name, value) in pairs {
            if params.insert(name, Zeroizing::new(value)).is_some() {
                // RFC 6749, 3.2.
                return Err(No::Invalid("A parameter is there twice."));
            }
        }
        Ok(Self(params))
    }

    fn json(bytes: &[u8]) -> Result<Self, No> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|_| No::Invalid("The body is not JSON."))?;
        let Value::Object(members) = value else {
            return Err(No::Invalid("The body is not a JSON object."));
        };
        let mut params = BTreeMap::new();
        for (name, value) in members {
            let text = match value {
                Value::Null => continue,
                Value::String(text) => text,
                Value::Number(number) => number.to_string(),
                Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                    // Only what is read here must be a text.
                    if READ.contains(&name.as_str()) {
                        return Err(No::Invalid("A parameter is not a string."));
                    }
                    continue;
                }
            };
            params.insert(name, Zeroizing::new(text));
        }
        Ok(Self(params))
    }
}

/// The parameters that are read at the token endpoint.
const READ: [&str; 13] = [
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "username",
    "password",
    "realm",
    "audience",
    "scope",
    "mfa_token",
    "otp",
    "recovery_code",
    "refresh_token",
];

impl FromRequest<Web> for Params {
    type Rejection = Oauth;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Oauth> {
        let kind = kind(request.headers());
        let bytes = bytes(request, web).await?;
        Ok(match kind {
            Kind::Form => Self::form(&bytes)?,
            Kind::Json => Self::json(&bytes)?,
            Kind::Nothing if bytes.is_empty() => Self(BTreeMap::new()),
            Kind::Nothing | Kind::Other => return Err(No::MediaType.into()),
        })
    }
}

/// A JSON body that is answered on this surface.
pub(super) struct Json<T, S>(pub(super) T, pub(super) PhantomData<S>);

impl<T: DeserializeOwned + Send, S: Surface + Send> FromRequest<Web> for Json<T, S> {
    type Rejection = S;

    async fn from_request(request: Request, web: &Web) -> Result<Self, S> {
        let kind = kind(request.headers());
        let bytes = bytes(request, web).await?;
        match kind {
            Kind::Json => {}
            Kind::Nothing if bytes.is_empty() => {}
            Kind::Nothing | Kind::Form | Kind::Other => return Err(No::MediaType.into()),
        }
        let value: Value = if bytes.is_empty() {
            Value::Object(serde_json::Map::new())
        } else {
            serde_json::from_slice(&bytes).map_err(|_| No::Invalid("The body is not JSON."))?
        };
        serde_json::from_value(value)
            .map(|value| Self(value, PhantomData))
            .map_err(|error| flaw(&error).into())
    }
}

/// What is wrong, without what was sent: the library's own words may repeat it.
fn flaw(error: &serde_json::Error) -> No {
    let text = error.to_string();
    let missing = text
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split_once('`'))
        .and_then(|(name, _)| REQUIRED.into_iter().find(|known| *known == name));
    match missing {
        Some(name) => No::Missing(name),
        None => No::Invalid("The body is not what it should be."),
    }
}

/// The members that some body must have.
const REQUIRED: [&str; 9] = [
    "authenticator_types",
    "mfa_token",
    "challenge_type",
    "client_id",
    "enabled",
    "connection",
    "type",
    "auth_session",
    "password",
];

/// No body that says anything: none, an empty one, or an empty object, whatever its type says.
pub(super) struct Nothing<S>(PhantomData<S>);

impl<S: Surface + Send> FromRequest<Web> for Nothing<S> {
    type Rejection = S;

    async fn from_request(request: Request, web: &Web) -> Result<Self, S> {
        let bytes = bytes(request, web).await?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(PhantomData));
        }
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(Value::Object(_) | Value::Null) => Ok(Self(PhantomData)),
            _ => Err(No::Invalid("There is nothing to say here.").into()),
        }
    }
}
