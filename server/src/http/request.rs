//! What the layers find out about a request, for the handlers behind them.

use std::net::IpAddr;

/// The number of this request, in logs and in answers about faults.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

/// Where the request came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientIp(pub(super) Option<IpAddr>);
