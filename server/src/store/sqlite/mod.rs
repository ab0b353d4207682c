//! The SQLite adapter.

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("no adapter yet")]
pub struct OpenError;
