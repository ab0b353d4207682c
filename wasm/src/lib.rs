//! Spare Key's core under JavaScript names.
