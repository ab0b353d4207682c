//! How the commands explain themselves and how they end.

use crate::support::Place;

#[test]
fn wrong_usage_exits_with_2() {
    let place = Place::new();
    for args in [
        vec!["sevre"],
        vec!["serve", "--port", "80"],
        vec!["serve", "--listen", "everywhere"],
        vec!["account", "show"],
        vec!["client", "add", "shop"],
        vec!["client", "add", "shop", "--scope", "recovery:everything"],
        vec!["client", "add", "a:b", "--scope", "recovery:read"],
        vec!["keyring", "init"],
        vec!["dev", "--log", "a=b=c"],
        vec!["check", "--config"],
    ] {
        place.run(&args).wrong_usage();
    }
}

#[test]
fn help_and_version_are_results_and_exit_with_0() {
    let place = Place::new();
    let help = place.run(&["--help"]).done().stdout;
    for word in [
        "dev",
        "serve",
        "account",
        "client",
        "keyring",
        "signing-key",
        "check",
    ] {
        assert!(help.contains(word), "{word}");
    }
    for example in ["Examples:", "spare-key serve", "Exit codes"] {
        assert!(help.contains(example), "{example}");
    }
    assert!(help.contains("19 MiB"));
    let version = place.run(&["--version"]).done().stdout;
    assert_eq!(
        version,
        format!("spare-key {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn help_shows_the_settings_that_a_command_has_a_use_for() {
    let place = Place::new();
    let account = place.run(&["account", "show", "--help"]).done().stdout;
    assert!(account.contains("--store") && !account.contains("--trusted-proxy"));
    let signing = place
        .run(&["signing-key", "rotate", "--help"])
        .done()
        .stdout;
    assert!(signing.contains("--store") && !signing.contains("--trusted-proxy"));
    assert!(signing.contains("within that time"), "{signing}");
    let keyring = place.run(&["keyring", "init", "--help"]).done().stdout;
    assert!(keyring.contains("--keyring") && !keyring.contains("--store"));
    let serve = place.run(&["serve", "--help"]).done().stdout;
    assert!(serve.contains("--trusted-proxy") && serve.contains("Examples:"));
}

#[test]
fn help_does_not_show_what_is_in_the_environment() {
    let place = Place::new();
    let secret = [("SPARE_KEY_STORE", "postgres://root:hunter2@db/x")];
    let help = place.run_in(&secret, &["serve", "--help"]).done();
    assert!(!help.stdout.contains("hunter2"));
}

#[test]
fn no_secret_is_printed_in_errors() {
    let place = Place::new();
    place.write("keyring.toml", "current = 1\nsecret = 'hunter2'\n");
    place.write("settings.toml", "keyring_secret = 'hunter2'\n");
    place.write("password", "hunter2");
    let url = [
        "serve",
        "--store",
        "postgres://root:hunter2@db/x?sslmode=hunter2",
    ];
    let in_file = ["serve", "--config", "settings.toml"];
    let store = ["--store", "sqlite:test.db"];
    let keyring = ["keyring", "list"];
    for ended in [
        place.run(&url).wrong_usage(),
        place.run(&in_file).wrong_usage(),
        place
            .run_in(&[("SPARE_KEY_KEYRING_SECRET", "hunter2")], &keyring)
            .refused(),
        place
            .run_in(
                &[("SPARE_KEY_KEYRING_SECRET", "secret = 'hunter2'")],
                &[&["account", "list"], store.as_slice()].concat(),
            )
            .refused(),
    ] {
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
        assert!(!ended.stdout.contains("hunter2"), "{ended:?}");
    }
    std::fs::remove_file(place.path("keyring.toml")).unwrap();
    let paths = place.with_keyring();
    let add = [
        "account",
        "add",
        "a",
        "--login",
        "a",
        "--password-file",
        "password",
    ];
    let short = place.run(&[add.as_slice(), &paths].concat()).refused();
    assert!(short.stderr.contains("8 to 256 characters"), "{short:?}");
    assert!(!short.stderr.contains("hunter2"), "{short:?}");
}

#[test]
fn every_error_says_what_to_do() {
    let place = Place::new();
    for args in [
        vec!["serve"],
        vec!["account", "list"],
        vec!["keyring", "list", "--keyring", "nowhere.toml"],
        vec!["serve", "--config", "nowhere.toml"],
        vec!["dev", "--listen", "0.0.0.0:0"],
        vec!["check"],
    ] {
        let ended = place.run(&args);
        assert_ne!(ended.code, Some(0));
        assert!(ended.stderr.contains("\n  do: "), "{args:?} {ended:?}");
    }
}
