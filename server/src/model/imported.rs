//! Codes that another system made: where they came from and how their text is read.
//!
//! They have no check symbol and any alphabet, so reading them is bounded and says nothing about
//! whether they were ever issued. How their text was digested there is the hasher's.

use std::fmt;

use zeroize::Zeroizing;

/// The longest foreign code, in characters that count (bcrypt reads 72 bytes, and no more).
pub const FOREIGN_CODE_MAX: usize = 64;

/// The longest text that is looked into for a foreign code, in bytes; as long as for our own.
const TEXT_MAX: usize = 256;

/// Where codes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Verifiers in a standard notation, from anywhere.
    Phc,
    /// Keycloak.
    Keycloak,
    /// Supabase.
    Supabase,
    /// Codes themselves, which somebody had kept as they are.
    Plaintext,
}

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 4] = [Self::Phc, Self::Keycloak, Self::Supabase, Self::Plaintext];

    /// Its name, as files and the audit trail say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phc => "phc",
            Self::Keycloak => "keycloak",
            Self::Supabase => "supabase",
            Self::Plaintext => "plaintext",
        }
    }
}

/// What happens to the letters of what somebody types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Letters {
    /// They stay as they are.
    Kept,
    /// They are read as capitals.
    Upper,
    /// They are read as small ones.
    Lower,
}

/// What happens to spaces and dashes inside what somebody types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Separators {
    /// They count.
    Kept,
    /// They are left out.
    Ignored,
}

/// How an imported batch's codes are read, by what their origin did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Imported {
    /// Where they came from.
    pub origin: Origin,
    /// Their letters.
    pub letters: Letters,
    /// Their spaces and dashes.
    pub separators: Separators,
}

/// A text that may be a foreign code: 1 to 64 visible ASCII characters, read by its batch's rule.
/// Zeroed on drop; `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct ForeignCode(Zeroizing<Vec<u8>>);

impl ForeignCode {
    /// What was digested, or is to be. Never for an answer or a log.
    pub fn canonical(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ForeignCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignCode(…)")
    }
}

impl Imported {
    /// Reads a text by this rule; `None` when it can be no code of any such batch. Space around it
    /// never counts.
    pub fn read(self, text: &str) -> Option<ForeignCode> {
        if text.len() > TEXT_MAX {
            return None;
        }
        // Capacity first: growing would leave copies behind that nobody zeroes.
        let mut read = Zeroizing::new(Vec::with_capacity(FOREIGN_CODE_MAX));
        for c in text.trim().chars() {
            if self.separators == Separators::Ignored && is_separator(c) {
                continue;
            }
            let visible = c.is_ascii_graphic() || c == ' ';
            if !visible || read.len() == FOREIGN_CODE_MAX {
                return None;
            }
            let c = match self.letters {
                Letters::Kept => c,
                Letters::Upper => c.to_ascii_uppercase(),
                Letters::Lower => c.to_ascii_lowercase(),
            };
            read.push(c as u8);
        }
        (!read.is_empty()).then_some(ForeignCode(read))
    }
}

/// Spaces and dashes of every kind, as people and telephones write them.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200b}'..='\u{200d}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDED: Imported = Imported {
        origin: Origin::Keycloak,
        letters: Letters::Upper,
        separators: Separators::Ignored,
    };
    const EXACT: Imported = Imported {
        origin: Origin::Phc,
        letters: Letters::Kept,
        separators: Separators::Kept,
    };

    fn read(rule: Imported, text: &str) -> Option<String> {
        let code = rule.read(text)?;
        Some(String::from_utf8(code.canonical().to_vec()).unwrap())
    }

    #[test]
    fn a_text_is_read_by_its_batchs_rule_and_no_further() {
        let lower = Imported {
            letters: Letters::Lower,
            ..FOLDED
        };
        assert_eq!(read(FOLDED, " abcd-efgh 1239\n").unwrap(), "ABCDEFGH1239");
        assert_eq!(read(FOLDED, "ab–cd\u{a0}ef").unwrap(), "ABCDEF");
        assert_eq!(read(lower, "ABcd-EF").unwrap(), "abcdef");
        assert_eq!(read(EXACT, " aB-c d ").unwrap(), "aB-c d");
    }

    // Row S13: what is hashed is capped before anything is hashed.
    #[test]
    fn a_foreign_code_has_1_to_64_visible_characters() {
        let longest = "x".repeat(64);
        assert_eq!(read(EXACT, &longest).unwrap(), longest);
        assert_eq!(read(FOLDED, &"x-".repeat(64)).unwrap().len(), 64);
        let long = "x".repeat(65);
        let padded = format!("x{}", " ".repeat(256));
        for none in ["", "   ", "--", "ä", "a\0b", "a\u{7f}", &long, &padded] {
            assert_eq!(read(FOLDED, none), None, "{none:?}");
        }
    }

    #[test]
    fn a_foreign_code_shows_nothing_of_itself() {
        let code = EXACT.read("HUNTER2").unwrap();
        assert_eq!(format!("{code:?}"), "ForeignCode(…)");
    }
}
