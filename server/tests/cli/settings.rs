//! Where settings come from, and `check`, which says what came of them.

use crate::support::{Ended, Place};

fn listens(ended: &Ended) -> String {
    let detail = ended.json()["checks"][0]["detail"].to_string();
    detail
        .split_once("listens on ")
        .and_then(|(_, rest)| rest.split_once(' '))
        .map(|(address, _)| address.to_owned())
        .unwrap_or(detail)
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let place = Place::new();
    place.write(
        "settings.toml",
        "listen = '127.0.0.1:1001'\nissuer = 'https://login.example.com'\n",
    );
    let check = ["check", "--json", "--config", "settings.toml"];
    let flag = ["--listen", "127.0.0.1:1003"];
    let environment = [("SPARE_KEY_LISTEN", "127.0.0.1:1002")];
    assert_eq!(listens(&place.run(&check)), "127.0.0.1:1001");
    assert_eq!(
        listens(&place.run_in(&environment, &check)),
        "127.0.0.1:1002"
    );
    let behind = [check.as_slice(), &flag].concat();
    assert_eq!(
        listens(&place.run_in(&environment, &behind)),
        "127.0.0.1:1003"
    );
    let before = [flag.as_slice(), &check].concat();
    assert_eq!(
        listens(&place.run_in(&environment, &before)),
        "127.0.0.1:1003"
    );
}

#[test]
fn the_settings_file_can_be_named_by_the_environment() {
    let place = Place::new();
    place.write(
        "settings.toml",
        "listen = '127.0.0.1:1001'\nissuer = 'https://login.example.com'\n",
    );
    let ended = place.run_in(
        &[("SPARE_KEY_CONFIG", "settings.toml")],
        &["check", "--json"],
    );
    assert_eq!(listens(&ended), "127.0.0.1:1001");
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    let place = Place::new();
    place.write("settings.toml", "listen = '127.0.0.1:1'\nlissten = 'x'\n");
    let ended = place
        .run(&["serve", "--config", "settings.toml"])
        .wrong_usage();
    assert!(ended.stderr.contains("lissten"), "{ended:?}");
    assert!(ended.stderr.contains("line 2"), "{ended:?}");
}

#[test]
fn check_says_of_each_part_whether_it_is_fit() {
    let place = Place::new();
    let unfit = place.run(&["check"]).refused();
    for line in [
        "NO  configuration",
        "NO  store",
        "NO  keyring",
        "ok  clock",
        "ok  wasm",
    ] {
        assert!(unfit.stdout.contains(line), "{line} {unfit:?}");
    }
    let paths = place.with_keyring();
    let issuer = ["--issuer", "https://login.example.com"];
    let check = [&["check"], paths.as_slice(), &issuer].concat();
    let fit = place.run(&check).done();
    assert!(!fit.stdout.contains("NO"), "{fit:?}");
    assert!(!place.path("test.db").exists(), "a check makes nothing");
    place
        .run(
            &[
                &["client", "add", "shop", "--scope", "recovery:read"],
                paths.as_slice(),
            ]
            .concat(),
        )
        .done();
    let fit = place.run(&check).done();
    assert!(fit.stdout.contains("schema current"), "{fit:?}");
}

#[test]
fn check_finds_a_keyring_that_others_can_read_and_a_file_that_is_no_store() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let paths = place.with_keyring();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(place.path("keyring.toml"), open).unwrap();
    place.write("test.db", "this is a letter and no database");
    let issuer = ["--issuer", "https://login.example.com", "--json"];
    let found = place
        .run(&[&["check"], paths.as_slice(), &issuer].concat())
        .refused()
        .json();
    assert_eq!(found["fit"], false);
    let unfit: Vec<_> = found["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["fit"] == false)
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(unfit, ["store", "keyring"], "{found}");
    assert!(found.to_string().contains("chmod 600"), "{found}");
}

#[test]
fn check_says_whether_people_can_be_told() {
    let place = Place::new();
    let paths = place.with_keyring();
    let issuer = ["--issuer", "https://login.example.com"];
    let check = |args: &[&str]| place.run(&[&["check"], args, &issuer, &paths].concat());
    let plain = check(&[]).done();
    assert!(plain.stdout.contains("ok  notices"), "{plain:?}");
    assert!(plain.stdout.contains("nobody is told"), "{plain:?}");

    let from = ["--mail-from", "no-reply@example.com"];
    let folder = [from.as_slice(), &["--mail-server", "folder:mail"]].concat();
    assert!(check(&folder).done().stdout.contains("ok  mail"));
    // Nobody listens on port 1.
    let gone = "smtp://mailer:Wn7ePassword@127.0.0.1:1?tls=none";
    let gone = check(&[from.as_slice(), &["--mail-server", gone]].concat()).refused();
    assert!(gone.stdout.contains("NO  mail"), "{gone:?}");
    assert!(gone.stdout.contains("was not reached"), "{gone:?}");
    assert!(!format!("{gone:?}").contains("Wn7e"));

    let webhook = ["--webhook", "https://hooks.example.com/Wn7ePath"];
    let with = |file| [webhook.as_slice(), &["--webhook-secret-file", file]].concat();
    let absent = check(&with("secret")).refused();
    assert!(absent.stdout.contains("cannot be read"), "{absent:?}");
    place.write("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    let set = |mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(place.path("secret"), mode).unwrap();
    };
    set(0o644);
    let open = check(&with("secret")).refused();
    assert!(open.stdout.contains("chmod 640 secret"), "{open:?}");
    set(0o600);
    let fit = check(&with("secret")).done();
    assert!(fit.stdout.contains("ok  webhook"), "{fit:?}");
    assert!(!format!("{fit:?}").contains("Wn7e"));
    place.write("secret", "short");
    let short = check(&with("secret")).refused();
    assert!(short.stdout.contains("not whsec_"), "{short:?}");
}
