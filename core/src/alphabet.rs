//! The alphabet of recovery codes: RFC 4648 section 6 base32, `A-Z2-7`.
//!
//! Symbols and their values, nothing else. Letter case, separators and look-alikes are not known
//! here: reading (`code`) and half-typed input (`entry`) fold what people write before they ask.

/// How many symbols the alphabet has. It divides 256, so five bits of a random byte are a symbol
/// without bias.
pub const SIZE: usize = 32;

/// The symbols in the order of their values (RFC 4648 section 6, table 3): `A` is 0, `7` is 31.
pub const SYMBOLS: [u8; SIZE] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The value (0 to 31) of an upper-case symbol, or `None` for any other character.
pub fn value(symbol: char) -> Option<u8> {
    match symbol {
        'A'..='Z' => Some(symbol as u8 - b'A'),
        '2'..='7' => Some(symbol as u8 - b'2' + 26),
        _ => None,
    }
}

/// The symbol of a value. Only the low five bits count, so that every byte has a symbol.
pub const fn symbol(value: u8) -> char {
    SYMBOLS[(value & 31) as usize] as char
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_symbol_and_every_symbol_its_value() {
        for value in 0..32 {
            assert_eq!(super::value(symbol(value)), Some(value));
        }
        assert_eq!(
            (symbol(0), symbol(25), symbol(26), symbol(31)),
            ('A', 'Z', '2', '7')
        );
    }

    #[test]
    fn the_alphabet_is_all_there_is() {
        let known = (0..=0x10ffff)
            .filter_map(char::from_u32)
            .filter(|c| value(*c).is_some());
        assert_eq!(known.count(), SIZE);
    }

    /// Rows S4, A-07.
    #[test]
    fn all_byte_values_together_hit_each_symbol_eight_times() {
        let mut hits = [0; 128];
        for byte in 0..=255 {
            hits[symbol(byte) as usize] += 1;
        }
        assert!(SYMBOLS.iter().all(|symbol| hits[usize::from(*symbol)] == 8));
    }
}
