//! What a recovery code is.
#![no_std]
