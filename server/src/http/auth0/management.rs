//! `/api/v2`: what programs manage.

pub(super) mod factors;
pub(super) mod logs;
pub(super) mod methods;
pub(super) mod users;

use std::collections::BTreeMap;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::said::{Management, No};
use crate::http::Web;
use crate::http::request::InPath;
use crate::model::AccountId;

/// What stands in a path, by the names of its parameters.
type Names = InPath<BTreeMap<String, String>>;

/// An account's identifier in a path, percent-decoded.
pub(super) struct UserId(pub(super) AccountId);

impl FromRequestParts<Web> for UserId {
    type Rejection = Management;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Management> {
        let Ok(InPath(named)) = Names::from_request_parts(parts, web).await;
        named
            .get("id")
            .and_then(|id| AccountId::parse(id))
            .map(Self)
            .ok_or_else(|| No::InvalidUri("The id is 1 to 255 bytes.").into())
    }
}

/// The second name in a path.
pub(super) struct Named(pub(super) String);

impl FromRequestParts<Web> for Named {
    type Rejection = Management;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Management> {
        let Ok(InPath(mut named)) = Names::from_request_parts(parts, web).await;
        named
            .remove("method_id")
            .or_else(|| named.remove("id"))
            .map(Self)
            .ok_or_else(|| No::InvalidUri("The id is not one.").into())
    }
}

/// What is in a query; what nobody here knows is passed over.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Web> for Asked<T> {
    type Rejection = Management;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Management> {
        let query = Query::<T>::from_request_parts(parts, web).await;
        query
            .map(|Query(asked)| Self(asked))
            .map_err(|_| No::InvalidUri("The query is not what it should be.").into())
    }
}

/// Says which answers an operation of the management API gives besides success.
macro_rules! manages {
    ($name:ident, $scope:literal: $($no:expr),* $(,)?) => {
        $crate::http::auth0::said::described::nos!($name, Management:
            $($no,)*
            No::BadHeader,
            No::Unauthenticated,
            No::BadToken,
            No::ExpiredToken,
            No::Audience,
            No::Scope($scope),
            No::RateLimit { wait: 12, reset: 1_795_219_230 },
        );
    };
}
pub(super) use manages;
