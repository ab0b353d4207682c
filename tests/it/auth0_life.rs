//! The life of a person's authenticator and recovery code, as a program leads them through it.

use serde_json::json;
use spare_key_server::dev::TOTP_SECRET;
use spare_key_server::domain::Caller;
use spare_key_server::model::Millis;
use spare_key_tests::App;
use spare_key_tests::auth0::api;

/// The one refusal of a recovery code.
const REJECTED: &str = "MFA Authorization rejected.";

fn lines(lines: &[(&str, bool)]) -> Vec<(String, bool)> {
    lines
        .iter()
        .map(|&(kind, active)| (kind.to_owned(), active))
        .collect()
}

/// Rows L18, A-87.
#[tokio::test]
async fn from_the_first_sign_in_to_the_last_code() {
    let app = App::start().await;
    let program = app.program();
    let manager = app.manager().await;
    let mut dora = app.add_person("dora").await;

    let answer = program.sign_in(&dora, &[("scope", "openid")]).await;
    let answer = answer.expect_oauth(403, "mfa_required", "Multifactor authentication required");
    assert_eq!(
        answer.json["mfa_requirements"],
        json!({ "enroll": [{ "type": "otp" }] })
    );
    let mfa_token = answer.text_of("mfa_token").to_owned();
    let on_the_way = app.bearer(&mfa_token);
    assert_eq!(on_the_way.authenticators().await, lines(&[]));
    program.challenge(&mfa_token, "otp").await.expect_oauth(
        403,
        "association_required",
        "User does not have any active authenticators. Associate one first.",
    );

    let associated = on_the_way.associate().await.expect(200);
    assert_eq!(associated.json["authenticator_type"], "otp");
    assert_eq!(
        associated.json["recovery_codes"].as_array().unwrap().len(),
        1
    );
    let secret = associated.text_of("secret");
    assert_eq!(secret.len(), 32);
    let uri = associated.text_of("barcode_uri");
    assert!(uri.starts_with("otpauth://totp/Spare%20Key:dora%40example.com?secret="));
    assert!(uri.contains(secret) && uri.ends_with("&algorithm=SHA1&digits=6&period=30"));
    dora.secret = secret.to_owned();
    dora.code = associated.json["recovery_codes"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(dora.code.len(), 24);
    let waiting = lines(&[("otp", false), ("recovery-code", false)]);
    assert_eq!(on_the_way.authenticators().await, waiting);

    let otp = app.next_otp(&dora.secret);
    let answer = program.otp(&mfa_token, &otp).await.expect(200);
    assert_eq!(answer.json["token_type"], "Bearer");
    assert_eq!(answer.json["scope"], "openid");
    assert_eq!(answer.json["expires_in"], 86_400);
    assert!(answer.json.get("recovery_code").is_none());
    assert!(answer.json.get("refresh_token").is_none());
    assert_eq!(answer.claims("id_token")["sub"], "auth0|dora");

    // The next sign-in, from a telephone that is there.
    let answer = program.sign_in(&dora, &[]).await.expect(403);
    let asked = json!({ "challenge": [{ "type": "otp" }] });
    assert_eq!(answer.json["mfa_requirements"], asked);
    let mfa_token = answer.text_of("mfa_token");
    let active = lines(&[("otp", true), ("recovery-code", true)]);
    assert_eq!(app.bearer(mfa_token).authenticators().await, active);
    let challenge = program.challenge(mfa_token, "otp oob").await.expect(200);
    assert_eq!(challenge.json, json!({ "challenge_type": "otp" }));
    let otp = app.next_otp(&dora.secret);
    program.otp(mfa_token, &otp).await.expect(200);

    // And from one that is lost: the successor is in the same answer.
    let answer = program.sign_in_by_code(&dora, &dora.code).await.expect(200);
    let second = answer.text_of("recovery_code").to_owned();
    assert_ne!(second, dora.code);
    assert_eq!(second.len(), 24);
    program
        .sign_in_by_code(&dora, &dora.code)
        .await
        .expect_oauth(403, "invalid_grant", REJECTED);

    let answer = manager.regenerate(&dora).await.expect(200);
    let third = answer.text_of("recovery_code").to_owned();
    let kind = answer.header("content-type");
    assert!(kind.starts_with("application/json"), "{kind}");
    program
        .sign_in_by_code(&dora, &second)
        .await
        .expect_oauth(403, "invalid_grant", REJECTED);

    // Switched off: none issued, none accepted.
    app.switch_codes(false).await;
    program
        .sign_in_by_code(&dora, &third)
        .await
        .expect_oauth(403, "invalid_grant", REJECTED);
    manager.regenerate(&dora).await.expect(403);
    let fresh = app.enrolled("fresh").await;
    assert_eq!(fresh.code, "");

    // Switched on again, what was live is live.
    app.switch_codes(true).await;
    let answer = program.sign_in_by_code(&dora, &third).await.expect(200);
    let fourth = answer.text_of("recovery_code").to_owned();
    program.sign_in_by_code(&dora, &fourth).await.expect(200);
    let made = manager.regenerate(&fresh).await.expect(200);
    let made = made.text_of("recovery_code");
    program.sign_in_by_code(&fresh, made).await.expect(200);
}

#[tokio::test]
async fn an_association_begun_again_replaces_secret_and_code() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.add_person("dora").await;
    let mfa_token = program.mfa_token(&dora, &[]).await;
    let first = app.bearer(&mfa_token).associate().await.expect(200);
    let again = app.bearer(&mfa_token).associate().await.expect(200);
    assert_ne!(first.json["secret"], again.json["secret"]);
    let codes = [&first, &again].map(|answer| answer.json["recovery_codes"][0].as_str().unwrap());
    assert_ne!(codes[0], codes[1]);
    let waiting = lines(&[("otp", false), ("recovery-code", false)]);
    assert_eq!(app.bearer(&mfa_token).authenticators().await, waiting);

    // What is pending is no code yet.
    for code in codes {
        program
            .recover(&mfa_token, code)
            .await
            .expect_oauth(403, "invalid_grant", REJECTED);
    }
    let old = app.next_otp(first.text_of("secret"));
    program
        .otp(&mfa_token, &old)
        .await
        .expect_oauth(403, "invalid_grant", "Invalid otp_code.");
    let right = app.otp(again.text_of("secret"));
    program.otp(&mfa_token, &right).await.expect(200);

    program
        .sign_in_by_code(&dora, codes[0])
        .await
        .expect_oauth(403, "invalid_grant", REJECTED);
    program.sign_in_by_code(&dora, codes[1]).await.expect(200);
}

