//! `/api/v2`: accounts, factors, policies and what an account has enrolled.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use spare_key_server::dev;
use spare_key_server::model::Millis;
use spare_key_tests::App;
use spare_key_tests::auth0::{Bearer, PASSWORD};

const USERS: &str = "/api/v2/users";

fn body(name: &str) -> Value {
    json!({
        "connection": "Username-Password-Authentication",
        "email": format!("{name}@example.com"),
        "password": PASSWORD,
        "user_id": name,
    })
}

async fn names(manager: &Bearer, path: &str) -> Vec<String> {
    let listed = manager.get(path).await.expect(200).json;
    let users = listed.as_array().expect("a list").iter();
    users
        .map(|user| user["email"].as_str().expect("a mail address").to_owned())
        .collect()
}

#[tokio::test]
async fn an_account_is_added_read_and_forgotten() {
    let app = App::start().await;
    let manager = app.manager().await;
    let made = manager.post(USERS, body("dora")).await.expect(201);
    let expected = json!({
        "user_id": "auth0|dora",
        "email": "dora@example.com",
        "email_verified": false,
        "name": "dora@example.com",
        "nickname": "dora",
        "created_at": app.time(Millis(0)),
        "updated_at": app.time(Millis(0)),
        "identities": [{
            "connection": "Username-Password-Authentication",
            "provider": "auth0",
            "user_id": "dora",
            "isSocial": false,
        }],
    });
    assert_eq!(made.json, expected);
    let path = format!("{USERS}/auth0%7Cdora");
    assert_eq!(manager.get(&path).await.expect(200).json, expected);
    let mut renamed = body("dora");
    renamed["user_id"] = json!("other");
    for taken in [body("dora"), renamed] {
        manager.post(USERS, taken).await.expect_management(
            409,
            Some("auth0_idp_error"),
            "The user already exists.",
        );
    }
    // She signs in with it.
    let sign_in = [
        ("grant_type", "password"),
        ("username", "DORA@example.com"),
        ("password", PASSWORD),
    ];
    let answer = app.program().token(&sign_in).await.expect(403);
    assert_eq!(answer.json["error"], "mfa_required");
    for _ in 0..2 {
        let gone = manager.delete(&path).await.expect(204);
        assert!(gone.body.is_empty());
    }
    manager.get(&path).await.expect_management(
        404,
        Some("inexistent_user"),
        "The user does not exist.",
    );
    app.program().token(&sign_in).await.expect_oauth(
        403,
        "invalid_grant",
        "Wrong email or password.",
    );
}

#[tokio::test]
async fn an_identifier_is_drawn_where_none_is_given() {
    let app = App::start().await;
    let manager = app.manager().await;
    let mut unnamed = body("dora");
    unnamed.as_object_mut().unwrap().remove("user_id");
    let made = manager.post(USERS, unnamed).await.expect(201);
    let id = made.text_of("user_id");
    assert!(id.starts_with("auth0|") && id.len() == 6 + 24, "{id}");
}

#[tokio::test]
async fn what_is_no_account_is_not_added() {
    let app = App::start().await;
    let manager = app.manager().await;
    for (member, value) in [
        ("connection", json!("google")),
        ("connection", json!(null)),
        ("email", json!("no mail address")),
        ("email", json!("a b@example.com")),
        ("email", json!(format!("{}@example.com", "x".repeat(250)))),
        ("email", json!(null)),
        ("password", json!("short")),
        ("password", json!("x".repeat(257))),
        ("password", json!(12345678)),
        ("user_id", json!("")),
        ("user_id", json!("a|b")),
        ("user_id", json!("x".repeat(250))),
    ] {
        let mut wrong = body("dora");
        wrong[member] = value;
        let answer = manager.post(USERS, wrong).await.expect(400);
        assert_eq!(answer.json["errorCode"], "invalid_body");
        assert!(!answer.text().contains("xxx"));
    }
    assert_eq!(names(&manager, USERS).await, Vec::<String>::new());
}

