//! How many bits codes can have at most, by the characters that they are made of.

/// What fewer bits than these cannot be taken: it would be guessed.
pub(super) const BITS_MIN: f64 = 32.0;

/// What has fewer bits than these is weaker than anything that is made here.
pub(super) const BITS_OURS: f64 = 64.0;

/// Keycloak's codes: 12 of 34 characters.
pub(super) const KEYCLOAK_BITS: f64 = 61.0;

/// A kind of characters.
type Kind = fn(&u8) -> bool;

/// The most bits that the shortest of these codes can have, were its characters drawn at random from
/// all of the kinds that appear in any of them.
pub(super) fn bits<'a>(codes: impl Iterator<Item = &'a [u8]> + Clone) -> f64 {
    let any = |is: Kind| codes.clone().flatten().any(is);
    let kinds: [(Kind, u32); 4] = [
        (u8::is_ascii_digit, 10),
        (u8::is_ascii_uppercase, 26),
        (u8::is_ascii_lowercase, 26),
        (|c| !c.is_ascii_alphanumeric(), 33),
    ];
    let alphabet: u32 = kinds
        .into_iter()
        .filter(|(is, _)| any(*is))
        .map(|(_, size)| size)
        .sum();
    let shortest = codes.map(<[u8]>::len).min().unwrap_or(0);
    // At most 64 characters.
    shortest as f64 * f64::from(alphabet.max(1)).log2()
}

#[cfg(test)]
mod tests {
    #[test]
    fn strength_is_that_of_the_shortest_code_and_all_kinds_of_characters() {
        let bits = |codes: &[&str]| super::bits(codes.iter().map(|code| code.as_bytes())) as u32;
        assert_eq!(bits(&["12345678"]), 26);
        assert_eq!(bits(&["1234567890"]), 33);
        assert_eq!(bits(&["ABCDEFG"]), 32);
        assert_eq!(bits(&["ABCDEF", "1234567890"]), 31);
        assert_eq!(bits(&["abCD12!?"]), 52);
        assert_eq!(bits(&[]), 0);
    }
}
