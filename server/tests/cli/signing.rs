//! `signing-key`, and the servers that sign with them.

use serde_json::Value;

use crate::support::{Place, http};

const LIST: [&str; 3] = ["signing-key", "list", "--json"];

fn ids(keys: &Value, name: &str) -> Vec<String> {
    let keys = keys["keys"].as_array().unwrap().iter();
    keys.map(|key| key[name].as_str().unwrap().to_owned())
        .collect()
}

/// What a server that is started now publishes.
fn published(place: &Place) -> Vec<String> {
    let (running, address) = place.dev();
    let (status, answer) = http(&address, "GET /.well-known/jwks.json", "");
    running.stop();
    assert_eq!(status, 200, "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    ids(&serde_json::from_str(body).unwrap(), "kid")
}

#[test]
fn servers_and_the_command_line_share_the_signing_keys() {
    let place = Place::new();
    let first = published(&place);
    assert_eq!(first.len(), 1);
    let listed = place.run(&LIST).done().json();
    assert_eq!(ids(&listed, "id"), first);
    assert!(listed["keys"][0]["published_until"].is_null());

    let rotated = place.run(&["signing-key", "rotate"]).done().stdout;
    let both = place.run(&LIST).done().json();
    let [second, old] = ids(&both, "id").try_into().unwrap();
    assert_eq!(old, first[0], "the latest comes first");
    assert!(rotated.contains(&second), "{rotated}");
    let [next, before] = [&both["keys"][0], &both["keys"][1]];
    let at = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    assert!(rotated.contains(&at(next, "signs_from")), "{rotated}");
    assert!(at(next, "signs_from") > at(next, "created_at"));
    assert!(at(before, "published_until") > at(next, "signs_from"));
    let mut served = published(&place);
    served.sort();
    let mut expected = vec![second.clone(), old];
    expected.sort();
    assert_eq!(served, expected);

    let now = ["signing-key", "rotate", "--now", "--yes"];
    let said = place.run(&now).done().stdout;
    assert!(said.contains("invalid"), "{said}");
    let left = published(&place);
    assert_eq!(left.len(), 1, "the key in use went with the one to come");
    assert!(said.contains(&left[0]), "{said}");
    assert_ne!(left[0], second);
    let table = place.run(&["signing-key", "list"]).done().stdout;
    assert!(table.contains(&left[0]), "{table}");
    assert!(table.contains("PUBLISHED UNTIL"), "{table}");
}

#[test]
fn making_tokens_invalid_is_not_done_without_a_yes() {
    let place = Place::new();
    let paths = place.with_keyring();
    let run = |args: &[&str]| place.run(&[args, &paths].concat());
    let missing = run(&["signing-key", "list"]).refused();
    assert!(missing.stderr.contains("no database"), "{missing:?}");
    run(&["client", "add", "web", "--grant", "mfa-otp"]).done();
    let before = run(&LIST).done().json();
    assert_eq!(ids(&before, "id").len(), 1, "the first is made by asking");
    let refused = run(&["signing-key", "rotate", "--now"]).wrong_usage();
    assert!(refused.stderr.contains("--yes"), "{refused:?}");
    assert!(refused.stderr.contains("every token"), "{refused:?}");
    assert_eq!(run(&LIST).done().json(), before);
    run(&["signing-key", "rotate", "--now", "--yes"]).done();
    let after = run(&LIST).done().json();
    assert_eq!(ids(&after, "id").len(), 1);
    assert_ne!(after, before);
}

#[test]
fn a_signing_key_is_never_printed_and_opens_with_its_keyring_only() {
    let place = Place::new();
    let paths = place.with_keyring();
    let run = |args: &[&str]| place.run(&[args, &paths].concat());
    run(&["client", "add", "web", "--grant", "mfa-otp"]).done();
    let listed = run(&LIST).done();
    let key = listed.json()["keys"][0].clone();
    let mut members: Vec<_> = key.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(
        members,
        ["created_at", "id", "published_until", "signs_from"]
    );
    place
        .run(&["keyring", "init", "--keyring", "other.toml"])
        .done();
    let other = ["--keyring", "other.toml", "--store", "sqlite:test.db"];
    place.run(&[LIST.as_slice(), &other].concat()).refused();
}
