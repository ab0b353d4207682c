//! Redeeming through the native dialect: row 5 of its acceptance, and exactly once.

use std::collections::HashSet;

use axum::http::Method;
use serde_json::{Value, json};
use spare_key_server::model::Millis;
use spare_key_tests::native::of;
use spare_key_tests::{Answer, App};
use tokio::task::JoinSet;

/// Valid by its check and never issued.
const STRANGER: &str = "KZ3M-Q7TB-WJ5R-HXYN";

/// Rows L5, L6, L10, A-32, A-37.
#[tokio::test]
async fn each_code_redeems_once_and_the_rest_is_counted_down() {
    let app = App::start().await;
    let host = app.host();
    host.stage("alice", json!({ "proof": host.proof() }))
        .await
        .expect(201);
    let codes = host.show("alice").await.expect(200).codes();
    host.activate("alice", 1).await.expect(200);
    for (place, code) in codes.iter().enumerate() {
        app.clock.advance(Millis::seconds(1));
        let answer = host.redeem("alice", code).await.expect(200).json;
        let remaining = 9 - place;
        assert_eq!(
            answer,
            json!({
                "account": "alice",
                "generation": 1,
                "number": place + 1,
                "remaining": remaining,
                "low": remaining <= 3,
                "replacement": null,
            })
        );
        let status = host.status("alice").await.json;
        assert_eq!(status["remaining"], remaining);
        assert_eq!(status["last_redeemed_at"], app.time(Millis(0)));
        assert_eq!(status["state"], "active");
        host.redeem("alice", code)
            .await
            .expect_problem(403, "code-not-accepted");
    }
}

/// Row A-42.
#[tokio::test]
async fn a_code_is_read_forgivingly_and_spent_all_the_same() {
    let app = App::start().await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    let typed = format!("3.  {}", codes[2].to_lowercase().replace('-', " – "));
    assert_eq!(
        host.redeem("alice", &typed).await.expect(200).json["number"],
        3
    );
    host.redeem("alice", &codes[2])
        .await
        .expect_problem(403, "code-not-accepted");
}

/// Row A-35.
#[tokio::test]
async fn a_single_code_is_replaced_by_the_next_in_the_same_answer() {
    let app = App::start().await;
    let host = app.host();
    let body = json!({ "format": "single", "activate": "at_once", "proof": host.proof() });
    let first = host.stage("alice", body).await.expect(201).codes();
    let answer = host.redeem("alice", &first[0]).await.expect(200).json;
    assert_eq!(answer["generation"], 1);
    assert_eq!(answer["remaining"], 0);
    assert_eq!(answer["low"], false);
    let replacement = &answer["replacement"];
    assert_eq!(replacement["generation"], 2);
    assert_eq!(replacement["state"], "active");
    assert_eq!(replacement["format"], "single");
    let next = replacement["codes"][0]["code"].as_str().unwrap();
    host.redeem("alice", &first[0])
        .await
        .expect_problem(403, "code-not-accepted");
    let answer = host.redeem("alice", next).await.expect(200).json;
    assert_eq!(answer["replacement"]["generation"], 3);
}

/// The answer, without what is new in every answer.
fn essence(answer: &Answer) -> (u16, String, Vec<(String, String)>) {
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| name.as_str() != "x-request-id")
        .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()))
        .collect();
    (answer.status.as_u16(), answer.text(), headers)
}

