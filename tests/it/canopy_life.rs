//! A person's life with the Canopy dialect: enroll, sign in, recover, remove, begin again.

use serde_json::json;
use spare_key_core::Code;
use spare_key_server::http::Envelope;
use spare_key_server::model::Millis;
use spare_key_tests::canopy::{AUTH, STRANGER};
use spare_key_tests::{App, Options};

#[tokio::test]
async fn who_has_no_factor_is_let_in_for_a_time_and_asked_to_enroll() {
    let app = App::start().await;
    let person = app.add_person("dora").await;
    let mut browser = app.canopy().await;
    let answer = browser.sign_in(&person).await;
    assert_eq!(answer.json["mfa_enrollment_pending"], true);
    assert_eq!(
        answer.json["grace_expires_at"],
        app.time(Millis::minutes(7 * 24 * 60))
    );
    assert_eq!(answer.json["expires_in"], 900);
    let identity = &answer.json["identity"];
    assert_eq!(identity["email"], "dora@example.com");
    assert_eq!(identity["first_name"], "Dora");
    let claims = browser.claims();
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert_eq!(claims["sub"], identity["id"]);
    assert_eq!(claims["principal"], "identity");
    assert_eq!(claims["environment"], "development");
    assert!(browser.cookie("refresh_token").is_some());
    let me = browser.get(&format!("{AUTH}/me")).await.expect(200);
    assert_eq!(me.json["id"], identity["id"]);
    assert_eq!(me.json["email_verified"], false);
}

/// Rows L4, O4, A-09.
#[tokio::test]
async fn enrolling_the_first_factor_gives_ten_codes_that_are_live_and_the_next_gives_none() {
    let app = App::start().await;
    let (_, browser) = app.canopy_person("dora").await;
    let begun = browser.start().await.expect(200);
    let token = begun.text_of("enrollment_token");
    let secret = begun.text_of("manual_entry_key");
    assert!(begun.text_of("otpauth_uri").contains(secret));
    let listed = browser.factors().await.expect(200);
    assert_eq!(listed.json["items"], json!([]));
    assert_eq!(
        listed.json["recovery_codes"],
        json!({ "generation": 0, "remaining": 0, "total": 0, "issued_at": null })
    );

    let otp = app.next_otp(secret);
    let wrong = if otp == "000000" { "000001" } else { "000000" };
    let refused = browser.verify(token, wrong, "Pixel").await;
    refused.expect_canopy(401, "mfa.code_invalid");
    let confirmed = browser.verify(token, &otp, "  Pixel ").await.expect(200);
    let factor = &confirmed.json["factor"];
    assert_eq!(factor["label"], "Pixel");
    assert_eq!(factor["type"], "totp");
    assert_eq!(factor["last_used_at"], json!(null));
    assert_eq!(confirmed.json["recovery_codes_generation"], 1);
    let codes = confirmed.recovery_codes();
    assert_eq!(codes.len(), 10);
    for (at, code) in codes.iter().enumerate() {
        assert!(Code::parse(code).is_ok(), "{at}");
        assert!(!codes[..at].contains(code), "{at}");
    }
    assert_eq!(browser.left().await, (1, 10));

    // The token is good for one factor, and as it was given.
    let otp = app.next_otp(secret);
    for bad in [token, &format!("{token}A"), "en_", "x"] {
        let refused = browser.verify(bad, &otp, "Pixel").await;
        refused.expect_canopy(401, "mfa.enrollment_invalid");
    }

    let second = browser.enroll("Tablet").await;
    assert_eq!(second.codes, [""; 0]);
    assert_eq!(browser.left().await, (1, 10));
    let listed = browser.factors().await.expect(200);
    let labels: Vec<_> = listed.json["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|factor| factor["label"].clone())
        .collect();
    assert_eq!(labels, ["Pixel", "Tablet"]);
}

#[tokio::test]
async fn an_enrollment_ends_with_its_time_its_session_and_its_fifth_wrong_code() {
    let app = App::start().await;
    let (person, browser) = app.canopy_person("dora").await;
    let begin = async || {
        let begun = browser.start().await.expect(200);
        let secret = begun.text_of("manual_entry_key").to_owned();
        (begun.text_of("enrollment_token").to_owned(), secret)
    };
    let (token, secret) = begin().await;
    app.clock.advance(Millis::minutes(5));
    let otp = app.otp(&secret);
    let late = browser.verify(&token, &otp, "Pixel").await;
    late.expect_canopy(401, "mfa.enrollment_invalid");

    let (token, secret) = begin().await;
    let mut elsewhere = app.canopy().await;
    elsewhere.sign_in(&person).await;
    let otp = app.next_otp(&secret);
    let stolen = elsewhere.verify(&token, &otp, "Pixel").await;
    stolen.expect_canopy(401, "mfa.enrollment_invalid");

    let wrong = if otp == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let refused = browser.verify(&token, wrong, "Pixel").await;
        refused.expect_canopy(401, "mfa.code_invalid");
    }
    // What cannot be a password is not counted.
    let refused = browser.verify(&token, "12345x", "Pixel").await;
    refused.expect_canopy(401, "mfa.code_invalid");
    let sixth = browser.verify(&token, &otp, "Pixel").await;
    sixth.expect_canopy(401, "mfa.enrollment_invalid");
    assert_eq!(browser.factors().await.json["items"], json!([]));
}

