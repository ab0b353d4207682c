//! `spare-key account`: the people who sign in.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Json;
use super::address::{self, Address};
use super::ask::{PasswordFrom, Yes};
use super::failure::Failure;
use super::open::{self, Absent};
use super::output::{Output, plain};
use super::wire::{self, AccountRow, AccountView, Accounts};
use crate::config::Config;
use crate::domain::{AccountPage, Activation, Caller, Mfa, NewPerson, Role, StageRequest};
use crate::model::AccountId;

/// Add, list, help and remove the people who sign in
#[derive(Debug, Subcommand)]
pub(super) enum Account {
    /// Add an account that signs in with a password
    ///
    /// The password is asked for, or read from standard input or a file; it is never an argument,
    /// because those are seen by every process of the computer.
    #[command(after_help = "\
Examples:
  spare-key account add 'auth0|dora' --login dora@example.com
  pass show dora | spare-key account add 'auth0|dora' --login dora@example.com --password-stdin")]
    Add(Add),

    /// List accounts by identifier, with the codes they have left
    #[command(after_help = "\
Examples:
  spare-key account list
  spare-key account list --remaining-at-most 3 --json")]
    List(List),

    /// Show one account: authenticators, codes left, attempts
    #[command(after_help = "Example:\n  spare-key account show 'auth0|dora' --json")]
    Show {
        #[command(flatten)]
        id: Id,
        #[command(flatten)]
        json: Json,
    },

    /// Remove an account and everything of it
    #[command(after_help = "Example:\n  spare-key account remove 'auth0|dora' --yes")]
    Remove {
        #[command(flatten)]
        id: Id,
        #[command(flatten)]
        yes: Yes,
    },

    /// Take all authenticators and codes from an account, and end its sessions
    ///
    /// For somebody who has lost the app and the codes: at the next sign-in the password leads to
    /// setting up a new app. Make sure who is asking.
    #[command(after_help = "Example:\n  spare-key account reset-mfa 'auth0|dora' --yes")]
    ResetMfa {
        #[command(flatten)]
        id: Id,
        #[command(flatten)]
        yes: Yes,
    },

    /// Make new recovery codes and print them, this once; the older ones end
    ///
    /// Needs recovery codes to be on (--recovery-codes on), and an account with an authenticator.
    #[command(
        after_help = "Example:\n  spare-key account regenerate 'auth0|dora' --recovery-codes on"
    )]
    Regenerate {
        #[command(flatten)]
        id: Id,
        #[command(flatten)]
        json: Json,
    },

    /// Let an account administer the others on the pages, or no longer
    ///
    /// An administrator finds accounts at /admin, resets factors, ends codes and switches recovery
    /// codes for everybody: signed in with an authenticator, which is asked for again each time.
    #[command(after_help = "Example:\n  spare-key account administrator 'auth0|dora' on")]
    Administrator {
        #[command(flatten)]
        id: Id,
        /// Whether it may
        #[arg(value_enum)]
        may: May,
    },

    /// Show where a person is told of what happens to their codes, and add or remove addresses
    ///
    /// Mail goes to what they sign in with, where that is an address, and to each of these. They are
    /// told of every change here too.
    #[command(after_help = address::EXAMPLES)]
    Address(Address),

    /// End an account's recovery codes without making new ones
    #[command(after_help = "Example:\n  spare-key account revoke 'auth0|dora' --yes")]
    Revoke {
        #[command(flatten)]
        id: Id,
        #[command(flatten)]
        yes: Yes,
    },
}

/// Whether an account may administer the others.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum May {
    /// It may
    On,
    /// It may not
    Off,
}

#[derive(Debug, Args)]
pub(super) struct Id {
    /// The account's identifier, as it was added
    #[arg(value_parser = account_id)]
    id: AccountId,
}

impl Id {
    /// The identifier itself.
    pub(super) fn into_inner(self) -> AccountId {
        self.id
    }
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    id: Id,

    /// What the person signs in with, an address for example
    #[arg(long, value_parser = login)]
    login: String,

    /// Let it administer the others on the pages
    #[arg(long)]
    administrator: bool,

    /// Read the password from the first line of standard input
    #[arg(long, conflicts_with = "password_file")]
    password_stdin: bool,

    /// Read the password from the first line of this file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only accounts with live codes of which at most so many are left
    #[arg(long, value_name = "N")]
    remaining_at_most: Option<u32>,

    /// At most so many lines
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,

    /// Go on behind this identifier: the last of the list before
    #[arg(long, value_name = "ID", value_parser = account_id)]
    after: Option<AccountId>,

    #[command(flatten)]
    json: Json,
}

fn account_id(text: &str) -> Result<AccountId, &'static str> {
    AccountId::parse(text).ok_or("an identifier has 1 to 255 bytes and no control characters")
}

fn login(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        return Err("a login is not empty and has no control characters");
    }
    Ok(text.to_owned())
}

