//! Batches through the native dialect: rows 1 to 4 of its acceptance.

use std::collections::HashSet;

use serde_json::{Value, json};
use spare_key_core::Code;
use spare_key_server::domain::{Policy, Toggle};
use spare_key_server::model::Millis;
use spare_key_tests::{App, Options};
use tokio::task::JoinSet;

/// Row L9.
#[tokio::test]
async fn a_staged_batch_changes_nothing_until_it_is_activated() {
    let app = App::start().await;
    let host = app.host();
    let (_, old) = host.issue("alice").await;
    let staged = host
        .stage("alice", json!({ "proof": host.proof() }))
        .await
        .expect(201);
    assert_eq!(staged.json["account"], "alice");
    assert_eq!(staged.json["generation"], 2);
    assert_eq!(staged.json["state"], "pending");
    assert_eq!(staged.json["format"], "list");
    assert_eq!(staged.json["issued_at"], app.time(Millis(0)));
    assert_eq!(staged.json["expires_at"], app.time(Millis::minutes(10)));

    let codes = staged.codes();
    assert_eq!(codes.len(), 10);
    assert_eq!(codes.iter().collect::<HashSet<_>>().len(), 10);
    assert!(codes.iter().all(|code| Code::parse(code).is_ok()));
    assert!(codes.iter().all(|code| code.len() == 19));
    for (place, code) in staged.json["codes"].as_array().unwrap().iter().enumerate() {
        assert_eq!(code["number"], place + 1);
    }

    let status = host.status("alice").await.expect(200).json;
    assert_eq!(status["generation"], 1);
    assert_eq!(status["remaining"], 10);
    assert_eq!(status["pending"]["generation"], 2);
    assert_eq!(status["pending"]["expires_at"], staged.json["expires_at"]);
    host.redeem("alice", &codes[0])
        .await
        .expect_problem(403, "code-not-accepted");
    host.redeem("alice", &old[0]).await.expect(200);
}

#[tokio::test]
async fn an_activated_batch_is_the_live_one_and_the_older_is_dead() {
    let app = App::start().await;
    let host = app.host();
    let (_, old) = host.issue("alice").await;
    let new = host
        .stage("alice", json!({ "proof": host.proof() }))
        .await
        .expect(201);
    let status = host.activate("alice", 2).await.expect(200).json;
    assert_eq!(status["generation"], 2);
    assert_eq!(status["state"], "active");
    assert_eq!(status["remaining"], 10);
    assert_eq!(status["total"], 10);
    assert_eq!(status["pending"], Value::Null);
    host.redeem("alice", &old[0])
        .await
        .expect_problem(403, "code-not-accepted");
    host.redeem("alice", &new.codes()[0]).await.expect(200);
}

/// Row A-47.
#[tokio::test]
async fn only_the_pending_batch_is_activated_and_repeating_it_is_no_error() {
    let app = App::start().await;
    let host = app.host();
    let body = json!({ "proof": host.proof() });
    host.stage("alice", body.clone()).await.expect(201);
    host.stage("alice", body).await.expect(201);
    let stale = host
        .activate("alice", 1)
        .await
        .expect_problem(409, "stale-generation");
    assert_eq!(stale.json["generation"], 2);
    host.activate("alice", 2).await.expect(200);
    host.activate("alice", 2).await.expect(200);
    let never = host
        .activate("alice", 3)
        .await
        .expect_problem(409, "stale-generation");
    assert_eq!(never.json["generation"], Value::Null);
    assert_eq!(host.status("alice").await.json["generation"], 2);
}

/// Row L1.
#[tokio::test]
async fn a_pending_batch_is_shown_again_until_it_is_activated() {
    let app = App::start().await;
    let host = app.host();
    let staged = host.stage("alice", json!({ "proof": host.proof() })).await;
    let location = staged.header("location").to_owned();
    assert_eq!(location, "/recovery/v1/accounts/alice/batches/pending");
    let shown = host.show("alice").await.expect(200);
    assert_eq!(shown.json, staged.json);
    assert_eq!(shown.header("cache-control"), "no-store");
    host.activate("alice", 1).await.expect(200);
    host.show("alice")
        .await
        .expect_problem(404, "no-pending-batch");
}

