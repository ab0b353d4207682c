//! What holds for every answer, whatever was asked.

use std::sync::OnceLock;

use serde_json::Value;
use spare_key_server::http;
use spare_key_tests::Answer;
use spare_key_tests::openapi::{METHODS, Operation, fits, misfits, operations};

/// The document, and its operations.
pub fn documented() -> &'static (Value, Vec<Operation>) {
    static DOCUMENT: OnceLock<(Value, Vec<Operation>)> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let document = serde_json::to_value(http::openapi()).expect("JSON");
        let operations = operations(&document);
        (document, operations)
    })
}

/// Ends the process where an answer breaks a promise.
pub fn hold(method: &str, path: &str, answer: &Answer) {
    let status = answer.status.as_u16();
    let said = || {
        format!(
            "{method} {path}: {status} {:?} {}",
            answer.headers,
            answer.text()
        )
    };
    // One request at a time, and a store that works: nothing excuses a fault, not even a full pool.
    assert!(status < 500, "{}", said());
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(answer.header(name), value, "{}", said());
    }
    assert!(!answer.header("cache-control").is_empty(), "{}", said());
    assert!(!answer.header("content-security-policy").is_empty());
    let essence = essence_of(answer);
    if answer.body.is_empty() {
        return;
    }
    assert!(!essence.is_empty() && method != "HEAD", "{}", said());
    if essence == "application/json" || essence == "application/problem+json" {
        assert!(
            serde_json::from_slice::<Value>(&answer.body).is_ok(),
            "{}",
            said()
        );
    }
    let known = ["text/html", "application/json", "application/problem+json"];
    assert!(status < 400 || known.contains(&essence), "{}", said());
    as_documented(method, path, answer, &said);
}

/// The document knows this status here, and the body is as it says.
fn as_documented(method: &str, path: &str, answer: &Answer, said: &dyn Fn() -> String) {
    let (document, operations) = documented();
    // A method's name has its case (RFC 9110, 9.1).
    let known = METHODS
        .iter()
        .find(|known| known.to_ascii_uppercase() == method);
    let Some(method) = known.filter(|_| !path.contains("//")) else {
        return;
    };
    let mut fitting = operations.iter().filter(|one| fits(&one.path, path));
    // Where a name stands in the place of a parameter, the router takes the name.
    let Some(literal) = fitting.clone().map(|one| braces(&one.path)).min() else {
        return;
    };
    let Some(one) = fitting.find(|one| one.method == *method && braces(&one.path) == literal)
    else {
        // In the words of the dialect whose path it is.
        let near = operations.iter().find(|one| fits(&one.path, path));
        let media = near.and_then(|one| media(&one.operation["responses"]["500"]));
        assert_eq!(Some(essence_of(answer)), media, "{}", said());
        assert!([404, 405].contains(&answer.status.as_u16()), "{}", said());
        return;
    };
    // With a slash at the end it is another path, which some dialects know and others do not.
    if answer.status == 404 && path.ends_with('/') != one.path.ends_with('/') {
        return;
    }
    let response = &one.operation["responses"][answer.status.as_str()];
    assert!(response.is_object(), "not documented: {}", said());
    let Some(media) = media(response) else {
        return;
    };
    let kind = answer.header("content-type");
    assert!(kind.starts_with(media), "{}", said());
    let schema = &response["content"][media]["schema"];
    let misfits = misfits(document, schema, &answer.json, path);
    assert!(misfits.is_empty(), "{misfits:#?} {}", said());
}

/// What an answer says it is, whatever the charset.
fn essence_of(answer: &Answer) -> &str {
    let kind = answer.header("content-type");
    kind.split(';').next().unwrap_or_default()
}

/// The media type of a response.
fn media(response: &Value) -> Option<&str> {
    let content = response["content"].as_object()?;
    content.keys().next().map(String::as_str)
}

fn braces(path: &str) -> usize {
    path.matches('{').count()
}
