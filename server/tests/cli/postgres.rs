//! The commands over PostgreSQL: as over a file, and the address is told without its password.

use crate::cluster::Database;
use crate::support::{Place, http};

const ISSUER: [&str; 2] = ["--issuer", "https://login.example.com"];

/// A folder with a keyring and a settings file that names the database.
fn place_on(url: &str) -> Place {
    let place = Place::new();
    place
        .run(&["keyring", "init", "--keyring", "keyring.toml"])
        .done();
    place.write(
        "settings.toml",
        &format!("store = '{url}'\nkeyring = 'keyring.toml'\n"),
    );
    place
}

#[test]
fn every_command_works_over_postgresql() {
    let database = Database::create(&[]);
    let place = place_on(&database.url());
    let settings = ["--config", "settings.toml"];
    let run = |args: &[&str]| place.run(&[args, &settings].concat());

    let fit = run(&[&["check"], ISSUER.as_slice()].concat()).done().stdout;
    assert!(fit.contains("made at the first start"), "{fit}");
    let nothing = run(&["account", "list"]).refused();
    assert!(
        nothing.stderr.contains("nothing of Spare Key is in"),
        "{nothing:?}"
    );
    assert_eq!(
        database.sql("SELECT to_regnamespace('spare_key') IS NULL"),
        "t",
        "a look makes nothing"
    );

    run(&["client", "add", "shop", "--scope", "recovery:read"]).done();
    let fit = run(&[&["check"], ISSUER.as_slice()].concat()).done().stdout;
    assert!(fit.contains("schema current, can be written to"), "{fit}");
    assert!(fit.contains(&database.name), "{fit}");

    place.write("password", "correct horse battery staple");
    let add = "account add auth0|dora --login dora@example.com --password-file password";
    run(&add.split(' ').collect::<Vec<_>>()).done();
    let listed = run(&["account", "list", "--json"]).done().json();
    assert_eq!(listed["accounts"][0]["id"], "auth0|dora");
    run(&["api-key", "add", "auth0|dora"]).done();
    run(&["signing-key", "rotate"]).done();
    let keys = run(&["signing-key", "list", "--json"]).done().json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2, "{keys}");

    let more = ["--listen", "127.0.0.1:0", "--log-format", "json"];
    let serve = [&["serve"], settings.as_slice(), &ISSUER, &more].concat();
    let running = place.start(&serve);
    let ready: serde_json::Value = serde_json::from_str(&running.logs("\"ready\"")).unwrap();
    let (status, _) = http(ready["listen"].as_str().unwrap(), "GET /readyz", "");
    assert_eq!(status, 200);
    running.stop();
    run(&["account", "remove", "auth0|dora", "--yes"]).done();
    run(&["client", "remove", "shop", "--yes"]).done();
}

#[test]
fn dev_works_over_postgresql_by_flag_and_by_environment() {
    let database = Database::create(&[]);
    let place = Place::new();
    let url = database.url();
    let running = place.start(&["dev", "--listen", "127.0.0.1:0", "--store", &url]);
    let said = running.says("Listening on http://");
    let address = said.replace("Listening on http://", "");
    let (status, _) = http(address.trim(), "GET /readyz", "");
    assert_eq!(status, 200);
    running.stop();
    assert!(!place.path("spare-key-data/spare-key.db").exists());
    let keyring = ["--keyring", "spare-key-data/keyring.toml", "--json"];
    let list = [&["account", "list"], keyring.as_slice()].concat();
    let listed = place.run_in(&[("SPARE_KEY_STORE", &url)], &list).done();
    assert_eq!(listed.json()["accounts"].as_array().unwrap().len(), 3);
}

#[test]
fn no_password_of_a_database_is_printed() {
    let place = place_on("postgres://spare:hunter2@127.0.0.1:1/codes");
    let settings = ["--config", "settings.toml"];
    let check = [&["check"], settings.as_slice(), &ISSUER].concat();
    let serve = [&["serve", "--log", "debug"], settings.as_slice(), &ISSUER].concat();
    let list = [&["account", "list"], settings.as_slice()].concat();
    for ended in [
        place.run(&check).refused(),
        place.run(&serve).refused(),
        place.run(&list).refused(),
        place
            .run(&[
                "serve",
                "--store",
                "postgres://s:hunter2@db/x?sslmode=allow",
            ])
            .wrong_usage(),
    ] {
        let said = format!("{} {}", ended.stdout, ended.stderr);
        assert!(!said.contains("hunter2"), "{said}");
        let named = said.contains("127.0.0.1:1/codes") || said.contains("sslmode");
        assert!(named, "{said}");
    }
}
