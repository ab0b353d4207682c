//! The account: factors, codes, recent events; making new codes; the front page.

use axum::extract::Query;
use axum::http::StatusCode;
use axum::http::header::HeaderName;

use super::activity::{self, Older};
use super::browsers;
use super::error::{PageError, Told, page as plain_page};
use super::form::{BareForm, CodeForm, ReminderForm};
use super::save::draw;
use super::sign_in::{no_code, otp};
use super::view::{
    AccountPage, AuthenticatorView, CodesView, DemoAccount, Home, LinkView, Message, Regenerate,
};
use super::visitor::{DOOR, Posted, Visitor};
use super::{Answer, Frame, errors, frame, page, quiet, shown_on};
use crate::domain::{AccountState, Authority, Caller, Error, Passed, Refusal, SessionKind, Status};
use crate::model::Timestamp;
use crate::texts::Texts;

const REGENERATE: &str = "regenerate";
const STEP_UP: &str = "mfa-otp-challenge";

/// In development the front page says who one can be; elsewhere it is the account.
pub(super) async fn home(visitor: Visitor) -> Answer {
    if !visitor.web.settings.dev {
        return visitor.go_to("/account");
    }
    let demo = |name, email, totp_secret| DemoAccount {
        name,
        email,
        totp_secret,
    };
    let template = Home {
        t: visitor.texts(),
        product: visitor.web.mfa.policy().product.clone(),
        here: visitor.query().to_owned(),
        password: "correct horse battery staple".to_owned(),
        accounts: vec![
            demo("Alice", "alice@example.com", ""),
            demo("Bob", "bob@example.com", ""),
            demo(
                "Carol",
                "carol@example.com",
                "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
            ),
        ],
    };
    Ok(plain_page(StatusCode::OK, &template))
}

pub(super) async fn show(visitor: Visitor, Query(older): Query<Older>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    let mfa = &visitor.web.mfa;
    let Frame {
        t,
        product,
        csrf,
        state,
        here,
    } = frame(&visitor)?;
    let status = mfa.status(&caller.account).await.map_err(of)?;
    let enabled = mfa.recovery_codes().await.map_err(of)?;
    // Who came in with the last code makes new ones before going on.
    if enabled && is_recovery(&caller) && status.remaining == 0 {
        return visitor.go_to("/u/after-recovery");
    }
    let factors = mfa.factors(&caller).await.map_err(of)?;
    let card = mfa.account(&caller.account).await.map_err(of)?;
    let trail = activity::trail(&visitor, &caller.account, older.before())
        .await
        .map_err(of)?;
    let template = AccountPage {
        t,
        product,
        csrf,
        state,
        here,
        errors: errors(t, &quiet(), REGENERATE),
        account: card.login.unwrap_or_else(|| card.id.as_str().to_owned()),
        recovered: is_recovery(&caller),
        enabled,
        authenticator: factors.first().map(|factor| AuthenticatorView {
            added: t.day(factor.confirmed_at),
            last_used: factor.last_used_at.map(|at| t.day(at)),
        }),
        codes: codes_view(t, &status),
        pending: mfa.holds_pending(&caller).await.map_err(of)?,
        browsers: browsers::list(&visitor, &caller).await.map_err(of)?,
        trail,
        administrator: mfa.administrator(&caller).await.map_err(of)?.is_some(),
    };
    Ok(page(&visitor, &quiet(), &template))
}

fn is_recovery(caller: &Caller) -> bool {
    matches!(
        caller.authority,
        Authority::Session {
            kind: SessionKind::Recovery,
            ..
        }
    )
}

pub(super) fn codes_view(t: Texts, status: &Status) -> Option<CodesView> {
    (status.state == AccountState::Active).then(|| CodesView {
        remaining: status.remaining,
        total: status.total,
        imported: status.origin.is_some(),
        remind: status.low && !status.reminder_ended,
        kept: status.kept,
        generation: status.generation.0,
        issued: t.day(status.issued_at.unwrap_or(Timestamp(0))),
    })
}

/// "Do not remind me again": of this generation.
pub(super) async fn end_reminder(Posted { visitor, form }: Posted<ReminderForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    let generation = form.generation();
    visitor
        .web
        .mfa
        .end_reminder(&caller, generation)
        .await
        .map_err(of)?;
    visitor.go_to("/account")
}

pub(super) async fn sign_out(Posted { visitor, .. }: Posted<BareForm>) -> Answer {
    if let Ok(caller) = visitor.session().await {
        let ended = visitor.web.mfa.sign_out(&caller).await;
        ended.map_err(|error| PageError::of(&visitor, error))?;
    }
    let t = visitor.texts();
    let template = Message {
        t,
        product: visitor.web.mfa.policy().product.clone(),
        here: visitor.query().to_owned(),
        title: t.get("message.signed-out.title"),
        description: t.get("message.signed-out.description"),
        error: "",
        action: Some(LinkView {
            href: DOOR,
            text: t.get("message.signed-out.actionText"),
        }),
        form: None,
        reference: String::new(),
    };
    let mut response = plain_page(StatusCode::OK, &template);
    visitor.clear_all(&mut response);
    // What the back button could bring up again goes with the session.
    response.headers_mut().insert(
        HeaderName::from_static("clear-site-data"),
        axum::http::HeaderValue::from_static("\"cache\""),
    );
    Ok(response)
}

