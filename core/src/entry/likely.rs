//! Where a typo probably is.
//!
//! One check symbol can't locate an error, but it leaves few places where one of the usual slips
//! would explain it: a look-alike taken for another, or two neighbours swapped. Those are named,
//! to be looked at. For any other error the list is empty or wrong, and so it is never applied.

use crate::{alphabet, check};

/// The most places that are named. More would be a riddle and no help.
pub const MAX_LIKELY: usize = 8;

/// Symbols that people take for each other. All pairs inside of a group count.
const GROUPS: [&[u8]; 14] = [
    b"OQD", b"ILJT", b"S5", b"Z27", b"G6C", b"UVY", b"MN", b"KX", b"A4", b"PR", b"EF", b"B36",
    b"VW", b"HN",
];

/// By value: the values that it is taken for, a bit each.
const LOOK_ALIKES: [u32; alphabet::SIZE] = {
    let mut table = [0; alphabet::SIZE];
    let mut group = 0;
    while group < GROUPS.len() {
        let members = GROUPS[group];
        let mut pair = 0;
        while pair < members.len() * members.len() {
            let (one, other) = (members[pair / members.len()], members[pair % members.len()]);
            if one != other {
                table[alphabet::byte_value(one) as usize] |= 1 << alphabet::byte_value(other);
            }
            pair += 1;
        }
        group += 1;
    }
    table
};

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

    /// The symbol that a foreign character must have been, all others being right.
    pub(super) fn erasure(values: &[u8], at: usize) -> Likely {
        let mut likely = Likely::default();
        likely.push(
            at,
            Kind::Missing(alphabet::symbol(check::erasure(values, at))),
        );
        likely
    }

    /// A bit a place, the first the lowest.
    pub(super) fn ones(ones: u32) -> Likely {
        let mut likely = Likely::default();
        for at in (0..check::MAX_SYMBOLS).filter(|at| ones >> at & 1 == 1) {
            likely.push(at, Kind::One);
        }
        likely
    }

    /// The places where one usual slip explains why these values fail the check.
    ///
    /// At each place just one symbol would satisfy it, so at most one look-alike is named there.
    pub(super) fn typos(values: &[u8]) -> Likely {
        let mut likely = Likely::default();
        for (at, value) in values.iter().enumerate() {
            let fitting = check::erasure(values, at);
            if look_alike(*value, fitting) {
                likely.push(at, Kind::LooksLike(alphabet::symbol(fitting)));
            }
            if check::is_valid_swapped(values, at) {
                likely.push(at, Kind::SwappedWithNext);
            }
        }
        likely
    }
}

/// Whether people take the symbol of one value for that of the other.
fn look_alike(one: u8, other: u8) -> bool {
    LOOK_ALIKES
        .get(usize::from(one))
        .is_some_and(|others| others >> other & 1 == 1)
}
