//! Issues, hashes, numbers and redeems recovery codes.
