//! The pages.

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;

use super::Web;

pub(super) fn router() -> Router<Web> {
    Router::new()
}

/// An answer that no handler gave.
pub(super) fn plain(status: StatusCode, _request_id: &str) -> Response<Body> {
    status.into_response()
}
