//! `spare-key api-key`: what people's own programs carry.

use clap::{Args, Subcommand};

use super::Json;
use super::account::Id;
use super::ask::Yes;
use super::failure::Failure;
use super::open::{self, Absent};
use super::output::Output;
use super::wire::{self, ApiKeyRow, ApiKeys};
use crate::config::Config;
use crate::domain::{Caller, NewKey};

/// Add, list and remove the API keys that people's own programs carry
#[derive(Debug, Subcommand)]
pub(super) enum ApiKey {
    /// Add a key for an account and print it, this once
    #[command(after_help = "\
Examples:
  spare-key api-key add 'auth0|dora'
  spare-key api-key add 'auth0|dora' --name 'deploy script' --json")]
    Add(Add),

    /// List all keys: their numbers and whose they are
    List(Json),

    /// Remove a key: whoever carries it is refused from now on
    #[command(after_help = "Example:\n  spare-key api-key remove 4 --yes")]
    Remove {
        /// The key's number
        number: i64,
        #[command(flatten)]
        yes: Yes,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    id: Id,

    /// What it is for, in 2 to 50 characters
    #[arg(long, value_parser = name)]
    name: Option<String>,

    #[command(flatten)]
    json: Json,
}

/// As the keys' own API takes it.
fn name(text: &str) -> Result<String, &'static str> {
    if (2..=50).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("a name has 2 to 50 characters, and none that moves the cursor")
    }
}

impl ApiKey {
    pub(super) async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Add(add) => add.run(config, output).await,
            Self::List(Json { json }) => {
                let app = open::administration(config, Absent::Refused)?;
                let keys = app.mfa().api_keys(None).await?;
                let keys: Vec<ApiKeyRow> = keys.into_iter().map(ApiKeyRow::from).collect();
                if json {
                    return Ok(output.json(&ApiKeys { keys })?);
                }
                if keys.is_empty() {
                    return Ok(output.print("no API keys")?);
                }
                let rows: Vec<_> = keys.iter().map(ApiKeyRow::cells).collect();
                Ok(output.table(ApiKeyRow::HEADING, &rows)?)
            }
            Self::Remove { number, yes } => {
                let app = open::administration(config, Absent::Refused)?;
                yes.confirm(&format!("Removing the API key {number}"))?;
                app.mfa().remove_api_key(number).await?;
                Ok(output.print(&format!("removed {number}"))?)
            }
        }
    }
}

impl Add {
    async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let Self {
            id,
            name,
            json: Json { json },
        } = self;
        let app = open::administration(config, Absent::Refused)?;
        let caller = Caller::administrator(id.into_inner());
        let new = NewKey { name, given: None };
        let (card, key) = app.mfa().add_api_key(&caller, new).await?;
        let number = card.number;
        wire::print_api_key(output, number, &key, json).map_err(|error| {
            Failure::new(format!(
                "the API key {number} was added and could not be written"
            ))
            .because(&error)
            .remedy(format!(
                "remove it and add another: spare-key api-key remove {number}"
            ))
        })
    }
}
