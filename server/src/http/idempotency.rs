//! The caller's idempotency key, which every dialect takes in the same header and form.

use axum::http::{HeaderMap, HeaderName};

/// Where it is.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says in an answer that it was given before under the same key.
pub(super) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The longest, in bytes.
const KEY_MAX: usize = 255;

/// What was sent is no key: not 1 to 255 visible ASCII characters, or sent more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnfitKey;

/// The key, if one was sent.
pub(super) fn sent_key(headers: &HeaderMap) -> Result<Option<&str>, UnfitKey> {
    let mut sent = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = sent.next() else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .filter(|key| (1..=KEY_MAX).contains(&key.len()) && sent.next().is_none())
        .filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()))
        .map(Some)
        .ok_or(UnfitKey)
}
