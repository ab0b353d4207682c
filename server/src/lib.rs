//! Issues, hashes, numbers and redeems recovery codes.

pub mod model;
pub mod store;
