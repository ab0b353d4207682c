//! Which pages of other origins may call: those of a client's origins, and in development those of
//! this computer.
//!
//! No cookie goes along: callers prove themselves by what they send (Fetch, 3.2).

use axum::http::Method;
use axum::http::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::Web;
use super::idempotency::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};

/// How long a browser may keep the answer, in seconds.
const KEPT: std::time::Duration = std::time::Duration::from_secs(600);

pub(super) fn layer(web: Web) -> CorsLayer {
    let allowed = AllowOrigin::async_predicate(move |origin: HeaderValue, _parts| async move {
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        if web.settings.dev && is_this_computer(origin) {
            return true;
        }
        // A store that does not answer allows nobody.
        web.mfa.is_client_origin(origin).await.unwrap_or(false)
    });
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            HeaderName::from_static("auth0-client"),
            IDEMPOTENCY_KEY,
        ])
        .expose_headers([LOCATION, RETRY_AFTER, IDEMPOTENCY_REPLAYED])
        .max_age(KEPT)
}

/// A page that a developer serves from here, on any port.
fn is_this_computer(origin: &str) -> bool {
    ["http://", "https://"]
        .into_iter()
        .filter_map(|scheme| origin.strip_prefix(scheme))
        .any(|host| {
            let name = match host.rsplit_once(':') {
                Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
                _ => host,
            };
            ["localhost", "127.0.0.1", "[::1]"].contains(&name)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_computers_own_pages_are_a_developers() {
        for origin in [
            "http://localhost",
            "http://localhost:5173",
            "https://127.0.0.1:8443",
            "http://[::1]:80",
        ] {
            assert!(is_this_computer(origin), "{origin}");
        }
        for origin in [
            "http://localhost.evil.example",
            "http://evil.example:80",
            "https://127.0.0.1.evil.example",
            "http://localhost:80.evil.example",
            "null",
            "file://localhost",
        ] {
            assert!(!is_this_computer(origin), "{origin}");
        }
    }
}
