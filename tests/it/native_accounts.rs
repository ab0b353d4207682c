//! Accounts: kept exactly or refused (row 7), listed, forgotten, and their audit rows.

use std::collections::HashSet;

use axum::http::Method;
use serde_json::{Value, json};
use spare_key_tests::App;
use spare_key_tests::native::of;

#[tokio::test]
async fn an_unknown_account_has_no_codes() {
    let app = App::start().await;
    let status = app.host().status("auth0|nobody").await.expect(200);
    assert_eq!(
        status.json,
        json!({
            "account": "auth0|nobody",
            "generation": 0,
            "state": "none",
            "format": null,
            "total": 0,
            "remaining": 0,
            "issued_at": null,
            "last_redeemed_at": null,
            "pending": null,
            "throttle": { "tries_left": 10, "retry_at": null },
        })
    );
    assert_eq!(status.header("cache-control"), "no-store");
}

#[tokio::test]
async fn an_account_is_kept_exactly_and_never_confused_with_another() {
    let app = App::start().await;
    let host = app.host();
    let longest = "ü".repeat(127) + "x";
    let accounts = [
        "auth0|alice",
        "a/b",
        "a",
        "a%2Fb",
        "a%252Fb",
        "%",
        "%25",
        "..",
        ".",
        "A",
        " a",
        "a ",
        "a+b",
        "a b",
        // One letter in two spellings: composed and decomposed.
        "\u{fc}",
        "u\u{308}",
        "?code=1#x",
        "\u{1f511}",
        longest.as_str(),
    ];
    let mut codes = Vec::new();
    for account in accounts {
        let (generation, issued) = host.issue(account).await;
        assert_eq!(generation, 1, "{account}");
        assert_eq!(host.status(account).await.json["account"], account);
        codes.push(issued[0].clone());
    }
    for (place, account) in accounts.iter().enumerate() {
        let neighbour = &codes[(place + 1) % codes.len()];
        host.redeem(account, neighbour)
            .await
            .expect_problem(403, "code-not-accepted");
        let answer = host.redeem(account, &codes[place]).await.expect(200);
        assert_eq!(answer.json["account"], **account);
    }
    let listed = host.accounts("?limit=200").await.expect(200).json;
    let listed: HashSet<_> = listed["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|status| status["account"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, accounts.into_iter().map(str::to_owned).collect());
}

/// Row A-106.
#[tokio::test]
async fn what_cannot_be_an_account_is_refused() {
    let app = App::start().await;
    let host = app.host();
    let too_long = "x".repeat(256);
    for raw in [
        "%00", "a%00b", "%0A", "%7F", "%C2%85", "%ff", "%C3", "%zz", "%", "%2", &too_long,
    ] {
        for rest in ["", "/events", "/batches/pending"] {
            let path = format!("/recovery/v1/accounts/{raw}{rest}");
            let answer = host.ask(Method::GET, &path, None).await;
            let answer = answer.expect_problem(400, "bad-request");
            assert_eq!(answer.json["parameter"], "account", "{path}");
        }
    }
    for path in [
        "/recovery/v1/accounts/",
        "/recovery/v1/accounts/a/b",
        "/recovery/v1/accounts/a/",
    ] {
        host.ask(Method::GET, path, None)
            .await
            .expect_problem(404, "not-found");
    }
}

#[tokio::test]
async fn the_location_of_a_pending_batch_leads_to_it() {
    let app = App::start().await;
    let host = app.host();
    for account in ["auth0|alice", "a/b", "%2F", "..", "\u{fc} ?#"] {
        let staged = host
            .stage(account, json!({ "proof": host.proof() }))
            .await
            .expect(201);
        let shown = host.ask(Method::GET, staged.header("location"), None).await;
        assert_eq!(shown.expect(200).json, staged.json);
    }
}

#[tokio::test]
async fn what_is_no_generation_is_no_path() {
    let app = App::start().await;
    let host = app.host();
    for raw in ["pending", "+1", "-1", "1.0", "%31", "99999999999", "x"] {
        let path = format!("/recovery/v1/accounts/alice/batches/{raw}/activate");
        let answer = host
            .ask(Method::POST, &path, Some(json!({ "saved": true })))
            .await;
        answer.expect_problem(404, "not-found");
    }
}

#[tokio::test]
async fn the_list_is_paged_without_gaps_and_filtered_by_what_is_left() {
    let app = App::start().await;
    let host = app.host();
    for number in 0..7 {
        let account = format!("user|{number}");
        let (_, codes) = host.issue(&account).await;
        for code in &codes[..number] {
            host.redeem(&account, code).await.expect(200);
        }
    }
    let mut seen = Vec::new();
    let mut query = "?limit=3".to_owned();
    for pages in 1.. {
        let page = host.accounts(&query).await.expect(200).json;
        for status in page["accounts"].as_array().unwrap() {
            seen.push(status["account"].as_str().unwrap().to_owned());
        }
        match &page["next_cursor"] {
            Value::String(cursor) => query = format!("?limit=3&cursor={cursor}"),
            end => {
                assert_eq!((end, pages), (&Value::Null, 3));
                break;
            }
        }
    }
    let all: Vec<_> = (0..7).map(|number| format!("user|{number}")).collect();
    assert_eq!(seen, all);

    let few = host.accounts("?remaining_at_most=5").await.expect(200).json;
    let few = few["accounts"].as_array().unwrap();
    let few: Vec<_> = few.iter().map(|status| &status["account"]).collect();
    assert_eq!(few, ["user|5", "user|6"]);
    let status = host.status("user|6").await.json;
    let last = host.accounts("?remaining_at_most=4").await.json;
    assert_eq!(last["accounts"], json!([status]));
}

#[tokio::test]
async fn a_query_that_is_not_understood_is_refused_and_not_repeated() {
    let app = App::start().await;
    let host = app.host();
    for (query, parameter) in [
        ("?limit=0", json!("limit")),
        ("?limit=201", json!("limit")),
        ("?limit=%2B5", json!("limit")),
        ("?limit=", json!("limit")),
        ("?limit=1&limit=2", json!("limit")),
        ("?cursor=x", json!("cursor")),
        ("?cursor=!", json!("cursor")),
        ("?remaining_at_most=-1", json!("remaining_at_most")),
        ("?remaining=3", Value::Null),
        ("?code=KZ3M-Q7TB-WJ5R-HXYN", Value::Null),
    ] {
        let answer = host
            .accounts(query)
            .await
            .expect_problem(400, "bad-request");
        assert_eq!(answer.json["parameter"], parameter, "{query}");
        assert!(!answer.text().contains("KZ3M"));
    }
    let cursor = "YWFsaWNl";
    host.accounts(&format!("?cursor={cursor}"))
        .await
        .expect(200);
    let answer = host.events("alice", &format!("?cursor={cursor}")).await;
    answer.expect_problem(400, "bad-request");
}

/// Row S17.
#[tokio::test]
async fn events_are_newest_first_and_paged() {
    let app = App::start().await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    host.redeem("alice", &codes[0]).await.expect(200);
    host.redeem("alice", &codes[0]).await.expect(403);
    host.revoke("alice").await.expect(204);
    let all = host.events("alice", "").await.expect(200).json;
    let rows = all["events"].as_array().unwrap();
    let kinds: Vec<_> = rows
        .iter()
        .map(|row| row["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "codes.revoked",
            "codes.refused",
            "codes.redeemed",
            "codes.activated",
            "codes.staged"
        ]
    );
    assert_eq!(rows[1]["detail"], "used");
    assert_eq!(rows[2]["number"], 1);
    assert_eq!(rows[2]["remaining"], 9);
    assert!(!all.to_string().contains(&codes[0]));

    let first = host.events("alice", "?limit=2").await.expect(200).json;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = host
        .events("alice", &format!("?limit=3&cursor={cursor}"))
        .await
        .json;
    assert_eq!(first["events"].as_array().unwrap(), &rows[..2]);
    assert_eq!(second["events"].as_array().unwrap(), &rows[2..]);
    assert_eq!(second["next_cursor"], Value::Null);
    assert_eq!(host.events("bob", "").await.json["events"], json!([]));
}

#[tokio::test]
async fn a_forgotten_account_is_a_stranger_again() {
    let app = App::start().await;
    let host = app.host();
    let (_, codes) = host.issue("alice").await;
    host.redeem("alice", &codes[0]).await.expect(200);
    host.redeem("alice", &codes[0]).await.expect(403);
    host.forget("alice").await.expect(204);
    let fresh = app.host().status("alice").await.json;
    assert_eq!(fresh["generation"], 0);
    assert_eq!(fresh["throttle"]["tries_left"], 10);
    assert_eq!(host.events("alice", "").await.json["events"], json!([]));
    host.forget("alice").await.expect_problem(404, "not-found");
    let (generation, new) = host.issue("alice").await;
    assert_eq!(generation, 1);
    host.redeem("alice", &codes[1])
        .await
        .expect_problem(403, "code-not-accepted");
    host.redeem("alice", &new[1]).await.expect(200);
    let path = of("alice", "");
    assert_eq!(path, "/recovery/v1/accounts/alice");
}
