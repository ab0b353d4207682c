//! The keys that tokens are signed with: made when first needed, sealed in the store, shared by
//! every server on it, followed by the next with an overlap.
//!
//! A new key is published before it signs, so that whoever keeps a copy of the published ones has
//! it in time; an old one stays published until the last token it signed has run out.

use zeroize::Zeroizing;

use super::{Fault, Mfa, Result};
use crate::entropy::{draw_rsa_key, draw_token};
use crate::keyring::Sealing;
use crate::model::{Millis, Timestamp};
use crate::store::StoredKey;

/// A signing key, opened.
#[derive(Clone)]
pub struct SigningKey {
    /// Its public name.
    pub id: String,
    /// The private key (PKCS #8, DER).
    pub pkcs8: Zeroizing<Vec<u8>>,
    /// From when it signs.
    pub signs_from: Timestamp,
    /// Until when it is published; `None` while nothing has taken its place.
    pub verifies_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// How a signing key follows the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// The new one is published now and signs in an hour; the old one is published until what it
    /// signed has run out.
    Full,
    /// The old one may be known to others: the new one signs now and the old one verifies nothing
    /// any more.
    None,
}

/// The longest life of anything signed.
const LONGEST_TOKEN: Millis = Millis::minutes(24 * 60);

/// How long a new key is published before it signs.
const AHEAD: Millis = Millis::minutes(60);

/// Tries at adding a key while other servers do.
const TRIES: u32 = 5;

impl Mfa {
    /// Every published key, the latest first; the first one of all is made here.
    ///
    /// # Errors
    /// A fault.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>> {
        for _ in 0..TRIES {
            let stored = self.store.signing_keys(self.now()).await?;
            if !stored.is_empty() {
                return stored.into_iter().map(|key| self.open_key(key)).collect();
            }
            // Another server may be quicker; then its key is found in the next round.
            let new = self.new_key(self.now()).await?;
            self.store.add_signing_key(new, None, self.now()).await?;
        }
        Err(Fault::Contended.into())
    }

    /// Puts a new signing key in the place of the latest; returns its name.
    ///
    /// # Errors
    /// A fault.
    pub async fn rotate_signing_key(&self, overlap: Overlap) -> Result<String> {
        for _ in 0..TRIES {
            let keys = self.signing_keys().await?;
            let latest = keys.iter().find(|key| key.verifies_until.is_none());
            let now = self.now();
            let (signs_from, until) = match overlap {
                Overlap::Full => (now.plus(AHEAD), now.plus(AHEAD).plus(LONGEST_TOKEN)),
                Overlap::None => (now, now),
            };
            let new = self.new_key(signs_from).await?;
            let id = new.id.clone();
            let after = latest.map(|key| key.id.as_str());
            if self.store.add_signing_key(new, after, until).await? {
                return Ok(id);
            }
        }
        Err(Fault::Contended.into())
    }

    async fn new_key(&self, signs_from: Timestamp) -> Result<StoredKey> {
        // Tens of milliseconds of arithmetic, once in a key's life.
        let pkcs8 = tokio::task::spawn_blocking(draw_rsa_key)
            .await
            .map_err(|_| Fault::Corrupt("a signing key"))??;
        let id = draw_token(&*self.entropy)?.reveal()[..22].to_owned();
        let secret = self
            .keyring
            .seal_for_all(&*self.entropy, Sealing::SigningKey(&id), &pkcs8)?;
        Ok(StoredKey {
            id,
            secret,
            signs_from,
            verifies_until: None,
            created_at: self.now(),
        })
    }

    fn open_key(&self, stored: StoredKey) -> Result<SigningKey> {
        let StoredKey {
            id,
            secret,
            signs_from,
            verifies_until,
            created_at,
        } = stored;
        let pkcs8 = self
            .keyring
            .open_for_all(Sealing::SigningKey(&id), &secret)?;
        Ok(SigningKey {
            id,
            pkcs8,
            signs_from,
            verifies_until,
            created_at,
        })
    }
}
