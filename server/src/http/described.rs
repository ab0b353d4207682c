//! What can go wrong, as the OpenAPI document tells it: one response a status, with each answer as
//! an example. What is answered, the dialects say.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};

/// One answer of "no".
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: u16,
    /// Its name among the others of the operation.
    pub(super) code: &'static str,
    /// What is said, for people.
    pub(super) message: String,
    /// The body.
    pub(super) body: Value,
    /// It says when to come back.
    pub(super) waits: bool,
    /// It says what the credential should have been.
    pub(super) challenges: bool,
}

/// These answers, in bodies of the schema of this name.
pub(super) fn described(schema: &str, answers: Vec<Answer>) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
    for answer in answers {
        let status = answer.status.to_string();
        by_status.entry(status).or_default().push(answer);
    }
    by_status
        .into_iter()
        .map(|(status, answers)| (status, RefOr::T(describe(schema, &answers))))
        .collect()
}

fn describe(schema: &str, answers: &[Answer]) -> Response {
    let description = answers
        .iter()
        .map(|answer| format!("`{}`: {}", answer.code, answer.message))
        .collect::<Vec<_>>()
        .join(" ");
    let examples = answers.iter().map(|answer| {
        let example = ExampleBuilder::new()
            .summary(answer.message.trim_end_matches('.').to_owned())
            .value(Some(answer.body.clone()))
            .build();
        (answer.code.to_owned(), RefOr::T(example))
    });
    let examples: BTreeMap<String, _> = examples.collect();
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(schema)))
        .examples_from_iter(examples)
        .build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/json", content);
    if answers.iter().any(|answer| answer.waits) {
        let seconds = header("Seconds to wait.", Type::Integer);
        response = response.header("Retry-After", seconds);
    }
    if answers.iter().any(|answer| answer.challenges) {
        let challenge = header("What the credential should have been.", Type::String);
        response = response.header("WWW-Authenticate", challenge);
    }
    response.build()
}

fn header(about: &str, kind: Type) -> Header {
    HeaderBuilder::new()
        .description(Some(about))
        .schema(Some(ObjectBuilder::new().schema_type(kind)))
        .build()
}