#[tokio::test]
async fn accounts_are_listed_page_by_page() {
    let app = App::start().await;
    let manager = app.manager().await;
    for name in ["a", "b", "c", "d", "e"] {
        app.add_person(name).await;
    }
    let all = ["a", "b", "c", "d", "e"].map(|name| format!("{name}@example.com"));
    assert_eq!(names(&manager, USERS).await, all);
    assert_eq!(
        names(&manager, &format!("{USERS}?per_page=2")).await,
        all[..2]
    );
    let path = format!("{USERS}?per_page=2&page=2&sort=email:1");
    assert_eq!(names(&manager, &path).await, all[4..]);
    let path = format!("{USERS}?per_page=2&page=3");
    assert_eq!(names(&manager, &path).await, all[..0]);
    let path = format!("{USERS}?per_page=2&page=1&include_totals=true");
    let page = manager.get(&path).await.expect(200).json;
    assert_eq!(page["users"].as_array().unwrap().len(), 2);
    assert_eq!(page["users"][0]["email"], "c@example.com");
    let counts = ["start", "limit", "length", "total"].map(|name| page[name].as_u64().unwrap());
    assert_eq!(counts, [2, 2, 2, 5]);
    for query in [
        "per_page=0",
        "per_page=101",
        "page=-1",
        "page=x",
        "include_totals=2",
    ] {
        let answer = manager.get(&format!("{USERS}?{query}")).await.expect(400);
        assert_eq!(answer.json["errorCode"], "invalid_uri", "{query}");
    }
    let far = format!("{USERS}?per_page=100&page=4294967295");
    assert_eq!(names(&manager, &far).await, all[..0]);

    const BY_EMAIL: &str = "/api/v2/users-by-email";
    let found = names(&manager, &format!("{BY_EMAIL}?email=C%40Example.com")).await;
    assert_eq!(found, all[2..3]);
    let none = names(&manager, &format!("{BY_EMAIL}?email=x%40example.com")).await;
    assert_eq!(none, all[..0]);
    manager.get(BY_EMAIL).await.expect(400);
}

/// Row O4.
#[tokio::test]
async fn enrollments_and_methods_are_listed_and_taken_away() {
    let app = App::start().await;
    let manager = app.manager().await;
    let program = app.program();
    let bare = app.add_person("bare").await;
    let none = manager.get(&bare.at("/enrollments")).await.expect(200);
    assert_eq!(none.json, json!([]));
    let mfa_token = program.mfa_token(&bare, &[]).await;
    app.bearer(&mfa_token).associate().await.expect(200);
    let pending = manager.get(&bare.at("/enrollments")).await.expect(200).json;
    assert_eq!(pending[0]["status"], "pending");

    let dora = app.enrolled("dora").await;
    let listed = manager.get(&dora.at("/enrollments")).await.expect(200).json;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["status"], "confirmed");
    assert_eq!(listed[0]["type"], "authenticator");
    let id = listed[0]["id"].as_str().unwrap().replace('|', "%7C");
    let one = format!("/api/v2/guardian/enrollments/{id}");
    assert_eq!(manager.get(&one).await.expect(200).json, listed[0]);

    let path = dora.at("/authentication-methods");
    let methods = manager.get(&path).await.expect(200);
    assert!(!methods.text().contains(&dora.code) && !methods.text().contains(&dora.secret));
    let kinds: Vec<_> = methods
        .json
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["type"])
        .collect();
    assert_eq!(kinds, ["totp", "recovery-code"]);
    let counted = manager.get(&format!("{path}?include_totals=true")).await;
    let counted = counted.expect(200).json;
    assert_eq!(counted["authenticators"], methods.json);
    assert_eq!(
        [&counted["start"], &counted["total"]],
        [&json!(0), &json!(2)]
    );

    // The last authenticator takes the code with it.
    manager.delete(&one).await.expect(204);
    let missing = Some("enrollment_not_found");
    for method in [Method::GET, Method::DELETE] {
        let answer = manager.ask(method, &one, None).await;
        answer.expect_management(404, missing, "Enrollment not found");
    }
    assert_eq!(manager.get(&path).await.expect(200).json, json!([]));
    program.sign_in_by_code(&dora, &dora.code).await.expect(403);
}

