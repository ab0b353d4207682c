//! What holds for the OpenAPI document and for every operation in it, whatever its dialect.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, Request};
use data_encoding::BASE64;
use serde_json::{Map, Value};
use spare_key_server::domain::{Grant, NewClient, Secrecy};
use spare_key_server::model::{AccountId, Token};
use spare_key_tests::openapi::{METHODS, Operation, document, misfits, operations, resolved};
use spare_key_tests::{Answer, App, HOST};

/// A path with values in the place of its parameters.
fn real(path: &str) -> String {
    let dora = AccountId::parse("auth0|dora")
        .expect("an identifier")
        .uuid();
    let path = match canopy(path) {
        true => path.replace("{id}", &dora.to_string()),
        false => path.to_owned(),
    };
    path.replace("{account}", "auth0%7Cdora")
        .replace("{account_slug}", "dev")
        .replace("{app_slug}", "dev-app")
        .replace("{env_slug}", "development")
        .replace("{generation}", "1")
        .replace("{id}", "auth0%7Cdora")
        .replace("{org_id}", "1")
        .replace("{method_id}", "totp%7Cdev_0")
}

/// Whether it is of the dialect that tells the address of a request in every error.
fn canopy(path: &str) -> bool {
    ["/v1/identity/", "/v1/auth/", "/portal/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

/// An error without the address of the request, which no example can know.
fn unaddressed(mut error: Value) -> Value {
    if let Some(error) = error["error"].as_object_mut() {
        error.remove("path");
        error.remove("method");
    }
    error
}

/// What a body says it is, and what it is.
type Sent<'a> = (&'a str, &'a [u8]);

const NO_BODY: Sent<'_> = ("", b"");

const JSON: &str = "application/json";

async fn ask(app: &App, method: &str, path: &str, with: Option<&str>, body: Sent<'_>) -> Answer {
    let method: Method = method.to_ascii_uppercase().parse().expect("a method");
    let mut request = Request::builder().method(method).uri(path);
    if let Some(value) = with {
        // Not everybody has a scheme: an API key stands alone, in a header of its own.
        request = match value.strip_prefix("ApiKey ") {
            Some(key) => request.header("x-arklow-auth", key),
            None => request.header("authorization", value),
        };
    }
    let (kind, bytes) = body;
    if !kind.is_empty() {
        request = request.header("content-type", kind);
    }
    let request = request.body(Body::from(bytes.to_vec()));
    app.send(request.expect("a request")).await
}

/// The scheme that an operation is guarded by; `None`: by nothing, or not by a header alone.
fn guard(operation: &Value) -> Option<String> {
    let choices = operation["security"].as_array().expect("security");
    let names: Vec<_> = choices
        .iter()
        .map(|choice| choice.as_object().expect("a choice").keys().next())
        .collect();
    if names.contains(&None) {
        return None;
    }
    // Where an mfa_token does too, an access token has scopes.
    names.last().copied().flatten().cloned()
}

/// The media type and the content of a response.
fn content(response: &Value) -> Option<(&String, &Value)> {
    response["content"].as_object()?.iter().next()
}

/// What is said at this place about an error, by the names of its examples.
fn examples(operation: &Value, status: u16) -> BTreeMap<String, Value> {
    let response = &operation["responses"][status.to_string()];
    let Some((_, content)) = content(response) else {
        return BTreeMap::new();
    };
    let examples = content["examples"].as_object().into_iter().flatten();
    examples
        .map(|(name, example)| (name.clone(), example["value"].clone()))
        .collect()
}

/// The headers of somebody who may do everything, and of somebody who may do nothing, by scheme.
struct Callers(BTreeMap<String, [String; 2]>);

impl Callers {
    async fn of(app: &App) -> Self {
        let dora = app.enrolled("dora").await;
        let program = app.program();
        let powerless = NewClient {
            id: "powerless".to_owned(),
            grants: vec![Grant::ClientCredentials],
            secrecy: Secrecy::Given(Token::presented("powerless")),
            ..NewClient::default()
        };
        app.mfa().add_client(powerless).await.expect("a client");
        let basic = |(id, secret): (&str, &str)| {
            let text = format!("{id}:{secret}");
            format!("Basic {}", BASE64.encode(text.as_bytes()))
        };
        let bearer = |token: &str| format!("Bearer {token}");
        let none = app.program_named("powerless", Some("powerless"));
        let none = none.machine().await.expect(200);
        let machine = [
            bearer(&app.manager().await.token),
            bearer(none.text_of("access_token")),
        ];
        let mut callers = BTreeMap::new();
        callers.insert("machine".to_owned(), machine);
        callers.insert(
            "basic".to_owned(),
            [basic(HOST), basic(("powerless", "powerless"))],
        );
        let all = "enroll read:authenticators remove:authenticators \
                   read:me:authentication_methods read:me:factors create:me:authentication_methods";
        for api in ["mfa", "me"] {
            let path = format!("{api}/");
            let may = program.access(&dora, &path, all).await;
            let may_not = program.access(&dora, &path, "profile").await;
            let pair = [bearer(&may.token), bearer(&may_not.token)];
            callers.insert(format!("/{api}/"), pair);
        }
        let may = program.sign_in_by_otp(&dora, &[]).await.expect(200);
        let may_not = program.sign_in_by_otp(&dora, &[("scope", "email")]).await;
        let key = app.arklow(&dora).await.credential;
        let elsewhere = may.text_of("access_token").to_owned();
        let pair = [format!("ApiKey {key}"), format!("ApiKey {elsewhere}")];
        callers.insert("apiKey".to_owned(), pair);
        let pair = [may, may_not.expect(200)].map(|answer| bearer(answer.text_of("access_token")));
        callers.insert("/userinfo".to_owned(), pair);
        let mut browser = app.canopy().await;
        browser.sign_in_by_otp(&dora, &dora.secret).await;
        let pair = [bearer(&browser.access), bearer(&app.portal().await.access)];
        let mut other = pair.clone();
        other.reverse();
        callers.insert("identity".to_owned(), pair);
        callers.insert("portal".to_owned(), other);
        Self(callers)
    }

    /// Who may, and who may not.
    fn of_operation(&self, one: &Operation) -> Option<&[String; 2]> {
        match guard(&one.operation)?.as_str() {
            "person" | "mfa_token" => {
                let mut all = self.0.iter();
                all.find(|(prefix, _)| one.path.starts_with(prefix.as_str()))
                    .map(|(_, pair)| pair)
            }
            scheme => self.0.get(scheme),
        }
    }
}

/// Documented and there: asked with a method that is not documented, each path says that it is not
/// allowed; asked with one that is, it does not.
/// Row A-92.
#[tokio::test]
async fn what_is_documented_is_what_is_routed() {
    let app = App::start().await;
    let document = document(&app).await;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS {
            let answer = ask(&app, method, &real(path), None, NO_BODY).await;
            let allowed = answer.status != 405;
            assert_eq!(allowed, item.get(method).is_some(), "{method} {path}");
            assert_ne!(answer.status, 404, "{method} {path}");
        }
    }
}

/// What no handler answers is answered in the words of the dialect whose path it is, as the document
/// has them for what a handler could not answer.
#[tokio::test]
async fn a_method_that_is_not_there_is_refused_in_the_words_of_its_dialect() {
    let app = App::start().await;
    let document = document(&app).await;
    for one in operations(&document) {
        let answer = ask(&app, "brew", &real(&one.path), None, NO_BODY).await;
        assert_eq!(answer.status, 405, "{}", one.path);
        let (media, _) = content(&one.operation["responses"]["500"]).expect("an error");
        let kind = answer.header("content-type");
        assert!(kind.starts_with(media.as_str()), "{}: {kind}", one.path);
    }
}

/// Row A-91.
#[tokio::test]
async fn every_operation_asks_who_it_is_and_says_so_as_documented() {
    let app = App::start().await;
    let document = document(&app).await;
    let callers = Callers::of(&app).await;
    let mut open = Vec::new();
    let mut guarded = 0;
    for one in operations(&document) {
        let said = format!("{} {}", one.method, one.path);
        let Some([_, may_not]) = callers.of_operation(&one) else {
            open.push(said);
            continue;
        };
        guarded += 1;
        let path = real(&one.path);
        for (with, status) in [
            (None, 401),
            (Some("Bearer a.b.c"), 401),
            (Some(may_not.as_str()), 403),
        ] {
            let answer = ask(&app, &one.method, &path, with, NO_BODY).await;
            assert_eq!(answer.status, status, "{said} {with:?} {}", answer.text());
            let examples = examples(&one.operation, status);
            let told = unaddressed(answer.json);
            assert!(
                examples
                    .values()
                    .any(|example| unaddressed(example.clone()) == told),
                "{said}: {told} is not among {examples:?}"
            );
        }
        // Who may do everything elsewhere may do nothing here.
        for (scheme, [may, _]) in &callers.0 {
            if callers
                .of_operation(&one)
                .is_some_and(|pair| pair[0] == *may)
            {
                continue;
            }
            let answer = ask(&app, &one.method, &path, Some(may), NO_BODY).await;
            // There, somebody of the other kind is told so.
            let of_other_kind = ["identity", "portal"].contains(&scheme.as_str());
            let status = answer.status.as_u16();
            assert!(
                [400, 401].contains(&status) || status == 403 && of_other_kind,
                "{said} with {scheme}"
            );
        }
    }
    assert_eq!(
        open,
        [
            "get /.well-known/jwks.json",
            "get /.well-known/openid-configuration",
            "post /mfa/challenge",
            "post /oauth/token",
            "post /v1/auth/login",
            "post /v1/identity/auth/login",
            "post /v1/identity/auth/mfa/challenge/email-otp/send",
            "post /v1/identity/auth/mfa/challenge/email-otp/verify",
            "post /v1/identity/auth/mfa/challenge/recovery-code",
            "post /v1/identity/auth/mfa/challenge/totp",
            "post /v1/identity/auth/mfa/challenge/webauthn/options",
            "post /v1/identity/auth/mfa/challenge/webauthn/verify",
            "post /v1/identity/auth/refresh",
            "post /v1/self/login",
        ]
    );
    assert!(guarded > 30, "{guarded}");
}

/// Rows A-41, E3.
#[tokio::test]
async fn a_body_of_any_shape_is_answered_and_never_with_a_fault() {
    let app = App::start().await;
    let document = document(&app).await;
    let callers = Callers::of(&app).await;
    let deep = "[".repeat(5_000);
    let wide = format!("{{\"a\":\"{}\"}}", "x".repeat(20_000));
    let types = "{\"grant_type\":[],\"mfa_token\":1,\"code\":{},\"type\":null,\"enabled\":\"x\",\
                  \"saved\":1,\"connection\":[],\"password\":{},\"authenticator_types\":\"otp\",\
                  \"auth_session\":0,\"proof\":[],\"challenge_type\":{}}";
    const FORM: &str = "application/x-www-form-urlencoded";
    let bodies: [Sent<'_>; 16] = [
        (JSON, b"\"x\""),
        (JSON, b"[1]"),
        (JSON, b"1"),
        (JSON, b"null"),
        (JSON, b"{"),
        (JSON, b"{\"a\":{\"b\":[{}]}}"),
        (JSON, deep.as_bytes()),
        (JSON, types.as_bytes()),
        (JSON, wide.as_bytes()),
        (JSON, b"\xff\xfe{}"),
        (JSON, b"{\"grant_type\":\"\xc3\x28\"}"),
        (JSON, b"{\"grant_type\":\"\\u0000\\ud800\"}"),
        (FORM, b"grant_type=%ff%fe&x=%"),
        (FORM, b"&&==&%00"),
        ("text/plain", b"x"),
        ("application/json, application/json", b"{}"),
    ];
    let mut operations = operations(&document);
    // What takes away what the others need comes last: a device before an account.
    let ends = |path: &str| path.ends_with("/logout") || path.ends_with("/reset");
    operations.sort_by_key(|one| {
        let device = one.path.starts_with("/v1/self") || one.path.starts_with("/v1/orgs");
        (one.method == "delete" || ends(&one.path), !device)
    });
    for one in operations {
        let said = format!("{} {}", one.method, one.path);
        let may = callers.of_operation(&one).map(|[may, _]| may.as_str());
        let path = real(&one.path);
        for (kind, bytes) in bodies {
            let answer = ask(&app, &one.method, &path, may, (kind, bytes)).await;
            let status = answer.status.as_u16();
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
            assert!(status < 500, "{said} {text}: {}", answer.text());
            if one.operation["requestBody"].is_object() {
                // What is only changed in part may be asked to change nothing.
                let nothing = one.method == "patch" && canopy(&one.path) && status == 200;
                assert!(
                    nothing || (400..500).contains(&status),
                    "{said} {text}: {status}"
                );
                if kind == "text/plain" {
                    assert_eq!(status, 415, "{said}");
                }
                if bytes.len() == wide.len() {
                    assert_eq!(status, 413, "{said}");
                }
            }
            if status >= 400 {
                as_documented(&document, &one, &answer);
                // What was sent is not repeated.
                assert!(!answer.text().contains("xxxxx"), "{said}");
            }
        }
    }
}

/// The document knows this no of the operation, and its body is as it says there.
fn as_documented(document: &Value, one: &Operation, answer: &Answer) {
    let said = format!("{} {}", one.method, one.path);
    let response = &one.operation["responses"][answer.status.as_str()];
    let (media, content) =
        content(response).unwrap_or_else(|| panic!("{said}: no {}", answer.status));
    let kind = answer.header("content-type");
    assert!(kind.starts_with(media.as_str()), "{said}: {kind}");
    let misfits = misfits(document, &content["schema"], &answer.json, &said);
    assert!(misfits.is_empty(), "{misfits:#?}");
}

/// Row E3: bytes that are no text name nothing, in the dialect's words.
#[tokio::test]
async fn a_path_with_bytes_that_are_no_text_is_the_path_of_nothing() {
    let app = App::start().await;
    let document = document(&app).await;
    let callers = Callers::of(&app).await;
    let mut asked = 0;
    for one in operations(&document) {
        let may = callers.of_operation(&one).map(|[may, _]| may.as_str());
        for (start, _) in one.path.match_indices('{') {
            let end = start + one.path[start..].find('}').expect("a whole parameter");
            let path = real(&format!(
                "{}%ff{}",
                &one.path[..start],
                &one.path[end + 1..]
            ));
            let answer = ask(&app, &one.method, &path, may, (JSON, b"{}")).await;
            let said = format!("{} {path}: {}", one.method, answer.text());
            assert!((400..500).contains(&answer.status.as_u16()), "{said}");
            as_documented(&document, &one, &answer);
            asked += 1;
        }
    }
    assert!(asked > 20, "{asked}");
}

/// Rows L3, A-89, A-12, S21: no GET changes anything, and no answer is kept, whoever asks.
#[tokio::test]
async fn reading_changes_nothing_and_no_answer_is_kept() {
    let app = App::start().await;
    let document = document(&app).await;
    let callers = Callers::of(&app).await;
    app.host().issue("auth0|dora").await;
    let before = app.rows();
    assert!(before.iter().any(|row| row.starts_with("code: ")));
    let mut read = 0;
    for one in operations(&document) {
        let may = callers.of_operation(&one).map(|[may, _]| may.as_str());
        let path = real(&one.path);
        let with = if one.method == "get" { may } else { None };
        let answer = ask(&app, &one.method, &path, with, NO_BODY).await;
        let said = format!("{} {}", one.method, one.path);
        assert!(answer.status.as_u16() < 500, "{said}");
        read += usize::from(one.method == "get" && answer.status == 200);
        if !path.starts_with("/.well-known/") {
            let kept = answer.header("cache-control");
            assert!(kept.contains("no-store"), "{said}: {kept}");
        }
    }
    assert!(read > 15, "{read}");
    let after = app.rows();
    let new: Vec<_> = after.iter().filter(|row| !before.contains(row)).collect();
    assert!(new.is_empty() && after.len() == before.len(), "{new:#?}");
}

/// Row A-14.
#[tokio::test]
async fn every_example_is_as_its_schema_says() {
    let app = App::start().await;
    let document = document(&app).await;
    let mut wrong = Vec::new();
    let mut checked = 0;
    let mut check = |schema: &Value, example: &Value, place: &str| {
        if !example.is_null() {
            checked += 1;
            wrong.extend(misfits(&document, schema, example, place));
        }
    };
    let nothing = Map::new();
    let schemas = &document["components"]["schemas"];
    for (name, schema) in schemas.as_object().unwrap_or(&nothing) {
        check(schema, &schema["example"], name);
    }
    for one in operations(&document) {
        let said = format!("{} {}", one.method, one.path);
        let responses = one.operation["responses"].as_object().unwrap();
        let bodies = responses
            .iter()
            .map(|(status, body)| (status.as_str(), body));
        for (place, body) in bodies.chain([("request", &one.operation["requestBody"])]) {
            for (media, content) in body["content"].as_object().unwrap_or(&nothing) {
                let place = format!("{said} {place} {media}");
                let schema = &content["schema"];
                check(schema, &content["example"], &place);
                for (name, example) in content["examples"].as_object().unwrap_or(&nothing) {
                    check(schema, &example["value"], &format!("{place} {name}"));
                }
                // A body that is shown nowhere helps nobody.
                let shown = !content["example"].is_null()
                    || content["examples"].is_object()
                    || !resolved(&document, schema)["example"].is_null()
                    || !resolved(&document, &schema["items"])["example"].is_null()
                    || resolved(&document, schema)["oneOf"].is_array()
                    || schema["type"] == "object";
                assert!(shown, "{place}: {schema}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked > 200, "{checked}");
}

#[tokio::test]
async fn every_operation_is_described_with_scopes_and_errors() {
    let app = App::start().await;
    let document = document(&app).await;
    let mut names = Vec::new();
    for one in operations(&document) {
        let said = format!("{} {}", one.method, one.path);
        names.push(one.operation["operationId"].as_str().unwrap().to_owned());
        assert!(one.operation["summary"].is_string(), "{said}");
        let responses = one.operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("500"), "{said}");
        for (status, response) in responses {
            if status.as_str() >= "400" {
                let (_, content) = content(response).unwrap();
                assert!(content["schema"]["$ref"].is_string(), "{said} {status}");
            }
        }
        if guard(&one.operation).is_some_and(|scheme| scheme == "machine") {
            let scope = one.operation["security"][0]["machine"][0].as_str().unwrap();
            let told = examples(&one.operation, 403);
            let told = told["insufficient_scope"]["message"].as_str().unwrap();
            assert!(told.ends_with(scope), "{said}");
        }
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "two operations of one name");
}
