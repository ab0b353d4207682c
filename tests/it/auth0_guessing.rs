//! Guessing recovery codes at the token endpoint: one answer, one price, and an end to it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use spare_key_core::Code;
use spare_key_server::model::Millis;
use spare_key_tests::auth0::{PASSWORD, Person, STRANGER, form};
use spare_key_tests::{Answer, App};
use tokio::task::JoinSet;

const REJECTED: &str = "MFA Authorization rejected.";
const THROTTLED: &str = "Too many failed codes. Wait for some minutes before retrying.";

/// Status, names of the header fields, and the body's bytes.
fn seen(answer: &Answer) -> (u16, BTreeSet<String>, Vec<u8>) {
    let names = answer.headers.keys().map(|name| name.as_str().to_owned());
    (
        answer.status.as_u16(),
        names.collect(),
        answer.body.to_vec(),
    )
}

/// The stranger is a code, or nothing here would be measured.
#[test]
fn the_stranger_is_a_code() {
    assert!(Code::parse(STRANGER).is_ok());
}

/// Rows S13, S14, A-61, A-62.
#[tokio::test]
async fn wrong_used_superseded_unknown_and_malformed_are_one_answer() {
    let app = App::start().await;
    let program = app.program();
    let manager = app.manager().await;
    let dora = app.enrolled("dora").await;
    let bare = app.add_person("bare").await;
    let off = app.enrolled("off").await;
    // Used: its successor is live. Superseded: by another.
    let answer = program.sign_in_by_code(&dora, &dora.code).await.expect(200);
    let superseded = answer.text_of("recovery_code").to_owned();
    let live = manager.regenerate(&dora).await.expect(200);
    let live = live.text_of("recovery_code").to_owned();

    let mut answers = Vec::new();
    let mut hashes = Vec::new();
    let mut measure = async |person: &Person, code: &str| {
        let mfa_token = program.mfa_token(person, &[]).await;
        let before = app.hashes().await;
        answers.push(program.recover(&mfa_token, code).await);
        hashes.push(app.hashes().await - before);
    };
    let crooked = format!("{}A", &live[..23]);
    measure(&dora, STRANGER).await;
    measure(&dora, &dora.code).await;
    measure(&dora, &superseded).await;
    measure(&dora, &off.code).await;
    measure(&bare, STRANGER).await;
    app.switch_codes(false).await;
    measure(&off, &off.code).await;
    app.switch_codes(true).await;
    let well_formed = answers.len();
    let mut measure = async |person: &Person, code: &str| {
        let mfa_token = program.mfa_token(person, &[]).await;
        let before = app.hashes().await;
        answers.push(program.recover(&mfa_token, code).await);
        hashes.push(app.hashes().await - before);
    };
    for malformed in [
        "A",
        "0189!",
        &crooked,
        &live[..23],
        &"A".repeat(300),
        "KZ3M 2'--",
    ] {
        measure(&dora, malformed).await;
    }

    let first = seen(&answers[0]);
    answers[0]
        .clone()
        .expect_oauth(403, "invalid_grant", REJECTED);
    for answer in &answers {
        assert_eq!(seen(answer), first);
    }
    let (priced, free) = hashes.split_at(well_formed);
    assert!(priced.iter().all(|spent| *spent == 1), "{hashes:?}");
    assert!(free.iter().all(|spent| *spent == 0), "{hashes:?}");
    program.sign_in_by_code(&dora, &live).await.expect(200);
}

/// Row A-87.
#[tokio::test]
async fn a_code_may_be_typed_as_people_type() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let typed = |code: &str| {
        let groups: Vec<_> = code
            .as_bytes()
            .chunks(4)
            .map(String::from_utf8_lossy)
            .collect();
        format!("  {} ", groups.join("-").to_lowercase())
    };
    let answer = program.sign_in_by_code(&dora, &typed(&dora.code)).await;
    let next = answer.expect(200).text_of("recovery_code").to_owned();
    // And as JSON, with members that are null or unknown.
    let mfa_token = program.mfa_token(&dora, &[]).await;
    let body = json!({
        "grant_type": spare_key_tests::auth0::RECOVERY_GRANT,
        "mfa_token": mfa_token,
        "recovery_code": typed(&next).replace('-', " "),
        "audience": null,
        "organization": null,
        "unknown": { "nested": [1] },
    });
    program.token_json(body).await.expect(200);
}

/// Rows S11, A-56.
#[tokio::test]
async fn after_ten_there_is_a_wait_for_the_right_code_too_and_for_nothing_else() {
    let app = App::start().await;
    let program = app.program();
    let erik = app.enrolled("erik").await;
    let dora = app.enrolled("dora").await;
    let mfa_token = program.mfa_token(&dora, &[]).await;
    app.next_otp(&dora.secret);
    for _ in 0..10 {
        program
            .recover(&mfa_token, STRANGER)
            .await
            .expect_oauth(403, "invalid_grant", REJECTED);
    }
    let hashes = app.hashes().await;
    for code in [STRANGER, &dora.code] {
        let answer = program.recover(&mfa_token, code).await;
        let answer = answer.expect_oauth(429, "too_many_attempts", THROTTLED);
        assert_eq!(answer.header("retry-after"), "30");
        assert!(answer.header("cache-control").contains("no-store"));
    }
    assert_eq!(app.hashes().await, hashes);
    // What cannot be a code is neither counted nor told from a wrong one.
    program
        .recover(&mfa_token, "A")
        .await
        .expect_oauth(403, "invalid_grant", REJECTED);

    // Others, the password and the authenticator are untouched.
    program.sign_in_by_code(&erik, &erik.code).await.expect(200);
    let other = program.mfa_token(&dora, &[]).await;
    program.recover(&other, &dora.code).await.expect(429);
    let otp = app.otp(&dora.secret);
    program.otp(&other, &otp).await.expect(200);
    app.clock.advance(Millis(29_999));
    let still = program.recover(&mfa_token, &dora.code).await.expect(429);
    assert_eq!(still.header("retry-after"), "1");
    app.clock.advance(Millis(1));
    program.recover(&mfa_token, &dora.code).await.expect(200);
}

