//! What the Arklow dialect answers to what is wrong, and in which order it looks.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use spare_key_server::model::Millis;
use spare_key_tests::App;
use spare_key_tests::arklow::{REGENERATE, STRANGER};
use spare_key_tests::openapi::document;

#[tokio::test]
async fn every_fault_of_a_body_is_told_and_nothing_is_changed() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    let start = "/v1/self/mfa/enroll/start";
    for body in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": "x".repeat(65) }),
        json!({ "name": 1 }),
        json!({ "name": "Phone", "device_type": "sms" }),
    ] {
        let answer = alice.post(start, body).await;
        answer.expect_error(400, "validation_error");
    }
    assert_eq!(alice.devices("").await.data()["count"], 0);
    let phone = alice.enroll("Phone").await;
    for device in [json!(71), json!("x"), json!(""), json!("-1"), Value::Null] {
        let body = json!({ "device_id": device, "code": "x" });
        for path in [REGENERATE, "/v1/self/mfa/verify/totp/backup"] {
            let answer = alice.post(path, body.clone()).await;
            let answer = answer.expect_error(400, "validation_error");
            let faults = answer.json["errors"].as_array().unwrap().len();
            assert_eq!(faults, if path == REGENERATE { 1 } else { 2 });
        }
    }
    let body = json!({ "device_id": phone.id, "verification_type": "sms", "code": "123456" });
    let answer = alice.ask(Method::DELETE, "/v1/self/mfa/remove", Some(body));
    answer.await.expect_error(400, "validation_error");
    for query in ["?take=51", "?take=0", "?skip=-1", "?count_only=x"] {
        let answer = alice.devices(query).await;
        answer.expect_error(400, "validation_error");
    }
    let counted = alice.devices("?count_only=true").await.expect(200);
    assert_eq!(counted.data()["count"], 1);
    assert_eq!(counted.data()["items"], json!([]));
    let skipped = alice.devices("?skip=1&take=10").await.expect(200);
    assert_eq!(skipped.data()["items"], json!([]));
}

#[tokio::test]
async fn what_http_has_to_say_is_said_in_the_envelope() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    for path in [
        "/v1/self/x",
        "/v1/orgs",
        "/v1/orgs/1/rules",
        "/v1/self/mfa/x",
    ] {
        alice.get(path).await.expect_error(404, "not_found");
    }
    let answer = alice.get(REGENERATE).await;
    let answer = answer.expect_error(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "POST");
    let send = async |kind: &str, body: String| {
        let request = alice
            .request(Method::POST, REGENERATE)
            .header("content-type", kind)
            .body(Body::from(body));
        let request = request.unwrap();
        alice.send(&Method::POST, REGENERATE, request).await
    };
    let wide = format!("{{\"device_id\":\"{}\"}}", "1".repeat(20_000));
    send("application/json", wide)
        .await
        .expect_error(413, "payload_too_large");
    send("text/plain", "x".to_owned())
        .await
        .expect_error(415, "unsupported_media_type");
    send("application/json", "{".to_owned())
        .await
        .expect_error(400, "validation_error");
    // A page asks for pages; this path has none.
    let request = Request::get("/v1/self/x")
        .header("accept", "text/html")
        .body(Body::empty());
    let answer = app.send(request.unwrap()).await;
    answer.expect_error(404, "not_found");
}

