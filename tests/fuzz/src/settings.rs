//! What an operator writes: the address of a store, a settings file, a keyring.
//!
//! The first line says which: `store`, `settings` or `keyring`; the rest is the text. What a person
//! is told about it repeats nothing that could be a secret.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use spare_key_server::app::StoreUrl;
use spare_key_server::config::{Config, Settings};
use spare_key_server::keyring::Keyring;
use tempfile::TempDir;

/// In whatever is refused, a password is this.
const PASSWORD: &str = "Wn7ePassword4";

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

/// Reads it as what it says it is.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match text.split_once('\n') {
        Some(("store", url)) => store(url.lines().next().unwrap_or_default()),
        Some(("settings", file)) => settings(file),
        Some(("keyring", file)) => keyring(file),
        _ => {}
    }
}

fn store(text: &str) {
    let told = match StoreUrl::parse(text) {
        // A path is told as it is, whatever it is called.
        Ok(StoreUrl::Sqlite(path)) => return assert!(!path.as_os_str().is_empty()),
        Ok(url) => format!("{url}\n{url:?}"),
        Err(error) => format!("{error}\n{error:?}"),
    };
    says_no_password(text, &told);
}

fn settings(text: &str) {
    let path: PathBuf = FOLDER.path().join("settings.toml");
    fs::write(&path, text).expect("a file");
    let given = Settings {
        config: Some(path),
        ..Settings::default()
    };
    let told = match Config::read(given, None) {
        Ok(config) => {
            assert!(config.workers > 0);
            format!("{config:?}")
        }
        Err(error) => format!("{error}\n{}", error.remedy()),
    };
    // In a path it is a part of one.
    let mut lines = text.lines().filter(|line| line.contains(PASSWORD));
    let of_an_address = |line: &str| {
        line.starts_with("store = \"postgres") || line.starts_with("mail_server = \"smtp")
    };
    if lines.next().is_some_and(of_an_address) && lines.next().is_none() {
        says_no_password(text, &told);
    }
}

fn keyring(text: &str) {
    match Keyring::parse(text, "a test") {
        Ok(keyring) => {
            let path = FOLDER.path().join("keyring.toml");
            keyring.replace(&path).expect("a file");
            // What was written is the same keyring.
            let again = Keyring::load(&path).expect("what was just written");
            assert_eq!(keyring.lines(), again.lines());
            says_no_password(text, &format!("{keyring:?}"));
        }
        Err(error) => says_no_password(text, &error.to_string()),
    }
}

/// Where it stands as a password or as its end, behind a user's name in an address, and nowhere else.
fn says_no_password(text: &str, told: &str) {
    let divider = format!("{PASSWORD}@");
    let mut parts = text.split(&divider);
    let (before, behind) = (parts.next().unwrap_or_default(), parts.next());
    let user = before.split_once("://").map_or("", |(_, user)| user);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":@".contains(&byte);
    let secret = behind.is_some_and(|behind| !behind.contains(PASSWORD))
        && !before.contains(PASSWORD)
        && user.contains(':')
        && user.bytes().all(plain);
    assert!(!secret || !told.contains(PASSWORD), "{told}");
}
