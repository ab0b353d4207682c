//! What programs find out by themselves, what stands in the tokens, and the header fields around
//! them.

use axum::body::Body;
use axum::http::{Method, Request};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use spare_key_server::domain::Overlap;
use spare_key_server::model::Millis;
use spare_key_tests::auth0::{ISSUER, PASSWORD, api, form, part};
use spare_key_tests::{Answer, App};

async fn get(app: &App, path: &str) -> Answer {
    let request = Request::get(path).body(Body::empty());
    app.send(request.expect("a request")).await
}

async fn published(app: &App) -> Value {
    get(app, "/.well-known/jwks.json").await.expect(200).json
}

/// The claims, if one of these keys has signed the token.
fn verified(keys: &Value, token: &str) -> Option<Value> {
    let keys: JwkSet = serde_json::from_value(keys.clone()).expect("keys");
    let named = part(token, 0)["kid"].as_str()?.to_owned();
    let key = DecodingKey::from_jwk(keys.find(&named)?).expect("a public key");
    let mut rules = Validation::new(Algorithm::RS256);
    rules.validate_exp = false;
    rules.validate_aud = false;
    let read = jsonwebtoken::decode::<Value>(token, &key, &rules);
    read.ok().map(|token| token.claims)
}

#[tokio::test]
async fn discovery_names_what_is_there() {
    let app = App::start().await;
    let answer = get(&app, "/.well-known/openid-configuration")
        .await
        .expect(200);
    assert!(
        answer
            .header("content-type")
            .starts_with("application/json")
    );
    let said = &answer.json;
    assert_eq!(said["issuer"], ISSUER);
    assert_eq!(
        said["id_token_signing_alg_values_supported"],
        json!(["RS256"])
    );
    assert!(said.get("authorization_endpoint").is_none());
    for name in [
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "mfa_challenge_endpoint",
    ] {
        let path = said[name].as_str().unwrap().strip_prefix(ISSUER).unwrap();
        let there = get(&app, &format!("/{path}")).await;
        assert_ne!(there.status, 404, "{name}");
    }
    let program = app.program();
    for grant in said["grant_types_supported"].as_array().unwrap() {
        let answer = program
            .token(&[("grant_type", grant.as_str().unwrap())])
            .await;
        assert_ne!(answer.json["error"], "unsupported_grant_type", "{grant}");
    }
    program
        .token(&[("grant_type", "authorization_code")])
        .await
        .expect_oauth(403, "unsupported_grant_type", "Unsupported grant type");
}

/// Row A-82.
#[tokio::test]
async fn the_published_keys_are_public_and_verify_what_is_signed() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let keys = published(&app).await;
    for key in keys["keys"].as_array().unwrap() {
        let mut members: Vec<_> = key
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        members.sort_unstable();
        assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
        assert_eq!(
            (&key["alg"], &key["kty"], &key["use"]),
            (&json!("RS256"), &json!("RSA"), &json!("sig"))
        );
        // 2048 bits at least: 256 bytes are 342 symbols.
        assert!(key["n"].as_str().unwrap().len() >= 342);
    }
    let more = [("scope", "openid profile email")];
    let answer = app.program().sign_in_by_otp(&dora, &more).await.expect(200);
    let now = app.now().0 / 1_000;

    let token = answer.text_of("id_token");
    assert_eq!(part(token, 0)["typ"], "JWT");
    let id = verified(&keys, token).expect("a signature");
    for (claim, expected) in [
        ("iss", json!(ISSUER)),
        ("sub", json!("auth0|dora")),
        ("aud", json!("dev-app")),
        ("iat", json!(now)),
        ("exp", json!(now + 36_000)),
        ("auth_time", json!(now)),
        ("amr", json!(["pwd", "otp", "mfa"])),
        ("email", json!("dora@example.com")),
        ("email_verified", json!(false)),
        ("name", json!("dora@example.com")),
        ("nickname", json!("dora")),
    ] {
        assert_eq!(id[claim], expected, "{claim}");
    }
    let token = answer.text_of("access_token");
    assert_eq!(part(token, 0)["typ"], "at+jwt");
    let access = verified(&keys, token).expect("a signature");
    assert_eq!(access["aud"], json!(api("userinfo")));
    assert_eq!(access["scope"], "openid profile email");
    assert_eq!(access["sid"], id["sid"]);
    assert_eq!(access["exp"], json!(now + 86_400));
    let info = app.bearer(token).get("/userinfo").await.expect(200);
    assert_eq!(
        (&info.json["sub"], &info.json["email"]),
        (&id["sub"], &id["email"])
    );

    // Where no secret is kept, an hour at most; and less is told where less was asked.
    let program = app.page_program();
    let answer = program.sign_in_by_otp(&dora, &[("scope", "openid")]).await;
    let answer = answer.expect(200);
    let claims = answer.claims("access_token");
    let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(life, 3_600);
    for name in ["email", "name", "nickname"] {
        assert!(answer.claims("id_token").get(name).is_none());
    }
    let silent = program.sign_in_by_otp(&dora, &[("scope", "email")]).await;
    assert!(silent.expect(200).json.get("id_token").is_none());
}

