//! Who may call the Arklow dialect, and on whose things.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use spare_key_server::domain::Passed;
use spare_key_server::model::Millis;
use spare_key_tests::App;
use spare_key_tests::arklow::{Arklow, Phone, REGENERATE};
use spare_key_tests::auth0::{PASSWORD, Person, api};
use spare_key_tests::openapi::{document, operations};

/// Every operation that names a device, asked with this device.
async fn on_device(program: &Arklow, device: &str, otp: &str, code: &str) -> Vec<(u16, Value)> {
    let mut told = Vec::new();
    for answer in [
        program.confirm(device, otp).await,
        program.verify(device, otp).await,
        program.backup(device, code).await,
        program.regenerate(device).await,
        program.remove(device, otp).await,
        program.remove(device, code).await,
    ] {
        told.push((answer.status.as_u16(), answer.json));
    }
    told
}

/// Row A-91.
#[tokio::test]
async fn anothers_devices_and_keys_are_not_there_and_nothing_of_theirs_changes() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    let (bob_person, bob) = app.arklow_person("bob").await;
    let phone = alice.enroll("Phone").await;
    let own = bob.enroll("Phone").await;
    let waiting = alice.begin("Tablet").await;
    let made = alice.ask(Method::PUT, "/v1/orgs/1/keys/", Some(json!({})));
    let key = made.await.expect(200).data()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let before = alice.devices("").await.json;
    bob.prove(&own).await;
    let session = app.arklow_session(&bob_person).await;
    session.prove(&own).await;
    let unknown = "999999";
    for program in [&bob, &session] {
        for theirs in [&phone, &waiting] {
            let otp = app.otp(&phone.secret);
            let told = on_device(program, &theirs.id, &otp, &phone.codes[0]).await;
            for (status, body) in &told {
                assert_eq!(*status, 404, "{body}");
                assert_eq!(body["errors"][0]["code"], "device_not_found");
            }
            assert_eq!(
                told,
                on_device(program, unknown, &otp, &phone.codes[0]).await,
                "as if they were nobody's"
            );
        }
        let path = format!("/v1/orgs/1/keys/{key}");
        let answer = program.ask(Method::DELETE, &path, None).await;
        answer.expect_error(404, "key_not_found");
        for path in ["/v1/orgs/2/keys/1", "/v1/orgs/x/keys/1"] {
            let answer = program.ask(Method::DELETE, path, None).await;
            answer.expect_error(403, "forbidden");
        }
        let answer = program.ask(Method::PUT, "/v1/orgs/2/keys/", Some(json!({})));
        answer.await.expect_error(403, "forbidden");
    }
    assert_eq!(alice.devices("").await.json, before);
    assert!(alice.takes(&phone.id, &phone.codes[0]).await);
    let listed = bob.devices("").await;
    assert_eq!(listed.data()["count"], 1, "one's own only");
}

#[tokio::test]
async fn what_is_not_confirmed_is_not_there_either() {
    let app = App::start().await;
    let (person, alice) = app.arklow_person("alice").await;
    let phone = alice.begin("Phone").await;
    let otp = app.otp(&phone.secret);
    for answer in [
        alice.verify(&phone.id, &otp).await,
        alice.backup(&phone.id, &phone.codes[0]).await,
        alice.regenerate(&phone.id).await,
    ] {
        answer.expect_error(404, "device_not_found");
    }
    // Only what began it may confirm it.
    let session = app.arklow_session(&person).await;
    let answer = session.confirm(&phone.id, &otp).await;
    answer.expect_error(404, "device_not_found");
    // Somebody else of the same account begins: other codes, and the first is gone.
    let other = session.begin("Phone").await;
    assert_ne!(other.codes, phone.codes);
    let answer = alice.confirm(&phone.id, &otp).await;
    answer.expect_error(404, "device_not_found");
    let otp = app.otp(&other.secret);
    session.confirm(&other.id, &otp).await.expect(200);
    assert!(alice.takes(&other.id, &other.codes[0]).await);
    assert!(!alice.takes(&other.id, &phone.codes[0]).await);
}

/// A credential of each other kind.
async fn foreign(app: &App, dora: &Person) -> Vec<(&'static str, String)> {
    let program = app.program();
    let audience = api("me/");
    let more = [
        ("audience", audience.as_str()),
        (
            "scope",
            "openid offline_access read:me:authentication_methods",
        ),
    ];
    let tokens = program.sign_in_by_otp(dora, &more).await.expect(200);
    let password = PASSWORD.to_owned().into();
    let signed_in = app.mfa().sign_in(&dora.login, &password, None).await;
    let signed_in = signed_in.expect("the password");
    let otp = app.next_otp(&dora.secret);
    let passed = app.mfa().prove_totp(&signed_in.caller, &otp).await;
    let Passed::Session(cookie) = passed.expect("the authenticator") else {
        panic!("codes are there");
    };
    vec![
        ("person", tokens.text_of("access_token").to_owned()),
        ("refresh", tokens.text_of("refresh_token").to_owned()),
        ("manager", app.manager().await.token),
        ("mfa_token", program.mfa_token(dora, &[]).await),
        ("cookie", cookie.reveal().to_owned()),
    ]
}