impl Account {
    pub(super) async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        match self {
            Self::Add(add) => add.run(config, output).await,
            Self::List(list) => {
                let app = open::administration(config, Absent::Refused)?;
                list.run(app.mfa(), output).await
            }
            Self::Show { id, json } => {
                let app = open::administration(config, Absent::Refused)?;
                show(app.mfa(), id.id, output, json).await
            }
            Self::Remove { id: Id { id }, yes } => {
                let app = open::administration(config, Absent::Refused)?;
                app.mfa().account(&id).await?;
                let name = plain(id.as_str());
                yes.confirm(&format!("Removing {name} with all it has"))?;
                app.mfa().forget(&id).await?;
                Ok(output.print(&format!("removed {name}"))?)
            }
            Self::ResetMfa { id: Id { id }, yes } => {
                let app = open::administration(config, Absent::Refused)?;
                app.mfa().account(&id).await?;
                let name = plain(id.as_str());
                yes.confirm(&format!("Taking all authenticators and codes from {name}"))?;
                app.mfa().reset_mfa(&Caller::administrator(id)).await?;
                Ok(output.print(&format!(
                    "{name} has no authenticator and no codes now, and is signed out everywhere"
                ))?)
            }
            Self::Regenerate { id, json } => {
                let app = open::administration(config, Absent::Refused)?;
                regenerate(app.mfa(), id.id, output, json).await
            }
            Self::Administrator { id: Id { id }, may } => {
                let app = open::administration(config, Absent::Refused)?;
                let name = plain(id.as_str());
                let role = match may {
                    May::On => Role::Administrator,
                    May::Off => Role::Person,
                };
                let changed = app.mfa().appoint(&Caller::administrator(id), role).await?;
                Ok(output.print(&match (changed, may) {
                    (true, May::On) => format!("{name} administers the others from now on"),
                    (true, May::Off) => format!("{name} administers the others no longer"),
                    (false, _) => format!("that was so for {name} already; nothing was changed"),
                })?)
            }
            Self::Address(address) => address.run(config, output).await,
            Self::Revoke { id: Id { id }, yes } => {
                let app = open::administration(config, Absent::Refused)?;
                app.mfa().account(&id).await?;
                let name = plain(id.as_str());
                yes.confirm(&format!("Ending the recovery codes of {name}"))?;
                let any = app.mfa().revoke(&Caller::administrator(id)).await?;
                Ok(output.print(&if any {
                    format!("the recovery codes of {name} work no longer")
                } else {
                    format!("{name} has no recovery codes; nothing was changed")
                })?)
            }
        }
    }
}

impl Add {
    async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let Self {
            id: Id { id },
            login,
            administrator,
            password_stdin,
            password_file,
        } = self;
        let from = match (&password_file, password_stdin) {
            (Some(path), _) => PasswordFrom::File(path),
            (None, true) => PasswordFrom::Stdin,
            (None, false) => PasswordFrom::Terminal,
        };
        let app = open::administration(config, Absent::Made)?;
        let password = from.read()?;
        let name = plain(id.as_str());
        let caller = Caller::administrator(id.clone());
        let person = NewPerson {
            id,
            login,
            password,
        };
        app.mfa().add_person(&caller, person).await?;
        if administrator {
            app.mfa().appoint(&caller, Role::Administrator).await?;
        }
        Ok(output.print(&format!("added {name}"))?)
    }
}

impl List {
    async fn run(self, mfa: &Mfa, output: &mut Output) -> Result<(), Failure> {
        let Self {
            remaining_at_most,
            limit,
            after,
            json: Json { json },
        } = self;
        // One more than is shown tells whether there are more.
        let mut lines = mfa
            .accounts(AccountPage {
                beginning: None,
                skip: 0,
                remaining_at_most,
                after,
                limit: limit + 1,
            })
            .await?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = lines.len() > shown;
        lines.truncate(shown);
        let next = lines
            .last()
            .filter(|_| more)
            .map(|line| line.id.as_str().to_owned());
        let accounts: Vec<AccountRow> = lines.into_iter().map(AccountRow::from).collect();
        if json {
            return Ok(output.json(&Accounts { accounts, next })?);
        }
        if accounts.is_empty() {
            return Ok(output.print("no accounts")?);
        }
        let rows: Vec<_> = accounts.iter().map(AccountRow::cells).collect();
        output.table(AccountRow::HEADING, &rows)?;
        if let Some(next) = next {
            output.print(&format!("there are more: --after '{}'", plain(&next)))?;
        }
        Ok(())
    }
}

async fn show(
    mfa: &Mfa,
    id: AccountId,
    output: &mut Output,
    Json { json }: Json,
) -> Result<(), Failure> {
    let card = mfa.account(&id).await?;
    let status = mfa.status(&id).await?;
    let factors = mfa.factors(&Caller::administrator(id)).await?;
    let view = AccountView::new(card, factors, status);
    if json {
        output.json(&view)?;
    } else {
        output.print(&view.text())?;
    }
    Ok(())
}

async fn regenerate(
    mfa: &Mfa,
    id: AccountId,
    output: &mut Output,
    Json { json }: Json,
) -> Result<(), Failure> {
    let request = StageRequest {
        spec: mfa.policy().batch,
        activation: Activation::AtOnce,
        idempotency: None,
    };
    let issued = mfa.stage(&Caller::administrator(id), request).await?;
    wire::print_codes(output, &issued, json).map_err(|error| {
        Failure::new("the new codes are live and could not be written out")
            .because(&error)
            .remedy("make new ones again, to where there is room; these cannot be shown again")
    })
}