/// Row A-52.
#[tokio::test]
async fn success_clears_the_count() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let mut code = dora.code.clone();
    for _ in 0..2 {
        let mfa_token = program.mfa_token(&dora, &[]).await;
        for _ in 0..9 {
            program.recover(&mfa_token, STRANGER).await.expect(403);
        }
        let answer = program.recover(&mfa_token, &code).await.expect(200);
        code = answer.text_of("recovery_code").to_owned();
    }
}

/// Rows S8, S9, A-54.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_mfa_tokens_at_once_get_no_more_tries_than_one() {
    let app = App::start().await;
    let other = app.another();
    let dora = app.enrolled("dora").await;
    let mut tokens = Vec::new();
    for _ in 0..50 {
        tokens.push(app.program().mfa_token(&dora, &[]).await);
    }
    let mut guesses = JoinSet::new();
    for (number, token) in tokens.iter().cloned().enumerate() {
        let program = [app.program(), other.program()][number % 2].clone();
        guesses.spawn(async move { program.recover(&token, STRANGER).await.status.as_u16() });
    }
    let answers = guesses.join_all().await;
    let count = |wanted: u16| answers.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(403), count(429)), (10, 40), "{answers:?}");
    let throttled = app.program().recover(&tokens[0], &dora.code).await;
    throttled.expect_oauth(429, "too_many_attempts", THROTTLED);
}

/// Rows S11, S19, A-59.
#[tokio::test]
async fn nobody_without_the_password_spends_anothers_tries() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    for number in 0..30 {
        let token = format!("{number:043}");
        program.recover(&token, STRANGER).await.expect_oauth(
            403,
            "invalid_grant",
            "Malformed mfa_token",
        );
    }
    let wrong = [
        ("grant_type", "password"),
        ("username", &dora.login),
        ("password", "another password"),
    ];
    program
        .token(&wrong)
        .await
        .expect_oauth(403, "invalid_grant", "Wrong email or password.");
    // Unknown people get the same words.
    let unknown = [
        ("grant_type", "password"),
        ("username", "nobody@example.com"),
        ("password", PASSWORD),
    ];
    program
        .token(&unknown)
        .await
        .expect_oauth(403, "invalid_grant", "Wrong email or password.");
    program.sign_in_by_code(&dora, &dora.code).await.expect(200);
}

/// Row A-35.
#[tokio::test]
async fn a_list_is_used_up_code_by_code_and_the_last_brings_a_single_one() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    // The same account, given a list by a host.
    let (_, codes) = app.host().issue(&dora.id).await;
    program
        .sign_in_by_code(&dora, &dora.code)
        .await
        .expect_oauth(403, "invalid_grant", REJECTED);
    let (last, others) = codes.split_last().unwrap();
    for code in others {
        let answer = program.sign_in_by_code(&dora, code).await.expect(200);
        assert!(answer.json.get("recovery_code").is_none());
    }
    let answer = program.sign_in_by_code(&dora, last).await.expect(200);
    let single = answer.text_of("recovery_code").to_owned();
    assert_eq!(single.len(), 24);
    for code in &codes {
        program
            .sign_in_by_code(&dora, code)
            .await
            .expect_oauth(403, "invalid_grant", REJECTED);
        app.clock.advance(Millis::minutes(6));
    }
    program.sign_in_by_code(&dora, &single).await.expect(200);
}

/// Passwords are guessed from somewhere; only a program that keeps a secret is believed where from.
/// Row S12.
#[tokio::test]
async fn a_password_is_throttled_by_where_its_program_says_it_came_from() {
    let app = App::start().await;
    let dora = app.add_person("dora").await;
    let sign_in = async |client: &[(&str, &str)], from: &str, password: &str| {
        let fields = [
            client,
            &[
                ("grant_type", "password"),
                ("username", &dora.login),
                ("password", password),
            ],
        ]
        .concat();
        let request = Request::post("/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("auth0-forwarded-for", from)
            .body(Body::from(form(&fields)));
        let answer = app.send(request.unwrap()).await;
        answer.text_of("error").to_owned()
    };
    let secret = [
        ("client_id", "dev-app"),
        ("client_secret", "dev-app-secret"),
    ];
    let public = [("client_id", "dev-spa")];
    for _ in 0..20 {
        let said = sign_in(&secret, "203.0.113.1", "wrong password").await;
        assert_eq!(said, "invalid_grant");
    }
    let said = sign_in(&secret, "203.0.113.1", PASSWORD).await;
    assert_eq!(said, "too_many_attempts");
    assert_eq!(
        sign_in(&secret, "203.0.113.2", PASSWORD).await,
        "mfa_required"
    );
    // A page may say what it likes: it comes from where it comes from.
    for number in 0..20 {
        let from = format!("203.0.113.{number}");
        assert_eq!(
            sign_in(&public, &from, "wrong password").await,
            "invalid_grant"
        );
    }
    let said = sign_in(&public, "203.0.113.99", PASSWORD).await;
    assert_eq!(said, "too_many_attempts");
}
