//! The plain values every ring speaks of: identifiers, numbers, times, digests.
//!
//! They are checked when they are made and carry no behaviour beyond that: no clock, no
//! randomness, no database, no wire format.

mod imported;
mod mail;

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use self::imported::{FOREIGN_CODE_MAX, ForeignCode, Imported, Letters, Origin, Separators};
pub use self::mail::MailAddress;

/// Whose codes: the caller's own identifier, kept byte for byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

/// The longest account identifier, in bytes.
pub const ACCOUNT_ID_MAX: usize = 255;

impl AccountId {
    /// Takes 1 to 255 bytes without control characters, as they are: nothing is trimmed, folded
    /// or normalised, so that no account can be mistaken for another.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.len() <= ACCOUNT_ID_MAX;
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.to_owned()))
    }

    /// The identifier as its caller wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for those who know accounts by a UUID: made of the identifier alone, and so the
    /// same wherever it is made (RFC 9562, 5.8).
    pub fn uuid(&self) -> Uuid {
        uuid_of(b"account", self.0.as_bytes())
    }
}

/// A UUID that stands for a name of this kind.
fn uuid_of(kind: &[u8], name: &[u8]) -> Uuid {
    let digest = Sha256::new()
        .chain_update(kind)
        .chain_update([0])
        .chain_update(name)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A batch's number within its account: it only grows and is never used twice. 0 is "none yet".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Generation(pub u32);

impl Generation {
    /// The number after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// A point in time: milliseconds since 1970-01-01T00:00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This time and `span` more; `span` may be negative.
    #[must_use]
    pub fn plus(self, span: Millis) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// How long after `earlier` this is; negative when it is before.
    #[must_use]
    pub fn since(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

/// A length of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Millis(pub i64);

impl Millis {
    /// So many seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds * 1_000)
    }

    /// So many minutes.
    pub const fn minutes(minutes: i64) -> Self {
        Self(minutes * 60_000)
    }

    /// So many days.
    pub fn days(days: u32) -> Self {
        Self(i64::from(days) * 24 * 60 * 60_000)
    }

    /// Whole seconds, rounded up, never negative: what `Retry-After` wants.
    pub fn ceil_seconds(self) -> u64 {
        u64::try_from(self.0.saturating_add(999).div_euclid(1_000)).unwrap_or(0)
    }
}

/// SHA-256 of an opaque random value (session, challenge, client secret): what is stored of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest(pub [u8; 32]);

impl TokenDigest {
    /// A public name for what the value opens; it opens nothing itself.
    pub fn uuid(&self) -> Uuid {
        uuid_of(b"session", &self.0)
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

/// An opaque value of 256 random bits in the hands of a person or a client. Never stored.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Token(String);

impl Token {
    /// Takes what the caller presented; anything is a token, most are nobody's.
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The same behind a word that says what it is for.
    #[must_use]
    pub fn behind(&self, word: &str) -> Self {
        Self(format!("{word}{}", self.0))
    }

    /// The value itself, for the one answer that hands it out.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The short keyed tag that finds a code's row: truncated HMAC-SHA-256 of batch and code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Locator(pub u16);

/// Argon2id parameters (RFC 9106): memory in KiB, passes, lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HashParams {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// Which of the keyring's keys; 1 is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub u32);

/// How a secret was digested: enough to do it again, and nothing that helps without the keyring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scheme {
    /// Argon2id's cost.
    pub params: HashParams,
    /// The keyring key that served as pepper and made the locators.
    pub key: KeyId,
}

/// A secret as it is stored: its own salt (128 bits) and its digest (256 bits).
#[derive(Clone, PartialEq, Eq)]
pub struct SecretDigest {
    /// 128 random bits, one salt a secret (NIST SP 800-63B-4, 3.1.2.2).
    pub salt: [u8; 16],
    /// Argon2id's output.
    pub digest: [u8; 32],
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

/// Bytes under the keyring's AEAD; the first four name the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

/// A bound authenticator's public name: `totp|` and 128 random bits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuthenticatorId(pub String);

impl AuthenticatorId {
    /// The same for those who know authenticators by a UUID.
    pub fn uuid(&self) -> Uuid {
        uuid_of(b"authenticator", self.0.as_bytes())
    }
}

/// Where a batch is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchState {
    /// Staged: shown, not yet live.
    Pending,
    /// Live: its codes redeem.
    Active,
    /// Ended by its successor.
    Superseded,
    /// Ended without a successor.
    Revoked,
    /// Staged and never activated.
    Lapsed,
}

/// What happened, as the audit trail names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A batch was drawn and waits for confirmation.
    CodesStaged,
    /// A pending batch was shown again.
    CodesShownAgain,
    /// A batch became the live one.
    CodesActivated,
    /// A pending batch was given up or replaced.
    CodesGivenUp,
    /// A code was spent.
    CodesRedeemed,
    /// A code was not accepted; the event's detail says why, the caller is never told.
    CodesRefused,
    /// An attempt was refused before any hash, because of those before it.
    CodesThrottled,
    /// The live batch was ended without a successor.
    CodesRevoked,
    /// An older backup was restored and the batch left live: codes used since may be good again.
    CodesKept,
    /// Codes that another system made became the live batch; the event's detail says which.
    CodesImported,
    /// An authenticator was bound.
    FactorEnrolled,
    /// An authenticator took the place of the lost one.
    FactorReplaced,
    /// An authenticator was unbound.
    FactorRemoved,
    /// A one-time password was accepted.
    FactorVerified,
    /// A one-time password was not accepted.
    FactorRefused,
    /// An API key was made.
    KeyAdded,
    /// An API key was removed.
    KeyRemoved,
    /// A program renews its tokens and the person must prove a factor first.
    FactorAsked,
    /// A device was trusted: its next sign-ins are not asked for a second factor.
    DeviceTrusted,
    /// Devices are trusted no more; the event's detail says why, where it was not one by one.
    DeviceForgotten,
    /// A password was accepted.
    PasswordVerified,
    /// A password was not accepted.
    PasswordRefused,
    /// Somebody signed out.
    SignedOut,
    /// An account came into being.
    AccountAdded,
    /// An administrator took all factors and codes from an account.
    MfaReset,
    /// The account may administer the others from now on.
    AdministratorAdded,
    /// It may not any more.
    AdministratorRemoved,
    /// An address was added that the person is told at.
    AddressAdded,
    /// Such an address was removed.
    AddressRemoved,
    /// The person could not be told of something; the event's detail says of what.
    NoticeGivenUp,
    /// An administrator switched recovery codes on.
    CodesSwitchedOn,
    /// An administrator switched recovery codes off.
    CodesSwitchedOff,
}

impl EventKind {
    /// Every kind, in the order of the declaration.
    pub const ALL: [Self; 32] = [
        Self::CodesStaged,
        Self::CodesShownAgain,
        Self::CodesActivated,
        Self::CodesGivenUp,
        Self::CodesRedeemed,
        Self::CodesRefused,
        Self::CodesThrottled,
        Self::CodesRevoked,
        Self::CodesKept,
        Self::CodesImported,
        Self::FactorEnrolled,
        Self::FactorReplaced,
        Self::FactorRemoved,
        Self::FactorVerified,
        Self::FactorRefused,
        Self::KeyAdded,
        Self::KeyRemoved,
        Self::FactorAsked,
        Self::DeviceTrusted,
        Self::DeviceForgotten,
        Self::PasswordVerified,
        Self::PasswordRefused,
        Self::SignedOut,
        Self::AccountAdded,
        Self::MfaReset,
        Self::AdministratorAdded,
        Self::AdministratorRemoved,
        Self::AddressAdded,
        Self::AddressRemoved,
        Self::NoticeGivenUp,
        Self::CodesSwitchedOn,
        Self::CodesSwitchedOff,
    ];

    /// The stable name that is stored and shown to auditors.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CodesStaged => "codes.staged",
            Self::CodesShownAgain => "codes.shown_again",
            Self::CodesActivated => "codes.activated",
            Self::CodesGivenUp => "codes.given_up",
            Self::CodesRedeemed => "codes.redeemed",
            Self::CodesRefused => "codes.refused",
            Self::CodesThrottled => "codes.throttled",
            Self::CodesRevoked => "codes.revoked",
            Self::CodesKept => "codes.kept",
            Self::CodesImported => "codes.imported",
            Self::FactorEnrolled => "factor.enrolled",
            Self::FactorReplaced => "factor.replaced",
            Self::FactorRemoved => "factor.removed",
            Self::FactorVerified => "factor.verified",
            Self::FactorRefused => "factor.refused",
            Self::KeyAdded => "api_key.added",
            Self::KeyRemoved => "api_key.removed",
            Self::FactorAsked => "factor.asked",
            Self::DeviceTrusted => "device.trusted",
            Self::DeviceForgotten => "device.forgotten",
            Self::PasswordVerified => "password.verified",
            Self::PasswordRefused => "password.refused",
            Self::SignedOut => "session.ended",
            Self::AccountAdded => "account.added",
            Self::MfaReset => "account.mfa_reset",
            Self::AdministratorAdded => "administrator.added",
            Self::AdministratorRemoved => "administrator.removed",
            Self::AddressAdded => "address.added",
            Self::AddressRemoved => "address.removed",
            Self::NoticeGivenUp => "notice.given_up",
            Self::CodesSwitchedOn => "codes.switched_on",
            Self::CodesSwitchedOff => "codes.switched_off",
        }
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the person is told by a message of its own (NIST SP 800-63B-4, 4.6: every
    /// generation, activation, redemption, revocation and change of factor).
    pub const fn notifies(self) -> bool {
        matches!(
            self,
            Self::CodesStaged
                | Self::CodesActivated
                | Self::CodesRedeemed
                | Self::CodesRevoked
                | Self::CodesKept
                | Self::CodesImported
                | Self::FactorEnrolled
                | Self::FactorReplaced
                | Self::FactorRemoved
                | Self::DeviceTrusted
                | Self::KeyAdded
                | Self::KeyRemoved
                | Self::MfaReset
                | Self::AdministratorAdded
                | Self::AdministratorRemoved
                | Self::AddressAdded
                | Self::AddressRemoved
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_kind_is_found_by_its_name() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::named(kind.name()), Some(kind));
        }
    }

    #[test]
    fn an_account_identifier_is_kept_exactly_or_refused() {
        let longest = "ü".repeat(127) + "x";
        for kept in [
            "auth0|alice",
            "a/b",
            " padded ",
            "Ünïcödé",
            longest.as_str(),
        ] {
            assert_eq!(AccountId::parse(kept).map(|id| id.0), Some(kept.to_owned()));
        }
        let too_long = "x".repeat(256);
        for refused in ["", "a\0b", "line\nbreak", "\u{85}", too_long.as_str()] {
            assert_eq!(AccountId::parse(refused), None, "{refused:?}");
        }
    }
}
