use std::fs;
use std::path::Path;

use super::*;
use crate::notify::{MailServer, UnfitMail, UnfitWebhook};

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
        mail_server = "smtps://mailer:secret@mail.example.com"
        mail_from = "Example Inc. <no-reply@example.com>"
        mail_contact = "help@example.com"
        webhook = "https://hooks.example.com/spare-key"
        webhook_secret_file = "/etc/spare-key/webhook-secret"
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
    let mail = config.notices.mail.unwrap();
    assert!(matches!(mail.server, MailServer::Smtp(_)));
    assert_eq!(mail.from.email.to_string(), "no-reply@example.com");
    assert_eq!(mail.contact.as_deref(), Some("help@example.com"));
    let secret = config.notices.webhook.unwrap().secret;
    assert_eq!(secret, Path::new("/etc/spare-key/webhook-secret"));
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

fn notices(text: &str) -> Result<Notices, ConfigError> {
    let (_folder, settings) = file(text);
    Config::read(settings, None).map(|config| config.notices)
}

#[test]
fn a_way_to_tell_people_is_given_whole_or_not_at_all() {
    let nobody = notices("").unwrap();
    assert!(nobody.mail.is_none() && nobody.webhook.is_none());
    for (given, half) in [
        ("mail_server = 'folder:mail'", "--mail-server"),
        ("mail_from = 'a@example.com'", "--mail-from"),
        ("mail_contact = 'a@example.com'", "--mail-contact"),
        ("webhook = 'https://example.com/'", "--webhook"),
        ("webhook_secret_file = 'secret'", "--webhook-secret-file"),
    ] {
        let error = notices(given).unwrap_err();
        assert!(
            matches!(error, ConfigError::HalfWay { given, .. } if given == half),
            "{error:?}"
        );
    }
}

#[test]
fn a_mail_server_is_spoken_to_under_tls_unless_it_was_said_otherwise() {
    let mail = |server: &str| {
        notices(&format!(
            "mail_server = '{server}'\nmail_from = 'a@b.example'"
        ))
    };
    let said = |server: &str| match mail(server).unwrap().mail.unwrap().server {
        MailServer::Smtp(url) => url.to_string(),
        MailServer::Folder(path) => path.display().to_string(),
    };
    assert_eq!(
        said("smtp://mail.example"),
        "smtp://mail.example?tls=required"
    );
    assert_eq!(
        said("smtp://u:p%40@mail.example:2525/"),
        "smtp://u:p%40@mail.example:2525/?tls=required"
    );
    assert_eq!(said("smtps://mail.example"), "smtps://mail.example");
    assert_eq!(said("smtp://10.0.0.2?tls=none"), "smtp://10.0.0.2");
    assert_eq!(
        said("smtp://u:p@127.0.0.1?tls=none"),
        "smtp://u:p@127.0.0.1"
    );
    assert_eq!(said("folder:/var/mail here"), "/var/mail here");
    for (server, unfit) in [
        ("smtp://u:p@10.0.0.2?tls=none", UnfitMail::Clear),
        ("smtp://mail.example?tls=opportunistic", UnfitMail::Server),
        ("smtp://mail.example/path", UnfitMail::Server),
        ("mail.example:25", UnfitMail::Server),
        ("https://mail.example", UnfitMail::Server),
        ("folder:", UnfitMail::Server),
        ("smtp://", UnfitMail::Server),
    ] {
        let error = mail(server).unwrap_err();
        assert!(
            matches!(error, ConfigError::Mail(why) if why == unfit),
            "{server}: {error:?}"
        );
    }
}

#[test]
fn what_a_mail_server_or_a_webhook_is_told_by_is_never_repeated() {
    for text in [
        "mail_server = 'smtp://mailer:Wn7ePassword@mail.example?tls=none'\nmail_from = 'a@b.example'",
        "mail_server = 'smtps://mailer:Wn7ePassword@mail.example'\nmail_from = 'nobody'",
        "mail_server = 'smtps//mailer:Wn7ePassword@mail.example'\nmail_from = 'a@b.example'",
        "webhook = 'http://example.com/Wn7ePassword'\nwebhook_secret_file = 'x'",
    ] {
        let error = notices(text).unwrap_err();
        let told = format!("{error} {error:?} {}", error.remedy());
        assert!(!told.contains("Wn7e"), "{told}");
    }
    let given = notices(
        "mail_server = 'smtps://mailer:Wn7ePassword@mail.example'\nmail_from = 'a@b.example'\n\
         webhook = 'https://example.com/Wn7ePassword'\nwebhook_secret_file = 'x'",
    );
    assert!(!format!("{:?}", given.unwrap()).contains("Wn7e"));
    let unfit = notices("webhook = 'http://example.com/'\nwebhook_secret_file = 'x'");
    assert!(matches!(
        unfit,
        Err(ConfigError::Webhook(UnfitWebhook::Clear))
    ));
}
