//! What can go wrong, as the OpenAPI document tells it: with the answers themselves as examples.

use std::collections::BTreeMap;

use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::{Response as Described, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};

use super::{No, Surface, Told};

/// What an operation can answer besides success: one response a status, with each answer as an
/// example.
pub(in crate::http::auth0) fn described<S: Surface>(
    nos: &[No],
) -> BTreeMap<String, RefOr<Described>> {
    let mut by_status: BTreeMap<String, Vec<(&No, Told)>> = BTreeMap::new();
    for no in nos {
        let told = S::told(no);
        let status = told.status.as_str().to_owned();
        by_status.entry(status).or_default().push((no, told));
    }
    by_status
        .into_iter()
        .map(|(status, told)| (status, RefOr::T(describe::<S>(&told))))
        .collect()
}

fn describe<S: Surface>(all: &[(&No, Told)]) -> Described {
    let said = |told: &Told| {
        ["error_description", "message", "detail"]
            .into_iter()
            .find_map(|member| told.body[member].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let description = all
        .iter()
        .map(|(_, told)| format!("`{}`: {}", told.name, said(told)))
        .collect::<Vec<_>>()
        .join(" ");
    let mut examples: BTreeMap<String, _> = BTreeMap::new();
    for (_, told) in all {
        let example = ExampleBuilder::new()
            .summary(said(told).trim_end_matches('.').to_owned())
            .value(Some(told.body.clone()))
            .build();
        // Two answers of one name differ in their words: the second gets a number.
        let mut name = told.name.clone();
        while examples.contains_key(&name) {
            name.push_str("_2");
        }
        examples.insert(name, RefOr::T(example));
    }
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(S::SCHEMA)))
        .examples_from_iter(examples)
        .build();
    let media_type = S::MEDIA_TYPE.split(';').next().unwrap_or_default();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content(media_type, content);
    if all.iter().any(|(no, _)| no.retry_after().is_some()) {
        response = response.header("Retry-After", header("Seconds to wait.", Type::Integer));
    }
    if all.iter().any(|(no, _)| no.challenge().is_some()) {
        let said = "What is wrong with the bearer (RFC 6750).";
        response = response.header("WWW-Authenticate", header(said, Type::String));
    }
    response.build()
}

fn header(description: &str, kind: Type) -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(kind)))
        .build()
}

/// Says which answers an operation gives besides success and those of every operation.
macro_rules! nos {
    ($name:ident, $surface:ident: $($no:expr),* $(,)?) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::Response>,
            > {
                use $crate::http::auth0::said::{No, described::described};
                described::<$crate::http::auth0::said::$surface>(&[
                    $($no,)*
                    No::Internal { request_id: "GLvLyxnDRfyN4ERt".to_owned() },
                    No::TimedOut,
                ])
            }
        }
    };
}
pub(in crate::http::auth0) use nos;
