//! Half-typed codes: what to tell the person at the field, and where the caret goes.
//!
//! The only place where look-alikes outside the alphabet are folded, because here a person can
//! see what became of them: `0` to `O`, `8` to `B`, and `1` to `I` or `L`, whichever satisfies
//! the check. Beyond that nothing is repaired: likely places of a typo are named, the person
//! decides. The server never calls this: repairs there would widen guessing.

use core::fmt;

use alloc::{string::String, vec, vec::Vec};
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

/// The verdict on `text`.
///
/// `format` is what the field asks for, if it is known. Otherwise any format will do: 16 symbols
/// are judged as a list code, 24 as a single code, and any other number by the nearer one.
pub fn check(text: &str, format: Option<Format>) -> Verdict {
    let mut verdict = Verdict {
        state: State::Empty,
        symbols: 0,
        likely: Likely::default(),
        code: None,
    };
    if text.len() > MAX_INPUT {
        let extra = text.len() - MAX_INPUT;
        verdict.state = State::TooLong { extra };
    } else {
        verdict.symbols = significant(text).count();
        if verdict.symbols > 0 {
            verdict.judge(Typed::read(text), format);
        }
    }
    verdict
}

impl Verdict {
    /// Judges the symbols that were typed: at least one, as many as `symbols` says.
    fn judge(&mut self, mut typed: Typed, format: Option<Format>) {
        let count = self.symbols;
        let wanted = format.unwrap_or(Format::nearest(count)).symbols();
        self.state = match typed.foreign {
            Some(at) => State::Symbol { at },
            None if count < wanted => State::Incomplete {
                missing: wanted - count,
            },
            None if count > wanted => State::TooLong {
                extra: count - wanted,
            },
            None => typed.settle_ones(count),
        };
        let values = typed.values.get(..count).unwrap_or_default();
        match self.state {
            State::Symbol { at } if typed.lone_foreign && typed.ones == 0 && count == wanted => {
                self.likely.erasure(values, at);
            }
            State::Ambiguous => self.likely.ones(typed.ones),
            State::Check => self.likely.typos(values),
            State::Complete => {
                let random = values.split_last().map(|(_, random)| random);
                self.code = random.and_then(Code::from_random);
            }
            _ => {}
        }
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

/// What was typed, as values. `1` and foreign characters hold the place with a value of 0. What
/// stands behind the longest code is too much anyway, and not kept.
struct Typed {
    values: Zeroizing<Vec<u8>>,
    /// Where a `1` stands that may be `I` or `L`: a bit a place, the first the lowest.
    ones: u32,
    /// The first foreign character.
    foreign: Option<usize>,
    /// Whether it is the only one.
    lone_foreign: bool,
}

impl Typed {
    fn read(text: &str) -> Typed {
        let mut typed = Typed {
            values: Zeroizing::new(vec![0; check::MAX_SYMBOLS]),
            ones: 0,
            foreign: None,
            lone_foreign: true,
        };
        for (at, significant) in significant(text).enumerate() {
            let symbol = match significant.symbol {
                '0' => 'O',
                '8' => 'B',
                '1' => {
                    typed.ones |= 1u32.checked_shl(at as u32).unwrap_or_default();
                    'I'
                }
                other => other,
            };
            let value = alphabet::value(symbol);
            if value.is_none() {
                typed.lone_foreign = typed.foreign.is_none();
                typed.foreign = typed.foreign.or(Some(at));
            }
            if let Some(slot) = typed.values.get_mut(at) {
                *slot = value.unwrap_or(0);
            }
        }
        typed
    }

    /// Reads each `1` as `I` or `L`, if just one reading satisfies the check, and says how the
    /// `count` symbols stand then.
    ///
    /// Each choice adds one of two elements of GF(32) to the sum, so of six or more `1` a part
    /// is linearly dependent over GF(2): the number of readings is then never one, and up to
    /// five are tried out.
    fn settle_ones(&mut self, count: usize) -> State {
        if self.ones.count_ones() > 5 {
            return State::Ambiguous;
        }
        let (mut fitting, mut readings) = (0, 0);
        for reading in 0..1u32 << self.ones.count_ones() {
            self.apply(reading);
            if check::is_valid(self.values.get(..count).unwrap_or_default()) {
                (fitting, readings) = (reading, readings + 1);
            }
        }
        self.apply(fitting);
        match readings {
            0 => State::Check,
            1 => State::Complete,
            _ => State::Ambiguous,
        }
    }

    /// Puts `I` or `L` where each `1` stands, `L` where the reading has a bit.
    fn apply(&mut self, mut reading: u32) {
        const I: u8 = 8;
        const L: u8 = 11;
        for (at, value) in self.values.iter_mut().enumerate() {
            if self.ones >> at & 1 == 1 {
                *value = if reading & 1 == 1 { L } else { I };
                reading >>= 1;
            }
        }
    }
}
