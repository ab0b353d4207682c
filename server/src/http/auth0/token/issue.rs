//! Making the tokens of a session.

use std::sync::Arc;

use super::super::audience::{Api, has_scope};
use super::super::bearer::Origin;
use super::super::said::No;
use super::super::wire::{TokenAnswer, assurance, nickname};
use crate::domain::{Asked, Authority, ClientCard, Opened};
use crate::model::AccountId;
use crate::token::{AccessClaims, Audience, IdClaims, Keys, MACHINE, sid};

/// Seconds that an access token is good for: a server's, and one that lies in a browser or on a
/// phone (RFC 6750, 5.3).
const SERVER: i64 = 86_400;
const PUBLIC: i64 = 3_600;

/// Seconds that one for the person's own factors is good for.
const OWN_FACTORS: i64 = 600;

/// Seconds that an ID token is good for.
const ID: i64 = 36_000;

/// The keys of now.
pub(super) async fn keys(origin: &Origin) -> Result<Arc<Keys>, No> {
    let keys = origin.web.tokens.keys(origin.mfa()).await;
    keys.map_err(|error| origin.no(error))
}

/// A program's own token: the scopes it asks for of those it has, or all of them.
pub(super) async fn machine(
    origin: &Origin,
    client: &ClientCard,
    api: &Api,
    asked: Option<&str>,
) -> Result<TokenAnswer, No> {
    let granted: Vec<&str> = client
        .scopes
        .iter()
        .filter(|scope| scope.manages())
        .map(|scope| scope.name())
        .filter(|name| asked.is_none_or(|asked| has_scope(asked, name)))
        .collect();
    let scope = granted.join(" ");
    let keys = keys(origin).await?;
    let now = origin.mfa().now().0.div_euclid(1_000);
    let claims = AccessClaims {
        iss: origin.issuer().to_owned(),
        sub: format!("{}@clients", client.id),
        aud: Audience::One(api.name(origin.issuer())),
        azp: client.id.clone(),
        client_id: client.id.clone(),
        iat: now,
        exp: now + SERVER,
        jti: number(origin)?,
        scope: scope.clone(),
        gty: Some(MACHINE.to_owned()),
        auth_time: None,
        acr: None,
        amr: None,
        sid: None,
        principal: None,
        account: None,
        application: None,
        environment: None,
    };
    let access_token = keys.sign_access(&claims);
    Ok(TokenAnswer {
        access_token: access_token.ok_or_else(|| origin.broken("a signature"))?,
        id_token: None,
        refresh_token: None,
        scope: Some(scope),
        expires_in: SERVER,
        token_type: "Bearer",
        recovery_code: None,
    })
}

/// Everything that a person's tokens need and that can fail: fetched and drawn before anything is
/// spent for them.
pub(super) struct Ready {
    keys: Arc<Keys>,
    number: String,
    /// What the person signs in with.
    login: String,
    /// Whether they go where no secret can be kept.
    public: bool,
}

/// Makes ready for the tokens of this account and client.
pub(super) async fn ready(
    origin: &Origin,
    client: &ClientCard,
    account: &AccountId,
) -> Result<Ready, No> {
    let found = origin.mfa().account(account).await;
    let found = found.map_err(|error| origin.no(error))?;
    Ok(Ready {
        keys: keys(origin).await?,
        number: number(origin)?,
        login: found.login.unwrap_or_else(|| found.id.as_str().to_owned()),
        public: client.public,
    })
}

/// A person's tokens, for the client of the session. Only a signature can still fail.
pub(super) fn person(
    origin: &Origin,
    ready: Ready,
    opened: &Opened,
    asked: &Asked,
) -> Result<TokenAnswer, No> {
    let Asked {
        client,
        audience,
        scope,
    } = asked;
    let Ready {
        keys,
        number,
        login,
        public,
    } = ready;
    let api = Api::named(origin.issuer(), audience.as_deref());
    let openid = has_scope(scope, "openid");
    let expires_in = match api {
        Api::Mfa | Api::MyAccount => OWN_FACTORS,
        _ if public => PUBLIC,
        _ => SERVER,
    };
    let now = origin.mfa().now().0.div_euclid(1_000);
    let (acr, amr) = assurance(&opened.caller);
    let name = api.name(origin.issuer());
    let identity = Api::Identity.name(origin.issuer());
    let claims = AccessClaims {
        iss: origin.issuer().to_owned(),
        sub: opened.caller.account.as_str().to_owned(),
        aud: match openid && api != Api::Identity {
            true => Audience::Many(vec![name, identity]),
            false => Audience::One(name),
        },
        azp: client.clone(),
        client_id: client.clone(),
        iat: now,
        exp: now + expires_in,
        jti: number,
        scope: scope.clone(),
        gty: None,
        auth_time: Some(auth_time(opened)),
        acr,
        amr: Some(amr),
        sid: Some(sid(&opened.session)),
        principal: None,
        account: None,
        application: None,
        environment: None,
    };
    let id_token = match openid {
        true => {
            let signed = keys.sign_id(&id_claims(origin, login, opened, asked, now));
            Some(signed.ok_or_else(|| origin.broken("a signature"))?)
        }
        false => None,
    };
    let access_token = keys.sign_access(&claims);
    Ok(TokenAnswer {
        access_token: access_token.ok_or_else(|| origin.broken("a signature"))?,
        id_token,
        refresh_token: opened
            .refresh
            .as_ref()
            .map(|token| token.reveal().to_owned()),
        scope: Some(scope.clone()),
        expires_in,
        token_type: "Bearer",
        recovery_code: None,
    })
}

fn id_claims(origin: &Origin, login: String, opened: &Opened, asked: &Asked, now: i64) -> IdClaims {
    let (acr, amr) = assurance(&opened.caller);
    let email = has_scope(&asked.scope, "email");
    let profile = has_scope(&asked.scope, "profile");
    IdClaims {
        iss: origin.issuer().to_owned(),
        sub: opened.caller.account.as_str().to_owned(),
        aud: asked.client.clone(),
        iat: now,
        exp: now + ID,
        auth_time: auth_time(opened),
        acr,
        amr,
        sid: sid(&opened.session),
        email: email.then(|| login.clone()),
        email_verified: email.then_some(false),
        nickname: profile.then(|| nickname(&login).to_owned()),
        name: profile.then_some(login),
    }
}

fn auth_time(opened: &Opened) -> i64 {
    match opened.caller.authority {
        Authority::Session { auth_time, .. } => auth_time.0.div_euclid(1_000),
        _ => 0,
    }
}

/// A token's number.
fn number(origin: &Origin) -> Result<String, No> {
    let token = origin
        .mfa()
        .draw_token()
        .map_err(|error| origin.no(error))?;
    Ok(token.reveal().chars().take(22).collect())
}
