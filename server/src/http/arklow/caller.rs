//! Who calls: a person by an API key or by a session, in a header.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use zeroize::Zeroizing;

use super::said::No;
use crate::domain::{Caller, Error, Mfa, Refusal};
use crate::http::Web;
use crate::http::request::{ClientIp, RequestId};
use crate::model::Token;
use crate::token::TokenError;

/// Where the credential is.
const HEADER: &str = "x-arklow-auth";

/// Where the public clients put an API key.
const KEY_HEADER: &str = "x-arklow-api-key";

/// What a session's value begins with.
const SESSION: &str = "ses_";

/// Where a request came from, and how a fault in it is named.
pub(super) struct Origin {
    pub(super) web: Web,
    pub(super) ip: Option<IpAddr>,
    request_id: String,
}

impl Origin {
    fn of(parts: &Parts, web: &Web) -> Self {
        let request_id = RequestId::of(&parts.extensions);
        Self {
            web: web.clone(),
            ip: ClientIp::of(&parts.extensions),
            request_id,
        }
    }

    /// The use cases.
    pub(super) fn mfa(&self) -> &Mfa {
        &self.web.mfa
    }

    /// The answer to what went wrong; a fault is logged here.
    pub(super) fn no(&self, error: impl Into<Error>) -> No {
        No::of_error(&error.into(), &self.web.mfa, &self.request_id)
    }

    /// Whose this is.
    async fn caller(&self, credential: &str) -> Result<Caller, No> {
        let token = Token::presented(credential);
        match self.mfa().caller_by_carried(&token, self.ip).await {
            Err(Error::Refused(Refusal::SessionGone)) => {}
            found => return found.map_err(|error| self.no(error)),
        }
        // Good elsewhere is told from good nowhere: the first is a mistake in the caller's program.
        let elsewhere = if credential.contains('.') {
            let read = self.web.tokens.read_access(self.mfa(), credential, HEADER);
            let read = read.await.map_err(|error| self.no(error))?;
            matches!(read, Ok(_) | Err(TokenError::WrongAudience))
        } else {
            let known = self.mfa().is_of_another_kind(&token).await;
            known.map_err(|error| self.no(error))?
        };
        Err(if elsewhere {
            No::WrongPrincipal
        } else {
            No::Unauthorized
        })
    }
}

impl FromRequestParts<Web> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts, web))
    }
}

/// What was sent under a name, if it was sent once, or always the same.
fn sent(headers: &HeaderMap, name: &str) -> Result<Option<Zeroizing<String>>, No> {
    let mut found: Option<Zeroizing<String>> = None;
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| No::Unauthorized)?;
        if found.as_deref().is_some_and(|before| before != value) {
            return Err(No::invalid(DIFFERENT));
        }
        found = Some(Zeroizing::new(value.to_owned()));
    }
    Ok(found.filter(|value| !value.is_empty()))
}

/// What is told of two credentials.
pub(super) const DIFFERENT: &str = "x-arklow-auth and x-arklow-api-key must be the same credential, or \
                                    only one of them sent.";

fn credential(headers: &HeaderMap) -> Result<Zeroizing<String>, No> {
    match (sent(headers, HEADER)?, sent(headers, KEY_HEADER)?) {
        (Some(one), Some(other)) if one != other => Err(No::invalid(DIFFERENT)),
        (Some(credential), _) => Ok(credential),
        // The clients that send this one know of no sessions.
        (None, Some(key)) if !key.starts_with(SESSION) => Ok(key),
        (None, _) => Err(No::Unauthorized),
    }
}

/// A person, who may have a factor still to prove.
pub(super) struct Known {
    pub(super) origin: Origin,
    pub(super) caller: Caller,
}

impl FromRequestParts<Web> for Known {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, No> {
        let origin = Origin::of(parts, web);
        let credential = credential(&parts.headers)?;
        let caller = origin.caller(&credential).await?;
        Ok(Self { origin, caller })
    }
}

/// A person who has no factor still to prove.
pub(super) struct User {
    pub(super) origin: Origin,
    pub(super) caller: Caller,
}

impl FromRequestParts<Web> for User {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, No> {
        let Known { origin, caller } = Known::from_request_parts(parts, web).await?;
        let missing = origin.mfa().factor_is_missing(&caller).await;
        if missing.map_err(|error| origin.no(error))? {
            return Err(No::MfaRequired);
        }
        Ok(Self { origin, caller })
    }
}
