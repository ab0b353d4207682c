//! What the layers find out about a request, for the handlers behind them.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::Extensions;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Web;

/// The number of this request, in logs and in answers about faults.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

impl RequestId {
    /// The number of the request that these belong to.
    pub(super) fn of(extensions: &Extensions) -> String {
        extensions
            .get::<Self>()
            .map_or_else(|| "none".to_owned(), |Self(id)| id.clone())
    }
}

/// Where the request came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientIp(pub(super) Option<IpAddr>);

impl ClientIp {
    /// Where the request came from that these belong to.
    pub(super) fn of(extensions: &Extensions) -> Option<IpAddr> {
        extensions.get::<Self>().and_then(|Self(ip)| *ip)
    }
}

/// What people know the service as, for answers that no handler gives.
#[derive(Debug, Clone)]
pub(super) struct Product(pub(super) Arc<str>);

/// What stands in the place of a path's parameters, percent-decoded. Bytes that are no text name
/// nothing, so the handler finds nothing and says so in its own words.
#[derive(Debug)]
pub(super) struct InPath<T>(pub(super) T);

impl<T: DeserializeOwned + Default + Send> FromRequestParts<Web> for InPath<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Infallible> {
        let named = Path::<T>::from_request_parts(parts, web).await;
        Ok(Self(
            named.map_or_else(|_| T::default(), |Path(named)| named),
        ))
    }
}
