//! What breaks at the token endpoint spends nothing, charges nothing and tells nothing.

use serde_json::json;
use spare_key_server::hasher::{Lane, PoolSize};
use spare_key_tests::{Answer, App, Options};

/// A 500 in this dialect's words: its number, and nothing of the cause.
#[track_caller]
fn tells_nothing(answer: &Answer) {
    let id = answer
        .clone()
        .expect_oauth(
            500,
            "server_error",
            "Something broke here. Nothing was changed.",
        )
        .text_of("request_id")
        .to_owned();
    assert_eq!(answer.header("x-request-id"), id);
    assert!(answer.headers.get("www-authenticate").is_none());
    assert!(!answer.text().contains("taken away"));
    assert_eq!(answer.json.as_object().expect("a document").len(), 3);
}

#[tokio::test]
async fn a_fault_at_the_grant_spends_neither_code_nor_mfa_token_nor_a_try() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let mfa_token = program.mfa_token(&dora, &[]).await;
    let otp = app.next_otp(&dora.secret);
    app.entropy.fail();
    for _ in 0..12 {
        tells_nothing(&program.recover(&mfa_token, &dora.code).await);
    }
    tells_nothing(&program.otp(&mfa_token, &otp).await);
    app.entropy.mend();
    let answer = program.recover(&mfa_token, &dora.code).await.expect(200);
    assert!(answer.json["recovery_code"].is_string());
}

/// Row A-03.
#[tokio::test]
async fn without_randomness_nobody_is_enrolled_and_no_code_is_made() {
    let app = App::start().await;
    let program = app.program();
    let manager = app.manager().await;
    let dora = app.enrolled("dora").await;
    let bare = app.add_person("bare").await;
    let mfa_token = program.mfa_token(&bare, &[]).await;
    app.entropy.fail();
    tells_nothing(&app.bearer(&mfa_token).associate().await);
    let answer = manager.regenerate(&dora).await;
    let said = "Something broke here. Nothing was changed.";
    let answer = answer.expect_management(500, Some("internal_error"), said);
    assert_eq!(answer.json["requestId"], answer.header("x-request-id"));
    let broken = program.sign_in(&dora, &[]).await;
    tells_nothing(&broken);
    app.entropy.mend();
    assert_eq!(app.bearer(&mfa_token).authenticators().await, []);
    program.sign_in_by_code(&dora, &dora.code).await.expect(200);
}

#[tokio::test]
async fn busy_charges_nothing_and_says_when_to_come_back() {
    let pool = PoolSize {
        workers: 1,
        admitted: 1,
    };
    let app = App::start_with(Options {
        pool,
        ..Options::default()
    })
    .await;
    let program = app.program();
    let manager = app.manager().await;
    let dora = app.enrolled("dora").await;
    let bare = app.add_person("bare").await;
    let mfa_token = program.mfa_token(&dora, &[]).await;
    let first = program.mfa_token(&bare, &[]).await;
    let place = app.mfa().hasher().admit(Lane::Codes).unwrap();
    for _ in 0..12 {
        let busy = program.recover(&mfa_token, &dora.code).await;
        let busy = busy.expect_oauth(
            503,
            "temporarily_unavailable",
            "Busy. Nothing was changed; try again.",
        );
        assert!(busy.header("retry-after").parse::<u64>().unwrap() >= 1);
    }
    app.bearer(&first).associate().await.expect(503);
    assert_eq!(app.bearer(&first).authenticators().await, []);
    let busy = manager.regenerate(&dora).await;
    let said = "Busy. Nothing was changed; try again.";
    busy.expect_management(503, Some("temporarily_unavailable"), said);
    drop(place);
    program.recover(&mfa_token, &dora.code).await.expect(200);
}

/// Row C9.
#[tokio::test]
async fn tables_that_are_gone_are_a_fault_in_this_dialects_words() {
    let app = App::start().await;
    let program = app.program();
    let manager = app.manager().await;
    let dora = app.enrolled("dora").await;
    let mfa_token = program.mfa_token(&dora, &[]).await;
    let db = rusqlite::Connection::open(app.database()).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    // Of all tables, the one that an attempt is spent in, and only for writing.
    db.execute_batch(
        "CREATE TRIGGER broken BEFORE UPDATE ON code BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .unwrap();
    for _ in 0..12 {
        tells_nothing(&program.recover(&mfa_token, &dora.code).await);
    }
    db.execute_batch("DROP TRIGGER broken").unwrap();
    program.recover(&mfa_token, &dora.code).await.expect(200);
    db.execute_batch("ALTER TABLE client RENAME TO gone")
        .unwrap();
    tells_nothing(&program.sign_in(&dora, &[]).await);
    let said = "Something broke here. Nothing was changed.";
    manager
        .get("/api/v2/users")
        .await
        .expect_management(500, Some("internal_error"), said);
    db.execute_batch("ALTER TABLE gone RENAME TO client")
        .unwrap();
    let listed = manager.get("/api/v2/users").await.expect(200);
    assert_eq!(listed.json[0]["user_id"], json!(dora.id));
}

#[tokio::test]
async fn wherever_randomness_ends_no_code_is_spent_without_its_tokens() {
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    // More than openid alone asks for: every token that there is.
    let more = [("scope", "openid email offline_access")];
    let mfa_token = program.mfa_token(&dora, &more).await;
    let mut draws = 0;
    loop {
        app.entropy.fail_after(draws);
        let answer = program.recover(&mfa_token, &dora.code).await;
        app.entropy.mend();
        if answer.status == 200 {
            break;
        }
        answer.expect(500);
        draws += 1;
        assert!(draws < 100, "something else is broken");
    }
    assert!(draws > 5, "the code's successor alone draws more");
}
