//! Spare Key as its callers see it.
