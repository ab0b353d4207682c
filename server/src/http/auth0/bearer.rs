//! Who calls with a token: a program that manages, or a person on the way in or already in.

use std::marker::PhantomData;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use zeroize::Zeroizing;

use super::audience::{self, Api, has_scope};
use super::limits::Spent;
use super::said::{Management, MyAccount, No, Oauth};
use crate::domain::{Caller, Error, Guest, Mfa, Refusal, Scope};
use crate::http::Web;
use crate::http::request::{ClientIp, RequestId};
use crate::model::{AccountId, Token};
use crate::token::{AccessClaims, TokenError, Unvouched, Vouched};

/// Where a request came from, and how a fault in it is named.
pub(super) struct Origin {
    pub(super) web: Web,
    pub(super) ip: Option<IpAddr>,
    request_id: String,
}

impl Origin {
    pub(super) fn of(parts: &Parts, web: &Web) -> Self {
        let request_id = RequestId::of(&parts.extensions);
        Self {
            web: web.clone(),
            ip: ClientIp::of(&parts.extensions),
            request_id,
        }
    }

    pub(super) fn new(web: Web, ip: Option<IpAddr>, request_id: String) -> Self {
        Self {
            web,
            ip,
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

    /// What a library that should not fail leaves us with.
    pub(super) fn broken(&self, what: &'static str) -> No {
        self.no(crate::domain::Fault::Corrupt(what))
    }

    /// The issuer's name: its address with a slash at the end.
    pub(super) fn issuer(&self) -> &str {
        self.web.tokens.issuer()
    }

    async fn claims(&self, token: &str, api: &Api) -> Result<AccessClaims, No> {
        let audience = api.name(self.issuer());
        let read = self.web.tokens.read_access(self.mfa(), token, &audience);
        match read.await.map_err(|error| self.no(error))? {
            Ok(claims) => Ok(claims),
            Err(TokenError::Expired) => Err(No::ExpiredToken),
            Err(TokenError::WrongAudience) => Err(No::Audience),
            Err(TokenError::Invalid | TokenError::UnknownKey) => Err(No::BadToken),
        }
    }

    /// Who holds this access token of a session here.
    async fn person(&self, token: &str, api: &Api) -> Result<(Caller, AccessClaims), No> {
        let claims = self.claims(token, api).await?;
        let session = claims.session().ok_or(No::BadToken)?;
        let caller = self
            .mfa()
            .caller_by_grant(&session, &claims.azp, self.ip)
            .await
            .map_err(|error| self.no(error))?;
        // The account may have been forgotten and made again meanwhile.
        if caller.account.as_str() != claims.sub {
            return Err(No::BadToken);
        }
        Ok((caller, claims))
    }
}

impl Origin {
    /// Who a trusted issuer vouches for by this token, and what may be done with it.
    async fn guest(&self, token: &str) -> Result<(Caller, String), No> {
        let now = self.mfa().now();
        let audiences = self.web.own_audiences();
        let Vouched {
            issuer,
            subject,
            scope,
            auth_time,
            multi_factor,
        } = match self.web.trusted.read(token, &audiences, now).await {
            Ok(vouched) => vouched,
            Err(Unvouched::Unreachable) => return Err(No::Busy { wait: 30 }),
            Err(Unvouched::Token(TokenError::Expired)) => return Err(No::ExpiredToken),
            Err(Unvouched::Token(_)) => return Err(No::BadToken),
        };
        let guest = Guest {
            issuer,
            subject,
            auth_time,
            multi_factor,
        };
        let caller = self.mfa().caller_by_issuer(&guest, self.ip).await;
        Ok((caller.map_err(|error| self.no(error))?, scope))
    }
}

impl FromRequestParts<Web> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts, web))
    }
}

/// `Bearer TOKEN` (RFC 6750, 2.1), once, and nowhere else.
pub(super) fn bearer(parts: &Parts) -> Result<Zeroizing<String>, No> {
    let in_query = parts
        .uri
        .query()
        .is_some_and(|query| query.split('&').any(|one| one.starts_with("access_token")));
    if in_query {
        return Err(No::BadHeader);
    }
    of_header(&parts.headers)
}

fn of_header(headers: &HeaderMap) -> Result<Zeroizing<String>, No> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let value = sent.next().ok_or(No::Unauthenticated)?;
    let token = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty() && sent.next().is_none())
        .ok_or(No::BadHeader)?;
    Ok(Zeroizing::new(token.to_owned()))
}

/// A scope as a type, so that no handler can forget to ask for it.
pub(super) trait Right: Send + Sync + 'static {
    const SCOPE: Scope;
}

macro_rules! rights {
    ($($name:ident),*) => {$(
        pub(super) struct $name;

        impl Right for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )*};
}

rights!(
    ReadUsers,
    CreateUsers,
    UpdateUsers,
    DeleteUsers,
    ReadFactors,
    UpdateFactors,
    ReadPolicies,
    UpdatePolicies,
    ReadMethods,
    DeleteMethods,
    ReadEnrollments,
    DeleteEnrollments,
    ReadLogs
);

/// A program that manages, with the right `R`.
pub(super) struct Manager<R> {
    pub(super) origin: Origin,
    client: String,
    right: PhantomData<R>,
}

impl<R> Manager<R> {
    /// The use cases.
    pub(super) fn mfa(&self) -> &Mfa {
        self.origin.mfa()
    }

    /// The answer to what went wrong.
    pub(super) fn no(&self, error: impl Into<Error>) -> Management {
        Management(self.origin.no(error))
    }

    /// Its client identifier.
    pub(super) fn client(&self) -> &str {
        &self.client
    }

