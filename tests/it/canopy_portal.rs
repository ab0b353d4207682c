//! The portal of the Canopy dialect: who may look, what is seen, and what is changed.

use axum::http::Method;
use serde_json::json;
use spare_key_server::domain::{Grant, NewClient, Scope, Secrecy};
use spare_key_server::model::{Millis, Token};
use spare_key_tests::App;
use spare_key_tests::auth0::api;
use spare_key_tests::canopy::{AUTH, Canopy, ENVIRONMENT, portal_path};

/// Rows S24, A-10.
#[tokio::test]
async fn an_administrator_sees_how_many_of_how_many_are_left_and_never_a_code() {
    let app = App::start().await;
    let (person, browser) = app.canopy_person("dora").await;
    let portal = app.portal().await;
    let nothing = portal.summary(&person).await.expect(200);
    assert_eq!(
        nothing.json,
        json!({
            "factors": [],
            "recovery_codes_generation": 0,
            "recovery_codes_remaining": 0,
            "recovery_codes_total": 0,
            "mfa_admin_reset_at": null,
        })
    );
    let phone = browser.enroll("Pixel").await;
    assert!(browser.takes(&person, &phone.codes[0]).await);
    let portal = app.portal().await;
    let summary = portal.summary(&person).await.expect(200);
    assert_eq!(summary.json["recovery_codes_generation"], 1);
    assert_eq!(summary.json["recovery_codes_remaining"], 9);
    assert_eq!(summary.json["recovery_codes_total"], 10);
    assert_eq!(summary.json["factors"][0]["label"], "Pixel");
    for code in &phone.codes {
        assert!(!summary.text().contains(code));
    }
    assert_eq!(browser.left().await, (1, 9));
}

/// Row A-46.
#[tokio::test]
async fn a_reset_takes_everything_and_the_person_begins_by_enrolling() {
    let app = App::start().await;
    let (person, mut browser) = app.canopy_person("dora").await;
    let phone = browser.enroll("Pixel").await;
    let challenge = browser.challenged(&person).await;
    let otp = app.next_otp(&phone.secret);
    browser
        .answer_and_remember(&challenge, &otp)
        .await
        .expect(200);
    browser.drop_cookie("mfa_trusted_device");
    let open = browser.challenged(&person).await;
    let step_up = browser.stepped_up(&phone.secret).await;

    let portal = app.portal().await;
    for _ in 0..2 {
        portal.reset(&person).await.expect(200);
    }
    let summary = portal.summary(&person).await.expect(200);
    assert_eq!(summary.json["factors"], json!([]));
    assert_eq!(summary.json["recovery_codes_remaining"], 0);
    assert_eq!(summary.json["mfa_admin_reset_at"], app.time(Millis(0)));
    let refused = browser.recover(&open, &phone.codes[0]).await;
    refused.expect_canopy(401, "mfa.challenge_invalid");
    let refused = browser.regenerate(&step_up).await;
    refused.expect_canopy(401, "auth.invalid_token");

    let answer = browser.sign_in(&person).await;
    assert!(answer.json.get("mfa_enrollment_pending").is_none());
    assert_eq!(answer.json["grace_expires_at"], app.time(Millis(0)));
    let refused = browser.regenerate_with(&[]).await;
    refused.expect_canopy(403, "mfa.enrollment_required");
    let next = browser.enroll("Pixel").await;
    assert_eq!(browser.left().await, (2, 10));
    assert!(!browser.takes(&person, &phone.codes[0]).await);
    assert!(browser.takes(&person, &next.codes[0]).await);
}

/// Row A-74.
#[tokio::test]
async fn neither_kind_of_principal_passes_for_the_other() {
    let app = App::start().await;
    let (person, browser) = app.canopy_person("dora").await;
    let phone = browser.enroll("Pixel").await;
    let portal = app.portal().await;
    for (method, path) in people() {
        let refused = portal.ask(method.clone(), &path, Some(json!({}))).await;
        refused.expect_canopy(403, "auth.wrong_principal");
        // An API key that another dialect knows is a known one, and any other is not.
        for (key, status, code) in [
            (
                app.arklow(&person).await.credential.as_str(),
                403,
                "auth.wrong_principal",
            ),
            ("dev-arklow-nobody", 401, "auth.invalid_token"),
        ] {
            let headers = [("x-api-key", key)];
            let refused = browser
                .with("")
                .ask_with(method.clone(), &path, &headers, None)
                .await;
            refused.expect_canopy(status, code);
        }
    }
    for (method, path) in administrators(&person) {
        let refused = browser.ask(method, &path, Some(json!({}))).await;
        refused.expect_canopy(403, "auth.wrong_principal");
    }
    assert_eq!(browser.left().await, (1, 10));
    assert!(browser.takes(&person, &phone.codes[0]).await);
}

