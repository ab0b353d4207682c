//! Requests that the OpenAPI document shows, and the pages that it does not: what mutation begins with.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use spare_key_tests::openapi::resolved;

use crate::checks::documented;
use crate::script::Asked;

/// The pages' screens and forms.
const PAGES: [&str; 28] = [
    "GET /u/login",
    "POST /u/login",
    "GET /u/mfa-otp-enrollment-qr",
    "POST /u/mfa-otp-enrollment-qr",
    "GET /u/mfa-recovery-code-enrollment",
    "POST /u/mfa-recovery-code-enrollment",
    "POST /u/mfa-recovery-code-enrollment/download",
    "POST /u/mfa-recovery-code-enrollment/more-time",
    "POST /u/mfa-recovery-code-enrollment/again",
    "POST /u/mfa-recovery-code-challenge-new-code",
    "GET /u/mfa-otp-challenge",
    "POST /u/mfa-otp-challenge",
    "GET /u/mfa-recovery-code-challenge",
    "POST /u/mfa-recovery-code-challenge",
    "POST /u/after-recovery",
    "GET /account",
    "POST /account/enter",
    "POST /account/sign-out",
    "POST /account/replace-authenticator",
    "POST /account/end-reminder",
    "POST /account/step-up",
    "POST /account/regenerate",
    "POST /account/codes",
    "POST /account/codes/download",
    "POST /account/browsers/forget",
    "POST /account/browsers/forget-all",
    "GET /admin/account",
    "GET /metrics",
];

/// Everything that a page's form may have.
const FORM: &str = "csrf={{csrf}}&state={{state}}&username=fay@example.com&password={{password}}\
                    &code={{otp:secret}}&saved=on&generation={{generation}}&remember=on";

/// A request for each operation and each page.
pub fn all() -> &'static [Asked] {
    static ALL: OnceLock<Vec<Asked>> = OnceLock::new();
    ALL.get_or_init(|| of_document().into_iter().chain(of_pages()).collect())
}

fn of_pages() -> impl Iterator<Item = Asked> {
    PAGES.into_iter().map(|page| {
        let (method, path) = page.split_once(' ').unwrap_or((page, "/"));
        let mut asked = Asked {
            method: method.to_owned(),
            target: format!("{path}?state={{{{state}}}}"),
            ..Asked::default()
        };
        asked.set("as", "browser");
        asked.set("accept", "text/html");
        if method == "POST" {
            asked.set("content-type", "application/x-www-form-urlencoded");
            asked.body = FORM.to_owned();
        }
        asked
    })
}

fn of_document() -> Vec<Asked> {
    let (document, operations) = documented();
    let mut all = Vec::new();
    for one in operations {
        let canopy = one.path.starts_with("/portal") || one.path.starts_with("/v1/identity");
        let id = if canopy { "{{id}}" } else { "auth0%7Cdora" };
        let mut asked = Asked {
            method: one.method.to_ascii_uppercase(),
            target: one
                .path
                .replace("{account_slug}", "dev")
                .replace("{app_slug}", "dev-app")
                .replace("{env_slug}", "development")
                .replace("{account}", "customer")
                .replace("{generation}", "1")
                .replace("{org_id}", "1")
                .replace("{method_id}", "totp%7Cdev_0")
                .replace("{id}", id),
            ..Asked::default()
        };
        let who = caller(&one.path, &one.operation["security"]);
        if !who.is_empty() {
            asked.set("as", who);
        }
        let contents = one.operation["requestBody"]["content"].as_object();
        for (media, content) in contents.into_iter().flatten() {
            let mut asked = asked.clone();
            let body = sample(document, content);
            asked.set("content-type", media);
            asked.body = match media.as_str() {
                "application/x-www-form-urlencoded" => form(&body),
                _ => body.to_string(),
            };
            all.push(asked);
        }
        if contents.is_none() {
            all.push(asked);
        }
    }
    all
}

/// Who may ask, in the words of the fixture.
fn caller(path: &str, security: &Value) -> &'static str {
    let choices = security.as_array().into_iter().flatten();
    let mut names = choices.filter_map(|choice| choice.as_object()?.keys().next());
    match names.next_back().map(String::as_str) {
        Some("basic") => "host",
        Some("machine") => "machine",
        Some("portal") => "portal",
        Some("identity") => "identity",
        Some("apiKey") => "key",
        Some("person" | "mfa_token") if path.starts_with("/me/") => "me",
        Some("person" | "mfa_token") if path.starts_with("/mfa/") => "mfa",
        Some("person" | "mfa_token") => "userinfo",
        _ => "",
    }
}

/// A body as the document shows it, or as its schema allows.
fn sample(document: &Value, content: &Value) -> Value {
    if let Some(example) = content.get("example") {
        return example.clone();
    }
    let mut examples = content["examples"].as_object().into_iter().flatten();
    if let Some((_, example)) = examples.next() {
        return example["value"].clone();
    }
    of_schema(document, &content["schema"], 0)
}

fn of_schema(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(document, schema);
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(choice) = schema["enum"].get(0) {
        return choice.clone();
    }
    for several in ["oneOf", "anyOf"] {
        let choices = schema[several].as_array().into_iter().flatten();
        let mut choices = choices.filter(|choice| choice["type"] != "null");
        if let Some(choice) = choices.next_back() {
            return of_schema(document, choice, depth + 1);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].clone(),
        kind => kind.clone(),
    };
    match kind.as_str() {
        Some("string") => json!("x"),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([of_schema(document, &schema["items"], depth + 1)]),
        _ => {
            let mut members = Map::new();
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                if depth < 8 {
                    members.insert(name.clone(), of_schema(document, schema, depth + 1));
                }
            }
            Value::Object(members)
        }
    }
}

/// The members as a form.
fn form(body: &Value) -> String {
    let members = body.as_object().into_iter().flatten();
    let pairs = members.map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    pairs.collect::<Vec<_>>().join("&")
}
