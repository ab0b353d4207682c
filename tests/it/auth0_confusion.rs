//! Every kind of token, offered where another is wanted, is refused in the words of that place.

use axum::body::Body;
use axum::http::{Method, Request};
use data_encoding::BASE64;
use serde_json::json;
use spare_key_server::dev;
use spare_key_server::domain::Passed;
use spare_key_server::model::Millis;
use spare_key_tests::auth0::{Bearer, PASSWORD, Person, api};
use spare_key_tests::{App, HOST};

const MFA_SCOPES: &str = "openid enroll read:authenticators remove:authenticators offline_access";
const ME_SCOPES: &str = "openid create:me:authentication_methods read:me:authentication_methods";
const SHOP: &str = "https://shop.example/";

/// One of every kind, by its name.
struct Kinds {
    app: App,
    dora: Person,
    all: Vec<(&'static str, String)>,
}

impl Kinds {
    async fn draw() -> Self {
        let app = App::start().await;
        let dora = app.enrolled("dora").await;
        let shop = app.add_program("shop", &[SHOP], &[]).await;
        let program = app.program();
        let manager = app.manager().await;
        let mut all = vec![("machine", manager.token)];
        let own = [("audience", api("mfa/")), ("scope", MFA_SCOPES.to_owned())];
        let own = own.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = program.sign_in_by_otp(&dora, &own).await.expect(200);
        for (kind, name) in [
            ("mfa", "access_token"),
            ("id", "id_token"),
            ("refresh", "refresh_token"),
        ] {
            all.push((kind, answer.text_of(name).to_owned()));
        }
        let me = program.access(&dora, "me/", ME_SCOPES).await;
        let made = me
            .post(
                "/me/v1/authentication-methods",
                json!({ "type": "recovery-code" }),
            )
            .await
            .expect(202);
        all.push(("auth_session", made.text_of("auth_session").to_owned()));
        all.push(("me", me.token));
        let answer = program.sign_in_by_otp(&dora, &[]).await.expect(200);
        all.push(("identity", answer.text_of("access_token").to_owned()));
        let more = [("audience", SHOP), ("scope", "buy")];
        let answer = shop.sign_in_by_otp(&dora, &more).await.expect(200);
        all.push(("shop", answer.text_of("access_token").to_owned()));
        all.push(("mfa_token", program.mfa_token(&dora, &[]).await));
        all.push(("cookie", Self::cookie(&app, &dora).await));
        all.push(("secret", dev::APP.1.to_owned()));
        all.push(("code", dora.code.clone()));
        Self { app, dora, all }
    }

    /// The session of our own pages.
    async fn cookie(app: &App, dora: &Person) -> String {
        let password = PASSWORD.to_owned().into();
        let signed_in = app.mfa().sign_in(&dora.login, &password, None).await;
        let otp = app.next_otp(&dora.secret);
        let caller = signed_in.expect("the password").caller;
        let passed = app.mfa().prove_totp(&caller, &otp).await;
        match passed.expect("the authenticator") {
            Passed::Session(session) => session.reveal().to_owned(),
            Passed::SaveCodes => panic!("codes are there"),
        }
    }

    fn of(&self, kind: &str) -> &str {
        let found = self.all.iter().find(|(name, _)| *name == kind);
        &found.expect("a kind").1
    }

    fn bearer(&self, kind: &str) -> Bearer {
        self.app.bearer(self.of(kind))
    }

    /// All but these.
    fn but(&self, kinds: &[&str]) -> Vec<(&'static str, String)> {
        let mut rest = self.all.clone();
        rest.retain(|(name, _)| !kinds.contains(name));
        assert_eq!(rest.len() + kinds.len(), self.all.len());
        rest
    }
}

/// Rows S19, A-39, A-85.
#[tokio::test]
async fn only_an_mfa_token_of_this_client_passes_for_one() {
    let kinds = Kinds::draw().await;
    let program = kinds.app.program();
    for (kind, token) in kinds.but(&["mfa_token"]) {
        for answer in [
            program.recover(&token, &kinds.dora.code).await,
            program.otp(&token, "000000").await,
            program.challenge(&token, "otp").await,
        ] {
            assert!(answer.headers.get("www-authenticate").is_none());
            assert_eq!(answer.status, 403, "{kind}");
            answer.expect_oauth(403, "invalid_grant", "Malformed mfa_token");
        }
    }
    let token = kinds.of("mfa_token").to_owned();
    let stranger = kinds.app.program_named("shop", Some("shop"));
    for answer in [
        stranger.recover(&token, &kinds.dora.code).await,
        kinds
            .app
            .page_program()
            .recover(&token, &kinds.dora.code)
            .await,
        stranger.otp(&token, "000000").await,
        stranger.challenge(&token, "otp").await,
    ] {
        answer.expect_oauth(
            400,
            "invalid_request",
            "mfa_token not issued to this client",
        );
    }
    // Nothing was spent on all that.
    program.recover(&token, &kinds.dora.code).await.expect(200);
    for answer in [
        program.recover(&token, &kinds.dora.code).await,
        program.otp(&token, "000000").await,
        program.challenge(&token, "otp").await,
    ] {
        answer.expect_oauth(403, "invalid_grant", "Malformed mfa_token");
    }
}

#[tokio::test]
async fn an_mfa_token_is_good_for_ten_minutes_wherever_it_is_taken() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let token = program.mfa_token(&dora, &[]).await;
    app.clock.advance(Millis(599_999));
    program.challenge(&token, "otp").await.expect(200);
    app.bearer(&token).authenticators().await;
    app.clock.advance(Millis(1));
    for answer in [
        program.recover(&token, &dora.code).await,
        program.otp(&token, "000000").await,
        program.challenge(&token, "otp").await,
        app.bearer(&token).associate().await,
        app.bearer(&token).get("/mfa/authenticators").await,
    ] {
        answer.expect_oauth(403, "expired_token", "mfa_token is expired");
    }
    program.sign_in_by_code(&dora, &dora.code).await.expect(200);
}

