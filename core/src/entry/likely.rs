//! Where a typo probably is.
//!
//! One check symbol can't locate an error, but it leaves few places where one of the usual slips
//! would explain it: a look-alike taken for another, or two neighbours swapped. Those are named,
//! to be looked at. For any other error the list is empty or wrong, and so it is never applied.

use alloc::vec::Vec;

use crate::{alphabet, check};

/// The most places that are named. More would be a riddle and no help.
pub const MAX_LIKELY: usize = 8;

/// Symbols that people take for each other. All pairs inside of a group count.
const LOOK_ALIKES: [&str; 14] = [
    "OQD", "ILJT", "S5", "Z27", "G6C", "UVY", "MN", "KX", "A4", "PR", "EF", "B36", "VW", "HN",
];

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

    fn from(places: impl Iterator<Item = Place>) -> Likely {
        let mut likely = Likely::default();
        for (slot, place) in likely.0.iter_mut().zip(places) {
            *slot = Some(place);
        }
        likely
    }

    /// The symbol that a foreign character must have been, all others being right.
    pub(super) fn erasure(values: &[u8], at: usize) -> Likely {
        let symbol = alphabet::symbol(check::erasure(values, at));
        Likely::from(core::iter::once(Place {
            at,
            kind: Kind::Missing(symbol),
        }))
    }

    pub(super) fn ones(ones: &[usize]) -> Likely {
        Likely::from(ones.iter().map(|at| Place {
            at: *at,
            kind: Kind::One,
        }))
    }

    /// The places where one usual slip explains why these values fail the check.
    ///
    /// At each place just one symbol would satisfy it, so at most one look-alike is named there.
    pub(super) fn typos(values: &[u8]) -> Likely {
        let places = (0..values.len()).flat_map(|at| {
            let own = alphabet::symbol(values.get(at).copied().unwrap_or(0));
            let fitting = alphabet::symbol(check::erasure(values, at));
            let look_alike = look_alike(own, fitting).then_some(Kind::LooksLike(fitting));
            let swapped = swap_fits(values, at).then_some(Kind::SwappedWithNext);
            [look_alike, swapped]
                .into_iter()
                .flatten()
                .map(move |kind| Place { at, kind })
        });
        Likely::from(places)
    }
}

/// Whether people take one of the symbols for the other.
fn look_alike(one: char, other: char) -> bool {
    one != other
        && LOOK_ALIKES
            .iter()
            .any(|group| group.contains(one) && group.contains(other))
}

fn swap_fits(values: &[u8], at: usize) -> bool {
    let mut swapped = zeroize::Zeroizing::new(Vec::from(values));
    match swapped.get_mut(at..at + 2) {
        Some(pair) => {
            pair.reverse();
            check::is_valid(&swapped)
        }
        None => false,
    }
}
