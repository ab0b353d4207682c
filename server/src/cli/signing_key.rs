//! `spare-key signing-key`: the keys that tokens are signed with.

use clap::{Args, Subcommand};

use super::Json;
use super::ask::Yes;
use super::failure::Failure;
use super::open::{self, Absent};
use super::output::Output;
use super::wire::{SigningKeyRow, SigningKeys};
use crate::config::Config;
use crate::domain::{Mfa, Overlap};

/// List and rotate the keys that tokens are signed with
#[derive(Debug, Subcommand)]
pub(super) enum SigningKey {
    /// List the keys that are published, the latest first; never the keys themselves
    #[command(after_help = "Example:\n  spare-key signing-key list --json")]
    List(Json),

    /// Put a new key in the place of the latest
    ///
    /// The new one is published at once and signs in an hour, so that whoever keeps a copy of the
    /// published keys has it in time. The one before stays published until the last token that it
    /// signed has run out. No token becomes invalid.
    #[command(after_help = "\
Examples:
  spare-key signing-key rotate
  spare-key signing-key rotate --now --yes

Running servers ask for the keys once a minute: they follow within that time.")]
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// For a key that others may know: the new one signs now and makes every token signed so far
    /// invalid; running servers take them for a minute more at the longest
    #[arg(long)]
    now: bool,

    #[command(flatten)]
    yes: Yes,
}

impl SigningKey {
    pub(super) async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let app = open::administration(config, Absent::Refused)?;
        match self {
            Self::List(Json { json }) => {
                let keys = rows(app.mfa()).await?;
                if json {
                    return Ok(output.json(&SigningKeys { keys })?);
                }
                let cells: Vec<_> = keys.iter().map(SigningKeyRow::cells).collect();
                Ok(output.table(SigningKeyRow::HEADING, &cells)?)
            }
            Self::Rotate(rotate) => rotate.run(app.mfa(), output).await,
        }
    }
}

impl Rotate {
    async fn run(self, mfa: &Mfa, output: &mut Output) -> Result<(), Failure> {
        if self.now {
            self.yes
                .confirm("Making every token signed so far invalid")?;
            let id = mfa.rotate_signing_key(Overlap::None).await?;
            return Ok(output.print(&format!(
                "key {id} signs from now on; every token signed before it is invalid, to running \
                 servers within a minute"
            ))?);
        }
        let id = mfa.rotate_signing_key(Overlap::Full).await?;
        let keys = rows(mfa).await?;
        let from = keys
            .iter()
            .find(|key| key.id == id)
            .map_or("its time", |key| key.signs_from.as_str());
        Ok(output.print(&format!(
            "key {id} is published, by running servers within a minute, and signs from {from}; \
             tokens of the keys before it stay good until they run out"
        ))?)
    }
}

async fn rows(mfa: &Mfa) -> Result<Vec<SigningKeyRow>, Failure> {
    let keys = mfa.signing_keys().await?;
    Ok(keys.into_iter().map(SigningKeyRow::from).collect())
}
