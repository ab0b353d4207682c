//! Refresh tokens: what they renew, what they never make newer or wider, and how they end.

use serde_json::json;
use spare_key_server::model::Millis;
use spare_key_tests::App;
use spare_key_tests::auth0::{Person, Program, api};

const GONE: &str = "Unknown or invalid refresh token.";

/// Signs somebody in for a refresh token.
async fn offline(program: &Program, person: &Person, scope: &str) -> spare_key_tests::Answer {
    let more = [("scope", scope)];
    program.sign_in_by_otp(person, &more).await.expect(200)
}

/// Row A-72.
#[tokio::test]
async fn what_is_renewed_is_no_newer_and_no_wider() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let first = offline(&program, &dora, "openid email offline_access").await;
    let token = first.text_of("refresh_token").to_owned();
    app.clock.advance(Millis::minutes(60 * 24 * 2));
    let again = program.refresh(&token, &[]).await.expect(200);
    assert_ne!(first.json["access_token"], again.json["access_token"]);
    assert_eq!(again.json["scope"], "openid email offline_access");
    for name in ["access_token", "id_token"] {
        let (before, after) = (first.claims(name), again.claims(name));
        for claim in ["auth_time", "acr", "amr", "sid", "sub", "iss", "aud"] {
            assert_eq!(before[claim], after[claim], "{name} {claim}");
        }
        assert!(after["iat"].as_i64() > before["iat"].as_i64());
    }
    // A program that keeps a secret keeps its token too.
    assert!(again.json.get("refresh_token").is_none());

    let narrow = program.refresh(&token, &[("scope", "openid")]).await;
    let narrow = narrow.expect(200);
    assert_eq!(narrow.json["scope"], "openid");
    assert!(narrow.claims("id_token").get("email").is_none());
    // And that was for once.
    let again = program.refresh(&token, &[]).await.expect(200);
    assert_eq!(again.json["scope"], "openid email offline_access");
    // RFC 6749, 6: not what was not granted at first.
    let more = [("scope", "openid profile email")];
    let wide = program.refresh(&token, &more).await.expect(200);
    assert_eq!(wide.json["scope"], "openid email");
    assert!(wide.claims("id_token").get("nickname").is_none());
    let userinfo = api("userinfo");
    let more = [("audience", userinfo.as_str()), ("scope", "openid profile")];
    let wide = program.refresh(&token, &more).await.expect(200);
    assert_eq!(wide.json["scope"], "openid");
}

/// Row A-40.
#[tokio::test]
async fn a_sign_in_by_a_recovery_code_says_so_for_ever() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let more = [("scope", "openid offline_access")];
    let mfa_token = program.mfa_token(&dora, &more).await;
    let first = program.recover(&mfa_token, &dora.code).await.expect(200);
    let again = program.refresh(first.text_of("refresh_token"), &[]).await;
    for answer in [first, again.expect(200)] {
        for name in ["access_token", "id_token"] {
            let claims = answer.claims(name);
            assert_eq!(claims["amr"], json!(["pwd", "recovery-code", "mfa"]));
            let acr = claims["acr"].as_str().unwrap();
            assert!(acr.ends_with("multi-factor"), "{acr}");
        }
    }
}

#[tokio::test]
async fn a_sign_in_by_a_recovery_code_renews_nothing_after_half_a_day() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let more = [("scope", "openid offline_access")];
    let by_otp = offline(&program, &dora, more[0].1).await;
    let mfa_token = program.mfa_token(&dora, &more).await;
    let by_code = program.recover(&mfa_token, &dora.code).await.expect(200);
    app.clock.advance(Millis::minutes(12 * 60));
    let gone = program.refresh(by_code.text_of("refresh_token"), &[]).await;
    gone.expect_oauth(403, "invalid_grant", GONE);
    let token = by_otp.text_of("refresh_token");
    program.refresh(token, &[]).await.expect(200);
}

#[tokio::test]
async fn where_no_secret_is_kept_each_token_is_followed_by_the_next() {
    let app = App::start().await;
    let program = app.page_program();
    let dora = app.enrolled("dora").await;
    let first = offline(&program, &dora, "openid offline_access").await;
    assert_eq!(first.json["expires_in"], 3_600);
    let first = first.text_of("refresh_token").to_owned();
    let next = program.refresh(&first, &[]).await.expect(200);
    let next = next.text_of("refresh_token").to_owned();
    assert_ne!(first, next);
    // The answer was lost: within a minute the old one gives another.
    app.clock.advance(Millis(59_999));
    let again = program.refresh(&first, &[]).await.expect(200);
    let again = again.text_of("refresh_token").to_owned();
    let live = program.refresh(&again, &[]).await.expect(200);
    let live = live.text_of("refresh_token").to_owned();
    // After that, somebody else has it: the session ends, whoever it was.
    app.clock.advance(Millis(60_000));
    for token in [&first, &next, &again, &live] {
        program
            .refresh(token, &[])
            .await
            .expect_oauth(403, "invalid_grant", GONE);
    }
}

