//! The keyring's file while servers run on it: a new key is taken up, a broken file is not.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use crate::cluster::Database;
use crate::codes::{issue, redeem};
use crate::support::{Place, Running, answer, connect, http};

const ROTATE: [&str; 4] = ["keyring", "rotate", "--keyring", "keyring.toml"];

/// `dev` over this store and the place's keyring, and where it listens.
fn server(place: &Place, store: &str) -> (Running, String) {
    let listen = ["dev", "--listen", "127.0.0.1:0", "--log", "info"];
    let data = ["--keyring", "keyring.toml", "--store", store];
    let running = place.start(&[listen.as_slice(), &data].concat());
    let said = running.says("Listening on http://");
    let address = said.replace("Listening on http://", "").trim().to_owned();
    (running, address)
}

const SIGN_IN: &str = r#"{"grant_type":"password","client_id":"dev-spa",
    "username":"alice@example.com","password":"correct horse battery staple"}"#;

/// An HTTP request with this in the header `Authorization`.
fn asked(address: &str, head: &str, authorization: &str, body: &str) -> (u16, String) {
    let mut stream = connect(address);
    let length = body.len();
    let authorization = match authorization {
        "none" => String::new(),
        value => format!("Authorization: {value}\r\n"),
    };
    write!(
        stream,
        "{head} HTTP/1.1\r\nHost: {address}\r\n{authorization}Content-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    answer(stream)
}

/// A management token of this server.
fn manager(address: &str) -> String {
    let body = format!(
        r#"{{"grant_type":"client_credentials","client_id":"dev-management",
        "client_secret":"dev-management-secret","audience":"http://{address}/api/v2/"}}"#
    );
    let (status, answer) = asked(address, "POST /oauth/token", "none", &body);
    assert_eq!(status, 200, "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let token: serde_json::Value = serde_json::from_str(body).unwrap();
    token["access_token"].as_str().unwrap().to_owned()
}

