//! Signing in, renewing the access token, signing out.

use axum::http::HeaderMap;
use axum::response::Response;
use zeroize::Zeroizing;

use super::body::{self, Fields};
use super::caller::{Known, Origin};
use super::said::described::nos;
use super::said::{Fault, No};
use super::wire::{LoginBody, Message, Refreshed, SessionAnswer, refresh_of};
use super::{cookie, tokens};
use crate::domain::{BearerSession, BearerSignIn};

const ACCOUNT: Fault = body::text("account_slug", "account_slug must be a text.");
const EMAIL: Fault = body::text("email", "email must be a text.");
const PASSWORD: Fault = body::text("password", "password must be a text.");

nos!(LoginNos:
    No::Invalid(vec![ACCOUNT, EMAIL, PASSWORD]),
    No::Credentials,
    No::TooLarge,
    No::MediaType,
    No::RateLimited { wait: Some(180) },
    No::Busy { wait: 1 },
);

/// Sign in
///
/// With `requires_mfa_challenge`, prove a factor within ten minutes; a trusted device's cookie
/// stands for it. The refresh token comes as a cookie and is in no body.
#[utoipa::path(
    post,
    path = "/v1/identity/auth/login",
    operation_id = "canopy_login",
    tag = super::TAG,
    request_body = LoginBody,
    responses(
        (status = 200, description = "A session, or a challenge.", body = SessionAnswer, example = json!({
            "requires_application_selection": false,
            "requires_mfa_challenge": true,
            "expires_in": 0,
            "identity": { "id": "5b0e3f0a-6d0c-8f1e-9a55-0d2c6f7b8a91", "email": "carol@example.com", "first_name": "Carol", "last_name": "" },
            "mfa_challenge": {
                "challenge_token": "9fJq0T5vYbC1dE2fG3hI4jK5lM6nO7pQ8rS9tU0vWxY",
                "available_factors": ["totp", "recovery_code"],
                "expires_at": "2026-11-21T09:40:00.000Z",
            },
        })),
        LoginNos,
    ),
    security(()),
)]
pub(super) async fn login(
    origin: Origin,
    headers: HeaderMap,
    mut fields: Fields,
) -> Result<Response, No> {
    let account = fields.text(ACCOUNT, |text| text.len() <= 256);
    let email = fields.text(EMAIL, |text| text.len() <= 256);
    let password: Zeroizing<String> = fields.text(PASSWORD, |text| text.len() <= 1024);
    fields.done()?;
    let mfa = origin.mfa();
    let of = |error| origin.no(error);
    // Another tenant's people are nobody here, at the same cost.
    let login = (*account == origin.settings().account).then_some(email.as_str());
    let device = cookie::sent(&origin, &headers, cookie::DEVICE);
    let signed_in = mfa
        .sign_in_bearer(login, &password, device.as_ref(), origin.ip)
        .await
        .map_err(of)?;
    match signed_in {
        BearerSignIn::In(opened, grace) => {
            let ready = tokens::ready(&origin, &opened.caller.account).await?;
            let access = tokens::person(&origin, &ready, &opened)?;
            let answer = SessionAnswer::signed_in(&ready.card, access, tokens::LIFE);
            let response = origin.say(answer.with_grace(grace));
            with_cookies(&origin, response, &opened)
        }
        BearerSignIn::FactorNeeded {
            caller,
            challenge,
            expires_at,
        } => {
            let card = mfa.account(&caller.account).await.map_err(of)?;
            let mut factors = vec!["totp"];
            // Whatever is left, so that it tells nothing.
            if mfa.recovery_codes().await.map_err(of)? {
                factors.push("recovery_code");
            }
            let answer = SessionAnswer::challenge(&card, &challenge, expires_at, factors);
            Ok(origin.say(answer))
        }
    }
}

/// The answer with the cookies of the session that was opened.
pub(super) fn with_cookies(
    origin: &Origin,
    mut response: Response,
    opened: &BearerSession,
) -> Result<Response, No> {
    cookie::set(origin, &mut response, cookie::REFRESH, refresh_of(opened))?;
    if let Some(device) = &opened.device {
        let trusted = (&device.token, device.expires_at);
        cookie::set(origin, &mut response, cookie::DEVICE, trusted)?;
    }
    Ok(response)
}

nos!(RefreshNos: No::InvalidToken);

/// Renew the access token
///
/// By the refresh cookie, which is followed by the next. Used again after a minute, it ends the
/// session.
#[utoipa::path(
    post,
    path = "/v1/identity/auth/refresh",
    operation_id = "canopy_refresh",
    tag = super::TAG,
    responses(
        (status = 200, description = "The next one.", body = Refreshed, example = json!({
            "access_token": "eyJ0eXAiOiJhdCtqd3QifQ.e30.c2ln",
            "token_type": "Bearer",
            "expires_in": 900,
        })),
        RefreshNos,
    ),
    security(()),
)]
pub(super) async fn refresh(origin: Origin, headers: HeaderMap) -> Result<Response, No> {
    let token = cookie::sent(&origin, &headers, cookie::REFRESH).ok_or(No::InvalidToken)?;
    let opened = origin.mfa().renew_bearer(&token, origin.ip).await;
    let opened = opened.map_err(|error| origin.no(error))?;
    let ready = tokens::ready(&origin, &opened.caller.account).await?;
    let access = tokens::person(&origin, &ready, &opened)?;
    let response = origin.say(Refreshed::new(access, tokens::LIFE));
    with_cookies(&origin, response, &opened)
}

nos!(LogoutNos: No::InvalidToken, No::WrongPrincipal);

/// Sign out
#[utoipa::path(
    post,
    path = "/v1/identity/auth/logout",
    operation_id = "canopy_logout",
    tag = super::TAG,
    responses(
        (status = 200, description = "The session is over.", body = Message, example = json!({ "message": "Signed out." })),
        LogoutNos,
    ),
    security(("identity" = [])),
)]
pub(super) async fn logout(known: Known) -> Result<Response, No> {
    let Known { origin, caller } = known;
    let ended = origin.mfa().sign_out(&caller).await;
    ended.map_err(|error| origin.no(error))?;
    let mut response = origin.say(Message {
        message: "Signed out.",
    });
    cookie::unset(&origin, &mut response, cookie::REFRESH)?;
    Ok(response)
}