/// Rows S13, S14, A-43, A-61.
#[tokio::test]
async fn every_code_that_is_not_accepted_gets_one_answer_and_one_slow_hash() {
    let app = App::start().await;
    let host = app.host();
    let (_, superseded) = host.issue("superseded").await;
    host.issue("superseded").await;
    let (_, used) = host.issue("used").await;
    host.redeem("used", &used[0]).await.expect(200);
    let (_, revoked) = host.issue("revoked").await;
    host.revoke("revoked").await.expect(204);
    let pending = host
        .stage("pending", json!({ "proof": host.proof() }))
        .await
        .codes();
    host.issue("wrong").await;
    let (_, anothers) = host.issue("another").await;
    let (_, forgotten) = host.issue("forgotten").await;
    host.forget("forgotten").await.expect(204);

    let mut answers = HashSet::new();
    for (account, code) in [
        ("superseded", &superseded[0]),
        ("used", &used[0]),
        ("revoked", &revoked[0]),
        ("pending", &pending[0]),
        ("wrong", &STRANGER.to_owned()),
        ("unknown", &STRANGER.to_owned()),
        ("wrong", &anothers[0]),
        ("forgotten", &forgotten[0]),
    ] {
        if account == "wrong" {
            // The second of two on one account: the count of tries begins anew.
            host.forget("wrong").await.expect(204);
            host.issue("wrong").await;
        }
        let before = app.hashes().await;
        let answer = host.redeem(account, code).await;
        let answer = answer.expect_problem(403, "code-not-accepted");
        assert_eq!(app.hashes().await, before + 1, "{account}");
        assert!(!answer.text().contains(code.as_str()));
        answers.insert(essence(&answer));
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
}

/// Rows S13, A-41, A-42, A-62.
#[tokio::test]
async fn what_cannot_be_a_code_costs_nothing_and_says_why() {
    let app = App::start().await;
    let host = app.host();
    host.issue("alice").await;
    let (hashes, before) = (app.hashes().await, host.status("alice").await.json);
    for (code, reason, at, missing) in [
        ("", "empty", Value::Null, Value::Null),
        (" - ", "empty", Value::Null, Value::Null),
        ("KZ3M-Q7TB-WJ5R-HXY", "length", Value::Null, json!(1)),
        ("KZ3M-Q7TB-WJ5R-HXYN-A", "length", Value::Null, Value::Null),
        ("KZ3M-Q7TB-WJ5R-HX!N", "symbol", json!(14), Value::Null),
        ("KZ3M-Q7TB-WJ5R-HX1N", "symbol", json!(14), Value::Null),
        ("ABCD-EFGH-IJKL-MNOP", "check", Value::Null, Value::Null),
        (&"A".repeat(300), "length", Value::Null, Value::Null),
    ] {
        let answer = host.redeem("alice", code).await;
        let answer = answer.expect_problem(422, "malformed-code");
        assert_eq!(answer.json["reason"], reason, "{code}");
        assert_eq!(answer.json["at"], at, "{code}");
        assert_eq!(answer.json["missing"], missing, "{code}");
        assert!(code.len() < 10 || !answer.text().contains(code));
    }
    assert_eq!(app.hashes().await, hashes);
    assert_eq!(host.status("alice").await.json, before);
    let counted = r#"spare_key_redemptions_total{outcome="malformed"}"#;
    assert_eq!(app.figure(counted).await, 8);
}

/// Rows S19, A-39.
#[tokio::test]
async fn without_a_proof_nothing_is_redeemed() {
    let app = App::start().await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    let body = json!({ "code": codes[0] });
    let answer = host
        .ask(Method::POST, &of("alice", "/redeem"), Some(body))
        .await;
    answer.expect_problem(403, "fresh-proof-required");
    let status = host.status("alice").await.json;
    assert_eq!(status["remaining"], 10);
    assert_eq!(status["throttle"]["tries_left"], 10);
    host.redeem("alice", &codes[0]).await.expect(200);
}

#[tokio::test]
async fn a_proof_that_is_none_is_refused_with_its_place() {
    let app = App::start().await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    let at = app.time(Millis(0));
    for (proof, pointer) in [
        (json!({ "at": at }), "/proof/amr"),
        (json!({ "amr": [], "at": at }), "/proof/amr"),
        (json!({ "amr": vec!["a"; 11], "at": at }), "/proof/amr"),
        (json!({ "amr": ["pwd", "a b"], "at": at }), "/proof/amr/1"),
        (json!({ "amr": ["a".repeat(65)], "at": at }), "/proof/amr/0"),
        (json!({ "amr": ["ü"], "at": at }), "/proof/amr/0"),
        (json!({ "amr": ["pwd"] }), "/proof/at"),
        (json!({ "amr": ["pwd"], "at": "yesterday" }), "/proof/at"),
        (json!({ "amr": ["pwd"], "at": 5 }), "/proof/at"),
        (
            json!({ "amr": ["pwd"], "at": at, "by": "god" }),
            "/proof/by",
        ),
        (json!({ "amr": ["pwd"], "at": at, "bye": 1 }), "/proof/bye"),
        (json!("pwd"), "/proof"),
    ] {
        let body = json!({ "code": codes[0], "proof": proof });
        let answer = host
            .ask(Method::POST, &of("alice", "/redeem"), Some(body))
            .await;
        let answer = answer.expect_problem(400, "bad-request");
        assert_eq!(answer.json["pointer"], pointer, "{proof}");
    }
    assert_eq!(host.status("alice").await.json["remaining"], 10);
}

/// Rows C1, A-33.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_is_spent_once_however_many_redeem_it() {
    let app = App::start().await;
    let other = app.another();
    let addresses = [app.listen().await, other.listen().await];
    let host = app.host();
    for round in 0..10 {
        let account = format!("account {round}");
        let (_, codes) = host.issue(&account).await;
        let mut clients = JoinSet::new();
        for client in 0..8 {
            let (account, code) = (account.clone(), codes[0].clone());
            let mut connection = host.connect(addresses[client % 2]).await;
            clients.spawn(async move {
                let mut answers = Vec::new();
                for _ in 0..8 {
                    answers.push(connection.redeem(&account, &code).await.status.as_u16());
                }
                answers
            });
        }
        let answers = clients.join_all().await.concat();
        let accepted = answers.iter().filter(|status| **status == 200).count();
        assert_eq!(accepted, 1, "round {round}: {answers:?}");
        assert!(
            answers
                .iter()
                .all(|status| [200, 403, 429].contains(status))
        );
        assert_eq!(host.status(&account).await.json["remaining"], 9);
        let events = host.events(&account, "?limit=200").await.json;
        let redeemed = events["events"].as_array().unwrap().iter();
        assert_eq!(
            redeemed
                .filter(|event| event["kind"] == "codes.redeemed")
                .count(),
            1
        );
    }
}

