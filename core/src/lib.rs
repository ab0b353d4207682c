#![no_std]
#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

extern crate alloc;

pub mod alphabet;
pub mod batch;
pub mod check;
pub mod code;
pub mod entry;
mod fold;
pub mod prompt;
pub mod sheet;

pub use batch::{Batch, DraftError, Spec, SpecError};
pub use code::{Code, Format, ParseError, Reading, read};
pub use zeroize::Zeroizing;
