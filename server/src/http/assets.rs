//! What the browser loads.
//!
//! Pages load them from a place that is named after what all of them are, so a browser keeps them for
//! good and a new binary shows at once. By their plain names, for pages of others, they are asked
//! about each time.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::Web;
use super::request::InPath;
use crate::embedded::{VERSION, find};

/// Kept for a year, never asked about again (RFC 8246).
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// Kept by the browser, asked about again each time.
const ASKED_ABOUT: &str = "public, no-cache";

pub(super) fn router() -> Router<Web> {
    Router::new().route("/assets/{*name}", get(asset))
}

/// Where this version's files are.
pub(super) fn place() -> &'static str {
    static PLACE: LazyLock<String> = LazyLock::new(|| format!("/assets/{VERSION}"));
    &PLACE
}

/// The pages' own style sheet: a theme comes at its end, so it has the last word.
const PAGES: &str = "styles/pages.css";

async fn asset(
    State(web): State<Web>,
    InPath(path): InPath<String>,
    headers: HeaderMap,
) -> Response {
    let (name, of_this_version) = named(&path);
    let Some(asset) = find(name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let (PAGES, Some(theme)) = (name, &web.settings.theme) {
        let both = [asset.bytes, b"\n", theme.as_bytes()].concat();
        let tag = HEXLOWER.encode(&Sha256::digest(&both));
        return answer(&headers, ASKED_ABOUT, asset.kind, None, &tag, both);
    }
    let caching = if of_this_version {
        FOR_GOOD
    } else {
        ASKED_ABOUT
    };
    let packed = asset.brotli.len() < asset.bytes.len() && takes_brotli(&headers);
    let (encoding, tag, bytes) = if packed {
        (Some("br"), format!("{}-br", asset.tag), asset.brotli)
    } else {
        (None, asset.tag.to_owned(), asset.bytes)
    };
    answer(&headers, caching, asset.kind, encoding, &tag, bytes)
}

fn answer(
    asked: &HeaderMap,
    caching: &'static str,
    kind: &'static str,
    encoding: Option<&'static str>,
    tag: &str,
    bytes: impl IntoResponse,
) -> Response {
    let known = format!("\"{tag}\"");
    let head = [
        (CACHE_CONTROL, caching),
        (VARY, "accept-encoding"),
        (ETAG, &known),
    ];
    if has(asked, &known) {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    let encoding = encoding.map(|encoding| [(CONTENT_ENCODING, encoding)]);
    (head, encoding, [(CONTENT_TYPE, kind)], bytes).into_response()
}

/// The file's name, and whether it was asked for as one of this version. While one server after the
/// other is made new, pages of one version ask a server of another: it has what it has.
fn named(path: &str) -> (&str, bool) {
    match path.split_once('/') {
        Some((VERSION, name)) => (name, true),
        Some((version, name)) if is_version(version) => (name, false),
        _ => (path, false),
    }
}

fn is_version(text: &str) -> bool {
    text.len() == VERSION.len() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether the caller has this already (RFC 9110, 13.1.2): a cache on the way may call it weak.
fn has(asked: &HeaderMap, tag: &str) -> bool {
    parts(asked, IF_NONE_MATCH).any(|known| known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Whether brotli is among what the caller reads (RFC 9110, 12.5.3).
fn takes_brotli(asked: &HeaderMap) -> bool {
    parts(asked, ACCEPT_ENCODING).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let refused = weight
            .trim()
            .trim_start_matches("q=")
            .trim_matches(['0', '.']);
        name.trim().eq_ignore_ascii_case("br") && !refused.is_empty()
    })
}

/// What a header lists.
fn parts(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn brotli_is_sent_to_whoever_names_it() {
        let named = |value: &'static str| {
            takes_brotli(&HeaderMap::from_iter([(
                ACCEPT_ENCODING,
                HeaderValue::from_static(value),
            )]))
        };
        for value in [
            "br",
            "gzip, deflate, br, zstd",
            "gzip;q=0.8, BR;q=0.05",
            "br ; q=1.0",
        ] {
            assert!(named(value), "{value}");
        }
        for value in ["", "gzip", "br;q=0", "br; q=0.000", "*", "brotli"] {
            assert!(!named(value), "{value}");
        }
    }
}
