//! Reading the OpenAPI document: its operations, and whether a value is as a schema says.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use spare_key_server::clock::parse_rfc3339;

use crate::App;

/// The methods that an operation can have.
pub const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// An operation, by its method and path.
#[derive(Debug, Clone)]
pub struct Operation {
    /// In lower case.
    pub method: String,
    /// With its parameters in braces.
    pub path: String,
    /// What the document says of it.
    pub operation: Value,
}

/// The document as everybody gets it.
pub async fn document(app: &App) -> Value {
    let request = Request::get("/openapi.json")
        .body(Body::empty())
        .expect("a request");
    app.send(request).await.expect(200).json
}

/// Every operation.
pub fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().expect("paths");
    let mut found = Vec::new();
    for (path, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                found.push(Operation {
                    method: method.to_owned(),
                    path: path.clone(),
                    operation: operation.clone(),
                });
            }
        }
    }
    found
}

/// Follows a reference.
#[track_caller]
pub fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .expect("what it refers to"),
        None => schema,
    }
}

/// What of a value is not as its schema says: the part of JSON Schema that the document uses.
/// Members that no schema names are misfits too, unless it says that there may be more.
pub fn misfits(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let schema = resolved(document, schema);
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices
            .iter()
            .filter(|choice| misfits(document, choice, value, place).is_empty());
        return match fitting.count() {
            1 => Vec::new(),
            count => vec![format!("{place}: {count} choices fit {value}")],
        };
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let misfits = choices
            .iter()
            .map(|choice| misfits(document, choice, value, place));
        return misfits.min_by_key(Vec::len).unwrap_or_default();
    }
    let mut found = Vec::new();
    if let Some(text) = value.as_str() {
        let bounds = ["minLength", "maxLength"].map(|name| schema[name].as_u64());
        let length = text.chars().count() as u64;
        if bounds[0].is_some_and(|least| length < least)
            || bounds[1].is_some_and(|most| length > most)
        {
            found.push(format!("{place}: {value} is not of that length"));
        }
        if schema["format"] == "date-time" && parse_rfc3339(text).is_none() {
            found.push(format!("{place}: {value} is no time"));
        }
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        Value::Null => Vec::new(),
        kind => vec![kind.clone()],
    };
    if !kinds.is_empty() && !kinds.contains(&json!(kind(value))) {
        return vec![format!("{place}: {value} is none of {kinds:?}")];
    }
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        found.push(format!("{place}: {value} is none of {choices:?}"));
    }
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        let place = format!("{place}/{at}");
        found.extend(misfits(document, &schema["items"], item, &place));
    }
    let Some(members) = value.as_object() else {
        return found;
    };
    let says_more = |text: &str| text.contains("further members");
    let open = schema["description"].as_str().is_some_and(says_more);
    // An object of which nothing is said, such as the public keys.
    let Some(properties) = schema["properties"].as_object() else {
        return found;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if name.as_str().is_none_or(|name| !members.contains_key(name)) {
            found.push(format!("{place}: without {name}"));
        }
    }
    for (name, value) in members {
        let place = format!("{place}/{name}");
        match properties.get(name) {
            Some(schema) => found.extend(misfits(document, schema, value, &place)),
            None => match &schema["additionalProperties"] {
                Value::Object(_) => {
                    let schema = &schema["additionalProperties"];
                    found.extend(misfits(document, schema, value, &place));
                }
                _ if open => {}
                _ => found.push(format!("{place}: not in the schema")),
            },
        }
    }
    found
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a path is one of a template, with or without the slash at its end.
pub fn fits(template: &str, path: &str) -> bool {
    let (template, path) = (template.trim_end_matches('/'), path.trim_end_matches('/'));
    let (mut ours, mut theirs) = (template.split('/'), path.split('/'));
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some(part), Some(_)) if part.starts_with('{') => {}
            (Some(part), Some(other)) if part == other => {}
            _ => return false,
        }
    }
}
