//! Log lines: to stderr, as text or JSON.
//!
//! Which lines there are is decided where they are written; no code, secret, digest, token,
//! address or request body is in any of them.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// Begins logging. A second call changes nothing.
///
/// # Errors
/// The filter is none.
pub fn start(filter: &str, format: LogFormat) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(filter)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // It would tell of a stderr that is gone by printing to it, and panic.
        .log_internal_errors(false)
        .with_writer(stderr);
    let _started = match format {
        LogFormat::Text => builder
            .with_ansi(stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .finish()
            .try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .finish()
            .try_init(),
    };
    Ok(())
}