/// A key is added while two servers share the file and the store.
fn rotates_under_two_servers(store: &str) {
    let place = Place::new();
    place.with_keyring();
    let (left, one) = server(&place, store);
    let (right, two) = server(&place, store);
    let (_, old) = issue(&one, "host%7Cold");
    let jwks = |server: &str| http(server, "GET /.well-known/jwks.json", "").1;
    let kid = |answer: &str| {
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let keys: serde_json::Value = serde_json::from_str(body).unwrap();
        keys["keys"][0]["kid"].as_str().unwrap().to_owned()
    };
    let signs = kid(&jwks(&one));
    // A token of a signing key that another one follows, which the old key of the keyring seals.
    let token = manager(&one);
    let settings = ["--keyring", "keyring.toml", "--store", store];
    place
        .run(&[&["signing-key", "rotate"], settings.as_slice()].concat())
        .done();
    let said = place.run(&ROTATE).done().stdout;
    assert!(said.contains("follow within seconds"), "{said}");
    left.logs("the keyring was read again");
    let (_, new) = issue(&one, "host%7Cnew");
    // The other one meets the new key's codes at once, whether it has looked by itself or not.
    assert_eq!(redeem(&two, "host%7Cnew", &new[0]).0, 200);
    right.logs("the keyring was read again");
    assert_eq!(redeem(&two, "host%7Cold", &old[0]).0, 200);
    assert_eq!(redeem(&one, "host%7Cold", &old[1]).0, 200);
    assert_eq!(redeem(&one, "host%7Cnew", &new[1]).0, 200);
    let published = jwks(&two);
    assert!(published.contains(&signs), "{published}");
    let bearer = format!("Bearer {token}");
    let (status, answer) = asked(&one, "GET /api/v2/users", &bearer, "");
    assert_eq!(status, 200, "{answer}");
    // The password is right, and a second factor is what is missing.
    let (_, answer) = asked(&two, "POST /oauth/token", "none", SIGN_IN);
    assert!(answer.contains("mfa_required"), "{answer}");
    let (status, ready) = http(&two, "GET /readyz", "");
    assert!(
        status == 200 && ready.ends_with("\r\n\r\nready\n"),
        "{ready}"
    );

    let settings = ["--keyring", "keyring.toml", "--store", store, "--json"];
    let list = [&["keyring", "list"], settings.as_slice()].concat();
    let listed = place.run(&list).done().json();
    let keys = listed["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 2);
    let live = |at: usize| keys[at]["made_with_it"]["live_batches"].as_u64().unwrap();
    assert_eq!((live(0), live(1)), (1, 1), "{listed}");
    assert_eq!(keys[0]["made_with_it"]["passwords"], 3, "{listed}");
    assert_eq!(keys[0]["made_with_it"]["signing_keys"], 2, "{listed}");
    assert_eq!(keys[0]["made_with_it"]["authenticators"], 1, "{listed}");
    left.stop();
    right.stop();
}

// O3, A-24: the pepper is rotated without destroying a code.
#[test]
fn a_new_key_is_taken_up_by_running_servers_and_the_old_codes_work() {
    rotates_under_two_servers("sqlite:test.db");
}

/// Row O3.
#[test]
fn a_new_key_is_taken_up_over_postgresql_too() {
    let database = Database::create(&[]);
    rotates_under_two_servers(&database.url());
}

// S23: what breaks the file never disables checking, nor anything else.
#[test]
fn a_broken_keyring_file_leaves_the_keys_in_use_and_is_told() {
    let place = Place::new();
    place.with_keyring();
    let path = place.path("keyring.toml");
    place.run(&ROTATE).done();
    let whole = fs::read_to_string(&path).unwrap();
    let (running, address) = server(&place, "sqlite:test.db");
    let (_, codes) = issue(&address, "host%7Calice");
    let mut codes = codes.iter();
    let first_alone = whole.replace("current = 2", "current = 1");
    let first_alone = first_alone.rsplit_once("[[key]]").unwrap().0;
    place
        .run(&["keyring", "init", "--keyring", "other.toml"])
        .done();
    let other = fs::read_to_string(place.path("other.toml")).unwrap();
    let half = &whole[..whole.len() / 2];
    for (text, why) in [
        ("", "does not hold a keyring"),
        (half, "does not hold a keyring"),
        (first_alone, "does not hold key 2 any more"),
        (other.as_str(), "another key 1"),
    ] {
        fs::write(&path, text).unwrap();
        let log = running.logs("cannot be used");
        assert!(log.contains(why), "{log}");
        assert!(!log.contains("secret"), "{log}");
        let (status, ready) = http(&address, "GET /readyz", "");
        assert!(status == 200 && ready.contains(why), "{ready}");
        let code = codes.next().unwrap();
        assert_eq!(redeem(&address, "host%7Calice", code).0, 200, "{why}");
        fs::write(&path, &whole).unwrap();
        running.logs("the keyring was read again");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    running.logs("can be read by others");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    running.logs("the keyring was read again");
    fs::rename(&path, place.path("elsewhere.toml")).unwrap();
    running.logs("there is no keyring");
    assert_eq!(
        redeem(&address, "host%7Calice", codes.next().unwrap()).0,
        200
    );
    fs::rename(place.path("elsewhere.toml"), &path).unwrap();
    running.logs("the keyring was read again");
    let (_, ready) = http(&address, "GET /readyz", "");
    assert!(ready.ends_with("\r\n\r\nready\n"), "{ready}");
    let ended = running.stop();
    assert!(
        !ended.stderr.contains("cannot be used"),
        "told once: {}",
        ended.stderr
    );
}

#[test]
fn keys_that_are_added_at_once_are_all_there() {
    let place = Place::new();
    place.with_keyring();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| place.run(&ROTATE).done());
        }
    });
    let list = ["keyring", "list", "--json", "--keyring", "keyring.toml"];
    let listed = place.run(&list).done().json();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 9);
    assert_eq!(listed["keys"][8]["current"], true);
}

