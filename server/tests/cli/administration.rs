//! `account` and `client`, on the store itself.

use crate::support::{Ended, Place, http};

const PASSWORD: &str = "correct horse battery staple\n";

fn add(place: &Place, paths: &[&str], id: &str) -> Ended {
    let login = format!("{id}@example.com");
    let args = ["account", "add", id, "--login", &login, "--password-stdin"];
    place.run_reading(PASSWORD, &[args.as_slice(), paths].concat())
}

#[test]
fn an_account_is_added_listed_shown_and_removed() {
    let place = Place::new();
    let paths = place.with_keyring();
    let run = |args: &[&str]| place.run(&[args, &paths].concat());
    add(&place, &paths, "dora").done();
    let twice = add(&place, &paths, "dora").refused();
    assert!(twice.stderr.contains("already"), "{twice:?}");
    assert!(
        run(&["account", "list"])
            .done()
            .stdout
            .contains("dora@example.com")
    );
    assert!(
        run(&["account", "show", "dora"])
            .done()
            .stdout
            .contains("recovery codes  none")
    );
    run(&["account", "remove", "dora"]).wrong_usage();
    run(&["account", "remove", "dora", "--yes"]).done();
    run(&["account", "show", "dora"]).refused();
}

#[test]
fn an_administrator_is_appointed_and_dismissed() {
    let place = Place::new();
    let paths = place.with_keyring();
    let run = |args: &[&str]| place.run(&[args, &paths].concat());
    add(&place, &paths, "dora").done();
    let shown = || run(&["account", "show", "dora", "--json"]).done().json();
    assert_eq!(shown()["administrator"], false);
    run(&["account", "administrator", "dora", "on"]).done();
    assert_eq!(shown()["administrator"], true);
    let again = run(&["account", "administrator", "dora", "on"]).done();
    assert!(again.stdout.contains("nothing was changed"), "{again:?}");
    run(&["account", "administrator", "dora", "off"]).done();
    assert_eq!(shown()["administrator"], false);
    run(&["account", "administrator", "nobody", "on"]).refused();
    run(&["account", "administrator", "dora", "maybe"]).wrong_usage();

    let login = ["--login", "ada@example.com", "--administrator"];
    let args = ["account", "add", "ada", "--password-stdin"];
    let args = [args.as_slice(), &login, &paths].concat();
    place.run_reading(PASSWORD, &args).done();
    assert_eq!(
        run(&["account", "show", "ada", "--json"]).done().json()["administrator"],
        true
    );
}

/// Row A-102.
#[test]
fn a_person_is_told_at_more_than_one_address_and_at_so_many() {
    let place = Place::new();
    let paths = place.with_keyring();
    let run = |args: &[&str]| place.run(&[&["account", "address", "dora"], args, &paths].concat());
    add(&place, &paths, "dora").done();
    let none = run(&[]).done();
    assert!(none.stdout.contains("dora@example.com"), "{none:?}");
    run(&["--add", "d@home.example", "--add", "d@work.example"]).done();
    let told = run(&["--json"]).done().json();
    assert_eq!(
        told["addresses"],
        serde_json::json!(["d@home.example", "d@work.example"])
    );
    run(&["--remove", "d@work.example"]).done();
    let gone = run(&["--remove", "d@work.example"]).refused();
    assert!(gone.stderr.contains("is not told at"), "{gone:?}");
    for odd in [
        "d",
        "d@",
        "d @home.example",
        "a@b,c@d",
        "a@b@c",
        "D <d@home.example>",
    ] {
        run(&["--add", odd]).wrong_usage();
    }
    for n in 1..=3 {
        run(&["--add", &format!("{n}@home.example")]).done();
    }
    let full = run(&["--add", "5@home.example"]).refused();
    assert!(full.stderr.contains("more than 4 addresses"), "{full:?}");
    let nobody = ["account", "address", "nobody", "--add", "a@b.example"];
    place.run(&[nobody.as_slice(), &paths].concat()).refused();
}

#[test]
fn the_password_is_never_an_argument() {
    let place = Place::new();
    let paths = place.with_keyring();
    let dora = ["account", "add", "dora", "--login", "dora@example.com"];
    let given = ["--password", "correct horse battery staple"];
    place
        .run(&[dora.as_slice(), &given, &paths].concat())
        .wrong_usage();
    place.write("password", "correct horse battery staple\n");
    let file = ["--password-file", "password"];
    place.run(&[dora.as_slice(), &file, &paths].concat()).done();
}

