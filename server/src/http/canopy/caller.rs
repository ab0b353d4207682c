//! Who calls: a person by the access token of a session, or an administrator's program by one of
//! its own. Neither passes for the other.

use std::marker::PhantomData;
use std::net::IpAddr;

use axum::Json;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Response};
use axum::response::IntoResponse;
use serde::Serialize;
use zeroize::Zeroizing;

use super::said::No;
use super::tokens;
use super::{CanopySettings, Envelope};
use crate::domain::{Authority, Caller, Error, Mfa, Refusal, Scope, Standing};
use crate::http::Web;
use crate::http::request::{ClientIp, RequestId};
use crate::model::{AccountId, Token};
use crate::token::{AccessClaims, TokenError};

/// Where the proof for one change is.
pub(super) const STEP_UP: &str = "x-mfa-step-up-token";

/// Where API keys are, which are no principal here.
const API_KEY: &str = "x-api-key";

/// Where a request came from, and how a fault in it is named.
pub(super) struct Origin {
    pub(super) web: Web,
    pub(super) ip: Option<IpAddr>,
    /// What the program says of itself.
    pub(super) agent: String,
    request_id: String,
}

impl Origin {
    fn of(parts: &Parts, web: &Web) -> Self {
        let agent = parts.headers.get(USER_AGENT);
        Self {
            web: web.clone(),
            ip: ClientIp::of(&parts.extensions),
            agent: agent
                .and_then(|value| value.to_str().ok())
                .unwrap_or("unknown")
                .to_owned(),
            request_id: RequestId::of(&parts.extensions),
        }
    }

    /// The use cases.
    pub(super) fn mfa(&self) -> &Mfa {
        &self.web.mfa
    }

    /// How this dialect is spoken.
    pub(super) fn settings(&self) -> &CanopySettings {
        &self.web.settings.canopy
    }

    /// The answer to what went wrong; a fault is logged here.
    pub(super) fn no(&self, error: impl Into<Error>) -> No {
        No::of_error(&error.into(), &self.web.mfa, &self.request_id)
    }

    /// What a library that should not fail leaves us with.
    pub(super) fn broken(&self, what: &'static str) -> No {
        self.no(crate::domain::Fault::Corrupt(what))
    }

    /// A single object, in the envelope that was chosen.
    pub(super) fn say(&self, object: impl Serialize) -> Response<Body> {
        #[derive(Serialize)]
        struct Wrapped<T> {
            data: T,
        }
        match self.settings().envelope {
            Envelope::Bare => Json(object).into_response(),
            Envelope::Data => Json(Wrapped { data: object }).into_response(),
        }
    }

    /// What an access token for this audience says; `None`: it is no good for it.
    async fn claims(&self, token: &str, audience: &str) -> Result<Option<AccessClaims>, No> {
        let read = self.web.tokens.read_access(self.mfa(), token, audience);
        match read.await.map_err(|error| self.no(error))? {
            Ok(claims) => Ok(Some(claims)),
            Err(TokenError::WrongAudience) => Ok(None),
            Err(_) => Err(No::InvalidToken),
        }
    }

    /// Why a token that is not for this audience is refused: it is good for the other kind of
    /// principal here, or nowhere here.
    async fn of_other_kind(&self, token: &str, audience: &str) -> No {
        match self.claims(token, audience).await {
            Ok(Some(_)) => No::WrongPrincipal,
            Ok(None) => No::InvalidToken,
            Err(no) => no,
        }
    }

    /// The access token of a request. An API key is told that it is of another kind.
    async fn bearer(&self, headers: &HeaderMap) -> Result<Zeroizing<String>, No> {
        if let Some(token) = bearer(headers)? {
            return Ok(token);
        }
        let key = headers.get(API_KEY).and_then(|value| value.to_str().ok());
        let Some(key) = key else {
            return Err(No::InvalidToken);
        };
        let found = self
            .mfa()
            .caller_by_carried(&Token::presented(key), self.ip)
            .await;
        match found {
            Ok(_) => Err(No::WrongPrincipal),
            Err(Error::Refused(_)) => Err(No::InvalidToken),
            Err(error) => Err(self.no(error)),
        }
    }

