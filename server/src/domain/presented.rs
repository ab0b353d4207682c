//! What somebody typed where a code belongs: one of ours, or one that another system made.
//!
//! Codes of ours are told by their check symbol. Imported ones have none and any alphabet, so a text
//! that is no code of ours is one only where the account's live batch was imported, and that is
//! looked up only for who has proven what comes before a code. Every verifier that such a batch has
//! left is run, whichever fits: the work of an attempt does not tell how far it came.

use std::fmt;

use spare_key_core::{Code, ParseError};
use zeroize::Zeroizing;

use super::redeem::{Candidate, Tried};
use super::{Caller, Fault, Mfa, Result};
use crate::hasher::{Permit, Recipe};
use crate::model::Imported;
use crate::store::LiveBatch;

/// A text that may be a code of the caller's. Zeroed on drop; `Debug` shows nothing.
pub struct Presented {
    /// What it is if it is one of ours.
    pub(super) code: Option<Code>,
    text: Zeroizing<String>,
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented(…)")
    }
}

impl Mfa {
    /// Reads what this caller typed where a code belongs. The inner error says what is wrong with
    /// it as a code of ours: then it cannot be the caller's, and costs no hash and no attempt.
    ///
    /// # Errors
    /// A fault.
    pub async fn read_code(
        &self,
        caller: &Caller,
        text: &str,
    ) -> Result<std::result::Result<Presented, ParseError>> {
        let code = match Code::parse(text) {
            Ok(code) => Some(code),
            Err(error) => {
                let may_be_foreign = self
                    .imported(caller)
                    .await?
                    .is_some_and(|imported| imported.read(text).is_some());
                if !may_be_foreign {
                    return Ok(Err(error));
                }
                None
            }
        };
        let text = Zeroizing::new(text.to_owned());
        Ok(Ok(Presented { code, text }))
    }

    /// How the caller's live codes are read, if another system made them.
    async fn imported(&self, caller: &Caller) -> Result<Option<Imported>> {
        let imported = self.store.live_import(&caller.account).await?;
        if imported.is_none() || self.recovery_codes().await? {
            Ok(imported)
        } else {
            Ok(None)
        }
    }

    /// The rows of an imported batch that the text may be the code of: at most one, but for a
    /// chance of 1 in 65536 a code.
    pub(super) async fn foreign_candidate(
        &self,
        caller: &Caller,
        presented: &Presented,
        (live, imported): (LiveBatch, Imported),
        permit: &Permit,
    ) -> Result<Candidate> {
        let LiveBatch {
            generation,
            format,
            scheme,
            kept,
            codes,
            ..
        } = live;
        let last = codes.iter().filter(|row| !row.used()).count() <= 1;
        let mut rows = Vec::new();
        if let Some(code) = imported.read(&presented.text) {
            for row in codes {
                let recipe = row.recipe.as_deref().map(Recipe::of_text);
                let recipe = match recipe {
                    Some(Ok(recipe)) => recipe,
                    _ => return Err(Fault::Corrupt("how an imported code was digested").into()),
                };
                let secret = match recipe.quick(&code) {
                    Some(digest) => digest,
                    // Slow, and there is nothing to be won any more.
                    None if row.used() => continue,
                    None => permit.digest_as(recipe, code.clone()).await?,
                };
                let account = &caller.account;
                let locator = self
                    .keyring
                    .locator(scheme.key, account, generation, &secret)?;
                if locator == row.locator {
                    rows.push(Tried { row, secret });
                }
            }
        }
        Ok(Candidate {
            generation,
            format,
            scheme,
            rows,
            last,
            kept,
        })
    }
}
