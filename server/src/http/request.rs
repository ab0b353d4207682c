//! What the layers find out about a request, for the handlers behind them.

use std::net::IpAddr;
use std::sync::Arc;

/// The number of this request, in logs and in answers about faults.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

/// Where the request came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientIp(pub(super) Option<IpAddr>);

/// What people know the service as, for answers that no handler gives.
#[derive(Debug, Clone)]
pub(super) struct Product(pub(super) Arc<str>);
