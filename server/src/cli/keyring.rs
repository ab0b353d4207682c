//! `spare-key keyring`: the server's own keys.

use std::path::Path;

use clap::Subcommand;

use super::Json;
use super::failure::Failure;
use super::open::{self, Absent};
use super::output::Output;
use super::wire::{KeyRow, Keys};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, KEYRING_SECRET, KeyringSource};
use crate::domain;
use crate::entropy::SystemEntropy;

/// Make, rotate and list the server's own keys
#[derive(Debug, Subcommand)]
pub(super) enum Keyring {
    /// Make a keyring file with one new key; never over another file
    #[command(after_help = "\
Example:
  spare-key keyring init --keyring /etc/spare-key/keyring.toml

The file has mode 0600. Keep a copy, away from the database.")]
    Init,

    /// Add a new key and use it from now on; the older ones stay, so every code keeps working
    #[command(after_help = "\
Example:
  spare-key keyring rotate --keyring /etc/spare-key/keyring.toml

Running servers that read this file follow within seconds, or at once when they meet the new key.
Where servers have copies of their own, give them the new file at the same time: until then a code
made with the new key is a fault there, and stays unused.")]
    Rotate,

    /// List the keys: number, age, which is in use, and what was made with each; never the keys
    /// themselves
    ///
    /// With a store it also says how many live and pending batches, passwords, authenticators and
    /// signing keys could not be used without each key, and names keys that are missing.
    #[command(after_help = "\
Example:
  spare-key keyring list --keyring /etc/spare-key/keyring.toml \\
                         --store sqlite:/var/lib/spare-key/spare-key.db")]
    List(Json),
}

impl Keyring {
    pub(super) async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Init => {
                let path = file(config)?;
                crate::keyring::Keyring::draw(&SystemEntropy, SystemClock.now())?.create(path)?;
                Ok(output.print(&format!(
                    "made {}; keep a copy, away from the database",
                    path.display()
                ))?)
            }
            Self::Rotate => {
                let path = file(config)?;
                let now = SystemClock.now();
                let key = crate::keyring::Keyring::rotate_file(path, &SystemEntropy, now)?;
                Ok(output.print(&format!(
                    "key {} is in use in {}; servers that read this file follow within seconds; \
                     keep a copy",
                    key.0,
                    path.display()
                ))?)
            }
            Self::List(Json { json }) => {
                let source = config.keyring.as_ref().ok_or_else(not_given)?;
                let lines = open::keyring(source)?.lines();
                let uses = match &config.store {
                    Some(url) => {
                        let store = open::store(url, Absent::Refused)?;
                        let uses = store.key_uses(SystemClock.now()).await;
                        Some(uses.map_err(domain::Error::from)?)
                    }
                    None => None,
                };
                let keys = KeyRow::all(&lines, uses.as_deref());
                if json {
                    return Ok(output.json(&Keys { keys })?);
                }
                if uses.is_none() {
                    let rows: Vec<_> = keys.iter().map(KeyRow::cells).collect();
                    return Ok(output.table(KeyRow::HEADING, &rows)?);
                }
                let rows: Vec<_> = keys.iter().map(KeyRow::cells_with_uses).collect();
                Ok(output.table(KeyRow::HEADING_WITH_USES, &rows)?)
            }
        }
    }
}

fn file(config: &Config) -> Result<&Path, Failure> {
    match &config.keyring {
        Some(KeyringSource::File(path)) => Ok(path),
        Some(KeyringSource::Secret(_)) => Err(Failure::usage(format!(
            "the keyring is in {KEYRING_SECRET}, and this command writes a file"
        ))
        .remedy(format!(
            "unset {KEYRING_SECRET} and name the file with --keyring PATH"
        ))),
        None => Err(not_given()),
    }
}

fn not_given() -> Failure {
    Failure::usage("no keyring is named").remedy("name its file: --keyring PATH")
}
