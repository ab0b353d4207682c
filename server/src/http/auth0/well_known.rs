//! What a client finds out by itself: discovery, keys, who it is.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::audience::has_scope;
use super::bearer::{Known, Origin};
use super::said::described::nos;
use super::said::{No, Oauth};
use super::wire::nickname;
use crate::http::Web;

/// How long a copy of these may be kept; a new key is published an hour before it signs.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

nos!(DiscoveryNos, Oauth:);

/// What there is (OpenID Connect Discovery 1.0)
#[utoipa::path(
    get,
    path = "/.well-known/openid-configuration",
    operation_id = "openid_configuration",
    tag = super::OAUTH_TAG,
    responses((status = 200, description = "Addresses and algorithms.", body = Object), DiscoveryNos),
    security(()),
)]
pub(super) async fn discovery(State(web): State<Web>) -> Response {
    let issuer = web.tokens.issuer();
    let at = |path: &str| format!("{issuer}{path}");
    let document: Value = json!({
        "issuer": issuer,
        "token_endpoint": at("oauth/token"),
        "jwks_uri": at(".well-known/jwks.json"),
        "userinfo_endpoint": at("userinfo"),
        "mfa_challenge_endpoint": at("mfa/challenge"),
        // There is no authorization endpoint: people sign in by the token endpoint's grants.
        "response_types_supported": ["none"],
        "grant_types_supported": [
            "client_credentials",
            "password",
            "refresh_token",
            "http://auth0.com/oauth/grant-type/password-realm",
            "http://auth0.com/oauth/grant-type/mfa-otp",
            "http://auth0.com/oauth/grant-type/mfa-recovery-code",
        ],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": [
            "aud", "auth_time", "acr", "amr", "email", "email_verified", "exp", "iat", "iss",
            "name", "nickname", "sid", "sub",
        ],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic", "client_secret_post", "none",
        ],
    });
    ([(CACHE_CONTROL, KEPT)], Json(document)).into_response()
}

nos!(KeysNos, Oauth:);

/// The keys that tokens are signed with (RFC 7517)
///
/// A new key is here an hour before it signs; an old one until the last token it signed has run
/// out.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    operation_id = "jwks",
    tag = super::OAUTH_TAG,
    responses((status = 200, description = "Public keys.", body = Object), KeysNos),
    security(()),
)]
pub(super) async fn jwks(origin: Origin) -> Result<Response, Oauth> {
    let keys = origin.web.tokens.keys(origin.mfa()).await;
    let keys = keys.map_err(|error| origin.no(error))?;
    Ok(([(CACHE_CONTROL, KEPT)], Json(keys.published())).into_response())
}

/// Who a token is of.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "sub": "auth0|alice", "email": "alice@example.com", "email_verified": false }))]
pub(super) struct UserInfo {
    sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<String>,
}

nos!(UserInfoNos, Oauth: No::BadHeader, No::Unauthenticated, No::BadToken, No::Scope("openid"));

/// Who it is (OpenID Connect Core 1.0, 5.3)
#[utoipa::path(
    get,
    path = "/userinfo",
    operation_id = "userinfo",
    tag = super::OAUTH_TAG,
    responses((status = 200, description = "The account.", body = UserInfo), UserInfoNos),
    security(("person" = ["openid"])),
)]
pub(super) async fn user_info(known: Known) -> Result<Json<UserInfo>, Oauth> {
    let Known {
        origin,
        caller,
        scope,
    } = known;
    if !has_scope(&scope, "openid") {
        return Err(No::Scope("openid").into());
    }
    let account = origin.mfa().account(&caller.account).await;
    let account = account.map_err(|error| origin.no(error))?;
    let (email, profile) = (has_scope(&scope, "email"), has_scope(&scope, "profile"));
    let sub = account.id.as_str().to_owned();
    let login = account.login.unwrap_or_else(|| sub.clone());
    Ok(Json(UserInfo {
        sub,
        email: email.then(|| login.clone()),
        email_verified: email.then_some(false),
        nickname: profile.then(|| nickname(&login).to_owned()),
        name: profile.then_some(login),
    }))
}
