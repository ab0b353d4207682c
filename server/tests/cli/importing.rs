//! `import`: what other systems stored of codes, read from their own forms.

use serde_json::{Value, json};

use crate::support::{Ended, Place, http};

/// Of `password`: the reference Argon2's test.c. Of `ABCDEFGHJKLM`: as Keycloak keeps it.
const ARGON2: &str =
    "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
const SHA512: &str =
    "p+DMhIoz853kiiNUFbBrZwlDskNronzXZ6sjwawFZoDLeSxlPeAWy3h3KHkiJEWa+OtxAZ4qv0CY8+v2QRq2iA==";

const TWO: &str = r#"{"account":"alice","codes":["K7QM-99ZT-PLHG",null,"WXYZ-1234-ABCD"]}
{"account":"bob","codes":["1234567890123"]}
"#;

/// A keyring, an empty database, and the arguments that name both.
fn place() -> (Place, [&'static str; 4]) {
    let place = Place::new();
    let paths = place.with_keyring();
    let shop = ["client", "add", "shop", "--scope", "recovery:read"];
    place.run(&[shop.as_slice(), &paths].concat()).done();
    (place, paths)
}

fn import(place: &Place, paths: &[&str], format: &str, text: &str, more: &[&str]) -> Ended {
    let args = ["import", "-", "--json", "--format", format];
    place.run_reading(text, &[args.as_slice(), more, paths].concat())
}

fn accounts(place: &Place, paths: &[&str]) -> Value {
    let list = ["account", "list", "--json", "--limit", "1000"];
    place.run(&[list.as_slice(), paths].concat()).done().json()
}

fn recovery(place: &Place, paths: &[&str], account: &str) -> Value {
    let show = ["account", "show", account, "--json"];
    let shown = place.run(&[show.as_slice(), paths].concat()).done();
    shown.json()["recovery"].clone()
}

// Row L17.
#[test]
fn a_dry_run_says_what_an_import_does_and_does_nothing() {
    let (place, paths) = place();
    let create = ["--create-accounts"];
    let dry = ["--create-accounts", "--dry-run"];
    let would = import(&place, &paths, "plaintext", TWO, &dry).done().json();
    assert_eq!(accounts(&place, &paths)["accounts"], json!([]));
    let mut did = import(&place, &paths, "plaintext", TWO, &create)
        .done()
        .json();
    assert_eq!(would["dry_run"], true);
    did["dry_run"] = json!(true);
    assert_eq!(would, did);
    assert_eq!(
        (
            &did["read"],
            &did["imported"],
            &did["created"],
            &did["below_64_bits"]
        ),
        (&json!(2), &json!(2), &json!(2), &json!(2))
    );
    assert_eq!(did["batches_by_codes"], json!({ "1": 1, "2": 1 }));
    let alice = recovery(&place, &paths, "alice");
    assert_eq!(alice["format"], "imported");
    assert_eq!(alice["origin"], "plaintext");
    assert_eq!(
        (&alice["remaining"], &alice["total"]),
        (&json!(2), &json!(2))
    );
}

// Row L17: nothing is added to what is there.
#[test]
fn a_second_run_changes_nothing_unless_it_is_to_replace() {
    let (place, paths) = place();
    let create = ["--create-accounts"];
    import(&place, &paths, "plaintext", TWO, &create).done();
    let before = recovery(&place, &paths, "alice");
    let again = import(&place, &paths, "plaintext", TWO, &[]).done().json();
    assert_eq!(
        (&again["imported"], &again["left_alone"], &again["refused"]),
        (&json!(0), &json!(2), &json!(0))
    );
    assert_eq!(recovery(&place, &paths, "alice"), before);
    let replaced = import(&place, &paths, "plaintext", TWO, &["--replace"]);
    assert_eq!(replaced.done().json()["imported"], 2);
    assert_eq!(recovery(&place, &paths, "alice")["generation"], 2);
}

#[test]
fn accounts_that_are_not_here_are_refused_unless_they_are_to_be_made() {
    let (place, paths) = place();
    let refused = import(&place, &paths, "plaintext", TWO, &[]).refused();
    let report = refused.json();
    assert_eq!(
        (&report["imported"], &report["missing"], &report["refused"]),
        (&json!(0), &json!(2), &json!(2))
    );
    assert_eq!(report["passed_over"][1]["account"], "bob");
    assert_eq!(accounts(&place, &paths)["accounts"], json!([]));
}

#[test]
fn who_signs_in_here_needs_an_authenticator_first() {
    let (place, paths) = place();
    let add = [
        "account",
        "add",
        "alice",
        "--login",
        "alice",
        "--password-stdin",
    ];
    let password = "correct horse battery staple\n";
    place
        .run_reading(password, &[add.as_slice(), &paths].concat())
        .done();
    let refused = import(&place, &paths, "plaintext", TWO, &["--create-accounts"]).refused();
    let passed = &refused.json()["passed_over"];
    assert_eq!(passed[0]["account"], "alice");
    assert!(
        passed[0]["reason"]
            .as_str()
            .unwrap()
            .contains("authenticator")
    );
    assert_eq!(refused.json()["imported"], 1);
}

/// Each line, and a part of why it is refused.
fn bad_lines() -> Vec<(&'static str, String, &'static str)> {
    let of = |codes: Value| json!({ "account": "alice", "codes": codes }).to_string();
    let cut = format!("{{\"account\":\"alice\",\"codes\":[\"{ARGON2}\"");
    let dear = "$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    let large = ARGON2.replace("m=256", "m=65536").replace("$nf65", "$of65");
    let keycloak = |data: &str, secret: &str| {
        let credential = json!({
            "type": "recovery-authn-codes", "credentialData": data, "secretData": secret,
        });
        json!({ "users": [{ "id": "alice", "credentials": [credential] }] }).to_string()
    };
    let code = json!({ "codes": [{ "number": 1, "encodedHashedValue": "QUJD" }] }).to_string();
    let sha512 = r#"{"algorithm":"SHA-512"}"#;
    vec![
        ("phc", cut, "not of the form"),
        ("phc", "SECRET-CODE-1234".to_owned(), "not of the form"),
        (
            "phc",
            of(json!(["SECRET-CODE-1234"])),
            "code 1: no verifier",
        ),
        ("phc", of(json!([ARGON2, large])), "more memory"),
        (
            "phc",
            of(json!(vec![dear; 1])).replace("2b$12", "2b$16"),
            "more than 64 hashes",
        ),
        ("phc", of(json!([ARGON2, ARGON2])), "the same code twice"),
        ("phc", of(json!([null])), "no unused code"),
        (
            "phc",
            of(json!([ARGON2])).replace("alice", ""),
            "identifier",
        ),
        ("plaintext", of(json!(["12345678"])), "32 bits"),
        (
            "plaintext",
            of(json!(["SECRET-CODE-1234\u{1f511}"])),
            "code 1",
        ),
        ("plaintext", of(json!(vec!["x"; 40])), "32 bits"),
        (
            "supabase",
            json!({ "user_id": "alice" }).to_string(),
            "not of the form",
        ),
        (
            "keycloak",
            keycloak(r#"{"algorithm":"argon2"}"#, &code),
            "SHA-512",
        ),
        ("keycloak", keycloak(sha512, &code), "code 1"),
        (
            "keycloak",
            keycloak(sha512, "SECRET-CODE-1234"),
            "secretData",
        ),
    ]
}

// Nothing that is said of a line holds what is in it.
// Row L17.
#[test]
fn what_cannot_be_taken_is_refused_by_its_line_and_without_a_secret() {
    let (place, paths) = place();
    for (format, line, why) in bad_lines() {
        let more = ["--create-accounts"];
        let refused = import(&place, &paths, format, &line, &more).refused();
        let report = refused.json();
        assert_eq!(report["refused"], 1, "{line}");
        assert_eq!(report["passed_over"][0]["at"], 1);
        let reason = report["passed_over"][0]["reason"].as_str().unwrap();
        assert!(reason.contains(why), "{line}: {reason}");
        let args = ["import", "-", "--format", format, "--create-accounts"];
        let text = place.run_reading(&line, &[args.as_slice(), &paths].concat());
        for said in [&refused.stdout, &refused.stderr, &text.stdout, &text.stderr] {
            assert!(
                !said.contains("SECRET") && !said.contains("nf65EOg"),
                "{said}"
            );
        }
    }
    assert_eq!(accounts(&place, &paths)["accounts"], json!([]));
    for (format, text) in [
        (
            "keycloak",
            "{\"users\":[{\"id\":\"SECRET-CODE-1234\"".to_owned(),
        ),
        ("keycloak", "{\"realm\":\"SECRET-CODE-1234\"}".to_owned()),
        ("phc", format!("{}\n", "SECRET-CODE-1234".repeat(5_000))),
    ] {
        let broken = import(&place, &paths, format, &text, &[]).refused();
        assert!(broken.stderr.contains("cannot be read on"), "{broken:?}");
        assert!(!broken.stderr.contains("SECRET"), "{broken:?}");
    }
    let args = ["import", "nowhere.jsonl", "--format", "phc"];
    let nowhere = place.run(&[args.as_slice(), &paths].concat()).refused();
    assert!(nowhere.stderr.contains("nowhere.jsonl"), "{nowhere:?}");
}

#[test]
fn an_account_that_stands_in_the_file_twice_is_taken_once() {
    let (place, paths) = place();
    let line = r#"{"account":"alice","codes":["K7QM-99ZT-PLHG"]}"#;
    let twice = format!("{line}\n\n{}\n", line.replace("PLHG", "PLHH"));
    let refused = import(&place, &paths, "plaintext", &twice, &["--create-accounts"]).refused();
    let report = refused.json();
    assert_eq!(
        (&report["imported"], &report["refused"]),
        (&json!(1), &json!(1))
    );
    // The line that is empty counts as a line.
    assert_eq!(report["passed_over"][0]["at"], 3);
}

// Rows L16, L17: from the form of each system to a code that is spent.
#[test]
fn what_each_format_holds_redeems() {
    let place = Place::new();
    let (running, address) = place.dev();
    let phc = json!({ "account": "phc", "codes": [null, ARGON2] }).to_string();
    let codes = json!([
        { "code_hash": ARGON2, "consumed_at": "2026-09-01T12:00:00Z" },
        { "code_hash": ARGON2, "consumed_at": null },
    ]);
    let supabase = json!({ "user_id": "supabase", "codes": codes }).to_string();
    let secret = json!({ "codes": [{ "number": 2, "encodedHashedValue": SHA512 }] });
    let keycloak = json!({
        "realm": "shop",
        "roles": { "realm": [{ "name": "user" }] },
        "users": [
            { "id": "without", "credentials": [{ "type": "password", "secretData": "{}" }] },
            { "id": "elsewhere", "username": "keycloak", "credentials": [{
                "type": "recovery-authn-codes",
                "createdDate": 1_700_000_000_000_u64,
                "credentialData": r#"{"hashIterations":1,"algorithm":"RS512","remaining":1,"total":12}"#,
                "secretData": secret.to_string(),
            }] },
        ],
    });
    let plaintext = json!({ "account": "plaintext", "codes": [null, "abcd-EFGH-1234"] });
    for (format, text, code) in [
        ("phc", phc, "password"),
        ("supabase", supabase, "PASS-word"),
        ("keycloak", keycloak.to_string(), "abcd efgh jklm"),
        ("plaintext", plaintext.to_string(), "abcdEFGH1234"),
    ] {
        let more = ["--create-accounts", "--by", "username"];
        let report = import(&place, &[], format, &text, &more).done().json();
        assert_eq!(
            (&report["read"], &report["imported"]),
            (&json!(1), &json!(1))
        );
        let redeem = || {
            http(
                &address,
                &format!("POST /recovery/v1/accounts/{format}/redeem"),
                &json!({
                    "code": code,
                    "proof": { "amr": ["pwd"], "at": place.time() },
                })
                .to_string(),
            )
        };
        let (status, answer) = redeem();
        assert_eq!(status, 200, "{format}: {answer}");
        assert!(answer.contains(r#""number":2,"remaining":0"#), "{answer}");
        assert_eq!(redeem().0, 403, "{format}");
    }
    running.stop();
}

// A crash leaves every account with all of its codes or none, and the same file again does the rest.
#[test]
fn an_import_that_is_killed_is_finished_by_the_next() {
    let (place, paths) = place();
    let all: Vec<String> = (0..40)
        .map(|n| {
            let codes = Vec::from_iter((0..5).map(|code| format!("CODE-{n:04}-{code:04}")));
            json!({ "account": format!("account {n:02}"), "codes": codes }).to_string() + "\n"
        })
        .collect();
    let args = ["import", "-", "--format", "plaintext", "--create-accounts"];
    let mut running = place.start_reading(&[args.as_slice(), &paths].concat());
    running.feed(all[..3].concat().as_bytes());
    let count = || {
        accounts(&place, &paths)["accounts"]
            .as_array()
            .unwrap()
            .len()
    };
    while count() < 3 {}
    running.feed(all[3..].concat().as_bytes());
    while count() < 4 {}
    running.signal("-KILL");
    drop(running.ends());

    let before = count();
    let whole = |account: usize| {
        let codes = recovery(&place, &paths, &format!("account {account:02}"));
        (codes["remaining"].clone(), codes["generation"].clone())
    };
    for account in 0..before {
        assert_eq!(whole(account), (json!(5), json!(1)));
    }
    let more = ["--create-accounts"];
    let rest = import(&place, &paths, "plaintext", &all.concat(), &more)
        .done()
        .json();
    assert_eq!(
        (&rest["left_alone"], &rest["imported"], &rest["refused"]),
        (&json!(before), &json!(40 - before), &json!(0))
    );
    assert_eq!((count(), whole(39)), (40, (json!(5), json!(1))));
}

#[test]
fn import_is_called_with_a_format_it_knows() {
    let (place, paths) = place();
    for args in [
        &["import", "-"][..],
        &["import", "--format", "phc"],
        &["import", "-", "--format", "csv"],
    ] {
        place.run(&[args, paths.as_slice()].concat()).wrong_usage();
    }
}