#[tokio::test]
async fn an_association_that_nobody_confirmed_is_gone_with_its_mfa_token() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.add_person("dora").await;
    let mfa_token = program.mfa_token(&dora, &[]).await;
    let first = app.bearer(&mfa_token).associate().await.expect(200);
    app.clock.advance(Millis::minutes(10));
    let otp = app.otp(first.text_of("secret"));
    program
        .otp(&mfa_token, &otp)
        .await
        .expect_oauth(403, "expired_token", "mfa_token is expired");

    // Another sign-in begins anew, with a code of its own.
    let mfa_token = program.mfa_token(&dora, &[]).await;
    assert_eq!(app.bearer(&mfa_token).authenticators().await, lines(&[]));
    program.otp(&mfa_token, &otp).await.expect(403);
    let again = app.bearer(&mfa_token).associate().await.expect(200);
    assert_ne!(first.json["recovery_codes"], again.json["recovery_codes"]);
    let otp = app.next_otp(again.text_of("secret"));
    program.otp(&mfa_token, &otp).await.expect(200);
}

#[tokio::test]
async fn what_one_sign_in_began_another_does_not_confirm() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.add_person("dora").await;
    // Somebody else knows the password too.
    let own = program.mfa_token(&dora, &[]).await;
    let strange = program.mfa_token(&dora, &[]).await;
    let associated = app.bearer(&strange).associate().await.expect(200);
    let otp = app.next_otp(associated.text_of("secret"));
    program.otp(&own, &otp).await.expect(403);
    assert_eq!(
        app.mfa().status(&dora.account()).await.unwrap().remaining,
        0
    );
    program.otp(&strange, &otp).await.expect(200);
}

