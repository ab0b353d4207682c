//! Two servers on one database: nothing that one of them remembers decides anything. Real binaries,
//! over TCP, on a PostgreSQL database and on a SQLite file.

use std::thread;

use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};
use spare_key_server::clock::{Clock as _, SystemClock};
use spare_key_server::dev;
use spare_key_tests::auth0::{OTP_GRANT, PASSWORD, form};
use spare_key_tests::process::{Http, Place, Reply, Server, at_once, until};
use totp_rs::{Builder, Secret};

use crate::cluster::Database;

/// What both are known as, wherever they listen.
const ISSUER: &str = "http://localhost:8080";

/// Valid by its check and never issued.
const STRANGER: &str = "KZ3M-Q7TB-WJ5R-HXYN";

/// Two servers of one tenant.
struct Two {
    left: Server,
    right: Server,
    place: Place,
    store: String,
    /// Dropped last: the servers are connected to it.
    database: Option<Database>,
}

impl Two {
    fn on(store: String, database: Option<Database>) -> Self {
        let place = Place::default();
        let start = || {
            let listen = ["dev", "--listen", "127.0.0.1:0"];
            let more = ["--issuer", ISSUER, "--store", &store];
            place.start(&[listen.as_slice(), &more].concat())
        };
        Self {
            left: start(),
            right: start(),
            place,
            store,
            database,
        }
    }

    /// Runs a command on the database, as a third process.
    fn run(&self, args: &[&str]) -> String {
        let keyring = self.place.data().join("keyring.toml");
        let keyring = keyring.to_str().expect("a path");
        let settings = ["--store", &self.store, "--keyring", keyring];
        self.place.run(&[args, &settings].concat())
    }
}

/// The same over both stores.
fn over_both(scenario: impl Fn(&Two)) {
    let file = Two::on("sqlite:spare-key-data/both.db".to_owned(), None);
    scenario(&file);
    drop(file);
    let database = Database::create(&[]);
    let two = Two::on(database.url(), Some(database));
    scenario(&two);
    let used = two.database.as_ref().map(|database| {
        database.sql("SELECT count(DISTINCT id) FROM spare_key.account WHERE login IS NOT NULL")
    });
    assert_eq!(used.as_deref(), Some("3"), "the demo accounts are in it");
}

fn otp() -> String {
    let raw = BASE32_NOPAD.decode(dev::TOTP_SECRET.as_bytes());
    let totp = Builder::new().with_secret(Secret::new(raw.expect("base32").into()));
    let seconds = u64::try_from(SystemClock.now().0 / 1_000).expect("a time");
    totp.build()
        .expect("a generator")
        .generate(seconds)
        .to_string()
}

/// Asks for tokens as the demo application, or as another program.
fn token(http: Http, program: (&str, &str), fields: &[(&str, &str)]) -> Reply {
    let mut all = vec![("client_id", program.0), ("client_secret", program.1)];
    all.extend(fields);
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let reply = http.send("POST", "/oauth/token", &kind, &form(&all));
    reply.expect("an answer")
}

fn text(reply: &Reply, name: &str) -> String {
    let json = reply.json();
    let value = json[name].as_str();
    value.unwrap_or_else(|| panic!("no {name}")).to_owned()
}

/// Carol's sign-in up to the second factor.
fn challenge(http: Http) -> String {
    let fields = [
        ("grant_type", "password"),
        ("username", "carol@example.com"),
        ("password", PASSWORD),
        ("scope", "openid offline_access"),
    ];
    text(&token(http, dev::APP, &fields).expect(403), "mfa_token")
}

/// A token for the management of the tenant.
fn manager(http: Http) -> String {
    let audience = format!("{ISSUER}/api/v2/");
    let fields = [
        ("grant_type", "client_credentials"),
        ("audience", audience.as_str()),
    ];
    let reply = token(http, dev::MANAGEMENT, &fields).expect(200);
    format!("Bearer {}", text(&reply, "access_token"))
}

fn manage(http: Http, method: &str, path: &str, bearer: &str, body: &Value) -> Reply {
    let headers = [
        ("authorization", bearer),
        ("content-type", "application/json"),
    ];
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let reply = http.send(method, &format!("/api/v2{path}"), &headers, &body);
    reply.expect("an answer")
}

/// Row C3.
#[test]
fn a_challenge_opened_at_one_is_completed_at_the_other_and_at_neither_again() {
    over_both(|two| {
        let (left, right) = (two.left.http(), two.right.http());
        let mfa_token = challenge(left);
        let otp = otp();
        let fields = [
            ("grant_type", OTP_GRANT),
            ("mfa_token", mfa_token.as_str()),
            ("otp", otp.as_str()),
        ];
        let granted = token(right, dev::APP, &fields).expect(200);
        for http in [left, right] {
            token(http, dev::APP, &fields).expect(403);
            // Nor is the password of that moment good for another challenge.
            let other = challenge(http);
            let again = [fields[0], ("mfa_token", other.as_str()), fields[2]];
            token(http, dev::APP, &again).expect(403);
        }
        // The session lives where it was not opened, and its token is signed by a shared key.
        let refresh = text(&granted, "refresh_token");
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.as_str()),
        ];
        let followed = token(left, dev::APP, &fields).expect(200);
        let bearer = format!("Bearer {}", text(&followed, "access_token"));
        let headers = [("authorization", bearer.as_str())];
        for http in [left, right] {
            let own = http.send("GET", "/userinfo", &headers, "");
            let own = own.expect("an answer").expect(200);
            assert_eq!(text(&own, "sub"), "auth0|carol");
        }
    });
}