/// Rows L1, A-44.
#[tokio::test]
async fn a_pending_batch_runs_out_and_the_older_still_works() {
    let app = App::start().await;
    let host = app.host();
    let (_, old) = host.issue("alice").await;
    host.stage("alice", json!({ "proof": host.proof() }))
        .await
        .expect(201);
    app.clock.advance(Millis::minutes(10));
    host.show("alice")
        .await
        .expect_problem(404, "no-pending-batch");
    host.activate("alice", 2)
        .await
        .expect_problem(409, "stale-generation");
    assert_eq!(host.status("alice").await.json["pending"], Value::Null);
    host.redeem("alice", &old[0]).await.expect(200);
}

#[tokio::test]
async fn a_pending_batch_can_be_given_up() {
    let app = App::start().await;
    let host = app.host();
    let (_, old) = host.issue("alice").await;
    host.stage("alice", json!({ "proof": host.proof() }))
        .await
        .expect(201);
    host.give_up("alice").await.expect(204);
    host.give_up("alice")
        .await
        .expect_problem(404, "no-pending-batch");
    host.show("alice")
        .await
        .expect_problem(404, "no-pending-batch");
    host.redeem("alice", &old[0]).await.expect(200);
}

/// Rows L3, A-47.
#[tokio::test]
async fn whatever_does_not_say_saved_activates_nothing() {
    let app = App::start().await;
    let host = app.host();
    host.stage("alice", json!({ "proof": host.proof() }))
        .await
        .expect(201);
    for body in [
        json!({}),
        json!({ "saved": false }),
        json!({ "saved": null }),
        json!({ "saved": "true" }),
        json!({ "saved": 1 }),
    ] {
        host.activate_saying("alice", 1, body)
            .await
            .expect_problem(422, "not-confirmed");
    }
    let path = "/recovery/v1/accounts/alice/batches/1/activate";
    host.ask("POST".parse().unwrap(), path, None)
        .await
        .expect_problem(422, "not-confirmed");
    assert_eq!(host.status("alice").await.json["state"], "none");
}

#[tokio::test]
async fn at_once_means_that_the_older_codes_are_dead_when_it_is_answered() {
    let app = App::start().await;
    let host = app.host();
    let (_, old) = host.issue("alice").await;
    let body = json!({ "activate": "at_once", "proof": host.proof() });
    let issued = host.stage("alice", body).await.expect(201);
    assert_eq!(issued.json["state"], "active");
    assert_eq!(issued.json["expires_at"], Value::Null);
    assert_eq!(issued.header("location"), "/recovery/v1/accounts/alice");
    host.redeem("alice", &old[0])
        .await
        .expect_problem(403, "code-not-accepted");
    host.redeem("alice", &issued.codes()[0]).await.expect(200);
}

#[tokio::test]
async fn without_a_proof_or_with_a_stale_one_over_a_live_batch_nothing_is_issued() {
    let app = App::start().await;
    let host = app.host();
    host.stage("alice", json!({}))
        .await
        .expect_problem(403, "fresh-proof-required");
    assert_eq!(host.status("alice").await.json["generation"], 0);

    // The first batch takes any proof: nothing can be lost yet.
    let stale = json!({ "amr": ["pwd"], "at": app.time(Millis::minutes(-6)) });
    let first = json!({ "activate": "at_once", "proof": stale });
    host.stage("alice", first.clone()).await.expect(201);
    let before = host.status("alice").await.json;
    let ahead = json!({ "proof": { "amr": ["pwd"], "at": app.time(Millis::minutes(2)) } });
    for body in [first, json!({ "activate": "at_once" }), json!({}), ahead] {
        host.stage("alice", body)
            .await
            .expect_problem(403, "fresh-proof-required");
    }
    assert_eq!(host.status("alice").await.json, before);

    let at = app.time(Millis::minutes(-5));
    let just = json!({ "proof": { "amr": ["pwd"], "at": at } });
    host.stage("alice", just).await.expect(201);
    let old = app.time(Millis::minutes(-600));
    let administrator = json!({ "amr": ["pwd"], "at": old, "by": "administrator" });
    host.stage("alice", json!({ "proof": administrator }))
        .await
        .expect(201);
}

