//! Step-up and regeneration in the Canopy dialect: which proof buys one change, and in which order
//! it is asked for.

use axum::http::Method;
use serde_json::json;
use spare_key_server::model::Millis;
use spare_key_tests::App;
use spare_key_tests::canopy::{AUTH, Canopy, Enrolled, REGENERATE, STRANGER};

/// Somebody with a factor, signed in by it.
async fn enrolled(app: &App, name: &str) -> (spare_key_tests::auth0::Person, Canopy, Enrolled) {
    let (person, mut browser) = app.canopy_person(name).await;
    let phone = browser.enroll("Pixel").await;
    browser.sign_in_by_otp(&person, &phone.secret).await;
    (person, browser, phone)
}

/// Row A-36.
#[tokio::test]
async fn a_fresh_factor_buys_ten_new_codes_and_the_old_ones_are_dead() {
    let app = App::start().await;
    let (person, browser, phone) = enrolled(&app, "dora").await;
    let step_up = browser.stepped_up(&phone.secret).await;
    assert!(step_up.starts_with("su_"));
    let answer = browser.regenerate(&step_up).await.expect(200);
    assert_eq!(answer.json["recovery_codes_generation"], 2);
    let codes = answer.recovery_codes();
    assert_eq!(browser.left().await, (2, 10));
    for code in &phone.codes[..4] {
        assert!(!browser.takes(&person, code).await);
    }
    for code in &codes {
        assert!(browser.takes(&person, code).await);
    }
}

#[tokio::test]
async fn a_recovery_code_buys_it_too_and_is_spent() {
    let app = App::start().await;
    let (person, browser, phone) = enrolled(&app, "dora").await;
    let answer = browser.step_up("recovery_code", &phone.codes[0]).await;
    let step_up = answer.expect(200).text_of("step_up_token").to_owned();
    assert_eq!(browser.left().await, (1, 9));
    let again = browser.step_up("recovery_code", &phone.codes[0]).await;
    again.expect_canopy(401, "mfa.step_up_invalid");
    browser.regenerate(&step_up).await.expect(200);
    assert_eq!(browser.left().await, (2, 10));
    assert!(!browser.takes(&person, &phone.codes[1]).await);
}

/// Row S7.
#[tokio::test]
async fn whatever_is_wrong_with_a_proof_is_one_answer() {
    let app = App::start().await;
    let (_, browser, phone) = enrolled(&app, "dora").await;
    let otp = app.next_otp(&phone.secret);
    browser.step_up("totp", &otp).await.expect(200);
    let wrong = if otp == "000000" { "000001" } else { "000000" };
    for (factor, code) in [
        ("totp", wrong),
        ("totp", otp.as_str()),
        ("totp", "12345x"),
        ("recovery_code", STRANGER),
        ("recovery_code", "ABCD-EFGH-IJKL-MNOP"),
    ] {
        let refused = browser.step_up(factor, code).await;
        refused.expect_canopy(401, "mfa.step_up_invalid");
    }
    let unknown = browser.step_up("webauthn", "x").await;
    unknown.expect_canopy(400, "common.validation_failed");
    // The tries are those of the sign-in: one bucket for codes, one for passwords.
    for _ in 0..9 {
        browser.step_up("recovery_code", STRANGER).await.expect(401);
    }
    let throttled = browser.step_up("recovery_code", &phone.codes[0]).await;
    throttled.expect_canopy(429, "mfa.throttled");
    let otp = app.next_otp(&phone.secret);
    browser.step_up("totp", &otp).await.expect(200);
}

