//! A recovery code on the way in, and what comes after it.

use axum::http::StatusCode;
use spare_key_core::{Format, ParseError};

use super::error::{PageError, Told};
use super::form::{AfterForm, CodeForm, Pressed};
use super::save::REPLACEMENT;
use super::sign_in::{OTP_PATH, at_step};
use super::view::{AfterRecovery, CodeChallenge};
use super::visitor::{Posted, Visitor};
use super::{Answer, Frame, errors, frame, page, quiet, shown_on};
use crate::domain::{Authority, Caller, Error, NextStep, Refusal};
use crate::metrics::Outcome;
use crate::model::Timestamp;

const SCREEN: &str = "mfa-recovery-code-challenge";
pub(super) const CODE_PATH: &str = "/u/mfa-recovery-code-challenge";
const AFTER_PATH: &str = "/u/after-recovery";

pub(super) async fn show(visitor: Visitor) -> Answer {
    match at_step(&visitor, NextStep::Prove).await? {
        Ok(caller) => challenge(&visitor, &caller, &quiet()).await,
        Err(elsewhere) => visitor.go_to(elsewhere),
    }
}

async fn challenge(visitor: &Visitor, caller: &Caller, told: &Told) -> Answer {
    let Frame {
        t,
        product,
        csrf,
        state,
        here,
    } = frame(visitor)?;
    let status = visitor
        .web
        .mfa
        .status(&caller.account)
        .await
        .map_err(|error| PageError::of(visitor, error))?;
    // The usual words say what our own codes look like.
    let told = &match told.code {
        "invalid-code-format" if status.origin.is_some() => Told {
            code: "invalid-code-imported",
            ..*told
        },
        _ => *told,
    };
    let template = CodeChallenge {
        t,
        product,
        csrf,
        state,
        here,
        errors: errors(t, told, SCREEN),
        action: visitor.address(CODE_PATH)?,
        tries_left: told.tries_left,
        wait_seconds: told.wait_seconds,
        format: match (status.origin, status.format) {
            (Some(_), _) => "imported",
            (None, Some(Format::Single)) => "single",
            (None, Some(Format::List) | None) => "list",
        },
    };
    Ok(page(visitor, told, &template))
}

pub(super) async fn submit(Posted { visitor, form }: Posted<CodeForm>) -> Answer {
    let caller = match at_step(&visitor, NextStep::Prove).await? {
        Ok(caller) => caller,
        Err(elsewhere) => return visitor.go_to(elsewhere),
    };
    match form.pressed() {
        Pressed::Default => {}
        Pressed::PickAuthenticator => return visitor.go_to(OTP_PATH),
        Pressed::Unknown => return Err(PageError::of(&visitor, Refusal::OutOfOrder.into())),
    }
    let mfa = &visitor.web.mfa;
    let read = mfa.read_code(&caller, &form.code).await;
    let code = match read.map_err(|error| PageError::of(&visitor, error))? {
        Ok(code) => code,
        Err(error) => {
            mfa.metrics().redemption(Outcome::Malformed);
            return challenge(&visitor, &caller, &malformed(error)).await;
        }
    };
    match mfa.redeem(&caller, &code).await {
        Ok(redemption) => {
            visitor.note_language(&caller.account).await;
            let replaced = redemption.replacement.is_some();
            let then = if replaced {
                REPLACEMENT.path
            } else {
                AFTER_PATH
            };
            match &redemption.session {
                Some(token) => visitor.go_on_by_session(then, token),
                None => visitor.go_to(then),
            }
        }
        Err(error) => {
            let told = shown_on(SCREEN, Some("code"), &visitor, error)?;
            challenge(&visitor, &caller, &told).await
        }
    }
}

/// What was typed cannot be a code: no attempt, no hash.
fn malformed(error: ParseError) -> Told {
    let code = match error {
        ParseError::Empty => "no-code",
        ParseError::Length { .. } | ParseError::Symbol { .. } | ParseError::Check => {
            "invalid-code-format"
        }
    };
    Told {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        code,
        field: Some("code"),
        wait_seconds: 0,
        tries_left: None,
    }
}

pub(super) async fn show_after(visitor: Visitor) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    let Authority::Session {
        opened_by: Some((generation, number)),
        ..
    } = caller.authority
    else {
        return visitor.go_to("/account");
    };
    let status = visitor.web.mfa.status(&caller.account).await.map_err(of)?;
    if status.generation.0 != generation {
        // Other codes are live by now: what this page would say no longer holds.
        return visitor.go_to("/account");
    }
    let Frame {
        t,
        product,
        csrf,
        state,
        here,
    } = frame(&visitor)?;
    let template = AfterRecovery {
        t,
        product,
        csrf,
        state,
        here,
        errors: errors(t, &quiet(), SCREEN),
        action: visitor.address(AFTER_PATH)?,
        number,
        remaining: status.remaining,
        total: status.total,
        generation,
        issued: t.day(status.issued_at.unwrap_or(Timestamp(0))),
    };
    Ok(page(&visitor, &quiet(), &template))
}

pub(super) async fn submit_after(Posted { visitor, form }: Posted<AfterForm>) -> Answer {
    let of = |error: Error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    match form.action.as_str() {
        "replace-authenticator" => {
            visitor
                .web
                .mfa
                .begin_enrollment(&caller)
                .await
                .map_err(of)?;
            visitor.go_to("/u/mfa-otp-enrollment-qr")
        }
        "skip" => {
            let status = visitor.web.mfa.status(&caller.account).await.map_err(of)?;
            // With no code left there is no going on without new ones.
            visitor.go_to(if status.remaining == 0 {
                AFTER_PATH
            } else {
                "/account"
            })
        }
        _ => Err(of(Refusal::OutOfOrder.into())),
    }
}
