//! The save prompt: at enrollment, when the codes are made anew, and after a single code was spent.

use axum::Json;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;

use super::error::{PageError, Told, page as plain_page};
use super::form::{BareForm, SaveForm, TimeForm};
use super::sign_in::at_step;
use super::view::{FormView, Message, SaveCodes};
use super::visitor::{Posted, Visitor};
use super::{Answer, Frame, errors, frame, page, quiet, shown_on, wire};
use crate::domain::{Activation, Caller, Error, Issued, NextStep, Refusal, StageRequest};
use crate::model::{Timestamp, Token};

/// Where a batch is shown for saving, in whose words, and where it comes from.
pub(super) struct Prompt {
    screen: &'static str,
    pub(super) path: &'static str,
    steps: u32,
    batch: Batch,
}

/// Which batch a prompt shows, and so who may see it and what confirming it does.
#[derive(PartialEq, Eq)]
enum Batch {
    /// The pending one of a sign-in; confirming completes it.
    First,
    /// The pending one of who is in; confirming puts it in the live one's place.
    Next,
    /// The live one that took a spent single code's place; confirming only means that it need not
    /// be shown again.
    Replacement,
}

/// At enrollment.
pub(super) const FIRST: Prompt = Prompt {
    screen: "mfa-recovery-code-enrollment",
    path: "/u/mfa-recovery-code-enrollment",
    steps: 3,
    batch: Batch::First,
};

/// Made anew by who is in.
pub(super) const NEXT: Prompt = Prompt {
    screen: "account-codes",
    path: "/account/codes",
    steps: 0,
    batch: Batch::Next,
};

/// In the place of a single code that was just spent.
pub(super) const REPLACEMENT: Prompt = Prompt {
    screen: "mfa-recovery-code-challenge-new-code",
    path: "/u/mfa-recovery-code-challenge-new-code",
    steps: 0,
    batch: Batch::Replacement,
};

/// Draws the first batch behind a proven factor and shows it.
pub(super) async fn draw_first(visitor: &Visitor) -> Answer {
    let of = |error| PageError::of(visitor, error);
    let caller = visitor.challenge().await.map_err(of)?;
    match draw(visitor, &caller).await {
        // The factor is proven and stays so: the page offers to try again.
        Ok(()) | Err(Error::Busy { .. }) => visitor.go_to(FIRST.path),
        Err(error) => Err(of(error)),
    }
}

/// Draws a batch, to be shown by its prompt.
pub(super) async fn draw(visitor: &Visitor, caller: &Caller) -> Result<(), Error> {
    let mfa = &visitor.web.mfa;
    let request = StageRequest {
        spec: mfa.policy().batch,
        activation: Activation::OnConfirm,
        idempotency: None,
    };
    mfa.stage(caller, request).await.map(drop)
}

/// Who may see a prompt's batch, or where they are to go instead.
async fn viewer(visitor: &Visitor, at: &Prompt) -> Result<Result<Caller, &'static str>, PageError> {
    if at.batch == Batch::First {
        return at_step(visitor, NextStep::SaveCodes).await;
    }
    let caller = visitor.session().await;
    caller
        .map(Ok)
        .map_err(|error| PageError::of(visitor, error))
}

async fn batch(visitor: &Visitor, caller: &Caller, at: &Prompt) -> Result<Issued, Error> {
    match at.batch {
        Batch::First | Batch::Next => visitor.web.mfa.pending(caller).await,
        Batch::Replacement => visitor.web.mfa.replacement(caller).await,
    }
}

pub(super) async fn show(visitor: Visitor, at: &Prompt) -> Answer {
    match viewer(&visitor, at).await? {
        Ok(caller) => prompt(&visitor, &caller, &quiet(), at).await,
        Err(elsewhere) => visitor.go_to(elsewhere),
    }
}

async fn prompt(visitor: &Visitor, caller: &Caller, told: &Told, at: &Prompt) -> Answer {
    match batch(visitor, caller, at).await {
        Ok(issued) => sheet_on(visitor, &issued, told, at).await,
        Err(Error::Refused(Refusal::NoPendingBatch)) if at.batch == Batch::First => {
            expired(visitor)
        }
        // Run out, or confirmed in another window: the account says what holds now.
        Err(Error::Refused(Refusal::NoPendingBatch)) => visitor.go_to("/account"),
        Err(error) => Err(PageError::of(visitor, error)),
    }
}

/// The codes ran out unconfirmed (or could not be drawn): one click draws new ones.
fn expired(visitor: &Visitor) -> Answer {
    let Frame {
        t,
        product,
        csrf,
        state,
        here,
    } = frame(visitor)?;
    let message = Message {
        title: t.get("message.codes-expired.title"),
        description: t.get("message.codes-expired.description"),
        error: "transaction-not-found",
        action: None,
        form: Some(FormView {
            action: visitor.address("/u/mfa-recovery-code-enrollment/again")?,
            csrf,
            state,
            text: t.get("message.codes-expired.actionText"),
        }),
        reference: String::new(),
        here,
        t,
        product,
    };
    Ok(plain_page(StatusCode::OK, &message))
}

pub(super) async fn again(Posted { visitor, .. }: Posted<BareForm>) -> Answer {
    let caller = match viewer(&visitor, &FIRST).await? {
        Ok(caller) => caller,
        Err(elsewhere) => return visitor.go_to(elsewhere),
    };
    match visitor.web.mfa.holds_pending(&caller).await {
        Ok(true) => visitor.go_to(FIRST.path),
        Ok(false) => draw_first(&visitor).await,
        Err(error) => Err(PageError::of(&visitor, error)),
    }
}