/// What people ask for.
fn people() -> Vec<(Method, String)> {
    [
        (Method::GET, "/me"),
        (Method::GET, "/sessions"),
        (Method::GET, "/mfa/factors"),
        (Method::POST, "/mfa/totp/enroll/start"),
        (Method::POST, "/mfa/totp/enroll/verify"),
        (Method::POST, "/mfa/webauthn/enroll/options"),
        (Method::POST, "/mfa/step-up"),
        (Method::POST, "/mfa/recovery-codes/regenerate"),
        (
            Method::DELETE,
            "/mfa/factors/7c3f7d3b-94c3-8c9e-8bd6-0d1f2f3c4b5a",
        ),
        (Method::GET, "/mfa/trusted-devices"),
        (Method::DELETE, "/mfa/trusted-devices"),
    ]
    .map(|(method, path)| (method, format!("{AUTH}{path}")))
    .into()
}

/// What administrators ask for.
fn administrators(person: &spare_key_tests::auth0::Person) -> Vec<(Method, String)> {
    vec![
        (Method::GET, "/portal/v1/accounts/dev/identities".to_owned()),
        (Method::GET, portal_path(person, "")),
        (Method::POST, portal_path(person, "/reset")),
        (Method::GET, ENVIRONMENT.to_owned()),
        (Method::PATCH, ENVIRONMENT.to_owned()),
    ]
}

/// A program of a client with these scopes.
async fn with_scopes(app: &App, id: &str, scopes: &[Scope]) -> Canopy {
    let client = NewClient {
        id: id.to_owned(),
        scopes: scopes.to_vec(),
        grants: vec![Grant::ClientCredentials],
        secrecy: Secrecy::Given(Token::presented("secret of some length")),
        ..NewClient::default()
    };
    app.mfa().add_client(client).await.expect("a client");
    let mut program = app.canopy().await;
    let body = json!({ "email": id, "password": "secret of some length" });
    let answer = program.post("/v1/auth/login", body).await.expect(200);
    program.access = answer.text_of("access_token").to_owned();
    program
}

#[tokio::test]
async fn an_administrator_may_do_what_the_scopes_say_while_the_client_is_there() {
    let app = App::start().await;
    let (person, _) = app.canopy_person("dora").await;
    let none = with_scopes(&app, "none", &[Scope::ReadUsers]).await;
    let reader = with_scopes(&app, "reader", &[Scope::ReadFactors]).await;
    for (method, path) in administrators(&person) {
        let refused = none.ask(method.clone(), &path, Some(json!({}))).await;
        refused.expect_canopy(403, "auth.insufficient_scope");
        let answer = reader.ask(method.clone(), &path, Some(json!({}))).await;
        if method == Method::GET {
            answer.expect(200);
        } else {
            answer.expect_canopy(403, "auth.insufficient_scope");
        }
    }
    app.mfa().remove_client("reader").await.expect("a client");
    let refused = reader.summary(&person).await;
    refused.expect_canopy(401, "auth.invalid_token");
    for (email, password) in [
        ("reader", "secret of some length"),
        ("none", "wrong"),
        ("dev-spa", ""),
        ("dev-spa", "x"),
    ] {
        let body = json!({ "email": email, "password": password });
        let refused = app.canopy().await.post("/v1/auth/login", body).await;
        assert!([400, 401].contains(&refused.status.as_u16()));
    }
}

#[tokio::test]
async fn the_token_endpoint_gives_the_same_for_the_portals_audience_and_no_other_opens_it() {
    let app = App::start().await;
    let (person, browser) = app.canopy_person("dora").await;
    let manager = app.manager().await;
    let refused = browser.with(&manager.token).summary(&person).await;
    refused.expect_canopy(401, "auth.invalid_token");
    let (id, secret) = spare_key_server::dev::MANAGEMENT;
    let program = app.program_named(id, Some(secret));
    let audience = api("portal/v1");
    let fields = [
        ("grant_type", "client_credentials"),
        ("audience", audience.as_str()),
    ];
    let answer = program.token(&fields).await.expect(200);
    let admin = browser.with(answer.text_of("access_token"));
    admin.summary(&person).await.expect(200);
}

