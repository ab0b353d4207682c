//! Drafting a batch: codes that are issued together.
//!
//! Deterministic: the caller gives the stream of random bytes, expanded from a seed that it can
//! seal, and the same stream gives the same batch again. There is no randomness of its own here,
//! no number of the batch and no time.

use core::fmt;

use alloc::vec::Vec;
use zeroize::Zeroizing;

use crate::{Code, Format, check};

/// The most codes a batch may have.
pub const MAX_COUNT: u8 = 16;

/// How often one code is drawn anew before drafting gives up. Locators have 16 bits, so a redraw
/// happens in one batch of a thousand; 64 in a row mean that the stream is broken.
pub const MAX_REDRAWS: u32 = 64;

/// What a batch is to be: format and count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Spec {
    format: Format,
    count: u8,
}

/// Why a batch can't be specified so.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SpecError {
    /// The count is not 1 to [`MAX_COUNT`].
    Count {
        /// What was asked for.
        got: u8,
    },
}

/// Why a batch could not be drafted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DraftError {
    /// [`MAX_REDRAWS`] codes in a row were equal to an earlier one or not accepted.
    Redraws,
}

impl Spec {
    /// Ten list codes: what an account gets where nothing else is set.
    pub const LIST: Spec = Spec {
        format: Format::List,
        count: 10,
    };
    /// One single code.
    pub const SINGLE: Spec = Spec {
        format: Format::Single,
        count: 1,
    };

    /// A batch of `count` codes (1 to [`MAX_COUNT`]).
    ///
    /// # Errors
    /// `Count` outside of the bounds.
    pub const fn new(format: Format, count: u8) -> Result<Spec, SpecError> {
        match count {
            1..=MAX_COUNT => Ok(Spec { format, count }),
            _ => Err(SpecError::Count { got: count }),
        }
    }

    /// The format of every code.
    pub const fn format(self) -> Format {
        self.format
    }

    /// How many codes.
    pub const fn count(self) -> u8 {
        self.count
    }
}

/// Codes issued together, all different. Zeroed on drop; `Debug` is redacted.
#[derive(Clone)]
pub struct Batch {
    spec: Spec,
    codes: Vec<Code>,
}

impl Batch {
    /// Drafts a batch from a stream of random bytes.
    ///
    /// `draw` fills the buffer with the next bytes of the stream: 15 a list code, 23 a single
    /// code. Each byte gives one symbol by its low five bits; 32 divides 256, so there is no bias.
    /// A code equal to an earlier one, or one that `accept` refuses (the server refuses equal
    /// locators), is drawn anew. `accept` sees only codes that differ from all before.
    ///
    /// # Errors
    /// `Redraws` when a code was drawn anew [`MAX_REDRAWS`] times.
    pub fn draft(
        spec: Spec,
        mut draw: impl FnMut(&mut [u8]),
        mut accept: impl FnMut(&Code) -> bool,
    ) -> Result<Batch, DraftError> {
        let mut buffer = Zeroizing::new([0; check::MAX_SYMBOLS]);
        let random = buffer
            .get_mut(..spec.format.random_symbols())
            .unwrap_or_default();
        // Capacity first, so that no code is moved later.
        let mut codes: Vec<Code> = Vec::with_capacity(usize::from(spec.count));
        for _ in 0..spec.count {
            let code = (0..=MAX_REDRAWS)
                .find_map(|_| {
                    draw(random);
                    random.iter_mut().for_each(|byte| *byte &= 31);
                    Code::from_random(random).filter(|code| {
                        codes
                            .iter()
                            .all(|other| other.canonical() != code.canonical())
                            && accept(code)
                    })
                })
                .ok_or(DraftError::Redraws)?;
            codes.push(code);
        }
        Ok(Batch { spec, codes })
    }

    /// What the batch was drafted to be.
    pub fn spec(&self) -> Spec {
        self.spec
    }

    /// The codes in their order: the first is number 1.
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// The codes in their order, to keep.
    pub fn into_codes(self) -> Vec<Code> {
        self.codes
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SpecError::Count { got } = self;
        write!(
            f,
            "batch of {got} codes where 1 to {MAX_COUNT} are possible"
        )
    }
}

impl fmt::Display for DraftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("random stream gives the same codes again and again")
    }
}

impl core::error::Error for SpecError {}
impl core::error::Error for DraftError {}
