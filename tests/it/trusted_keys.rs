//! How a trusted issuer's keys are fetched, kept and followed, with a provider that the test runs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use data_encoding::BASE64;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use spare_key_server::config::TrustedIssuer;
use spare_key_server::domain::{Caller, Error, Guest, Refusal};
use spare_key_server::entropy::{draw_certificate_key, draw_rsa_key};
use spare_key_server::model::{Millis, Timestamp};
use spare_key_server::token::{TokenError, TrustedIssuers, Unvouched, Vouched};
use spare_key_tests::App;
use tokio::net::TcpListener;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const SECONDS: i64 = 1_800_000_000;
const HERE: &str = "https://here.example/me/";

/// A signing key of the provider.
struct Key {
    name: &'static str,
    algorithm: Algorithm,
    private: EncodingKey,
}

impl Key {
    fn draw(name: &'static str) -> Self {
        let der = draw_rsa_key().expect("a key");
        let body = BASE64.encode(&der);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
        let private = EncodingKey::from_rsa_pem(pem.as_bytes()).expect("a key");
        Self {
            name,
            algorithm: Algorithm::RS256,
            private,
        }
    }

    /// One on the curve P-256.
    fn draw_ec(name: &'static str) -> Self {
        let pem = draw_certificate_key().expect("a key").serialize_pem();
        let private = EncodingKey::from_ec_pem(pem.as_bytes()).expect("a key");
        Self {
            name,
            algorithm: Algorithm::ES256,
            private,
        }
    }

    fn published(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, self.algorithm).expect("a key");
        jwk.common.key_id = Some(self.name.to_owned());
        json!(jwk)
    }

    fn header(&self) -> Header {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.name.to_owned());
        header
    }

    fn signs(&self, claims: &Value) -> String {
        jsonwebtoken::encode(&self.header(), claims, &self.private).expect("a token")
    }
}

/// What the provider answers.
#[derive(Default)]
struct Answers {
    issuer: Mutex<String>,
    keys: Mutex<Vec<Value>>,
    down: Mutex<bool>,
    asked: AtomicUsize,
}

struct Provider {
    name: String,
    answers: Arc<Answers>,
    trusted: TrustedIssuers,
}

impl Provider {
    async fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let name = format!("http://{}/", listener.local_addr().expect("its address"));
        let answers = Arc::new(Answers::default());
        *answers.issuer.lock().expect("it") = name.clone();
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(published))
            .with_state(Arc::clone(&answers));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let trusted = TrustedIssuer::parse(&name).expect("an issuer");
        let trusted = TrustedIssuers::new(&[trusted]).expect("a client");
        let provider = Self {
            name,
            answers,
            trusted,
        };
        provider.publish(keys);
        provider
    }

    fn publish(&self, keys: &[&Key]) {
        let published = keys.iter().map(|key| key.published()).collect();
        *self.answers.keys.lock().expect("them") = published;
    }

    fn claims(&self) -> Value {
        json!({
            "iss": self.name, "sub": "alice", "aud": HERE, "scope": "a b",
            "iat": SECONDS, "exp": SECONDS + 600, "auth_time": SECONDS - 60, "amr": ["pwd", "mfa"],
        })
    }

    fn claims_but(&self, member: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[member] = value;
        claims
    }

    async fn read_at(&self, token: &str, later: Millis) -> Result<Vouched, Unvouched> {
        let audiences = [HERE.to_owned()];
        self.trusted.read(token, &audiences, NOW.plus(later)).await
    }

    async fn read(&self, token: &str) -> Result<Vouched, Unvouched> {
        self.read_at(token, Millis(0)).await
    }

    fn asked(&self) -> usize {
        self.answers.asked.load(Ordering::SeqCst)
    }
}

async fn discovery(State(answers): State<Arc<Answers>>) -> Result<Json<Value>, StatusCode> {
    answers.asked.fetch_add(1, Ordering::SeqCst);
    if *answers.down.lock().expect("it") {
        return Err(StatusCode::BAD_GATEWAY);
    }
    let issuer = answers.issuer.lock().expect("it").clone();
    let jwks_uri = format!("{}/keys", issuer.trim_end_matches('/'));
    Ok(Json(json!({ "issuer": issuer, "jwks_uri": jwks_uri })))
}

async fn published(State(answers): State<Arc<Answers>>) -> Json<Value> {
    Json(json!({ "keys": *answers.keys.lock().expect("them") }))
}

const INVALID: Result<Vouched, Unvouched> = Err(Unvouched::Token(TokenError::Invalid));