#[tokio::test]
async fn a_sign_in_with_a_factor_is_a_challenge_that_one_password_completes_once() {
    let app = App::start().await;
    let (person, mut browser) = app.canopy_person("dora").await;
    let phone = browser.enroll("Pixel").await;
    browser.drop_cookie("refresh_token");
    let answer = browser
        .login(&person.login, spare_key_tests::auth0::PASSWORD)
        .await;
    let answer = answer.expect(200);
    assert_eq!(answer.json["requires_mfa_challenge"], true);
    assert_eq!(answer.json["expires_in"], 0);
    assert!(answer.json.get("access_token").is_none());
    assert_eq!(browser.cookie("refresh_token"), None);
    let challenge = &answer.json["mfa_challenge"];
    assert_eq!(
        challenge["available_factors"],
        json!(["totp", "recovery_code"])
    );
    let challenge = challenge["challenge_token"].as_str().unwrap();

    let otp = app.next_otp(&phone.secret);
    let signed_in = browser.answer(challenge, &otp).await.expect(200);
    browser.access = signed_in.text_of("access_token").to_owned();
    assert_eq!(browser.claims()["amr"], json!(["pwd", "mfa", "otp"]));
    let again = browser.answer(challenge, &otp).await;
    again.expect_canopy(401, "mfa.challenge_invalid");
    // The same step of time, on a new challenge.
    let next = browser.challenged(&person).await;
    let same = browser.answer(&next, &otp).await;
    same.expect_canopy(401, "mfa.code_invalid");
}

/// Rows L15, A-40.
#[tokio::test]
async fn a_code_signs_in_once_however_it_is_typed_and_a_wrong_one_is_told_nothing() {
    let app = App::start().await;
    let (person, mut browser) = app.canopy_person("dora").await;
    let phone = browser.enroll("Pixel").await;
    let typed = phone.codes[3].to_lowercase().replace('-', " ");
    let challenge = browser.challenged(&person).await;
    let signed_in = browser
        .recover(&challenge, &format!(" {typed} "))
        .await
        .expect(200);
    assert_eq!(signed_in.json["recovery_codes_remaining"], 9);
    assert_eq!(signed_in.json["recovery_codes_generation"], 1);
    assert_eq!(signed_in.json["recovery_code_number"], 4);
    browser.access = signed_in.text_of("access_token").to_owned();
    assert_eq!(
        browser.claims()["amr"],
        json!(["pwd", "mfa", "recovery_code"])
    );
    assert_eq!(browser.left().await, (1, 9));

    // Used, never issued, malformed: one answer but for the count, which the last leaves.
    let mut told = Vec::new();
    for code in [phone.codes[3].as_str(), STRANGER, "ABCD-EFGH-IJKL-MNOP"] {
        let challenge = browser.challenged(&person).await;
        let refused = browser.recover(&challenge, code).await;
        let refused = refused.expect_canopy(401, "mfa.code_invalid");
        told.push(refused.canopy_tries_left());
        let mut body = refused.json.clone();
        body["error"]["details"]["tries_left"] = json!(null);
        assert_eq!(
            body["error"]["message"],
            "That code did not work. Use another one from your current list."
        );
    }
    assert_eq!(told, [9, 8, 8]);
    // Every other code still works.
    for code in phone.codes.iter().filter(|code| **code != phone.codes[3]) {
        assert!(browser.takes(&person, code).await);
    }
    let listed = browser.factors().await.expect(200);
    assert_eq!(listed.json["recovery_codes"]["remaining"], 0);
    // Whatever is left, the question is the same.
    let answer = browser
        .login(&person.login, spare_key_tests::auth0::PASSWORD)
        .await;
    assert_eq!(
        answer.expect(200).json["mfa_challenge"]["available_factors"],
        json!(["totp", "recovery_code"])
    );
    assert!(!browser.takes(&person, &phone.codes[0]).await);
}

