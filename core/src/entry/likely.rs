//! Where a typo probably is.
//!
//! One check symbol can't locate an error, but it leaves few places where one of the usual slips
//! would explain it: a look-alike taken for another, or two neighbours swapped. Those are named,
//! to be looked at. For any other error the list is empty or wrong, and so it is never applied.

use crate::{alphabet, check};

/// The most places that are named. More would be a riddle and no help.
pub const MAX_LIKELY: usize = 8;

/// Symbols that people take for each other, in groups. All pairs inside of a group count.
const LOOK_ALIKES: &str = "OQD ILJT S5 Z27 G6C UVY MN KX A4 PR EF B36 VW HN";

/// What would explain the failed check at a place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// The symbol looks like this one, which would fit.
    LooksLike(char),
    /// This symbol and the next are swapped.
    SwappedWithNext,
    /// A `1`: `I` or `L`.
    One,
    /// Not a symbol; this one would fit.
    Missing(char),
}

impl Kind {
    /// Its name in lower case with dashes, as the vectors and JavaScript say it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::LooksLike(_) => "looks-like",
            Kind::SwappedWithNext => "swapped-with-next",
            Kind::One => "one",
            Kind::Missing(_) => "missing",
        }
    }

    /// The one symbol that would fit here, if it is one.
    pub const fn symbol(self) -> Option<char> {
        match self {
            Kind::LooksLike(symbol) | Kind::Missing(symbol) => Some(symbol),
            Kind::SwappedWithNext | Kind::One => None,
        }
    }
}

/// A place to look at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    /// Counted from 0 over the characters that count.
    pub at: usize,
    /// What may be the matter there.
    pub kind: Kind,
}

/// At most [`MAX_LIKELY`] places, from left to right.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Likely([Option<Place>; MAX_LIKELY]);

impl Likely {
    /// The places from left to right.
    pub fn iter(&self) -> impl Iterator<Item = Place> + '_ {
        self.0.iter().flatten().copied()
    }

    /// Adds a place, if there is room for it.
    fn push(&mut self, at: usize, kind: Kind) {
        if let Some(slot) = self.0.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(Place { at, kind });
        }
    }

    /// Names the symbol that a foreign character must have been, all others being right.
    pub(super) fn erasure(&mut self, values: &[u8], at: usize) {
        let fitting = alphabet::symbol(check::erasure(values, at));
        self.push(at, Kind::Missing(fitting));
    }

    /// Names each place that has a bit, the first the lowest.
    pub(super) fn ones(&mut self, ones: u32) {
        for at in (0..check::MAX_SYMBOLS).filter(|at| ones >> at & 1 == 1) {
            self.push(at, Kind::One);
        }
    }

    /// Names the places where one usual slip explains why these values fail the check.
    ///
    /// At each place just one symbol would satisfy it, so at most one look-alike is named there.
    pub(super) fn typos(&mut self, values: &[u8]) {
        for (at, value) in values.iter().enumerate() {
            let fitting = alphabet::symbol(check::erasure(values, at));
            if look_alike(alphabet::symbol(*value), fitting) {
                self.push(at, Kind::LooksLike(fitting));
            }
            if check::is_valid_swapped(values, at) {
                self.push(at, Kind::SwappedWithNext);
            }
        }
    }
}

/// Whether people take one symbol for the other, which differs from it.
fn look_alike(one: char, other: char) -> bool {
    let mut found = 0;
    for symbol in LOOK_ALIKES.chars() {
        if symbol == ' ' {
            found = 0;
        }
        found += u8::from(symbol == one || symbol == other);
        if found == 2 {
            return true;
        }
    }
    false
}
