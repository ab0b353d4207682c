//! A person's life with devices and codes in the Arklow dialect.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use spare_key_core::Code;
use spare_key_server::model::Millis;
use spare_key_tests::App;
use spare_key_tests::arklow::{Arklow, STRANGER};

const FIVE_MINUTES: Millis = Millis::minutes(5);

/// The generation and the codes of a regeneration.
async fn renewed(program: &Arklow, device: &str) -> (u64, Vec<String>) {
    let answer = program.regenerate(device).await.expect(200);
    let generation = answer.data()["backup_codes_generation"].as_u64();
    (generation.expect("a number"), answer.backup_codes())
}

/// Row L4.
#[tokio::test]
async fn enroll_confirm_verify_by_a_code_and_regenerate() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    let own = alice.get("/v1/self/").await.expect(200);
    assert_eq!(own.data()["email"], "alice@example.com");
    assert_eq!(
        own.data()["memberships"],
        json!([{ "org_id": "1", "permissions": ["self", "keys"] }])
    );
    assert_eq!(alice.get("/v1/self").await.json, own.json, "both forms");

    let begun = alice.start("Phone").await.expect(200);
    assert_eq!(begun.data()["device"]["confirmed_at"], Value::Null);
    assert_eq!(begun.data()["device"]["user_id"], own.data()["id"]);
    let codes = begun.backup_codes();
    let distinct: BTreeSet<_> = codes.iter().collect();
    assert_eq!(distinct.len(), 10);
    assert!(codes.iter().all(|code| Code::parse(code).is_ok()));
    let picture = begun.data()["qr_code"].as_str().unwrap();
    assert!(picture.starts_with("data:image/svg+xml;base64,"));

    // Before it is confirmed no code works, and beginning anew shows the same.
    let first = begun.data()["device"]["id"].as_str().unwrap();
    let early = alice.backup(first, &codes[0]).await;
    early.expect_error(404, "device_not_found");
    let phone = alice.begin("Phone").await;
    assert_eq!(phone.codes, codes);
    assert_ne!(phone.id, first);
    let old = alice.confirm(first, "000000").await;
    old.expect_error(404, "device_not_found");

    let otp = app.next_otp(&phone.secret);
    let wrong = if otp == "000000" { "000001" } else { "000000" };
    let answer = alice.confirm(&phone.id, wrong).await;
    answer.expect_error(403, "invalid_code");
    let confirmed = alice.confirm(&phone.id, &otp).await.expect(200);
    assert_eq!(confirmed.data()["backup_codes_generation"], 1);
    assert_eq!(confirmed.data()["two_factor_enabled"], true);
    assert_eq!(
        confirmed.data()["session_mfa_not_after"],
        app.time(FIVE_MINUTES)
    );
    let again = alice.confirm(&phone.id, &otp).await;
    again.expect_error(409, "device_already_confirmed");
    assert_eq!(alice.left().await, (1, 10));

    // A code, typed as people type.
    let typed = codes[3].to_lowercase().replace('-', " ");
    let answer = alice.backup(&phone.id, &typed).await.expect(200);
    assert_eq!(
        answer.json["data"],
        json!({
            "valid": true,
            "device_id": phone.id,
            "verification_type": "totp",
            "session_mfa_not_after": app.time(FIVE_MINUTES),
            "backup_codes_remaining": 9,
            "backup_codes_generation": 1,
            "backup_code_number": 4,
        })
    );
    assert_eq!(alice.left().await, (1, 9));
    let plain = codes[4].replace('-', "");
    assert!(alice.takes(&phone.id, &plain).await, "no dashes");

    let (generation, new) = renewed(&alice, &phone.id).await;
    assert_eq!(generation, 2);
    assert_eq!(alice.left().await, (2, 10));
    assert!(!alice.takes(&phone.id, &codes[0]).await);
    for code in &new {
        assert!(alice.takes(&phone.id, code).await);
    }
    assert_eq!(alice.left().await, (2, 0));
}

/// Row S14.
#[tokio::test]
async fn what_does_not_work_is_one_answer() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    let phone = alice.enroll("Phone").await;
    assert!(alice.takes(&phone.id, &phone.codes[0]).await);
    let mut bodies = Vec::new();
    let mut tries = Vec::new();
    for code in [&phone.codes[0], STRANGER, "ABCD-EFGH-IJKL-MNOP"] {
        let mut answer = alice.backup(&phone.id, code).await.expect(200);
        let data = answer.json["data"].as_object_mut().unwrap();
        tries.push(data.remove("tries_left").unwrap().as_u64().unwrap());
        bodies.push(answer.json);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
    assert_eq!(bodies[0]["data"]["valid"], false);
    assert_eq!(tries[1], tries[2], "a malformed one costs nothing");
    assert_eq!(tries[0], tries[1] + 1);
    let short = alice.backup(&phone.id, "ABCDE").await;
    short.expect_error(400, "validation_error");
}

