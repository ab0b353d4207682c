//! Half-typed codes: what to tell the person at the field, and where the caret goes.
//!
//! The only place where look-alikes outside the alphabet are folded, because here a person can
//! see what became of them: `0` to `O`, `8` to `B`, and `1` to `I` or `L`, whichever satisfies
//! the check. Beyond that nothing is repaired: likely places of a typo are named, the person
//! decides. The server never calls this: repairs there would widen guessing.

use core::fmt;

use alloc::{string::String, vec::Vec};
use zeroize::Zeroizing;

use crate::{
    Code, Format, alphabet, check,
    code::{MAX_INPUT, push_symbol},
    fold::{is_separator, significant},
};

mod edit;
mod likely;

pub use edit::{Edit, edit, edit_from};
pub use likely::{Kind, Likely, MAX_LIKELY, Place};

/// How a half-typed code stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// Nothing was typed yet.
    Empty,
    /// Symbols are missing at the end.
    Incomplete {
        /// How many.
        missing: usize,
    },
    /// There are more symbols than a code has.
    TooLong {
        /// How many more. For a text over [`MAX_INPUT`] bytes, which is not looked into: by how
        /// many bytes it is over.
        extra: usize,
    },
    /// A character that is neither a symbol nor a look-alike. When everything else is there,
    /// `likely` names the one symbol that would fit.
    Symbol {
        /// Where: counted from 0 over the characters that count.
        at: usize,
    },
    /// Several `1`, and more than one reading satisfies the check: the person has to say which
    /// are `I` and which `L`. `likely` names the places.
    Ambiguous,
    /// All symbols are there and some are wrong. `likely` names where, if it can be told.
    Check,
    /// A code, ready to be sent: its text is in [`Verdict::code`].
    Complete,
}

impl State {
    /// Its name in lower case with dashes, as the vectors and JavaScript say it.
    pub const fn name(self) -> &'static str {
        match self {
            State::Empty => "empty",
            State::Incomplete { .. } => "incomplete",
            State::TooLong { .. } => "too-long",
            State::Symbol { .. } => "symbol",
            State::Ambiguous => "ambiguous",
            State::Check => "check",
            State::Complete => "complete",
        }
    }
}

/// What is to be said about a half-typed code. `Debug` shows no symbol of it.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// How it stands.
    pub state: State,
    /// How many characters count so far.
    pub symbols: usize,
    /// Where the typo probably is: at most [`MAX_LIKELY`] places, none unless the state says so.
    pub likely: Likely,
    /// The code when complete, look-alikes folded: what the page has to send.
    pub code: Option<Code>,
}

impl Verdict {
    fn of(state: State, symbols: usize) -> Verdict {
        Verdict {
            state,
            symbols,
            likely: Likely::default(),
            code: None,
        }
    }
}

/// The verdict on `text`.
///
/// `format` is what the field asks for, if it is known. Otherwise any format will do: 16 symbols
/// are judged as a list code, 24 as a single code, and any other number by the nearer one.
pub fn check(text: &str, format: Option<Format>) -> Verdict {
    if text.len() > MAX_INPUT {
        return Verdict::of(
            State::TooLong {
                extra: text.len() - MAX_INPUT,
            },
            0,
        );
    }
    let count = significant(text).count();
    if count == 0 {
        return Verdict::of(State::Empty, 0);
    }
    let wanted = format.unwrap_or(Format::nearest(count)).symbols();
    let mut typed = Typed::read(text, count);
    if let Some(at) = typed.foreign {
        let mut verdict = Verdict::of(State::Symbol { at }, count);
        if typed.lone_foreign && typed.ones.is_empty() && count == wanted {
            verdict.likely = Likely::erasure(&typed.values, at);
        }
        return verdict;
    }
    if count < wanted {
        return Verdict::of(
            State::Incomplete {
                missing: wanted - count,
            },
            count,
        );
    }
    if count > wanted {
        return Verdict::of(
            State::TooLong {
                extra: count - wanted,
            },
            count,
        );
    }
    match typed.settle_ones() {
        Ones::Several => Verdict {
            likely: Likely::ones(&typed.ones),
            ..Verdict::of(State::Ambiguous, count)
        },
        Ones::Settled if check::is_valid(&typed.values) => {
            let random = typed.values.get(..count - 1).unwrap_or_default();
            Verdict {
                code: Code::from_random(random),
                ..Verdict::of(State::Complete, count)
            }
        }
        _ => Verdict {
            likely: Likely::typos(&typed.values),
            ..Verdict::of(State::Check, count)
        },
    }
}

