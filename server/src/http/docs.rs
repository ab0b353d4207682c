//! The OpenAPI document, generated from the code, and a page to read it.
//!
//! The page's data is read from the document and from nowhere else, so that neither can say what
//! the other does not.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use serde_json::Value;
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, ServerBuilder};

use super::{Web, arklow, pages};

/// What the document says of itself.
pub(super) fn info() -> OpenApi {
    let license = LicenseBuilder::new()
        .name(env!("CARGO_PKG_LICENSE"))
        .identifier(Some(env!("CARGO_PKG_LICENSE")))
        .build();
    let info = InfoBuilder::new()
        .title("Spare Key")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Recovery codes for a login page: issue them numbered, say how many are left, redeem \
             each once.",
        ))
        .license(Some(license))
        .build();
    let server = ServerBuilder::new()
        .url("/")
        .description(Some("This server."))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([server]))
        .build()
}

/// A document as it is served: made when it is first asked for, since few servers ever are and a
/// document is large.
struct Served {
    json: Bytes,
    page: DocPage,
}

impl Served {
    fn of(document: &OpenApi) -> Self {
        Self {
            json: serde_json::to_vec(document).unwrap_or_default().into(),
            page: page(document),
        }
    }

    fn json(&self) -> impl IntoResponse + use<> {
        ([(CONTENT_TYPE, "application/json")], self.json.clone())
    }
}

static OF_ALL: LazyLock<Served> = LazyLock::new(|| Served::of(&super::openapi()));

/// Of one dialect alone, where its own clients look for it.
static OF_ARKLOW: LazyLock<Served> = LazyLock::new(|| Served::of(&arklow::document()));

pub(super) fn router() -> Router<Web> {
    let described = Router::new()
        .route("/openapi.json", get(async || OF_ALL.json()))
        .route("/docs", get(async || pages::docs(&OF_ALL.page)))
        .route("/swagger/ui/json", get(async || OF_ARKLOW.json()))
        .route("/swagger/ui", get(async || pages::docs(&OF_ARKLOW.page)));
    pages::Guide::all().fold(described, |router, (address, text)| {
        let read = async move || pages::guide(&pages::Guide::read(text));
        router.route(&address, get(read))
    })
}

/// The document as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocPage {
    pub(super) title: String,
    pub(super) version: String,
    pub(super) description: String,
    pub(super) groups: Vec<DocGroup>,
}

/// The operations of one dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocGroup {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) operations: Vec<DocOperation>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocOperation {
    pub(super) id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) summary: String,
    pub(super) description: String,
    /// Empty if none is needed.
    pub(super) security: String,
    pub(super) parameters: Vec<DocParameter>,
    pub(super) request_example: Option<String>,
    pub(super) responses: Vec<DocResponse>,
}

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocParameter {
    pub(super) name: String,
    /// `path`, `query` or `header`.
    pub(super) place: String,
    pub(super) required: bool,
    pub(super) description: String,
}

/// An answer of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DocResponse {
    pub(super) status: String,
    pub(super) description: String,
    pub(super) example: Option<String>,
}

/// What the page shows, read from the document as everybody gets it.
pub(super) fn page(document: &OpenApi) -> DocPage {
    let json = serde_json::to_value(document).unwrap_or_default();
    DocPage {
        title: text(&json["info"]["title"]),
        version: text(&json["info"]["version"]),
        description: text(&json["info"]["description"]),
        groups: list(&json["tags"])
            .map(|tag| group(&json, &text(&tag["name"]), text(&tag["description"])))
            .collect(),
    }
}

fn group(json: &Value, name: &str, description: String) -> DocGroup {
    let mut operations = Vec::new();
    for (path, item) in members(&json["paths"]) {
        // In the order in which people meet them, not in that of the alphabet.
        for method in ["get", "post", "put", "patch", "delete"] {
            let found = &item[method];
            if list(&found["tags"]).any(|tag| tag == name) {
                operations.push(operation(json, method, path, found));
            }
        }
    }
    DocGroup {
        id: name.to_owned(),
        name: name.to_owned(),
        description,
        operations,
    }
}