/// Rows S6, A-08, A-70, A-71, A-74.
#[tokio::test]
async fn a_step_up_token_is_one_sessions_for_five_minutes_and_one_change() {
    let app = App::start().await;
    let (person, browser, phone) = enrolled(&app, "dora").await;
    let (_, other, others) = enrolled(&app, "bob").await;
    let mut elsewhere = app.canopy().await;
    elsewhere.sign_in_by_otp(&person, &phone.secret).await;

    let theirs = other.stepped_up(&others.secret).await;
    let of_another_session = elsewhere.stepped_up(&phone.secret).await;
    let good = browser.stepped_up(&phone.secret).await;
    let bearer = browser.access.clone();
    for stray in [
        theirs.as_str(),
        of_another_session.as_str(),
        bearer.as_str(),
        "rubbish",
        "su_",
        &good[3..],
        &format!("{good}x"),
    ] {
        let refused = browser.regenerate(stray).await;
        let refused = refused.expect_canopy(401, "mfa.step_up_required");
        assert_eq!(
            refused.header("www-authenticate"),
            "Bearer error=\"insufficient_user_authentication\", max_age=\"300\""
        );
    }
    let refused = browser.regenerate_with(&[]).await;
    refused.expect_canopy(401, "mfa.step_up_required");
    // Sent twice it is nobody's.
    let twice = [("x-mfa-step-up-token", good.as_str()); 2];
    let refused = browser.regenerate_with(&twice).await;
    refused.expect_canopy(401, "mfa.step_up_required");
    assert_eq!(browser.left().await, (1, 10));
    browser.regenerate(&good).await.expect(200);
    let refused = browser.regenerate(&good).await;
    refused.expect_canopy(401, "mfa.step_up_required");

    let late = browser.stepped_up(&phone.secret).await;
    app.clock.advance(Millis::minutes(5));
    let refused = browser.regenerate(&late).await;
    refused.expect_canopy(401, "mfa.step_up_required");
    assert_eq!(browser.left().await, (2, 10));
    assert_eq!(other.left().await, (1, 10));
    // What they had was not touched by being tried elsewhere.
    elsewhere
        .regenerate(&of_another_session)
        .await
        .expect_canopy(401, "mfa.step_up_required");
}

#[tokio::test]
async fn a_step_up_token_dies_with_its_session() {
    let app = App::start().await;
    let (person, browser, phone) = enrolled(&app, "dora").await;
    let step_up = browser.stepped_up(&phone.secret).await;
    let path = format!("{AUTH}/logout");
    browser
        .ask(Method::POST, &path, Some(json!({})))
        .await
        .expect(200);
    assert_eq!(browser.cookie("refresh_token"), None);
    let refused = browser.regenerate(&step_up).await;
    refused.expect_canopy(401, "auth.invalid_token");
    let mut next = app.canopy().await;
    next.sign_in_by_otp(&person, &phone.secret).await;
    let refused = next.regenerate(&step_up).await;
    refused.expect_canopy(401, "mfa.step_up_required");
}

