//! Telling people what happened: what a mail says, and what becomes of it when nobody takes it.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use spare_key_server::domain::{Caller, NewPerson, Way};
use spare_key_server::model::{AccountId, EventKind, Millis};
use spare_key_server::notify::{
    Courier, MailServer, MailSettings, Mailer, Webhook, WebhookSecret, WebhookUrl,
};
use spare_key_tests::App;

fn alice() -> AccountId {
    AccountId::parse("auth0|alice").expect("an identifier")
}

/// The product with somebody in it who has an address, ten codes and nothing to be told of.
async fn with_alice() -> (App, Vec<String>) {
    let app = App::start().await;
    let administrator = Caller::administrator(alice());
    let person = NewPerson {
        id: alice(),
        login: "alice@example.com".to_owned(),
        password: "correct horse battery staple".to_owned().into(),
    };
    let added = app.mfa().add_person(&administrator, person).await;
    added.expect("alice");
    let (_, codes) = app.host().issue("auth0|alice").await;
    carry(&Courier::default(), &app).await;
    (app, codes)
}

/// Lets a courier do all there is to do; how many notices that were.
async fn carry(courier: &Courier, app: &App) -> usize {
    let mut all = 0;
    for way in Way::ALL {
        loop {
            match courier.round(app.mfa(), way).await.expect("a store") {
                0 => break,
                some => all += some,
            }
        }
    }
    all
}

/// A courier that puts mail into a folder.
fn into(folder: &Path) -> Courier {
    let settings = MailSettings {
        server: MailServer::Folder(folder.to_owned()),
        from: MailSettings::sender("Example Inc. <no-reply@example.com>").expect("an address"),
        contact: Some("help@example.com".to_owned()),
        account: Some("https://login.example.com/account".to_owned()),
    };
    Courier {
        mail: Some(Arc::new(Mailer::new(settings).expect("a mailer"))),
        webhook: None,
    }
}

/// A courier that calls a program.
fn calling(url: &str) -> Courier {
    let url = WebhookUrl::parse(url).expect("an address");
    let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret");
    Courier {
        mail: None,
        webhook: Some(Arc::new(Webhook::new(url, secret).expect("a webhook"))),
    }
}

/// A program that answers this until it is told otherwise, and counts how often it was asked.
async fn program(answer: u16) -> (String, Arc<AtomicU16>, Arc<AtomicUsize>) {
    let (answer, asked) = (Arc::new(AtomicU16::new(answer)), Arc::default());
    let (says, counts): (_, Arc<AtomicUsize>) = (Arc::clone(&answer), Arc::clone(&asked));
    let hook = move || {
        counts.fetch_add(1, Ordering::SeqCst);
        let status = StatusCode::from_u16(says.load(Ordering::SeqCst));
        async move { status.expect("a status") }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/hook", post(hook));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}/hook"), answer, asked)
}

fn mails(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("a folder");
    let paths = files.map(|file| file.expect("a file").path());
    paths
        .map(|path| fs::read_to_string(path).expect("a mail"))
        .collect()
}

