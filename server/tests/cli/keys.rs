//! `keyring`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::Place;

#[test]
fn keyring_init_never_overwrites() {
    let place = Place::new();
    place.with_keyring();
    let path = place.path("keyring.toml");
    let before = fs::read(&path).unwrap();
    let again = place
        .run(&["keyring", "init", "--keyring", "keyring.toml"])
        .refused();
    assert!(again.stderr.contains("never overwritten"), "{again:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// Row A-30.
#[test]
fn a_keyring_is_for_its_owner_only_and_its_keys_are_never_printed() {
    let place = Place::new();
    let made = place
        .run(&["keyring", "init", "--keyring", "keyring.toml"])
        .done();
    let path = place.path("keyring.toml");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let text = fs::read_to_string(&path).unwrap();
    let secret = text.split('"').find(|part| part.len() == 44).unwrap();
    let rotated = place
        .run(&["keyring", "rotate", "--keyring", "keyring.toml"])
        .done();
    let listed = place
        .run(&["keyring", "list", "--keyring", "keyring.toml"])
        .done();
    for ended in [made, rotated, listed] {
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret));
    }
    assert!(fs::read_to_string(&path).unwrap().contains(secret));
}

#[test]
fn rotating_adds_a_key_and_uses_it() {
    let place = Place::new();
    place.with_keyring();
    place
        .run(&["keyring", "rotate", "--keyring", "keyring.toml"])
        .done();
    let keys = place
        .run(&["keyring", "list", "--json", "--keyring", "keyring.toml"])
        .done()
        .json();
    let current: Vec<_> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| {
            (
                key["id"].as_u64().unwrap(),
                key["current"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(current, [(1, false), (2, true)]);
}

/// Row A-30.
#[test]
fn a_keyring_can_come_from_the_environment_and_not_be_written_there() {
    let place = Place::new();
    place.with_keyring();
    let text = fs::read_to_string(place.path("keyring.toml")).unwrap();
    let secret = [("SPARE_KEY_KEYRING_SECRET", text.as_str())];
    place.run_in(&secret, &["keyring", "list"]).done();
    place.run_in(&secret, &["keyring", "rotate"]).wrong_usage();
    let twice = ["keyring", "list", "--keyring", "keyring.toml"];
    let twice = place.run_in(&secret, &twice).wrong_usage();
    assert!(twice.stderr.contains("given twice"), "{twice:?}");
}
