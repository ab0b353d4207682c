//! `client`: programs that get tokens.

use crate::support::Place;

#[test]
fn a_client_is_added_with_all_it_may_do_listed_and_removed() {
    let place = Place::new();
    let paths = place.with_keyring();
    let run = |args: &[&str]| place.run(&[args, &paths].concat());
    let added = run(&[
        "client",
        "add",
        "web",
        "--name",
        "The web shop",
        "--grant",
        "refresh_token,mfa-otp",
        "--grant",
        "mfa-otp",
        "--audience",
        "https://api.example.com/",
        "--audience",
        "urn:example:orders",
        "--origin",
        "https://app.example.com",
        "--origin",
        "http://localhost:3000",
        "--json",
    ])
    .done()
    .json();
    assert_eq!(added["secret"].as_str().unwrap().len(), 43);
    let listed = run(&["client", "list", "--json"]).done().json();
    let web = &listed["clients"][0];
    assert_eq!(web["id"], "web");
    assert_eq!(web["name"], "The web shop");
    assert_eq!(web["scopes"], serde_json::json!([]));
    let once = serde_json::json!(["mfa-otp", "refresh_token"]);
    assert_eq!(web["grants"], once, "each once");
    assert_eq!(
        web["audiences"],
        serde_json::json!(["https://api.example.com/", "urn:example:orders"])
    );
    assert_eq!(
        web["origins"],
        serde_json::json!(["https://app.example.com", "http://localhost:3000"])
    );
    assert_eq!(web["public"], false);
    assert!(web.get("secret").is_none());
    let table = run(&["client", "list"]).done().stdout;
    assert!(table.contains("mfa-otp") && table.contains("The web shop"));
    assert!(
        run(&["client", "add", "web", "--grant", "mfa-otp"])
            .refused()
            .stderr
            .contains("already")
    );
    run(&["client", "remove", "web", "--yes"]).done();
    let listed = run(&["client", "list", "--json"]).done().json();
    assert_eq!(listed["clients"], serde_json::json!([]));
    let gone = run(&["client", "remove", "web", "--yes"]).refused();
    assert!(gone.stderr.contains("no such client"), "{gone:?}");
}

#[test]
fn a_public_client_has_no_secret() {
    let place = Place::new();
    let paths = place.with_keyring();
    let spa = ["client", "add", "spa", "--public", "--grant", "mfa-otp"];
    let json = [spa.as_slice(), &["--json"], &paths].concat();
    let added = place.run(&json).done().json();
    assert_eq!(added, serde_json::json!({"id": "spa"}));
    let list = [&["client", "list", "--json"], paths.as_slice()].concat();
    let listed = place.run(&list).done().json();
    assert_eq!(listed["clients"][0]["public"], true);
    let other = [
        &["client", "add", "app", "--public", "--grant", "mfa-otp"],
        paths.as_slice(),
    ];
    let said = place.run(&other.concat()).done().stdout;
    assert!(said.contains("no secret"), "{said}");
}

#[test]
fn what_cannot_be_kept_secret_is_no_proof_of_a_program() {
    let place = Place::new();
    let paths = place.with_keyring();
    let spa = ["client", "add", "spa", "--public"];
    for (more, word) in [
        (
            ["--grant", "mfa-otp,client_credentials"],
            "client_credentials",
        ),
        (["--scope", "read:users"], "--scope"),
    ] {
        let refused = place.run(&[spa.as_slice(), &more, &paths].concat());
        let refused = refused.wrong_usage();
        assert!(refused.stderr.contains(word), "{refused:?}");
        assert!(!place.path("test.db").exists(), "nothing was made");
    }
}

#[test]
fn an_unfit_grant_audience_or_origin_is_named_and_refused() {
    let place = Place::new();
    let paths = place.with_keyring();
    let refuses = |flag: &str, value: &str| {
        let mut args = vec!["client", "add", "web", flag, value];
        if flag != "--grant" {
            args.extend(["--grant", "mfa-otp"]);
        }
        let ended = place.run(&[args.as_slice(), &paths].concat());
        ended.wrong_usage().stderr
    };
    for value in ["implicit", "Password", "mfa-otp,magic", ""] {
        let said = refuses("--grant", value);
        assert!(said.contains("the grants are client_credentials"), "{said}");
    }
    let long = "a".repeat(513);
    for value in ["", "two words", "a\tb", "ä", &long] {
        let said = refuses("--audience", value);
        assert!(said.contains("an audience has 1 to 512"), "{said}");
    }
    for value in [
        "",
        "*",
        "null",
        "app.example.com",
        "ftp://app.example.com",
        "https://",
        "https://:8443",
        "https://app.example.com/",
        "https://app.example.com/login",
        "https://App.example.com",
        "https://*.example.com",
        "https://alice@app.example.com",
        "https://app.example.com:",
        "https://app.example.com:0",
        "https://app.example.com:port",
        "https://app.example.com:70000",
        "https://app.example.com:443",
        "https://app.example.com:08443",
        "http://localhost:80",
        "https://a b",
        "https://a,https://b",
        "https://[::1",
    ] {
        let said = refuses("--origin", value);
        assert!(said.contains("an origin is http://"), "{value}: {said}");
    }
    for value in [
        "https://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com:80",
        "http://localhost:443",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
    ] {
        let id = value.replace(['/', ':', '[', ']'], "-");
        let args = ["client", "add", &id, "--grant", "mfa-otp", "--origin"];
        place
            .run(&[args.as_slice(), &[value], &paths].concat())
            .done();
    }
}
