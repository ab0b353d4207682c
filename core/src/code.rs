//! One recovery code, and how a written text becomes one.
//!
//! Reading forgives what doesn't matter (case, spaces, dashes, width, a list number) and nothing
//! else: it takes the alphabet as it is, folds no look-alike and tries no repair. That is for the
//! field in the browser (`entry`), where a person can be asked. A code says nothing about
//! whether it was ever issued.

use core::fmt;

use alloc::{string::String, vec, vec::Vec};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::{alphabet, check, fold};

/// The longest text that is read at all, in bytes.
pub const MAX_INPUT: usize = 256;

/// The fewest random bits a format may have (NIST SP 800-63B-4 section 3.1.2.2 asks for a
/// look-up secret of at least 20; at 64 its digest may be a fast one).
pub const MIN_RANDOM_BITS: u32 = 64;

const _: () = assert!(Format::List.random_bits() >= MIN_RANDOM_BITS);
const _: () = assert!(Format::Single.random_bits() >= MIN_RANDOM_BITS);
const _: () = assert!(Format::Single.symbols() == check::MAX_SYMBOLS);

/// The two shapes a code comes in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// 16 symbols in groups of four: one of a numbered list on paper.
    List,
    /// 24 symbols, ungrouped: the one code of an account.
    Single,
}

impl Format {
    /// Its name in lower case, as settings, the vectors and JavaScript say it.
    pub const fn name(self) -> &'static str {
        match self {
            Format::List => "list",
            Format::Single => "single",
        }
    }

    /// The format of that name.
    pub fn named(name: &str) -> Option<Format> {
        [Format::List, Format::Single]
            .into_iter()
            .find(|format| format.name() == name)
    }

    /// How many symbols a code has, the check symbol included.
    pub const fn symbols(self) -> usize {
        match self {
            Format::List => 16,
            Format::Single => 24,
        }
    }

    /// How many of them are random: all but the check symbol.
    pub const fn random_symbols(self) -> usize {
        self.symbols() - 1
    }

    /// The random bits of a code: 75 or 115.
    pub const fn random_bits(self) -> u32 {
        self.random_symbols() as u32 * 5
    }

    /// Whether people see the symbols in groups of four.
    pub const fn grouped(self) -> bool {
        matches!(self, Format::List)
    }

    /// The format with so many symbols.
    pub const fn of_symbols(symbols: usize) -> Option<Format> {
        match symbols {
            16 => Some(Format::List),
            24 => Some(Format::Single),
            _ => None,
        }
    }

    /// The format that so many symbols were probably meant to be: the nearer one.
    pub(crate) const fn nearest(symbols: usize) -> Format {
        if symbols < 20 {
            Format::List
        } else {
            Format::Single
        }
    }
}

/// Why a text is no code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ParseError {
    /// Nothing in it counts.
    Empty,
    /// Too few or too many symbols.
    Length {
        /// How many there are. For a text over [`MAX_INPUT`] bytes, which is not looked into: its
        /// bytes.
        got: usize,
        /// How many the nearer format has: 16, or 24 from 20 on.
        want: usize,
    },
    /// A character that is neither a symbol nor a separator.
    Symbol {
        /// Where: counted from 0 over the characters that count. Separators and the list number
        /// don't.
        at: usize,
    },
    /// All symbols are there, and the check symbol says that some are wrong.
    Check,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseError::Empty => f.write_str("no recovery code"),
            ParseError::Length { got, want } => {
                write!(f, "recovery code of {got} symbols where {want} are wanted")
            }
            ParseError::Symbol { at } => write!(f, "foreign character at place {at}"),
            ParseError::Check => f.write_str("mistyped recovery code: check symbol differs"),
        }
    }
}

impl core::error::Error for ParseError {}

/// What a text says, before it is asked whether it can be a code of ours.
///
/// Codes that were imported from elsewhere have any length and no check symbol, so format and
/// check are results of their own. Zeroed on drop; `Debug` is redacted.
#[derive(Clone)]
pub struct Reading {
    /// The symbols as upper-case ASCII. Never empty.
    pub symbols: Zeroizing<Vec<u8>>,
    /// Whether the weighted sum is that of a valid code.
    pub check_ok: bool,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reading(…)")
    }
}