/// Rows S8, S10, A-53.
#[tokio::test]
async fn five_wrong_answers_end_a_challenge_and_ten_the_tries() {
    let app = App::start().await;
    let (person, browser) = app.canopy_person("dora").await;
    let phone = browser.enroll("Pixel").await;
    let challenge = browser.challenged(&person).await;
    for left in (5..10).rev() {
        let refused = browser.recover(&challenge, STRANGER).await;
        let refused = refused.expect_canopy(401, "mfa.code_invalid");
        assert_eq!(refused.canopy_tries_left(), left);
    }
    let sixth = browser.recover(&challenge, &phone.codes[0]).await;
    sixth.expect_canopy(401, "mfa.challenge_invalid");
    // A new challenge does not give the tries back.
    let challenge = browser.challenged(&person).await;
    for left in (0..5).rev() {
        let refused = browser.recover(&challenge, STRANGER).await;
        let refused = refused.expect_canopy(401, "mfa.code_invalid");
        assert_eq!(refused.canopy_tries_left(), left);
    }
    let challenge = browser.challenged(&person).await;
    let throttled = browser.recover(&challenge, &phone.codes[0]).await;
    let throttled = throttled.expect_canopy(429, "mfa.throttled");
    assert_eq!(throttled.header("retry-after"), "30");
    let details = &throttled.json["error"]["details"];
    assert_eq!(
        *details,
        json!({ "retry_after_seconds": 30, "tries_left": 0 })
    );
    // The authenticator and the password are not in it.
    let otp = app.next_otp(&phone.secret);
    browser.answer(&challenge, &otp).await.expect(200);
    // A success gives the tries back.
    app.clock.advance(Millis::minutes(1));
    let challenge = browser.challenged(&person).await;
    browser
        .recover(&challenge, &phone.codes[0])
        .await
        .expect(200);
    let challenge = browser.challenged(&person).await;
    let refused = browser.recover(&challenge, STRANGER).await;
    assert_eq!(refused.canopy_tries_left(), 9);
}

#[tokio::test]
async fn removing_the_last_factor_takes_codes_and_devices_and_the_next_one_begins_anew() {
    let app = App::start().await;
    let (person, mut browser) = app.canopy_person("dora").await;
    let phone = browser.enroll("Pixel").await;
    let tablet = browser.enroll("Tablet").await;
    let challenge = browser.challenged(&person).await;
    let otp = app.next_otp(&phone.secret);
    browser
        .answer_and_remember(&challenge, &otp)
        .await
        .expect(200);
    assert_eq!(browser.devices().await.len(), 1);

    let step_up = browser.stepped_up(&phone.secret).await;
    let unknown = browser
        .remove("7c3f7d3b-94c3-8c9e-8bd6-0d1f2f3c4b5a", &step_up)
        .await;
    unknown.expect_canopy(404, "mfa.factor_not_found");
    // The refusal has not spent the token.
    browser.remove(&phone.id, &step_up).await.expect(204);
    assert_eq!(browser.left().await, (1, 10));
    assert_eq!(browser.devices().await.len(), 1);
    let step_up = browser.stepped_up(&tablet.secret).await;
    browser.remove(&tablet.id, &step_up).await.expect(204);
    assert_eq!(browser.left().await, (0, 0));
    assert_eq!(browser.devices().await.len(), 0);

    let answer = browser.sign_in(&person).await;
    assert_eq!(answer.json["mfa_enrollment_pending"], true);
    let next = browser.enroll("Pixel 2").await;
    assert_eq!(browser.left().await, (2, 10));
    assert!(!browser.takes(&person, &phone.codes[0]).await);
    assert!(browser.takes(&person, &next.codes[0]).await);
}

