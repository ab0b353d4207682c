//! Where mail goes.

use std::fmt;

/// A mail address, as it was given. Not written to logs.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailAddress(String);

/// The longest mail address, in bytes (RFC 5321, 4.5.3.1.3, without its angle brackets).
const MAIL_ADDRESS_MAX: usize = 254;

impl MailAddress {
    /// Takes what has something before and behind its last @ and neither spaces nor control
    /// characters; whether a mail server accepts it, only that one knows.
    pub fn parse(text: &str) -> Option<Self> {
        let (before, behind) = text.rsplit_once('@')?;
        let fits = !before.is_empty() && !behind.is_empty() && text.len() <= MAIL_ADDRESS_MAX;
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ',');
        (fits && !text.chars().any(odd)).then(|| Self(text.to_owned()))
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAddress(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_kept_as_given_or_refused() {
        for kept in ["a@b", "Carol.Ünï+x@example.com", "\"odd@name\"@example.com"] {
            let parsed = MailAddress::parse(kept);
            assert_eq!(parsed.as_ref().map(MailAddress::as_str), Some(kept));
        }
        let long = format!("{}@example.com", "x".repeat(243));
        for refused in [
            "",
            "carol",
            "@b",
            "a@",
            "a b@c",
            "a@b\r\nBcc: d@e",
            "a@b,c@d",
            "A <a@b>",
            &long,
        ] {
            assert_eq!(MailAddress::parse(refused), None, "{refused:?}");
        }
    }
}