/// Where in `text` the character stands that a verdict calls `at`: its start in UTF-16 units, as
/// browsers count, to select it in the field. `None` past the last one.
pub fn offset(text: &str, at: usize) -> Option<usize> {
    significant(text)
        .nth(at)
        .map(|significant| significant.start)
}

/// Symbols grouped for people, without any judgement: what [`edit`] makes of the text.
pub fn format(text: &str, format: Option<Format>) -> Zeroizing<String> {
    edit(text, 0, format).text
}

/// Whether symbols are shown in groups of four while they are typed.
fn grouped(count: usize, format: Option<Format>) -> bool {
    match format {
        Some(format) => format.grouped(),
        None => count <= Format::List.symbols(),
    }
}

/// What was typed, as values. `1` and foreign characters hold the place with a value of 0.
struct Typed {
    values: Zeroizing<Vec<u8>>,
    /// Where a `1` stands that may be `I` or `L`.
    ones: Vec<usize>,
    /// The first foreign character.
    foreign: Option<usize>,
    /// Whether it is the only one.
    lone_foreign: bool,
}

enum Ones {
    /// One reading satisfies the check, or there was nothing to read; `values` has it.
    Settled,
    /// No reading does; `values` has `I` for each.
    None,
    /// More than one reading does.
    Several,
}

impl Typed {
    fn read(text: &str, count: usize) -> Typed {
        let mut typed = Typed {
            // Capacity first: growing would leave copies behind that nobody zeroes.
            values: Zeroizing::new(Vec::with_capacity(count)),
            ones: Vec::new(),
            foreign: None,
            lone_foreign: true,
        };
        for (at, significant) in significant(text).enumerate() {
            let symbol = match significant.symbol {
                '0' => 'O',
                '8' => 'B',
                '1' => {
                    typed.ones.push(at);
                    'I'
                }
                other => other,
            };
            let value = alphabet::value(symbol);
            if value.is_none() {
                typed.lone_foreign = typed.foreign.is_none();
                typed.foreign = typed.foreign.or(Some(at));
            }
            typed.values.push(value.unwrap_or(0));
        }
        typed
    }

    /// Reads each `1` as `I` or `L`, if just one reading satisfies the check.
    ///
    /// Each choice adds one of two elements of GF(32) to the sum, so of six or more `1` a part
    /// is linearly dependent over GF(2): the number of readings is then never one, and up to
    /// five are tried out.
    fn settle_ones(&mut self) -> Ones {
        const I: u8 = 8;
        const L: u8 = 11;
        if self.ones.len() > 5 {
            return Ones::Several;
        }
        let (mut fitting, mut readings) = (0, 0);
        for reading in 0..1u8 << self.ones.len() {
            self.apply(reading, I, L);
            if check::is_valid(&self.values) {
                (fitting, readings) = (reading, readings + 1);
            }
        }
        self.apply(fitting, I, L);
        match readings {
            _ if self.ones.is_empty() => Ones::Settled,
            0 => Ones::None,
            1 => Ones::Settled,
            _ => Ones::Several,
        }
    }

    fn apply(&mut self, reading: u8, zero: u8, one: u8) {
        for (bit, at) in self.ones.iter().enumerate() {
            if let Some(value) = self.values.get_mut(*at) {
                *value = if reading >> bit & 1 == 1 { one } else { zero };
            }
        }
    }
}