/// A store with codes of key 2, and a keyring that lost that key.
fn lost_key(store: &str) {
    let place = Place::new();
    place.with_keyring();
    fs::copy(place.path("keyring.toml"), place.path("first.toml")).unwrap();
    place.run(&ROTATE).done();
    let (running, address) = server(&place, store);
    let (_, codes) = issue(&address, "host%7Calice");
    // Signing keys are made when they are first asked for.
    assert_eq!(http(&address, "GET /.well-known/jwks.json", "").0, 200);
    running.stop();

    let issuer = [
        "--issuer",
        "https://login.example.com",
        "--listen",
        "127.0.0.1:0",
    ];
    let first = ["--keyring", "first.toml", "--store", store];
    for command in [vec!["serve"], vec!["check"]] {
        let refused = place
            .run(&[command.as_slice(), &first, &issuer].concat())
            .refused();
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(said.contains("key 2 is not in the keyring"), "{said}");
        assert!(said.contains("1 live batches of codes"), "{said}");
    }
    let listed = place
        .run(&[&["keyring", "list"], first.as_slice()].concat())
        .done();
    assert!(listed.stdout.contains("MISSING"), "{listed:?}");
    // Another keyring with keys of the same numbers.
    place
        .run(&["keyring", "init", "--keyring", "other.toml"])
        .done();
    place
        .run(&["keyring", "rotate", "--keyring", "other.toml"])
        .done();
    let other = ["--keyring", "other.toml", "--store", store];
    let refused = place
        .run(&[&["serve"], other.as_slice(), &issuer].concat())
        .refused();
    assert!(refused.stderr.contains("is not the one"), "{refused:?}");
    let (running, address) = server(&place, store);
    assert_eq!(
        redeem(&address, "host%7Calice", &codes[0]).0,
        200,
        "nothing was lost"
    );
    running.stop();
}

// S1: losing the keyring fails closed, and says what is lost.
#[test]
fn a_store_is_not_served_without_the_keys_that_its_codes_need() {
    lost_key("sqlite:test.db");
}

/// Row S1.
#[test]
fn a_database_is_not_served_without_the_keys_that_its_codes_need() {
    let database = Database::create(&[]);
    lost_key(&database.url());
}

// A-48: a key that is missing while serving is a fault that spends nothing.
#[test]
fn a_code_of_a_key_that_a_server_does_not_have_is_a_fault_and_stays_unused() {
    let place = Place::new();
    place.with_keyring();
    let (behind, two) = server(&place, "sqlite:test.db");
    // A copy of its own, on another computer.
    fs::copy(place.path("keyring.toml"), place.path("copy.toml")).unwrap();
    let rotate = ["keyring", "rotate", "--keyring", "copy.toml"];
    place.run(&rotate).done();
    let ahead = [
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--keyring",
        "copy.toml",
        "--store",
        "sqlite:test.db",
    ];
    let ahead = place.start(&ahead);
    let one = ahead.says("Listening on http://");
    let one = one.replace("Listening on http://", "");
    let (_, codes) = issue(one.trim(), "host%7Calice");
    let (status, answer) = redeem(&two, "host%7Calice", &codes[0]);
    assert_eq!(status, 500, "{answer}");
    assert!(!answer.contains("key 2"), "{answer}");
    let log = behind.logs("key 2 is not in the keyring");
    assert!(!log.contains(&codes[0]), "{log}");
    // The copy arrives.
    fs::rename(place.path("copy.toml"), place.path("keyring.toml")).unwrap();
    let (status, answer) = redeem(&two, "host%7Calice", &codes[0]);
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("\"remaining\":9"), "{answer}");
    behind.stop();
    ahead.stop();
}
