//! For whoever runs the server: is it alive, is it ready, what has it done.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Web;

pub(super) fn router() -> Router<Web> {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
}

/// Fit to serve: the store answers and can be written to, the current key and every hasher are there.
async fn readyz(State(web): State<Web>) -> Response {
    let keyring = web.mfa.keyring();
    let store = web.mfa.ready().await;
    let key = keyring.pepper(keyring.current());
    let faults = [
        store.err().map(|e| e.to_string()),
        key.err().map(|e| e.to_string()),
    ];
    if let Some(fault) = faults.into_iter().flatten().next() {
        tracing::error!(error = %fault, "not ready");
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response();
    }
    match keyring.trouble() {
        None => "ready\n".into_response(),
        // The keys in use are whole, so people are served; somebody must see to the file before
        // the next start.
        Some(trouble) => {
            format!("ready, with the keyring read before: {trouble}\n").into_response()
        }
    }
}

async fn metrics(State(web): State<Web>) -> Response {
    match web.mfa.metrics().text(web.mfa.hasher()) {
        Ok(text) => {
            let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(CONTENT_TYPE, kind)], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
