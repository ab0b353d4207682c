//! What can go wrong, as the OpenAPI document tells it: with the problems themselves as examples.

use std::collections::BTreeMap;

use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::response::{Response as Described, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};

use super::{MEDIA_TYPE, Problem};

/// What an operation can answer besides success, for the OpenAPI document: one response a status,
/// with each problem as an example.
pub(in crate::http::native) fn described(
    problems: &[Problem],
) -> BTreeMap<String, RefOr<Described>> {
    let mut by_status: BTreeMap<String, Vec<&Problem>> = BTreeMap::new();
    for problem in problems {
        let status = problem.status().as_str().to_owned();
        by_status.entry(status).or_default().push(problem);
    }
    by_status
        .into_iter()
        .map(|(status, problems)| (status, RefOr::T(describe(&problems))))
        .collect()
}

fn describe(problems: &[&Problem]) -> Described {
    let description = problems
        .iter()
        .map(|problem| format!("`{}`: {}.", problem.name(), problem.title()))
        .collect::<Vec<_>>()
        .join(" ");
    let examples = problems.iter().map(|problem| {
        let value = serde_json::to_value(problem.document()).ok();
        let example = ExampleBuilder::new().summary(problem.title()).value(value);
        (problem.name(), RefOr::T(example.build()))
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples)
        .build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content(MEDIA_TYPE, content);
    if problems.iter().any(|p| p.retry_after().is_some()) {
        response = response.header("Retry-After", header("Seconds to wait.", Type::Integer));
    }
    if problems.contains(&&Problem::Unauthorized) {
        let said = "Asks for HTTP Basic credentials.";
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

/// Says which problems an operation answers besides those of every operation.
macro_rules! problems {
    ($name:ident, $scope:ident: $($problem:expr),* $(,)?) => {
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<
                String,
                utoipa::openapi::RefOr<utoipa::openapi::Response>,
            > {
                $crate::http::native::problem::described::described(&[
                    $($problem,)*
                    Problem::unreadable("A query is not understood here."),
                    Problem::Unauthorized,
                    Problem::InsufficientScope($crate::domain::Scope::$scope),
                    Problem::Internal { request_id: "GLvLyxnDRfyN4ERt".to_owned() },
                    Problem::TimedOut,
                ])
            }
        }
    };
}
pub(in crate::http::native) use problems;