#[tokio::test]
async fn the_order_of_the_checks_is_the_one_that_is_written() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    let phone = alice.enroll("Phone").await;
    app.clock.advance(Millis::minutes(6));
    let nobody = app.arklow_with("x").await;
    // The credential before the body, the body before the device, the device before the window.
    let answer = nobody.post(REGENERATE, json!({})).await;
    answer.expect_error(401, "unauthorized");
    let answer = alice.post(REGENERATE, json!({})).await;
    answer.expect_error(400, "validation_error");
    let answer = alice.regenerate("999").await;
    answer.expect_error(404, "device_not_found");
    let answer = alice.regenerate(&phone.id).await;
    answer.expect_error(403, "mfa_required");
    // The device before the code, and a malformed code before the throttle.
    let hashes = app.hashes().await;
    let answer = alice.backup("999", STRANGER).await;
    answer.expect_error(404, "device_not_found");
    for _ in 0..10 {
        assert!(!alice.takes(&phone.id, STRANGER).await);
    }
    let throttled = alice.backup(&phone.id, &phone.codes[0]).await;
    let throttled = throttled.expect_error(429, "throttled");
    let wait: u64 = throttled.header("retry-after").parse().unwrap();
    assert!(throttled.text().contains(&format!("{wait} seconds")));
    assert_eq!(app.hashes().await, hashes + 10, "none for the last two");
    let malformed = alice.backup(&phone.id, "not a code").await.expect(200);
    assert_eq!(malformed.data()["tries_left"], 0);
    // The app is not touched by that, and lets the person make new codes.
    alice.prove(&phone).await;
    let new = alice.regenerate(&phone.id).await.expect(200);
    assert!(alice.takes(&phone.id, &new.backup_codes()[0]).await);
}

/// Row S23.
#[tokio::test]
async fn switched_off_there_are_devices_and_no_codes() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    app.switch_codes(false).await;
    let phone = alice.begin("Phone").await;
    assert!(phone.codes.is_empty());
    let otp = app.next_otp(&phone.secret);
    let confirmed = alice.confirm(&phone.id, &otp).await.expect(200);
    assert_eq!(confirmed.data()["backup_codes_generation"], Value::Null);
    let answer = alice.backup(&phone.id, STRANGER).await;
    answer.expect_error(400, "factor_not_allowed");
    let answer = alice.regenerate(&phone.id).await;
    answer.expect_error(400, "factor_not_allowed");
    alice.prove(&phone).await;
    app.switch_codes(true).await;
    let made = alice.regenerate(&phone.id).await.expect(200);
    assert_eq!(made.data()["backup_codes_generation"], 1, "the first");
}

#[tokio::test]
async fn passwords_are_told_apart_by_nothing_and_guessed_slowly() {
    let app = App::start().await;
    let (person, alice) = app.arklow_person("alice").await;
    let wrong = alice.login(&person.login, "no such password").await;
    let wrong = wrong.expect_error(401, "invalid_credentials");
    let unknown = alice.login("nobody@example.com", "no such password").await;
    assert_eq!(unknown.json, wrong.json);
    for _ in 0..30 {
        alice.login(&person.login, "no such password").await;
    }
    let answer = alice.login(&person.login, "no such password").await;
    let answer = answer.expect_error(429, "rate_limited");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn its_own_document_is_of_this_dialect_alone() {
    let app = App::start().await;
    let whole = document(&app).await;
    let request = Request::get("/swagger/ui/json").body(Body::empty());
    let own = app.send(request.unwrap()).await.expect(200).json;
    assert_eq!(own["openapi"], "3.1.0");
    let paths = own["paths"].as_object().unwrap();
    assert!(paths.keys().all(|path| path.starts_with("/v1/")));
    for (path, item) in paths {
        assert_eq!(*item, whole["paths"][path], "{path}");
    }
    let operation = &own["paths"][REGENERATE]["post"];
    assert_eq!(operation["operationId"], "post_v1_self_mfa_regenerate_totp");
    let scheme = &own["components"]["securitySchemes"]["apiKey"];
    assert_eq!(scheme["name"], "x-arklow-auth");
    assert_eq!(scheme["in"], "header");
    let request = Request::get("/swagger/ui").body(Body::empty());
    let page = app.send(request.unwrap()).await.expect(200);
    assert!(page.text().contains(REGENERATE));
    let request = Request::get("/docs/arklow").body(Body::empty());
    let guide = app.send(request.unwrap()).await.expect(200);
    assert!(guide.text().contains("dev-arklow-alice"));
}
