//! Codes of other systems of people who sign in here: through Auth0's dialect and on the pages.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;
use spare_key_server::model::Origin;
use spare_key_tests::auth0::{Person, form};
use spare_key_tests::foreign::{forgiving, verifiers};
use spare_key_tests::{Answer, App};

const CODES: [&str; 3] = ["ABCDEFGHJKLM", "NPQRSTUVWXYZ", "123456789ABC"];

const CODE_PAGE: &str = "/u/mfa-recovery-code-challenge";

/// Somebody with an authenticator, whose codes came from Keycloak.
async fn moved(app: &App) -> Person {
    let person = app.enrolled("dora").await;
    let kept = verifiers("keycloak", &CODES);
    app.import(&person.id, forgiving(Origin::Keycloak), &kept)
        .await;
    person
}

#[tokio::test]
async fn an_auth0_client_redeems_imported_codes_and_gets_a_new_one_for_the_last() {
    let app = App::start().await;
    let program = app.program();
    let dora = moved(&app).await;
    for (at, code) in CODES.iter().enumerate() {
        let mfa_token = program.mfa_token(&dora, &[]).await;
        let wrong = program.recover(&mfa_token, "ABCDEFGHJKLX").await;
        assert_eq!(wrong.status, 403, "{}", wrong.text());
        let answer = program.recover(&mfa_token, code).await.expect(200);
        let replaced = answer.json.get("recovery_code").is_some();
        assert_eq!(replaced, at == 2, "only the last one is replaced");
        let again = program.sign_in_by_code(&dora, code).await;
        assert_eq!(again.status, 403, "{}", again.text());
    }
}

// Row S14: a text that is no code is told alike, and costs a hash only whom it could be of.
#[tokio::test]
async fn an_auth0_client_is_told_nothing_of_where_codes_came_from() {
    let app = App::start().await;
    let program = app.program();
    let dora = moved(&app).await;
    let ours = app.enrolled("ours").await;
    let mut answers = Vec::new();
    for (person, hashes) in [(&dora, 1), (&ours, 0)] {
        let mfa_token = program.mfa_token(person, &[]).await;
        let before = app.hashes().await;
        let answer = program.recover(&mfa_token, "NO-CODE-OF-ANYBODY").await;
        answers.push((answer.status, answer.body.clone()));
        assert_eq!(app.hashes().await - before, hashes);
    }
    assert_eq!(answers[0], answers[1]);
}

/// A browser, as far as these pages need one.
struct Browser<'a> {
    app: &'a App,
    jar: BTreeMap<String, String>,
    at: String,
}

fn between<'a>(text: &'a str, before: &str, behind: &str) -> &'a str {
    let (_, rest) = text.split_once(before).expect(before);
    rest.split_once(behind).expect(behind).0
}

impl Browser<'_> {
    async fn send(&mut self, method: Method, path: &str, body: String) -> Answer {
        let jar = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1:8080")
            .header("cookie", Vec::from_iter(jar).join("; "))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .expect("a request");
        let answer = self.app.send(request).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let (pair, _) = cookie.split_once(';').expect("a cookie");
            let (name, value) = pair.split_once('=').expect("a cookie");
            self.jar.insert(name.to_owned(), value.to_owned());
        }
        if let Some(to) = answer.headers.get("location") {
            self.at = to.to_str().expect("text").to_owned();
        }
        answer
    }

    async fn get(&mut self, path: &str) -> String {
        self.send(Method::GET, path, String::new()).await.text()
    }

    /// Fills in the form of a page and sends it.
    async fn fill(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(path).await;
        let hidden = |name: &str| {
            let before = format!("name=\"{name}\" value=\"");
            between(&page, &before, "\"").to_owned()
        };
        let (csrf, state) = (hidden("csrf"), hidden("state"));
        let more = [("csrf", csrf.as_str()), ("state", state.as_str())];
        let body = form(&[more.as_slice(), fields].concat());
        self.send(Method::POST, path, body).await
    }
}

#[tokio::test]
async fn the_pages_take_imported_codes_as_they_are_typed() {
    let app = App::start().await;
    let dora = moved(&app).await;
    let mut browser = Browser {
        app: &app,
        jar: BTreeMap::new(),
        at: String::new(),
    };
    browser.get("/u/login").await;
    let login = browser.at.clone();
    let fields = [
        ("username", dora.login.as_str()),
        ("password", "correct horse battery staple"),
    ];
    browser.fill(&login, &fields).await.expect(303);
    let (_, state) = browser.at.split_once('?').unwrap();
    let path = format!("{CODE_PAGE}?{state}");

    // The field that helps with our own codes would change these.
    let page = browser.get(&path).await;
    assert!(!page.contains("<recovery-code-input"), "{page}");
    assert!(page.contains("from the system that it came from"), "{page}");
    let fields = |code| [("code", code), ("action", "default")];
    let unreadable = browser.fill(&path, &fields("ключ")).await.expect(422);
    assert!(unreadable.text().contains("This did not count as a try"));
    assert!(!unreadable.text().contains("16 letters"));
    let wrong = browser.fill(&path, &fields("ABCD-EFGH-JKLX")).await;
    assert!(wrong.status.is_client_error(), "{}", wrong.text());
    let right = browser.fill(&path, &fields("abcd-efgh-jklm")).await;
    right.expect(303);
    assert!(
        browser.at.starts_with("/u/after-recovery"),
        "{}",
        browser.at
    );
    let after = browser.at.clone();
    assert!(browser.get(&after).await.contains("2 of 3 left"));
    let account = browser.get("/account").await;
    assert!(
        account.contains("taken over from another system"),
        "{account}"
    );
    assert!(account.contains("Recovery codes from another system were taken over"));
}

#[tokio::test]
async fn our_own_codes_keep_the_field_that_helps_with_them() {
    let app = App::start().await;
    let ours = app.enrolled("ours").await;
    let mut browser = Browser {
        app: &app,
        jar: BTreeMap::new(),
        at: String::new(),
    };
    browser.get("/u/login").await;
    let login = browser.at.clone();
    let fields = [
        ("username", ours.login.as_str()),
        ("password", "correct horse battery staple"),
    ];
    browser.fill(&login, &fields).await.expect(303);
    let (_, state) = browser.at.split_once('?').unwrap();
    let page = browser.get(&format!("{CODE_PAGE}?{state}")).await;
    assert!(page.contains("<recovery-code-input"), "{page}");
    assert_eq!(json!(page.matches("</recovery-code-input>").count()), 1);
}
