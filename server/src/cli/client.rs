//! `spare-key client`: the programs that call the API.

use clap::{Args, Subcommand};

use super::Json;
use super::ask::Yes;
use super::failure::Failure;
use super::open::{self, Absent};
use super::output::Output;
use super::wire::{self, ClientRow, Clients};
use crate::config::Config;
use crate::domain::{NewMachineClient, SCOPES, Scope};

/// Add, list and remove the programs that call the API
#[derive(Debug, Subcommand)]
pub(super) enum Client {
    /// Add a client and print its secret, this once
    #[command(after_help = "\
Examples:
  spare-key client add shop --scope recovery:redeem --scope recovery:read
  spare-key client add shop --name 'Shop login' --scope recovery:issue,recovery:redeem --json")]
    Add(Add),

    /// List all clients with what they may do
    List(Json),

    /// Remove a client: its calls are refused from now on
    #[command(after_help = "Example:\n  spare-key client remove shop --yes")]
    Remove {
        /// The client's identifier
        id: String,
        #[command(flatten)]
        yes: Yes,
    },
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The client's identifier: letters, digits, and - . _ ~
    #[arg(value_parser = client_id)]
    id: String,

    /// A name for people [default: the identifier]
    #[arg(long)]
    name: Option<String>,

    /// What it may do: recovery:issue, recovery:redeem, recovery:read, recovery:revoke
    #[arg(long, required = true, value_delimiter = ',', value_parser = scope)]
    scope: Vec<Scope>,

    #[command(flatten)]
    json: Json,
}

/// What stands in an HTTP Basic header and in a log line without being changed.
fn client_id(text: &str) -> Result<String, &'static str> {
    let fits = (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    if fits {
        Ok(text.to_owned())
    } else {
        Err("an identifier has 1 to 128 letters, digits, or - . _ ~")
    }
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::named(text).ok_or_else(|| {
        let names: Vec<_> = SCOPES.into_iter().map(Scope::name).collect();
        format!("the scopes are {}", names.join(", "))
    })
}

impl Client {
    pub(super) async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Add(add) => add.run(config, output).await,
            Self::List(Json { json }) => {
                let app = open::administration(config, Absent::Refused)?;
                let clients = app.mfa().clients().await?;
                let clients: Vec<ClientRow> = clients.into_iter().map(ClientRow::from).collect();
                if json {
                    return Ok(output.json(&Clients { clients })?);
                }
                if clients.is_empty() {
                    return Ok(output.print("no clients")?);
                }
                let rows: Vec<_> = clients.iter().map(ClientRow::cells).collect();
                Ok(output.table(ClientRow::HEADING, &rows)?)
            }
            Self::Remove { id, yes } => {
                let app = open::administration(config, Absent::Refused)?;
                yes.confirm(&format!("Removing the client {id}"))?;
                app.mfa().remove_client(&id).await?;
                Ok(output.print(&format!("removed {id}"))?)
            }
        }
    }
}

impl Add {
    async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let Self {
            id,
            name,
            scope,
            json: Json { json },
        } = self;
        let app = open::administration(config, Absent::Made)?;
        let new = NewMachineClient {
            name: name.unwrap_or_else(|| id.clone()),
            id: id.clone(),
            scopes: scope,
            secret: None,
        };
        let secret = app.mfa().add_client(new).await?;
        wire::print_client(output, &id, &secret, json).map_err(|error| {
            Failure::new(format!(
                "the client {id} was added and its secret could not be written"
            ))
            .because(&error)
            .remedy(format!(
                "remove it and add it again: spare-key client remove {id}"
            ))
        })
    }
}
