//! What the browser loads: the module, the elements, the styles, the texts. Part of the binary.

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Web;
use super::request::InPath;

/// One file.
struct Asset {
    name: &'static str,
    kind: &'static str,
    tag: &'static str,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Kept by the browser, asked about again each time: a new binary shows at once.
const CACHING: &str = "public, no-cache";

pub(super) fn router() -> Router<Web> {
    Router::new().route("/assets/{*name}", get(asset))
}

/// The pages' own style sheet: a theme comes at its end, so it has the last word.
const PAGES: &str = "styles/pages.css";

async fn asset(
    State(web): State<Web>,
    InPath(name): InPath<String>,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = find(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let (PAGES, Some(theme)) = (name.as_str(), &web.settings.theme) {
        let both = [asset.bytes, b"\n", theme.as_bytes()].concat();
        return (
            [(CACHE_CONTROL, CACHING)],
            [(CONTENT_TYPE, asset.kind)],
            both,
        )
            .into_response();
    }
    let known = headers
        .get(IF_NONE_MATCH)
        .is_some_and(|tag| tag.as_bytes() == asset.tag.as_bytes());
    let caching = [(CACHE_CONTROL, CACHING), (ETAG, asset.tag)];
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, asset.kind)], asset.bytes).into_response()
}

fn find(name: &str) -> Option<&'static Asset> {
    ASSETS
        .binary_search_by(|asset| asset.name.cmp(name))
        .ok()
        .and_then(|at| ASSETS.get(at))
}

/// The browser module.
pub fn wasm() -> &'static [u8] {
    find("wasm/spare_key_bg.wasm").map_or(&[], |asset| asset.bytes)
}

/// The texts of a language, as JSON.
pub(super) fn locale(language: &str) -> Option<&'static [u8]> {
    find(&format!("locales/{language}.json")).map(|asset| asset.bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_carries_the_module_and_its_glue() {
        assert!(wasm().starts_with(b"\0asm"));
        assert!(find("wasm/spare_key.js").is_some());
        assert!(find("locales/en.json").is_some());
        assert!(find("../Cargo.toml").is_none());
    }

    /// C-22 of the standards.
    #[test]
    fn the_module_names_no_place_in_the_source_and_no_panic() {
        let text = String::from_utf8_lossy(wasm());
        for trace in ["src/", ".rs\0", "panicked", "unwrap"] {
            assert!(!text.contains(trace), "{trace}");
        }
    }

    #[test]
    fn the_table_is_in_the_order_that_the_search_needs() {
        assert!(ASSETS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
