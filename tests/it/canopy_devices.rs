//! Trusted devices and sessions in the Canopy dialect.

use axum::http::Method;
use serde_json::json;
use spare_key_server::model::Millis;
use spare_key_tests::App;
use spare_key_tests::auth0::{PASSWORD, Person};
use spare_key_tests::canopy::{AUTH, Canopy, Enrolled};

const DEVICE: &str = "mfa_trusted_device";

/// Somebody whose browser is trusted from now on.
async fn trusted(app: &App, name: &str) -> (Person, Canopy, Enrolled) {
    let (person, mut browser) = app.canopy_person(name).await;
    let phone = browser.enroll("Pixel").await;
    let challenge = browser.challenged(&person).await;
    let otp = app.next_otp(&phone.secret);
    let answer = browser
        .answer_and_remember(&challenge, &otp)
        .await
        .expect(200);
    browser.access = answer.text_of("access_token").to_owned();
    assert!(browser.cookie(DEVICE).is_some());
    (person, browser, phone)
}

async fn is_asked(browser: &Canopy, person: &Person) -> bool {
    let answer = browser.login(&person.login, PASSWORD).await.expect(200);
    answer.json["requires_mfa_challenge"] == true
}

#[tokio::test]
async fn a_trusted_device_is_not_asked_until_it_is_revoked() {
    let app = App::start().await;
    let (person, browser, _) = trusted(&app, "dora").await;
    assert!(!is_asked(&browser, &person).await);
    let listed = browser.devices().await;
    assert_eq!(listed.len(), 1);
    let members: Vec<_> = listed[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        members,
        [
            "created_at",
            "environment_id",
            "expires_at",
            "id",
            "ip_address",
            "label",
            "last_seen_at"
        ]
    );
    assert_eq!(listed[0]["label"], "Mozilla/5.0 (a test)");
    let path = format!(
        "{AUTH}/mfa/trusted-devices/{}",
        listed[0]["id"].as_str().unwrap()
    );
    browser.ask(Method::DELETE, &path, None).await.expect(204);
    let again = browser.ask(Method::DELETE, &path, None).await;
    again.expect_canopy(404, "mfa.trusted_device_not_found");
    // The cookie still travels, and is nobody's.
    assert!(browser.cookie(DEVICE).is_some());
    assert!(is_asked(&browser, &person).await);
}

#[tokio::test]
async fn all_devices_are_revoked_at_once_and_again_without_a_word() {
    let app = App::start().await;
    let (person, browser, phone) = trusted(&app, "dora").await;
    let second = app.canopy().await;
    let challenge = second.challenged(&person).await;
    let otp = app.next_otp(&phone.secret);
    second
        .answer_and_remember(&challenge, &otp)
        .await
        .expect(200);
    assert_eq!(browser.devices().await.len(), 2);
    let path = format!("{AUTH}/mfa/trusted-devices");
    for _ in 0..2 {
        browser.ask(Method::DELETE, &path, None).await.expect(204);
    }
    assert!(is_asked(&browser, &person).await);
    assert!(is_asked(&second, &person).await);
}

#[tokio::test]
async fn a_device_is_trusted_by_its_own_account_and_until_its_day() {
    let app = App::start().await;
    let (dora, browser, _) = trusted(&app, "dora").await;
    let (bob, other, _) = trusted(&app, "bob").await;
    other.set_cookie(DEVICE, &browser.cookie(DEVICE).unwrap());
    assert!(is_asked(&other, &bob).await);
    assert!(!is_asked(&browser, &dora).await);
    app.clock.advance(Millis::days(29));
    assert!(!is_asked(&browser, &dora).await);
    app.clock.advance(Millis::days(1));
    assert!(is_asked(&browser, &dora).await);
}

/// Row L14.
#[tokio::test]
async fn a_recovery_code_trusts_no_device_and_ends_the_trust_in_all() {
    let app = App::start().await;
    let (person, browser, phone) = trusted(&app, "dora").await;
    let second = app.canopy().await;
    let challenge = second.challenged(&person).await;
    let body = json!({
        "challenge_token": challenge,
        "code": phone.codes[0],
        "remember_device": true,
    });
    let path = format!("{AUTH}/mfa/challenge/recovery-code");
    second.post(&path, body).await.expect(200);
    assert_eq!(second.cookie(DEVICE), None);
    assert_eq!(browser.devices().await.len(), 0);
    assert!(is_asked(&browser, &person).await);
}

