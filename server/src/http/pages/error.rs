//! What a page says when it cannot do what was asked.
//!
//! Every refusal has a status and a code; a screen that has a text for the code shows it where the
//! person is, everything else is a page of its own with one way on. A fault is logged here, once.

use askama::Template;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::{IntoResponse, Redirect};

use super::view::{Errors, LinkView, Message, Problem};
use super::visitor::{DOOR, Visitor};
use crate::domain::{Error, Refusal, wait_until};
use crate::model::Timestamp;
use crate::texts::Texts;

/// A refusal in the pages' words.
#[derive(Clone, Copy)]
pub(super) struct Told {
    pub(super) status: StatusCode,
    /// The error code: Auth0's where it has one.
    pub(super) code: &'static str,
    /// The field it belongs to.
    pub(super) field: Option<&'static str>,
    /// How long to wait.
    pub(super) wait_seconds: u32,
    /// Attempts left, where that is known.
    pub(super) tries_left: Option<u32>,
}

impl Told {
    fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            code,
            field: None,
            wait_seconds: 0,
            tries_left: None,
        }
    }

    fn at(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    fn waiting(mut self, until: Option<Timestamp>, now: Timestamp) -> Self {
        let seconds = until.map_or(0, |until| wait_until(until, now));
        self.wait_seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        self
    }

    /// The messages as this screen shows them.
    pub(super) fn errors(&self, t: Texts, screen: &str) -> Errors {
        let problem = Problem {
            code: self.code,
            text: t.get(&format!("{screen}.{}", self.code)),
        };
        match self.field {
            Some(field) => Errors::on_field(field, problem),
            None => Errors::on_page(problem),
        }
    }

    /// Whether this screen has words for it.
    pub(super) fn fits(&self, screen: &str) -> bool {
        Texts::english().has(&format!("{screen}.{}", self.code))
    }

    /// Adds `Retry-After` where there is a wait.
    pub(super) fn dress(&self, response: &mut Response<Body>) {
        if self.wait_seconds > 0 {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(self.wait_seconds));
        }
    }
}

/// Every refusal, without a wildcard: a new one does not compile until the pages have words for it.
pub(super) fn told(refusal: Refusal, now: Timestamp) -> Told {
    let told = Told::new;
    match refusal {
        Refusal::WrongCredentials => told(StatusCode::UNAUTHORIZED, "wrong-credentials"),
        Refusal::MalformedOtp => {
            told(StatusCode::UNPROCESSABLE_ENTITY, "invalid-code-format").at("code")
        }
        Refusal::OtpNotAccepted { tries_left } => {
            let mut told = told(StatusCode::FORBIDDEN, "invalid-code").at("code");
            told.tries_left = Some(tries_left);
            told
        }
        Refusal::CodeNotAccepted {
            tries_left,
            retry_at,
        } => {
            let mut told = told(StatusCode::FORBIDDEN, "invalid-code")
                .at("code")
                .waiting(retry_at, now);
            told.tries_left = Some(tries_left);
            told
        }
        Refusal::PasswordThrottled { retry_at } => {
            told(StatusCode::TOO_MANY_REQUESTS, "too-many-failures").waiting(retry_at, now)
        }
        Refusal::OtpThrottled { retry_at } | Refusal::Throttled { retry_at } => {
            told(StatusCode::TOO_MANY_REQUESTS, "too-many-failures")
                .at("code")
                .waiting(retry_at, now)
        }
        Refusal::NotConfirmed => {
            told(StatusCode::UNPROCESSABLE_ENTITY, "no-confirmation").at("saved")
        }
        Refusal::StaleGeneration { .. } => told(StatusCode::CONFLICT, "superseded"),
        Refusal::NoPendingBatch => told(StatusCode::GONE, "transaction-not-found"),
        Refusal::NoPendingAuthenticator
        | Refusal::UnknownAuthenticator
        | Refusal::ChallengeGone
        | Refusal::ChallengeExpired
        | Refusal::ChallengeOfAnother
        | Refusal::RefreshGone
        | Refusal::SessionGone
        | Refusal::OutOfOrder
        | Refusal::AlreadyEnrolled
        | Refusal::NoAuthenticator
        | Refusal::UnknownAccount => told(StatusCode::CONFLICT, "transaction-not-found"),
        Refusal::FreshProofRequired => told(StatusCode::FORBIDDEN, "fresh-proof-required"),
        Refusal::RecoveryCodesOff => told(StatusCode::FORBIDDEN, "switched-off"),
        Refusal::IdempotencyConflict
        | Refusal::IdempotencySpent
        | Refusal::EnrollmentExpired
        | Refusal::FactorNotAllowed
        | Refusal::UnknownApiKey
        | Refusal::AccountTaken
        | Refusal::LoginTaken
        | Refusal::UnfitPassword
        | Refusal::ClientTaken
        | Refusal::UnknownClient
        | Refusal::SwitchFixed => told(StatusCode::CONFLICT, "forbidden"),
    }
}

/// An answer that is a page of its own.
pub(super) struct PageError {
    t: Texts,
    product: String,
    /// The query of the address.
    here: String,
    posted: bool,
    now: Timestamp,
    why: Why,
}

enum Why {
    /// The domain said no, is busy, or broke.
    Domain(Error),
    /// The form did not come from our page, or not from this browser, or is none.
    Forbidden(StatusCode),
    /// The form came from our page and from an earlier state of it: another tab went on.
    OutOfDate,
    /// A screen of a transaction that this visitor is not in; whether they seem to be signed in.
    NoTransaction { seems_in: bool },
    /// There is no such page, or not for this visitor.
    NotFound,
}