#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_an_old_one_until_its_tokens_have_run_out() {
    let app = App::start().await;
    let old = app.manager().await;
    let first = part(&old.token, 0)["kid"].clone();
    let next = app
        .mfa()
        .rotate_signing_key(Overlap::Full)
        .await
        .expect("a key");
    app.clock.advance(Millis::minutes(1));
    let names = async || {
        let keys = published(&app).await;
        let names = keys["keys"].as_array().unwrap().iter();
        names.map(|key| key["kid"].clone()).collect::<Vec<_>>()
    };
    let both = names().await;
    assert!(both.contains(&first) && both.contains(&json!(next)) && both.len() == 2);
    // Announced, and the old one still signs.
    assert_eq!(part(&app.manager().await.token, 0)["kid"], first);
    app.clock.advance(Millis::minutes(60));
    let new = app.manager().await;
    assert_eq!(part(&new.token, 0)["kid"], json!(next));
    for bearer in [&old, &new] {
        bearer.get("/api/v2/users").await.expect(200);
        assert!(verified(&published(&app).await, &bearer.token).is_some());
    }
    app.clock.advance(Millis::minutes(24 * 60));
    assert_eq!(names().await, [json!(next)]);
    // A server that was started meanwhile says the same.
    let other = get(&app.another(), "/.well-known/jwks.json").await;
    assert_eq!(other.expect(200).json, published(&app).await);
}

/// Row A-12.
#[tokio::test]
async fn token_answers_are_in_no_cache_and_challenge_nobody() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let mfa_token = program.mfa_token(&dora, &[]).await;
    for (status, answer) in [
        (200, app.program().sign_in_by_otp(&dora, &[]).await),
        (403, program.sign_in(&dora, &[]).await),
        (403, program.recover(&mfa_token, "A").await),
        (400, program.token(&[]).await),
        (
            401,
            app.program_named("dev-app", Some("wrong")).machine().await,
        ),
        (401, app.program_named("dev-app", None).machine().await),
        (401, app.program_named("nobody", Some("x")).machine().await),
        (401, app.program_named("dev-spa", Some("x")).machine().await),
        (403, app.page_program().machine().await),
        (403, program.refresh("x", &[]).await),
    ] {
        let answer = answer.expect(status);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("pragma"), "no-cache");
        assert!(answer.headers.get("www-authenticate").is_none());
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn a_client_proves_itself_by_one_means() {
    let app = App::start().await;
    let dora = app.add_person("dora").await;
    let sign_in = [
        ("grant_type", "password"),
        ("username", dora.login.as_str()),
        ("password", PASSWORD),
    ];
    let basic = |text: &str| format!("Basic {}", data_encoding::BASE64.encode(text.as_bytes()));
    let right = basic("dev-app:dev-app-secret");
    let twice = [&sign_in[..], &[("client_secret", "dev-app-secret")]].concat();
    let named = [&sign_in[..], &[("client_id", "dev-app")]].concat();
    let other = [&sign_in[..], &[("client_id", "dev-spa")]].concat();
    let assertion = [&sign_in[..], &[("client_assertion", "e30.e30.x")]].concat();
    for (header, fields, status, error) in [
        (right.clone(), &sign_in[..], 403, "mfa_required"),
        (right.clone(), &named, 403, "mfa_required"),
        (right.clone(), &twice, 400, "invalid_request"),
        (right.clone(), &other, 400, "invalid_request"),
        (right, &assertion, 400, "invalid_request"),
        (basic("dev-app:wrong"), &sign_in, 401, "access_denied"),
        (basic("no colon"), &sign_in, 401, "access_denied"),
        ("Basic ???".to_owned(), &sign_in, 401, "access_denied"),
        ("Bearer x".to_owned(), &sign_in, 401, "access_denied"),
    ] {
        let request = Request::post("/oauth/token")
            .header("authorization", header)
            .header(
                "content-type",
                "application/x-www-form-urlencoded;charset=UTF-8",
            )
            .body(Body::from(form(fields)));
        let answer = app.send(request.unwrap()).await.expect(status);
        assert_eq!(answer.json["error"], error);
        assert!(answer.headers.get("www-authenticate").is_none());
    }
}