fn operation(json: &Value, method: &str, path: &str, found: &Value) -> DocOperation {
    let body = &found["requestBody"]["content"]["application/json"];
    DocOperation {
        id: text(&found["operationId"]),
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: text(&found["summary"]),
        description: text(&found["description"]),
        security: list(&found["security"])
            .flat_map(members)
            .map(|(scheme, scopes)| security(scheme, scopes))
            .collect::<Vec<_>>()
            .join(", "),
        parameters: list(&found["parameters"])
            .map(|parameter| DocParameter {
                name: text(&parameter["name"]),
                place: text(&parameter["in"]),
                required: parameter["required"] == true,
                description: text(&parameter["description"]),
            })
            .collect(),
        request_example: examples(json, body).pop(),
        responses: members(&found["responses"])
            .flat_map(|(status, response)| responses(json, status, response))
            .collect(),
    }
}

fn security(scheme: &str, scopes: &Value) -> String {
    let scopes: Vec<String> = list(scopes).map(text).collect();
    format!("{scheme} {}", scopes.join(" ")).trim().to_owned()
}

/// One for each example: what has several meanings under one status is shown with each.
fn responses(json: &Value, status: &str, response: &Value) -> Vec<DocResponse> {
    let shown = |description: String, example| DocResponse {
        status: status.to_owned(),
        description,
        example,
    };
    let description = text(&response["description"]);
    let Some((_, content)) = members(&response["content"]).next() else {
        return vec![shown(description, None)];
    };
    let named: Vec<DocResponse> = members(&content["examples"])
        .map(|(name, example)| {
            let summary = text(&example["summary"]);
            shown(format!("{name}: {summary}."), pretty(&example["value"]))
        })
        .collect();
    if named.is_empty() {
        vec![shown(description, examples(json, content).pop())]
    } else {
        named
    }
}

/// The examples of a content: its own, or its schema's.
fn examples(json: &Value, content: &Value) -> Vec<String> {
    let schema = resolved(json, &content["schema"]);
    [&content["example"], &schema["example"]]
        .into_iter()
        .chain(list(&schema["examples"]))
        .filter_map(pretty)
        .take(1)
        .collect()
}

fn resolved<'a>(json: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"]
        .as_str()
        .and_then(|reference| reference.strip_prefix('#'))
        .and_then(|pointer| json.pointer(pointer))
        .unwrap_or(schema)
}

fn pretty(value: &Value) -> Option<String> {
    (!value.is_null())
        .then(|| serde_json::to_string_pretty(value).ok())
        .flatten()
}

/// A text for people: the document marks code with backticks, the page has no need of them.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace('`', "")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_operation_with_its_examples() {
        let page = page(&crate::http::openapi());
        let recovery = page.groups.iter().find(|group| group.id == "recovery");
        let operations = &recovery.unwrap().operations;
        assert_eq!(operations.len(), 10);
        for operation in operations {
            let said = format!("{operation:#?}");
            assert!(operation.security.starts_with("basic recovery:"), "{said}");
            assert!(!operation.summary.is_empty(), "{said}");
            assert_eq!(
                operation.method == "POST",
                operation.request_example.is_some()
            );
            for response in &operation.responses {
                let empty = response.status == "204";
                assert_eq!(response.example.is_none(), empty, "{said}");
            }
        }
    }

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        fn check(json: &Value, value: &Value) {
            if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
                let pointer = reference.trim_start_matches('#');
                assert!(json.pointer(pointer).is_some(), "{reference}");
            }
            list(value).for_each(|inner| check(json, inner));
            members(value).for_each(|(_, inner)| check(json, inner));
        }
        let json = serde_json::to_value(crate::http::openapi()).unwrap();
        check(&json, &json);
    }
}
