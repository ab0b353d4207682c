//! The time that a person has to save the codes on the screen, and gets once more when they ask.

use spare_key_server::domain::{
    Activation, Caller, Error, NewPerson, Passed, Refusal, Saved, StageRequest,
};
use spare_key_server::model::{AccountId, Millis};
use spare_key_tests::App;
use totp_rs::{Builder, Secret};

const PASSWORD: &str = "correct horse battery staple";

/// Somebody on the way in who has bound an authenticator and is shown codes.
async fn shown_codes(app: &App) -> Caller {
    let mfa = app.mfa();
    let id = AccountId::parse("auth0|alice").expect("an identifier");
    let alice = NewPerson {
        id: id.clone(),
        login: "alice@example.com".to_owned(),
        password: PASSWORD.to_owned().into(),
    };
    mfa.add_person(&Caller::administrator(id), alice)
        .await
        .expect("alice");
    let password = PASSWORD.to_owned().into();
    let signed_in = mfa.sign_in("alice@example.com", &password, None).await;
    let signed_in = signed_in.expect("the password is right");
    mfa.begin_enrollment(&signed_in.caller)
        .await
        .expect("begun");
    let pending = mfa.pending_enrollment(&signed_in.caller).await;
    let pending = pending.expect("shown");
    let secret = Secret::try_from_base32(&*pending.secret).expect("base32");
    let totp = Builder::new().with_secret(secret);
    let totp = totp.build().expect("an authenticator");
    let otp = totp.generate(app.now().0.unsigned_abs() / 1_000);
    let passed = mfa
        .confirm_enrollment(&signed_in.caller, &otp.to_string())
        .await;
    assert!(matches!(passed, Ok(Passed::SaveCodes)), "{passed:?}");
    let caller = mfa.caller_by_challenge(&signed_in.challenge, None).await;
    let caller = caller.expect("still on the way in");
    let request = StageRequest {
        spec: mfa.policy().batch,
        activation: Activation::OnConfirm,
        idempotency: None,
    };
    mfa.stage(&caller, request).await.expect("codes");
    caller
}

/// Row B-09.
#[tokio::test]
async fn who_asks_for_more_time_ten_times_still_saves_the_codes_they_were_shown_b_09() {
    let app = App::start().await;
    let caller = shown_codes(&app).await;
    let mfa = app.mfa();
    let first = mfa.pending(&caller).await.expect("shown");
    for _ in 0..10 {
        app.clock.advance(Millis::minutes(9));
        let until = mfa.more_time(&caller).await.expect("more time");
        assert_eq!(until, app.now().plus(Millis::minutes(10)));
        mfa.sweep().await.expect("swept");
    }
    app.clock.advance(Millis::minutes(9));
    let shown = mfa.pending(&caller).await.expect("shown again");
    let codes = |issued: &spare_key_server::domain::Issued| -> Vec<_> {
        let codes = issued.codes.iter();
        codes.map(|numbered| numbered.code.expose()).collect()
    };
    assert_eq!(codes(&shown), codes(&first));
    mfa.complete_enrollment(&caller, shown.generation, Saved::Confirmed)
        .await
        .expect("in, almost two hours later");
}

#[tokio::test]
async fn what_has_run_out_gets_no_more_time_and_nothing_waits_for_ever() {
    let app = App::start().await;
    let caller = shown_codes(&app).await;
    let mfa = app.mfa();
    let mut minutes = 0;
    let refused = loop {
        app.clock.advance(Millis::minutes(9));
        minutes += 9;
        if let Err(refused) = mfa.more_time(&caller).await {
            break refused;
        }
    };
    let over = |error: &Error| matches!(error, Error::Refused(Refusal::NoPendingBatch));
    assert!(over(&refused), "{refused:?}");
    assert!((100..=120).contains(&minutes), "{minutes}");
    app.clock.advance(Millis::minutes(10));
    let late = mfa.pending(&caller).await;
    assert!(late.is_err_and(|error| over(&error)));
}
