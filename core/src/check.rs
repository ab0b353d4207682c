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

/// The weight of each position, alpha^i.
pub const WEIGHTS: [u8; MAX_SYMBOLS] = {
    let mut weights = [1; MAX_SYMBOLS];
    let mut at = 1;
    while at < MAX_SYMBOLS {
        weights[at] = times_alpha(weights[at - 1]);
        at += 1;
    }
    weights
};

/// The list that is published with the format, so that a slip in the arithmetic above does not
/// compile.
const PUBLISHED: [u8; MAX_SYMBOLS] = [
    1, 2, 4, 8, 16, 5, 10, 20, 13, 26, 17, 7, 14, 28, 29, 31, 27, 19, 3, 6, 12, 24, 21, 15,
];
const _: () = {
    let mut at = 0;
    while at < MAX_SYMBOLS {
        assert!(WEIGHTS[at] == PUBLISHED[at]);
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
    solve(sum(values), values.len())
}

/// The only value at `position` (from 0) that makes `values` valid, whatever stands there now.
///
/// This is what a smudged symbol must have been, if all others are right. A `position` outside
/// of `values` gives 0.
pub fn erasure(values: &[u8], position: usize) -> u8 {
    let own = values.get(position).copied().unwrap_or(0);
    solve(sum(values) ^ product(own, weight(position)), position)
}

/// Whether `values` would be valid with the symbols at `position` and after it swapped.
pub fn is_valid_swapped(values: &[u8], position: usize) -> bool {
    let (Some(one), Some(other)) = (values.get(position), values.get(position + 1)) else {
        return false;
    };
    // Both places change by the same difference: subtraction is addition here.
    let change = product(one ^ other, weight(position) ^ weight(position + 1));
    values.len() <= MAX_SYMBOLS && sum(values) ^ change == VALID
}

/// The value that, at `position`, lifts the sum of all others to [`VALID`].
fn solve(others: u8, position: usize) -> u8 {
    product(others ^ VALID, inverse(weight(position)))
}

fn sum(values: &[u8]) -> u8 {
    values
        .iter()
        .zip(WEIGHTS)
        .fold(0, |sum, (value, weight)| sum ^ product(*value, weight))
}

fn weight(position: usize) -> u8 {
    WEIGHTS.get(position).copied().unwrap_or(0)
}

const fn times_alpha(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 == 0 {
        shifted
    } else {
        shifted ^ POLYNOMIAL
    }
}

/// Russian peasant multiplication: five steps, no table, no branch on position.
const fn product(a: u8, b: u8) -> u8 {
    let (mut power, mut bits, mut sum) = (a & 31, b & 31, 0);
    while bits != 0 {
        if bits & 1 == 1 {
            sum ^= power;
        }
        power = times_alpha(power);
        bits >>= 1;
    }
    sum
}

/// a^30, since a^31 is 1 for every element but 0.
const fn inverse(a: u8) -> u8 {
    let (mut power, mut step) = (a, 1);
    while step < 30 {
        power = product(power, a);
        step += 1;
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_times_the_element_is_one() {
        for element in 1..32 {
            assert_eq!(product(element, inverse(element)), 1, "{element}");
        }
    }

    #[test]
    fn a_product_with_a_sum_is_the_sum_of_the_products() {
        for (a, b, c) in (0..32u16 * 1024).map(|n| (n / 1024, n / 32 % 32, n % 32)) {
            let (a, b, c) = (a as u8, b as u8, c as u8);
            assert_eq!(product(a, b ^ c), product(a, b) ^ product(a, c));
            assert_eq!(product(a, b), product(b, a));
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
