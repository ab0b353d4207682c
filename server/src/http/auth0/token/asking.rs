//! Who asks for tokens, and by which grant.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::bearer::Origin;
use super::super::body::Params;
use super::super::said::No;
use crate::domain::{Asked, Authority, Caller, ClientCard, Door, Error, Grant, Refusal};
use crate::http::basic::credentials;
use crate::model::Token;

/// The parameters, for the OpenAPI document: each grant has its own.
#[derive(Deserialize, ToSchema)]
#[schema(example = json!({
    "grant_type": "http://auth0.com/oauth/grant-type/mfa-recovery-code",
    "client_id": "dev-app",
    "client_secret": "dev-app-secret",
    "mfa_token": "TeG5V0BkFB2hIjv5Tq0F1mJ8dUuKu0kF2m1uY0eFjXg",
    "recovery_code": "KZ3MQ7TBWJ5RHXYNABCDEFGW",
}))]
#[expect(dead_code, reason = "describes what Params reads")]
pub(in crate::http::auth0) struct TokenBody {
    grant_type: String,
    client_id: Option<String>,
    client_secret: Option<String>,
    /// Of the password grants: what the person signs in with.
    username: Option<String>,
    password: Option<String>,
    /// Of password-realm: where the account lives. There is one place.
    realm: Option<String>,
    /// The API that the tokens are for.
    audience: Option<String>,
    /// What the tokens are to be good for, by spaces.
    scope: Option<String>,
    /// Of the MFA grants: what `mfa_required` came with.
    mfa_token: Option<String>,
    otp: Option<String>,
    recovery_code: Option<String>,
    refresh_token: Option<String>,
}

/// A request of a client that has proven itself and may use this grant.
pub(super) struct Asking<'a> {
    pub(super) client: ClientCard,
    pub(super) grant: Grant,
    pub(super) params: &'a Params,
    pub(super) ip: Option<IpAddr>,
}

impl<'a> Asking<'a> {
    pub(super) async fn read(
        origin: &Origin,
        headers: &HeaderMap,
        params: &'a Params,
    ) -> Result<Self, No> {
        let name = params.need("grant_type")?;
        let grant = grant(name).ok_or(No::UnknownGrant)?;
        let client = client(origin, headers, params).await?;
        if !client.grants.contains(&grant) {
            return Err(No::Grant(uri(grant)));
        }
        let ip = forwarded(headers, &client).or(origin.ip);
        Ok(Self {
            client,
            grant,
            params,
            ip,
        })
    }

    /// The person who is on the way in to this client.
    pub(super) async fn challenge(&self, origin: &Origin) -> Result<(Caller, Asked), No> {
        let token = Token::presented(self.params.need("mfa_token")?);
        let caller = origin
            .mfa()
            .caller_by_client_challenge(&token, Some(&self.client.id), self.ip)
            .await
            .map_err(|error| origin.no(error))?;
        let Authority::Challenge {
            door: Door::Program(asked),
            ..
        } = &caller.authority
        else {
            return Err(No::MfaToken);
        };
        let asked = asked.clone();
        Ok((caller, asked))
    }
}

/// The grants by the names that clients send.
const GRANTS: [(Grant, &str); 6] = [
    (Grant::ClientCredentials, "client_credentials"),
    (Grant::Password, "password"),
    (
        Grant::PasswordRealm,
        "http://auth0.com/oauth/grant-type/password-realm",
    ),
    (Grant::MfaOtp, "http://auth0.com/oauth/grant-type/mfa-otp"),
    (
        Grant::MfaRecoveryCode,
        "http://auth0.com/oauth/grant-type/mfa-recovery-code",
    ),
    (Grant::RefreshToken, "refresh_token"),
];

fn grant(name: &str) -> Option<Grant> {
    GRANTS
        .into_iter()
        .find(|(_, known)| *known == name)
        .map(|(grant, _)| grant)
}

fn uri(grant: Grant) -> &'static str {
    GRANTS
        .into_iter()
        .find(|(known, _)| *known == grant)
        .map_or("", |(_, uri)| uri)
}

/// The client, proven by one means and no more (RFC 6749, 2.3).
pub(in crate::http::auth0) async fn client(
    origin: &Origin,
    headers: &HeaderMap,
    params: &Params,
) -> Result<ClientCard, No> {
    if params.get("client_assertion").is_some() {
        return Err(No::Invalid("client_assertion is not offered here."));
    }
    let secret = params.get("client_secret").map(Token::presented);
    let (id, secret) = match basic(headers)? {
        Some((id, sent)) => {
            let same = params.get("client_id").is_none_or(|named| named == id);
            if secret.is_some() || !same {
                return Err(No::Invalid("The client proves itself twice."));
            }
            (id, Some(sent))
        }
        None => (params.need("client_id")?.to_owned(), secret),
    };
    proven(origin, &id, secret.as_ref()).await
}

/// The client with this secret, or the one that has none.
pub(in crate::http::auth0) async fn proven(
    origin: &Origin,
    id: &str,
    secret: Option<&Token>,
) -> Result<ClientCard, No> {
    let found = match secret {
        Some(secret) => origin.mfa().authenticate_client(id, secret).await,
        None => origin.mfa().public_client(id).await,
    };
    match found {
        Ok(client) => Ok(client),
        Err(Error::Refused(Refusal::UnknownClient)) => Err(No::Client),
        Err(error) => Err(origin.no(error)),
    }
}

/// HTTP Basic (RFC 6749, 2.3.1). Identifiers and secrets of ours need no encoding.
fn basic(headers: &HeaderMap) -> Result<Option<(String, Token)>, No> {
    if !headers.contains_key(AUTHORIZATION) {
        return Ok(None);
    }
    credentials(headers).map(Some).ok_or(No::Client)
}

/// A client that can keep a secret says where its person is; others would only lie.
fn forwarded(headers: &HeaderMap, client: &ClientCard) -> Option<IpAddr> {
    if client.public {
        return None;
    }
    headers
        .get("auth0-forwarded-for")?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}
