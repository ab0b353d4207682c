//! The save prompt: at enrollment and when the codes are made anew.

use axum::http::StatusCode;

use super::error::{PageError, Told, page as plain_page};
use super::form::{BareForm, SaveForm};
use super::sign_in::at_step;
use super::view::{FormView, Message, SaveCodes};
use super::visitor::{Posted, Visitor};
use super::{Answer, Frame, errors, frame, go_to, page, quiet, shown_on, wire};
use crate::clock;
use crate::domain::{Caller, Error, Issued, NextStep, Refusal, StageRequest};
use crate::store::Activation;

const FIRST: &str = "mfa-recovery-code-enrollment";
const NEXT: &str = "account-codes";
const PATH_FIRST: &str = "/u/mfa-recovery-code-enrollment";
const PATH_NEXT: &str = "/account/codes";

/// Draws the first batch behind a proven factor and shows it.
pub(super) async fn draw_first(visitor: &Visitor) -> Answer {
    let of = |error| PageError::of(visitor, error);
    let caller = visitor.challenge().await.map_err(of)?;
    match draw(visitor, &caller).await {
        // The factor is proven and stays so: the page offers to try again.
        Ok(()) | Err(Error::Busy { .. }) => Ok(go_to(PATH_FIRST)),
        Err(error) => Err(of(error)),
    }
}

/// Draws a batch and shows it to who is in.
pub(super) async fn draw_next(visitor: &Visitor, caller: &Caller) -> Result<(), Error> {
    draw(visitor, caller).await
}

async fn draw(visitor: &Visitor, caller: &Caller) -> Result<(), Error> {
    let mfa = &visitor.web.mfa;
    let request = StageRequest {
        spec: mfa.policy().batch,
        activation: Activation::OnConfirm,
        idempotency: None,
    };
    mfa.stage(caller, request).await.map(drop)
}

pub(super) async fn show_first(visitor: Visitor) -> Answer {
    match at_step(&visitor, NextStep::SaveCodes).await? {
        Ok(caller) => prompt_first(&visitor, &caller, &quiet()).await,
        Err(elsewhere) => Ok(go_to(elsewhere)),
    }
}

async fn prompt_first(visitor: &Visitor, caller: &Caller, told: &Told) -> Answer {
    match visitor.web.mfa.pending(caller).await {
        Ok(issued) => prompt(visitor, &issued, told, FIRST, 3).await,
        Err(Error::Refused(Refusal::NoPendingBatch)) => expired(visitor),
        Err(error) => Err(PageError::of(visitor, error)),
    }
}

/// The codes ran out unconfirmed (or could not be drawn): one click draws new ones.
fn expired(visitor: &Visitor) -> Answer {
    let Frame { t, product, csrf } = frame(visitor)?;
    let message = Message {
        title: t.get("message.codes-expired.title"),
        description: t.get("message.codes-expired.description"),
        action: None,
        form: Some(FormView {
            action: "/u/mfa-recovery-code-enrollment/again",
            csrf,
            text: t.get("message.codes-expired.actionText"),
        }),
        reference: String::new(),
        t,
        product,
    };
    Ok(plain_page(StatusCode::OK, &message))
}

pub(super) async fn again_first(Posted { visitor, .. }: Posted<BareForm>) -> Answer {
    match at_step(&visitor, NextStep::SaveCodes).await? {
        Ok(caller) => match visitor.web.mfa.pending(&caller).await {
            Ok(_) => Ok(go_to(PATH_FIRST)),
            Err(Error::Refused(Refusal::NoPendingBatch)) => draw_first(&visitor).await,
            Err(error) => Err(PageError::of(&visitor, error)),
        },
        Err(elsewhere) => Ok(go_to(elsewhere)),
    }
}

