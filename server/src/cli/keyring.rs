//! `spare-key keyring`: the server's own keys.

use std::path::Path;

use clap::Subcommand;

use super::Json;
use super::failure::Failure;
use super::open;
use super::output::Output;
use super::wire::{KeyRow, Keys};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, KEYRING_SECRET, KeyringSource};
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

Then give the file to every server and start each again, before people are sent new codes:
a server that does not have the new key cannot check what was made with it.")]
    Rotate,

    /// List the keys: number, age, and which is in use; never the keys themselves
    List(Json),
}

impl Keyring {
    pub(super) fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
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
                let mut keyring = crate::keyring::Keyring::load(path)?;
                let key = keyring.rotate(&SystemEntropy, SystemClock.now())?;
                keyring.replace(path)?;
                Ok(output.print(&format!(
                    "key {} is in use in {}; start every server again that uses it, and keep a copy",
                    key.0,
                    path.display()
                ))?)
            }
            Self::List(Json { json }) => {
                let source = config.keyring.as_ref().ok_or_else(not_given)?;
                let lines = open::keyring(source)?.lines();
                let keys: Vec<KeyRow> = lines.into_iter().map(KeyRow::from).collect();
                if json {
                    return Ok(output.json(&Keys { keys })?);
                }
                let rows: Vec<_> = keys.iter().map(KeyRow::cells).collect();
                Ok(output.table(KeyRow::HEADING, &rows)?)
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
