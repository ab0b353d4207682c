//! Codes of other systems through the native dialect: the same as our own in all but how they look.

use axum::http::Method;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::json;
use spare_key_core::Code;
use spare_key_server::domain::{ImportHow, ImportOutcome, ImportUnfit, Policy};
use spare_key_server::hasher::{Recipe, Unfit};
use spare_key_server::model::{Generation, HashParams, Imported, Millis, Origin};
use spare_key_tests::foreign::{EXACT, batch, forgiving, verifiers};
use spare_key_tests::native::of;
use spare_key_tests::{App, Options};

/// Valid by its check and never issued.
const STRANGER: &str = "KZ3M-Q7TB-WJ5R-HXYN";

/// Published: the reference Argon2's test.c, of `password`.
const ARGON2: &str =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

/// Published: crypt_blowfish's wrapper.c, of `U*U`.
const BCRYPT: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// With the memory of production, which foreign verifiers are measured by.
async fn app() -> App {
    let mut options = Options::default();
    options.policy.hash = Policy::standard(true).hash;
    App::start_with(options).await
}

fn owned(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

/// Of each origin: how it is read, what it keeps, a code as somebody types it, and one that is not
/// of it.
fn kinds() -> Vec<(Imported, Vec<String>, &'static str, &'static str)> {
    let mixed = ["ABcd 12-34", "efGH 56-78"];
    vec![
        (
            forgiving(Origin::Keycloak),
            verifiers("keycloak", &["ABCDEFGHJKLM", "NPQRSTUVWXYZ"]),
            "abcd-efgh-jklm",
            "ABCD-EFGH-JKLN",
        ),
        (
            forgiving(Origin::Supabase),
            owned(&[ARGON2]),
            "PASS-word",
            "passwore",
        ),
        (
            forgiving(Origin::Plaintext),
            owned(&["K7QM-99ZT-PLHG", "WXYZ-1234-ABCD"]),
            "k7qm 99zt plhg",
            "K7QM-99ZT-PLHH",
        ),
        (EXACT, verifiers("scrypt", &mixed), mixed[0], "abcd 12-34"),
        (EXACT, verifiers("pbkdf2", &mixed), mixed[0], "ABcd12-34"),
        (EXACT, owned(&[BCRYPT]), "U*U", "u*u"),
    ]
}

// Rows L16, L17: a code of each origin is redeemed once, and told as our own are.
#[tokio::test]
async fn codes_of_every_origin_are_redeemed_once() {
    let app = app().await;
    let host = app.host();
    for (at, (imported, kept, code, other)) in kinds().into_iter().enumerate() {
        let account = format!("account {at}");
        app.import(&account, imported, &kept).await;
        let status = host.status(&account).await.expect(200).json;
        assert_eq!(status["format"], "imported");
        assert_eq!(
            (&status["state"], &status["total"], &status["remaining"]),
            (&json!("active"), &json!(kept.len()), &json!(kept.len()))
        );
        host.redeem(&account, other)
            .await
            .expect_problem(403, "code-not-accepted");
        let answer = host.redeem(&account, code).await.expect(200).json;
        assert_eq!(answer["number"], 1, "{code}");
        assert_eq!(answer["remaining"], kept.len() - 1);
        assert_eq!(answer["replacement"], json!(null));
        host.redeem(&account, code)
            .await
            .expect_problem(403, "code-not-accepted");
        let events = host.events(&account, "").await.expect(200).json;
        let events = events["events"].as_array().unwrap().iter();
        let kinds = Vec::from_iter(events.map(|event| event["kind"].as_str().unwrap()));
        assert_eq!(
            kinds,
            [
                "codes.refused",
                "codes.redeemed",
                "codes.refused",
                "codes.imported"
            ]
        );
    }
}

// Rows S13, S14: who has no imported codes pays nothing for what cannot be theirs, and learns what is
// wrong with it; who has them has tried one, whatever it looks like.
#[tokio::test]
async fn what_is_no_code_is_an_attempt_only_on_imported_ones() {
    let app = app().await;
    let host = app.host();
    host.issue("ours").await;
    app.import(
        "theirs",
        forgiving(Origin::Plaintext),
        &owned(&["K7QM99ZTPLHG"]),
    )
    .await;
    let hashes = app.hashes().await;
    for account in ["ours", "unknown"] {
        host.redeem(account, "K7QM-99ZT-PLHG")
            .await
            .expect_problem(422, "malformed-code");
        assert_eq!(app.hashes().await, hashes, "{account}");
    }
    for (tried, text) in ["K7QM-99ZT-PLHX", STRANGER, "x", &"y".repeat(64)]
        .iter()
        .enumerate()
    {
        let answer = host.redeem("theirs", text).await;
        let answer = answer.expect_problem(403, "code-not-accepted");
        assert_eq!(answer.json["tries_left"], 9 - tried);
        assert_eq!(app.hashes().await, hashes + 1 + tried as u64, "{text}");
    }
    // Longer than any of them, or of other characters: nothing is hashed.
    for text in [&"y".repeat(65), "ключ-от-квартиры", " - "] {
        host.redeem("theirs", text)
            .await
            .expect_problem(422, "malformed-code");
    }
    assert_eq!(app.hashes().await, hashes + 4);
}

// Row S13: an attempt on slow verifiers runs those that are left, all of them, and one of our own.
#[tokio::test]
async fn an_attempt_runs_every_verifier_that_is_left_and_one_hash_of_ours() {
    let app = app().await;
    let host = app.host();
    let codes = ["first code", "second code", "third code"];
    app.import("alice", EXACT, &verifiers("scrypt", &codes))
        .await;
    let mut before = app.hashes().await;
    for (code, hashes) in [
        ("another code", 4),
        (codes[0], 4),
        (codes[0], 3),
        ("another code", 3),
        (codes[2], 3),
        (codes[1], 2),
        (codes[1], 1),
    ] {
        host.redeem("alice", code).await;
        let after = app.hashes().await;
        assert_eq!(after - before, hashes, "{code}");
        before = after;
    }
    assert_eq!(host.status("alice").await.json["remaining"], 0);
}

// Row S2: what is stored, here or where it came from, is no code.
#[tokio::test]
async fn a_stored_verifier_is_no_code() {
    let app = app().await;
    let host = app.host();
    for (at, (imported, kept, code, _)) in kinds().into_iter().enumerate() {
        let account = format!("account {at}");
        app.import(&account, imported, &kept).await;
        let db = rusqlite::Connection::open(app.database()).unwrap();
        let rows: Vec<(Vec<u8>, Vec<u8>, String)> = db
            .prepare(
                "SELECT salt, digest, recipe FROM code
                 WHERE account_n = (SELECT n FROM account WHERE id = ?1)",
            )
            .unwrap()
            .query_map([&account], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let (salt, digest, recipe) = &rows[0];
        let tried = [
            kept[0].clone(),
            kept[0].trim_end_matches('=').to_owned(),
            HEXLOWER.encode(digest),
            BASE64.encode(digest),
            HEXLOWER.encode(salt),
            recipe.clone(),
        ];
        for text in tried {
            // A code in plain text is one, and stands in none of the rows.
            if imported.origin == Origin::Plaintext && text == kept[0] {
                continue;
            }
            let answer = host.redeem(&account, &text).await;
            assert!([403, 422].contains(&answer.status.as_u16()), "{text}");
        }
        host.redeem(&account, code).await.expect(200);
    }
}

// Row S1 and the keyring: neither codes nor foreign digests are in the database.
#[tokio::test]
async fn the_database_has_no_foreign_digest_and_no_code() {
    let app = app().await;
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for (at, (imported, kept, code, _)) in kinds().into_iter().enumerate() {
        let account = format!("account {at}");
        let batch = batch(&account, imported, &kept);
        for verifier in &batch.codes {
            forms.push(verifier.digest.to_vec());
            forms.push(BASE64.encode(&verifier.digest).into_bytes());
        }
        forms.extend(kept.iter().map(|text| text.clone().into_bytes()));
        if code.len() > 4 {
            forms.push(code.to_owned().into_bytes());
        }
        app.import(&account, imported, &kept).await;
    }
    let database = app.database();
    for suffix in ["", "-wal"] {
        let mut path = database.clone().into_os_string();
        path.push(suffix);
        let bytes = std::fs::read(path).unwrap_or_default();
        for form in &forms {
            let found = bytes.windows(form.len()).any(|part| part == form);
            assert!(!found, "{}", String::from_utf8_lossy(form));
        }
    }
}

// Row L16: our own codes take their place, and the way to the old ones is shut.
#[tokio::test]
async fn new_codes_replace_imported_ones() {
    let app = app().await;
    let host = app.host();
    let kept = owned(&["K7QM99ZTPLHG", "WXYZ1234ABCD"]);
    app.import("alice", forgiving(Origin::Plaintext), &kept)
        .await;
    let body = json!({ "proof": host.proof() });
    let staged = host.stage("alice", body).await.expect(201);
    // Until the new ones are saved, the old ones work.
    host.redeem("alice", &kept[0]).await.expect(200);
    host.activate("alice", 2).await.expect(200);
    let before = app.hashes().await;
    host.redeem("alice", &kept[1])
        .await
        .expect_problem(422, "malformed-code");
    assert_eq!(app.hashes().await, before);
    host.redeem("alice", &staged.codes()[0]).await.expect(200);
    assert_eq!(host.status("alice").await.json["format"], "list");
}

/// A code of another system that has our own length, alphabet and check symbol.
#[tokio::test]
async fn an_imported_code_may_look_like_one_of_ours() {
    let app = app().await;
    let host = app.host();
    assert!(Code::parse(STRANGER).is_ok());
    let kept = verifiers("pbkdf2", &["kz3mq7tbwj5rhxyn"]);
    let rule = Imported {
        origin: Origin::Phc,
        ..forgiving(Origin::Supabase)
    };
    app.import("alice", rule, &kept).await;
    host.redeem("alice", STRANGER).await.expect(200);
}

#[tokio::test]
async fn two_imported_codes_of_one_tag_both_redeem() {
    let app = app().await;
    let host = app.host();
    let kept = "K7QM99ZTPLHG";
    let keyring = app.mfa().keyring();
    let imported = forgiving(Origin::Plaintext);
    let account = batch("alice", imported, &owned(&[kept])).account;
    let tag = |code: &str| {
        keyring
            .locator(keyring.current(), &account, Generation(1), code.as_bytes())
            .unwrap()
    };
    let twin = (0..).map(|n: u32| format!("TWIN{n:08}"));
    let twin = twin
        .into_iter()
        .find(|code| tag(code) == tag(kept))
        .unwrap();
    app.import("alice", imported, &[kept.to_owned(), twin.clone()])
        .await;
    assert_eq!(
        host.redeem("alice", &twin).await.expect(200).json["number"],
        2
    );
    assert_eq!(
        host.redeem("alice", kept).await.expect(200).json["number"],
        1
    );
}

#[tokio::test]
async fn guessing_at_imported_codes_is_slowed_like_any_other() {
    let app = app().await;
    let host = app.host();
    app.import(
        "alice",
        forgiving(Origin::Plaintext),
        &owned(&["K7QM99ZTPLHG"]),
    )
    .await;
    for guess in 0..10 {
        host.redeem("alice", &format!("GUESS{guess}"))
            .await
            .expect(403);
    }
    let before = app.hashes().await;
    host.redeem("alice", "K7QM-99ZT-PLHG")
        .await
        .expect_problem(429, "throttled");
    assert_eq!(app.hashes().await, before);
    app.clock.advance(Millis::minutes(10));
    host.redeem("alice", "K7QM-99ZT-PLHG").await.expect(200);
}

#[tokio::test]
async fn switched_off_codes_are_not_accepted_wherever_they_came_from() {
    let app = app().await;
    let host = app.host();
    app.import(
        "alice",
        forgiving(Origin::Plaintext),
        &owned(&["K7QM99ZTPLHG"]),
    )
    .await;
    app.switch_codes(false).await;
    let answer = host.redeem("alice", "K7QM-99ZT-PLHG").await;
    answer.expect_problem(422, "malformed-code");
    app.switch_codes(true).await;
    host.redeem("alice", "K7QM-99ZT-PLHG").await.expect(200);
    let forgotten = host.ask(Method::DELETE, &of("alice", ""), None).await;
    forgotten.expect(204);
}

// Rows L17, S13: what would cost too much, or is no set of codes, is not taken.
#[tokio::test]
async fn what_does_not_fit_is_not_taken() {
    let app = app().await;
    let fits = |kept: &[String]| {
        let origin = if kept.first().is_some_and(|text| text.starts_with('$')) {
            Origin::Phc
        } else {
            Origin::Plaintext
        };
        let imported = Imported { origin, ..EXACT };
        app.mfa().import_fits(&batch("alice", imported, kept))
    };
    let many = |count: usize| Vec::from_iter((0..count).map(|n| format!("CODE{n:08}")));
    assert_eq!(fits(&many(16)), Ok(()));
    assert_eq!(fits(&many(17)), Err(ImportUnfit::TooMany));
    assert_eq!(fits(&[]), Err(ImportUnfit::Empty));
    assert_eq!(fits(&owned(&["TWICE", "TWICE"])), Err(ImportUnfit::Twins));
    let digest = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let large = format!("$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ${digest}");
    assert_eq!(fits(&[large]), Err(ImportUnfit::Verifier(Unfit::Memory)));
    let dear = "$2a$14$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    assert_eq!(fits(&owned(&[dear])), Err(ImportUnfit::TooDear));
    let mut twice = batch("alice", EXACT, &owned(&[ARGON2, BCRYPT]));
    twice.codes[1].number = 1;
    assert_eq!(app.mfa().import_fits(&twice), Err(ImportUnfit::Numbers));
    assert!(Recipe::of_verifier("CODE").is_err());
}

#[tokio::test]
async fn who_has_had_codes_or_is_not_here_is_left_alone() {
    let app = app().await;
    let host = app.host();
    let import = async |account: &str, create: bool| {
        let imported = forgiving(Origin::Plaintext);
        let batch = batch(account, imported, &owned(&["K7QM99ZTPLHG"]));
        let how = ImportHow {
            create,
            replace: false,
        };
        let would = app.mfa().would_import(&batch.account, how).await.unwrap();
        let outcome = app.mfa().import(&batch, how).await.unwrap();
        assert_eq!(would, outcome);
        outcome
    };
    host.issue("ours").await;
    assert_eq!(import("ours", true).await, ImportOutcome::HasCodes);
    assert_eq!(import("new", false).await, ImportOutcome::NoAccount);
    assert_eq!(host.status("new").await.json["state"], "none");
    assert_eq!(import("new", true).await, ImportOutcome::Taken);
    assert_eq!(import("new", true).await, ImportOutcome::HasCodes);
    // Codes are never the only factor of who signs in here.
    let bare = app.add_person("bare").await;
    assert_eq!(import(&bare.id, true).await, ImportOutcome::NoAuthenticator);
    // Which the host's own rule is not.
    host.revoke("new").await.expect(204);
    assert_eq!(import("new", true).await, ImportOutcome::HasCodes);
}

// A change of the usual hash leaves imported batches as they were.
#[tokio::test]
async fn imported_codes_outlive_a_change_of_parameters() {
    let app = app().await;
    app.import(
        "alice",
        forgiving(Origin::Plaintext),
        &owned(&["K7QM99ZTPLHG"]),
    )
    .await;
    let mut options = Options::default();
    options.policy.hash = HashParams {
        memory_kib: 64,
        passes: 3,
        lanes: 1,
    };
    let later = app.another_with(options);
    later
        .host()
        .redeem("alice", "K7QM-99ZT-PLHG")
        .await
        .expect(200);
}