#[tokio::test]
async fn a_code_is_taken_alone_and_a_method_by_its_name() {
    let app = App::start().await;
    let manager = app.manager().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let erik = app.enrolled("erik").await;
    let id = async |person: &spare_key_tests::auth0::Person, at: usize| {
        let listed = manager
            .get(&person.at("/authentication-methods"))
            .await
            .json;
        listed[at]["id"].as_str().unwrap().replace('|', "%7C")
    };
    let (otp, code) = (id(&dora, 0).await, id(&dora, 1).await);
    let missing = Some("authentication_method_not_found");
    // Another account's are not found here.
    for strange in [
        id(&erik, 0).await,
        id(&erik, 1).await,
        "totp%7Cdev_0".to_owned(),
    ] {
        let path = dora.at(&format!("/authentication-methods/{strange}"));
        manager.delete(&path).await.expect_management(
            404,
            missing,
            "Authentication method not found",
        );
    }
    let code = dora.at(&format!("/authentication-methods/{code}"));
    manager.delete(&code).await.expect(204);
    manager.delete(&code).await.expect(404);
    program.sign_in_by_code(&dora, &dora.code).await.expect(403);
    program.sign_in_by_otp(&dora, &[]).await.expect(200);
    let otp = dora.at(&format!("/authentication-methods/{otp}"));
    manager.delete(&otp).await.expect(204);
    program.sign_in_by_code(&erik, &erik.code).await.expect(200);

    for (name, path) in [
        ("fay", "/authenticators"),
        ("gus", "/authentication-methods"),
    ] {
        let person = app.enrolled(name).await;
        manager.delete(&person.at(path)).await.expect(204);
        program
            .sign_in_by_code(&person, &person.code)
            .await
            .expect(403);
        let nobody = format!("{USERS}/auth0%7Cnobody{path}");
        manager.delete(&nobody).await.expect_management(
            404,
            Some("inexistent_user"),
            "The user does not exist.",
        );
    }
}

