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
    let character = fold(character);
    character.is_whitespace() || is_dash(character) || character == '_' || is_invisible(character)
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

/// Unicode's dash punctuation (Pd), and what is drawn as a dash without being one.
fn is_dash(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{ad}' | '\u{2d7}' | '\u{58a}' | '\u{5be}' | '\u{1400}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{2212}'
                | '\u{2e17}'
                | '\u{2e1a}'
                | '\u{2e3a}'
                | '\u{2e3b}'
                | '\u{2e40}'
                | '\u{2e5d}'
                | '\u{301c}'
                | '\u{3030}'
                | '\u{30a0}'
                | '\u{fe31}'
                | '\u{fe32}'
                | '\u{fe58}'
                | '\u{fe63}'
                | '\u{10d6e}'
                | '\u{10ead}'
    )
}

/// Zero-width characters, direction marks, variation selectors, the byte-order mark.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{34f}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn folded(text: &str) -> String {
        significant(text).map(|s| s.symbol).collect()
    }

    #[test]
    fn separators_go_and_case_and_width_are_folded() {
        assert_eq!(
            folded("\u{feff} kz3m\u{a0}–\u{200b}q_7\u{ad}t\u{2212}b\r\n"),
            "KZ3MQ7TB"
        );
        assert_eq!(folded("ｋＺ３－ｍ＿"), "KZ3M");
        assert_eq!(folded("ıİ"), "II");
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
