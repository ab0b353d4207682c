//! The native dialect: the verifier behind somebody's own login.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;

use super::Web;

pub(super) fn router() -> OpenApiRouter<Web> {
    OpenApiRouter::new()
}

/// An answer that no handler gave.
pub(super) fn plain(status: StatusCode, _request_id: &str) -> Response<Body> {
    status.into_response()
}