#[tokio::test]
async fn only_a_refresh_token_of_this_client_passes_for_one() {
    let kinds = Kinds::draw().await;
    let program = kinds.app.program();
    for (_, token) in kinds.but(&["refresh"]) {
        let answer = program.refresh(&token, &[]).await;
        answer.expect_oauth(403, "invalid_grant", "Unknown or invalid refresh token.");
    }
    let token = kinds.of("refresh");
    for stranger in [
        kinds.app.program_named("shop", Some("shop")),
        kinds.app.page_program(),
    ] {
        let answer = stranger.refresh(token, &[]).await;
        answer.expect_oauth(403, "invalid_grant", "Unknown or invalid refresh token.");
    }
    program.refresh(token, &[]).await.expect(200);
}

/// Row A-85.
#[tokio::test]
async fn only_a_machines_token_manages() {
    let kinds = Kinds::draw().await;
    let path = kinds.dora.at("/recovery-code-regeneration");
    for (kind, token) in kinds.but(&["machine"]) {
        for (method, path) in [
            (Method::POST, path.as_str()),
            (Method::GET, "/api/v2/users"),
        ] {
            let answer = kinds.app.bearer(&token).ask(method, path, None).await;
            let message = match kind {
                "mfa" | "me" | "identity" | "shop" => "Bad audience",
                _ => "Invalid token",
            };
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer error=\"invalid_token\""
            );
            answer.expect_management(401, None, message);
        }
    }
    kinds
        .bearer("machine")
        .get("/api/v2/users")
        .await
        .expect(200);
    // The code was regenerated by nobody.
    let program = kinds.app.program();
    let code = &kinds.dora.code;
    program.sign_in_by_code(&kinds.dora, code).await.expect(200);
}

#[tokio::test]
async fn only_the_persons_own_token_reaches_the_account() {
    let kinds = Kinds::draw().await;
    const PATH: &str = "/me/v1/authentication-methods";
    for (_, token) in kinds.but(&["me"]) {
        let bearer = kinds.app.bearer(&token);
        for answer in [
            bearer.get(PATH).await,
            bearer.post(PATH, json!({ "type": "recovery-code" })).await,
            bearer.get("/me/v1/factors").await,
        ] {
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer error=\"invalid_token\""
            );
            answer.expect_account(401, "A0E-401-0003");
        }
    }
    kinds.bearer("me").get(PATH).await.expect(200);
    // Its audience is not enough: the scope is asked for too.
    kinds
        .bearer("me")
        .get("/me/v1/factors")
        .await
        .expect_account(403, "A0E-403-0001");
}

#[tokio::test]
async fn only_mfa_tokens_and_tokens_for_the_mfa_api_reach_the_authenticators() {
    let kinds = Kinds::draw().await;
    for (kind, token) in kinds.but(&["mfa_token", "mfa"]) {
        let bearer = kinds.app.bearer(&token);
        let signed = token.contains('.');
        for answer in [
            bearer.get("/mfa/authenticators").await,
            bearer.associate().await,
        ] {
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer error=\"invalid_token\""
            );
            let error = if signed {
                "invalid_token"
            } else {
                "invalid_grant"
            };
            assert_eq!(answer.expect(401).json["error"], error, "{kind}");
        }
    }
    // Taking one away is for who is in.
    for (_, token) in kinds.but(&["mfa"]) {
        kinds
            .app
            .bearer(&token)
            .delete("/mfa/authenticators/totp%7Cdev_0")
            .await
            .expect_oauth(401, "invalid_token", "Invalid token");
    }
    kinds
        .bearer("mfa")
        .delete("/mfa/authenticators/totp%7Cdev_0")
        .await
        .expect_oauth(404, "not_found", "Authenticator not found");
}

