//! `/oauth/token`: the grants.
//!
//! Whatever tokens need is fetched and drawn before a code or a one-time password is spent for them,
//! so that none is lost for want of it; after the spending only arithmetic is left.

mod asking;
mod issue;

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, HeaderMap, PRAGMA};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use zeroize::Zeroizing;

use self::asking::Asking;
pub(super) use self::asking::proven;
use super::audience::Api;
use super::bearer::Origin;
use super::body::Params;
use super::said::described::nos;
use super::said::{No, Oauth};
use super::wire::{TokenAnswer, only_code};
use crate::domain::{Asked, Error, Grant, NextStep, Refusal, Renewed, Renewing};
use crate::http::Web;
use crate::http::request::{ClientIp, RequestId};
use crate::metrics::Outcome;
use crate::model::Token;

nos!(TokenNos, Oauth:
    No::Missing("grant_type"),
    No::MfaTokenOfAnother,
    No::Client,
    No::Grant("http://auth0.com/oauth/grant-type/mfa-recovery-code"),
    No::UnknownGrant,
    No::Service,
    No::Scopes,
    No::Credentials,
    No::MfaRequired { token: Token::presented("TeG5V0BkFB2hIjv5Tq0F1mJ8dUuKu0kF2m1uY0eFjXg"), enroll: false },
    No::Code,
    No::Otp,
    No::MfaTokenExpired,
    No::MfaToken,
    No::RefreshToken,
    No::AssociationRequired,
    No::TooLarge,
    No::MediaType,
    No::TooMany { wait: Some(30) },
    No::Busy { wait: 1 },
);

