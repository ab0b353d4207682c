//! Signed tokens (JWT, RFC 7519): made of a session here, read again here.
//!
//! One algorithm, RS256, and one kind of key for it; what a token says of its own algorithm or of
//! where its key lies is never followed (RFC 8725, 3.1 and 3.10). Each kind has a type of its own
//! (3.11), so that none passes for another. Opaque values are the domain's.

mod claims;
mod keys;
mod trusted;

use std::sync::{Arc, Mutex, PoisonError};

pub use self::claims::{AccessClaims, Audience, IdClaims, MACHINE, sid};
pub use self::keys::{Keys, TokenError};
pub use self::trusted::{TrustedIssuers, Unvouched, Vouched};
use crate::domain::{Fault, Mfa, Result};
use crate::model::{Millis, Timestamp};

/// How long a copy of the keys is used without asking the store.
const KEPT_FOR: Millis = Millis::minutes(1);

/// A key's name that is not in the copy is looked up at most so often.
const LOOKED_UP_EVERY: Millis = Millis::seconds(1);

/// The issuer's tokens.
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    kept: Mutex<Option<(Timestamp, Arc<Keys>)>>,
}

impl Tokens {
    /// Of the issuer with this name: its address with a slash at the end.
    pub fn new(issuer: String) -> Self {
        Self {
            issuer,
            kept: Mutex::new(None),
        }
    }

    /// The issuer's name: its address with a slash at the end.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The keys, at most a minute old. Fetched before anything is spent for a token, so that no
    /// code is lost for want of a key.
    ///
    /// # Errors
    /// The store failed, or a key does not open.
    pub async fn keys(&self, mfa: &Mfa) -> Result<Arc<Keys>> {
        self.keys_since(mfa, KEPT_FOR).await
    }

    async fn keys_since(&self, mfa: &Mfa, age: Millis) -> Result<Arc<Keys>> {
        let now = mfa.now();
        let kept = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((at, keys)) = kept
            && now.since(at) < age
            && now.since(at) >= Millis(0)
        {
            return Ok(keys);
        }
        let keys = mfa.signing_keys().await?;
        // The first key of all was made just now.
        let now = mfa.now();
        let keys = Keys::of(&keys, now);
        let keys = Arc::new(keys.ok_or(Fault::Corrupt("the signing keys"))?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }

    /// Reads an access token that is meant for `audience`.
    ///
    /// # Errors
    /// The outer: the store failed. The inner: why it is not accepted.
    pub async fn read_access(
        &self,
        mfa: &Mfa,
        token: &str,
        audience: &str,
    ) -> Result<std::result::Result<AccessClaims, TokenError>> {
        let keys = self.keys(mfa).await?;
        let expected = (self.issuer.as_str(), audience);
        let read = keys.read_access(token, expected, mfa.now());
        if let Err(TokenError::UnknownKey) = read {
            // Another server may have put a new key in the place of one that is not to be trusted.
            let keys = self.keys_since(mfa, LOOKED_UP_EVERY).await?;
            return Ok(keys.read_access(token, expected, mfa.now()));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