/// Row S6.
#[tokio::test]
async fn a_proof_counts_for_five_minutes_and_for_what_it_was_made_with() {
    let app = App::start().await;
    let (person, key) = app.arklow_person("alice").await;
    let phone = key.enroll("Phone").await;
    app.clock.advance(Millis(FIVE_MINUTES.0 + 1));
    let closed = key.regenerate(&phone.id).await;
    closed.expect_error(403, "mfa_required");
    key.start("Tablet").await.expect_error(403, "mfa_required");
    assert_eq!(key.left().await, (1, 10));

    let session = app.arklow_session(&person).await;
    let answer = session.regenerate(&phone.id).await;
    answer.expect_error(403, "mfa_required");
    let otp = app.next_otp(&phone.secret);
    let right = session.verify(&phone.id, &otp).await.expect(200);
    assert_eq!(right.data()["valid"], true);
    let twice = session.verify(&phone.id, &otp).await.expect(200);
    assert_eq!(twice.data()["valid"], false, "each password once");
    assert_eq!(
        twice.data()["session_mfa_not_after"],
        right.data()["session_mfa_not_after"]
    );
    // The session has proven it and the key has not.
    let answer = key.regenerate(&phone.id).await;
    answer.expect_error(403, "mfa_required");
    assert_eq!(renewed(&session, &phone.id).await.0, 2);
    key.prove(&phone).await;
    let other = app.arklow_session(&person).await;
    let answer = other.regenerate(&phone.id).await;
    answer.expect_error(403, "mfa_required");
    assert_eq!(renewed(&key, &phone.id).await.0, 3);
}

/// Row L13.
#[tokio::test]
async fn a_lost_phone_is_replaced_by_way_of_a_code() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    let lost = alice.enroll("Phone").await;
    app.clock.advance(Millis::minutes(6));
    assert!(alice.takes(&lost.id, &lost.codes[0]).await);
    let next = alice.begin("New phone").await;
    assert!(next.codes.is_empty(), "a list is live");
    let otp = app.next_otp(&next.secret);
    let confirmed = alice.confirm(&next.id, &otp).await.expect(200);
    assert_eq!(confirmed.data()["backup_codes_generation"], 1);

    let wrong = alice.remove(&lost.id, STRANGER).await;
    wrong.expect_error(403, "invalid_code");
    let wrong = alice.remove(&lost.id, "abcdef").await;
    wrong.expect_error(403, "invalid_code");
    assert_eq!(alice.devices("").await.data()["count"], 2);
    let otp = app.next_otp(&next.secret);
    let removed = alice.remove(&lost.id, &otp).await.expect(200);
    assert_eq!(removed.data()["removed"], true);
    assert_eq!(removed.data()["two_factor_enabled"], true);
    assert_eq!(removed.data()["device"]["deleted_at"], app.time(Millis(0)));
    let otp = app.next_otp(&next.secret);
    let again = alice.remove(&lost.id, &otp).await;
    again.expect_error(404, "device_not_found");
    assert_eq!(alice.left().await, (1, 9));

    // The last one, by a code: the codes go with it, and none comes back.
    let removed = alice.remove(&next.id, &lost.codes[1]).await.expect(200);
    assert_eq!(removed.data()["two_factor_enabled"], false);
    assert_eq!(alice.left().await, (0, 0));
    let anew = alice.enroll("Phone").await;
    assert_eq!(alice.left().await, (2, 10));
    assert!(!alice.takes(&anew.id, &lost.codes[2]).await);
    assert!(alice.takes(&anew.id, &anew.codes[2]).await);
}

#[tokio::test]
async fn a_device_waits_for_ten_minutes() {
    let app = App::start().await;
    let (_, alice) = app.arklow_person("alice").await;
    let phone = alice.begin("Phone").await;
    assert_eq!(alice.devices("").await.data()["count"], 1);
    app.clock.advance(Millis::minutes(10));
    assert_eq!(alice.devices("").await.data()["count"], 0);
    let otp = app.otp(&phone.secret);
    for _ in 0..2 {
        let late = alice.confirm(&phone.id, &otp).await;
        late.expect_error(410, "enrollment_expired");
        app.mfa().sweep().await.unwrap();
    }
    app.clock.advance(Millis::minutes(60));
    app.mfa().sweep().await.unwrap();
    let later = alice.confirm(&phone.id, &otp).await;
    later.expect_error(404, "device_not_found");
}