/// Rows S24, O1.
#[tokio::test]
async fn the_proof_is_on_record() {
    let app = App::start().await;
    let host = app.host();
    let at = app.time(Millis(0));
    let proof = json!({ "amr": ["pwd", "otp"], "at": at, "by": "administrator" });
    host.stage("alice", json!({ "proof": proof }))
        .await
        .expect(201);
    let events = host.events("alice", "").await.expect(200).json;
    let staged = &events["events"][0];
    assert_eq!(staged["kind"], "codes.staged");
    assert_eq!(staged["detail"], format!("administrator, pwd otp, {at}"));
    assert_eq!(
        staged["actor"],
        json!({ "type": "client", "client": "dev-host" })
    );
}

/// Row S3.
#[tokio::test]
async fn a_batch_has_the_format_and_the_count_that_were_asked_for() {
    let app = App::start().await;
    let host = app.host();
    for (format, count, length) in [("list", 1, 19), ("list", 16, 19), ("single", 1, 24)] {
        let body = json!({ "format": format, "count": count, "proof": host.proof() });
        let staged = host.stage("alice", body).await.expect(201);
        assert_eq!(staged.json["format"], format);
        let codes = staged.codes();
        assert_eq!(codes.len(), count);
        assert!(codes.iter().all(|code| code.len() == length));
    }
    for (format, count) in [
        ("list", 0),
        ("list", 17),
        ("list", 256),
        ("single", 2),
        ("single", 0),
    ] {
        let body = json!({ "format": format, "count": count, "proof": host.proof() });
        let refused = host
            .stage("alice", body)
            .await
            .expect_problem(400, "bad-request");
        assert_eq!(refused.json["pointer"], "/count");
    }
}

/// Row A-11.
#[tokio::test]
async fn revoking_ends_the_live_and_the_pending_batch() {
    let app = App::start().await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    host.stage("alice", json!({ "proof": host.proof() }))
        .await
        .expect(201);
    host.revoke("alice").await.expect(204);
    let status = host.status("alice").await.json;
    assert_eq!(status["state"], "revoked");
    assert_eq!(status["generation"], 1);
    assert_eq!(status["pending"], Value::Null);
    host.redeem("alice", &codes[0])
        .await
        .expect_problem(403, "code-not-accepted");
    host.show("alice")
        .await
        .expect_problem(404, "no-pending-batch");
    host.revoke("alice").await.expect(204);
    // Its numbers are not used again.
    assert_eq!(host.issue("alice").await.0, 3);
}

#[tokio::test]
async fn switched_off_nothing_is_issued_and_nothing_is_accepted() {
    let on = App::start().await;
    let (_, codes) = on.host().issue("alice").await;
    let off = on.another_with(Options {
        policy: Policy {
            recovery_codes: Toggle::Fixed(false),
            ..Options::default().policy
        },
        ..Options::default()
    });
    let host = off.host();
    let body = json!({ "activate": "at_once", "proof": host.proof() });
    host.stage("alice", body)
        .await
        .expect_problem(403, "recovery-codes-off");
    host.show("alice")
        .await
        .expect_problem(403, "recovery-codes-off");
    host.activate("alice", 1)
        .await
        .expect_problem(403, "recovery-codes-off");
    host.redeem("alice", &codes[0])
        .await
        .expect_problem(403, "code-not-accepted");
}