#[tokio::test]
async fn how_long_devices_are_trusted_is_for_the_administrator_to_say() {
    let app = App::start().await;
    let (person, browser, phone) = trusted(&app, "dora").await;
    let portal = app.portal().await;
    let change = json!({ "mfa": { "mfa_trusted_device_days": 7 } });
    portal.patch_environment(change).await.expect(200);
    app.clock.advance(Millis::days(6));
    assert!(!is_asked(&browser, &person).await);
    app.clock.advance(Millis::days(1));
    assert!(is_asked(&browser, &person).await);

    let portal = app.portal().await;
    let change = json!({ "mfa": { "mfa_trusted_device_days": 0 } });
    portal.patch_environment(change).await.expect(200);
    browser.drop_cookie(DEVICE);
    let challenge = browser.challenged(&person).await;
    let otp = app.next_otp(&phone.secret);
    browser
        .answer_and_remember(&challenge, &otp)
        .await
        .expect(200);
    assert_eq!(browser.cookie(DEVICE), None);
}

/// Row A-72.
#[tokio::test]
async fn a_refresh_cookie_gives_the_next_token_and_used_again_it_ends_the_session() {
    let app = App::start().await;
    let (person, mut browser) = app.canopy_person("dora").await;
    let phone = browser.enroll("Pixel").await;
    browser.sign_in_by_otp(&person, &phone.secret).await;
    let path = format!("{AUTH}/refresh");
    let first = browser.cookie("refresh_token").unwrap();
    let before = browser.claims();
    // Clocks may be a few seconds apart.
    app.clock.advance(Millis::seconds(15 * 60 + 6));
    browser
        .factors()
        .await
        .expect_canopy(401, "auth.invalid_token");
    let answer = browser.with("").post(&path, json!({})).await.expect(200);
    assert_eq!(answer.json["expires_in"], 900);
    assert!(answer.json.get("refresh_token").is_none());
    browser.access = answer.text_of("access_token").to_owned();
    assert_eq!(browser.claims()["amr"], before["amr"]);
    assert_eq!(browser.claims()["auth_time"], before["auth_time"]);
    browser.factors().await.expect(200);
    assert_ne!(browser.cookie("refresh_token").unwrap(), first);

    app.clock.advance(Millis::minutes(2));
    browser.set_cookie("refresh_token", &first);
    let refused = browser.with("").post(&path, json!({})).await;
    refused.expect_canopy(401, "auth.invalid_token");
    browser
        .factors()
        .await
        .expect_canopy(401, "auth.invalid_token");
    browser.drop_cookie("refresh_token");
    let refused = browser.with("").post(&path, json!({})).await;
    refused.expect_canopy(401, "auth.invalid_token");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let app = App::start().await;
    let (person, mut browser) = app.canopy_person("dora").await;
    let phone = browser.enroll("Pixel").await;
    browser.sign_in_by_otp(&person, &phone.secret).await;
    let mut elsewhere = app.canopy().await;
    elsewhere.sign_in_by_otp(&person, &phone.secret).await;
    let path = format!("{AUTH}/sessions");
    let listed = browser.get(&path).await.expect(200);
    let items = listed.json["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 3);
    let current: Vec<_> = items
        .iter()
        .filter(|item| item["current"] == true)
        .collect();
    assert_eq!(current.len(), 1);
    let theirs = elsewhere.get(&path).await.expect(200);
    let theirs = theirs.json["items"].as_array().unwrap().clone();
    let theirs = theirs.iter().find(|item| item["current"] == true).unwrap();
    let one = format!("{path}/{}", theirs["id"].as_str().unwrap());
    browser.ask(Method::DELETE, &one, None).await.expect(204);
    elsewhere
        .factors()
        .await
        .expect_canopy(401, "auth.invalid_token");
    browser.factors().await.expect(200);
    let again = browser.ask(Method::DELETE, &one, None).await;
    again.expect_canopy(404, "auth.session_not_found");
    let none = browser
        .ask(Method::DELETE, &format!("{path}/x"), None)
        .await;
    none.expect_canopy(404, "auth.session_not_found");
}
