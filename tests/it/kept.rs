//! How codes are kept, and what is drawn for machines: salts, digests, parameters, lengths, times.

use std::collections::HashSet;

use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER};
use rusqlite::Connection;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use spare_key_core::Code;
use spare_key_server::domain::Policy;
use spare_key_server::model::HashParams;
use spare_key_tests::{App, Options};

/// Valid by its check and never issued.
const STRANGER: &str = "KZ3M-Q7TB-WJ5R-HXYN";

fn options(hash: HashParams) -> Options {
    let mut options = Options::default();
    options.policy.hash = hash;
    options
}

/// Memory, passes and lanes of an account's batch of this number, as the database has them.
fn params(app: &App, account: &str, generation: u32) -> HashParams {
    let db = Connection::open(app.database()).expect("the database");
    db.query_row(
        "SELECT memory_kib, passes, lanes FROM batch JOIN account ON n = account_n
         WHERE id = ?1 AND generation = ?2",
        (account, generation),
        |row| {
            Ok(HashParams {
                memory_kib: row.get(0)?,
                passes: row.get(1)?,
                lanes: row.get(2)?,
            })
        },
    )
    .expect("a batch")
}

/// Salt and digest of every code that is stored.
fn stored(app: &App) -> Vec<(Vec<u8>, Vec<u8>)> {
    let db = Connection::open(app.database()).expect("the database");
    let mut rows = db
        .prepare("SELECT salt, digest FROM code ORDER BY account_n, generation, number")
        .expect("a statement");
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.and_then(Iterator::collect).expect("codes")
}

/// Rows.
#[tokio::test]
async fn each_code_has_a_salt_of_its_own_and_a_slow_digest() {
    let app = App::start().await;
    let host = app.host();
    let mut codes = Vec::new();
    for account in 0..50 {
        codes.extend(host.issue(&format!("account {account}")).await.1);
    }
    let stored = stored(&app);
    assert_eq!((stored.len(), codes.len()), (500, 500));
    assert!(
        stored
            .iter()
            .all(|(salt, digest)| (salt.len(), digest.len()) == (16, 32))
    );
    let salts: HashSet<_> = stored.iter().map(|(salt, _)| salt).collect();
    let digests: HashSet<_> = stored.iter().map(|(_, digest)| digest).collect();
    assert_eq!((salts.len(), digests.len()), (500, 500));
    // Not what a fast hash gives, with the salt or without it.
    for code in &codes {
        let canonical = code.replace('-', "");
        for text in [code.as_bytes(), canonical.as_bytes()] {
            assert!(!digests.contains(&Sha256::digest(text).to_vec()));
            for (salt, _) in stored.iter().take(10) {
                let salted = Sha256::digest([salt.as_slice(), text].concat());
                assert!(!digests.contains(&salted.to_vec()));
            }
        }
    }
}

/// Rows, L16.
#[tokio::test]
async fn codes_outlive_a_change_of_parameters_and_new_ones_take_the_new() {
    let weak = HashParams {
        memory_kib: 16,
        passes: 1,
        lanes: 1,
    };
    let before = App::start_with(options(weak)).await;
    let (_, old) = before.host().issue("alice").await;
    let floor = Policy::standard(true).hash;
    let after = before.another_with(options(floor));
    let host = after.host();
    assert_eq!(params(&after, "alice", 1), weak);
    host.redeem("alice", &old[0]).await.expect(200);
    // As dear as it was stored, and no dearer for having been redeemed.
    assert_eq!(params(&after, "alice", 1), weak);
    let body = json!({ "count": 1, "activate": "at_once", "proof": host.proof() });
    let new = host.stage("alice", body).await.expect(201).codes();
    // OWASP's floor for Argon2id.
    let expected = HashParams {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };
    assert_eq!(params(&after, "alice", 2), expected);
    host.redeem("alice", &old[1]).await.expect(403);
    before.host().redeem("alice", &new[0]).await.expect(200);
}