#[tokio::test]
async fn a_token_of_the_issuer_says_who_it_is_and_how_well() {
    let key = Key::draw("one");
    let provider = Provider::start(&[&key]).await;
    let vouched = provider.read(&key.signs(&provider.claims())).await;
    let expected = Vouched {
        issuer: provider.name.trim_end_matches('/').to_owned(),
        subject: "alice".to_owned(),
        scope: "a b".to_owned(),
        auth_time: Some(NOW.plus(Millis::minutes(-1))),
        multi_factor: true,
    };
    assert_eq!(vouched, Ok(expected));
    let one = provider.claims_but("amr", json!(["pwd"]));
    assert!(!provider.read(&key.signs(&one)).await.unwrap().multi_factor);
    let ahead = provider.claims_but("auth_time", json!(SECONDS + 3_600));
    assert_eq!(
        provider.read(&key.signs(&ahead)).await.unwrap().auth_time,
        None
    );
}

#[tokio::test]
async fn an_issuer_may_sign_with_either_of_two_algorithms() {
    let (rsa, ec) = (Key::draw("rsa"), Key::draw_ec("ec"));
    let provider = Provider::start(&[&rsa, &ec]).await;
    let claims = provider.claims();
    for key in [&rsa, &ec] {
        provider.read(&key.signs(&claims)).await.unwrap();
    }
    // Each key has one, whatever a token says.
    let mut mixed = ec.header();
    mixed.kid = Some("rsa".to_owned());
    let token = jsonwebtoken::encode(&mixed, &claims, &ec.private).unwrap();
    assert_eq!(provider.read(&token).await, INVALID);
}

