//! What is wrong in the Canopy dialect: another's things, bad input, no room, and limits.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use serde_json::json;
use spare_key_server::domain::Policy;
use spare_key_server::hasher::{Lane, PoolSize};
use spare_key_tests::auth0::PASSWORD;
use spare_key_tests::canopy::{AUTH, STRANGER};
use spare_key_tests::{App, Options};

/// Rows S25, A-91.
#[tokio::test]
async fn anothers_factors_devices_and_sessions_are_not_there_and_nothing_of_theirs_changes() {
    let app = App::start().await;
    let (alice_person, mut alice) = app.canopy_person("alice").await;
    let phone = alice.enroll("Pixel").await;
    let challenge = alice.challenged(&alice_person).await;
    let otp = app.next_otp(&phone.secret);
    let answer = alice
        .answer_and_remember(&challenge, &otp)
        .await
        .expect(200);
    alice.access = answer.text_of("access_token").to_owned();
    let (_, bob) = app.canopy_person("bob").await;
    let own = bob.enroll("Pixel").await;
    let sessions = format!("{AUTH}/sessions");
    let hers = alice.get(&sessions).await.expect(200).json["items"].clone();
    let device = alice.devices().await[0]["id"].as_str().unwrap().to_owned();
    let begun = alice.start().await.expect(200);
    let before = alice.factors().await.expect(200).json;

    let step_up = bob.stepped_up(&own.secret).await;
    for factor in [
        phone.id.as_str(),
        "7c3f7d3b-94c3-8c9e-8bd6-0d1f2f3c4b5a",
        "x",
    ] {
        let refused = bob.remove(factor, &step_up).await;
        refused.expect_canopy(404, "mfa.factor_not_found");
    }
    let path = format!("{AUTH}/mfa/trusted-devices/{device}");
    let refused = bob.ask(Method::DELETE, &path, None).await;
    refused.expect_canopy(404, "mfa.trusted_device_not_found");
    let path = format!("{AUTH}/mfa/trusted-devices");
    bob.ask(Method::DELETE, &path, None).await.expect(204);
    for session in hers.as_array().unwrap() {
        let path = format!("{sessions}/{}", session["id"].as_str().unwrap());
        let refused = bob.ask(Method::DELETE, &path, None).await;
        refused.expect_canopy(404, "auth.session_not_found");
    }
    let otp = app.next_otp(begun.text_of("manual_entry_key"));
    let refused = bob
        .verify(begun.text_of("enrollment_token"), &otp, "Mine")
        .await;
    refused.expect_canopy(401, "mfa.enrollment_invalid");
    for code in [&phone.codes[0], &phone.codes[1]] {
        let refused = bob.step_up("recovery_code", code).await;
        refused.expect_canopy(401, "mfa.step_up_invalid");
    }
    let otp = app.next_otp(&phone.secret);
    let refused = bob.step_up("totp", &otp).await;
    refused.expect_canopy(401, "mfa.step_up_invalid");

    assert_eq!(alice.factors().await.expect(200).json, before);
    assert_eq!(alice.devices().await.len(), 1);
    assert_eq!(bob.left().await, (1, 10));
    // His proof was for his own, and is still good for it.
    bob.remove(&own.id, &step_up).await.expect(204);
}

/// Rows S14, A-43.
#[tokio::test]
async fn an_unknown_person_a_wrong_password_and_another_tenant_are_one_answer_at_one_cost() {
    let app = App::start().await;
    let person = app.add_person("dora").await;
    let browser = app.canopy().await;
    let path = format!("{AUTH}/login");
    let figure = r#"spare_key_slow_hashes_total{lane="passwords"}"#;
    let mut told = Vec::new();
    for (account, email, password) in [
        ("dev", "nobody@example.com", PASSWORD),
        ("dev", person.login.as_str(), "wrong horse battery staple"),
        ("other", person.login.as_str(), PASSWORD),
    ] {
        let before = app.figure(figure).await;
        let body = json!({ "account_slug": account, "email": email, "password": password });
        let refused = browser.post(&path, body).await;
        told.push(refused.expect_canopy(401, "auth.invalid_credentials").json);
        assert_eq!(app.figure(figure).await, before + 1, "{account}");
    }
    assert!(told.iter().all(|body| *body == told[0]), "{told:?}");
}