    /// Acting on this account.
    pub(super) fn acts_on(&self, account: AccountId) -> Caller {
        Caller::manager(&self.client, account, self.origin.ip)
    }
}

impl<R: Right> FromRequestParts<Web> for Manager<R> {
    type Rejection = Management;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Management> {
        let origin = Origin::of(parts, web);
        let token = bearer(parts)?;
        let claims = origin.claims(&token, &Api::Management).await?;
        if !claims.is_machines() {
            return Err(No::BadToken.into());
        }
        // A client that was removed, or a scope that was taken, ends what it has tokens for.
        let client = match origin.mfa().client(&claims.azp).await {
            Ok(client) => client,
            Err(Error::Refused(Refusal::UnknownClient)) => return Err(No::BadToken.into()),
            Err(error) => return Err(origin.no(error).into()),
        };
        let spent = parts.extensions.get::<Spent>();
        web.limits
            .spend(&client.id, origin.mfa().now(), spent)
            .map_err(Management)?;
        if !(has_scope(&claims.scope, R::SCOPE.name()) && client.scopes.contains(&R::SCOPE)) {
            return Err(No::scope(R::SCOPE).into());
        }
        Ok(Self {
            origin,
            client: client.id,
            right: PhantomData,
        })
    }
}

/// A scope of people as a type.
pub(super) trait Leave: Send + Sync + 'static {
    const SCOPE: &'static str;
}

/// Bind an authenticator.
pub(super) struct Enroll;
impl Leave for Enroll {
    const SCOPE: &'static str = audience::ENROLL;
}

/// List the authenticators.
pub(super) struct ReadAuthenticators;
impl Leave for ReadAuthenticators {
    const SCOPE: &'static str = audience::READ_AUTHENTICATORS;
}

/// Take an authenticator away.
pub(super) struct RemoveAuthenticators;
impl Leave for RemoveAuthenticators {
    const SCOPE: &'static str = audience::REMOVE_AUTHENTICATORS;
}

/// List one's own methods.
pub(super) struct ReadOwn;
impl Leave for ReadOwn {
    const SCOPE: &'static str = audience::READ_METHODS;
}

/// List what one can enroll.
pub(super) struct ReadOwnFactors;
impl Leave for ReadOwnFactors {
    const SCOPE: &'static str = audience::READ_FACTORS;
}

/// Make new codes.
pub(super) struct CreateOwn;
impl Leave for CreateOwn {
    const SCOPE: &'static str = audience::CREATE_METHODS;
}

/// A person on the way in (with an `mfa_token`), or in (with an access token for the MFA API).
pub(super) struct OnTheWay<L> {
    pub(super) origin: Origin,
    pub(super) caller: Caller,
    leave: PhantomData<L>,
}

impl<L: Leave> FromRequestParts<Web> for OnTheWay<L> {
    type Rejection = Oauth;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Oauth> {
        let origin = Origin::of(parts, web);
        let token = bearer(parts)?;
        // Opaque values have no dots.
        let caller = if token.contains('.') {
            let (caller, claims) = origin.person(&token, &Api::Mfa).await?;
            if !has_scope(&claims.scope, L::SCOPE) {
                return Err(No::Scope(L::SCOPE).into());
            }
            caller
        } else {
            let token = Token::presented(&token);
            let found = origin
                .mfa()
                .caller_by_client_challenge(&token, None, origin.ip)
                .await;
            match found {
                Err(Error::Refused(Refusal::ChallengeGone)) => return Err(No::MfaBearer.into()),
                other => other.map_err(|error| origin.no(error))?,
            }
        };
        Ok(Self {
            origin,
            caller,
            leave: PhantomData,
        })
    }
}

/// A person with an access token for the MFA API, and no other proof.
pub(super) struct Within<L> {
    pub(super) origin: Origin,
    pub(super) caller: Caller,
    leave: PhantomData<L>,
}

impl<L: Leave> FromRequestParts<Web> for Within<L> {
    type Rejection = Oauth;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Oauth> {
        let origin = Origin::of(parts, web);
        let token = bearer(parts)?;
        let (caller, claims) = origin.person(&token, &Api::Mfa).await?;
        if !has_scope(&claims.scope, L::SCOPE) {
            return Err(No::Scope(L::SCOPE).into());
        }
        Ok(Self {
            origin,
            caller,
            leave: PhantomData,
        })
    }
}

/// A person with an access token for the account API.
pub(super) struct Owner<L> {
    pub(super) origin: Origin,
    pub(super) caller: Caller,
    leave: PhantomData<L>,
}

impl<L: Leave> FromRequestParts<Web> for Owner<L> {
    type Rejection = MyAccount;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, MyAccount> {
        let origin = Origin::of(parts, web);
        let token = bearer(parts)?;
        let (caller, scope) = if web.trusted.claim(&token) {
            origin.guest(&token).await?
        } else {
            let (caller, claims) = origin.person(&token, &Api::MyAccount).await?;
            (caller, claims.scope)
        };
        if !has_scope(&scope, L::SCOPE) {
            return Err(No::Scope(L::SCOPE).into());
        }
        Ok(Self {
            origin,
            caller,
            leave: PhantomData,
        })
    }
}

/// Anybody's token that says who it is.
pub(super) struct Known {
    pub(super) origin: Origin,
    pub(super) caller: Caller,
    pub(super) scope: String,
}

impl FromRequestParts<Web> for Known {
    type Rejection = Oauth;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Oauth> {
        let origin = Origin::of(parts, web);
        let token = bearer(parts)?;
        let (caller, claims) = origin.person(&token, &Api::Identity).await?;
        Ok(Self {
            origin,
            caller,
            scope: claims.scope,
        })
    }
}
