//! The check symbol: a weighted sum over GF(32).
//!
//! It tells a mistyped code from a wrong one before anything is sent. It finds every single wrong
//! symbol, every swap of two symbols and every twin error (`aa` written `bb`), and 31 of 32 of
//! all other errors. It carries no secret and protects nothing: whoever guesses can compute it.
//! It says whether a code is right, and never makes a wrong one right: repairs are for people.
//!
//! The field has 32 elements, one per symbol, with polynomial x^5 + x^2 + 1. Position `i`,
//! counted from 0, has weight alpha^i with alpha = 2, and a code is valid when the weighted sum
//! is 1. The constant is not 0 so that `AAAA-AAAA-AAAA-AAAA` is invalid. Weights differ up to
//! 31 positions, which is why no swap goes unseen.

/// x^5 + x^2 + 1, primitive over GF(2).
const POLYNOMIAL: u8 = 0x25;

/// The weighted sum of a valid code.
const VALID: u8 = 1;

/// The longest code there is, in symbols.
pub const MAX_SYMBOLS: usize = 24;

/// The weights that are published with the format, so that a slip in the arithmetic below does not
/// compile.
const PUBLISHED: [u8; MAX_SYMBOLS] = [
    1, 2, 4, 8, 16, 5, 10, 20, 13, 26, 17, 7, 14, 28, 29, 31, 27, 19, 3, 6, 12, 24, 21, 15,
];
const _: () = {
    let mut at = 0;
    while at < MAX_SYMBOLS {
        let mut values = [0; MAX_SYMBOLS];
        values[at] = 1;
        assert!(sum(&values) == PUBLISHED[at]);
        at += 1;
    }
};

/// Whether the values (0 to 31 each, at most [`MAX_SYMBOLS`]) are a valid code.
///
/// More than [`MAX_SYMBOLS`] values, or none, are never valid.
pub fn is_valid(values: &[u8]) -> bool {
    values.len() <= MAX_SYMBOLS && sum(values) == VALID
}

/// The check symbol's value for the values before it (at most 23).
pub fn check_symbol(values: &[u8]) -> u8 {
    lacking(values, values.len())
}

/// The only value at `position` (from 0) that makes `values` valid, whatever stands there now.
///
/// This is what a smudged symbol must have been, if all others are right. A `position` outside
/// of `values` gives 0.
pub fn erasure(values: &[u8], position: usize) -> u8 {
    let own = values.get(position);
    own.map_or(0, |own| own ^ lacking(values, position))
}

/// Whether `values` would be valid with the symbols at `position` and after it swapped.
pub fn is_valid_swapped(values: &[u8], position: usize) -> bool {
    let (Some(one), Some(other)) = (values.get(position), values.get(position + 1)) else {
        return false;
    };
    // Both places change by the same difference: subtraction is addition here.
    let change = one ^ other;
    values.len() <= MAX_SYMBOLS && lacking(values, position) == change ^ times_alpha(change)
}

/// What has to be added to the value at `position` to lift the sum to [`VALID`].
fn lacking(values: &[u8], position: usize) -> u8 {
    (0..position).fold(sum(values) ^ VALID, |lack, _| over_alpha(lack))
}

/// The weighted sum, from the last value to the first: each step doubles the weights of all that
/// stand behind (Horner's rule).
const fn sum(mut values: &[u8]) -> u8 {
    let mut sum = 0;
    while let [before @ .., last] = values {
        sum = times_alpha(sum) ^ *last;
        values = before;
    }
    sum
}

const fn times_alpha(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 == 0 {
        shifted
    } else {
        shifted ^ POLYNOMIAL
    }
}

const fn over_alpha(value: u8) -> u8 {
    if value & 1 == 0 {
        value >> 1
    } else {
        (value ^ POLYNOMIAL) >> 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_leads_through_all_elements_and_back() {
        let mut element = 1;
        for step in 1..=31 {
            let next = times_alpha(element);
            assert_eq!(over_alpha(next), element);
            element = next;
            assert_eq!(element == 1, step == 31, "{step}");
        }
        assert_eq!((times_alpha(0), over_alpha(0)), (0, 0));
    }

    #[test]
    fn times_alpha_of_a_sum_is_the_sum_of_both() {
        for (a, b) in (0..1024u16).map(|n| ((n / 32) as u8, (n % 32) as u8)) {
            assert_eq!(times_alpha(a ^ b), times_alpha(a) ^ times_alpha(b));
        }
    }

    #[test]
    fn too_many_values_and_none_are_invalid() {
        assert!(!is_valid(&[]));
        let mut values = [0; 25];
        values[0] = 1;
        assert!(is_valid(&values[..24]));
        assert!(!is_valid(&values));
    }
}
