//! Identifier and password, then a one-time password.

use axum::http::StatusCode;

use super::error::{PageError, Told};
use super::form::{CodeForm, LoginForm, Pressed};
use super::recover::CODE_PATH;
use super::view::{Login, OtpChallenge};
use super::visitor::{DOOR, Posted, Visitor};
use super::{Answer, Frame, errors, frame, page, quiet, save, shown_on};
use crate::domain::{
    AccountState, Authority, Caller, Error, NextStep, Passed, Refusal, TrustGiven,
};

const LOGIN: &str = "login";
const OTP: &str = "mfa-otp-challenge";
pub(super) const OTP_PATH: &str = "/u/mfa-otp-challenge";

/// The page of the next step of a sign-in.
pub(super) fn path_of(step: NextStep) -> &'static str {
    match step {
        NextStep::Enroll => "/u/mfa-otp-enrollment-qr",
        NextStep::Prove => OTP_PATH,
        NextStep::SaveCodes => "/u/mfa-recovery-code-enrollment",
    }
}

pub(super) async fn show(visitor: Visitor) -> Answer {
    match visitor.session().await {
        Ok(_) => visitor.go_to("/account"),
        // Here a transaction begins, and from here on it has a name.
        Err(Error::Refused(_)) if !visitor.named() => visitor.go_to(DOOR),
        Err(Error::Refused(_)) => login(&visitor, String::new(), &quiet()),
        Err(error) => Err(PageError::of(&visitor, error)),
    }
}

fn login(visitor: &Visitor, username: String, told: &Told) -> Answer {
    let Frame {
        t,
        product,
        csrf,
        state,
        here,
    } = frame(visitor)?;
    let wait_seconds = told.wait_seconds;
    let errors = errors(t, told, LOGIN);
    let template = Login {
        t,
        product,
        csrf,
        state,
        here,
        errors,
        action: visitor.address(DOOR)?,
        username,
        wait_seconds,
    };
    Ok(page(visitor, told, &template))
}

pub(super) async fn submit(Posted { visitor, form }: Posted<LoginForm>) -> Answer {
    let LoginForm {
        username, password, ..
    } = form;
    for (value, field, code) in [
        (&username, "username", "no-username"),
        (&*password, "password", "no-password"),
    ] {
        if value.trim().is_empty() {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let told = Told {
                status,
                code,
                field: Some(field),
                wait_seconds: 0,
                tries_left: None,
            };
            return login(&visitor, username.clone(), &told);
        }
    }
    let mfa = &visitor.web.mfa;
    let signed_in = match mfa.sign_in(&username, &password, visitor.ip()).await {
        Ok(signed_in) => signed_in,
        Err(error) => return login(&visitor, username, &shown_on(LOGIN, None, &visitor, error)?),
    };
    let of = |error| PageError::of(&visitor, error);
    let step = mfa.next_step(&signed_in.caller).await.map_err(of)?;
    if step == NextStep::Enroll {
        mfa.begin_enrollment(&signed_in.caller).await.map_err(of)?;
    }
    if let (NextStep::Prove, Some(browser)) = (step, visitor.browser()) {
        let passed = mfa.pass_by_browser(&signed_in.caller, &browser).await;
        if let Some(token) = passed.map_err(of)? {
            return visitor.go_on_by_session("/account", &token);
        }
    }
    visitor.go_on_by_challenge(path_of(step), &signed_in.challenge)
}

/// Who is on the way in and has this step before them; anybody else is shown to theirs.
pub(super) async fn at_step(
    visitor: &Visitor,
    wanted: NextStep,
) -> Result<Result<Caller, &'static str>, PageError> {
    let of = |error| PageError::of(visitor, error);
    let caller = match visitor.challenge().await {
        Ok(caller) => caller,
        // Finished in another window or by a second click: the person is in.
        Err(Error::Refused(Refusal::ChallengeGone)) if visitor.session().await.is_ok() => {
            return Ok(Err("/account"));
        }
        Err(error) => return Err(of(error)),
    };
    let step = visitor.web.mfa.next_step(&caller).await.map_err(of)?;
    Ok(if step == wanted {
        Ok(caller)
    } else {
        Err(path_of(step))
    })
}

