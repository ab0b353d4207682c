//! The account: factors, codes, recent events; making new codes; the front page.

use axum::http::StatusCode;
use axum::http::header::HeaderName;

use super::error::{PageError, Told, page as plain_page};
use super::form::{BareForm, CodeForm};
use super::save::draw;
use super::sign_in::{no_code, otp};
use super::texts::Texts;
use super::view::{
    AccountPage, AuthenticatorView, CodesView, DemoAccount, EventView, Home, LinkView, Message,
    Regenerate,
};
use super::visitor::{DOOR, Posted, Visitor};
use super::{Answer, Frame, errors, frame, page, quiet, shown_on};
use crate::domain::{
    AccountState, Authority, Caller, Error, Event, Passed, Refusal, SessionKind, Status,
};
use crate::model::{EventKind, Timestamp};

const REGENERATE: &str = "regenerate";
const STEP_UP: &str = "mfa-otp-challenge";

/// Audit rows read for the list of recent activity, and lines shown of them.
const EVENTS_READ: u32 = 60;
const EVENTS_SHOWN: usize = 8;

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
        t: Texts::english(),
        product: visitor.web.mfa.policy().product.clone(),
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

pub(super) async fn show(visitor: Visitor) -> Answer {
    let of = |error| PageError::of(&visitor, error);
    let caller = visitor.session().await.map_err(of)?;
    let mfa = &visitor.web.mfa;
    let Frame {
        t,
        product,
        csrf,
        state,
    } = frame(&visitor)?;
    let status = mfa.status(&caller.account).await.map_err(of)?;
    let enabled = mfa.recovery_codes().await.map_err(of)?;
    // Who came in with the last code makes new ones before going on.
    if enabled && is_recovery(&caller) && status.remaining == 0 {
        return visitor.go_to("/u/after-recovery");
    }
    let factors = mfa.factors(&caller).await.map_err(of)?;
    let card = mfa.account(&caller.account).await.map_err(of)?;
    let events = mfa
        .events(&caller.account, None, EVENTS_READ)
        .await
        .map_err(of)?;
    let template = AccountPage {
        t,
        product,
        csrf,
        state,
        errors: errors(&quiet(), REGENERATE),
        account: card.login.unwrap_or_else(|| card.id.as_str().to_owned()),
        recovered: is_recovery(&caller),
        enabled,
        authenticator: factors.first().map(|factor| AuthenticatorView {
            added: factor.confirmed_at.into(),
            last_used: factor.last_used_at.map(Into::into),
        }),
        codes: codes_view(&status),
        pending: mfa.holds_pending(&caller).await.map_err(of)?,
        events: events
            .iter()
            .filter_map(|event| event_view(t, event))
            .take(EVENTS_SHOWN)
            .collect(),
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

fn codes_view(status: &Status) -> Option<CodesView> {
    (status.state == AccountState::Active).then(|| CodesView {
        remaining: status.remaining,
        total: status.total,
        low: status.low,
        generation: status.generation.0,
        issued: status.issued_at.unwrap_or(Timestamp(0)).into(),
    })
}

/// An audit row in the person's words; `None` for what would tell them nothing.
fn event_view(t: Texts, event: &Event) -> Option<EventView> {
    let key = match event.kind {
        EventKind::CodesStaged => "event.codes_generated",
        EventKind::CodesActivated => "event.codes_activated",
        EventKind::CodesRedeemed => "event.code_redeemed",
        EventKind::CodesRefused => "event.code_refused",
        EventKind::CodesThrottled => "event.code_throttled",
        EventKind::CodesRevoked => "event.codes_revoked",
        EventKind::FactorEnrolled => "event.authenticator_added",
        EventKind::FactorReplaced => "event.authenticator_replaced",
        EventKind::FactorRemoved | EventKind::MfaReset => "event.authenticator_removed",
        EventKind::KeyAdded => "event.api_key_added",
        EventKind::KeyRemoved => "event.api_key_removed",
        EventKind::DeviceTrusted => "event.device_trusted",
        EventKind::DeviceForgotten => "event.device_forgotten",
        EventKind::FactorVerified => "event.login",
        EventKind::FactorRefused | EventKind::PasswordRefused => "event.login_failed",
        EventKind::CodesShownAgain
        | EventKind::CodesGivenUp
        | EventKind::FactorAsked
        | EventKind::PasswordVerified
        | EventKind::SignedOut
        | EventKind::AccountAdded => return None,
    };
    let generation = event
        .generation
        .map_or(0, |generation| generation.0)
        .to_string();
    let number = event.number.unwrap_or(0).to_string();
    let text = t.fill(key, &[("generation", generation), ("number", number)]);
    Some(EventView {
        at: event.at.into(),
        text,
    })
}

pub(super) async fn sign_out(Posted { visitor, .. }: Posted<BareForm>) -> Answer {
    if let Ok(caller) = visitor.session().await {
        let ended = visitor.web.mfa.sign_out(&caller).await;
        ended.map_err(|error| PageError::of(&visitor, error))?;
    }
    let t = Texts::english();
    let template = Message {
        t,
        product: visitor.web.mfa.policy().product.clone(),
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
enum StepUpError {
    Empty,
    Domain(Error),
}

impl StepUpError {
    fn on(self, screen: &str, visitor: &Visitor) -> Result<Told, PageError> {
        match self {
            Self::Empty => Ok(no_code()),
            Self::Domain(error) => shown_on(screen, Some("code"), visitor, error),
        }
    }
}

async fn step_up(
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
    } = frame(visitor)?;
    let status = mfa.status(&caller.account).await.map_err(of)?;
    let template = Regenerate {
        t,
        product,
        csrf,
        state,
        errors: errors(told, REGENERATE),
        codes: codes_view(&status),
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
