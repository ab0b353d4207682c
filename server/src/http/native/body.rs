//! JSON bodies: everything that is wrong with one is said with its place, and nothing of its
//! content is repeated, for it may be a code.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::problem::Problem;
use crate::http::Web;

/// A request's body as this dialect's types have it.
pub(super) trait Wire: DeserializeOwned {
    /// What no body at all says, where it says something.
    fn of_nothing() -> Option<Self> {
        None
    }
}

/// A request's body.
pub(super) struct Body<T>(pub(super) T);

impl<T: Wire> FromRequest<Web> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Problem> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, web).await.map_err(|refused| {
            match refused.into_response().status() {
                StatusCode::PAYLOAD_TOO_LARGE => Problem::ContentTooLarge,
                _ => Problem::unreadable("The body did not arrive."),
            }
        })?;
        if bytes.is_empty()
            && let Some(said) = T::of_nothing()
        {
            return Ok(Self(said));
        }
        if !is_json {
            return Err(Problem::UnsupportedMediaType);
        }
        read(&bytes).map(Self)
    }
}

/// `application/json` in UTF-8 (RFC 8259, 8.1) and as it is.
fn is_json(headers: &HeaderMap) -> bool {
    let mut sent = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else {
        return false;
    };
    let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let (essence, parameters) = value.split_once(';').unwrap_or((&value, ""));
    let utf8 = matches!(
        parameters.trim(),
        "" | "charset=utf-8" | "charset=\"utf-8\""
    );
    essence.trim() == "application/json" && utf8 && !headers.contains_key(CONTENT_ENCODING)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().clone();
        flaw(&path, &error.into_inner())
    })?;
    json.end()
        .map_err(|_| Problem::unreadable("Something follows the JSON value."))?;
    Ok(value)
}

fn flaw(path: &Path, error: &serde_json::Error) -> Problem {
    match error.classify() {
        Category::Data => {}
        Category::Io | Category::Syntax | Category::Eof => {
            return Problem::unreadable("The body is not JSON.");
        }
    }
    // The kind is in the message's first words, and of these two the member's name, which is ours.
    // The rest may repeat what was sent.
    let text = error.to_string();
    let mut pointer = pointer(path);
    for (kind, detail) in [
        ("missing field `", "This member is required."),
        ("duplicate field `", "This member is there twice."),
    ] {
        if let Some((member, _)) = text
            .strip_prefix(kind)
            .and_then(|rest| rest.split_once('`'))
        {
            pointer.push('/');
            pointer.push_str(member);
            return Problem::member(pointer, detail);
        }
    }
    let detail = if text.starts_with("unknown field") {
        "There is no such member."
    } else {
        "This member is not what it should be."
    };
    Problem::member(pointer, detail)
}

/// RFC 6901. It ends before a name that is nobody's: our members are words in lower case.
fn pointer(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut pointer = String::new();
    for segment in path {
        // Writing to a string does not fail.
        let _written = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } if is_word(key) => write!(pointer, "/{key}"),
            Segment::Map { .. } | Segment::Enum { .. } | Segment::Unknown => break,
        };
    }
    pointer
}

fn is_word(key: &str) -> bool {
    (1..=40).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape is of interest")]
    struct Outer {
        code: String,
        proof: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape is of interest")]
    struct Inner {
        amr: Vec<String>,
    }

    fn said(json: &str) -> Problem {
        read::<Outer>(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (json, pointer) in [
            (r#"{}"#, "/code"),
            (r#"{"code":1}"#, "/code"),
            (r#"{"code":"x","kode":1}"#, "/kode"),
            (r#"{"code":"x","code":"y"}"#, "/code"),
            (r#"{"code":"x","proof":{}}"#, "/proof/amr"),
            (r#"{"code":"x","proof":{"amr":["a",2]}}"#, "/proof/amr/1"),
            (r#"{"code":"x","proof":{"amr":[],"xyz":2}}"#, "/proof/xyz"),
            (r#"{"code":"x","AAAA-AAAA-AAAA-AAA3":1}"#, ""),
            (r#"[]"#, ""),
        ] {
            let document = serde_json::to_value(said(json).document()).unwrap();
            assert_eq!(document["pointer"], pointer, "{json}: {document}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_whole() {
        for json in ["", "{", "code=x", r#"{"code":"x"} {}"#, r#"{"code":"x"}]"#] {
            let document = serde_json::to_value(said(json).document()).unwrap();
            assert_eq!(document.get("pointer"), None, "{json}");
        }
    }

    #[test]
    fn only_json_in_utf8_is_taken_for_json() {
        let of = |value: &'static str| {
            is_json(&HeaderMap::from_iter([(
                CONTENT_TYPE,
                HeaderValue::from_static(value),
            )]))
        };
        assert!(of("application/json"));
        assert!(of("Application/JSON; charset=UTF-8"));
        assert!(!of("application/json; charset=latin1"));
        assert!(!of("application/problem+json"));
        assert!(!of("text/plain"));
        assert!(!is_json(&HeaderMap::new()));
    }
}
