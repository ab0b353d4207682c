//! The server's own secrets, kept apart from the database: a stolen database gives nothing.
//!
//! A keyring holds several keys of 256 bits, one of them current. From each, HKDF-SHA-256
//! (RFC 5869) derives one key a purpose: Argon2's pepper, the locators' HMAC, the AEAD that seals
//! TOTP secrets, batch seeds and signing keys, the CSRF proof. What is written names its key, so
//! that rotation keeps everything working. The file has mode 0600 and a wider one is refused.
//!
//! A keyring that was read from a file follows it ([`Keyring::look`]); one from the environment is
//! what it was when it was read.

mod file;
mod follow;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub use self::file::{KeyLine, KeyringError, RotateError};
use self::follow::Followed;
use crate::entropy::{Entropy, EntropyFault, draw_bytes};
use crate::model::{AccountId, Generation, KeyId, Locator, Sealed, Timestamp, Token, TokenDigest};

/// What a derived key is for; its label is part of the derivation.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Pepper,
    Locator,
    Seal,
    Csrf,
    Transaction,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Pepper => b"spare-key/v1/pepper",
            Self::Locator => b"spare-key/v1/locator",
            Self::Seal => b"spare-key/v1/seal",
            Self::Csrf => b"spare-key/v1/csrf",
            Self::Transaction => b"spare-key/v1/transaction",
        }
    }
}

/// What is sealed; part of the associated data, so that one thing cannot pose as another.
#[derive(Debug, Clone, Copy)]
pub enum Sealing<'a> {
    /// A TOTP secret, by its authenticator's name.
    Totp(&'a str),
    /// A batch's seed.
    Seed(Generation),
    /// A signing key, by its name: nobody's in particular.
    SigningKey(&'a str),
}

#[derive(Clone)]
struct Key {
    id: KeyId,
    created_at: Timestamp,
    secret: Zeroizing<[u8; 32]>,
}

/// Several keys, one current, the oldest first.
struct Ring {
    keys: Vec<Key>,
    current: KeyId,
}

impl Ring {
    fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }
}

/// Several keys, one current.
pub struct Keyring {
    /// Swapped as a whole.
    ring: RwLock<Arc<Ring>>,
    /// The file it came from.
    followed: Option<Followed>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.ring();
        write!(
            f,
            "Keyring({} keys, current {})",
            ring.keys.len(),
            ring.current.0
        )
    }
}

/// A key is named that this keyring does not have, or what was sealed does not open with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The named key is not here.
    #[error("key {0} is not in the keyring; use the keyring that this database was used with")]
    Missing(u32),
    /// The bytes were changed, moved from another place, or sealed by another key of this number.
    #[error(
        "something sealed does not open; the database or the keyring is not the one it was sealed with"
    )]
    Broken,
}

impl Keyring {
    /// A keyring of one new key.
    pub fn draw(entropy: &dyn Entropy, now: Timestamp) -> Result<Self, EntropyFault> {
        let key = Key {
            id: KeyId(1),
            created_at: now,
            secret: draw_bytes(entropy)?,
        };
        Ok(Self::of(Ring {
            keys: vec![key],
            current: KeyId(1),
        }))
    }

    fn of(ring: Ring) -> Self {
        Self {
            ring: RwLock::new(Arc::new(ring)),
            followed: None,
        }
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn swap(&self, ring: Ring) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    /// Adds a new key and makes it the current one; the older ones stay.
    pub fn rotate(&mut self, entropy: &dyn Entropy, now: Timestamp) -> Result<KeyId, EntropyFault> {
        let mut keys = self.ring().keys.clone();
        let id = KeyId(keys.iter().map(|key| key.id.0).max().unwrap_or(0) + 1);
        keys.push(Key {
            id,
            created_at: now,
            secret: draw_bytes(entropy)?,
        });
        self.swap(Ring { keys, current: id });
        Ok(id)
    }

    /// The key that new things are made with.
    pub fn current(&self) -> KeyId {
        self.ring().current
    }

    /// Whether this key is here; asks the file, if it is not.
    pub fn has(&self, key: KeyId) -> bool {
        self.derive(key, Purpose::Pepper).is_ok()
    }

    /// Its keys as they may be shown.
    pub fn lines(&self) -> Vec<KeyLine> {
        let ring = self.ring();
        ring.keys
            .iter()
            .map(|key| KeyLine {
                id: key.id,
                created_at: key.created_at,
                current: key.id == ring.current,
            })
            .collect()
    }

    /// Argon2's secret input under this key.
    pub fn pepper(&self, key: KeyId) -> Result<Zeroizing<[u8; 32]>, KeyFault> {
        self.derive(key, Purpose::Pepper)
    }

    /// The tag that finds a code's row: the first 16 bits of HMAC-SHA-256 over account,
    /// generation and canonical code. Public knowledge of it says next to nothing without the key.
    pub fn locator(
        &self,
        key: KeyId,
        account: &AccountId,
        generation: Generation,
        canonical: &[u8],
    ) -> Result<Locator, KeyFault> {
        let derived = self.derive(key, Purpose::Locator)?;
        let mut mac = hmac_of(&derived);
        mac.update(&scope(b"code", account, &generation.0.to_be_bytes()));
        mac.update(canonical);
        let tag = mac.finalize().into_bytes();
        Ok(Locator(u16::from_be_bytes([tag[0], tag[1]])))
    }

    /// Seals a secret for one account and one use: XChaCha20-Poly1305 under the current key.
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        account: &AccountId,
        what: Sealing<'_>,
        secret: &[u8],
    ) -> Result<Sealed, SealError> {
        self.seal_within(entropy, account.as_str(), what, secret)
    }