#[tokio::test]
async fn factors_and_policies_are_said_and_switched() {
    let app = App::start().await;
    let manager = app.manager().await;
    const FACTORS: &str = "/api/v2/guardian/factors";
    let enabled = async || {
        let listed = manager.get(FACTORS).await.expect(200).json;
        let lines = listed.as_array().unwrap().clone();
        assert_eq!(lines.len(), 8);
        lines
            .into_iter()
            .filter(|line| line["enabled"] == true)
            .map(|line| line["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(enabled().await, ["otp", "recovery-code"]);
    app.switch_codes(false).await;
    assert_eq!(enabled().await, ["otp"]);
    // On another server of the same database too.
    let other = app.another().bearer(&manager.token);
    assert_eq!(other.get(FACTORS).await.json[7]["enabled"], false);
    let otp = format!("{FACTORS}/otp");
    let on = json!({ "enabled": true });
    assert_eq!(manager.put(&otp, on.clone()).await.expect(200).json, on);
    manager
        .put(&otp, json!({ "enabled": false }))
        .await
        .expect(400);
    for wrong in [
        json!({}),
        json!({ "enabled": "yes" }),
        json!([]),
        json!(true),
    ] {
        let path = format!("{FACTORS}/recovery-code");
        let answer = manager.put(&path, wrong).await.expect(400);
        assert_eq!(answer.json["errorCode"], "invalid_body");
    }
    manager.put(&format!("{FACTORS}/sms"), on).await.expect(404);

    const POLICIES: &str = "/api/v2/guardian/policies";
    let everybody = json!(["all-applications"]);
    assert_eq!(manager.get(POLICIES).await.expect(200).json, everybody);
    for policies in [json!([]), everybody] {
        let set = manager.put(POLICIES, policies.clone()).await.expect(200);
        assert_eq!(set.json, policies);
        assert_eq!(manager.get(POLICIES).await.json, policies);
    }
    for wrong in [
        json!(["confidence-score"]),
        json!({}),
        json!("all-applications"),
        json!([1]),
    ] {
        manager.put(POLICIES, wrong).await.expect(400);
    }
}

/// Row S7.
#[tokio::test]
async fn a_thousand_requests_a_minute_and_no_more() {
    let app = App::start().await;
    let manager = app.manager().await;
    let (id, secret) = dev::READONLY;
    let reader = app.program_named(id, Some(secret)).machine().await;
    let reader = app.bearer(reader.expect(200).text_of("access_token"));
    let path = "/api/v2/guardian/policies";
    let first = manager.get(path).await.expect(200);
    let limits = ["limit", "remaining"].map(|name| first.header(&format!("x-ratelimit-{name}")));
    assert_eq!(limits, ["1000", "999"]);
    let reset = app.now().0 / 1_000 + 60;
    assert_eq!(first.header("x-ratelimit-reset"), reset.to_string());
    for left in (0..999).rev() {
        let answer = manager.get(path).await.expect(200);
        assert_eq!(answer.header("x-ratelimit-remaining"), left.to_string());
    }
    app.clock.advance(Millis::seconds(48));
    let answer = manager.get(path).await;
    let said = "Global limit has been reached";
    let answer = answer.expect_management(429, Some("too_many_requests"), said);
    assert_eq!(answer.header("retry-after"), "12");
    assert_eq!(answer.header("x-ratelimit-remaining"), "0");
    assert_eq!(answer.header("x-ratelimit-reset"), reset.to_string());
    // Others have their own.
    reader.get(USERS).await.expect(200);
    app.clock.advance(Millis::seconds(12));
    manager.get(path).await.expect(200);
}

#[tokio::test]
async fn whoever_bears_nothing_learns_nothing() {
    let app = App::start().await;
    let dora = app.add_person("dora").await;
    for path in [
        dora.at(""),
        format!("{USERS}/auth0%7Cnobody"),
        USERS.to_owned(),
    ] {
        let request = Request::get(path).body(Body::empty());
        let answer = app.send(request.unwrap()).await;
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        assert_eq!(answer.header("x-ratelimit-limit"), "");
        answer.expect_management(401, None, "Missing authentication");
    }
    let manager = app.manager().await;
    let answer = manager.get("/api/v2/nothing").await;
    answer.expect_management(404, Some("not_found"), "Not Found");
    let long = format!("{USERS}/{}", "x".repeat(256));
    let answer = manager.get(&long).await.expect(400);
    assert_eq!(answer.json["errorCode"], "invalid_uri");
}

/// Row A-105.
#[tokio::test]
async fn an_accounts_log_has_auth0s_names_for_what_became_of_its_codes() {
    let app = App::start().await;
    let manager = app.manager().await;
    let person = app.enrolled("dora").await;
    let code = manager.regenerate(&person).await.expect(200);
    let code = code.text_of("recovery_code").to_owned();
    let program = app.program();
    program.sign_in_by_code(&person, &code).await.expect(200);
    program.sign_in_by_code(&person, &code).await.expect(403);
    let path = person.at("/logs");
    let listed = manager.get(&path).await.expect(200).json;
    let kinds: Vec<_> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| line["type"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(kinds[..2], ["fercft", "sercft"], "newest first: {kinds:?}");
    assert_eq!(listed[1]["client_id"], "dev-app");
    assert_eq!(listed[1]["user_id"], "auth0|dora");
    assert!(!listed.to_string().contains(&code));
    // Page by page, until one is empty.
    let mut paged = Vec::new();
    for page in 0..kinds.len() {
        let one = manager.get(&format!("{path}?per_page=1&page={page}")).await;
        let one = one.expect(200).json;
        paged.push(one[0]["type"].as_str().expect("a name").to_owned());
    }
    assert_eq!(paged, kinds);
    let beyond = format!("{path}?per_page=1&page={}", kinds.len());
    assert_eq!(manager.get(&beyond).await.expect(200).json, json!([]));
    // Too many wrong ones.
    for _ in 0..20 {
        program.sign_in_by_code(&person, &code).await;
    }
    let listed = manager.get(&path).await.expect(200).json;
    assert_eq!(listed[0]["type"], "gd_recovery_rate_limit_exceed");
}