#[tokio::test]
async fn credentials_of_other_kinds_are_told_from_nobodys_and_refused() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let paths = [
        (Method::GET, "/v1/self/"),
        (Method::POST, "/v1/self/logout"),
        (Method::POST, "/v1/self/mfa/enroll/start"),
        (Method::POST, REGENERATE),
        (Method::DELETE, "/v1/self/mfa/remove"),
        (Method::PUT, "/v1/orgs/1/keys/"),
    ];
    for (kind, token) in foreign(&app, &dora).await {
        let program = app.arklow_with(&token).await;
        for (method, path) in &paths {
            let answer = program.ask(method.clone(), path, None).await;
            let said = format!("{kind} {path} {}", answer.text());
            assert_eq!(answer.status, 403, "{said}");
            answer.expect_error(403, "wrong_principal");
        }
    }
    let long = "x".repeat(4_000);
    for nobodys in ["", "x", "a.b.c", "ses_x", "ak_x", "dev-arklow-alice", &long] {
        let program = app.arklow_with(nobodys).await;
        for (method, path) in &paths {
            let answer = program.ask(method.clone(), path, None).await;
            answer.expect_error(401, "unauthorized");
        }
    }
}

#[tokio::test]
async fn keys_and_sessions_are_nothing_elsewhere() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let key = app.arklow(&dora).await;
    let session = app.arklow_session(&dora).await;
    for credential in [&key.credential, &session.credential] {
        let bearer = app.bearer(credential);
        bearer
            .get("/me/v1/authentication-methods")
            .await
            .expect(401);
        bearer.get("/api/v2/users").await.expect(401);
        bearer.get("/userinfo").await.expect(401);
        bearer.get("/mfa/authenticators").await.expect(401);
        app.program()
            .recover(credential, &dora.code)
            .await
            .expect(403);
        app.program().refresh(credential, &[]).await.expect(403);
        app.host_with(Some(("dev-host", credential)))
            .status(&dora.id)
            .await
            .expect(401);
        let token = spare_key_server::model::Token::presented(credential);
        assert!(app.mfa().caller_by_session(&token, None).await.is_err());
        assert!(app.mfa().caller_by_challenge(&token, None).await.is_err());
        // Nor here, in the header of others.
        let request = axum::http::Request::get("/v1/self/")
            .header("authorization", format!("Bearer {credential}"))
            .body(Body::empty());
        let answer = app.send(request.unwrap()).await;
        answer.expect_error(401, "unauthorized");
    }
}

/// Row A-75.
#[tokio::test]
async fn a_session_is_unfinished_until_a_factor_is_proven() {
    let app = App::start().await;
    let (person, key) = app.arklow_person("alice").await;
    let before = app.arklow_session(&person).await;
    let login = before.login(&person.login, PASSWORD).await.expect(200);
    assert_eq!(login.data()["mfa_required"], false);
    let phone: Phone = before.enroll("Phone").await;
    let login = before.login(&person.login, PASSWORD).await.expect(200);
    assert_eq!(login.data()["mfa_required"], true);
    assert_eq!(login.data()["devices"][0]["id"], *phone.id);

    let session = app.arklow_session(&person).await;
    session.get("/v1/self/").await.expect(200);
    session.devices("").await.expect(200);
    for answer in [
        session.start("Tablet").await,
        session.regenerate(&phone.id).await,
        session.remove(&phone.id, &phone.codes[0]).await,
        session.confirm(&phone.id, "000000").await,
        session
            .ask(Method::PUT, "/v1/orgs/1/keys/", Some(json!({})))
            .await,
        // Said before the body is looked at.
        session.post(REGENERATE, json!({})).await,
    ] {
        answer.expect_error(403, "mfa_required");
    }
    assert!(session.takes(&phone.id, &phone.codes[0]).await);
    session.regenerate(&phone.id).await.expect(200);

    let out = session.post("/v1/self/logout", json!({})).await;
    assert_eq!(out.expect(200).data()["logged_out"], true);
    let answer = session.post("/v1/self/logout", json!({})).await;
    answer.expect_error(401, "unauthorized");
    session.get("/v1/self/").await.expect(401);
    key.get("/v1/self/").await.expect(200);

    // An hour of silence, or a day.
    before.get("/v1/self/").await.expect(200);
    app.clock.advance(Millis::minutes(61));
    before.get("/v1/self/").await.expect(401);
    let long = app.arklow_session(&person).await;
    for _ in 0..24 {
        long.get("/v1/self/").await.expect(200);
        app.clock.advance(Millis::minutes(59));
    }
    app.clock.advance(Millis::minutes(25));
    long.get("/v1/self/").await.expect(401);
}