/// Row C2.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn different_codes_redeemed_at_once_all_succeed() {
    let app = App::start().await;
    let addresses = [app.listen().await, app.another().listen().await];
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    let mut clients = JoinSet::new();
    for (place, code) in codes.into_iter().enumerate() {
        let mut connection = host.connect(addresses[place % 2]).await;
        clients.spawn(async move {
            let answer = connection.redeem("alice", &code).await.expect(200);
            assert_eq!(answer.json["number"], place + 1);
            answer.json["remaining"].as_u64().unwrap()
        });
    }
    let remaining: HashSet<u64> = clients.join_all().await.into_iter().collect();
    assert_eq!(remaining, (0..10).collect());
    assert_eq!(host.status("alice").await.json["remaining"], 0);
}

/// Row S25.
#[tokio::test]
async fn redeeming_one_accounts_code_leaves_every_other_account_alone() {
    let app = App::start().await;
    let host = app.host();
    let (_, alices) = host.issue("alice").await;
    let (_, bobs) = host.issue("bob").await;
    host.redeem("bob", &alices[0])
        .await
        .expect_problem(403, "code-not-accepted");
    host.redeem("alice", &alices[0]).await.expect(200);
    host.redeem("bob", &bobs[0]).await.expect(200);
    assert_eq!(host.status("alice").await.json["remaining"], 9);
    assert_eq!(host.status("bob").await.json["remaining"], 9);
}
