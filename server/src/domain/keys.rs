//! Whether the keyring at hand is the one that the store was used with.

use std::fmt;

use super::{Mfa, Result};
use crate::keyring::{Keyring, Sealing};
use crate::model::Timestamp;
use crate::store::{KeyUse, Store, StoreResult};

/// Why a keyring does not go with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyringUnfit {
    /// Things were made with keys that it does not have.
    Missing(Vec<KeyUse>),
    /// It has keys of the right numbers, and they open nothing.
    Another,
}

impl fmt::Display for KeyringUnfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Missing(uses) = self else {
            return f.write_str(
                "the keyring is not the one that this store was used with: its signing keys do \
                 not open",
            );
        };
        for (place, uses) in uses.iter().enumerate() {
            let between = if place == 0 { "" } else { "; " };
            let key = uses.key.0;
            write!(
                f,
                "{between}key {key} is not in the keyring, and these were made with it: "
            )?;
            let KeyUse {
                key: _,
                live,
                pending,
                passwords,
                authenticators,
                signing_keys,
            } = *uses;
            let named = [
                (live, "live batches of codes"),
                (pending, "pending batches"),
                (passwords, "passwords"),
                (authenticators, "authenticators"),
                (signing_keys, "signing keys"),
            ];
            let mut comma = "";
            for (count, what) in named.into_iter().filter(|(count, _)| *count > 0) {
                write!(f, "{comma}{count} {what}")?;
                comma = ", ";
            }
        }
        Ok(())
    }
}

/// Why this keyring does not go with this store, if it does not. Changes nothing.
///
/// # Errors
/// The store failed.
pub async fn keyring_unfit(
    store: &dyn Store,
    keyring: &Keyring,
    now: Timestamp,
) -> StoreResult<Option<KeyringUnfit>> {
    let mut missing = store.key_uses(now).await?;
    missing.retain(|uses| !keyring.has(uses.key));
    if !missing.is_empty() {
        return Ok(Some(KeyringUnfit::Missing(missing)));
    }
    let signing = store.signing_keys(now).await?;
    let opens = signing.iter().all(|key| {
        keyring
            .open_for_all(Sealing::SigningKey(&key.id), &key.secret)
            .is_ok()
    });
    Ok((!opens).then_some(KeyringUnfit::Another))
}

impl Mfa {
    /// Why the keyring does not go with the store, if it does not.
    ///
    /// # Errors
    /// A fault.
    pub async fn keyring_unfit(&self) -> Result<Option<KeyringUnfit>> {
        Ok(keyring_unfit(&*self.store, &self.keyring, self.now()).await?)
    }
}