#[tokio::test]
async fn what_was_begun_before_an_authenticator_was_bound_otherwise_is_not_confirmed_after_it() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.add_person("dora").await;
    // Begun by somebody who knows the password alone.
    let strange = program.mfa_token(&dora, &[]).await;
    let begun = app.bearer(&strange).associate().await.expect(200);
    let administrator = Caller::administrator(dora.account());
    let bound = app.mfa().bind_known_secret(&administrator, TOTP_SECRET);
    bound.await.expect("an authenticator");
    let otp = app.next_otp(begun.text_of("secret"));
    program
        .otp(&strange, &otp)
        .await
        .expect_oauth(403, "invalid_grant", "Invalid otp_code.");
    let code = begun.json["recovery_codes"][0].as_str().unwrap();
    program
        .recover(&strange, code)
        .await
        .expect_oauth(403, "invalid_grant", REJECTED);
    let right = app.otp(TOTP_SECRET);
    program.otp(&strange, &right).await.expect(200);
}

/// Row A-08.
#[tokio::test]
async fn who_is_enrolled_adds_no_authenticator_on_the_way_in() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let mfa_token = app.program().mfa_token(&dora, &[]).await;
    app.bearer(&mfa_token).associate().await.expect_oauth(
        403,
        "access_denied",
        "User is already enrolled.",
    );
}

#[tokio::test]
async fn a_second_authenticator_is_added_from_within_and_confirmed_at_the_next_sign_in() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let within = program
        .access(&dora, "mfa/", "enroll read:authenticators")
        .await;
    let added = within.associate().await.expect(200);
    assert!(added.json.get("recovery_codes").is_none());
    let waiting = [("otp", false), ("otp", true), ("recovery-code", true)];
    assert_eq!(within.authenticators().await, lines(&waiting));

    let mfa_token = program.mfa_token(&dora, &[]).await;
    let otp = app.next_otp(added.text_of("secret"));
    program.otp(&mfa_token, &otp).await.expect(200);
    let both = [("otp", true), ("otp", true), ("recovery-code", true)];
    assert_eq!(within.authenticators().await, lines(&both));
    // Both open, and so does the code that was there before.
    program.sign_in_by_otp(&dora, &[]).await.expect(200);
    program.sign_in_by_code(&dora, &dora.code).await.expect(200);
}

/// Row L13.
#[tokio::test]
async fn a_recovery_code_leads_to_a_new_authenticator_in_the_place_of_the_lost_one() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let audience = api("mfa/");
    let more = [
        ("audience", audience.as_str()),
        (
            "scope",
            "enroll read:authenticators remove:authenticators offline_access",
        ),
    ];
    // Whoever holds the lost telephone may be in by it.
    let thief = program
        .sign_in_by_otp(&dora, &[("scope", "openid offline_access")])
        .await
        .expect(200);
    let mfa_token = program.mfa_token(&dora, &more).await;
    let answer = program.recover(&mfa_token, &dora.code).await.expect(200);
    assert_eq!(answer.json["expires_in"], 600);
    let code = answer.text_of("recovery_code").to_owned();
    let within = app.bearer(answer.text_of("access_token"));
    let bound = within.associate().await.expect(200);

    // Until it is confirmed, the lost one still opens.
    let still = [("otp", false), ("otp", true), ("recovery-code", true)];
    assert_eq!(within.authenticators().await, lines(&still));
    let mfa_token = program.mfa_token(&dora, &more).await;
    let otp = app.next_otp(bound.text_of("secret"));
    let answer = program.otp(&mfa_token, &otp).await.expect(200);
    let within = app.bearer(answer.text_of("access_token"));
    let one = [("otp", true), ("recovery-code", true)];
    assert_eq!(within.authenticators().await, lines(&one));
    program.sign_in_by_otp(&dora, &[]).await.expect_oauth(
        403,
        "invalid_grant",
        "Invalid otp_code.",
    );
    program
        .refresh(thief.text_of("refresh_token"), &[])
        .await
        .expect_oauth(403, "invalid_grant", "Unknown or invalid refresh token.");
    program.sign_in_by_code(&dora, &code).await.expect(200);
}

