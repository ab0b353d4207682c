//! Signing in: how much guessing of passwords is borne and from where, and what a new authenticator
//! ends.

use std::net::IpAddr;

use axum::body::Body;
use axum::http::Request;
use spare_key_core::Spec;
use spare_key_server::domain::{
    Activation, Caller, Error, NewPerson, Passed, Refusal, Saved, SignedIn, StageRequest, Toggle,
};
use spare_key_server::model::{AccountId, Millis, Token};
use spare_key_tests::{App, Options};
use totp_rs::{Builder, Secret};

const PASSWORD: &str = "correct horse battery staple";

async fn with_alice(options: Options) -> App {
    let app = App::start_with(options).await;
    let id = AccountId::parse("auth0|alice").expect("an identifier");
    let administrator = Caller::administrator(id.clone());
    let login = "alice@example.com".to_owned();
    let password = PASSWORD.to_owned().into();
    let alice = NewPerson {
        id,
        login,
        password,
    };
    app.mfa()
        .add_person(&administrator, alice)
        .await
        .expect("alice");
    app
}

async fn sign_in(app: &App, password: &str, from: &str) -> Result<SignedIn, Refusal> {
    let from: IpAddr = from.parse().expect("an address");
    let password = password.to_owned().into();
    match app
        .mfa()
        .sign_in("alice@example.com", &password, Some(from))
        .await
    {
        Ok(signed_in) => Ok(signed_in),
        Err(Error::Refused(refusal)) => Err(refusal),
        Err(other) => panic!("{other:?}"),
    }
}