pub(super) async fn submit(Posted { visitor, form }: Posted<SaveForm>, at: &Prompt) -> Answer {
    let caller = match viewer(&visitor, at).await? {
        Ok(caller) => caller,
        Err(elsewhere) => return visitor.go_to(elsewhere),
    };
    match confirm(&visitor, &caller, &form, at).await {
        Ok(Some(session)) => {
            visitor.note_language(&caller.account).await;
            visitor.go_on_by_session("/account", &session)
        }
        Ok(None) => visitor.go_to("/account"),
        Err(error) => {
            let told = shown_on(at.screen, Some("saved"), &visitor, error)?;
            prompt(&visitor, &caller, &told, at).await
        }
    }
}

/// Confirms the batch; the first one's confirmation opens a session.
async fn confirm(
    visitor: &Visitor,
    caller: &Caller,
    form: &SaveForm,
    at: &Prompt,
) -> Result<Option<Token>, Error> {
    let mfa = &visitor.web.mfa;
    if at.batch == Batch::First {
        let session = mfa.complete_enrollment(caller, form.generation(), form.saved());
        return session.await.map(Some);
    }
    form.saved().or_refuse()?;
    mfa.activate(caller, form.generation()).await.map(|_| None)
}

pub(super) async fn download(Posted { visitor, .. }: Posted<BareForm>, at: &Prompt) -> Answer {
    match viewer(&visitor, at).await? {
        Ok(caller) => match batch(&visitor, &caller, at).await {
            Ok(issued) => sheet(&visitor, &issued).await,
            Err(error) => Err(PageError::of(&visitor, error)),
        },
        Err(elsewhere) => visitor.go_to(elsewhere),
    }
}

/// What a script is told of the time that was given.
#[derive(Serialize)]
struct MoreTime {
    expires_in: u32,
    warn_before: u32,
    /// What the page says of it.
    pending: String,
    /// What it says before that runs out.
    soon: String,
}

/// Gives the person more time with the codes on the screen.
pub(super) async fn more_time(Posted { visitor, form }: Posted<TimeForm>, at: &Prompt) -> Answer {
    let caller = match viewer(&visitor, at).await? {
        Ok(caller) => caller,
        Err(elsewhere) => return visitor.go_to(elsewhere),
    };
    let mfa = &visitor.web.mfa;
    let scripted = form.answer == "json";
    match mfa.more_time(&caller).await {
        Ok(until) if scripted => {
            let expires_in = seconds_until(&visitor, until);
            let t = visitor.texts();
            let minutes = [("minutes", t.wait(&expires_in))];
            let warn_before = warn_before(expires_in);
            let wait = [("wait", t.wait(&warn_before))];
            let told = MoreTime {
                expires_in,
                warn_before,
                pending: t.fill_of(at.screen, "pending", &minutes),
                soon: t.fill_of(at.screen, "soon", &wait),
            };
            Ok(Json(told).into_response())
        }
        Err(Error::Refused(Refusal::NoPendingBatch)) if scripted => {
            Ok(StatusCode::GONE.into_response())
        }
        // The page says how much time is left.
        Ok(_) | Err(Error::Refused(Refusal::NoPendingBatch)) => visitor.go_to(at.path),
        Err(error) => Err(PageError::of(&visitor, error)),
    }
}

fn seconds_until(visitor: &Visitor, until: Timestamp) -> u32 {
    let left = until.since(visitor.web.mfa.now()).ceil_seconds();
    u32::try_from(left).unwrap_or(u32::MAX)
}

/// How long before the end it is said, in seconds: in time to write the codes down, and never less
/// than the 20 seconds that WCAG 2.2.1 asks for, unless less than that is left.
fn warn_before(expires_in: u32) -> u32 {
    if expires_in > 240 {
        120
    } else {
        expires_in.min(30)
    }
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

async fn sheet_on(visitor: &Visitor, issued: &Issued, told: &Told, at: &Prompt) -> Answer {
    let Frame {
        t,
        product,
        csrf,
        state,
        here,
    } = frame(visitor)?;
    let until = issued.expires_at;
    let expires_in = until.map_or(0, |until| seconds_until(visitor, until));
    let template = SaveCodes {
        t,
        product,
        csrf,
        state,
        here,
        errors: errors(t, told, at.screen),
        screen: at.screen,
        action: visitor.address(at.path)?,
        download: visitor.address(&format!("{}/download", at.path))?,
        more_time: visitor.address(&format!("{}/more-time", at.path))?,
        step: at.steps,
        steps: at.steps,
        account: hint(visitor, issued).await?,
        generation: issued.generation.0,
        issued: t.day(issued.issued_at),
        codes: wire::shown(issued),
        expires_in,
        warn_before: warn_before(expires_in),
    };
    Ok(page(visitor, told, &template))
}

async fn sheet(visitor: &Visitor, issued: &Issued) -> Answer {
    let account = hint(visitor, issued).await?;
    let url = format!("{}/u/login", visitor.web.settings.issuer);
    let t = visitor.texts();
    let date = t.day(issued.issued_at).text;
    let sheet = wire::Around {
        product: &visitor.web.mfa.policy().product,
        account: &account,
        date: &date,
        url: &url,
    };
    Ok(wire::sheet_file(issued, &sheet, t))
}