/// Row A-73.
#[tokio::test]
async fn a_bad_bearer_never_learns_whether_step_up_was_needed() {
    let app = App::start().await;
    let (_, browser, phone) = enrolled(&app, "dora").await;
    let step_up = browser.stepped_up(&phone.secret).await;
    for bad in ["", "x", "a.b.c", step_up.as_str()] {
        let stranger = browser.with(bad);
        for headers in [vec![], vec![("x-mfa-step-up-token", step_up.as_str())]] {
            let refused = stranger.regenerate_with(&headers).await;
            let refused = refused.expect_canopy(401, "auth.invalid_token");
            assert_eq!(refused.header("www-authenticate"), "Bearer");
        }
    }
    browser.regenerate(&step_up).await.expect(200);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_until_a_code_of_it_is_used() {
    let app = App::start().await;
    let (person, browser, phone) = enrolled(&app, "dora").await;
    let step_up = browser.stepped_up(&phone.secret).await;
    let first = [
        ("x-mfa-step-up-token", step_up.as_str()),
        ("idempotency-key", "k1"),
    ];
    let answer = browser.regenerate_with(&first).await.expect(200);
    assert_eq!(answer.header("idempotency-replayed"), "");
    for _ in 0..2 {
        let again = browser.regenerate_with(&first).await.expect(200);
        assert_eq!(again.json, answer.json);
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
    assert_eq!(browser.left().await, (2, 10));
    // Another key needs another proof; another proof is another request.
    let other = [
        ("x-mfa-step-up-token", step_up.as_str()),
        ("idempotency-key", "k2"),
    ];
    let refused = browser.regenerate_with(&other).await;
    refused.expect_canopy(401, "mfa.step_up_required");
    let fresh = browser.stepped_up(&phone.secret).await;
    let reused = [
        ("x-mfa-step-up-token", fresh.as_str()),
        ("idempotency-key", "k1"),
    ];
    let refused = browser.regenerate_with(&reused).await;
    refused.expect_canopy(409, "common.idempotency_key_reused");

    assert!(browser.takes(&person, &answer.recovery_codes()[0]).await);
    let refused = browser.regenerate_with(&first).await;
    refused.expect_canopy(409, "common.idempotency_key_spent");
    assert_eq!(browser.left().await, (2, 9));
    browser.regenerate(&fresh).await.expect(200);
    let refused = browser.regenerate_with(&first).await;
    refused.expect_canopy(409, "common.idempotency_key_spent");
    app.clock.advance(Millis::minutes(10));
    let refused = browser.regenerate_with(&first).await;
    refused.expect_canopy(401, "mfa.step_up_required");
    let refused = browser
        .regenerate_with(&[first[0], ("idempotency-key", "a b")])
        .await;
    refused.expect_canopy(400, "common.validation_failed");
}

#[tokio::test]
async fn a_lost_enrollment_is_told_again_too() {
    let app = App::start().await;
    let (person, browser) = app.canopy_person("dora").await;
    let begun = browser.start().await.expect(200);
    let token = begun.text_of("enrollment_token").to_owned();
    let otp = app.next_otp(begun.text_of("manual_entry_key"));
    let key = [("idempotency-key", "k1")];
    let answer = browser
        .verify_with(&token, &otp, "Pixel", &key)
        .await
        .expect(200);
    let again = browser
        .verify_with(&token, &otp, "Pixel", &key)
        .await
        .expect(200);
    assert_eq!(again.json, answer.json);
    assert_eq!(again.header("idempotency-replayed"), "true");
    let other = browser.verify_with(&token, &otp, "Tablet", &key).await;
    other.expect_canopy(409, "common.idempotency_key_reused");
    assert_eq!(browser.left().await, (1, 10));
    assert!(browser.takes(&person, &answer.recovery_codes()[0]).await);
    let spent = browser.verify_with(&token, &otp, "Pixel", &key).await;
    spent.expect_canopy(409, "common.idempotency_key_spent");

    // Of a later factor there are no codes to tell again, only the factor.
    let begun = browser.start().await.expect(200);
    let token = begun.text_of("enrollment_token").to_owned();
    let otp = app.next_otp(begun.text_of("manual_entry_key"));
    let key = [("idempotency-key", "k2")];
    let answer = browser
        .verify_with(&token, &otp, "Tablet", &key)
        .await
        .expect(200);
    assert_eq!(answer.json["recovery_codes"], json!(null));
    let again = browser
        .verify_with(&token, &otp, "Tablet", &key)
        .await
        .expect(200);
    assert_eq!(again.json, answer.json);
}

/// Row A-08.
#[tokio::test]
async fn who_has_a_factor_that_this_session_has_not_seen_proves_it_to_enroll_another() {
    let app = App::start().await;
    let (person, browser, phone) = enrolled(&app, "dora").await;
    let challenge = browser.challenged(&person).await;
    let otp = app.next_otp(&phone.secret);
    browser
        .answer_and_remember(&challenge, &otp)
        .await
        .expect(200);
    // On a trusted device the password is enough to come in, and for nothing else.
    let mut trusted = browser.clone();
    trusted.sign_in(&person).await;
    assert_eq!(trusted.claims()["amr"], json!(["pwd"]));
    trusted
        .start()
        .await
        .expect_canopy(401, "mfa.step_up_required");

    let step_up = trusted.stepped_up(&phone.secret).await;
    let header = [("x-mfa-step-up-token", step_up.as_str())];
    let path = format!("{AUTH}/mfa/totp/enroll/start");
    let begun = trusted
        .ask_with(Method::POST, &path, &header, None)
        .await
        .expect(200);
    let token = begun.text_of("enrollment_token").to_owned();
    let otp = app.next_otp(begun.text_of("manual_entry_key"));
    let refused = trusted.verify(&token, &otp, "Tablet").await;
    refused.expect_canopy(401, "mfa.step_up_required");
    // Looking at it has not spent it; confirming does.
    trusted
        .verify_with(&token, &otp, "Tablet", &header)
        .await
        .expect(200);
    let refused = trusted.regenerate(&step_up).await;
    refused.expect_canopy(401, "mfa.step_up_required");
}

/// Rows S23, A-09.
#[tokio::test]
async fn a_factor_without_codes_gets_its_first_list() {
    let app = App::start().await;
    app.switch_codes(false).await;
    let (person, mut browser) = app.canopy_person("carol").await;
    let phone = browser.enroll("Pixel").await;
    assert_eq!(phone.codes, [""; 0]);
    let refused = browser.ask(Method::POST, REGENERATE, None).await;
    refused.expect_canopy(400, "mfa.factor_not_allowed");
    let challenge = browser.challenged(&person).await;
    let refused = browser.recover(&challenge, STRANGER).await;
    refused.expect_canopy(400, "mfa.factor_not_allowed");
    let refused = browser.step_up("recovery_code", STRANGER).await;
    refused.expect_canopy(400, "mfa.factor_not_allowed");

    app.switch_codes(true).await;
    browser.sign_in_by_otp(&person, &phone.secret).await;
    let step_up = browser.stepped_up(&phone.secret).await;
    let answer = browser.regenerate(&step_up).await.expect(200);
    assert_eq!(answer.json["recovery_codes_generation"], 1);
    assert!(browser.takes(&person, &answer.recovery_codes()[9]).await);
}
