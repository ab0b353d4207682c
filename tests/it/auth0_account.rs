//! A person's own recovery code, in two steps: shown, and live when it is saved.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use spare_key_server::model::Millis;
use spare_key_tests::App;
use spare_key_tests::auth0::{Bearer, ISSUER, Person};

const PATH: &str = "/me/v1/authentication-methods";
const SCOPES: &str =
    "create:me:authentication_methods read:me:authentication_methods read:me:factors";

async fn within(app: &App, person: &Person) -> Bearer {
    app.program().access(person, "me/", SCOPES).await
}

async fn begin(me: &Bearer) -> spare_key_tests::Answer {
    let body = json!({ "type": "recovery-code" });
    me.post(PATH, body).await.expect(202)
}

fn verify(id: &str) -> String {
    format!("{PATH}/{}/verify", id.replace('|', "%7C"))
}

#[tokio::test]
async fn a_new_code_is_live_when_it_is_saved_and_the_old_one_works_until_then() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let me = within(&app, &dora).await;
    let begun = begin(&me).await;
    let id = begun.text_of("id").to_owned();
    assert!(id.starts_with("recovery-code|dev_"));
    let location = begun.header("location").to_owned();
    assert_eq!(
        location,
        format!(
            "{}{}/{}",
            &ISSUER[..ISSUER.len() - 1],
            PATH,
            id.replace('|', "%7C")
        )
    );
    assert!(begun.header("cache-control").contains("no-store"));
    let code = begun.text_of("recovery_code").to_owned();

    // Not yet, and the old one still.
    program.sign_in_by_code(&dora, &code).await.expect(403);
    let answer = program.sign_in_by_code(&dora, &dora.code).await.expect(200);
    let old = answer.text_of("recovery_code").to_owned();

    // That changed what was pending: begin again.
    let begun = begin(&me).await;
    let (id, code) = (begun.text_of("id"), begun.text_of("recovery_code"));
    let session = json!({ "auth_session": begun.text_of("auth_session") });
    let live = me.post(&verify(id), session.clone()).await.expect(201);
    assert_eq!(live.json["id"], id);
    assert_eq!(live.json["type"], "recovery-code");
    assert_eq!(live.json["confirmed"], true);
    assert_eq!(live.json["usage"], json!(["secondary"]));
    assert_eq!(live.json["created_at"], app.time(Millis(0)));
    // Again, as after an answer that was lost.
    me.post(&verify(id), session).await.expect(201);
    program.sign_in_by_code(&dora, &old).await.expect(403);
    program.sign_in_by_code(&dora, code).await.expect(200);
}

#[tokio::test]
async fn under_one_key_one_code_is_shown_until_it_is_saved() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let me = within(&app, &dora).await;
    let begin_under = async |me: &Bearer, key: &str| {
        let request = me
            .request(Method::POST, PATH)
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(Body::from(json!({ "type": "recovery-code" }).to_string()));
        app.send(request.unwrap()).await
    };
    let first = begin_under(&me, "one").await.expect(202);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = begin_under(&me, "one").await.expect(202);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.json, first.json);
    assert_eq!(again.header("location"), first.header("location"));
    // Another session has keys of its own, and what it makes takes the place of what waits.
    let elsewhere = within(&app, &dora).await;
    let other = begin_under(&elsewhere, "one").await.expect(202);
    assert_ne!(other.json["recovery_code"], first.json["recovery_code"]);
    let gone = begin_under(&me, "one").await;
    gone.expect_account(409, "A0E-409-0002");
    // Saved, it is not shown again.
    let session = json!({ "auth_session": other.text_of("auth_session") });
    let saved = elsewhere.post(&verify(other.text_of("id")), session).await;
    saved.expect(201);
    let gone = begin_under(&elsewhere, "one").await;
    gone.expect_account(409, "A0E-409-0002");
    let code = other.text_of("recovery_code");
    program.sign_in_by_code(&dora, code).await.expect(200);
    for unfit in ["", "a b", &"x".repeat(256)] {
        let refused = begin_under(&me, unfit).await;
        refused.expect_account(400, "A0E-400-0001");
    }
}

#[tokio::test]
async fn only_the_session_that_came_with_a_code_verifies_it() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let erik = app.enrolled("erik").await;
    let (hers, his) = (within(&app, &dora).await, within(&app, &erik).await);
    let (her_begun, his_begun) = (begin(&hers).await, begin(&his).await);
    let his_id = his_begun.text_of("id");
    let session =
        |answer: &spare_key_tests::Answer| json!({ "auth_session": answer.json["auth_session"] });
    for (bearer, body) in [
        (&his, session(&her_begun)),
        (&hers, session(&his_begun)),
        (&his, json!({ "auth_session": "" })),
        (&his, json!({ "auth_session": his.token })),
    ] {
        bearer
            .post(&verify(his_id), body)
            .await
            .expect_account(404, "A0E-404-0001");
    }
    his.post(&verify(his_id), json!({}))
        .await
        .expect_account(400, "A0E-400-0001");
    for (person, code) in [(&dora, &her_begun), (&erik, &his_begun)] {
        let code = code.text_of("recovery_code");
        program.sign_in_by_code(person, code).await.expect(403);
    }
    his.post(&verify(his_id), session(&his_begun))
        .await
        .expect(201);
}

