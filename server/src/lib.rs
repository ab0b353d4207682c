//! Issues, hashes, numbers and redeems recovery codes.

pub mod clock;
pub mod domain;
pub mod entropy;
pub mod hasher;
pub mod keyring;
pub mod metrics;
pub mod model;
pub mod store;