    /// The same for what belongs to no account; no account has an empty name.
    pub fn seal_for_all(
        &self,
        entropy: &dyn Entropy,
        what: Sealing<'_>,
        secret: &[u8],
    ) -> Result<Sealed, SealError> {
        self.seal_within(entropy, "", what, secret)
    }

    fn seal_within(
        &self,
        entropy: &dyn Entropy,
        account: &str,
        what: Sealing<'_>,
        secret: &[u8],
    ) -> Result<Sealed, SealError> {
        let nonce = draw_bytes::<24>(entropy)?;
        let current = self.current();
        let cipher = self.cipher(current)?;
        let aad = sealing_scope(account, what);
        let body = cipher
            .encrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: secret,
                    aad: &aad,
                },
            )
            .map_err(|_| KeyFault::Broken)?;
        let mut bytes = current.0.to_be_bytes().to_vec();
        bytes.extend_from_slice(nonce.as_slice());
        bytes.extend_from_slice(&body);
        Ok(Sealed(bytes))
    }

    /// Opens what [`Keyring::seal`] sealed for this account and this use.
    pub fn open(
        &self,
        account: &AccountId,
        what: Sealing<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
        self.open_within(account.as_str(), what, sealed)
    }

    /// Opens what [`Keyring::seal_for_all`] sealed for this use.
    pub fn open_for_all(
        &self,
        what: Sealing<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
        self.open_within("", what, sealed)
    }

    fn open_within(
        &self,
        account: &str,
        what: Sealing<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
        let (id, rest) = sealed.0.split_first_chunk::<4>().ok_or(KeyFault::Broken)?;
        let (nonce, body) = rest.split_first_chunk::<24>().ok_or(KeyFault::Broken)?;
        let cipher = self.cipher(KeyId(u32::from_be_bytes(*id)))?;
        let aad = sealing_scope(account, what);
        cipher
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: body,
                    aad: &aad,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| KeyFault::Broken)
    }

    /// The proof that a form was made for the holder of this cookie value. It is the same for a
    /// value as long as the key is in the ring.
    pub fn csrf_proof(&self, cookie: &str) -> Result<TokenDigest, KeyFault> {
        self.about_cookie(Purpose::Csrf, cookie).map(TokenDigest)
    }

    /// The name of what the holder of this cookie value is in the middle of. It is no secret and
    /// may stand in an address: neither the value nor the proof of a form follows from it.
    pub fn transaction_name(&self, cookie: &str) -> Result<[u8; 16], KeyFault> {
        let mac = self.about_cookie(Purpose::Transaction, cookie)?;
        let mut name = [0_u8; 16];
        name.copy_from_slice(mac.split_at(16).0);
        Ok(name)
    }

    fn about_cookie(&self, purpose: Purpose, cookie: &str) -> Result<[u8; 32], KeyFault> {
        let ring = self.ring();
        let oldest = ring.keys.first().map_or(ring.current, |key| key.id);
        let derived = self.derive(oldest, purpose)?;
        let mut mac = hmac_of(&derived);
        mac.update(cookie.as_bytes());
        Ok(mac.finalize().into_bytes().into())
    }

    fn cipher(&self, key: KeyId) -> Result<XChaCha20Poly1305, KeyFault> {
        let derived = self.derive(key, Purpose::Seal)?;
        Ok(XChaCha20Poly1305::new(&(*derived).into()))
    }

    fn derive(&self, key: KeyId, purpose: Purpose) -> Result<Zeroizing<[u8; 32]>, KeyFault> {
        let mut ring = self.ring();
        if ring.key(key).is_none() {
            // Another server may have used a key that was added a moment ago.
            self.look();
            ring = self.ring();
        }
        let key = ring.key(key).ok_or(KeyFault::Missing(key.0))?;
        let mut derived = Zeroizing::new([0_u8; 32]);
        Hkdf::<Sha256>::new(None, key.secret.as_slice())
            .expand(purpose.label(), derived.as_mut_slice())
            .map_err(|_| KeyFault::Broken)?;
        Ok(derived)
    }
}

/// Sealing failed: the key, or the randomness for the nonce.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyFault),
}

/// What is stored of an opaque value: its SHA-256. It has 256 random bits, so a plain hash does.
pub fn token_digest(token: &Token) -> TokenDigest {
    TokenDigest(Sha256::digest(token.reveal().as_bytes()).into())
}

/// SHA-256 over parts, each with its length before it, so that no two lists of parts are alike.
pub fn digest_parts(parts: &[&[u8]]) -> TokenDigest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    TokenDigest(hash.finalize().into())
}

/// Names one use within one account, unambiguously.
pub fn scope(kind: &[u8], account: &AccountId, rest: &[u8]) -> [u8; 32] {
    digest_parts(&[kind, account.as_str().as_bytes(), rest]).0
}

fn sealing_scope(account: &str, what: Sealing<'_>) -> [u8; 32] {
    let generation;
    let (kind, rest): (&[u8], &[u8]) = match what {
        Sealing::Totp(authenticator) => (b"totp", authenticator.as_bytes()),
        Sealing::Seed(number) => {
            generation = number.0.to_be_bytes();
            (b"seed", &generation)
        }
        Sealing::SigningKey(id) => (b"signing key", id.as_bytes()),
    };
    digest_parts(&[kind, account.as_bytes(), rest]).0
}

/// HMAC pads a short key with zeros to its block of 64 bytes (RFC 2104); done here, the length
/// cannot be wrong.
fn hmac_of(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = Zeroizing::new([0_u8; 64]);
    block[..32].copy_from_slice(key);
    <Hmac<Sha256> as hmac::KeyInit>::new(&(*block).into())
}

#[cfg(test)]
mod tests;
