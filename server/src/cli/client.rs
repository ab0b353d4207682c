//! `spare-key client`: the programs that call the API.

use axum::http::uri::Authority;
use clap::{Args, Subcommand};

use super::Json;
use super::ask::Yes;
use super::failure::Failure;
use super::open::{self, Absent};
use super::output::Output;
use super::wire::{self, ClientRow, Clients};
use crate::config::Config;
use crate::domain::{Grant, NewClient, Scope, Secrecy};

/// Add, list and remove the programs that call the API
#[derive(Debug, Subcommand)]
pub(super) enum Client {
    /// Add a client and print its secret, this once
    #[command(after_help = "\
Examples:
  spare-key client add shop --scope recovery:redeem --scope recovery:read
  spare-key client add shop --name 'Shop login' --scope recovery:issue,recovery:redeem --json
  spare-key client add admin --grant client_credentials --scope update:users,read:users
  spare-key client add web --grant password-realm,mfa-otp,mfa-recovery-code,refresh_token
  spare-key client add spa --public --grant mfa-otp,mfa-recovery-code,refresh_token \\
                           --origin https://app.example.com")]
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

    /// What it may do: recovery:issue, recovery:redeem, recovery:read, recovery:revoke, or scopes
    /// of the management API such as update:users
    #[arg(long, value_delimiter = ',', value_parser = scope, required_unless_present = "grant")]
    scope: Vec<Scope>,

    /// How it gets tokens: client_credentials, password, password-realm, mfa-otp,
    /// mfa-recovery-code, refresh_token
    #[arg(long, value_delimiter = ',', value_parser = grant)]
    grant: Vec<Grant>,

    /// Another API that it gets people's tokens for, by the address the API calls itself
    #[arg(long, value_parser = audience)]
    audience: Vec<String>,

    /// A web origin that its pages call from, such as https://app.example.com
    #[arg(long, value_parser = origin)]
    origin: Vec<String>,

    /// It runs where no secret can be kept: in a browser or on a phone
    #[arg(long, conflicts_with = "scope")]
    public: bool,

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
        let names: Vec<_> = Scope::ALL.into_iter().map(Scope::name).collect();
        format!("the scopes are {}", names.join(", "))
    })
}

fn grant(text: &str) -> Result<Grant, String> {
    Grant::named(text).ok_or_else(|| {
        let names: Vec<_> = Grant::ALL.into_iter().map(Grant::name).collect();
        format!("the grants are {}", names.join(", "))
    })
}

/// What stands in a token's `aud` and in a list by spaces.
fn audience(text: &str) -> Result<String, &'static str> {
    let fits = (1..=512).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(text.to_owned())
    } else {
        Err("an audience has 1 to 512 visible ASCII characters and no spaces")
    }
}

/// Scheme, host and port, as a browser sends them in `Origin` (RFC 6454, 6.2): in lower case, and
/// without the port that the scheme has anyway. Another would be stored and never be matched.
fn origin(text: &str) -> Result<String, &'static str> {
    let (rest, usual) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, 443),
        (_, Some(rest)) => (rest, 80),
        _ => return Err(UNFIT_ORIGIN),
    };
    let authority: Authority = rest.parse().map_err(|_| UNFIT_ORIGIN)?;
    let (host, port) = (authority.host(), authority.port_u16());
    let written = match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let known = host
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte));
    if known && !host.is_empty() && rest == written && port != Some(usual) && port != Some(0) {
        Ok(text.to_owned())
    } else {
        Err(UNFIT_ORIGIN)
    }
}

const UNFIT_ORIGIN: &str = "an origin is http:// or https://, a host in lower case and perhaps a \
                            port, if it is not 80 or 443 anyway";

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
            grant,
            audience,
            origin,
            public,
            json: Json { json },
        } = self;
        if public && grant.contains(&Grant::ClientCredentials) {
            return Err(Failure::usage(
                "client_credentials is for a program that proves itself by a secret, and --public \
                 is for one that has none",
            )
            .remedy("leave out --public, or client_credentials"));
        }
        let app = open::administration(config, Absent::Made)?;
        let new = NewClient {
            name: name.unwrap_or_else(|| id.clone()),
            id: id.clone(),
            scopes: scope,
            grants: grant,
            audiences: audience,
            origins: origin,
            secrecy: match public {
                true => Secrecy::Public,
                false => Secrecy::Drawn,
            },
        };
        let secret = app.mfa().add_client(new).await?;
        wire::print_client(output, &id, secret.as_ref(), json).map_err(|error| {
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
