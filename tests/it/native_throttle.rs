//! Guessing: how much is borne, over all processes, and what it never touches.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Method;
use serde_json::{Value, json};
use spare_key_server::domain::{Caller, Error, NewPerson, Refusal};
use spare_key_server::model::{AccountId, Millis};
use spare_key_tests::App;
use tokio::task::JoinSet;

/// Valid by its check and never issued.
const STRANGER: &str = "KZ3M-Q7TB-WJ5R-HXYN";

/// Rows.
#[tokio::test]
async fn tries_are_counted_down_and_then_there_is_a_wait() {
    let app = App::start().await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    for left in (0..10).rev() {
        let answer = host.redeem("alice", STRANGER).await;
        let answer = answer.expect_problem(403, "code-not-accepted");
        assert_eq!(answer.json["tries_left"], left);
    }
    let hashes = app.hashes().await;
    let throttled = host
        .redeem("alice", &codes[0])
        .await
        .expect_problem(429, "throttled");
    assert_eq!(throttled.header("retry-after"), "30");
    assert_eq!(throttled.json["retry_at"], app.time(Millis::seconds(30)));
    assert_eq!(app.hashes().await, hashes);
    let status = host.status("alice").await.json;
    assert_eq!(status["throttle"]["tries_left"], 0);
    assert_eq!(status["throttle"]["retry_at"], throttled.json["retry_at"]);
    assert_eq!(status["remaining"], 10);

    app.clock.advance(Millis(29_999));
    let still = host
        .redeem("alice", &codes[0])
        .await
        .expect_problem(429, "throttled");
    assert_eq!(still.header("retry-after"), "1");
    app.clock.advance(Millis(1));
    host.redeem("alice", &codes[0]).await.expect(200);
    // Success clears the count.
    let status = host.status("alice").await.json;
    assert_eq!(
        status["throttle"],
        json!({ "tries_left": 10, "retry_at": null })
    );
}

#[tokio::test]
async fn an_unknown_account_is_throttled_like_any_other() {
    let app = App::start().await;
    let host = app.host();
    for _ in 0..10 {
        host.redeem("nobody", STRANGER).await.expect(403);
    }
    host.redeem("nobody", STRANGER)
        .await
        .expect_problem(429, "throttled");
    host.redeem("somebody", STRANGER).await.expect(403);
}

/// Row A-58.
#[tokio::test]
async fn a_restart_forgets_no_attempt() {
    let app = App::start().await;
    for _ in 0..10 {
        app.host().redeem("alice", STRANGER).await.expect(403);
    }
    let again = app.another();
    drop(app);
    again
        .host()
        .redeem("alice", STRANGER)
        .await
        .expect_problem(429, "throttled");
}

/// Row C8.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_guesses_at_once_get_no_more_tries_than_ten_in_a_row() {
    let app = App::start().await;
    let other = app.another();
    app.host().issue("alice").await;
    let mut guesses = JoinSet::new();
    for guess in 0..50 {
        let host = [app.host(), other.host()][guess % 2].clone();
        guesses.spawn(async move { host.redeem("alice", STRANGER).await.status.as_u16() });
    }
    let answers = guesses.join_all().await;
    let tried = answers.iter().filter(|status| **status == 403).count();
    let throttled = answers.iter().filter(|status| **status == 429).count();
    assert_eq!((tried, throttled), (10, 40), "{answers:?}");
}

/// Row A-50.
#[tokio::test]
async fn after_a_hundred_in_a_row_only_a_new_batch_helps() {
    let app = App::start().await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    let mut tried = 0;
    while tried < 100 {
        match host.redeem("alice", STRANGER).await.status.as_u16() {
            403 => tried += 1,
            429 => app.clock.advance(Millis::minutes(60)),
            other => panic!("{other}"),
        }
    }
    app.clock.advance(Millis::minutes(60 * 24));
    let dead = host
        .redeem("alice", &codes[0])
        .await
        .expect_problem(429, "throttled");
    assert_eq!(dead.json["retry_at"], Value::Null);
    assert_eq!(dead.headers.get("retry-after"), None);
    assert!(
        dead.json["detail"]
            .as_str()
            .unwrap()
            .contains("Issue a new batch")
    );
    let status = host.status("alice").await.json;
    assert_eq!(
        status["throttle"],
        json!({ "tries_left": 0, "retry_at": null })
    );

    let (generation, codes) = host.issue("alice").await;
    assert_eq!(generation, 2);
    host.redeem("alice", &codes[0]).await.expect(200);
}

/// Row S11.
#[tokio::test]
async fn guessing_codes_keeps_nobody_from_signing_in_otherwise() {
    let app = App::start().await;
    let host = app.host();
    let id = AccountId::parse("auth0|carol").unwrap();
    let administrator = Caller::administrator(id.clone());
    let carol = NewPerson {
        id,
        login: "carol@example.com".to_owned(),
        password: "correct horse battery staple".to_owned().into(),
    };
    app.mfa().add_person(&administrator, carol).await.unwrap();
    app.mfa()
        .bind_known_secret(&administrator, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
        .await
        .unwrap();
    while host.redeem("auth0|carol", STRANGER).await.status != 429 {}

    let password = "correct horse battery staple".to_owned().into();
    let signed_in = app
        .mfa()
        .sign_in("carol@example.com", &password, None)
        .await;
    let caller = signed_in.expect("the password is untouched").caller;
    // All tries at one-time passwords are still there: this wrong one is the first.
    let wrong = app.mfa().prove_totp(&caller, "000000").await.unwrap_err();
    let first = Refusal::OtpNotAccepted { tries_left: 9 };
    assert!(
        matches!(wrong, Error::Refused(refusal) if refusal == first),
        "{wrong:?}"
    );
}

/// Rows S12, A-55: the address in a header is believed of a proxy that the operator names, and no
/// address has tries of its own.
#[tokio::test]
async fn an_address_that_a_caller_makes_up_gives_no_more_tries() {
    let app = App::start().await;
    let host = app.host();
    host.issue("alice").await;
    let mut answers = Vec::new();
    for number in 0..20 {
        let body = json!({ "code": STRANGER, "proof": host.proof() }).to_string();
        let request = host
            .request(Method::POST, "/recovery/v1/accounts/alice/redeem")
            .header("content-type", "application/json")
            .header("x-forwarded-for", format!("203.0.113.{number}"))
            .header("forwarded", format!("for=203.0.113.{number}"))
            .header("x-real-ip", format!("203.0.113.{number}"));
        let mut request = request.body(Body::from(body)).unwrap();
        let peer = SocketAddr::from(([192, 0, 2, 7], 4_711));
        request.extensions_mut().insert(ConnectInfo(peer));
        answers.push(app.send(request).await.status.as_u16());
    }
    assert_eq!(answers, [vec![403; 10], vec![429; 10]].concat());
    let events = host.events("alice", "?limit=20").await.expect(200).json;
    for event in events["events"].as_array().unwrap() {
        let asked = event["kind"] == "codes.refused" || event["kind"] == "codes.throttled";
        assert!(!asked || event["ip"] == "192.0.2.7", "{event}");
    }
}
