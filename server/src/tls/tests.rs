use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::clock::parse_rfc3339;
use crate::model::Millis;

const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

fn hosts(more: &[&str]) -> Vec<String> {
    HOSTS
        .iter()
        .chain(more)
        .map(|&host| host.to_owned())
        .collect()
}

fn now() -> Timestamp {
    parse_rfc3339("2026-11-21T12:00:00Z").unwrap()
}

fn later(days: i64) -> Timestamp {
    now().plus(Millis(days * 24 * 60 * 60 * 1_000))
}

fn days(from: Timestamp, until: Timestamp) -> i64 {
    until.since(from).0 / (24 * 60 * 60 * 1_000)
}

/// A folder with an authority and a certificate for this computer.
fn made() -> (TempDir, Tls) {
    let folder = tempfile::tempdir().unwrap();
    let tls = server(folder.path(), &[], now()).unwrap();
    (folder, tls)
}

fn server(folder: &Path, more: &[&str], now: Timestamp) -> Result<Tls, TlsError> {
    Authority::load_or_make(folder, now)?.server(&hosts(more), now)
}

fn bytes(folder: &TempDir, name: &str) -> Vec<u8> {
    fs::read(folder.path().join(name)).unwrap()
}

fn lifetime(folder: &TempDir, name: &str) -> (Timestamp, Timestamp) {
    let pem = Pem::read(&folder.path().join(name), Readers::Anybody).unwrap();
    let chain = pem.certificates().unwrap();
    validity(&pem.parse(&chain[0]).unwrap())
}

#[test]
fn an_authority_lasts_ten_years_and_its_certificates_as_long_as_clients_allow() {
    let (folder, tls) = made();
    let (from, until) = lifetime(&folder, "ca.pem");
    assert!(from < now() && days(from, until) == 3_652);
    let (from, until) = lifetime(&folder, "server.pem");
    assert!(from < now() && days(from, until) == 397);
    assert_eq!(tls.until(), until);
}

#[test]
fn a_certificate_is_renewed_a_month_ahead_by_the_same_authority() {
    let (folder, first) = made();
    let authority = bytes(&folder, "ca.pem");
    let certificate = bytes(&folder, "server.pem");
    server(folder.path(), &[], later(366)).unwrap();
    assert_eq!(bytes(&folder, "server.pem"), certificate);
    // After 367 days there are less than 30 left: certificates begin an hour early.
    let renewed = server(folder.path(), &[], later(367)).unwrap();
    assert_ne!(bytes(&folder, "server.pem"), certificate);
    assert_eq!(days(first.until(), renewed.until()), 367);
    assert_eq!(bytes(&folder, "ca.pem"), authority);
    // Also when it ran out long ago, and when the clock was wrong as it was made.
    server(folder.path(), &[], later(1_500)).unwrap();
    let future = bytes(&folder, "server.pem");
    server(folder.path(), &[], now()).unwrap();
    assert_ne!(bytes(&folder, "server.pem"), future);
}

#[test]
fn a_certificate_that_lacks_a_name_is_made_anew_with_all_of_them() {
    let (folder, _) = made();
    let certificate = bytes(&folder, "server.pem");
    for more in [["login.test"], ["127.0.0.2"]] {
        server(folder.path(), &more, now()).unwrap();
        let renewed = bytes(&folder, "server.pem");
        assert_ne!(renewed, certificate);
        // It is good for fewer names too.
        server(folder.path(), &[], now()).unwrap();
        assert_eq!(bytes(&folder, "server.pem"), renewed);
    }
    let refused = server(folder.path(), &["a b"], now()).unwrap_err();
    assert!(matches!(refused, TlsError::Name(_)), "{refused}");
}

#[test]
fn no_certificate_outlives_its_authority_and_one_that_ends_is_replaced_by_hand() {
    let (folder, _) = made();
    let last = server(folder.path(), &[], later(3_600)).unwrap();
    assert_eq!(last.until(), lifetime(&folder, "ca.pem").1);
    for (time, why) in [
        (later(3_630), "runs out on 2036-11-20"),
        (later(-1), "is valid from 2026-11-21 only"),
    ] {
        let refused = server(folder.path(), &[], time).unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn files_of_two_authorities_are_not_mixed() {
    let (folder, _) = made();
    let (other, _) = made();
    let own = bytes(&folder, "server.pem");
    for (name, why) in [
        ("ca.pem", "is not that of the certificate"),
        ("ca-key.pem", "is not that of the certificate"),
        ("server.pem", "is not one that"),
    ] {
        let sound = bytes(&folder, name);
        let foreign = bytes(&other, name);
        fs::write(folder.path().join(name), &foreign).unwrap();
        let refused = server(folder.path(), &[], now()).unwrap_err().to_string();
        assert!(refused.contains(why), "{name}: {refused}");
        assert_eq!(bytes(&folder, name), foreign);
        fs::write(folder.path().join(name), sound).unwrap();
    }
    // What it signed itself is no authority, whoever holds the key.
    fs::write(folder.path().join("ca.pem"), &own).unwrap();
    fs::write(folder.path().join("ca-key.pem"), &own).unwrap();
    let refused = server(folder.path(), &[], now()).unwrap_err().to_string();
    assert!(refused.contains("not that of an authority"), "{refused}");
}

#[test]
fn an_authority_without_its_key_signs_nothing_and_a_cut_off_start_is_gone_on_with() {
    let (folder, _) = made();
    let key = bytes(&folder, "ca-key.pem");
    fs::remove_file(folder.path().join("ca-key.pem")).unwrap();
    let refused = server(folder.path(), &[], now()).unwrap_err();
    assert!(matches!(refused, TlsError::NoKey { .. }), "{refused}");

    let folder = tempfile::tempdir().unwrap();
    pem::create(
        &folder.path().join("ca-key.pem"),
        std::str::from_utf8(&key).unwrap(),
        0o600,
    )
    .unwrap();
    server(folder.path(), &[], now()).unwrap();
    assert_eq!(bytes(&folder, "ca-key.pem"), key);
}

#[test]
fn what_has_run_out_is_not_served() {
    let (folder, tls) = made();
    let both = folder.path().join("server.pem");
    let files = TlsFiles {
        certificate: both.clone(),
        key: both,
    };
    assert!(Tls::load(&files, tls.until()).is_ok());
    let refused = Tls::load(&files, tls.until().plus(Millis(1)));
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("ran out on 2027-12-23"), "{refused}");
}

#[test]
fn keys_are_not_in_what_is_printed_of_them() {
    let (folder, tls) = made();
    let authority = Authority::load_or_make(folder.path(), now()).unwrap();
    let said = format!("{authority:?} {tls:?}");
    let keys = String::from_utf8(bytes(&folder, "ca-key.pem")).unwrap()
        + &String::from_utf8(bytes(&folder, "server.pem")).unwrap();
    let secret = keys.lines().filter(|line| !line.starts_with('-'));
    for line in secret {
        assert!(!said.contains(line), "{said}");
    }
}