#[tokio::test]
async fn an_access_token_ends_with_the_session_that_was_ended() {
    let app = App::start().await;
    let program = app.page_program();
    let dora = app.enrolled("dora").await;
    let first = offline(&program, &dora, "openid offline_access").await;
    let bearer = app.bearer(first.text_of("access_token"));
    bearer.get("/userinfo").await.expect(200);
    let token = first.text_of("refresh_token");
    program.refresh(token, &[]).await.expect(200);
    app.clock.advance(Millis::minutes(2));
    program.refresh(token, &[]).await.expect(403);
    bearer
        .get("/userinfo")
        .await
        .expect_oauth(401, "invalid_token", "Invalid token");
}

#[tokio::test]
async fn a_second_factor_is_asked_for_where_it_is_demanded_meanwhile() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.add_person("dora").await;
    app.set_policies(json!([])).await;
    let more = [("scope", "openid offline_access")];
    let first = program.sign_in(&dora, &more).await.expect(200);
    assert_eq!(first.claims("id_token")["amr"], json!(["pwd"]));
    assert!(first.claims("id_token").get("acr").is_none());
    let token = first.text_of("refresh_token").to_owned();
    program.refresh(&token, &[]).await.expect(200);

    app.set_policies(json!(["all-applications"])).await;
    let asked = program.refresh(&token, &[]).await;
    let asked = asked.expect_oauth(403, "mfa_required", "Multifactor authentication required");
    assert_eq!(
        asked.json["mfa_requirements"],
        json!({ "enroll": [{ "type": "otp" }] })
    );
    let mfa_token = asked.text_of("mfa_token");
    let bound = app.bearer(mfa_token).associate().await.expect(200);
    let otp = app.next_otp(bound.text_of("secret"));
    let answer = program.otp(mfa_token, &otp).await.expect(200);
    assert_eq!(answer.json["scope"], "openid offline_access");
    assert_eq!(
        answer.claims("id_token")["amr"],
        json!(["pwd", "otp", "mfa"])
    );

    // Enrolled, nobody is let in without, whatever the policy says.
    app.set_policies(json!([])).await;
    program.mfa_token(&dora, &[]).await;
    program.refresh(&token, &[]).await.expect_oauth(
        403,
        "mfa_required",
        "Multifactor authentication required",
    );
}

#[tokio::test]
async fn tokens_for_ones_own_factors_need_a_factor_of_the_last_five_minutes() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let first = offline(&program, &dora, "openid offline_access").await;
    let token = first.text_of("refresh_token").to_owned();
    for (path, scope) in [
        ("mfa/", "enroll"),
        ("me/", "create:me:authentication_methods"),
    ] {
        let audience = api(path);
        let more = [("audience", audience.as_str()), ("scope", scope)];
        app.clock.advance(Millis::seconds(150));
        let answer = program.refresh(&token, &more).await.expect(200);
        assert_eq!(answer.json["scope"], scope);
        assert_eq!(answer.json["expires_in"], 600);
    }
    app.clock.advance(Millis(1));
    for path in ["mfa/", "me/"] {
        let audience = api(path);
        let answer = program.refresh(&token, &[("audience", &audience)]).await;
        answer.expect_oauth(403, "mfa_required", "Multifactor authentication required");
    }
    // Elsewhere it is good as before.
    program.refresh(&token, &[]).await.expect(200);

    // The same where nothing but that was asked for at first, and nothing is named now.
    let audience = api("mfa/");
    let more = [
        ("audience", audience.as_str()),
        ("scope", "enroll offline_access"),
    ];
    let first = program.sign_in_by_otp(&dora, &more).await.expect(200);
    let token = first.text_of("refresh_token").to_owned();
    app.clock.advance(Millis::minutes(5));
    program.refresh(&token, &[]).await.expect(200);
    app.clock.advance(Millis(1));
    let answer = program.refresh(&token, &[]).await;
    answer.expect_oauth(403, "mfa_required", "Multifactor authentication required");
}

#[tokio::test]
async fn nobody_gets_a_persons_token_for_an_api_that_is_not_the_programs() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let shop = app
        .add_program("shop", &["https://shop.example/"], &[])
        .await;
    let first = offline(&shop, &dora, "openid offline_access").await;
    let token = first.text_of("refresh_token");
    let management = api("api/v2/");
    for audience in [management.as_str(), "https://bank.example/"] {
        let more = [("audience", audience)];
        let refused = shop.refresh(token, &more).await.expect(403);
        assert_eq!(refused.json["error"], "access_denied");
        let refused = shop.sign_in(&dora, &more).await.expect(403);
        assert_eq!(refused.json["error"], "access_denied");
    }
    let more = [
        ("audience", "https://shop.example/"),
        ("scope", "openid buy"),
    ];
    let answer = shop.refresh(token, &more).await.expect(200);
    let audiences = json!(["https://shop.example/", api("userinfo")]);
    assert_eq!(answer.claims("access_token")["aud"], audiences);
}

#[tokio::test]
async fn a_refresh_token_ends_after_thirty_days() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let first = offline(&program, &dora, "openid offline_access").await;
    let token = first.text_of("refresh_token");
    app.clock.advance(Millis::minutes(30 * 24 * 60 - 1));
    program.refresh(token, &[]).await.expect(200);
    app.clock.advance(Millis::minutes(1));
    program
        .refresh(token, &[])
        .await
        .expect_oauth(403, "invalid_grant", GONE);
}