#[tokio::test]
async fn no_token_passes_for_a_host_and_no_host_for_a_bearer() {
    let kinds = Kinds::draw().await;
    for (_, token) in &kinds.all {
        let answer = kinds.app.bearer(token).get("/recovery/v1/accounts").await;
        answer.expect(401);
        let host = kinds.app.host_with(Some((HOST.0, token)));
        host.accounts("").await.expect(401);
    }
    let (id, secret) = HOST;
    let basic = format!(
        "Basic {}",
        BASE64.encode(format!("{id}:{secret}").as_bytes())
    );
    for path in [
        "/api/v2/users",
        "/mfa/authenticators",
        "/me/v1/factors",
        "/userinfo",
    ] {
        let request = Request::get(path)
            .header("authorization", &basic)
            .body(Body::empty());
        let answer = kinds.app.send(request.unwrap()).await.expect(400);
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer error=\"invalid_request\""
        );
    }
    // Nor does a host get tokens.
    let host = kinds.app.program_named(id, Some(secret));
    let answer = host.machine().await.expect(403);
    assert_eq!(answer.json["error"], "unauthorized_client");
}

/// Row A-86.
#[tokio::test]
async fn a_token_runs_out() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let manager = app.manager().await;
    let me = app.program().access(&dora, "me/", ME_SCOPES).await;
    const PATH: &str = "/me/v1/authentication-methods";
    app.clock.advance(Millis::seconds(600));
    me.get(PATH).await.expect(200);
    app.clock.advance(Millis::seconds(10));
    let answer = me.get(PATH).await.expect_account(401, "A0E-401-0004");
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer error=\"invalid_token\""
    );
    app.clock.advance(Millis::minutes(24 * 60));
    let said = "Expired token received for JSON Web Token validation";
    manager
        .get("/api/v2/users")
        .await
        .expect_management(401, None, said);
}

/// Row A-45.
#[tokio::test]
async fn what_a_token_rests_on_is_looked_at_every_time() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let erik = app.enrolled("erik").await;
    const PATH: &str = "/me/v1/authentication-methods";
    let account = |id: &str| format!("/api/v2/users/{}", id.replace('|', "%7C"));
    let manager = app.manager().await;

    // The account is gone, and made again under the same name.
    let me = program.access(&dora, "me/", ME_SCOPES).await;
    let on_the_way = program.mfa_token(&dora, &[]).await;
    manager.delete(&account(&dora.id)).await.expect(204);
    me.get(PATH).await.expect_account(401, "A0E-401-0003");
    let gone = program.recover(&on_the_way, &dora.code).await;
    gone.expect_oauth(403, "invalid_grant", "Malformed mfa_token");
    app.enrolled("dora").await;
    me.get(PATH).await.expect_account(401, "A0E-401-0003");

    // The factors are reset, and with them go the sessions.
    let me = program.access(&erik, "me/", ME_SCOPES).await;
    let path = format!("{}/authenticators", account(&erik.id));
    manager.delete(&path).await.expect(204);
    me.get(PATH).await.expect_account(401, "A0E-401-0003");

    // The client is gone.
    app.mfa()
        .remove_client(dev::MANAGEMENT.0)
        .await
        .expect("gone");
    manager
        .get("/api/v2/users")
        .await
        .expect_management(401, None, "Invalid token");
}

#[tokio::test]
async fn with_a_program_ends_what_it_holds_of_people() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let shop = app.add_program("shop", &[], &[]).await;
    let me = shop.access(&dora, "me/", ME_SCOPES).await;
    let more = [("scope", "openid offline_access")];
    let kept = shop.sign_in_by_otp(&dora, &more).await.expect(200);
    let mfa_token = shop.mfa_token(&dora, &[]).await;
    app.mfa().remove_client("shop").await.expect("gone");
    let refresh = kept.text_of("refresh_token");
    for answer in [
        shop.refresh(refresh, &[]).await,
        shop.recover(&mfa_token, &dora.code).await,
        shop.challenge(&mfa_token, "otp").await,
    ] {
        answer.expect_oauth(401, "access_denied", "Unauthorized");
    }
    me.get("/me/v1/authentication-methods")
        .await
        .expect_account(401, "A0E-401-0003");
    app.bearer(&mfa_token)
        .get("/mfa/authenticators")
        .await
        .expect(401);
    // Another of the same name has nothing to do with it.
    let shop = app.add_program("shop", &[], &[]).await;
    shop.refresh(refresh, &[]).await.expect(403);
    shop.recover(&mfa_token, &dora.code).await.expect(403);
    me.get("/me/v1/authentication-methods").await.expect(401);
}