/// Row S2.
#[tokio::test]
async fn what_is_stored_of_a_code_is_no_code() {
    let mut options = Options::default();
    options.policy.recovery_throttle.capacity = 10_000;
    options.policy.recovery_throttle.dead_at = 10_000;
    let app = App::start_with(options).await;
    let host = app.host();
    host.issue("alice").await;
    for (salt, digest) in stored(&app) {
        for bytes in [&salt, &digest] {
            for text in [
                HEXLOWER.encode(bytes),
                BASE64.encode(bytes),
                BASE32_NOPAD.encode(bytes),
            ] {
                host.redeem("alice", &text)
                    .await
                    .expect_problem(422, "malformed-code");
            }
            // Cut to a code's length, and with the check symbol that fits.
            let text = BASE32_NOPAD.encode(bytes);
            let code = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
                .chars()
                .map(|check| format!("{}{check}", &text[..15]))
                .find(|code| Code::parse(code).is_ok())
                .expect("one fits");
            host.redeem("alice", &code)
                .await
                .expect_problem(403, "code-not-accepted");
        }
    }
    assert_eq!(host.status("alice").await.json["remaining"], 10);
}

/// Rows S14, A-43: the same words, and the one thing that takes time.
#[tokio::test]
async fn every_refusal_costs_the_same() {
    let app = App::start().await;
    let host = app.host();
    host.issue("wrong").await;
    let (_, used) = host.issue("used").await;
    host.redeem("used", &used[0]).await.expect(200);
    let (_, superseded) = host.issue("superseded").await;
    host.issue("superseded").await;
    host.issue("revoked").await;
    host.revoke("revoked").await.expect(204);
    let tries = [
        ("wrong", STRANGER),
        ("used", &used[0]),
        ("superseded", &superseded[0]),
        ("revoked", STRANGER),
        ("unknown", STRANGER),
    ];
    let mut answers = Vec::new();
    for (account, code) in tries {
        let before = app.hashes().await;
        let answer = host.redeem(account, code).await.expect(403);
        assert_eq!(app.hashes().await, before + 1, "{account}");
        answers.push(answer.json);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

/// Rows: 128 bits at least, with nothing in them that is alike in all but the tag that
/// says what they are: the first bytes of a time would be.
#[tokio::test]
async fn what_machines_carry_is_long_and_random_in_every_byte() {
    const MANY: usize = 24;
    let app = App::start().await;
    let program = app.program();
    let dora = app.enrolled("dora").await;
    let bob = app.add_person("bob").await;
    let (erik, mut browser) = app.canopy_person("erik").await;
    let phone = browser.enroll("Phone").await;
    let mut kinds: Vec<(&str, Vec<String>)> = Vec::new();
    let mut add = |kind, value: String| match kinds.iter_mut().find(|(name, _)| *name == kind) {
        Some((_, values)) => values.push(value),
        None => kinds.push((kind, vec![value])),
    };
    for _ in 0..MANY {
        add("mfa_token", program.mfa_token(&dora, &[]).await);
        add("arklow session", app.arklow_session(&bob).await.credential);
        browser.sign_in_by_otp(&erik, &phone.secret).await;
        add("challenge", browser.challenged(&erik).await);
        add("step-up", browser.stepped_up(&phone.secret).await);
        let begun = browser.start().await.expect(200);
        add("enrollment", begun.text_of("enrollment_token").to_owned());
        let secret = begun.text_of("manual_entry_key").to_owned();
        assert_eq!(BASE32_NOPAD.decode(secret.as_bytes()).unwrap().len(), 20);
        add("TOTP secret", secret);
        let kept = [("scope", "openid offline_access")];
        let answer = program.sign_in_by_otp(&dora, &kept).await.expect(200);
        add("refresh token", answer.text_of("refresh_token").to_owned());
    }
    assert_eq!(kinds.len(), 7);
    for (kind, values) in kinds {
        let raw: HashSet<Vec<u8>> = values
            .iter()
            .map(|value| {
                let tags = ["su_", "en_", "mc_", "ses_"];
                let text = tags.iter().find_map(|tag| value.strip_prefix(tag));
                let text = text.unwrap_or(value);
                match kind {
                    "TOTP secret" => BASE32_NOPAD.decode(text.as_bytes()),
                    _ => BASE64URL_NOPAD.decode(text.as_bytes()),
                }
                .unwrap_or_else(|_| panic!("{kind} is {} characters", value.len()))
            })
            .collect();
        assert_eq!(raw.len(), MANY, "{kind}");
        let length = raw.iter().map(Vec::len).min().unwrap_or(0);
        assert!(length >= 20, "{kind}: {length} bytes");
        for place in 0..length {
            let seen: HashSet<u8> = raw.iter().map(|bytes| bytes[place]).collect();
            assert!(seen.len() > 1, "{kind}: byte {place} is always the same");
        }
    }
}
