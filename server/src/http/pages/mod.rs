//! The pages: signing in, enrolling, saving codes, using one, and the account.
//!
//! Named by Auth0's screens where they have one, with its fields, error codes and text keys; each
//! screen's address names its transaction. Every page is plain HTML that posts forms; the
//! elements make it better and are not needed. A GET changes nothing. Decisions are the domain's.

mod account;
mod activity;
mod admin;
mod browsers;
mod docs;
mod enroll;
mod enter;
mod error;
mod form;
mod gallery;
mod guide;
mod language;
mod recover;
mod save;
mod sign_in;
mod view;
mod visitor;
mod wire;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

pub(super) use self::docs::docs;
pub(super) use self::error::plain;
use self::error::{PageError, Told, told};
pub(super) use self::guide::{Guide, guide};
pub(super) use self::language::language_of;
use self::view::{Errors, Frame};
use self::visitor::Visitor;
use super::{Web, assets};
use crate::domain::{Error, Refusal};
use crate::texts::Texts;

impl Texts {
    /// Where scripts and styles are.
    pub(crate) fn assets(&self) -> &'static str {
        assets::place()
    }
}

type Answer = Result<Response<Body>, PageError>;

pub(super) fn router(web: &Web) -> Router<Web> {
    Router::new()
        .route("/", get(account::home))
        .route("/u/login", get(sign_in::show).post(sign_in::submit))
        .route(
            "/u/mfa-otp-enrollment-qr",
            get(enroll::show).post(enroll::submit),
        )
        .route(
            "/u/mfa-recovery-code-enrollment",
            get(|visitor| save::show(visitor, &save::FIRST))
                .post(|posted| save::submit(posted, &save::FIRST)),
        )
        .route(
            "/u/mfa-recovery-code-enrollment/download",
            post(|posted| save::download(posted, &save::FIRST))
                .get(|visitor| back(visitor, save::FIRST.path)),
        )
        .route(
            "/u/mfa-recovery-code-enrollment/more-time",
            post(|posted| save::more_time(posted, &save::FIRST))
                .get(|visitor| back(visitor, save::FIRST.path)),
        )
        .route(
            "/u/mfa-recovery-code-enrollment/again",
            post(save::again).get(|visitor| back(visitor, save::FIRST.path)),
        )
        .route(
            "/u/mfa-recovery-code-challenge-new-code",
            get(|visitor| save::show(visitor, &save::REPLACEMENT))
                .post(|posted| save::submit(posted, &save::REPLACEMENT)),
        )
        .route(
            "/u/mfa-recovery-code-challenge-new-code/download",
            post(|posted| save::download(posted, &save::REPLACEMENT))
                .get(|visitor| back(visitor, save::REPLACEMENT.path)),
        )
        .route(
            "/u/mfa-recovery-code-challenge-new-code/more-time",
            post(|posted| save::more_time(posted, &save::REPLACEMENT))
                .get(|visitor| back(visitor, save::REPLACEMENT.path)),
        )
        .route(
            "/u/mfa-otp-challenge",
            get(sign_in::show_otp).post(sign_in::submit_otp),
        )
        .route(
            "/u/mfa-recovery-code-challenge",
            get(recover::show).post(recover::submit),
        )
        .route(
            "/u/after-recovery",
            get(recover::show_after).post(recover::submit_after),
        )
        .route("/account", get(account::show))
        .route("/account/enter", post(enter::enter))
        .route(
            "/account/sign-out",
            post(account::sign_out).get(|visitor| back(visitor, "/account")),
        )
        .route(
            "/account/replace-authenticator",
            post(account::replace_authenticator).get(|visitor| back(visitor, "/account")),
        )
        .route(
            "/account/end-reminder",
            post(account::end_reminder).get(|visitor| back(visitor, "/account")),
        )
        .route(
            "/account/step-up",
            get(account::show_step_up).post(account::submit_step_up),
        )
        .route(
            "/account/regenerate",
            get(account::show_regenerate).post(account::regenerate),
        )
        .route(
            "/account/codes",
            get(|visitor| save::show(visitor, &save::NEXT))
                .post(|posted| save::submit(posted, &save::NEXT)),
        )
        .route(
            "/account/codes/download",
            post(|posted| save::download(posted, &save::NEXT))
                .get(|visitor| back(visitor, save::NEXT.path)),
        )
        .route(
            "/account/codes/more-time",
            post(|posted| save::more_time(posted, &save::NEXT))
                .get(|visitor| back(visitor, save::NEXT.path)),
        )
        .route(
            "/account/browsers/forget",
            post(browsers::forget).get(|visitor| back(visitor, "/account")),
        )
        .route(
            "/account/browsers/forget-all",
            post(browsers::forget_all).get(|visitor| back(visitor, "/account")),
        )
        .merge(admin::router())
        .route("/gallery", get(gallery::show))
        .layer(from_fn_with_state(web.clone(), language::remember))
}

/// What only takes forms leads who asks for it by a link to the page that the form is on.
async fn back(visitor: Visitor, to: &'static str) -> Answer {
    visitor.go_to(to)
}

/// What every page has.
fn frame(visitor: &Visitor) -> Result<Frame, PageError> {
    let of = |error| PageError::of(visitor, error);
    Ok(Frame {
        t: visitor.texts(),
        product: visitor.web.mfa.policy().product.clone(),
        csrf: visitor.csrf().map_err(of)?,
        state: visitor.state().map_err(of)?,
        here: visitor.query().to_owned(),
    })
}

/// A rendered page with the cookies this visitor needs, and `Retry-After` where there is a wait.
fn page(visitor: &Visitor, told: &Told, template: &impl Template) -> Response<Body> {
    let mut response = error::page(told.status, template);
    visitor.dress(&mut response);
    told.dress(&mut response);
    response
}

/// A refusal shown where the person is, beside `field` if it is nobody's fault, if the screen has
/// words for it; otherwise a page of its own.
fn shown_on(
    screen: &str,
    field: Option<&'static str>,
    visitor: &Visitor,
    error: Error,
) -> Result<Told, PageError> {
    let ours = |status| Told {
        status,
        code: "authenticator-error",
        field,
        wait_seconds: 0,
        tries_left: None,
    };
    let told = match &error {
        Error::Refused(refusal) => told(*refusal, visitor.web.mfa.now()),
        Error::Busy { retry_after } => Told {
            wait_seconds: u32::try_from(retry_after.as_secs())
                .unwrap_or(u32::MAX)
                .max(1),
            ..ours(StatusCode::SERVICE_UNAVAILABLE)
        },
        Error::Fault(_) => ours(StatusCode::INTERNAL_SERVER_ERROR),
    };
    // A flow that is over is not mended by typing something else into the same form.
    let over = matches!(
        error,
        Error::Refused(Refusal::ChallengeGone | Refusal::SessionGone | Refusal::OutOfOrder)
    );
    if over || !told.fits(screen) {
        Err(PageError::of(visitor, error))
    } else {
        if let Error::Fault(fault) = &error {
            tracing::error!(error.chain = %fault.chain(), "a form could not be carried out");
        }
        Ok(told)
    }
}

/// Nothing went wrong yet.
fn quiet() -> Told {
    Told {
        status: StatusCode::OK,
        code: "",
        field: None,
        wait_seconds: 0,
        tries_left: None,
    }
}

/// What went wrong, if anything did.
fn errors(t: Texts, told: &Told, screen: &str) -> Errors {
    if told.code.is_empty() {
        Errors::none()
    } else {
        told.errors(t, screen)
    }
}
