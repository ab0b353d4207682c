//! The save prompt: at enrollment and when the codes are made anew.

use axum::http::StatusCode;

use super::error::{PageError, Told, page as plain_page};
use super::form::{BareForm, SaveForm};
use super::sign_in::at_step;
use super::view::{FormView, Message, SaveCodes};
use super::visitor::{Posted, Visitor};
use super::{Answer, Frame, errors, frame, go_to, page, quiet, shown_on, wire};
use crate::clock;
use crate::domain::{Activation, Caller, Error, Issued, NextStep, Refusal, StageRequest};

/// Where a batch is shown for saving, and in whose words.
pub(super) struct Prompt {
    screen: &'static str,
    pub(super) path: &'static str,
    download: &'static str,
    steps: u32,
}

/// At enrollment.
const FIRST: Prompt = Prompt {
    screen: "mfa-recovery-code-enrollment",
    path: "/u/mfa-recovery-code-enrollment",
    download: "/u/mfa-recovery-code-enrollment/download",
    steps: 3,
};

/// Made anew by who is in.
const NEXT: Prompt = Prompt {
    screen: "account-codes",
    path: "/account/codes",
    download: "/account/codes/download",
    steps: 0,
};

/// In the place of a single code that was just spent.
pub(super) const REPLACEMENT: Prompt = Prompt {
    screen: "mfa-recovery-code-challenge-new-code",
    path: "/u/mfa-recovery-code-challenge-new-code",
    download: "/u/mfa-recovery-code-challenge-new-code/download",
    steps: 0,
};

/// All of them say what went wrong in the first one's words.
const ERRORS: &str = FIRST.screen;

/// Draws the first batch behind a proven factor and shows it.
pub(super) async fn draw_first(visitor: &Visitor) -> Answer {
    let of = |error| PageError::of(visitor, error);
    let caller = visitor.challenge().await.map_err(of)?;
    match draw(visitor, &caller).await {
        // The factor is proven and stays so: the page offers to try again.
        Ok(()) | Err(Error::Busy { .. }) => Ok(go_to(FIRST.path)),
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
        Ok(issued) => prompt(visitor, &issued, told, &FIRST).await,
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
            Ok(_) => Ok(go_to(FIRST.path)),
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
            let told = shown_on(ERRORS, &visitor, error)?;
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
        Ok(issued) => prompt(visitor, &issued, told, &NEXT).await,
        // Run out, or confirmed in another window: the account says what holds now.
        Err(Error::Refused(Refusal::NoPendingBatch)) => Ok(go_to("/account")),
        Err(error) => Err(PageError::of(visitor, error)),
    }
}

pub(super) async fn submit_next(Posted { visitor, form }: Posted<SaveForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    match confirm(&visitor, &caller, &form).await {
        Ok(()) => Ok(go_to("/account")),
        Err(error) => {
            let told = shown_on(ERRORS, &visitor, error)?;
            prompt_next(&visitor, &caller, &told).await
        }
    }
}

pub(super) async fn download_next(Posted { visitor, .. }: Posted<BareForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    download(&visitor, &caller).await
}

pub(super) async fn show_replacement(visitor: Visitor) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    prompt_replacement(&visitor, &caller, &quiet()).await
}

async fn prompt_replacement(visitor: &Visitor, caller: &Caller, told: &Told) -> Answer {
    match visitor.web.mfa.replacement(caller).await {
        Ok(issued) => prompt(visitor, &issued, told, &REPLACEMENT).await,
        // Confirmed, or its time ran out: it works all the same.
        Err(Error::Refused(Refusal::NoPendingBatch)) => Ok(go_to("/account")),
        Err(error) => Err(PageError::of(visitor, error)),
    }
}

/// The code is live already; confirming it only means that it need not be shown again.
pub(super) async fn submit_replacement(Posted { visitor, form }: Posted<SaveForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    match confirm(&visitor, &caller, &form).await {
        Ok(()) => Ok(go_to("/account")),
        Err(error) => {
            let told = shown_on(ERRORS, &visitor, error)?;
            prompt_replacement(&visitor, &caller, &told).await
        }
    }
}

pub(super) async fn download_replacement(Posted { visitor, .. }: Posted<BareForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    let issued = visitor.web.mfa.replacement(&caller).await.map_err(of)?;
    sheet(&visitor, &issued).await
}

async fn confirm(visitor: &Visitor, caller: &Caller, form: &SaveForm) -> Result<(), Error> {
    form.saved().or_refuse()?;
    visitor
        .web
        .mfa
        .activate(caller, form.generation())
        .await
        .map(drop)
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

async fn prompt(visitor: &Visitor, issued: &Issued, told: &Told, at: &Prompt) -> Answer {
    let Frame { t, product, csrf } = frame(visitor)?;
    let left = issued
        .expires_at
        .map_or(0, |until| until.since(visitor.web.mfa.now()).ceil_seconds());
    let template = SaveCodes {
        t,
        product,
        csrf,
        errors: errors(told, ERRORS),
        screen: at.screen,
        action: at.path,
        download: at.download,
        step: at.steps,
        steps: at.steps,
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
    sheet(visitor, &issued).await
}

async fn sheet(visitor: &Visitor, issued: &Issued) -> Answer {
    let account = hint(visitor, issued).await?;
    let url = format!("{}/u/login", visitor.web.settings.issuer);
    let date = clock::long_date(issued.issued_at);
    Ok(wire::sheet_file(
        issued,
        &visitor.web.mfa.policy().product,
        &account,
        &date,
        &url,
    ))
}
