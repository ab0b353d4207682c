//! Idempotency keys through the native dialect: row 3 of its acceptance.

use std::collections::HashSet;

use serde_json::json;
use spare_key_server::domain::Scope;
use spare_key_server::model::Millis;
use spare_key_tests::App;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_key_used_twice_gets_the_same_codes_and_one_generation() {
    let app = App::start().await;
    let host = app.host();
    let body = json!({ "activate": "at_once", "proof": host.proof() });
    let first = host
        .stage_under("k1", "alice", body.clone())
        .await
        .expect(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    // A minute later, and on another process.
    app.clock.advance(Millis::minutes(1));
    let again = app
        .another()
        .host()
        .stage_under("k1", "alice", body.clone())
        .await
        .expect(201);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json, first.json);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(host.status("alice").await.json["generation"], 1);

    // After the window it is a key like any other; over a live batch, a fresh proof is due.
    app.clock.advance(Millis::minutes(10));
    let fresh = json!({ "activate": "at_once", "proof": host.proof() });
    let later = host.stage_under("k1", "alice", fresh).await.expect(201);
    assert_eq!(later.json["generation"], 2);
}

#[tokio::test]
async fn a_key_with_another_request_is_refused() {
    let app = App::start().await;
    let host = app.host();
    let proof = host.proof();
    let body = json!({ "activate": "at_once", "proof": proof });
    host.stage_under("k1", "alice", body.clone())
        .await
        .expect(201);
    for other in [
        json!({ "activate": "on_confirm", "proof": proof }),
        json!({ "activate": "at_once", "count": 9, "proof": proof }),
        json!({ "activate": "at_once", "format": "single", "proof": proof }),
        json!({ "activate": "at_once", "proof": { "amr": ["otp"], "at": proof["at"] } }),
    ] {
        host.stage_under("k1", "alice", other)
            .await
            .expect_problem(409, "idempotency-conflict");
    }
    host.stage_under("k1", "bob", body.clone())
        .await
        .expect_problem(409, "idempotency-conflict");
    assert_eq!(host.status("alice").await.json["generation"], 1);
    assert_eq!(host.status("bob").await.json["state"], "none");
    // What is left out is filled in, so that saying it is the same request.
    let said = json!({ "format": "list", "count": 10, "activate": "at_once", "proof": proof });
    let replayed = host.stage_under("k1", "alice", said).await.expect(201);
    assert_eq!(replayed.header("idempotency-replayed"), "true");
}

#[tokio::test]
async fn a_key_belongs_to_its_client() {
    let app = App::start().await;
    app.add_client(("other", "secret"), &Scope::ALL).await;
    let (host, other) = (app.host(), app.host_with(Some(("other", "secret"))));
    let body = json!({ "activate": "at_once", "proof": host.proof() });
    let one = host
        .stage_under("k1", "alice", body.clone())
        .await
        .expect(201);
    let two = other.stage_under("k1", "alice", body).await.expect(201);
    assert_eq!(two.json["generation"], 2);
    assert_ne!(one.codes(), two.codes());
}

#[tokio::test]
async fn a_key_shows_no_codes_once_one_was_redeemed() {
    let app = App::start().await;
    let host = app.host();
    let body = json!({ "activate": "at_once", "proof": host.proof() });
    let first = host
        .stage_under("k1", "alice", body.clone())
        .await
        .expect(201);
    host.redeem("alice", &first.codes()[3]).await.expect(200);
    host.stage_under("k1", "alice", body)
        .await
        .expect_problem(409, "idempotency-conflict");
    assert_eq!(host.status("alice").await.json["remaining"], 9);
}

#[tokio::test]
async fn a_key_is_visible_ascii_of_bounded_length() {
    let app = App::start().await;
    let host = app.host();
    let longest = "k".repeat(255);
    let body = json!({ "activate": "at_once", "proof": host.proof() });
    host.stage_under(&longest, "alice", body.clone())
        .await
        .expect(201);
    for key in ["", "a b", "tab\there", "k".repeat(256).as_str()] {
        let answer = host.stage_under(key, "alice", body.clone()).await;
        let answer = answer.expect_problem(400, "bad-request");
        assert_eq!(answer.json["parameter"], "Idempotency-Key", "{key}");
    }
    assert_eq!(host.status("alice").await.json["generation"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_used_many_times_at_once_issues_one_batch() {
    let app = App::start().await;
    let other = app.another();
    let body = json!({ "activate": "at_once", "proof": app.host().proof() });
    let mut requests = JoinSet::new();
    for request in 0..16 {
        let host = [app.host(), other.host()][request % 2].clone();
        let body = body.clone();
        requests.spawn(async move { host.stage_under("k1", "alice", body).await });
    }
    let answers = requests.join_all().await;
    let bodies: HashSet<String> = answers
        .into_iter()
        .map(|answer| answer.expect(201).text())
        .collect();
    assert_eq!(bodies.len(), 1);
    assert_eq!(app.host().status("alice").await.json["generation"], 1);
}