#[test]
fn json_is_json_on_every_listing_command() {
    let place = Place::new();
    let paths = place.with_keyring();
    let run = |args: &[&str]| {
        place
            .run(&[args, &paths, &["--json"]].concat())
            .done()
            .json()
    };
    add(&place, &paths, "dora").done();
    let client = run(&["client", "add", "shop", "--scope", "recovery:read"]);
    assert_eq!(client["id"], "shop");
    assert_eq!(client["secret"].as_str().unwrap().len(), 43);
    assert_eq!(run(&["account", "list"])["accounts"][0]["id"], "dora");
    assert_eq!(
        run(&["account", "show", "dora"])["recovery"]["state"],
        "none"
    );
    let clients = run(&["client", "list"]);
    assert_eq!(clients["clients"][0]["scopes"][0], "recovery:read");
    assert!(clients["clients"][0].get("secret").is_none());
    assert_eq!(run(&["keyring", "list"])["keys"][0]["current"], true);
    let check = place.run(&[&["check", "--json"], paths.as_slice()].concat());
    assert_eq!(check.json()["fit"], false);
}

#[test]
fn a_list_that_is_cut_says_where_it_goes_on() {
    let place = Place::new();
    let paths = place.with_keyring();
    for id in ["a", "b", "c"] {
        add(&place, &paths, id).done();
    }
    let list = |more: &[&str]| {
        let args = [&["account", "list", "--json"], more, &paths].concat();
        place.run(&args).done().json()
    };
    assert_eq!(list(&["--limit", "2"])["next"], "b");
    let rest = list(&["--limit", "2", "--after", "b"]);
    assert_eq!(rest["accounts"][0]["id"], "c");
    assert!(rest["next"].is_null());
}

#[test]
fn what_cannot_be_undone_is_not_done_without_a_yes() {
    let place = Place::new();
    let paths = place.with_keyring();
    add(&place, &paths, "dora").done();
    place
        .run(
            &[
                &["client", "add", "shop", "--scope", "recovery:read"],
                paths.as_slice(),
            ]
            .concat(),
        )
        .done();
    for args in [
        ["account", "remove", "dora"],
        ["account", "reset-mfa", "dora"],
        ["account", "revoke", "dora"],
        ["client", "remove", "shop"],
    ] {
        let refused = place.run(&[args.as_slice(), &paths].concat()).wrong_usage();
        assert!(refused.stderr.contains("--yes"), "{refused:?}");
        place.run(&[args.as_slice(), &["--yes"]].concat()).refused();
    }
    for args in [
        ["account", "reset-mfa", "dora"],
        ["account", "revoke", "dora"],
        ["client", "remove", "shop"],
        ["account", "remove", "dora"],
    ] {
        place
            .run(&[args.as_slice(), &["--yes"], &paths].concat())
            .done();
    }
}

#[test]
fn a_mistyped_database_is_not_made() {
    let place = Place::new();
    place.with_keyring();
    let typo = [
        "account",
        "list",
        "--keyring",
        "keyring.toml",
        "--store",
        "sqlite:tset.db",
    ];
    let refused = place.run(&typo).refused();
    assert!(
        refused.stderr.contains("no database at tset.db"),
        "{refused:?}"
    );
    assert!(!place.path("tset.db").exists());
}

#[test]
fn account_regenerate_prints_codes_that_redeem() {
    let place = Place::new();
    let (running, address) = place.dev();
    let codes = place
        .run(&["account", "regenerate", "auth0|carol", "--json"])
        .done()
        .json();
    assert_eq!(codes["generation"], 1);
    assert_eq!(codes["codes"].as_array().unwrap().len(), 10);
    assert_eq!(codes["codes"][2]["number"], 3);
    let code = codes["codes"][2]["code"].as_str().unwrap();
    let at = codes["issued_at"].as_str().unwrap();
    let redeem = || {
        http(
            &address,
            "POST /recovery/v1/accounts/auth0%7Ccarol/redeem",
            &format!(r#"{{"code":"{code}","proof":{{"amr":["pwd"],"at":"{at}"}}}}"#),
        )
    };
    let (status, answer) = redeem();
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains(r#""remaining":9"#), "{answer}");
    assert_ne!(redeem().0, 200);
    let low = ["account", "list", "--json", "--remaining-at-most", "9"];
    let listed = place.run(&low).done().json();
    assert_eq!(listed["accounts"][0]["id"], "auth0|carol");
    let printed = place.run(&["account", "regenerate", "auth0|carol"]).done();
    assert!(printed.stdout.contains("generation 2"), "{printed:?}");
    assert!(printed.stdout.contains("\n10. "), "{printed:?}");
    running.stop();
}

#[test]
fn regenerating_says_how_to_switch_codes_on() {
    let place = Place::new();
    let paths = place.with_keyring();
    add(&place, &paths, "dora").done();
    let dora = [&["account", "regenerate", "dora"], paths.as_slice()].concat();
    let off = place.run(&dora).refused();
    assert!(off.stderr.contains("--recovery-codes on"), "{off:?}");
    let on = [dora.as_slice(), &["--recovery-codes", "on"]].concat();
    let alone = place.run(&on).refused();
    assert!(alone.stderr.contains("no authenticator"), "{alone:?}");
}
