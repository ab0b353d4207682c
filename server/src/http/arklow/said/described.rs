//! What can go wrong, as the OpenAPI document tells it: with the answers themselves as examples.

use std::collections::BTreeMap;

use utoipa::openapi::RefOr;
use utoipa::openapi::response::Response;

use super::No;
use crate::http::described::{self, Answer};

/// What an operation can answer besides success.
pub(in crate::http::arklow) fn described(nos: &[No]) -> BTreeMap<String, RefOr<Response>> {
    let answers = nos.iter().map(|no| {
        let told = no.told();
        Answer {
            status: told.status.as_u16(),
            code: told.code,
            body: told.body(),
            message: told.messages.join(" "),
            waits: no.retry_after().is_some(),
            challenges: false,
        }
    });
    described::described("ArklowError", answers.collect())
}

/// Says which answers an operation gives besides success and those of every operation.
macro_rules! nos {
    ($name:ident: $($no:expr),* $(,)?) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::Response>,
            > {
                use $crate::http::arklow::said::{No, described::described};
                described(&[
                    $($no,)*
                    No::Internal { request_id: "GLvLyxnDRfyN4ERt".to_owned() },
                    No::TimedOut,
                ])
            }
        }
    };
}
pub(in crate::http::arklow) use nos;