#[tokio::test]
async fn the_keys_are_fetched_once_and_again_after_ten_minutes() {
    let key = Key::draw("one");
    let provider = Provider::start(&[&key]).await;
    let token = key.signs(&provider.claims_but("exp", json!(SECONDS + 86_400)));
    for _ in 0..5 {
        provider.read(&token).await.unwrap();
    }
    assert_eq!(provider.asked(), 1);
    provider.read_at(&token, Millis::minutes(9)).await.unwrap();
    assert_eq!(provider.asked(), 1);
    provider.read_at(&token, Millis::minutes(10)).await.unwrap();
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn a_new_key_is_asked_for_and_one_that_is_withdrawn_ends() {
    let (old, new) = (Key::draw("old"), Key::draw("new"));
    let provider = Provider::start(&[&old]).await;
    let claims = provider.claims_but("exp", json!(SECONDS + 86_400));
    let (by_old, by_new) = (old.signs(&claims), new.signs(&claims));
    provider.read(&by_old).await.unwrap();
    provider.publish(&[&new]);
    // Hostile names of keys make nobody ask more often than every half minute.
    let unknown = Err(Unvouched::Token(TokenError::UnknownKey));
    assert_eq!(provider.read(&by_new).await, unknown);
    assert_eq!(provider.asked(), 1);
    provider
        .read_at(&by_new, Millis::seconds(30))
        .await
        .unwrap();
    assert_eq!(provider.asked(), 2);
    let withdrawn = provider.read_at(&by_old, Millis::seconds(31)).await;
    assert_eq!(withdrawn, unknown);
}

#[tokio::test]
async fn an_issuer_that_is_down_is_used_from_memory_for_a_while_and_then_lets_nobody_in() {
    let key = Key::draw("one");
    let provider = Provider::start(&[&key]).await;
    let token = key.signs(&provider.claims_but("exp", json!(SECONDS + 86_400)));
    provider.read(&token).await.unwrap();
    *provider.answers.down.lock().unwrap() = true;
    provider.read_at(&token, Millis::minutes(9)).await.unwrap();
    let later = provider.read_at(&token, Millis::minutes(10)).await;
    assert_eq!(later, Err(Unvouched::Unreachable));
    // It is left alone for half a minute, and then it is well again.
    *provider.answers.down.lock().unwrap() = false;
    let soon = Millis::minutes(10).0 + 29_000;
    let soon = provider.read_at(&token, Millis(soon)).await;
    assert_eq!(soon, Err(Unvouched::Unreachable));
    provider.read_at(&token, Millis::minutes(11)).await.unwrap();
}

#[tokio::test]
async fn a_discovery_document_of_another_issuer_is_not_believed() {
    let key = Key::draw("one");
    let provider = Provider::start(&[&key]).await;
    *provider.answers.issuer.lock().unwrap() = "https://evil.example/".to_owned();
    let token = key.signs(&provider.claims());
    assert_eq!(provider.read(&token).await, Err(Unvouched::Unreachable));
}

/// Row A-84.
#[tokio::test]
async fn what_the_claims_must_not_say_is_refused() {
    let key = Key::draw("one");
    let provider = Provider::start(&[&key]).await;
    for (member, value, why) in [
        (
            "aud",
            json!("https://elsewhere.example/"),
            TokenError::WrongAudience,
        ),
        ("aud", json!([]), TokenError::WrongAudience),
        ("exp", json!(SECONDS - 31), TokenError::Expired),
        ("nbf", json!(SECONDS + 31), TokenError::Invalid),
        ("iat", json!(SECONDS + 31), TokenError::Invalid),
        ("sub", json!(""), TokenError::Invalid),
        ("sub", json!(null), TokenError::Invalid),
        ("exp", json!(null), TokenError::Invalid),
        ("iss", json!("https://evil.example/"), TokenError::Invalid),
    ] {
        let token = key.signs(&provider.claims_but(member, value.clone()));
        let read = provider.read(&token).await;
        assert_eq!(read, Err(Unvouched::Token(why)), "{member} {value}");
    }
}

/// Row A-83.
#[tokio::test]
async fn what_the_header_says_of_keys_and_algorithms_is_not_followed() {
    let (key, own) = (Key::draw("one"), Key::draw("one"));
    let provider = Provider::start(&[&key]).await;
    let claims = provider.claims();
    let mut headers = BTreeMap::new();
    let mut with_jwk = own.header();
    with_jwk.jwk = serde_json::from_value(own.published()).ok();
    headers.insert("a key of its own", with_jwk);
    let mut with_address = own.header();
    with_address.jku = Some(format!("{}keys", provider.name));
    headers.insert("an address of a key", with_address);
    for (what, header) in headers {
        let token = jsonwebtoken::encode(&header, &claims, &own.private).unwrap();
        assert_eq!(provider.read(&token).await, INVALID, "{what}");
    }
    let mut unnamed = key.header();
    unnamed.kid = None;
    let mut critical = key.header();
    critical.crit = Some(vec!["exp".to_owned()]);
    let mut other = key.header();
    other.typ = Some("logout+jwt".to_owned());
    let mut stronger = key.header();
    stronger.alg = Algorithm::RS512;
    for header in [unnamed, critical, other, stronger] {
        let token = jsonwebtoken::encode(&header, &claims, &key.private).unwrap();
        assert_eq!(provider.read(&token).await, INVALID, "{header:?}");
    }
    // The public key as if it were a shared secret, and no signature at all.
    let shared = EncodingKey::from_secret(key.published().to_string().as_bytes());
    let mut symmetric = Header::new(Algorithm::HS256);
    symmetric.kid = Some("one".to_owned());
    let token = jsonwebtoken::encode(&symmetric, &claims, &shared).unwrap();
    assert_eq!(provider.read(&token).await, INVALID);
    let token = key.signs(&claims);
    let unsigned = token.rsplit_once('.').unwrap().0;
    assert_eq!(provider.read(&format!("{unsigned}.")).await, INVALID);
}

#[test]
fn only_an_issuers_own_pages_may_send_people_here() {
    let names = [
        "https://id.example.com/realms/shop",
        "http://127.0.0.1:8081/",
    ]
    .map(|name| TrustedIssuer::parse(name).unwrap());
    let trusted = TrustedIssuers::new(&names).unwrap();
    for origin in ["https://id.example.com", "http://127.0.0.1:8081"] {
        assert!(trusted.has_origin(origin), "{origin}");
    }
    for origin in [
        "https://id.example",
        "http://127.0.0.1:808",
        "https://",
        "",
        "null",
    ] {
        assert!(!trusted.has_origin(origin), "{origin}");
    }
}

fn guest(app: &App, signed_in: Option<Millis>) -> Guest {
    Guest {
        issuer: "https://id.example.com".to_owned(),
        subject: "alice".to_owned(),
        auth_time: signed_in.map(|ago| app.now().plus(ago)),
        multi_factor: true,
    }
}

/// Row A-08.
#[tokio::test]
async fn only_who_signed_in_at_the_issuer_minutes_ago_binds_a_first_authenticator() {
    let app = App::start().await;
    let mfa = app.mfa();
    for ago in [
        None,
        Some(Millis::minutes(-6)),
        Some(Millis::minutes(-13 * 60)),
    ] {
        let refused = mfa.enter(&guest(&app, ago), None).await.unwrap_err();
        assert!(
            matches!(refused, Error::Refused(Refusal::FreshProofRequired)),
            "{ago:?}: {refused:?}"
        );
    }
    let entered = mfa
        .enter(&guest(&app, Some(Millis::minutes(-4))), None)
        .await;
    let caller = entered.unwrap().caller;
    assert_eq!(caller.account.as_str(), "https://id.example.com|alice");
    // With one bound, it is proven anyway, and an older sign-in is enough to come to that.
    let secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    let administrator = Caller::administrator(caller.account);
    mfa.bind_known_secret(&administrator, secret).await.unwrap();
    mfa.enter(&guest(&app, Some(Millis::minutes(-6))), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_account_that_a_host_has_is_not_an_issuers() {
    let app = App::start().await;
    let mut other = guest(&app, Some(Millis(0)));
    other.subject = "host".to_owned();
    app.host().issue("https://id.example.com|host").await;
    let refused = app.mfa().enter(&other, None).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::AccountTaken)));
    // Nor are two issuers' people one.
    let one = guest(&app, Some(Millis(0)));
    let another = Guest {
        issuer: "https://other.example.com".to_owned(),
        ..one.clone()
    };
    let names = [
        app.mfa().enter(&one, None).await.unwrap().caller.account,
        app.mfa()
            .enter(&another, None)
            .await
            .unwrap()
            .caller
            .account,
    ];
    assert_ne!(names[0], names[1]);
}
