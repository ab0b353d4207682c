//! A body that is a JSON object, or nothing: how dialects read one that they look through member by
//! member. What is said of one that is none, each says in its own words.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde_json::{Map, Value};

use super::Web;

/// Why there are no members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// The body is over the limit.
    TooLarge,
    /// It did not arrive.
    Lost,
    /// It says that it is something else.
    MediaType,
    /// It is no JSON object.
    NotAnObject,
}

/// The members of a request's body; none where there is no body.
pub(super) async fn members(request: Request, web: &Web) -> Result<Map<String, Value>, Unread> {
    let json = is_json(request.headers());
    let bytes = Bytes::from_request(request, web).await.map_err(|refused| {
        match refused.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => Unread::TooLarge,
            _ => Unread::Lost,
        }
    })?;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    if !json {
        return Err(Unread::MediaType);
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Unread::NotAnObject),
    }
}

/// `application/json`, whatever the charset's name.
fn is_json(headers: &HeaderMap) -> bool {
    let mut sent = headers.get_all(CONTENT_TYPE).iter();
    let essence = sent
        .next()
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    sent.next().is_none() && essence.eq_ignore_ascii_case("application/json")
}