impl PageError {
    /// The domain said no, is busy, or broke.
    pub(super) fn of(visitor: &Visitor, error: Error) -> Self {
        Self::because(visitor, Why::Domain(error))
    }

    /// The form did not come from our page, or not from this browser.
    pub(super) fn forbidden(visitor: &Visitor) -> Self {
        Self::because(visitor, Why::Forbidden(StatusCode::FORBIDDEN))
    }

    /// The browser says that the form is ours, and its proof is of an earlier state.
    pub(super) fn out_of_date(visitor: &Visitor) -> Self {
        Self::because(visitor, Why::OutOfDate)
    }

    /// The page is of a transaction that this visitor is not in, or no longer.
    pub(super) fn transaction_not_found(visitor: &Visitor) -> Self {
        let seems_in = visitor.seems_in();
        Self::because(visitor, Why::NoTransaction { seems_in })
    }

    /// There is no such page, or not for this visitor.
    pub(super) fn not_found(visitor: &Visitor) -> Self {
        Self::because(visitor, Why::NotFound)
    }

    /// The request is no form.
    pub(super) fn malformed(visitor: &Visitor, status: StatusCode) -> Self {
        Self::because(visitor, Why::Forbidden(status))
    }

    fn because(visitor: &Visitor, why: Why) -> Self {
        let mfa = &visitor.web.mfa;
        Self {
            t: visitor.texts(),
            product: mfa.policy().product.clone(),
            here: visitor.query().to_owned(),
            posted: visitor.has_posted(),
            now: mfa.now(),
            why,
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response<Body> {
        let Self {
            t,
            product,
            here,
            posted,
            now,
            why,
        } = self;
        let frame = Around {
            t,
            product: &product,
            here: &here,
        };
        match why {
            Why::Forbidden(status) => Page::new("forbidden", "/account").answer(status, &frame, ""),
            Why::OutOfDate => {
                Page::new("out-of-date", "/account").answer(StatusCode::FORBIDDEN, &frame, "")
            }
            Why::NoTransaction { seems_in } => {
                let mut page = Page::new("transaction-not-found", DOOR);
                if seems_in {
                    page.href = "/account";
                    page.action = "message.out-of-date.actionText";
                }
                page.answer(StatusCode::CONFLICT, &frame, "")
            }
            Why::NotFound => Page::new("not-found", "/").answer(StatusCode::NOT_FOUND, &frame, ""),
            // Whoever has sent something is told that it was not carried out.
            Why::Domain(Error::Refused(Refusal::SessionGone)) if posted => {
                Page::new("session-gone", DOOR).answer(StatusCode::UNAUTHORIZED, &frame, "")
            }
            Why::Domain(Error::Refused(Refusal::SessionGone)) => Redirect::to(DOOR).into_response(),
            Why::Domain(Error::Refused(refusal)) => {
                let told = told(refusal, now);
                let page = match told.code {
                    "switched-off" => Page::new("switched-off", "/account"),
                    "forbidden" | "fresh-proof-required" => Page::new("forbidden", "/account"),
                    _ => Page::new("transaction-not-found", DOOR),
                };
                page.answer(told.status, &frame, "")
            }
            Why::Domain(Error::Busy { retry_after }) => {
                let page = Page::new("busy", DOOR);
                let mut response = page.answer(StatusCode::SERVICE_UNAVAILABLE, &frame, "");
                let seconds = HeaderValue::from(retry_after.as_secs().max(1));
                response.headers_mut().insert(RETRY_AFTER, seconds);
                response
            }
            Why::Domain(Error::Fault(fault)) => {
                tracing::error!(error.chain = %fault.chain(), "a page could not be answered");
                let page = Page::new("error", "/account");
                page.answer(StatusCode::INTERNAL_SERVER_ERROR, &frame, "")
            }
        }
    }
}

/// What stands around a message.
struct Around<'a> {
    t: Texts,
    product: &'a str,
    here: &'a str,
}

/// Which message, and where its way on leads.
struct Page {
    name: &'static str,
    href: &'static str,
    /// The text of the way on; "" for the message's own.
    action: &'static str,
}

impl Page {
    fn new(name: &'static str, href: &'static str) -> Self {
        Self {
            name,
            href,
            action: "",
        }
    }

    fn answer(&self, status: StatusCode, around: &Around<'_>, reference: &str) -> Response<Body> {
        let Around { t, product, here } = *around;
        let text = |key: &str| t.get(&format!("message.{}.{key}", self.name));
        let message = Message {
            t,
            product: product.to_owned(),
            here: here.to_owned(),
            title: text("title"),
            description: text("description"),
            error: self.name,
            action: Some(LinkView {
                href: self.href,
                text: match self.action {
                    "" => text("actionText"),
                    key => t.get(key),
                },
            }),
            form: None,
            reference: reference.to_owned(),
        };
        page(status, &message)
    }
}

/// A rendered template.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response<Body> {
    match template.render() {
        Ok(html) => {
            let kind = [(CONTENT_TYPE, "text/html; charset=utf-8")];
            (status, kind, html).into_response()
        }
        Err(error) => {
            tracing::error!(error = %error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// An answer that no handler gave, as a page.
pub(in crate::http) fn plain(
    status: StatusCode,
    t: Texts,
    product: &str,
    request_id: &str,
) -> Response<Body> {
    let around = Around {
        t,
        product,
        here: "",
    };
    match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            Page::new("not-found", "/").answer(status, &around, "")
        }
        StatusCode::SERVICE_UNAVAILABLE => Page::new("busy", "/").answer(status, &around, ""),
        _ => Page::new("error", "/").answer(status, &around, request_id),
    }
}
