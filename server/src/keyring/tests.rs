use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::entropy::SystemEntropy;

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

fn ring() -> Keyring {
    Keyring::draw(&SystemEntropy, Timestamp(1_000)).unwrap()
}

#[test]
fn what_is_sealed_opens_in_its_own_place_only() {
    let ring = ring();
    let alice = account("alice");
    let sealed = ring
        .seal(
            &SystemEntropy,
            &alice,
            Sealing::Seed(Generation(3)),
            b"a seed",
        )
        .unwrap();
    let open = |account: &AccountId, what| ring.open(account, what, &sealed).map(|s| s.to_vec());
    assert_eq!(
        open(&alice, Sealing::Seed(Generation(3))),
        Ok(b"a seed".to_vec())
    );
    assert_eq!(
        open(&alice, Sealing::Seed(Generation(4))),
        Err(KeyFault::Broken)
    );
    assert_eq!(
        open(&alice, Sealing::Totp("\0\0\0\x03")),
        Err(KeyFault::Broken)
    );
    assert_eq!(
        open(&account("bob"), Sealing::Seed(Generation(3))),
        Err(KeyFault::Broken)
    );
}

/// Row O3.
#[test]
fn rotation_keeps_everything_that_was_sealed_before() {
    let mut ring = ring();
    let alice = account("alice");
    let before = ring
        .seal(&SystemEntropy, &alice, Sealing::Totp("totp|1"), b"secret")
        .unwrap();
    let pepper = ring.pepper(KeyId(1)).unwrap();
    let proof = ring.csrf_proof("cookie").unwrap();
    assert_eq!(
        ring.rotate(&SystemEntropy, Timestamp(2_000)).unwrap(),
        KeyId(2)
    );
    assert_eq!(
        ring.open(&alice, Sealing::Totp("totp|1"), &before)
            .unwrap()
            .as_slice(),
        b"secret"
    );
    assert_eq!(ring.pepper(KeyId(1)).unwrap(), pepper);
    assert_ne!(ring.pepper(KeyId(2)).unwrap(), pepper);
    assert_eq!(ring.csrf_proof("cookie").unwrap(), proof);
    let after = ring
        .seal(&SystemEntropy, &alice, Sealing::Totp("totp|1"), b"secret")
        .unwrap();
    assert_eq!(after.0[..4], 2_u32.to_be_bytes());
}

#[test]
fn another_keyring_opens_nothing() {
    let alice = account("alice");
    let sealed = ring()
        .seal(&SystemEntropy, &alice, Sealing::Totp("t"), b"secret")
        .unwrap();
    assert_eq!(
        ring().open(&alice, Sealing::Totp("t"), &sealed),
        Err(KeyFault::Broken)
    );
    assert_eq!(ring().pepper(KeyId(9)).unwrap_err(), KeyFault::Missing(9));
}

#[test]
fn a_file_has_mode_0600_is_never_overwritten_and_reads_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.toml");
    let mut ring = ring();
    ring.create(&path).unwrap();
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(matches!(ring.create(&path), Err(KeyringError::Exists(_))));
    ring.rotate(&SystemEntropy, Timestamp(5_000)).unwrap();
    ring.replace(&path).unwrap();
    let read = Keyring::load(&path).unwrap();
    assert_eq!(read.lines(), ring.lines());
    assert_eq!(
        read.pepper(KeyId(2)).unwrap(),
        ring.pepper(KeyId(2)).unwrap()
    );
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

/// Row A-30.
#[test]
fn a_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring.toml");
    ring().create(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(
        Keyring::load(&path),
        Err(KeyringError::TooOpen { mode: 0o640, .. })
    ));
}

#[test]
fn a_broken_file_says_what_is_wrong_and_nothing_of_a_key() {
    let secret = "c2VjcmV0";
    for text in [
        "",
        "current = 1",
        "current = 2\n[[key]]\nid = 1\ncreated_at = \"2026-01-01T00:00:00Z\"\nsecret = \"c2VjcmV0\"",
    ] {
        let error = Keyring::parse(text, "SOMEWHERE").unwrap_err().to_string();
        assert!(
            error.contains("SOMEWHERE") && !error.contains(secret),
            "{error}"
        );
    }
}

/// Row S25.
#[test]
fn a_locator_depends_on_account_generation_code_and_key() {
    let mut ring = ring();
    ring.rotate(&SystemEntropy, Timestamp(0)).unwrap();
    let all: std::collections::HashSet<u16> = [
        (KeyId(1), "a", 1, "KZ3MQ7TBWJ5RHXYN"),
        (KeyId(2), "a", 1, "KZ3MQ7TBWJ5RHXYN"),
        (KeyId(1), "b", 1, "KZ3MQ7TBWJ5RHXYN"),
        (KeyId(1), "a", 2, "KZ3MQ7TBWJ5RHXYN"),
        (KeyId(1), "a", 1, "ABCDEFGHIJKLMNOI"),
    ]
    .into_iter()
    .map(|(key, id, generation, code)| {
        ring.locator(key, &account(id), Generation(generation), code.as_bytes())
            .unwrap()
            .0
    })
    .collect();
    // Five 16-bit tags: two alike by chance once in 6,500 runs, three hardly ever.
    assert!(all.len() >= 4, "{all:?}");
}

#[test]
fn the_name_of_a_transaction_is_told_apart_from_the_proof_of_a_form() {
    let ring = ring();
    let name = ring.transaction_name("cookie").unwrap();
    let proof = ring.csrf_proof("cookie").unwrap();
    assert_eq!(ring.transaction_name("cookie").unwrap(), name);
    assert_ne!(ring.transaction_name("another").unwrap(), name);
    assert_ne!(proof.0.split_at(16).0, name);
}
