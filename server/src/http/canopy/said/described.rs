//! What can go wrong, as the OpenAPI document tells it: with the answers themselves as examples.

use std::collections::BTreeMap;

use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::{Response as Described, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};

use super::{No, Told};

/// The name of the document's schema.
const SCHEMA: &str = "CanopyError";

/// What an operation can answer besides success: one response a status, with each answer as an
/// example.
pub(in crate::http::canopy) fn described(nos: &[No]) -> BTreeMap<String, RefOr<Described>> {
    let mut by_status: BTreeMap<String, Vec<(&No, Told)>> = BTreeMap::new();
    for no in nos {
        let told = no.told();
        let status = told.status.as_str().to_owned();
        by_status.entry(status).or_default().push((no, told));
    }
    by_status
        .into_iter()
        .map(|(status, told)| (status, RefOr::T(describe(&told))))
        .collect()
}

fn describe(all: &[(&No, Told)]) -> Described {
    let description = all
        .iter()
        .map(|(_, told)| format!("`{}`: {}", told.code, told.message))
        .collect::<Vec<_>>()
        .join(" ");
    let examples = all.iter().map(|(_, told)| {
        let example = ExampleBuilder::new()
            .summary(told.message.trim_end_matches('.').to_owned())
            .value(Some(told.body("POST", "/v1/identity/auth/…")))
            .build();
        (told.code.to_owned(), RefOr::T(example))
    });
    let examples: BTreeMap<String, _> = examples.collect();
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(SCHEMA)))
        .examples_from_iter(examples)
        .build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/json", content);
    if all.iter().any(|(no, _)| no.retry_after().is_some()) {
        let seconds = HeaderBuilder::new()
            .description(Some("Seconds to wait."))
            .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
            .build();
        response = response.header("Retry-After", seconds);
    }
    if all.iter().any(|(no, _)| no.challenge().is_some()) {
        let challenge = HeaderBuilder::new()
            .description(Some("What the credential should have been."))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build();
        response = response.header("WWW-Authenticate", challenge);
    }
    response.build()
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
                use $crate::http::canopy::said::{No, described::described};
                described(&[
                    $($no,)*
                    No::Internal { request_id: "GLvLyxnDRfyN4ERt".to_owned() },
                    No::TimedOut,
                ])
            }
        }
    };
}
pub(in crate::http::canopy) use nos;
