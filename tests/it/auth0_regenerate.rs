//! Making an account's code anew: for whom, with which bodies, and twice without harm.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;
use spare_key_server::dev;
use spare_key_server::model::Millis;
use spare_key_tests::App;

#[tokio::test]
async fn every_body_that_clients_send_is_taken() {
    let app = App::start().await;
    let manager = app.manager().await;
    let dora = app.enrolled("dora").await;
    let path = dora.at("/recovery-code-regeneration");
    let mut seen = vec![dora.code.clone()];
    for (kind, body) in [
        ("", ""),
        ("application/json", ""),
        ("application/json", "{}\n"),
        ("application/json; charset=utf-8", "{\"unknown\":null}"),
        ("text/plain", ""),
    ] {
        let mut request = manager.request(Method::POST, &path);
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let request = request.header("content-length", body.len());
        let answer = app.send(request.body(Body::from(body)).unwrap()).await;
        let code = answer.expect(200).text_of("recovery_code").to_owned();
        assert!(!seen.contains(&code));
        seen.push(code);
    }
    for body in ["[]", "\"x\"", "1", "{", "\u{0}"] {
        let request = manager
            .request(Method::POST, &path)
            .header("content-type", "application/json")
            .body(Body::from(body));
        app.send(request.unwrap()).await.expect_management(
            400,
            Some("invalid_body"),
            "Payload validation error: 'There is nothing to say here.'",
        );
    }
    // Two without a key are two codes, and the second is the one that works.
    let program = app.program();
    let (last, others) = seen.split_last().unwrap();
    for code in others {
        program.sign_in_by_code(&dora, code).await.expect(403);
    }
    program.sign_in_by_code(&dora, last).await.expect(200);
}

#[tokio::test]
async fn under_one_key_there_is_one_code() {
    let app = App::start().await;
    let manager = app.manager().await;
    let dora = app.enrolled("dora").await;
    let erik = app.enrolled("erik").await;
    let first = manager.regenerate_under("k1", &dora).await.expect(200);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = manager.regenerate_under("k1", &dora).await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json, first.json);
    let conflict = Some("idempotency_conflict");
    let said =
        "The idempotency key came with another request, or its answer can no longer be given.";
    manager
        .regenerate_under("k1", &erik)
        .await
        .expect_management(409, conflict, said);
    // Erik's code is as it was.
    let program = app.program();
    program.sign_in_by_code(&erik, &erik.code).await.expect(200);

    // Redeemed, it is not shown again; nor where another took its place.
    let code = first.text_of("recovery_code");
    program.sign_in_by_code(&dora, code).await.expect(200);
    manager
        .regenerate_under("k1", &dora)
        .await
        .expect_management(409, conflict, said);
    let second = manager.regenerate_under("k2", &dora).await.expect(200);
    manager.regenerate(&dora).await.expect(200);
    manager
        .regenerate_under("k2", &dora)
        .await
        .expect_management(409, conflict, said);
    let superseded = second.text_of("recovery_code");
    program.sign_in_by_code(&dora, superseded).await.expect(403);
}

#[tokio::test]
async fn a_key_is_remembered_for_ten_minutes() {
    let app = App::start().await;
    let manager = app.manager().await;
    let dora = app.enrolled("dora").await;
    let first = manager.regenerate_under("k", &dora).await.expect(200);
    app.clock.advance(Millis(599_999));
    let again = manager.regenerate_under("k", &dora).await.expect(200);
    assert_eq!(again.json, first.json);
    app.clock.advance(Millis(1));
    let later = manager.regenerate_under("k", &dora).await;
    // Forgotten, it is a key like a new one, or it is refused; the old code is never shown.
    assert_ne!(later.json["recovery_code"], first.json["recovery_code"]);
}

#[tokio::test]
async fn a_key_is_visible_ascii_sent_once() {
    let app = App::start().await;
    let manager = app.manager().await;
    let dora = app.enrolled("dora").await;
    let path = dora.at("/recovery-code-regeneration");
    for keys in [
        vec!["".to_owned()],
        vec!["a b".to_owned()],
        vec!["x".repeat(256)],
        vec!["a".to_owned(), "a".to_owned()],
    ] {
        let mut request = manager.request(Method::POST, &path);
        for key in &keys {
            request = request.header("idempotency-key", key);
        }
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.expect(400).json["errorCode"], "invalid_body");
    }
    let program = app.program();
    program.sign_in_by_code(&dora, &dora.code).await.expect(200);
}

/// Row A-91.
#[tokio::test]
async fn it_is_for_those_who_may_and_for_accounts_that_can() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let bare = app.add_person("bare").await;
    let manager = app.manager().await;
    let missing = Some("enrollment_not_found");
    manager
        .regenerate(&bare)
        .await
        .expect_management(404, missing, "Enrollment not found");
    let nobody = spare_key_tests::auth0::Person {
        id: "auth0|nobody".to_owned(),
        ..bare
    };
    manager.regenerate(&nobody).await.expect_management(
        404,
        Some("inexistent_user"),
        "The user does not exist.",
    );

    let (id, secret) = dev::READONLY;
    let reader = app.program_named(id, Some(secret)).machine().await;
    let reader = app.bearer(reader.expect(200).text_of("access_token"));
    let refused = reader.regenerate(&dora).await.expect_management(
        403,
        Some("insufficient_scope"),
        "Insufficient scope, expected any of: update:users",
    );
    let said = "Bearer error=\"insufficient_scope\"";
    assert_eq!(refused.header("www-authenticate"), said);

    // A token that was asked for less is good for less.
    let (id, secret) = dev::MANAGEMENT;
    let program = app.program_named(id, Some(secret));
    let audience = spare_key_tests::auth0::api("api/v2/");
    let less = [
        ("grant_type", "client_credentials"),
        ("audience", audience.as_str()),
        ("scope", "read:users"),
    ];
    let less = program.token(&less).await.expect(200);
    assert_eq!(less.json["scope"], "read:users");
    let less = app.bearer(less.text_of("access_token"));
    less.regenerate(&dora).await.expect(403);
    less.get(&dora.at("")).await.expect(200);
    let program = app.program();
    program.sign_in_by_code(&dora, &dora.code).await.expect(200);
}

#[tokio::test]
async fn no_other_method_is_there() {
    let app = App::start().await;
    let manager = app.manager().await;
    let dora = app.enrolled("dora").await;
    let path = dora.at("/recovery-code-regeneration");
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        manager.ask(method, &path, None).await.expect_management(
            405,
            Some("method_not_allowed"),
            "Not by this method.",
        );
    }
    let program = app.program();
    program.sign_in_by_code(&dora, &dora.code).await.expect(200);
}

/// Row S21.
#[tokio::test]
async fn a_code_is_in_no_cache() {
    let app = App::start().await;
    let manager = app.manager().await;
    let dora = app.enrolled("dora").await;
    let answer = manager.regenerate(&dora).await.expect(200);
    assert!(answer.header("cache-control").contains("no-store"));
    let mfa_token = app.program().mfa_token(&dora, &[]).await;
    let request = Request::post("/oauth/token")
        .header("content-type", "application/json")
        .body(Body::from(
            json!({ "grant_type": "x", "mfa_token": mfa_token }).to_string(),
        ));
    let answer = app.send(request.unwrap()).await.expect(403);
    assert!(answer.header("cache-control").contains("no-store"));
}