/// Row A-59.
#[tokio::test]
async fn guessing_a_password_is_slowed_where_it_comes_from_and_nowhere_else() {
    let app = with_alice(Options::default()).await;
    for guess in 0..20 {
        let refusal = sign_in(&app, &format!("guess {guess}"), "192.0.2.66")
            .await
            .unwrap_err();
        assert_eq!(refusal, Refusal::WrongCredentials);
    }
    let hashes = app
        .figure(r#"spare_key_slow_hashes_total{lane="passwords"}"#)
        .await;
    let slowed = Refusal::PasswordThrottled {
        retry_at: Some(app.now().plus(Millis::seconds(30))),
    };
    // The right one too, and without a hash.
    assert_eq!(
        sign_in(&app, PASSWORD, "192.0.2.66").await.unwrap_err(),
        slowed
    );
    let after = app
        .figure(r#"spare_key_slow_hashes_total{lane="passwords"}"#)
        .await;
    assert_eq!(after, hashes);
    // Its owner, elsewhere, notices nothing.
    sign_in(&app, PASSWORD, "198.51.100.7")
        .await
        .expect("another address");
    app.clock.advance(Millis::seconds(30));
    sign_in(&app, PASSWORD, "192.0.2.66")
        .await
        .expect("after the wait");
}

#[tokio::test]
async fn signing_in_again_and_again_is_not_guessing() {
    let app = with_alice(Options::default()).await;
    for _ in 0..30 {
        sign_in(&app, PASSWORD, "192.0.2.1")
            .await
            .expect("the right password");
    }
}

#[tokio::test]
async fn a_restart_forgets_no_guess() {
    let app = with_alice(Options::default()).await;
    for _ in 0..20 {
        sign_in(&app, "a wrong password", "192.0.2.66")
            .await
            .unwrap_err();
    }
    let restarted = app.another();
    let refusal = sign_in(&restarted, PASSWORD, "192.0.2.66")
        .await
        .unwrap_err();
    assert!(
        matches!(refusal, Refusal::PasswordThrottled { .. }),
        "{refusal:?}"
    );
}

/// What an authenticator app with this secret shows now.
fn shows(app: &App, base32: &str) -> String {
    let secret = Secret::try_from_base32(base32).expect("a secret");
    let totp = Builder::new()
        .with_secret(secret)
        .build()
        .expect("an authenticator");
    totp.generate(app.now().0.unsigned_abs() / 1_000)
        .to_string()
}

/// In by password and authenticator, half a minute later: a step is accepted once.
async fn session(app: &App, base32: &str) -> Token {
    app.clock.advance(Millis::seconds(30));
    let caller = sign_in(app, PASSWORD, "192.0.2.1")
        .await
        .expect("signed in")
        .caller;
    match app
        .mfa()
        .prove_totp(&caller, &shows(app, base32))
        .await
        .expect("signed in")
    {
        Passed::Session(token) => token,
        Passed::SaveCodes => panic!("codes are switched off here"),
    }
}

/// Rows S18, A-76.
#[tokio::test]
async fn a_new_authenticator_ends_every_other_session() {
    const OLD: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    let mut options = Options::default();
    options.policy.recovery_codes = Toggle::Fixed(false);
    let app = with_alice(options).await;
    let id = AccountId::parse("auth0|alice").expect("an identifier");
    let administrator = Caller::administrator(id);
    app.mfa()
        .bind_known_secret(&administrator, OLD)
        .await
        .unwrap();
    app.clock.advance(Millis::minutes(2));
    let elsewhere = session(&app, OLD).await;
    let here = session(&app, OLD).await;

    let caller = app.mfa().caller_by_session(&here, None).await.unwrap();
    app.mfa().begin_enrollment(&caller).await.unwrap();
    let new = app.mfa().pending_enrollment(&caller).await.unwrap().secret;
    let passed = app
        .mfa()
        .confirm_enrollment(&caller, &shows(&app, &new))
        .await
        .unwrap();
    let Passed::Session(after) = passed else {
        panic!("{passed:?}")
    };

    app.mfa()
        .caller_by_session(&after, None)
        .await
        .expect("the one that replaced it goes on");
    for ended in [&elsewhere, &here] {
        let error = app.mfa().caller_by_session(ended, None).await.unwrap_err();
        assert!(
            matches!(error, Error::Refused(Refusal::SessionGone)),
            "{error:?}"
        );
    }
    app.clock.advance(Millis::seconds(30));
    let caller = sign_in(&app, PASSWORD, "192.0.2.1").await.unwrap().caller;
    app.mfa()
        .prove_totp(&caller, &shows(&app, OLD))
        .await
        .expect_err("the lost one is worthless");
    app.mfa()
        .prove_totp(&caller, &shows(&app, &new))
        .await
        .expect("the new one works");
}

fn pending() -> StageRequest {
    StageRequest {
        spec: Spec::LIST,
        activation: Activation::OnConfirm,
        idempotency: None,
    }
}

/// In for the first time: authenticator proven, codes saved.
async fn enrolled(app: &App, base32: &str) -> Token {
    let signed_in = sign_in(app, PASSWORD, "192.0.2.1")
        .await
        .expect("signed in");
    let mfa = app.mfa();
    let passed = mfa
        .prove_totp(&signed_in.caller, &shows(app, base32))
        .await
        .expect("the authenticator proven");
    assert!(matches!(passed, Passed::SaveCodes), "{passed:?}");
    let caller = mfa
        .caller_by_challenge(&signed_in.challenge, None)
        .await
        .expect("its challenge");
    let issued = mfa.stage(&caller, pending()).await.expect("codes");
    mfa.complete_enrollment(&caller, issued.generation, Saved::Confirmed)
        .await
        .expect("codes saved")
}

#[tokio::test]
async fn the_account_page_says_that_codes_wait_without_showing_them() {
    const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
    const WAIT: &str = "New codes are waiting for you";
    let app = with_alice(Options::default()).await;
    let id = AccountId::parse("auth0|alice").expect("an identifier");
    let administrator = Caller::administrator(id.clone());
    app.mfa()
        .bind_known_secret(&administrator, SECRET)
        .await
        .unwrap();
    app.clock.advance(Millis::minutes(2));
    let token = enrolled(&app, SECRET).await;
    let page = async || {
        let request =
            Request::get("/account").header("cookie", format!("spare-key={}", token.reveal()));
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        answer.expect(200).text()
    };
    assert!(!page().await.contains(WAIT));

    let caller = app.mfa().caller_by_session(&token, None).await.unwrap();
    app.mfa().stage(&caller, pending()).await.unwrap();
    let rows = async || app.mfa().events(&id, None, 100).await.unwrap().len();
    let before = rows().await;
    assert!(page().await.contains(WAIT));
    assert!(app.mfa().holds_pending(&caller).await.unwrap());
    assert_eq!(rows().await, before, "asking leaves no trace");

    // Showing them does, and another session is not told of them.
    app.mfa().pending(&caller).await.unwrap();
    assert_eq!(rows().await, before + 1);
    let elsewhere = session(&app, SECRET).await;
    let elsewhere = app.mfa().caller_by_session(&elsewhere, None).await.unwrap();
    assert!(!app.mfa().holds_pending(&elsewhere).await.unwrap());
}