pub(super) async fn submit_first(Posted { visitor, form }: Posted<SaveForm>) -> Answer {
    let caller = match at_step(&visitor, NextStep::SaveCodes).await? {
        Ok(caller) => caller,
        Err(elsewhere) => return Ok(go_to(elsewhere)),
    };
    let mfa = &visitor.web.mfa;
    match mfa
        .complete_enrollment(&caller, form.generation(), form.saved())
        .await
    {
        Ok(token) => {
            let mut response = go_to("/account");
            visitor.set_session(&mut response, &token);
            Ok(response)
        }
        Err(error) => {
            let told = shown_on(FIRST, &visitor, error)?;
            prompt_first(&visitor, &caller, &told).await
        }
    }
}

pub(super) async fn download_first(Posted { visitor, .. }: Posted<BareForm>) -> Answer {
    match at_step(&visitor, NextStep::SaveCodes).await? {
        Ok(caller) => download(&visitor, &caller).await,
        Err(elsewhere) => Ok(go_to(elsewhere)),
    }
}

pub(super) async fn show_next(visitor: Visitor) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    prompt_next(&visitor, &caller, &quiet()).await
}

async fn prompt_next(visitor: &Visitor, caller: &Caller, told: &Told) -> Answer {
    match visitor.web.mfa.pending(caller).await {
        Ok(issued) => prompt(visitor, &issued, told, NEXT, 0).await,
        // Run out, or confirmed in another window: the account says what holds now.
        Err(Error::Refused(Refusal::NoPendingBatch)) => Ok(go_to("/account")),
        Err(error) => Err(PageError::of(visitor, error)),
    }
}

pub(super) async fn submit_next(Posted { visitor, form }: Posted<SaveForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    let confirmed = match form.saved().or_refuse() {
        Ok(()) => visitor.web.mfa.activate(&caller, form.generation()).await,
        Err(error) => Err(error),
    };
    match confirmed {
        Ok(_) => Ok(go_to("/account")),
        // Both screens say it in the same words.
        Err(error) => {
            let told = shown_on(FIRST, &visitor, error)?;
            prompt_next(&visitor, &caller, &told).await
        }
    }
}

pub(super) async fn download_next(Posted { visitor, .. }: Posted<BareForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    download(&visitor, &caller).await
}

/// Whose sheet it is, as a hint for its finder's owner.
async fn hint(visitor: &Visitor, issued: &Issued) -> Result<String, PageError> {
    let card = visitor
        .web
        .mfa
        .account(&issued.account)
        .await
        .map_err(|error| PageError::of(visitor, error))?;
    Ok(card.login.unwrap_or_else(|| card.id.as_str().to_owned()))
}

async fn prompt(
    visitor: &Visitor,
    issued: &Issued,
    told: &Told,
    screen: &'static str,
    steps: u32,
) -> Answer {
    let Frame { t, product, csrf } = frame(visitor)?;
    let (action, download) = if screen == FIRST {
        (PATH_FIRST, "/u/mfa-recovery-code-enrollment/download")
    } else {
        (PATH_NEXT, "/account/codes/download")
    };
    let left = issued
        .expires_at
        .map_or(0, |until| until.since(visitor.web.mfa.now()).ceil_seconds());
    let template = SaveCodes {
        t,
        product,
        csrf,
        errors: errors(told, FIRST),
        screen,
        action,
        download,
        step: 3,
        steps,
        account: hint(visitor, issued).await?,
        generation: issued.generation.0,
        issued: issued.issued_at.into(),
        codes: wire::shown(issued),
        expires_in: u32::try_from(left).unwrap_or(u32::MAX),
    };
    Ok(page(visitor, told, &template))
}

async fn download(visitor: &Visitor, caller: &Caller) -> Answer {
    let of = |error| PageError::of(visitor, error);
    let issued = visitor.web.mfa.pending(caller).await.map_err(of)?;
    let account = hint(visitor, &issued).await?;
    let url = format!("{}/u/login", visitor.web.settings.issuer);
    let date = clock::long_date(issued.issued_at);
    Ok(wire::sheet_file(
        &issued,
        &visitor.web.mfa.policy().product,
        &account,
        &date,
        &url,
    ))
}
