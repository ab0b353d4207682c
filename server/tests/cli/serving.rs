//! `dev` and `serve`: starting, being reached, and ending.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Place, answer, connect, http};

#[test]
fn serve_names_everything_that_is_missing() {
    let place = Place::new();
    let bare = place.run(&["serve", "--listen", "0.0.0.0:0"]).refused();
    for name in ["--keyring", "--issuer", "--store", "--trusted-proxy"] {
        assert!(bare.stderr.contains(name), "{name} {bare:?}");
    }
    let paths = place.with_keyring();
    let almost = place
        .run(&[&["serve"], paths.as_slice()].concat())
        .refused();
    assert!(almost.stderr.contains("--issuer"), "{almost:?}");
    assert!(!almost.stderr.contains("--store sqlite"), "{almost:?}");
}

#[test]
fn serve_says_when_it_is_ready_and_makes_nobody_up() {
    let place = Place::new();
    let paths = place.with_keyring();
    let more = [
        "--listen",
        "127.0.0.1:0",
        "--issuer",
        "https://login.example.com",
        "--log-format",
        "json",
    ];
    let running = place.start(&[&["serve"], paths.as_slice(), &more].concat());
    let ready: serde_json::Value = serde_json::from_str(&running.logs("\"ready\"")).unwrap();
    assert_eq!(ready["recovery_codes"], false);
    let (status, _) = http(ready["listen"].as_str().unwrap(), "GET /readyz", "");
    assert_eq!(status, 200);
    // For development alone.
    let (status, _) = http(ready["listen"].as_str().unwrap(), "GET /gallery", "");
    assert_eq!(status, 404);
    let accounts = [&["account", "list", "--json"], paths.as_slice()].concat();
    let accounts = place.run(&accounts).done().json();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 0);
    running.stop();
}

#[test]
fn dev_refuses_a_public_address() {
    let place = Place::new();
    let refused = place.run(&["dev", "--listen", "0.0.0.0:0"]).refused();
    assert!(
        refused.stderr.contains("--i-know-this-is-not-production"),
        "{refused:?}"
    );
    assert!(!place.path("spare-key-data").exists());
    let running = place.start(&[
        "dev",
        "--listen",
        "0.0.0.0:0",
        "--i-know-this-is-not-production",
    ]);
    running.says("Listening on http://127.0.0.1:");
    running.stop();
}

#[test]
fn no_command_is_dev_and_it_prints_all_that_a_newcomer_needs() {
    let place = Place::new();
    let running = place.start(&["--listen", "127.0.0.1:0"]);
    for part in [
        "Listening on http://127.0.0.1:",
        "/u/login",
        "/account",
        "/docs",
        "alice@example.com",
        "bob@example.com",
        "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "correct horse battery staple",
        "dev-host-secret",
        "spare-key-data",
        "Ctrl-C",
    ] {
        running.says(part);
    }
    let mode = |name: &str| fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("spare-key-data"), 0o700);
    assert_eq!(mode("spare-key-data/keyring.toml"), 0o600);
    assert_eq!(mode("spare-key-data/spare-key.db"), 0o600);
    running.stop();
}

#[test]
fn a_newcomer_is_told_what_to_do_when_the_port_is_taken() {
    let place = Place::new();
    let (running, address) = place.dev();
    let other = Place::new();
    let refused = other.run(&["dev", "--listen", &address]).refused();
    let port = address.rsplit(':').next().unwrap();
    assert!(refused.stderr.contains(port), "{refused:?}");
    assert!(refused.stderr.contains("--listen"), "{refused:?}");
    assert!(!other.path("spare-key-data").exists());
    running.stop();
}

#[test]
fn dev_twice_keeps_the_data() {
    let place = Place::new();
    let keyring = place.path("spare-key-data/keyring.toml");
    let show = || {
        place
            .run(&["account", "show", "auth0|carol", "--json"])
            .done()
            .json()
    };
    let (running, _) = place.dev();
    place.run(&["account", "regenerate", "auth0|carol"]).done();
    let (key, carol) = (fs::read(&keyring).unwrap(), show());
    running.stop();
    let (running, _) = place.dev();
    assert_eq!(fs::read(&keyring).unwrap(), key);
    assert_eq!(show(), carol);
    assert_eq!(carol["authenticators"].as_array().unwrap().len(), 1);
    running.stop();
}

#[test]
fn dev_makes_no_new_keyring_for_an_old_database() {
    let place = Place::new();
    let (running, _) = place.dev();
    running.stop();
    fs::remove_file(place.path("spare-key-data/keyring.toml")).unwrap();
    let refused = place.run(&["dev", "--listen", "127.0.0.1:0"]).refused();
    assert!(refused.stderr.contains("keyring"), "{refused:?}");
    assert!(!place.path("spare-key-data/keyring.toml").exists());
}

/// A request whose head was read and whose body the server waits for.
fn under_way(address: &str) -> TcpStream {
    let mut open = connect(address);
    write!(
        open,
        "POST /recovery/v1/accounts/auth0%7Ccarol/redeem HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Basic ZGV2LWhvc3Q6ZGV2LWhvc3Qtc2VjcmV0\r\nExpect: 100-continue\r\n\
         Content-Type: application/json\r\nContent-Length: 30\r\n\r\n"
    )
    .unwrap();
    let mut asked = [0_u8; 25];
    open.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    open
}

#[test]
fn a_second_signal_does_not_wait() {
    let place = Place::new();
    let (running, address) = place.dev();
    let _open = under_way(&address);
    running.signal("-TERM");
    running.logs("stopping");
    running.signal("-INT");
    running.ends().refused();
}

#[test]
fn dev_goes_on_when_nobody_reads_what_it_says() {
    let place = Place::new();
    let (running, address) = place.dev_unheard();
    assert_eq!(http(&address, "GET /healthz", "").0, 200);
    // What it logs when it stops reaches nobody either.
    running.stop();
}

#[test]
fn sigterm_drains() {
    for signal in ["-TERM", "-INT"] {
        let place = Place::new();
        let (running, address) = place.dev();
        let mut open = under_way(&address);
        running.signal(signal);
        running.logs("stopping");
        open.write_all(br#"{"code":"KZ3M-Q7TB-WJ5R-HXYN"}"#)
            .unwrap();
        let (status, text) = answer(open);
        // Refused, for it says nothing of a first factor; what counts is that it was answered.
        assert_eq!(status, 403, "{text}");
        running.ends().done();
    }
}

/// Row A-28.
#[test]
fn the_log_tells_no_request_and_no_secret_of_dev() {
    let place = Place::new();
    let (running, address) = place.dev();
    http(
        &address,
        "POST /recovery/v1/accounts/auth0%7Ccarol/redeem",
        r#"{"code":"KZ3M-Q7TB-WJ5R-HXYN"}"#,
    );
    let log = running.stop().stderr;
    assert!(!log.contains("KZ3M") && !log.contains("answered"), "{log}");
}