/// Rows A-41, E3.
#[tokio::test]
async fn every_fault_of_a_body_is_told_and_none_is_ours() {
    let app = App::start().await;
    let (person, browser) = app.canopy_person("dora").await;
    let phone = browser.enroll("Pixel").await;
    let challenge = browser.challenged(&person).await;
    let path = format!("{AUTH}/mfa/challenge/recovery-code");
    for code in [
        json!([]),
        json!(1),
        json!(null),
        json!(""),
        json!("x".repeat(257)),
    ] {
        let body = json!({ "challenge_token": challenge, "code": code });
        let refused = browser.post(&path, body).await;
        let refused = refused.expect_canopy(400, "common.validation_failed");
        assert_eq!(
            refused.json["error"]["details"]["fields"][0]["field"],
            "code"
        );
    }
    let body = json!({ "challenge_token": challenge, "code": "x".repeat(10 << 20) });
    browser
        .post(&path, body)
        .await
        .expect_canopy(413, "common.payload_too_large");
    let none = browser.post(&path, json!({})).await;
    let none = none.expect_canopy(400, "common.validation_failed");
    let fields = none.json["error"]["details"]["fields"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(fields, 2);
    let body = json!({ "challenge_token": challenge, "code": "x", "remember_device": "yes" });
    browser
        .post(&path, body)
        .await
        .expect_canopy(400, "common.validation_failed");
    for (kind, body, status, code) in [
        ("text/plain", "{}", 415, "common.unsupported_media_type"),
        ("application/json", "{", 400, "common.validation_failed"),
        ("application/json", "[]", 400, "common.validation_failed"),
    ] {
        let request = Request::post(&path).header("content-type", kind);
        let request = request.body(Body::from(body)).unwrap();
        let refused = browser.send(&Method::POST, &path, request).await;
        refused.expect_canopy(status, code);
    }
    for label in ["", "   ", "a\nb", &"x".repeat(65)] {
        let refused = browser.verify("en_x", "123456", label).await;
        refused.expect_canopy(400, "common.validation_failed");
    }
    // Nothing was charged and nothing spent by all that.
    browser
        .recover(&challenge, &phone.codes[0])
        .await
        .expect(200);
    for (method, path, status, code) in [
        (Method::GET, "/v1/identity/x", 404, "common.not_found"),
        (Method::POST, "/v1/auth/register", 404, "common.not_found"),
        (Method::GET, "/portal/v1/x", 404, "common.not_found"),
        (
            Method::GET,
            "/v1/identity/auth/login",
            405,
            "common.method_not_allowed",
        ),
    ] {
        let refused = browser.ask(method, path, None).await;
        refused.expect_canopy(status, code);
    }
}

#[tokio::test]
async fn what_is_not_offered_says_so() {
    let app = App::start().await;
    let (_, browser) = app.canopy_person("dora").await;
    for path in [
        "/mfa/challenge/webauthn/options",
        "/mfa/challenge/webauthn/verify",
        "/mfa/challenge/email-otp/send",
        "/mfa/challenge/email-otp/verify",
        "/mfa/webauthn/enroll/options",
        "/mfa/webauthn/enroll/verify",
        "/mfa/step-up/webauthn/options",
        "/mfa/step-up/webauthn/verify",
    ] {
        let path = format!("{AUTH}{path}");
        let refused = browser.ask(Method::POST, &path, Some(json!({}))).await;
        refused.expect_canopy(400, "mfa.factor_not_allowed");
        if !path.contains("challenge") {
            let refused = browser.with("").ask(Method::POST, &path, None).await;
            refused.expect_canopy(401, "auth.invalid_token");
        }
    }
}

#[tokio::test]
async fn an_address_signs_in_five_times_in_a_quarter_of_an_hour_where_that_is_the_limit() {
    let mut options = Options::default();
    options.policy.sign_in_throttle = Policy::standard(true).sign_in_throttle;
    let app = App::start_with(options).await;
    let person = app.add_person("dora").await;
    let login = async || {
        let body = json!({ "account_slug": "dev", "email": person.login, "password": PASSWORD });
        let request =
            Request::post(format!("{AUTH}/login")).header("content-type", "application/json");
        let mut request = request.body(Body::from(body.to_string())).unwrap();
        let from = SocketAddr::from(([192, 0, 2, 7], 4711));
        request.extensions_mut().insert(ConnectInfo(from));
        app.send(request).await
    };
    for _ in 0..5 {
        assert_eq!(login().await.status, 200);
    }
    let refused = login().await;
    let refused = refused.expect_canopy(429, "common.rate_limited");
    assert_eq!(refused.json["error"]["details"]["retry_after_seconds"], 180);
}

/// Row A-60.
#[tokio::test]
async fn who_is_told_busy_is_charged_nothing() {
    let pool = PoolSize {
        workers: 1,
        admitted: 1,
    };
    let app = App::start_with(Options {
        pool,
        ..Options::default()
    })
    .await;
    let (person, browser) = app.canopy_person("dora").await;
    let phone = browser.enroll("Pixel").await;
    let challenge = browser.challenged(&person).await;
    let step_up = browser.stepped_up(&phone.secret).await;
    {
        let _held = app.mfa().hasher().admit(Lane::Codes).expect("room for one");
        for code in [STRANGER, phone.codes[0].as_str()] {
            let busy = browser.recover(&challenge, code).await;
            let busy = busy.expect_canopy(503, "common.busy");
            assert!(busy.header("retry-after").parse::<u64>().unwrap() >= 1);
        }
        browser
            .regenerate(&step_up)
            .await
            .expect_canopy(503, "common.busy");
    }
    let refused = browser.recover(&challenge, STRANGER).await;
    assert_eq!(refused.canopy_tries_left(), 9);
    browser.regenerate(&step_up).await.expect(200);
}

#[tokio::test]
async fn wherever_randomness_ends_nothing_is_spent() {
    let app = App::start().await;
    let (person, browser) = app.canopy_person("dora").await;
    let phone = browser.enroll("Pixel").await;
    let challenge = browser.challenged(&person).await;
    let mut draws = 0;
    loop {
        app.entropy.fail_after(draws);
        let answer = browser.recover(&challenge, &phone.codes[0]).await;
        app.entropy.mend();
        if answer.status == 200 {
            break;
        }
        answer.expect_canopy(500, "common.internal");
        draws += 1;
        assert!(draws < 100, "something else is broken");
    }
    let step_up = browser.stepped_up(&phone.secret).await;
    let mut draws = 0;
    loop {
        app.entropy.fail_after(draws);
        let answer = browser.regenerate(&step_up).await;
        app.entropy.mend();
        if answer.status == 200 {
            break;
        }
        answer.expect_canopy(500, "common.internal");
        assert_eq!(browser.left().await, (1, 9));
        draws += 1;
        assert!(draws < 100, "something else is broken");
    }
    assert_eq!(browser.left().await, (2, 10));
}