    /// Who holds this access token.
    async fn identity(&self, token: &str, headers: &HeaderMap) -> Result<Caller, No> {
        let audience = tokens::identities(self);
        let Some(claims) = self.claims(token, &audience).await? else {
            return Err(self.of_other_kind(token, &tokens::portal(self)).await);
        };
        let session = claims.session().ok_or(No::InvalidToken)?;
        let step_up = step_up(headers);
        let caller = self
            .mfa()
            .caller_by_bearer(&session, step_up.as_ref(), self.ip)
            .await;
        let caller = caller.map_err(|error| self.no(error))?;
        // The account may have been forgotten and made again meanwhile.
        if caller.account.uuid().to_string() != claims.sub {
            return Err(No::InvalidToken);
        }
        Ok(caller)
    }
}

impl FromRequestParts<Web> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts, web))
    }
}

/// `Bearer TOKEN` (RFC 6750, 2.1), once; `None`: no such header.
fn bearer(headers: &HeaderMap) -> Result<Option<Zeroizing<String>>, No> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = sent.next() else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer") && sent.next().is_none())
        .map(|(_, token)| Some(Zeroizing::new(token.trim().to_owned())))
        .ok_or(No::InvalidToken)
}

/// The proof for one change, if one was sent, once.
fn step_up(headers: &HeaderMap) -> Option<Token> {
    let mut sent = headers.get_all(STEP_UP).iter();
    let (value, None) = (sent.next()?, sent.next()) else {
        return None;
    };
    let value = value.to_str().ok().filter(|value| !value.is_empty())?;
    Some(Token::presented(value))
}

/// A person, who may have to enroll before anything else.
pub(super) struct Known {
    pub(super) origin: Origin,
    pub(super) caller: Caller,
}

impl FromRequestParts<Web> for Known {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, No> {
        let origin = Origin::of(parts, web);
        let token = origin.bearer(&parts.headers).await?;
        let caller = origin.identity(&token, &parts.headers).await?;
        Ok(Self { origin, caller })
    }
}

/// A person who can do what their proofs allow.
pub(super) struct Identity {
    pub(super) origin: Origin,
    pub(super) caller: Caller,
}

impl FromRequestParts<Web> for Identity {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, No> {
        let Known { origin, caller } = Known::from_request_parts(parts, web).await?;
        match caller.authority {
            Authority::Bearer {
                standing: Standing::Whole,
                ..
            } => Ok(Self { origin, caller }),
            _ => Err(No::EnrollmentRequired),
        }
    }
}

/// A scope as a type, so that no handler can forget to ask for it.
pub(super) trait Right: Send + Sync + 'static {
    const SCOPE: Scope;
}

/// To look.
pub(super) struct Reads;

impl Right for Reads {
    const SCOPE: Scope = Scope::ReadFactors;
}

/// To change.
pub(super) struct Changes;

impl Right for Changes {
    const SCOPE: Scope = Scope::UpdateFactors;
}

/// An administrator's program with the right `R`.
pub(super) struct Admin<R> {
    pub(super) origin: Origin,
    client: String,
    right: PhantomData<R>,
}

impl<R> Admin<R> {
    /// Acting on this account.
    pub(super) fn acts_on(&self, account: AccountId) -> Caller {
        Caller::manager(&self.client, account, self.origin.ip)
    }
}

impl<R: Right> FromRequestParts<Web> for Admin<R> {
    type Rejection = No;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, No> {
        let origin = Origin::of(parts, web);
        let token = origin.bearer(&parts.headers).await?;
        let audience = tokens::portal(&origin);
        let Some(claims) = origin.claims(&token, &audience).await? else {
            return Err(origin
                .of_other_kind(&token, &tokens::identities(&origin))
                .await);
        };
        if !claims.is_machines() {
            return Err(No::InvalidToken);
        }
        // A client that was removed, or a scope that was taken, ends what it has tokens for.
        let client = match origin.mfa().client(&claims.azp).await {
            Ok(client) => client,
            Err(Error::Refused(Refusal::UnknownClient)) => return Err(No::InvalidToken),
            Err(error) => return Err(origin.no(error)),
        };
        let granted = claims.scope.split(' ').any(|one| one == R::SCOPE.name());
        if !(granted && client.scopes.contains(&R::SCOPE)) {
            return Err(No::Scope(R::SCOPE));
        }
        Ok(Self {
            origin,
            client: client.id,
            right: PhantomData,
        })
    }
}