/// Row A-94.
#[tokio::test]
async fn identities_are_found_a_page_at_a_time() {
    let app = App::start().await;
    for name in ["alba", "albert", "bruno"] {
        app.add_person(name).await;
    }
    let portal = app.portal().await;
    let path = "/portal/v1/accounts/dev/identities";
    let emails = async |query: &str| {
        let answer = portal.get(&format!("{path}{query}")).await.expect(200);
        let items = answer.json["items"].as_array().unwrap().clone();
        let emails: Vec<_> = items
            .iter()
            .map(|item| item["email"].as_str().unwrap().to_owned())
            .collect();
        (emails, answer.json["pagination"]["has_more"] == true)
    };
    let (all, _) = emails("").await;
    assert!(all.contains(&"bruno@example.com".to_owned()));
    assert_eq!(
        emails("?q=ALB").await,
        (
            vec![
                "alba@example.com".to_owned(),
                "albert@example.com".to_owned()
            ],
            false
        )
    );
    assert_eq!(
        emails("?q=alb&take=1").await,
        (vec!["alba@example.com".to_owned()], true)
    );
    assert_eq!(
        emails("?q=alb&take=1&page=2").await,
        (vec!["albert@example.com".to_owned()], false)
    );
    assert_eq!(emails("?q=auth0%7Cbru").await.0, ["bruno@example.com"]);
    assert_eq!(emails("?q=%25").await.0, [""; 0]);
    let refused = portal.get(&format!("{path}?take=101")).await;
    refused.expect_canopy(400, "common.validation_failed");
    let refused = portal.get("/portal/v1/accounts/other/identities").await;
    refused.expect_canopy(404, "identities.identity_not_found");
}

#[tokio::test]
async fn an_environment_keeps_what_a_change_leaves_out() {
    let app = App::start().await;
    let (person, browser) = app.canopy_person("dora").await;
    browser.enroll("Pixel").await;
    let portal = app.portal().await;
    let before = portal.get(ENVIRONMENT).await.expect(200);
    assert_eq!(
        before.json["settings"],
        json!({
            "mfa_required": true,
            "mfa_grace_period_days": 7,
            "mfa_trusted_device_days": 30,
            "mfa_factor_allowlist": ["totp", "webauthn"],
        })
    );
    let change = json!({ "mfa": { "mfa_required": false }, "name": null, "unknown": 1 });
    let after = portal.patch_environment(change).await.expect(200);
    let mut expected = before.json["settings"].clone();
    expected["mfa_required"] = json!(false);
    assert_eq!(after.json["settings"], expected);
    assert_eq!(after.json["version"], 2);
    assert_eq!(after.json["updated_at"], app.time(Millis(0)));
    let mut plain = browser.clone();
    let answer = plain.sign_in(&person).await;
    assert!(answer.json.get("mfa_enrollment_pending").is_none());

    let change = json!({ "mfa": { "mfa_required": true, "mfa_grace_period_days": 0 } });
    portal.patch_environment(change).await.expect(200);
    let (_, newcomer) = app.canopy_person("bob").await;
    newcomer
        .regenerate_with(&[])
        .await
        .expect_canopy(403, "mfa.enrollment_required");
    let change = json!({ "mfa": { "mfa_factor_allowlist": ["webauthn"] } });
    portal.patch_environment(change).await.expect(200);
    newcomer
        .start()
        .await
        .expect_canopy(400, "mfa.factor_not_allowed");

    let change = json!({ "slug": "live", "name": " Live " });
    let renamed = portal.patch_environment(change).await.expect(200);
    assert_eq!(
        (renamed.json["slug"].as_str(), renamed.json["name"].as_str()),
        (Some("live"), Some("Live"))
    );
    portal
        .get(ENVIRONMENT)
        .await
        .expect_canopy(404, "environments.environment_not_found");
}

#[tokio::test]
async fn a_change_that_cannot_be_is_told_whole_and_changes_nothing() {
    let app = App::start().await;
    let portal = app.portal().await;
    let before = portal.get(ENVIRONMENT).await.expect(200).json;
    for (body, faults) in [
        (json!({ "mfa": 1 }), 1),
        (json!({ "name": "", "slug": "A b" }), 2),
        (
            json!({ "mfa": { "mfa_required": "yes", "mfa_grace_period_days": 366 } }),
            2,
        ),
        (json!({ "mfa": { "mfa_trusted_device_days": -1 } }), 1),
        (json!({ "mfa": { "mfa_factor_allowlist": [] } }), 1),
        (
            json!({ "mfa": { "mfa_factor_allowlist": ["sms"], "mfa_required": false } }),
            1,
        ),
    ] {
        let refused = portal.patch_environment(body.clone()).await;
        let refused = refused.expect_canopy(400, "common.validation_failed");
        let fields = refused.json["error"]["details"]["fields"]
            .as_array()
            .unwrap();
        assert_eq!(fields.len(), faults, "{body}");
    }
    assert_eq!(portal.get(ENVIRONMENT).await.expect(200).json, before);
}
