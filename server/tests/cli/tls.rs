//! `serve --tls-cert --tls-key`: what is refused, and what is answered.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use spare_key_server::clock::{Clock, SystemClock};
use spare_key_server::tls::Authority;

use crate::support::{Ended, Place};

const FILES: [&str; 4] = ["--tls-cert", "tls.pem", "--tls-key", "tls-key.pem"];
const HERE: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// A certificate in `tls.pem`, its key in `tls-key.pem`, and its authority in `ca.pem`.
fn with_certificate(place: &Place) {
    let authority = Authority::load_or_make(&place.path("."), SystemClock.now()).unwrap();
    let hosts = ["127.0.0.1".to_owned()];
    authority.server(&hosts, SystemClock.now()).unwrap();
    let both = fs::read_to_string(place.path("server.pem")).unwrap();
    let at = both.find("-----BEGIN CERTIFICATE").unwrap();
    place.write("tls.pem", &both[at..]);
    place.write("tls-key.pem", &both[..at]);
    readable(place, 0o640);
}

fn readable(place: &Place, mode: u32) {
    fs::set_permissions(place.path("tls-key.pem"), Permissions::from_mode(mode)).unwrap();
}

fn serve<'a>(place: &Place, more: &[&'a str]) -> Vec<&'a str> {
    let paths = place.with_keyring();
    let issuer = ["--issuer", "https://login.example.com"];
    [&["serve"], paths.as_slice(), &issuer, more].concat()
}

/// Row A-93.
#[test]
fn serve_speaks_tls_where_everybody_can_reach_it_without_a_proxy() {
    let place = Place::new();
    with_certificate(&place);
    let line = serve(&place, &[&FILES[..], &["--listen", "0.0.0.0:0"]].concat());
    let running = place.start(&line);
    let ready = running.logs("ready listen=");
    assert!(ready.contains("tls=true"), "{ready}");
    let port = ready.split_once("listen=0.0.0.0:").unwrap().1;
    let port = port.split(' ').next().unwrap();
    let answered = Command::new("curl")
        .args(["-si", "--cacert"])
        .arg(place.path("ca.pem"))
        .arg(format!("https://127.0.0.1:{port}/readyz"))
        .output()
        .unwrap();
    let text = String::from_utf8(answered.stdout).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert!(text.contains("strict-transport-security: max-age=31536000"));
    running.stop();
}

#[test]
fn the_settings_file_and_the_environment_name_the_files_too() {
    let place = Place::new();
    with_certificate(&place);
    place.write("settings.toml", "tls_cert = 'tls.pem'\ntls_key = 'no'\n");
    let line = serve(&place, &["--config", "settings.toml"]);
    let check = [&["check"], &line[1..]].concat();
    let ended = place.run_in(&[("SPARE_KEY_TLS_KEY", "tls-key.pem")], &check);
    assert!(
        ended
            .done()
            .stdout
            .contains("ok  tls            tls.pem runs out on ")
    );
    let unfit = place.run(&check).refused();
    assert!(
        unfit
            .stdout
            .contains("NO  tls            no could not be read")
    );
}

#[test]
fn tls_that_cannot_be_spoken_is_refused_with_the_reason() {
    let place = Place::new();
    with_certificate(&place);
    let line = serve(&place, &[&FILES[..], &HERE].concat());
    let refused = |why: &str| -> Ended {
        let refused = place.run(&line).refused();
        assert!(refused.stderr.contains(why), "{why}: {refused:?}");
        assert!(refused.stderr.contains("do: "), "{refused:?}");
        refused
    };
    readable(&place, 0o644);
    let open = refused("tls-key.pem can be read by others (mode 644)");
    assert!(open.stderr.contains("chmod 600 tls-key.pem"), "{open:?}");
    readable(&place, 0o600);

    let key = fs::read_to_string(place.path("tls-key.pem")).unwrap();
    for garbage in [
        "a letter".to_owned(),
        key.replace("MIG", "AIG"),
        key.replace(" PRIVATE KEY", " ENCRYPTED PRIVATE KEY"),
    ] {
        place.write("tls-key.pem", &garbage);
        let ended = refused("tls-key.pem holds no private key");
        assert!(!ended.stderr.contains(&key[60..70]), "{ended:?}");
    }
    let other = fs::read_to_string(place.path("ca-key.pem")).unwrap();
    place.write("tls-key.pem", &other);
    refused("the private key in tls-key.pem is not that of the certificate in tls.pem");
    place.write("tls-key.pem", &key);

    place.write("tls.pem", "a letter");
    refused("tls.pem holds no certificate");
    fs::remove_file(place.path("tls.pem")).unwrap();
    refused("tls.pem could not be read");
    let half = serve(&Place::new(), &["--tls-cert", "tls.pem"]);
    let half = place.run(&half).wrong_usage();
    assert!(half.stderr.contains("--tls-key"), "{half:?}");
}
