//! Signing in with a password: how much guessing is borne, and from where.

use std::net::IpAddr;

use spare_key_server::domain::{Caller, Error, NewPerson, Refusal, SignedIn};
use spare_key_server::model::{AccountId, Millis};
use spare_key_tests::App;

const PASSWORD: &str = "correct horse battery staple";

async fn with_alice() -> App {
    let app = App::start().await;
    let id = AccountId::parse("auth0|alice").unwrap();
    let administrator = Caller::administrator(id.clone());
    let login = "alice@example.com".to_owned();
    let password = PASSWORD.to_owned().into();
    let alice = NewPerson {
        id,
        login,
        password,
    };
    app.mfa().add_person(&administrator, alice).await.unwrap();
    app
}

async fn sign_in(app: &App, password: &str, from: &str) -> Result<SignedIn, Refusal> {
    let from: IpAddr = from.parse().unwrap();
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

#[tokio::test]
async fn guessing_a_password_is_slowed_where_it_comes_from_and_nowhere_else() {
    let app = with_alice().await;
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
    let app = with_alice().await;
    for _ in 0..30 {
        sign_in(&app, PASSWORD, "192.0.2.1")
            .await
            .expect("the right password");
    }
}

#[tokio::test]
async fn a_restart_forgets_no_guess() {
    let app = with_alice().await;
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
