//! What of a written text counts: separators dropped, case and width folded, list number gone.
//!
//! The one way of reading, shared by the server (`code`) and the field in the browser (`entry`),
//! so that both agree on every text. It doesn't know the alphabet: a foreign character is passed
//! on for the caller to point at. It does not fold look-alikes.

use core::str::Chars;

/// A character that counts, and where it stands in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Significant {
    /// Upper case and half width.
    pub(crate) symbol: char,
    /// Where the character starts, in UTF-16 units, as browsers count.
    pub(crate) start: usize,
    /// Where it ends, in UTF-16 units.
    pub(crate) end: usize,
}

/// The characters of `text` that count, in order, without a leading list number.
pub(crate) fn significant(text: &str) -> Significants<'_> {
    let mut rest = Significants {
        text: text.chars(),
        start: 0,
    };
    // Repeated, so that what is left never begins with a list number again: formatting a text
    // twice must be the same as formatting it once.
    while let Some(after) = skip_list_number(rest.clone()) {
        rest = after;
    }
    rest
}

/// The rest of a text that is being read. A type of its own and no chain of adapters: it is used
/// in many places, and a chain would be compiled anew into each.
#[derive(Clone)]
pub(crate) struct Significants<'a> {
    text: Chars<'a>,
    start: usize,
}

impl Iterator for Significants<'_> {
    type Item = Significant;

    #[inline(never)]
    fn next(&mut self) -> Option<Significant> {
        loop {
            let character = self.text.next()?;
            let start = self.start;
            self.start += character.len_utf16();
            if !is_separator(character) {
                return Some(Significant {
                    symbol: fold(character),
                    start,
                    end: self.start,
                });
            }
        }
    }
}

/// Whether the character is a separator: dropped wherever it stands.
pub(crate) fn is_separator(character: char) -> bool {
    let code = fold(character) as u32;
    DROPPED
        .iter()
        .any(|(first, last)| (u32::from(*first)..=u32::from(*last)).contains(&code))
        || matches!(code, 0x10d6e | 0x10ead)
}

/// What follows a list number (`3. `, `12) `), or `None` where there is none. Digits alone are
/// never a list number: a code may begin with them.
fn skip_list_number(mut rest: Significants<'_>) -> Option<Significants<'_>> {
    let mut digits = 0;
    loop {
        match rest.next()?.symbol {
            '0'..='9' if digits < 2 => digits += 1,
            '.' | ')' if digits > 0 => return Some(rest),
            _ => return None,
        }
    }
}

/// Half width and upper case. Beyond ASCII the only letters that case folding leads into the
/// alphabet from a keyboard in use are the two Turkish i's.
fn fold(character: char) -> char {
    let narrow = match character {
        // Full-width forms stand in the order of ASCII, 0xFEE0 above it.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(character as u32 - 0xfee0).unwrap_or(character),
        'ı' | 'İ' => 'I',
        other => other,
    };
    narrow.to_ascii_uppercase()
}

/// White space; dash punctuation of Unicode (Pd), and what is drawn as a dash without being one;
/// zero-width characters, direction marks, variation selectors, the byte-order mark. First and last
/// of each run, in order. Here and not in the standard library's tables, which the browser would
/// have to load.
const DROPPED: [(u16, u16); 35] = [
    (0x9, 0xd),
    (0x20, 0x20),
    (0x2d, 0x2d),
    (0x5f, 0x5f),
    (0x85, 0x85),
    (0xa0, 0xa0),
    (0xad, 0xad),
    (0x2d7, 0x2d7),
    (0x34f, 0x34f),
    (0x58a, 0x58a),
    (0x5be, 0x5be),
    (0x61c, 0x61c),
    (0x1400, 0x1400),
    (0x1680, 0x1680),
    (0x1806, 0x1806),
    (0x180e, 0x180e),
    (0x2000, 0x2015),
    (0x2028, 0x202f),
    (0x2043, 0x2043),
    (0x205f, 0x206f),
    (0x2212, 0x2212),
    (0x2e17, 0x2e17),
    (0x2e1a, 0x2e1a),
    (0x2e3a, 0x2e3b),
    (0x2e40, 0x2e40),
    (0x2e5d, 0x2e5d),
    (0x3000, 0x3000),
    (0x301c, 0x301c),
    (0x3030, 0x3030),
    (0x30a0, 0x30a0),
    (0xfe00, 0xfe0f),
    (0xfe31, 0xfe32),
    (0xfe58, 0xfe58),
    (0xfe63, 0xfe63),
    (0xfeff, 0xfeff),
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn folded(text: &str) -> String {
        significant(text).map(|s| s.symbol).collect()
    }

    /// Row E1.
    #[test]
    fn separators_go_and_case_and_width_are_folded() {
        assert_eq!(
            folded("\u{feff} kz3m\u{a0}–\u{200b}q_7\u{ad}t\u{2212}b\r\n"),
            "KZ3MQ7TB"
        );
        assert_eq!(folded("ｋＺ３－ｍ＿"), "KZ3M");
        assert_eq!(folded("ıİ"), "II");
    }

    /// Row E1.
    #[test]
    fn white_space_of_every_kind_is_a_separator() {
        let spaces = (0..=0x10ffff).filter_map(char::from_u32);
        for space in spaces.filter(|character| character.is_whitespace()) {
            assert!(is_separator(space), "{space:?}");
        }
    }

    #[test]
    fn a_number_is_a_list_number_only_before_a_point_or_a_bracket() {
        assert_eq!(folded(" 3. KZ"), "KZ");
        assert_eq!(folded("12)KZ"), "KZ");
        assert_eq!(folded("１２．KZ"), "KZ");
        assert_eq!(folded("2. 3. KZ"), "KZ");
        assert_eq!(folded("22AB"), "22AB");
        assert_eq!(folded("2345-2"), "23452");
        assert_eq!(folded("123. KZ"), "123.KZ");
        assert_eq!(folded(". KZ"), ".KZ");
    }

    #[test]
    fn places_are_counted_in_utf16_units() {
        let places: alloc::vec::Vec<_> = significant("3. 🔑-A").map(|s| (s.start, s.end)).collect();
        assert_eq!(places, [(3, 5), (6, 7)]);
    }
}