pub(super) async fn show_otp(visitor: Visitor) -> Answer {
    match at_step(&visitor, NextStep::Prove).await? {
        Ok(caller) => otp(&visitor, &caller, &quiet()).await,
        Err(elsewhere) => visitor.go_to(elsewhere),
    }
}

/// The page that asks for a one-time password: on the way in, or again of who is in.
pub(super) async fn otp(visitor: &Visitor, caller: &Caller, told: &Told) -> Answer {
    let Frame {
        t,
        product,
        csrf,
        state,
        here,
    } = frame(visitor)?;
    let coming_in = matches!(caller.authority, Authority::Challenge { .. });
    let status = visitor
        .web
        .mfa
        .status(&caller.account)
        .await
        .map_err(|error| PageError::of(visitor, error))?;
    let codes = visitor.web.mfa.recovery_codes().await;
    let codes = codes.map_err(|error| PageError::of(visitor, error))?;
    let template = OtpChallenge {
        t,
        product,
        csrf,
        state,
        here,
        errors: errors(t, told, OTP),
        action: visitor.address(if coming_in {
            OTP_PATH
        } else {
            "/account/step-up"
        })?,
        coming_in,
        recovery_offered: coming_in && codes && status.total > 0,
        // Who is to save codes first is remembered the next time.
        remember_days: match coming_in && (!codes || status.state == AccountState::Active) {
            true => visitor
                .web
                .mfa
                .remembers_for(caller)
                .await
                .map_err(|error| PageError::of(visitor, error))?,
            false => None,
        },
        wait_seconds: told.wait_seconds,
    };
    Ok(page(visitor, told, &template))
}

/// Nothing was typed: told without asking the domain.
pub(super) fn no_code() -> Told {
    Told {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        code: "no-code",
        field: Some("code"),
        wait_seconds: 0,
        tries_left: None,
    }
}

pub(super) async fn submit_otp(Posted { visitor, form }: Posted<CodeForm>) -> Answer {
    let caller = match at_step(&visitor, NextStep::Prove).await? {
        Ok(caller) => caller,
        Err(elsewhere) => return visitor.go_to(elsewhere),
    };
    match form.pressed() {
        Pressed::Default => {}
        Pressed::PickAuthenticator => return visitor.go_to(CODE_PATH),
        Pressed::Unknown => return Err(PageError::of(&visitor, Refusal::OutOfOrder.into())),
    }
    if form.code.trim().is_empty() {
        return otp(&visitor, &caller, &no_code()).await;
    }
    let proven = prove(&visitor, &caller, &form).await;
    if proven.is_ok() {
        visitor.note_language(&caller.account).await;
    }
    match proven {
        Ok((passed, None)) => passed_on(&visitor, passed, "/account").await,
        Ok((passed, Some(given))) => {
            let mut response = passed_on(&visitor, passed, "/account").await?;
            visitor.remember_browser(&mut response, &given);
            Ok(response)
        }
        Err(error) => {
            otp(
                &visitor,
                &caller,
                &shown_on(OTP, Some("code"), &visitor, error)?,
            )
            .await
        }
    }
}

/// A one-time password; with the box ticked, this browser is remembered.
async fn prove(
    visitor: &Visitor,
    caller: &Caller,
    form: &CodeForm,
) -> Result<(Passed, Option<TrustGiven>), Error> {
    let mfa = &visitor.web.mfa;
    if form.remember == "on" {
        let label = visitor.label();
        mfa.prove_totp_and_remember(caller, &form.code, label).await
    } else {
        let passed = mfa.prove_totp(caller, &form.code).await?;
        Ok((passed, None))
    }
}

/// Where a proven factor leads.
pub(super) async fn passed_on(visitor: &Visitor, passed: Passed, then: &str) -> Answer {
    match passed {
        Passed::Session(token) => visitor.go_on_by_session(then, &token),
        Passed::SaveCodes => save::draw_first(visitor).await,
    }
}