/// Reads the symbols of a text, whatever their number.
///
/// Takes any character of the alphabet in any case and width, between separators of any kind,
/// after a list number (`3. `, `12) `).
///
/// # Errors
/// In this order: `Length` for a text over [`MAX_INPUT`] bytes, `Empty`, `Symbol` for the first
/// foreign character. Never `Check`.
pub fn read(text: &str) -> Result<Reading, ParseError> {
    if text.len() > MAX_INPUT {
        return Err(ParseError::Length {
            got: text.len(),
            want: Format::Single.symbols(),
        });
    }
    // Capacity first: growing would leave copies behind that nobody zeroes.
    let mut values = Zeroizing::new(Vec::with_capacity(text.len()));
    for (at, significant) in fold::significant(text).enumerate() {
        values.push(alphabet::value(significant.symbol).ok_or(ParseError::Symbol { at })?);
    }
    if values.is_empty() {
        return Err(ParseError::Empty);
    }
    let check_ok = check::is_valid(&values);
    for value in values.iter_mut() {
        *value = alphabet::symbol(*value) as u8;
    }
    Ok(Reading {
        symbols: values,
        check_ok,
    })
}

/// A recovery code of ours: right length, right check symbol.
///
/// It has no `Display` and its `Debug` shows nothing, so that it reaches no log by accident.
/// Zeroed on drop. The symbols live on the heap, so that moving a code leaves no copy behind.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Code {
    symbols: Vec<u8>,
    #[zeroize(skip)]
    format: Format,
}

impl Code {
    /// Reads a code from what a person wrote.
    ///
    /// # Errors
    /// In this order: `Length` for a text over [`MAX_INPUT`] bytes, `Empty`, `Symbol`, `Length`,
    /// `Check`. The same text gives the same error on every machine.
    pub fn parse(text: &str) -> Result<Code, ParseError> {
        let mut reading = read(text)?;
        let got = reading.symbols.len();
        let Some(format) = Format::of_symbols(got) else {
            return Err(ParseError::Length {
                got,
                want: Format::nearest(got).symbols(),
            });
        };
        if !reading.check_ok {
            return Err(ParseError::Check);
        }
        Ok(Code {
            symbols: core::mem::take(&mut *reading.symbols),
            format,
        })
    }

    /// A code of these random values (0 to 31 each), with its check symbol added. `None` when
    /// their number is no format's.
    pub(crate) fn from_random(values: &[u8]) -> Option<Code> {
        let format = Format::of_symbols(values.len() + 1)?;
        let check = check::check_symbol(values);
        let mut symbols = vec![0; format.symbols()];
        for (symbol, value) in symbols.iter_mut().zip(values.iter().chain([&check])) {
            *symbol = alphabet::symbol(*value) as u8;
        }
        Some(Code { symbols, format })
    }

    /// The shape of the code.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The bare symbols as ASCII, without separators: what is hashed, and what the locator is
    /// made of. Never for an answer or a log.
    pub fn canonical(&self) -> &[u8] {
        &self.symbols
    }

    /// The code as people see it: a list code in groups of four with `-`, a single code
    /// ungrouped.
    ///
    /// For wire files only, where an answer to its owner is written. The text is zeroed on drop.
    pub fn expose(&self) -> Zeroizing<String> {
        self.written(self.format.grouped())
    }

    /// The bare symbols as text, zeroed on drop. For the page where its owner typed the code.
    pub fn bare(&self) -> Zeroizing<String> {
        self.written(false)
    }

    fn written(&self, grouped: bool) -> Zeroizing<String> {
        // Capacity first: never grown, so no copy is left behind.
        let mut text = Zeroizing::new(String::with_capacity(self.symbols.len() * 2));
        for (at, symbol) in self.symbols.iter().enumerate() {
            push_symbol(&mut text, at, *symbol as char, grouped);
        }
        text
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// Appends the symbol at this place, with a dash before every fifth one when `grouped`. A dash
/// comes only with the symbol after it.
pub(crate) fn push_symbol(text: &mut String, at: usize, symbol: char, grouped: bool) {
    if grouped && at > 0 && at.is_multiple_of(4) {
        text.push('-');
    }
    text.push(symbol);
}
