//! The OpenAPI document says what the product does.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Map, Value, json};
use spare_key_tests::openapi::{self, METHODS, Operation, document, resolved};
use spare_key_tests::{Answer, App};

/// The operations of this dialect.
fn operations(document: &Value) -> Vec<Operation> {
    let all = openapi::operations(document).into_iter();
    all.filter(|one| one.path.starts_with("/recovery/"))
        .collect()
}

#[tokio::test]
async fn every_operation_is_there_and_no_other() {
    let app = App::start().await;
    let document = document(&app).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["info"]["title"], "Spare Key");
    let native: BTreeSet<_> = operations(&document)
        .into_iter()
        .map(|one| {
            format!(
                "{} {}",
                one.method,
                one.path.replace("/recovery/v1/accounts", "")
            )
        })
        .collect();
    let expected = [
        "get ",
        "get /{account}",
        "delete /{account}",
        "post /{account}/batches",
        "delete /{account}/batches",
        "get /{account}/batches/pending",
        "delete /{account}/batches/pending",
        "post /{account}/batches/{generation}/activate",
        "post /{account}/redeem",
        "get /{account}/events",
    ];
    assert_eq!(native, expected.into_iter().map(str::to_owned).collect());
}

/// Documented and there: asked without credentials, each operation asks for them; asked with a
/// method that is not documented, each path says that it is not allowed.
#[tokio::test]
async fn what_is_documented_is_what_is_routed() {
    let app = App::start().await;
    let document = document(&app).await;
    let stranger = app.host_with(None);
    let paths = document["paths"].as_object().unwrap().iter();
    for (path, item) in paths.filter(|(path, _)| path.starts_with("/recovery/")) {
        let real = path
            .replace("{account}", "alice")
            .replace("{generation}", "1");
        for method in METHODS {
            let name: Method = method.to_ascii_uppercase().parse().unwrap();
            let answer = stranger.ask(name, &real, None).await;
            let expected = if item.get(method).is_some() { 401 } else { 405 };
            assert_eq!(answer.status, expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_operation_names_its_scope_and_every_problem_has_an_example() {
    let app = App::start().await;
    let document = document(&app).await;
    assert_eq!(
        document["components"]["securitySchemes"]["basic"]["scheme"],
        "basic"
    );
    for Operation {
        method,
        path,
        operation,
    } in operations(&document)
    {
        let said = format!("{method} {path}");
        let scope = operation["security"][0]["basic"][0].as_str().unwrap();
        assert!(scope.starts_with("recovery:"), "{said}");
        assert!(operation["summary"].is_string(), "{said}");
        let responses = operation["responses"].as_object().unwrap();
        for status in ["400", "401", "403", "500"] {
            assert!(responses.contains_key(status), "{said} {status}");
        }
        for (status, response) in responses
            .iter()
            .filter(|(status, _)| *status >= &"400".to_owned())
        {
            let content = &response["content"]["application/problem+json"];
            let examples = content["examples"].as_object().unwrap();
            assert!(!examples.is_empty(), "{said} {status}");
            for (name, example) in examples {
                let value = &example["value"];
                assert_eq!(value["type"], format!("/problems/{name}"));
                assert_eq!(value["status"].to_string(), *status);
                let request = Request::get(format!("/problems/{name}")).body(Body::empty());
                app.send(request.unwrap()).await.expect(200);
            }
        }
        let own = &responses["403"]["content"]["application/problem+json"]["examples"];
        assert_eq!(own["insufficient-scope"]["value"]["scope"], scope, "{said}");
    }
}

/// A small part of JSON Schema, which is all the document uses: type, properties, required, items,
/// enum, oneOf, references, and no further members.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) {
    let schema = resolved(document, schema);
    if let Some(choices) = schema["oneOf"].as_array() {
        let null = json!({ "type": "null" });
        let chosen = choices
            .iter()
            .find(|choice| (**choice == null) == value.is_null());
        return check(document, chosen.expect("a choice that fits"), value, place);
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    assert!(
        kinds.contains(&json!(kind)),
        "{place}: {kind} is none of {kinds:?}"
    );
    if let Some(choices) = schema["enum"].as_array() {
        assert!(choices.contains(value), "{place}: {value}");
    }
    if let (Some(items), schema) = (value.as_array(), &schema["items"]) {
        for item in items {
            check(document, schema, item, place);
        }
    }
    if let Some(members) = value.as_object() {
        let properties: &Map<_, _> = schema["properties"].as_object().expect("properties");
        assert_eq!(schema["additionalProperties"], false, "{place}");
        let required = schema["required"].as_array().expect("required members");
        let names: BTreeSet<_> = members.keys().map(String::as_str).collect();
        assert!(
            required
                .iter()
                .all(|name| names.contains(name.as_str().expect("a name"))),
            "{place}"
        );
        assert_eq!(
            required.len(),
            properties.len(),
            "{place}: every member is always there"
        );
        for (name, value) in members {
            let schema = properties
                .get(name)
                .unwrap_or_else(|| panic!("{place}/{name}"));
            check(document, schema, value, &format!("{place}/{name}"));
        }
    }
}

/// Rows.
#[tokio::test]
async fn every_answer_and_every_example_is_as_its_schema_says() {
    let app = App::start().await;
    let host = app.host();
    let document = document(&app).await;
    let schema = |operation: &str| {
        let found = operations(&document)
            .into_iter()
            .find(|found| found.operation["operationId"] == operation)
            .unwrap();
        let responses = found.operation["responses"].as_object().unwrap().clone();
        let (_, success) = responses
            .into_iter()
            .find(|(status, _)| status < &"300".to_owned())
            .unwrap();
        success["content"]["application/json"]["schema"].clone()
    };
    let answers: Vec<(&str, Answer)> = vec![
        ("status", host.status("alice").await),
        (
            "stage",
            host.stage("alice", json!({ "proof": host.proof() })).await,
        ),
        ("show_pending", host.show("alice").await),
        ("status", host.status("alice").await),
        ("activate", host.activate("alice", 1).await),
        (
            "stage",
            host.stage(
                "bob",
                json!({ "format": "single", "activate": "at_once", "proof": host.proof() }),
            )
            .await,
        ),
        ("list_accounts", host.accounts("?limit=1").await),
        ("events", host.events("alice", "?limit=1").await),
    ];
    let code = answers[5].1.codes()[0].clone();
    let redeemed = host.redeem("bob", &code).await;
    for (operation, answer) in answers.into_iter().chain([("redeem", redeemed)]) {
        assert!(answer.status.is_success(), "{}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json");
        let schema = schema(operation);
        check(&document, &schema, &answer.json, operation);
        check(
            &document,
            &schema,
            &resolved(&document, &schema)["example"],
            operation,
        );
    }
}
