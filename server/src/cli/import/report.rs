//! What an import did, or would do: counts, and which accounts were passed over and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::Reason;
use crate::cli::failure::Failure;
use crate::cli::output::{Output, plain};
use crate::model::{AccountId, Origin};

/// Lines for people; JSON has all of them.
const SHOWN: usize = 20;

/// What became of an account's codes.
pub(super) enum Fate {
    Imported {
        codes: usize,
        created: bool,
        weak: bool,
    },
    LeftAlone,
    NotHere,
    NoAuthenticator,
    Refused(Reason),
}

/// The report as JSON has it.
#[derive(Serialize)]
pub(super) struct Report {
    format: &'static str,
    dry_run: bool,
    /// Accounts with codes in the file, whatever became of them.
    read: usize,
    /// Of those, how many have an account here.
    matched: usize,
    /// Accounts that were made.
    created: usize,
    /// Accounts that were not here and are not made.
    missing: usize,
    /// Batches.
    imported: usize,
    /// How many batches have so many codes.
    batches_by_codes: BTreeMap<usize, usize>,
    /// Batches with a code of fewer than 64 bits.
    below_64_bits: usize,
    /// Accounts that have had codes here.
    left_alone: usize,
    /// Accounts whose codes were not taken.
    refused: usize,
    /// Those that were left alone or refused, one by one.
    passed_over: Vec<PassedOver>,
}

#[derive(Serialize)]
struct PassedOver {
    /// The line, or the element of `users`, from 1.
    at: u64,
    account: Option<String>,
    refused: bool,
    reason: Reason,
}

impl Report {
    pub(super) fn new(origin: Origin, dry_run: bool) -> Self {
        Self {
            format: origin.name(),
            dry_run,
            read: 0,
            matched: 0,
            created: 0,
            missing: 0,
            imported: 0,
            batches_by_codes: BTreeMap::new(),
            below_64_bits: 0,
            left_alone: 0,
            refused: 0,
            passed_over: Vec::new(),
        }
    }

    pub(super) fn refused(&self) -> usize {
        self.refused
    }

    pub(super) fn add(&mut self, at: u64, account: Option<&AccountId>, fate: Fate) {
        self.read += 1;
        let (refused, reason) = match fate {
            Fate::Imported {
                codes,
                created,
                weak,
            } => {
                self.imported += 1;
                self.created += usize::from(created);
                self.matched += usize::from(!created);
                self.below_64_bits += usize::from(weak);
                *self.batches_by_codes.entry(codes).or_default() += 1;
                return;
            }
            Fate::LeftAlone => {
                self.matched += 1;
                self.left_alone += 1;
                (false, "it has or had codes here, or is making some".into())
            }
            Fate::NotHere => {
                self.missing += 1;
                (true, "there is no such account here".into())
            }
            Fate::NoAuthenticator => {
                self.matched += 1;
                let why = "it signs in here and has no authenticator yet";
                (true, why.into())
            }
            Fate::Refused(reason) => (true, reason),
        };
        self.refused += usize::from(refused);
        self.passed_over.push(PassedOver {
            at,
            account: account.map(|account| account.as_str().to_owned()),
            refused,
            reason,
        });
    }

    pub(super) fn print(&self, output: &mut Output, json: bool) -> Result<(), Failure> {
        if json {
            return Ok(output.json(self)?);
        }
        Ok(output.print(&self.text())?)
    }

    fn text(&self) -> String {
        let would = if self.dry_run { "would be " } else { "" };
        let mut text = format!(
            "read        {} accounts with codes, {} of them here\n{would}imported {} batches",
            self.read, self.matched, self.imported
        );
        // Writing to a string does not fail.
        for (codes, batches) in &self.batches_by_codes {
            let _written = write!(text, "\n            {batches} of {codes} codes");
        }
        if self.created > 0 {
            let _written = write!(text, "\n{would}created  {} accounts", self.created);
        }
        if self.below_64_bits > 0 {
            let _written = write!(
                text,
                "\nweak        {} batches have codes of fewer than 64 bits: let people make new ones",
                self.below_64_bits
            );
        }
        let _written = write!(
            text,
            "\nleft alone  {}\nrefused     {}",
            self.left_alone, self.refused
        );
        for passed in self.passed_over.iter().take(SHOWN) {
            let account = plain(passed.account.as_deref().unwrap_or("?"));
            let _written = write!(text, "\n  {} {account}: {}", passed.at, passed.reason);
        }
        if self.passed_over.len() > SHOWN {
            let more = self.passed_over.len() - SHOWN;
            let _written = write!(text, "\n  and {more} more: --json names all");
        }
        text
    }
}