/// Rows L13, S18, A-77.
#[tokio::test]
async fn who_recovers_puts_a_new_authenticator_in_the_lost_ones_place() {
    let app = App::start().await;
    let (person, mut browser) = app.canopy_person("dora").await;
    let lost = browser.enroll("Lost").await;
    let mut elsewhere = app.canopy().await;
    elsewhere.sign_in_by_otp(&person, &lost.secret).await;
    let challenge = browser.challenged(&person).await;
    let signed_in = browser
        .recover(&challenge, &lost.codes[0])
        .await
        .expect(200);
    browser.access = signed_in.text_of("access_token").to_owned();
    // One thing without step-up, and no other.
    let refused = browser.regenerate_with(&[]).await;
    refused.expect_canopy(401, "mfa.step_up_required");
    let found = browser.enroll("Found").await;
    let listed = browser.factors().await.expect(200);
    let items = listed.json["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["label"], "Found");
    // The codes stay, and whoever holds the lost one is out.
    assert_eq!(browser.left().await, (1, 9));
    elsewhere
        .factors()
        .await
        .expect_canopy(401, "auth.invalid_token");
    let challenge = browser.challenged(&person).await;
    let otp = app.next_otp(&lost.secret);
    let refused = browser.answer(&challenge, &otp).await;
    refused.expect_canopy(401, "mfa.code_invalid");
    browser.sign_in_by_otp(&person, &found.secret).await;
}

#[tokio::test]
async fn after_the_time_of_grace_nothing_but_enrolling_can_be_done() {
    let app = App::start().await;
    let (person, mut browser) = app.canopy_person("dora").await;
    app.clock.advance(Millis::days(7));
    let answer = browser.sign_in(&person).await;
    assert!(answer.json.get("mfa_enrollment_pending").is_none());
    assert_eq!(answer.json["grace_expires_at"], app.time(Millis(0)));
    assert_eq!(browser.claims()["acr"], "enrollment");
    browser.get(&format!("{AUTH}/me")).await.expect(200);
    browser.factors().await.expect(200);
    for (method, path) in [
        ("GET", "/sessions"),
        ("GET", "/mfa/trusted-devices"),
        ("DELETE", "/mfa/trusted-devices"),
        ("POST", "/mfa/recovery-codes/regenerate"),
        ("POST", "/mfa/step-up"),
    ] {
        let method = method.parse().unwrap();
        let refused = browser.ask(method, &format!("{AUTH}{path}"), None).await;
        refused.expect_canopy(403, "mfa.enrollment_required");
    }
    // Once enrolled, the session is whole.
    let phone = browser.enroll("Pixel").await;
    assert!(browser.devices().await.is_empty());
    let step_up = browser.stepped_up(&phone.secret).await;
    browser.regenerate(&step_up).await.expect(200);
}

#[tokio::test]
async fn objects_are_wrapped_where_a_setting_says_so_and_lists_and_errors_are_not() {
    let mut options = Options::default();
    options.canopy.envelope = Envelope::Data;
    let app = App::start_with(options).await;
    let person = app.add_person("dora").await;
    let ask = async |access: &str, method: &str, path: &str, body: serde_json::Value| {
        let mut request = axum::http::Request::builder()
            .method(method)
            .uri(format!("{AUTH}{path}"))
            .header("content-type", "application/json");
        if !access.is_empty() {
            request = request.header("authorization", format!("Bearer {access}"));
        }
        let body = match body {
            serde_json::Value::Null => axum::body::Body::empty(),
            body => axum::body::Body::from(body.to_string()),
        };
        app.send(request.body(body).unwrap()).await
    };
    let body = json!({ "account_slug": "dev", "email": person.login, "password": spare_key_tests::auth0::PASSWORD });
    let answer = ask("", "POST", "/login", body).await.expect(200);
    let access = answer.json["data"]["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let begun = ask(&access, "POST", "/mfa/totp/enroll/start", json!(null))
        .await
        .expect(200);
    let data = &begun.json["data"];
    let otp = app.next_otp(data["manual_entry_key"].as_str().unwrap());
    let body = json!({ "enrollment_token": data["enrollment_token"], "code": otp, "label": "x" });
    let done = ask(&access, "POST", "/mfa/totp/enroll/verify", body)
        .await
        .expect(200);
    assert_eq!(done.json["data"]["recovery_codes_generation"], 1);
    let listed = ask(&access, "GET", "/mfa/factors", json!(null))
        .await
        .expect(200);
    assert_eq!(listed.json["items"].as_array().map(Vec::len), Some(1));
    let refused = ask(
        &access,
        "POST",
        "/mfa/recovery-codes/regenerate",
        json!(null),
    )
    .await;
    refused.expect_canopy(401, "mfa.step_up_required");
}
