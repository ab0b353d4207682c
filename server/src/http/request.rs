//! What the layers find out about a request, for the handlers behind them.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::Extensions;

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
