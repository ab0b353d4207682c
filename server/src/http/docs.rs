//! The OpenAPI document, generated from the code, and a page to read it.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};

use super::Web;

/// What the document says of itself.
pub(super) fn info() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Spare Key")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Recovery codes: issue, number, redeem once."))
        .build();
    OpenApiBuilder::new().info(info).build()
}

pub(super) fn router(document: Arc<OpenApi>) -> Router<Web> {
    let json = Arc::clone(&document);
    Router::new().route(
        "/openapi.json",
        get(move || async move { Json((*json).clone()) }),
    )
}
