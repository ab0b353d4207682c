use std::fs;
use std::path::Path;

use super::*;

fn file(text: &str) -> (tempfile::TempDir, Settings) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spare-key.toml");
    fs::write(&path, text).unwrap();
    let settings = Settings {
        config: Some(path),
        ..Settings::default()
    };
    (folder, settings)
}

#[test]
fn every_setting_can_stand_in_the_file_under_its_flags_name() {
    let (_folder, settings) = file(
        r#"
        store = "sqlite:/var/lib/spare-key/spare-key.db"
        keyring = "/etc/spare-key/keyring.toml"
        listen = "127.0.0.1:9000"
        tls_cert = "/etc/spare-key/tls.pem"
        tls_key = "/etc/spare-key/tls-key.pem"
        issuer = "https://login.example.com"
        no_pages = true
        trusted_proxy = ["10.0.0.1", "::1"]
        recovery_codes = "on"
        product = "Example"
        workers = 3
        log = "warn"
        log_format = "json"
        "#,
    );
    let config = Config::read(settings, None).unwrap();
    assert_eq!(
        config.store,
        StoreUrl::parse("sqlite:/var/lib/spare-key/spare-key.db").ok()
    );
    assert!(matches!(config.keyring, Some(KeyringSource::File(_))));
    assert_eq!(config.listens_on().port(), 9000);
    assert_eq!(
        config.tls.unwrap().certificate,
        Path::new("/etc/spare-key/tls.pem")
    );
    assert_eq!(config.issuer.unwrap().as_str(), "https://login.example.com");
    assert!(!config.pages);
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.recovery_codes, Some(Switch::On));
    assert_eq!(config.product.as_deref(), Some("Example"));
    assert_eq!(config.workers, 3);
    assert_eq!(config.log.as_deref(), Some("warn"));
    assert_eq!(config.log_format, LogFormat::Json);
}

#[test]
fn what_was_given_wins_over_the_file() {
    let (_folder, mut settings) = file("listen = '127.0.0.1:9000'\nno_pages = true\nworkers = 3");
    settings.listen = Some("127.0.0.1:9001".parse().unwrap());
    settings.no_pages = Some(false);
    let config = Config::read(settings, None).unwrap();
    assert_eq!(config.listens_on().port(), 9001);
    assert!(config.pages);
    assert_eq!(config.workers, 3);
}

/// Row S3.
#[test]
fn an_unknown_key_is_refused_by_name_and_its_value_is_not_repeated() {
    let (_folder, settings) = file("listen = '127.0.0.1:1'\nkeyring_secret = 'hunter2'");
    let error = Config::read(settings, None).unwrap_err().to_string();
    assert!(error.contains("keyring_secret"), "{error}");
    assert!(error.contains("line 2"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn an_unsound_address_of_a_store_is_refused_without_repeating_its_address() {
    for (url, said) in [
        ("postgres://root:hunter2@db/x?sslmode=prefer", "sslmode"),
        (
            "postgresql://root:hunter2@db/x?hunter2=1",
            "not one of PostgreSQL",
        ),
        ("mysql://root:hunter2@db/x", "not an address"),
        ("sqlite:", "not an address"),
    ] {
        let settings = Settings {
            store: Some(url.to_owned()),
            ..Settings::default()
        };
        let error = Config::read(settings, None).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
        assert!(error.remedy().contains("postgres://USER"));
    }
}

#[test]
fn a_keyring_comes_from_one_place() {
    let settings = Settings {
        keyring: Some("keyring.toml".into()),
        ..Settings::default()
    };
    let both = Config::read(settings, Some("text".into())).unwrap_err();
    assert!(matches!(both, ConfigError::TwoKeyrings));
    let secret = Config::read(Settings::default(), Some("s3cret".into())).unwrap();
    assert!(!format!("{secret:?}").contains("s3cret"));
    let neither = Config::read(Settings::default(), Some("".into())).unwrap();
    assert!(neither.keyring.is_none());
}

#[test]
fn tls_takes_a_certificate_and_its_key_and_an_issuer_that_is_https() {
    let (cert, key) = (Some("tls.pem".into()), Some("tls-key.pem".into()));
    for (tls_cert, tls_key, given) in [
        (cert.clone(), None, "--tls-cert is given alone"),
        (None, key.clone(), "--tls-key is given alone"),
    ] {
        let settings = Settings {
            tls_cert,
            tls_key,
            ..Settings::default()
        };
        let error = Config::read(settings, None).unwrap_err().to_string();
        assert!(error.contains(given), "{error}");
    }
    let settings = Settings {
        tls_cert: cert,
        tls_key: key,
        issuer: Some("http://localhost:8080".to_owned()),
        ..Settings::default()
    };
    let error = Config::read(settings, None).unwrap_err();
    assert!(matches!(error, ConfigError::ClearIssuer));
}

#[test]
fn the_audit_trail_is_kept_for_a_month_at_least() {
    for (given, kept) in [
        (None, Some(None)),
        (Some(30), Some(Some(30))),
        (Some(29), None),
        (Some(0), None),
        (Some(36_526), None),
    ] {
        let settings = Settings {
            keep_events: given,
            ..Settings::default()
        };
        let read = Config::read(settings, None).map(|config| config.keep_events);
        assert_eq!(read.ok(), kept, "{given:?}");
    }
}
