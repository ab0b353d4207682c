//! What comes from outside, fuzzed: texts that people type, files that operators write, requests of
//! every dialect. A target is a function of bytes here and a file of three lines in `targets/`.
//!
//! Inputs are text, so that the corpus can be read and what a crash leaves behind says by itself what
//! happened. What each input looks like stands at the head of its module.

pub mod checks;
pub mod codes;
pub mod examples;
pub mod fixture;
pub mod mutate;
pub mod prompt;
pub mod requests;
pub mod script;
pub mod settings;