/// Row C5.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_staged_at_once_never_share_a_number() {
    let app = App::start().await;
    let other = app.another();
    let body = json!({ "proof": app.host().proof() });
    let mut requests = JoinSet::new();
    for request in 0..4 {
        let host = [app.host(), other.host()][request % 2].clone();
        let body = body.clone();
        requests.spawn(async move { host.stage("alice", body).await.expect(201) });
    }
    let answers = requests.join_all().await;
    let numbers: HashSet<_> = answers
        .iter()
        .map(|answer| answer.json["generation"].as_u64())
        .collect();
    assert_eq!(numbers, (1..=4).map(Some).collect());
    let pending = app.host().show("alice").await.expect(200).json;
    assert_eq!(pending["generation"], 4);
    assert!(answers.iter().any(|answer| answer.json == pending));
}

/// Row A-26.
#[tokio::test]
async fn codes_work_at_the_cost_that_production_pays() {
    let app = App::start_with(Options {
        policy: Policy::standard(true),
        ..Options::default()
    })
    .await;
    let host = app.host();
    let body = json!({ "count": 2, "activate": "at_once", "proof": host.proof() });
    let codes = host.stage("alice", body).await.expect(201).codes();
    host.redeem("alice", &codes[1]).await.expect(200);
    host.redeem("alice", &codes[1]).await.expect(403);
}

/// SP 800-63B-4, 4.2.1.1. 200 batches of ten, chi-square over 32 symbols at each of the 15 random
/// places: 31 degrees of freedom, p > 1e-6 below 93. Fifteen places, one run in 70 000 fails.
/// Rows S4, A-01, A-02.
#[tokio::test]
async fn the_symbols_of_codes_are_uniform_and_no_code_comes_twice() {
    let app = App::start().await;
    let host = app.host();
    let mut seen = HashSet::new();
    let mut counts = [[0_u32; 32]; 15];
    for _ in 0..200 {
        for code in host.issue("alice").await.1 {
            for (place, symbol) in code.replace('-', "").bytes().take(15).enumerate() {
                let value = match symbol {
                    b'A'..=b'Z' => symbol - b'A',
                    digit => digit - b'2' + 26,
                };
                counts[place][usize::from(value)] += 1;
            }
            assert!(seen.insert(code));
        }
    }
    let expected = 2_000.0 / 32.0;
    for (place, counts) in counts.iter().enumerate() {
        let chi: f64 = counts
            .iter()
            .map(|count| (f64::from(*count) - expected).powi(2) / expected)
            .sum();
        assert!(chi < 93.0, "place {place}: {chi}");
    }
}

/// Row S5.
#[tokio::test]
async fn codes_that_a_caller_brings_are_not_taken() {
    const OWN: &str = "KZ3M-Q7TB-WJ5R-HXYN";
    let app = App::start().await;
    let host = app.host();
    for member in ["code", "codes", "seed", "generation"] {
        let mut body = json!({ "activate": "at_once", "proof": host.proof() });
        body[member] = json!([{ "number": 1, "code": OWN }]);
        let refused = host.stage("alice", body).await;
        let refused = refused.expect_problem(400, "bad-request");
        assert_eq!(refused.json["pointer"], format!("/{member}"));
    }
    host.stage("alice", json!({ "proof": host.proof() }))
        .await
        .expect(201);
    for member in ["code", "codes"] {
        let mut body = json!({ "saved": true });
        body[member] = json!([OWN]);
        let refused = host.activate_saying("alice", 1, body).await;
        refused.expect_problem(400, "bad-request");
    }
    host.activate("alice", 1).await.expect(200);
    host.redeem("alice", OWN).await.expect(403);
    // Where a client may say more than is understood, what it says is not used.
    let (manager, dora) = (app.manager().await, app.enrolled("dora").await);
    let own = "ABCDEFGHIJKLMNOPQRSTUVWX";
    let body = json!({ "recovery_code": own, "code": own });
    let path = dora.at("/recovery-code-regeneration");
    let made = manager.post(&path, body).await.expect(200);
    assert_ne!(made.text_of("recovery_code"), own);
}