/// RFC 6750, 3.1: without credentials no error code; then one a case.
/// Row A-81.
#[tokio::test]
async fn whoever_bears_is_told_in_the_header_what_is_wrong() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let program = app.program();
    let mfa = program.access(&dora, "mfa/", "enroll").await;
    let me = program.access(&dora, "me/", "read:me:factors").await;
    let silent = program.sign_in_by_otp(&dora, &[("scope", "email")]).await;
    let silent = app.bearer(silent.expect(200).text_of("access_token"));
    let (id, secret) = spare_key_server::dev::READONLY;
    let reader = app.program_named(id, Some(secret)).machine().await;
    let reader = app.bearer(reader.expect(200).text_of("access_token"));
    for (path, narrow) in [
        ("/api/v2/guardian/factors", &reader),
        ("/mfa/authenticators", &mfa),
        ("/me/v1/authentication-methods", &me),
        ("/userinfo", &silent),
    ] {
        let with = async |value: Option<&str>| {
            let mut request = Request::get(path);
            if let Some(value) = value {
                request = request.header("authorization", value);
            }
            app.send(request.body(Body::empty()).unwrap()).await
        };
        for (answer, status, said) in [
            (with(None).await, 401, "Bearer"),
            (
                with(Some("Bearer a b")).await,
                401,
                "Bearer error=\"invalid_token\"",
            ),
            (
                with(Some("Bearer")).await,
                400,
                "Bearer error=\"invalid_request\"",
            ),
            (
                with(Some("Bearer a.b.c")).await,
                401,
                "Bearer error=\"invalid_token\"",
            ),
            (
                narrow.get(path).await,
                403,
                "Bearer error=\"insufficient_scope\"",
            ),
        ] {
            assert_eq!(answer.status, status, "{path} {}", answer.text());
            assert_eq!(answer.header("www-authenticate"), said, "{path}");
        }
    }
}

/// Row A-92.
#[tokio::test]
async fn only_the_origins_of_clients_call_from_browsers() {
    let app = App::start().await;
    const ORIGIN: &str = "https://shop.example";
    app.add_program("shop", &[], &[ORIGIN]).await;
    let dora = app.add_person("dora").await;
    let ask = async |method: Method, path: &str, origin: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type,auth0-client",
            );
        app.send(request.body(Body::empty()).unwrap()).await
    };
    const ALLOWED: &str = "access-control-allow-origin";
    for path in [
        "/oauth/token",
        "/mfa/associate",
        "/me/v1/authentication-methods",
    ] {
        let preflight = ask(Method::OPTIONS, path, ORIGIN).await.expect(200);
        assert_eq!(preflight.header(ALLOWED), ORIGIN);
        let headers = preflight
            .header("access-control-allow-headers")
            .to_lowercase();
        for name in ["authorization", "content-type", "auth0-client"] {
            assert!(headers.contains(name), "{headers}");
        }
        assert_eq!(preflight.header("access-control-allow-credentials"), "");
        assert!(preflight.header("vary").to_lowercase().contains("origin"));
        for evil in [
            "https://evil.example",
            "null",
            "https://shop.example.evil.example",
            "http://shop.example",
            "http://localhost:3000",
        ] {
            let refused = ask(Method::OPTIONS, path, evil).await;
            assert_eq!(refused.header(ALLOWED), "", "{evil}");
            let refused = ask(Method::GET, path, evil).await;
            assert_eq!(refused.header(ALLOWED), "", "{evil}");
        }
    }
    // Errors can be read there too: mfa_required is one.
    let fields = [
        ("client_id", "shop"),
        ("client_secret", "shop"),
        ("grant_type", "password"),
        ("username", &dora.login),
        ("password", PASSWORD),
    ];
    let request = Request::post("/oauth/token")
        .header("origin", ORIGIN)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form(&fields)));
    let answer = app.send(request.unwrap()).await.expect(403);
    assert_eq!(answer.header(ALLOWED), ORIGIN);
    // Servers' own APIs are not for pages.
    for path in ["/api/v2/users", "/recovery/v1/accounts"] {
        assert_eq!(ask(Method::GET, path, ORIGIN).await.header(ALLOWED), "");
        assert_eq!(ask(Method::OPTIONS, path, ORIGIN).await.header(ALLOWED), "");
    }
}

#[tokio::test]
async fn a_form_says_each_thing_once() {
    let app = App::start().await;
    let program = app.program();
    for fields in [
        [("grant_type", "password"), ("grant_type", "password")],
        [("grant_type", "password"), ("client_id", "dev-app")],
    ] {
        let answer = program.token(&fields).await;
        answer.expect_oauth(400, "invalid_request", "A parameter is there twice.");
    }
    program.token(&[("grant_type", "")]).await.expect_oauth(
        400,
        "invalid_request",
        "Missing required parameter: grant_type",
    );
}
