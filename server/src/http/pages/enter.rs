//! The door for people whose account lives at a trusted identity provider: its pages post the
//! person's access token here, and the person goes on with the second factor.
//!
//! A post and never an address, so that no token is in a log or in a history. Whose pages may post
//! is a list: otherwise anybody could sign a visitor in as somebody else.

use axum::Form;
use axum::extract::{FromRequest, Request, State};
use axum::http::HeaderMap;
use axum::http::header::ORIGIN;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Answer;
use super::error::PageError;
use super::sign_in::path_of;
use super::visitor::Visitor;
use crate::domain::{Error, Guest, NextStep};
use crate::http::Web;
use crate::token::{Unvouched, Vouched};

/// What a token must be good for.
const SCOPE: &str = "create:me:authentication_methods";

/// How long a provider that does not answer is left alone.
const LATER: std::time::Duration = std::time::Duration::from_secs(30);

/// What the provider's page posts.
#[derive(Deserialize)]
struct Entering {
    access_token: String,
}

pub(super) async fn enter(State(web): State<Web>, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let visitor = Visitor::behind(&parts, &web)?;
    if !may_post(&web, &parts.headers).await {
        return Err(PageError::forbidden(&visitor));
    }
    let request = Request::from_parts(parts, body);
    let Form(Entering { access_token }) = Form::from_request(request, &web)
        .await
        .map_err(|rejection| PageError::malformed(&visitor, rejection.status()))?;
    let token = Zeroizing::new(access_token);
    let mfa = &web.mfa;
    let vouched = web
        .trusted
        .read(&token, &web.own_audiences(), mfa.now())
        .await;
    let vouched = match vouched {
        Ok(vouched) if vouched.scope.split(' ').any(|scope| scope == SCOPE) => vouched,
        Ok(_) | Err(Unvouched::Token(_)) => return Err(PageError::forbidden(&visitor)),
        Err(Unvouched::Unreachable) => {
            let retry_after = LATER;
            return Err(PageError::of(&visitor, Error::Busy { retry_after }));
        }
    };
    let of = |error| PageError::of(&visitor, error);
    let signed_in = mfa.enter(&guest(vouched), visitor.ip()).await;
    let signed_in = signed_in.map_err(of)?;
    let step = mfa.next_step(&signed_in.caller).await.map_err(of)?;
    if step == NextStep::Enroll {
        mfa.begin_enrollment(&signed_in.caller).await.map_err(of)?;
    }
    visitor.go_on_by_challenge(path_of(step), &signed_in.challenge)
}

fn guest(vouched: Vouched) -> Guest {
    let Vouched {
        issuer,
        subject,
        auth_time,
        multi_factor,
        ..
    } = vouched;
    Guest {
        issuer,
        subject,
        auth_time,
        multi_factor,
    }
}

/// A browser says whose page posts. What says nothing is no browser, and has nobody to mislead.
async fn may_post(web: &Web, headers: &HeaderMap) -> bool {
    let mut sent = headers.get_all(ORIGIN).iter();
    let Some(origin) = sent.next() else {
        return true;
    };
    let (Ok(origin), None) = (origin.to_str(), sent.next()) else {
        return false;
    };
    origin == web.settings.issuer
        || web.trusted.has_origin(origin)
        || web.mfa.is_client_origin(origin).await.unwrap_or(false)
}
