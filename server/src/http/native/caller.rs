//! Who calls: a machine client with HTTP Basic credentials (RFC 7617) and the scope that the
//! endpoint names in its signature.

use std::marker::PhantomData;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::problem::Problem;
use crate::domain::{Authority, Caller, ClientCard, Error, HostProof, Mfa, Scope};
use crate::http::Web;
use crate::http::basic::credentials;
use crate::http::request::{ClientIp, RequestId};
use crate::model::AccountId;

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

rights!(Issue, Redeem, Read, Revoke);

/// A client that has proven itself and has the right `R`.
pub(super) struct Host<R> {
    web: Web,
    client: ClientCard,
    ip: Option<IpAddr>,
    request_id: String,
    right: PhantomData<R>,
}

impl<R> Host<R> {
    /// The use cases.
    pub(super) fn mfa(&self) -> &Mfa {
        &self.web.mfa
    }

    /// The client's identifier.
    pub(super) fn client(&self) -> &str {
        &self.client.id
    }

    /// Asking for this account, on this word.
    pub(super) fn asks_for(&self, account: AccountId, proof: Option<HostProof>) -> Caller {
        Caller {
            account,
            authority: Authority::Host {
                client: self.client.id.clone(),
                proof,
            },
            ip: self.ip,
        }
    }

    /// The answer to what went wrong; a fault is logged here.
    pub(super) fn problem(&self, error: impl Into<Error>) -> Problem {
        Problem::of_error(&error.into(), &self.web.mfa, &self.request_id)
    }
}

impl<R: Right> FromRequestParts<Web> for Host<R> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let request_id = RequestId::of(&parts.extensions);
        let (id, secret) = credentials(&parts.headers).ok_or(Problem::Unauthorized)?;
        let client = web
            .mfa
            .authenticate_client(&id, &secret)
            .await
            .map_err(|error| Problem::of_error(&error, &web.mfa, &request_id))?;
        if !client.scopes.contains(&R::SCOPE) {
            return Err(Problem::InsufficientScope(R::SCOPE));
        }
        let ip = ClientIp::of(&parts.extensions);
        Ok(Self {
            web: web.clone(),
            client,
            ip,
            request_id,
            right: PhantomData,
        })
    }
}
