//! `/v1/self`: in, out, and who it is.

use axum::Json;

use super::body::Fields;
use super::caller::{Known, Origin};
use super::said::No;
use super::said::described::nos;
use super::wire::{LoggedOut, LoginBody, Said, SessionAnswer, User};

/// What is said of an address that is none.
const EMAIL: &str = "email must be a string.";

/// Of a password that is none.
const PASSWORD: &str = "password must be a string.";

nos!(LoginNos:
    No::Invalid(vec![EMAIL, PASSWORD]),
    No::Credentials,
    No::TooLarge,
    No::MediaType,
    No::RateLimited { wait: Some(30) },
    No::Busy { wait: 1 },
);

/// Sign in
///
/// The token goes into `x-arklow-auth`. Where `mfa_required` is true, prove one of the devices
/// first. It ends after a day, after an hour of silence, and by `/v1/self/logout`.
#[utoipa::path(
    post,
    path = "/v1/self/login",
    operation_id = "post_v1_self_login",
    tag = super::TAG,
    request_body = LoginBody,
    responses(
        (status = 200, description = "The session.", body = Said<SessionAnswer>, example = json!({ "data": {
            "session_token": "ses_2hVpQ1Yk4mXo7cJ3nZr8tWb5dLs0gEaUiFhKqPvNyMx",
            "user": { "id": "3", "name": "carol", "email": "carol@example.com" },
            "mfa_required": true,
            "devices": [{ "id": "71", "name": "Phone", "device_type": "totp" }],
            "session_mfa_not_after": null,
            "expires_at": "2026-11-22T09:30:00.000Z",
        }, "errors": null })),
        LoginNos,
    ),
    security(()),
)]
pub(super) async fn login(
    origin: Origin,
    mut fields: Fields,
) -> Result<Json<Said<SessionAnswer>>, No> {
    let email = fields.text("email", |text| text.len() <= 256, EMAIL);
    let password = fields.text("password", |text| text.len() <= 1024, PASSWORD);
    fields.done()?;
    let mfa = origin.mfa();
    let of = |error| origin.no(error);
    let carrying = mfa.sign_in_carrying(&email, &password, origin.ip).await;
    let carrying = carrying.map_err(of)?;
    let devices = mfa.devices(&carrying.caller).await.map_err(of)?;
    let card = mfa.account(&carrying.caller.account).await.map_err(of)?;
    let answer = SessionAnswer::of(&carrying.token, card, devices, carrying.expires_at);
    Ok(Json(Said::new(answer)))
}

nos!(OwnNos: No::invalid(super::caller::DIFFERENT), No::Unauthorized, No::WrongPrincipal);

/// Sign out
///
/// An API key is not ended by this.
#[utoipa::path(
    post,
    path = "/v1/self/logout",
    operation_id = "post_v1_self_logout",
    tag = super::TAG,
    responses(
        (status = 200, description = "The session is over.", body = Said<LoggedOut>, example = json!({ "data": { "logged_out": true }, "errors": null })),
        OwnNos,
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn logout(known: Known) -> Result<Json<Said<LoggedOut>>, No> {
    let Known { origin, caller } = known;
    let ended = origin.mfa().put_down(&caller).await;
    ended.map_err(|error| origin.no(error))?;
    Ok(Json(Said::new(LoggedOut { logged_out: true })))
}

/// Who it is
#[utoipa::path(
    get,
    path = "/v1/self/",
    operation_id = "get_v1_self",
    tag = super::TAG,
    responses(
        (status = 200, description = "The user.", body = Said<User>, example = json!({ "data": {
            "id": "1",
            "name": "alice",
            "email": "alice@example.com",
            "memberships": [{ "org_id": "1", "permissions": ["self", "keys"] }],
            "deleted_at": null,
        }, "errors": null })),
        OwnNos,
    ),
    security(("apiKey" = [])),
)]
pub(super) async fn own(known: Known) -> Result<Json<Said<User>>, No> {
    let Known { origin, caller } = known;
    let card = origin.mfa().account(&caller.account).await;
    let card = card.map_err(|error| origin.no(error))?;
    Ok(Json(Said::new(card.into())))
}