/// A mail's text, as its reader sees it (RFC 2045, 6.7 and 6.8).
fn text(mail: &str) -> String {
    let (head, body) = mail.split_once("\r\n\r\n").expect("a head and a body");
    if head.contains("Content-Transfer-Encoding: base64") {
        let encoded: String = body.split_whitespace().collect();
        let decoded = data_encoding::BASE64.decode(encoded.as_bytes());
        return String::from_utf8(decoded.expect("Base64")).expect("UTF-8");
    }
    let mut bytes = Vec::new();
    let joined = body.replace("=\r\n", "");
    let mut rest = joined.as_bytes();
    while let [first, behind @ ..] = rest {
        match (first, behind) {
            (b'=', [a, b, after @ ..]) if head.contains("quoted-printable") => {
                let digits = [*a, *b];
                let decoded = data_encoding::HEXUPPER.decode(&digits);
                bytes.extend(decoded.expect("hexadecimal digits"));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).expect("UTF-8")
}

/// Rows, S22.
#[tokio::test]
async fn who_used_a_code_is_told_what_when_what_is_left_and_what_to_do_but_no_code() {
    let (app, codes) = with_alice().await;
    let folder = tempfile::tempdir().expect("a folder");
    let used = app.host().redeem("auth0|alice", &codes[3]).await;
    used.expect(200);
    assert_eq!(carry(&into(folder.path()), &app).await, 1);
    let mails = mails(folder.path());
    let [mail] = mails.as_slice() else {
        panic!("{mails:?}");
    };
    for header in [
        "To: alice@example.com\r\n",
        "From: \"Example Inc.\" <no-reply@example.com>\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Language: en\r\n",
        "recovery code 4 of set 1\r\n",
    ] {
        assert!(mail.contains(header), "{header}: {mail}");
    }
    let text = text(mail);
    for said in [
        "account alice@example.com at Spare Key:",
        "* Signed in with recovery code 4 of set 1\r\n",
        "UTC\r\n",
        "9 recovery codes are left.",
        "If it was not you: sign in at https://login.example.com/account now",
        "Whom to turn to: help@example.com",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    for code in &codes {
        let bare = code.replace('-', "");
        for part in [code.as_str(), &bare, &code[..9], &bare[..8]] {
            assert!(!mail.contains(part) && !text.contains(part));
        }
    }
}

/// A person is told in the language in which they read the pages.
#[tokio::test]
async fn a_mail_is_in_the_language_that_its_reader_chose() {
    let (app, codes) = with_alice().await;
    for ((tag, said), code) in [
        ("en", "If this was you, there is nothing to do."),
        ("de", "Wenn Sie das waren, ist nichts zu tun."),
        ("es", "Si fuiste tú, no tienes que hacer nada."),
        ("fr", "Si c’était vous, il n’y a rien à faire."),
        ("ja", "ご本人の操作であれば、何もする必要はありません。"),
        ("ar", "إذا كنت أنت من فعل ذلك فلا حاجة إلى أي إجراء."),
        ("tlh", "If this was you, there is nothing to do."),
    ]
    .into_iter()
    .zip(&codes)
    {
        let noted = app.mfa().note_language(&alice(), tag).await;
        noted.expect("a store");
        app.host().redeem("auth0|alice", code).await.expect(200);
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(carry(&into(folder.path()), &app).await, 1);
        let mail = mails(folder.path()).remove(0);
        let text = text(&mail);
        assert!(text.contains(said), "{tag}: {text}");
        assert!(!text.contains("notice."), "{tag} has every text: {text}");
    }
}

/// Row A-101: whoever reads the answer or does not.
#[tokio::test]
async fn what_happens_at_one_time_is_told_in_one_mail() {
    let (app, _) = with_alice().await;
    let administrator = Caller::administrator(alice());
    let home = spare_key_server::model::MailAddress::parse("alice@home.example");
    let home = home.expect("an address");
    let added = app.mfa().add_address(&administrator, &home).await;
    added.expect("a store");
    app.mfa().reset_mfa(&administrator).await.expect("a store");
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(carry(&into(folder.path()), &app).await, 4);
    let mails = mails(folder.path());
    assert_eq!(mails.len(), 2, "one to each address");
    for address in ["alice@example.com", "alice@home.example"] {
        let to = format!("To: {address}\r\n");
        let mail = mails.iter().find(|mail| mail.contains(&to));
        let mail = mail.expect("a mail to this address");
        assert!(mail.contains("Subject: Spare Key: changes to your account\r\n"));
        let text = text(mail);
        assert!(text.contains("* An address for messages about this account was added"));
        assert!(text.contains("* An administrator removed authenticator app"));
        assert!(text.contains("Done by an administrator."));
    }
}

/// Row O2: what happened stands, it is tried again ever more rarely, and that it failed is told.
#[tokio::test]
async fn what_nobody_takes_is_tried_for_three_days_and_then_put_on_record() {
    let (app, codes) = with_alice().await;
    let (url, _, asked) = program(500).await;
    let courier = calling(&url);
    let used = app.host().redeem("auth0|alice", &codes[0]).await;
    used.expect(200);
    assert_eq!(carry(&courier, &app).await, 1);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Not before its time.
    app.clock.advance(Millis::seconds(29));
    assert_eq!(carry(&courier, &app).await, 0);
    app.clock.advance(Millis::seconds(1));
    assert_eq!(carry(&courier, &app).await, 1);
    for _ in 0..3 * 24 * 12 {
        app.clock.advance(Millis::minutes(5));
        carry(&courier, &app).await;
    }
    let tries = asked.load(Ordering::SeqCst);
    assert!((15..=25).contains(&tries), "{tries} tries in three days");
    let waiting = app.mfa().waiting_notices().await.expect("a store");
    assert_eq!(waiting.notices, 0, "nothing is left of it");
    let newest = app.mfa().events(&alice(), None, 1).await.expect("events");
    assert_eq!(newest[0].kind, EventKind::NoticeGivenUp);
    let said = newest[0].detail.as_deref();
    assert_eq!(said, Some("webhook: codes.redeemed"));
    let given_up = "spare_key_notices_total{way=\"webhook\",outcome=\"given_up\"}";
    assert_eq!(app.figure(given_up).await, 1);
    // The code stays used.
    let again = app.host().redeem("auth0|alice", &codes[0]).await;
    again.expect_problem(403, "code-not-accepted");
}

/// Row O2.
#[tokio::test]
async fn an_outage_delays_what_people_are_told_and_loses_nothing() {
    let (app, codes) = with_alice().await;
    let (url, answer, asked) = program(503).await;
    let courier = calling(&url);
    for code in &codes[..3] {
        app.host().redeem("auth0|alice", code).await.expect(200);
        carry(&courier, &app).await;
    }
    answer.store(204, Ordering::SeqCst);
    app.clock.advance(Millis::minutes(2));
    assert_eq!(carry(&courier, &app).await, 3);
    assert_eq!(asked.load(Ordering::SeqCst), 6);
    let waiting = app.mfa().waiting_notices().await.expect("a store");
    assert_eq!(waiting.notices, 0);
}

/// A server that died in the middle of sending has not taken it with it.
#[tokio::test]
async fn what_another_server_left_behind_is_sent_and_what_it_holds_is_not() {
    let (app, codes) = with_alice().await;
    app.host()
        .redeem("auth0|alice", &codes[0])
        .await
        .expect(200);
    let addressed = app.mfa().address_notices(true, false).await;
    assert!(addressed.expect("a store").mail);
    let held = app.mfa().due_notices(Way::Mail).await.expect("a store");
    assert_eq!(held.len(), 1);
    let (another, folder) = (app.another(), tempfile::tempdir().expect("a folder"));
    let courier = into(folder.path());
    assert_eq!(carry(&courier, &another).await, 0);
    app.clock.advance(Millis::minutes(3));
    assert_eq!(carry(&courier, &another).await, 1);
    assert_eq!(mails(folder.path()).len(), 1);
}

/// Not a word of an address is sent to somebody who can be reached by nobody.
#[tokio::test]
async fn a_login_that_is_no_mail_address_is_given_up_at_once_and_the_rest_is_told() {
    let (app, codes) = with_alice().await;
    let odd = AccountId::parse("auth0|odd").expect("an identifier");
    let person = NewPerson {
        id: odd.clone(),
        login: "o d d@@nowhere".to_owned(),
        password: "correct horse battery staple".to_owned().into(),
    };
    let administrator = Caller::administrator(odd.clone());
    let added = app.mfa().add_person(&administrator, person).await;
    added.expect("somebody");
    app.host().issue("auth0|odd").await;
    app.host()
        .redeem("auth0|alice", &codes[0])
        .await
        .expect(200);
    let folder = tempfile::tempdir().expect("a folder");
    carry(&into(folder.path()), &app).await;
    assert_eq!(mails(folder.path()).len(), 1);
    let newest = app.mfa().events(&odd, None, 1).await.expect("events");
    assert_eq!(newest[0].kind, EventKind::NoticeGivenUp);
}

/// The store is everybody's, the ways are each server's own.
#[tokio::test]
async fn a_server_leaves_to_another_the_way_that_it_has_not_itself() {
    let (app, codes) = with_alice().await;
    app.host()
        .redeem("auth0|alice", &codes[0])
        .await
        .expect(200);
    let (url, _, asked) = program(204).await;
    let mut both = calling(&url);
    let folder = tempfile::tempdir().expect("a folder");
    both.mail = into(folder.path()).mail;
    // It addresses both ways and dies before it sends anything.
    let addressed = app.mfa().address_notices(true, true).await;
    addressed.expect("a store");
    assert_eq!(carry(&into(folder.path()), &app).await, 1);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert_eq!(carry(&Courier::default(), &app).await, 0);
    assert_eq!(carry(&both, &app).await, 1);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// A mail server that hangs holds up nobody but mail.
#[tokio::test]
async fn the_webhook_is_called_while_the_mail_server_hangs() {
    let (app, codes) = with_alice().await;
    // Takes connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let silent = silent.expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let server = MailServer::parse(&format!("smtp://127.0.0.1:{port}?tls=none"));
    let settings = MailSettings {
        server: server.expect("an address"),
        from: MailSettings::sender("no-reply@example.com").expect("an address"),
        contact: None,
        account: None,
    };
    let (url, _, asked) = program(204).await;
    let mut courier = calling(&url);
    courier.mail = Some(Arc::new(Mailer::new(settings).expect("a mailer")));
    app.host()
        .redeem("auth0|alice", &codes[0])
        .await
        .expect(200);
    let (carry_no_more, stop) = tokio::sync::watch::channel(());
    let running = tokio::spawn(courier.run(app.mfa().clone(), stop));
    // The mail server is being waited for, and the program has been told.
    let (_held, _) = silent.accept().await.expect("a connection");
    while asked.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    drop(carry_no_more);
    running.abort();
}