/// Row A-06.
#[test]
fn a_session_of_one_is_one_at_the_other_until_it_ends_at_either() {
    over_both(|two| {
        let (left, right) = (two.left.http(), two.right.http());
        let kind = ("content-type", "application/json");
        let body = json!({ "email": "alice@example.com", "password": PASSWORD }).to_string();
        let opened = left.send("POST", "/v1/self/login", &[kind], &body);
        let opened = opened.expect("an answer").expect(200).json();
        let session = opened["data"]["session_token"].as_str().expect("a session");
        let headers = [("x-arklow-auth", session), kind];
        let own = |http: Http| {
            http.send("GET", "/v1/self/", &headers, "")
                .expect("an answer")
        };
        own(right).expect(200);
        own(left).expect(200);
        let ended = right.send("POST", "/v1/self/logout", &headers, "{}");
        ended.expect("an answer").expect(200);
        own(left).expect(401);
        own(right).expect(401);
    });
}

/// Row S9.
#[test]
fn guesses_are_counted_over_both() {
    over_both(|two| {
        let (left, right) = (two.left.host(), two.right.host());
        let (_, codes) = left.issue("alice");
        for guess in 0..10 {
            let host = if guess % 2 == 0 { left } else { right };
            let answer = host.redeem("alice", STRANGER).expect("an answer");
            let json = answer.expect(403).json();
            assert_eq!(json["tries_left"], 9 - guess);
        }
        for host in [left, right] {
            let answer = host.redeem("alice", &codes[0]).expect("an answer");
            answer.expect(429);
        }
    });
}

#[test]
fn an_idempotency_key_is_known_at_the_other() {
    over_both(|two| {
        let (left, right) = (two.left.host(), two.right.host());
        let body = at_once();
        let first = left.regenerate("alice", "a-key", &body);
        let first = first.expect("an answer").expect(201);
        let again = right.regenerate("alice", "a-key", &body);
        let again = again.expect("an answer");
        assert_eq!(again.codes(), first.codes());
        assert_eq!(again.generation(), first.generation());
        let other = right.regenerate("bob", "a-key", &body);
        other.expect("an answer").expect(409);
    });
}

/// Rows C1, C11.
#[test]
fn a_code_presented_at_both_at_once_lets_one_in() {
    over_both(|two| {
        let (left, right) = (two.left.host(), two.right.host());
        for round in 0..3 {
            let account = format!("alice-{round}");
            let (_, codes) = left.issue(&account);
            let (account, code) = (account.as_str(), codes[0].as_str());
            let statuses: Vec<u16> = thread::scope(|scope| {
                let asking: Vec<_> = (0..32)
                    .map(|turn| {
                        let host = if turn % 2 == 0 { left } else { right };
                        scope.spawn(move || host.redeem(account, code).expect("an answer").status)
                    })
                    .collect();
                let answers = asking.into_iter();
                answers
                    .map(|answer| answer.join().expect("no panic"))
                    .collect()
            });
            let granted = statuses.iter().filter(|status| **status == 200).count();
            assert_eq!(granted, 1, "{statuses:?}");
            let known = |status: &u16| [200, 403, 429, 503].contains(status);
            assert!(statuses.iter().all(known), "{statuses:?}");
            assert_eq!(right.status(account).json()["remaining"], 9);
        }
    });
}

#[test]
fn a_signing_key_that_is_replaced_is_followed_by_both() {
    over_both(|two| {
        let (left, right) = (two.left.http(), two.right.http());
        let none = Value::Null;
        let path = "/guardian/factors";
        let old = manager(left);
        manage(left, "GET", path, &old, &none).expect(200);
        two.run(&["signing-key", "rotate", "--now", "--yes"]);
        // This one has had no key before; the other learns of the new one by its name.
        let new = manager(right);
        until("the new key at the other", || {
            let answer = manage(left, "GET", path, &new, &none);
            (answer.status == 200).then_some(())
        });
        for http in [left, right] {
            manage(http, "GET", path, &new, &none).expect(200);
            manage(http, "GET", path, &old, &none).expect(401);
        }
    });
}

/// Row C11.
#[test]
fn a_switch_that_is_set_at_one_is_set_at_the_other() {
    over_both(|two| {
        let (left, right) = (two.left.http(), two.right.http());
        let bearer = manager(left);
        let path = "/guardian/factors/recovery-code";
        for (on, status) in [(false, 403), (true, 201)] {
            let body = json!({ "enabled": on });
            manage(left, "PUT", path, &bearer, &body).expect(200);
            let factors = manage(right, "GET", "/guardian/factors", &bearer, &Value::Null);
            let factors = factors.expect(200).json();
            let factors = factors.as_array().expect("a list").clone();
            let codes = factors.iter().find(|one| one["name"] == "recovery-code");
            assert_eq!(codes.expect("the factor")["enabled"], on);
            let issued = two.right.host().stage("customer-42");
            issued.expect("an answer").expect(status);
        }
    });
}
