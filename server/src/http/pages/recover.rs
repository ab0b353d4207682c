//! A recovery code on the way in, and what comes after it.

use axum::http::StatusCode;
use spare_key_core::{Code, Format, ParseError};

use super::error::{PageError, Told};
use super::form::{AfterForm, CodeForm};
use super::save::REPLACEMENT;
use super::sign_in::at_step;
use super::view::{AfterRecovery, CodeChallenge};
use super::visitor::{Posted, Visitor};
use super::{Answer, Frame, errors, frame, go_to, page, quiet, shown_on};
use crate::domain::{Authority, Caller, Error, NextStep, Refusal};
use crate::metrics::Outcome;
use crate::model::Timestamp;

const SCREEN: &str = "mfa-recovery-code-challenge";

pub(super) async fn show(visitor: Visitor) -> Answer {
    match at_step(&visitor, NextStep::Prove).await? {
        Ok(caller) => challenge(&visitor, &caller, &quiet()).await,
        Err(elsewhere) => Ok(go_to(elsewhere)),
    }
}

async fn challenge(visitor: &Visitor, caller: &Caller, told: &Told) -> Answer {
    let Frame { t, product, csrf } = frame(visitor)?;
    let status = visitor
        .web
        .mfa
        .status(&caller.account)
        .await
        .map_err(|error| PageError::of(visitor, error))?;
    let template = CodeChallenge {
        t,
        product,
        csrf,
        errors: errors(told, SCREEN),
        tries_left: told.tries_left,
        wait_seconds: told.wait_seconds,
        format: match status.format {
            Some(Format::Single) => "single",
            Some(Format::List) | None => "list",
        },
    };
    Ok(page(visitor, told, &template))
}

pub(super) async fn submit(Posted { visitor, form }: Posted<CodeForm>) -> Answer {
    let caller = match at_step(&visitor, NextStep::Prove).await? {
        Ok(caller) => caller,
        Err(elsewhere) => return Ok(go_to(elsewhere)),
    };
    let mfa = &visitor.web.mfa;
    let code = match Code::parse(&form.code) {
        Ok(code) => code,
        Err(error) => {
            mfa.metrics().redemption(Outcome::Malformed);
            return challenge(&visitor, &caller, &malformed(error)).await;
        }
    };
    match mfa.redeem(&caller, &code).await {
        Ok(redemption) => {
            let replaced = redemption.replacement.is_some();
            let mut response = go_to(if replaced {
                REPLACEMENT.path
            } else {
                "/u/after-recovery"
            });
            if let Some(token) = &redemption.session {
                visitor.set_session(&mut response, token);
            }
            Ok(response)
        }
        Err(error) => challenge(&visitor, &caller, &shown_on(SCREEN, &visitor, error)?).await,
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
        return Ok(go_to("/account"));
    };
    let status = visitor.web.mfa.status(&caller.account).await.map_err(of)?;
    if status.generation.0 != generation {
        // Other codes are live by now: what this page would say no longer holds.
        return Ok(go_to("/account"));
    }
    let Frame { t, product, csrf } = frame(&visitor)?;
    let template = AfterRecovery {
        t,
        product,
        csrf,
        errors: errors(&quiet(), SCREEN),
        number,
        remaining: status.remaining,
        total: status.total,
        generation,
        issued: status.issued_at.unwrap_or(Timestamp(0)).into(),
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
            Ok(go_to("/u/mfa-otp-enrollment-qr"))
        }
        "skip" => {
            let status = visitor.web.mfa.status(&caller.account).await.map_err(of)?;
            // With no code left there is no going on without new ones.
            Ok(go_to(if status.remaining == 0 {
                "/u/after-recovery"
            } else {
                "/account"
            }))
        }
        _ => Err(of(Refusal::OutOfOrder.into())),
    }
}