/// Begins putting a new authenticator in the old one's place; who came by password and old
/// authenticator a while ago is asked for it again first.
pub(super) async fn replace_authenticator(Posted { visitor, .. }: Posted<BareForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    match visitor.web.mfa.begin_enrollment(&caller).await {
        Ok(()) => visitor.go_to("/u/mfa-otp-enrollment-qr"),
        Err(Error::Refused(Refusal::FreshProofRequired)) => visitor.go_to("/account/step-up"),
        Err(error) => Err(of(error)),
    }
}

pub(super) async fn show_step_up(visitor: Visitor) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    otp(&visitor, &caller, &quiet()).await
}

/// Step-up for replacing the authenticator: a fresh factor, a new session, and on to the QR code.
pub(super) async fn submit_step_up(Posted { visitor, form }: Posted<CodeForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    let told = match step_up(&visitor, &caller, &form.code).await {
        Ok(token) => {
            let mfa = &visitor.web.mfa;
            let fresh = mfa
                .caller_by_session(&token, visitor.ip())
                .await
                .map_err(of)?;
            mfa.begin_enrollment(&fresh).await.map_err(of)?;
            return visitor.go_on_by_session("/u/mfa-otp-enrollment-qr", &token);
        }
        Err(told) => told.on(STEP_UP, &visitor)?,
    };
    otp(&visitor, &caller, &told).await
}

/// Nothing typed, or an answer of the domain.
pub(super) enum StepUpError {
    Empty,
    Domain(Error),
}

impl StepUpError {
    pub(super) fn on(self, screen: &str, visitor: &Visitor) -> Result<Told, PageError> {
        match self {
            Self::Empty => Ok(no_code()),
            Self::Domain(error) => shown_on(screen, Some("code"), visitor, error),
        }
    }
}

/// A fresh factor of who is in: the session that follows.
pub(super) async fn step_up(
    visitor: &Visitor,
    caller: &Caller,
    code: &str,
) -> Result<crate::model::Token, StepUpError> {
    if code.trim().is_empty() {
        return Err(StepUpError::Empty);
    }
    match visitor.web.mfa.prove_totp(caller, code).await {
        Ok(Passed::Session(token)) => Ok(token),
        Ok(Passed::SaveCodes) => Err(StepUpError::Domain(Refusal::OutOfOrder.into())),
        Err(error) => Err(StepUpError::Domain(error)),
    }
}

pub(super) async fn show_regenerate(visitor: Visitor) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    regenerate_page(&visitor, &caller, &quiet()).await
}

async fn regenerate_page(visitor: &Visitor, caller: &Caller, told: &Told) -> Answer {
    let of = |error| PageError::of(visitor, error);
    let mfa = &visitor.web.mfa;
    if !mfa.recovery_codes().await.map_err(of)? {
        return Err(of(Refusal::RecoveryCodesOff.into()));
    }
    let Frame {
        t,
        product,
        csrf,
        state,
        here,
    } = frame(visitor)?;
    let status = mfa.status(&caller.account).await.map_err(of)?;
    let template = Regenerate {
        t,
        product,
        csrf,
        state,
        here,
        errors: errors(t, told, REGENERATE),
        codes: codes_view(t, &status),
        fresh: mfa.is_fresh(caller),
        wait_seconds: told.wait_seconds,
    };
    Ok(page(visitor, told, &template))
}

/// A fresh factor, a new session, new codes staged beside the old ones.
pub(super) async fn regenerate(Posted { visitor, form }: Posted<CodeForm>) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    if visitor.web.mfa.is_fresh(&caller) {
        return match draw(&visitor, &caller).await {
            Ok(()) => visitor.go_to("/account/codes"),
            Err(error) => {
                let told = shown_on(REGENERATE, Some("code"), &visitor, error)?;
                regenerate_page(&visitor, &caller, &told).await
            }
        };
    }
    let told = match step_up(&visitor, &caller, &form.code).await {
        Ok(token) => {
            let fresh = visitor
                .web
                .mfa
                .caller_by_session(&token, visitor.ip())
                .await
                .map_err(of)?;
            // Busy or broken, the person stays stepped up and is offered the codes once more.
            let then = match draw(&visitor, &fresh).await {
                Ok(()) => "/account/codes",
                Err(Error::Busy { .. }) => "/account/regenerate",
                Err(error) => return Err(of(error)),
            };
            return visitor.go_on_by_session(then, &token);
        }
        Err(told) => told.on(REGENERATE, &visitor)?,
    };
    regenerate_page(&visitor, &caller, &told).await
}