#[tokio::test]
async fn nothing_is_associated_but_what_is_offered() {
    let app = App::start().await;
    let dora = app.add_person("dora").await;
    let mfa_token = app.program().mfa_token(&dora, &[]).await;
    let bearer = app.bearer(&mfa_token);
    for body in [
        json!({ "authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": "+1" }),
        json!({ "authenticator_types": [] }),
        json!({ "authenticator_types": ["recovery-code"] }),
    ] {
        bearer.post("/mfa/associate", body).await.expect_oauth(
            400,
            "invalid_request",
            "The authenticator types offered here are: otp.",
        );
    }
    bearer.post("/mfa/associate", json!({})).await.expect_oauth(
        400,
        "invalid_request",
        "Missing required parameter: authenticator_types",
    );
    assert_eq!(bearer.authenticators().await, lines(&[]));
}

#[tokio::test]
async fn the_last_authenticator_takes_the_codes_with_it() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let scopes = "read:authenticators remove:authenticators";
    let within = program.access(&dora, "mfa/", scopes).await;
    let listed = within.get("/mfa/authenticators").await.json;
    let id = |kind: &str| {
        let lines = listed.as_array().unwrap();
        let line = lines.iter().find(|line| line["type"] == kind).unwrap();
        line["id"].as_str().unwrap().replace('|', "%7C")
    };
    let at = |id: &str| format!("/mfa/authenticators/{id}");
    // The code is not taken away by itself.
    within.delete(&at(&id("recovery-code"))).await.expect_oauth(
        404,
        "not_found",
        "Authenticator not found",
    );
    let gone = within.delete(&at(&id("otp"))).await.expect(204);
    assert!(gone.body.is_empty());
    within.delete(&at(&id("otp"))).await.expect(404);
    assert_eq!(within.authenticators().await, lines(&[]));
    let mfa_token = program.mfa_token(&dora, &[]).await;
    program
        .recover(&mfa_token, &dora.code)
        .await
        .expect_oauth(403, "invalid_grant", REJECTED);
    // And so the next sign-in enrolls, with a new code.
    let again = app.bearer(&mfa_token).associate().await.expect(200);
    assert!(again.json["recovery_codes"][0].is_string());
}

/// Row A-70.
#[tokio::test]
async fn an_authenticator_is_taken_away_only_by_who_has_just_proven_it() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let within = app
        .program()
        .access(
            &dora,
            "mfa/",
            "enroll read:authenticators remove:authenticators",
        )
        .await;
    app.clock.advance(Millis::seconds(301));
    let listed = within.get("/mfa/authenticators").await.expect(200).json;
    let id = listed[1]["id"].as_str().unwrap().replace('|', "%7C");
    for answer in [
        within.delete(&format!("/mfa/authenticators/{id}")).await,
        within.associate().await,
    ] {
        let said = answer.header("www-authenticate").to_owned();
        assert_eq!(
            said,
            "Bearer error=\"insufficient_user_authentication\", max_age=300"
        );
        assert_eq!(
            answer.expect(401).json["error"],
            "insufficient_user_authentication"
        );
    }
}
