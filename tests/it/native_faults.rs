//! What breaks here changes nothing, is charged to nobody and tells nothing.

use serde_json::json;
use spare_key_server::hasher::{Lane, PoolSize};
use spare_key_tests::{Answer, App, Options};

/// A 500 says its number and nothing of the cause.
#[track_caller]
fn tells_nothing(answer: Answer) {
    let answer = answer.expect_problem(500, "internal");
    let id = answer.json["request_id"].as_str().expect("a request id");
    assert_eq!(answer.header("x-request-id"), id);
    let mut members: Vec<_> = answer
        .json
        .as_object()
        .expect("a document")
        .keys()
        .collect();
    members.sort();
    assert_eq!(members, ["detail", "request_id", "status", "title", "type"]);
    assert!(!answer.text().contains("taken away"));
}

/// Rows.
#[tokio::test]
async fn when_randomness_fails_nothing_is_issued_and_nothing_changes() {
    let app = App::start().await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    let before = host.status("alice").await.json;
    let events = host.events("alice", "").await.json;
    app.entropy.fail();
    for activate in ["on_confirm", "at_once"] {
        let body = json!({ "activate": activate, "proof": host.proof() });
        tells_nothing(host.stage("alice", body.clone()).await);
        tells_nothing(host.stage("bob", body).await);
    }
    app.entropy.mend();
    assert_eq!(host.status("alice").await.json, before);
    assert_eq!(host.events("alice", "").await.json, events);
    assert_eq!(host.status("bob").await.json["generation"], 0);
    assert_eq!(
        host.accounts("").await.json["accounts"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    // The number was not used up either.
    assert_eq!(host.issue("alice").await.0, 2);
    host.redeem("alice", &codes[0]).await.expect(403);
}

/// Row C9.
#[tokio::test]
async fn a_fault_while_redeeming_spends_no_code_and_charges_no_attempt() {
    let app = App::start().await;
    let host = app.host();
    let body = json!({ "format": "single", "activate": "at_once", "proof": host.proof() });
    let codes = host.stage("alice", body).await.expect(201).codes();
    // A single code is replaced as it is spent, which needs randomness.
    app.entropy.fail();
    tells_nothing(host.redeem("alice", &codes[0]).await);
    app.entropy.mend();
    let status = host.status("alice").await.json;
    assert_eq!(status["remaining"], 1);
    assert_eq!(status["throttle"]["tries_left"], 10);
    host.redeem("alice", &codes[0]).await.expect(200);
}

/// Row A-60.
#[tokio::test]
async fn busy_charges_nothing_and_says_when_to_come_back() {
    let app = App::start_with(Options {
        pool: PoolSize {
            workers: 1,
            admitted: 1,
        },
        ..Options::default()
    })
    .await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    let place = app.mfa().hasher().admit(Lane::Codes).unwrap();
    let busy = host
        .redeem("alice", &codes[0])
        .await
        .expect_problem(503, "busy");
    assert!(busy.header("retry-after").parse::<u64>().unwrap() >= 1);
    let body = json!({ "proof": host.proof() });
    host.stage("alice", body).await.expect_problem(503, "busy");
    drop(place);
    let status = host.status("alice").await.json;
    assert_eq!(status["throttle"]["tries_left"], 10);
    assert_eq!(status["generation"], 1);
    host.redeem("alice", &codes[0]).await.expect(200);
}

/// Row S1.
#[tokio::test]
async fn codes_of_a_database_without_its_keyring_are_a_fault_and_stay_unspent() {
    let app = App::start().await;
    let (_, codes) = app.host().issue("alice").await;
    let stranger = app.with_another_keyring();
    // The same key number, another key: the code is not found, and the answer is the usual one.
    stranger
        .host()
        .redeem("alice", &codes[0])
        .await
        .expect_problem(403, "code-not-accepted");
    let key = json!({ "activate": "at_once", "proof": app.host().proof() });
    app.host()
        .stage_under("k1", "bob", key.clone())
        .await
        .expect(201);
    // A sealed seed does not open with it, and that is a fault.
    tells_nothing(stranger.host().stage_under("k1", "bob", key).await);
    app.host().redeem("alice", &codes[0]).await.expect(200);
}