/// Get tokens
///
/// By `client_credentials`, `password`, `http://auth0.com/oauth/grant-type/password-realm`,
/// `http://auth0.com/oauth/grant-type/mfa-otp`,
/// `http://auth0.com/oauth/grant-type/mfa-recovery-code` or `refresh_token`, as a form or as JSON.
/// The client proves itself in the body or by HTTP Basic; one without a secret names itself. A
/// recovery code is spent once; where it was the only one, its successor is in the same answer and
/// live. Wrong, used and unknown codes are one answer.
#[utoipa::path(
    post,
    path = "/oauth/token",
    operation_id = "oauth_token",
    tag = super::OAUTH_TAG,
    request_body(content(
        (asking::TokenBody = "application/json"),
        (asking::TokenBody = "application/x-www-form-urlencoded"),
    )),
    responses((status = 200, description = "Tokens.", body = TokenAnswer), TokenNos),
    security((), ("client" = [])),
)]
pub(super) async fn token(
    State(web): State<Web>,
    Extension(ClientIp(ip)): Extension<ClientIp>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Oauth> {
    let origin = Origin::new(web, ip, request_id);
    let asking = Asking::read(&origin, &headers, &params).await?;
    let granted = match asking.grant {
        Grant::ClientCredentials => machine(&origin, &asking).await,
        Grant::Password | Grant::PasswordRealm => password(&origin, &asking).await,
        Grant::MfaOtp => otp(&origin, &asking).await,
        Grant::MfaRecoveryCode => recovery_code(&origin, &asking).await,
        Grant::RefreshToken => refresh(&origin, &asking).await,
    };
    let mut response = Json(granted?).into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(response)
}

async fn machine(origin: &Origin, asking: &Asking<'_>) -> Result<TokenAnswer, No> {
    if asking.client.public {
        return Err(No::Client);
    }
    let api = Api::named(origin.issuer(), asking.params.get("audience"));
    if !matches!(api, Api::Management | Api::Portal) {
        return Err(No::Service);
    }
    issue::machine(origin, &asking.client, &api, asking.params.get("scope")).await
}

async fn password(origin: &Origin, asking: &Asking<'_>) -> Result<TokenAnswer, No> {
    let login = asking.params.need("username")?;
    let password = Zeroizing::new(asking.params.need("password")?.to_owned());
    if asking.grant == Grant::PasswordRealm {
        asking.params.need("realm")?;
    }
    let api = Api::named(origin.issuer(), asking.params.get("audience"));
    let reach = api.reach(&asking.client).ok_or(No::Service)?;
    let asked = Asked {
        client: asking.client.id.clone(),
        scope: api
            .scopes(asking.params.get("scope"), &asking.client)
            .ok_or(No::Scopes)?,
        audience: asking.params.get("audience").map(str::to_owned),
    };
    issue::keys(origin).await?;
    let signed_in = origin
        .mfa()
        .sign_in_to(asked.clone(), reach, (login, &password), asking.ip)
        .await;
    match signed_in.map_err(|error| origin.no(error))? {
        Renewed::Opened(opened) => {
            let ready = issue::ready(origin, &asking.client, &opened.caller.account).await?;
            issue::person(origin, ready, &opened, &asked)
        }
        Renewed::FactorNeeded { challenge, next } => Err(No::MfaRequired {
            token: challenge,
            enroll: next == NextStep::Enroll,
        }),
    }
}

async fn otp(origin: &Origin, asking: &Asking<'_>) -> Result<TokenAnswer, No> {
    let (caller, asked) = asking.challenge(origin).await?;
    let otp = asking.params.need("otp")?;
    let ready = issue::ready(origin, &asking.client, &caller.account).await?;
    let opened = origin.mfa().pass_with_otp(&caller, otp).await;
    let opened = opened.map_err(|error| origin.no(error))?;
    issue::person(origin, ready, &opened, &asked)
}

async fn recovery_code(origin: &Origin, asking: &Asking<'_>) -> Result<TokenAnswer, No> {
    let (caller, asked) = asking.challenge(origin).await?;
    let typed = asking.params.need("recovery_code")?;
    // What cannot be a code costs nothing, and is told as a wrong one.
    let code = origin.mfa().read_code(&caller, typed).await;
    let code = code.map_err(|error| origin.no(error))?.map_err(|_| {
        origin.mfa().metrics().redemption(Outcome::Malformed);
        No::Code
    })?;
    let ready = issue::ready(origin, &asking.client, &caller.account).await?;
    let redemption = origin.mfa().redeem(&caller, &code).await;
    let redemption = redemption.map_err(|error| origin.no(error))?;
    let opened = redemption.opened.ok_or(No::MfaToken)?;
    let mut answer = issue::person(origin, ready, &opened, &asked)?;
    answer.recovery_code = redemption.replacement.as_ref().and_then(only_code);
    Ok(answer)
}

async fn refresh(origin: &Origin, asking: &Asking<'_>) -> Result<TokenAnswer, No> {
    let token = Token::presented(asking.params.need("refresh_token")?);
    let audience = asking.params.get("audience");
    let api = Api::named(origin.issuer(), audience);
    if api.reach(&asking.client).is_none() {
        return Err(No::Service);
    }
    let scope = match asking.params.get("scope") {
        None if audience.is_none() => None,
        scope => Some(api.scopes(scope, &asking.client).ok_or(No::Scopes)?),
    };
    issue::keys(origin).await?;
    let renewing = Renewing {
        token: &token,
        client: &asking.client.id,
        public: asking.client.public,
        audience: audience.map(str::to_owned),
        scope,
    };
    let reach_of =
        |audience: Option<&str>| Api::named(origin.issuer(), audience).reach(&asking.client);
    let renewed = origin.mfa().renew(renewing, reach_of, asking.ip).await;
    match renewed {
        Ok((Renewed::Opened(opened), asked)) => {
            let ready = issue::ready(origin, &asking.client, &opened.caller.account).await?;
            issue::person(origin, ready, &opened, &asked)
        }
        Ok((Renewed::FactorNeeded { challenge, next }, _)) => Err(No::MfaRequired {
            token: challenge,
            enroll: next == NextStep::Enroll,
        }),
        Err(Error::Refused(Refusal::SessionGone)) => Err(No::RefreshToken),
        Err(error) => Err(origin.no(error)),
    }
}
