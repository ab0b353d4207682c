//! The access tokens of this dialect: a person's and an administrator's, for audiences of their own.

use std::sync::Arc;

use super::caller::Origin;
use super::said::No;
use crate::domain::{AccountCard, Authority, BearerSession, Caller, ClientCard, Scope, Standing};
use crate::model::AccountId;
use crate::token::{AccessClaims, Audience, Keys, MACHINE, sid};

/// Seconds that an access token is good for.
pub(super) const LIFE: i64 = 900;

/// For whom a person's token is.
pub(super) fn identities(origin: &Origin) -> String {
    format!("{}v1/identity", origin.web.tokens.issuer())
}

/// For whom an administrator's is.
pub(super) fn portal(origin: &Origin) -> String {
    format!("{}portal/v1", origin.web.tokens.issuer())
}

/// Everything that a token needs and that can fail: fetched and drawn before anything is spent for
/// it.
pub(super) struct Ready {
    keys: Arc<Keys>,
    number: String,
    environment: String,
    /// Whose token it will be.
    pub(super) card: AccountCard,
}

/// Makes ready for a token of this account.
pub(super) async fn ready(origin: &Origin, account: &AccountId) -> Result<Ready, No> {
    let card = origin.mfa().account(account).await;
    let environment = origin.mfa().environment().await;
    Ok(Ready {
        environment: environment.map_err(|error| origin.no(error))?.slug,
        keys: keys(origin).await?,
        number: number(origin)?,
        card: card.map_err(|error| origin.no(error))?,
    })
}

/// A person's token. Only a signature can still fail.
pub(super) fn person(origin: &Origin, ready: &Ready, opened: &BearerSession) -> Result<String, No> {
    let settings = origin.settings();
    let now = origin.mfa().now().0.div_euclid(1_000);
    let claims = AccessClaims {
        sub: opened.caller.account.uuid().to_string(),
        aud: Audience::One(identities(origin)),
        azp: settings.application.clone(),
        client_id: settings.application.clone(),
        auth_time: Some(auth_time(&opened.caller)),
        acr: Some(acr(&opened.caller).to_owned()),
        amr: Some(amr(&opened.caller)),
        sid: Some(sid(&opened.session)),
        principal: Some("identity".to_owned()),
        account: Some(settings.account.clone()),
        application: Some(settings.application.clone()),
        environment: Some(ready.environment.clone()),
        ..claims(origin, now, ready.number.clone())
    };
    let signed = ready.keys.sign_access(&claims);
    signed.ok_or_else(|| origin.broken("a signature"))
}

/// An administrator's token, with the scopes that its program has.
pub(super) async fn admin(origin: &Origin, client: &ClientCard) -> Result<String, No> {
    let scopes: Vec<_> = [Scope::ReadFactors, Scope::UpdateFactors]
        .into_iter()
        .filter(|scope| client.scopes.contains(scope))
        .map(Scope::name)
        .collect();
    let now = origin.mfa().now().0.div_euclid(1_000);
    let claims = AccessClaims {
        sub: format!("{}@clients", client.id),
        aud: Audience::One(portal(origin)),
        azp: client.id.clone(),
        client_id: client.id.clone(),
        scope: scopes.join(" "),
        gty: Some(MACHINE.to_owned()),
        principal: Some("admin".to_owned()),
        account: Some(origin.settings().account.clone()),
        ..claims(origin, now, number(origin)?)
    };
    let signed = keys(origin).await?.sign_access(&claims);
    signed.ok_or_else(|| origin.broken("a signature"))
}

fn claims(origin: &Origin, now: i64, jti: String) -> AccessClaims {
    AccessClaims {
        iss: origin.web.tokens.issuer().to_owned(),
        sub: String::new(),
        aud: Audience::Many(Vec::new()),
        azp: String::new(),
        client_id: String::new(),
        iat: now,
        exp: now + LIFE,
        jti,
        scope: String::new(),
        gty: None,
        auth_time: None,
        acr: None,
        amr: None,
        sid: None,
        principal: None,
        account: None,
        application: None,
        environment: None,
    }
}

async fn keys(origin: &Origin) -> Result<Arc<Keys>, No> {
    let keys = origin.web.tokens.keys(origin.mfa()).await;
    keys.map_err(|error| origin.no(error))
}

/// A token's number.
fn number(origin: &Origin) -> Result<String, No> {
    let token = origin.mfa().draw_token();
    let token = token.map_err(|error| origin.no(error))?;
    Ok(token.reveal().chars().take(22).collect())
}

fn auth_time(caller: &Caller) -> i64 {
    match caller.authority {
        Authority::Bearer { auth_time, .. } => auth_time.0.div_euclid(1_000),
        _ => 0,
    }
}

/// How well the person is known.
fn acr(caller: &Caller) -> &'static str {
    match caller.authority {
        Authority::Bearer {
            standing: Standing::EnrollOnly,
            ..
        } => "enrollment",
        Authority::Bearer {
            factor_at: None,
            opened_by: None,
            ..
        } => "password",
        _ => "mfa",
    }
}

/// By what: at the sign-in, and by enrolling since.
fn amr(caller: &Caller) -> Vec<String> {
    let Authority::Bearer {
        factor_at,
        opened_by,
        ..
    } = caller.authority
    else {
        return Vec::new();
    };
    let mut amr = vec!["pwd"];
    if factor_at.is_some() || opened_by.is_some() {
        amr.push("mfa");
    }
    if factor_at.is_some() {
        amr.push("otp");
    }
    if opened_by.is_some() {
        amr.push("recovery_code");
    }
    amr.into_iter().map(str::to_owned).collect()
}