#[tokio::test]
async fn a_lost_answer_is_told_again_under_its_key() {
    let app = App::start().await;
    let (person, alice) = app.arklow_person("alice").await;
    let phone = alice.enroll("Phone").await;
    let tablet = alice.enroll("Tablet").await;
    let first = alice.regenerate_under("k1", &phone.id).await.expect(200);
    assert_eq!(first.header("idempotency-replayed"), "");
    app.clock.advance(Millis::minutes(6));
    let again = alice.regenerate_under("k1", &phone.id).await.expect(200);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json, first.json, "even with the window closed");
    assert_eq!(alice.left().await, (2, 10));
    let other = alice.regenerate_under("k1", &tablet.id).await;
    other.expect_error(409, "idempotency_key_reused");
    // Another's key of the same name is another key.
    let session = app.arklow_session(&person).await;
    session.prove(&tablet).await;
    assert!(alice.takes(&phone.id, &first.backup_codes()[0]).await);
    let spent = alice.regenerate_under("k1", &phone.id).await;
    spent.expect_error(409, "idempotency_key_spent");
    let answer = session.regenerate_under("k1", &phone.id).await.expect(200);
    assert_eq!(answer.data()["backup_codes_generation"], 3);
    for key in ["a b".to_owned(), "x".repeat(256), String::new()] {
        let answer = alice.regenerate_under(&key, &phone.id).await;
        answer.expect_error(400, "validation_error");
    }
}

#[tokio::test]
async fn codes_are_the_accounts_whatever_dialect_they_came_by() {
    let app = App::start().await;
    // Issued here, redeemed by a grant of Auth0's and by a host.
    let (mut person, alice) = app.arklow_person("alice").await;
    let phone = alice.enroll("Phone").await;
    person.secret.clone_from(&phone.secret);
    let plain = phone.codes[0].replace('-', "");
    app.program()
        .sign_in_by_code(&person, &plain)
        .await
        .expect(200);
    let host = app.host();
    host.redeem(&person.id, &phone.codes[1]).await.expect(200);
    assert_eq!(alice.left().await, (1, 8));
    let status = host.status(&person.id).await.expect(200);
    assert_eq!(status.json["remaining"], 8);
    assert_eq!(status.json["generation"], 1);
    // Made anew by a host: dead here, and the new ones work here.
    let (generation, codes) = host.issue(&person.id).await;
    assert_eq!(alice.left().await, (generation, 10));
    assert!(!alice.takes(&phone.id, &phone.codes[2]).await);
    assert!(alice.takes(&phone.id, &codes[0]).await);

    // Enrolled through Auth0's: the one code works here, and the next comes in its place.
    let dora = app.enrolled("dora").await;
    let program = app.arklow(&dora).await;
    let listed = program.devices("").await.expect(200);
    let id = listed.data()["items"][0]["id"].as_str().unwrap().to_owned();
    let answer = program.backup(&id, &dora.code).await.expect(200);
    assert_eq!(answer.data()["valid"], true);
    let next = answer.backup_codes();
    assert_eq!(next.len(), 1);
    app.program()
        .sign_in_by_code(&dora, &next[0])
        .await
        .expect(200);
}

/// Row O1.
#[tokio::test]
async fn every_change_is_on_record_once_and_told_to_the_person() {
    let app = App::start().await;
    let (person, alice) = app.arklow_person("alice").await;
    let phone = alice.enroll("Phone").await;
    alice.takes(&phone.id, &phone.codes[0]).await;
    alice.regenerate(&phone.id).await.expect(200);
    let otp = app.next_otp(&phone.secret);
    alice.remove(&phone.id, &otp).await.expect(200);
    let events = app.mfa().events(&person.account(), None, 50).await.unwrap();
    let mut names: Vec<_> = events.iter().map(|event| event.kind.name()).collect();
    names.reverse();
    assert_eq!(
        names,
        [
            "account.added",
            "api_key.added",
            "codes.staged",
            "factor.enrolled",
            "codes.activated",
            "codes.redeemed",
            "codes.staged",
            "codes.activated",
            "factor.removed",
            "codes.revoked",
            "factor.verified",
        ]
    );
}
