//! Issues, hashes, numbers and redeems recovery codes.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dev;
pub mod domain;
mod embedded;
pub mod entropy;
pub mod front;
pub mod hasher;
pub mod http;
pub mod issuer;
pub mod keyring;
pub mod logging;
pub mod metrics;
pub mod model;
pub mod notify;
pub mod store;
mod texts;
pub mod tls;
pub mod token;
