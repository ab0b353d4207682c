//! Small things, by criterion: `cargo bench -p spare-key-tests --features bench`. What is run for
//! every request beside the hash: reading a code, its locator, a token's signature, a digest.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sha2::{Digest as _, Sha256};
use spare_key_core::{Batch, Code, Format, Spec};
use spare_key_server::clock::{Clock as _, SystemClock};
use spare_key_server::entropy::SystemEntropy;
use spare_key_server::keyring::Keyring;
use spare_key_server::model::{AccountId, Generation};
use spare_key_server::token::{AccessClaims, Tokens};
use spare_key_tests::App;

/// A code that is one.
fn code() -> Code {
    let spec = Spec::new(Format::List, 1).expect("a size that there is");
    let batch = Batch::draft(spec, |bytes| bytes.fill(21), |_| true).expect("a code");
    batch.into_codes().remove(0)
}

fn core(c: &mut Criterion) {
    let text = code().expose();
    c.bench_function("core: a code is read", |b| {
        b.iter(|| Code::parse(black_box(&text)));
    });
    let wrong = format!("{}X", &text[..text.len() - 1]);
    c.bench_function("core: a code with a typing mistake is refused", |b| {
        b.iter(|| Code::parse(black_box(&wrong)));
    });
}

fn keyring(c: &mut Criterion) {
    let keyring = Keyring::draw(&SystemEntropy, SystemClock.now()).expect("a keyring");
    let (account, code) = (AccountId::parse("customer-42").expect("a name"), code());
    c.bench_function("keyring: the locator of a code", |b| {
        b.iter(|| {
            let key = keyring.current();
            keyring.locator(key, black_box(&account), Generation(1), code.canonical())
        });
    });
    c.bench_function(
        "SHA-256 of a token, as sessions and clients are looked up",
        |b| {
            b.iter(|| Sha256::digest(black_box(b"a token of 43 characters, as they are drawn")));
        },
    );
}

/// With a key as the product draws it: RSA, 2048 bits.
fn token(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let keys = runtime.block_on(async {
        let app = App::start().await;
        let tokens = Tokens::new("https://login.example.com/".to_owned());
        tokens.keys(app.mfa()).await.expect("a key")
    });
    let claims: AccessClaims = serde_json::from_value(serde_json::json!({
        "iss": "https://login.example.com/",
        "sub": "auth0|customer-42",
        "aud": "https://login.example.com/me/",
        "azp": "app",
        "client_id": "app",
        "iat": 1_795_219_200,
        "exp": 1_795_305_600,
        "jti": "GCGY0DW30G4DFD3S",
        "scope": "openid profile",
    }))
    .expect("claims");
    c.bench_function("token: an access token is signed", |b| {
        b.iter(|| keys.sign_access(black_box(&claims)));
    });
}

criterion_group!(small, core, keyring, token);
criterion_main!(small);