#[tokio::test]
async fn a_key_is_made_shown_once_and_deleted() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    let body = json!({ "description": "deploy script" });
    let path = "/v1/orgs/1/keys/";
    let made = alice.ask(Method::PUT, path, Some(body)).await.expect(200);
    let material = made.data()["material"].as_str().unwrap();
    assert!(material.starts_with("ak_") && material.len() == 46);
    let other = app.arklow_with(material).await;
    let own = other.get("/v1/self/").await.expect(200);
    assert_eq!(own.data()["id"], made.data()["user_id"]);
    for description in [json!("x"), json!("x".repeat(51)), json!(1)] {
        let body = json!({ "description": description });
        let answer = alice.ask(Method::PUT, path, Some(body)).await;
        answer.expect_error(400, "validation_error");
    }
    alice.enroll("Phone").await;
    app.clock.advance(Millis::minutes(6));
    let answer = alice.ask(Method::PUT, path, Some(json!({}))).await;
    answer.expect_error(403, "mfa_required");
    let own = format!("{path}{}", made.data()["id"].as_str().unwrap());
    let answer = alice.ask(Method::DELETE, &own, None).await;
    answer.expect_error(403, "mfa_required");
    let phone = alice.devices("").await.data()["items"][0]["id"].clone();
    let session = alice.login("alice@example.com", PASSWORD).await.expect(200);
    assert_eq!(session.data()["devices"][0]["id"], phone);
}

#[tokio::test]
async fn a_deleted_key_is_nobodys_at_once() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    let path = "/v1/orgs/1/keys/";
    let made = alice
        .ask(Method::PUT, path, Some(json!({})))
        .await
        .expect(200);
    let other = app
        .arklow_with(made.data()["material"].as_str().unwrap())
        .await;
    other.get("/v1/self/").await.expect(200);
    let own = format!("{path}{}", made.data()["id"].as_str().unwrap());
    let gone = alice.ask(Method::DELETE, &own, None).await.expect(200);
    assert_eq!(gone.data()["deleted_at"], app.time(Millis(0)));
    other.get("/v1/self/").await.expect(401);
    let answer = alice.ask(Method::DELETE, &own, None).await;
    answer.expect_error(404, "key_not_found");
}

#[tokio::test]
async fn a_key_may_stand_in_the_header_of_the_public_clients() {
    let app = App::start().await;
    let (person, alice) = app.arklow_person("alice").await;
    let session = app.arklow_session(&person).await;
    let send = async |headers: &[(&str, &str)]| {
        let mut request = axum::http::Request::get("/v1/self/").header("content-type", "");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        alice.send(&Method::GET, "/v1/self/", request).await
    };
    let key = alice.credential.as_str();
    send(&[("x-arklow-api-key", key)]).await.expect(200);
    send(&[("x-arklow-api-key", key), ("x-arklow-auth", key)])
        .await
        .expect(200);
    send(&[("x-arklow-api-key", key), ("x-arklow-auth", "other")])
        .await
        .expect_error(400, "validation_error");
    send(&[("x-arklow-api-key", &session.credential)])
        .await
        .expect_error(401, "unauthorized");
}

/// Clients send a key under one of two names; under both, it is one key.
#[tokio::test]
async fn two_keys_that_differ_are_refused_as_documented_wherever_one_is_taken() {
    let app = App::start().await;
    let document = document(&app).await;
    let mut asked = 0;
    for one in operations(&document) {
        if one.operation["security"] != json!([{ "apiKey": [] }]) {
            continue;
        }
        asked += 1;
        let said = format!("{} {}", one.method, one.path);
        let request = Request::builder()
            .method(one.method.to_ascii_uppercase().as_str())
            .uri(one.path.replace("{org_id}", "1").replace("{id}", "1"))
            .header("x-arklow-auth", "ak_one")
            .header("x-arklow-api-key", "ak_another")
            .body(Body::empty());
        let answer = app.send(request.expect("a request")).await;
        assert_eq!(answer.status, 400, "{said}");
        assert!(one.operation["responses"]["400"].is_object(), "{said}");
    }
    assert!(asked > 8, "{asked} operations only");
}
