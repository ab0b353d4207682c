//! One-time passwords: RFC 6238, SHA-1, six digits, 30 seconds, one step either way.

use totp_rs::{Builder, Secret};
use zeroize::Zeroizing;

use crate::model::Timestamp;

/// Seconds in a step.
pub(super) const STEP: i64 = 30;

/// Bytes in a secret (RFC 4226, 4: at least 16, better 20).
pub(super) const SECRET_BYTES: usize = 20;

/// The six digits in what somebody typed, spaces aside; `None` when they are not six digits.
pub(super) fn parse(text: &str) -> Option<Zeroizing<String>> {
    let mut digits = Zeroizing::new(String::with_capacity(6));
    for symbol in text.chars().filter(|symbol| !symbol.is_whitespace()) {
        if !symbol.is_ascii_digit() || digits.len() == 6 {
            return None;
        }
        digits.push(symbol);
    }
    (digits.len() == 6).then_some(digits)
}

/// The time step whose password this is, among the one now and its two neighbours.
pub(super) fn matching_step(secret: &[u8], digits: &str, now: Timestamp) -> Option<i64> {
    let totp = Builder::new()
        .with_secret(Secret::new(secret.into()))
        .with_step_duration(STEP.unsigned_abs())
        .with_skew(1)
        .build()
        .ok()?;
    let seconds = u64::try_from(now.0.div_euclid(1_000)).ok()?;
    totp.check(digits, seconds)
        .and_then(|step| i64::try_from(step).ok())
}

/// The secret for typing: base32 without padding.
pub(super) fn base32(secret: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(data_encoding::BASE32_NOPAD.encode(secret))
}

/// Reads a secret in base32, spaces and case aside.
pub(super) fn parse_base32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let compact: Zeroizing<String> = Zeroizing::new(
        text.chars()
            .filter(|c| !c.is_whitespace())
            .collect::<String>(),
    );
    let upper = Zeroizing::new(compact.to_ascii_uppercase());
    let bytes = data_encoding::BASE32_NOPAD
        .decode(upper.trim_end_matches('=').as_bytes())
        .ok()?;
    (bytes.len() >= 16).then(|| Zeroizing::new(bytes))
}

/// The address that an authenticator app reads from the QR code.
pub(super) fn uri(product: &str, account: &str, secret: &[u8]) -> Zeroizing<String> {
    let issuer = percent_encode(product);
    let label = percent_encode(account);
    let secret = base32(secret);
    Zeroizing::new(format!(
        "otpauth://totp/{issuer}:{label}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        secret.as_str()
    ))
}

/// RFC 3986 unreserved characters stay.
fn percent_encode(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut encoded, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    encoded.push(char::from(byte));
                }
                _ => {
                    encoded.push('%');
                    encoded.push_str(&data_encoding::HEXUPPER.encode(&[byte]));
                }
            }
            encoded
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, SHA-1, the last six of the eight digits.
    #[test]
    fn the_passwords_are_those_of_rfc_6238() {
        let secret = b"12345678901234567890";
        for (seconds, digits) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            let at = Timestamp(seconds * 1_000);
            assert_eq!(
                matching_step(secret, digits, at),
                Some(seconds / STEP),
                "{seconds}"
            );
        }
    }

    /// Row A-38.
    #[test]
    fn a_password_is_good_for_one_step_either_way_and_no_further() {
        let secret = b"12345678901234567890";
        let step = 1_111_111_109 / STEP;
        for (away, found) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let at = Timestamp((step + away) * STEP * 1_000);
            assert_eq!(
                matching_step(secret, "081804", at).is_some(),
                found,
                "{away}"
            );
        }
    }

    #[test]
    fn only_six_digits_are_a_password() {
        assert_eq!(
            parse(" 123 456 ").as_deref().map(String::as_str),
            Some("123456")
        );
        for text in [
            "",
            "12345",
            "1234567",
            "12345a",
            "１２３４５６",
            "123\u{0}456",
        ] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn an_address_names_issuer_and_account_and_breaks_on_no_character() {
        let uri = uri("Spare Key", "a&b@example.com", b"12345678901234567890");
        assert_eq!(
            uri.as_str(),
            "otpauth://totp/Spare%20Key:a%26b%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Spare%20Key&algorithm=SHA1&digits=6&period=30"
        );
    }
}