#[tokio::test]
async fn a_code_that_is_shown_waits_for_ten_minutes() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let me = within(&app, &dora).await;
    let begun = begin(&me).await;
    app.clock.advance(Millis::minutes(10));
    let me = within(&app, &dora).await;
    let session = json!({ "auth_session": begun.json["auth_session"] });
    me.post(&verify(begun.text_of("id")), session)
        .await
        .expect_account(404, "A0E-404-0001");
    program.sign_in_by_code(&dora, &dora.code).await.expect(200);
}

/// Rows S6, A-71.
#[tokio::test]
async fn a_new_code_is_for_who_has_just_proven_a_factor() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let me = within(&app, &dora).await;
    app.clock.advance(Millis::minutes(5));
    let begun = begin(&me).await;
    app.clock.advance(Millis(1));
    let body = json!({ "type": "recovery-code" });
    let answer = me
        .post(PATH, body)
        .await
        .expect_account(401, "A0E-401-0005");
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer error=\"insufficient_user_authentication\", max_age=300"
    );
    // Saying that it is saved needs no other proof.
    let session = json!({ "auth_session": begun.json["auth_session"] });
    let verified = me.post(&verify(begun.text_of("id")), session).await;
    assert!([201, 401].contains(&verified.status.as_u16()));
    // Only reading is left.
    me.get(PATH).await.expect(200);
}

/// Rows O4, A-10.
#[tokio::test]
async fn the_account_lists_what_there_is_without_any_secret() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let me = within(&app, &dora).await;
    let listed = me.get(PATH).await.expect(200);
    let methods = listed.json["authentication_methods"].as_array().unwrap();
    let kinds: Vec<_> = methods.iter().map(|method| &method["type"]).collect();
    assert_eq!(kinds, ["totp", "recovery-code"]);
    assert!(methods.iter().all(|method| method["confirmed"] == true));
    assert!(!listed.text().contains(&dora.code));
    assert!(!listed.text().contains(&dora.secret));
    let factors = me.get("/me/v1/factors").await.expect(200);
    let expected = json!({ "factors": [{ "type": "recovery-code", "usage": ["secondary"] }] });
    assert_eq!(factors.json, expected);
    app.switch_codes(false).await;
    let factors = me.get("/me/v1/factors").await.expect(200);
    assert_eq!(factors.json, json!({ "factors": [] }));
    let body = json!({ "type": "recovery-code" });
    me.post(PATH, body)
        .await
        .expect_account(403, "A0E-403-0002");
}

/// Row L11.
#[tokio::test]
async fn a_code_is_never_the_only_factor() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let me = within(&app, &dora).await;
    let within = app
        .program()
        .access(&dora, "mfa/", "read:authenticators remove:authenticators")
        .await;
    let lines = within.get("/mfa/authenticators").await.expect(200).json;
    let lines = lines.as_array().unwrap();
    let otp = lines.iter().find(|line| line["type"] == "otp").unwrap();
    let id = otp["id"].as_str().unwrap().replace('|', "%7C");
    within
        .delete(&format!("/mfa/authenticators/{id}"))
        .await
        .expect(204);
    let body = json!({ "type": "recovery-code" });
    me.post(PATH, body)
        .await
        .expect_account(409, "A0E-409-0001");
}

#[tokio::test]
async fn each_operation_asks_for_its_own_scope() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let program = app.program();
    for (scope, allowed) in [
        ("openid", [false, false, false]),
        ("read:me:authentication_methods", [true, false, false]),
        ("read:me:factors", [false, true, false]),
        ("create:me:authentication_methods", [false, false, true]),
    ] {
        let me = program.access(&dora, "me/", scope).await;
        let answers = [
            me.get(PATH).await,
            me.get("/me/v1/factors").await,
            me.post(PATH, json!({ "type": "recovery-code" })).await,
        ];
        for (answer, allowed) in answers.into_iter().zip(allowed) {
            if allowed {
                assert!(answer.status.is_success(), "{}", answer.text());
            } else {
                let said = "Bearer error=\"insufficient_scope\"";
                assert_eq!(answer.header("www-authenticate"), said);
                answer.expect_account(403, "A0E-403-0001");
            }
        }
    }
}

#[tokio::test]
async fn nothing_else_is_made_here() {
    let app = App::start().await;
    let dora = app.enrolled("dora").await;
    let me = within(&app, &dora).await;
    for (body, said) in [
        (
            json!({ "type": "totp" }),
            "The types offered here are: recovery-code.",
        ),
        (json!({}), "The member type is required."),
        (json!({ "type": 1 }), "The body is not what it should be."),
        (json!([]), "The body is not what it should be."),
    ] {
        let answer = me
            .post(PATH, body)
            .await
            .expect_account(400, "A0E-400-0001");
        assert_eq!(answer.json["detail"], said);
        assert_eq!(answer.json["validation_errors"][0]["detail"], said);
    }
    me.ask(Method::DELETE, PATH, None)
        .await
        .expect_account(405, "A0E-405-0001");
    me.get("/me/v1/nothing")
        .await
        .expect_account(404, "A0E-404-0001");
    let nothing: Value = json!({ "auth_session": "x" });
    me.post(&verify("recovery-code|dev_0"), nothing)
        .await
        .expect_account(404, "A0E-404-0001");
}
