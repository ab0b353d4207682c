//! `spare-key import`: codes that another system made, taken over so that nobody has to print a new
//! sheet. What is said of them names lines and accounts, never a code or a digest.

mod keycloak;
mod lines;
mod report;
mod strength;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tokio::sync::mpsc;

use self::report::{Fate, Report};
use super::Json;
use super::failure::Failure;
use super::open::{self, Absent};
use super::output::Output;
use crate::config::Config;
use crate::domain::{ForeignBatch, ImportHow, ImportOutcome, Mfa};
use crate::model::Origin;

/// Accounts that are read ahead while others are being stored.
const AHEAD: usize = 32;

pub(super) const EXAMPLES: &str = "\
Examples:
  spare-key import realm-users-0.json --format keycloak --dry-run
  psql … --tuples-only --no-align --command \"$QUERY\" | spare-key import - --format supabase
  spare-key import codes.jsonl --format phc --create-accounts --json

The guide, /docs/import of a running server, has the forms of the files and the query. A second run
of the same file changes nothing; one that was cut off is simply run again. Works on the store given
by --store and --keyring, also while servers run on it.";

/// What is imported, from where.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file; - for standard input
    file: PathBuf,

    /// What the file is
    #[arg(long, value_enum)]
    format: Form,

    /// What of a Keycloak user names the account here
    #[arg(long, value_enum, value_name = "MEMBER", default_value_t = By::Id)]
    by: By,

    /// Make accounts of a host's for those that are not here; without it they are refused
    #[arg(long)]
    create_accounts: bool,

    /// End the codes that an account has; without it an account that has had codes is left alone
    #[arg(long)]
    replace: bool,

    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    json: Json,
}

/// What a file is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// One JSON object a line: an account and verifiers (Argon2, bcrypt, PBKDF2, scrypt)
    Phc,
    /// A realm's or its users' export, with recovery-authn-codes credentials
    Keycloak,
    /// One JSON object a line: a user and the rows of auth.mfa_recovery_codes
    Supabase,
    /// One JSON object a line: an account and its codes as they are
    Plaintext,
}

impl Form {
    fn origin(self) -> Origin {
        match self {
            Self::Phc => Origin::Phc,
            Self::Keycloak => Origin::Keycloak,
            Self::Supabase => Origin::Supabase,
            Self::Plaintext => Origin::Plaintext,
        }
    }
}

/// What of a Keycloak user names the account here.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// Its id, which is the subject of its tokens
    Id,
    /// Its user name
    Username,
    /// Its email address
    Email,
}

/// Why something is not taken; never with anything of the file's in it.
type Reason = Cow<'static, str>;

/// An account's codes as they were read.
struct Read {
    batch: ForeignBatch,
    /// A code of it has fewer than 64 bits.
    weak: bool,
}

/// What a file holds, one by one: where it stands, counted from 1, and what it is.
enum Item {
    Account(u64, Result<Read, Reason>),
    /// Nothing more can be read.
    Broken(Reason),
}

/// Where the reader puts what it reads. `Err`: nobody listens any more.
type Sink<'a> = &'a mut dyn FnMut(Item) -> Result<(), ()>;

impl Import {
    pub(super) async fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let app = open::administration(config, Absent::Refused)?;
        let Json { json } = self.json;
        let mut report = Report::new(self.format.origin(), self.dry_run);
        let done = self.go_through(app.mfa(), &mut report).await;
        report.print(output, json)?;
        done?;
        match report.refused() {
            0 => Ok(()),
            refused => Err(Failure::new(format!(
                "{refused} of the file's accounts {} not imported",
                if self.dry_run { "would be" } else { "were" }
            ))
            .remedy("see why in what was printed, mend the file, and run it again")),
        }
    }

    async fn go_through(&self, mfa: &Mfa, report: &mut Report) -> Result<(), Failure> {
        let how = ImportHow {
            create: self.create_accounts,
            replace: self.replace,
        };
        let source = self.source()?;
        let (format, by) = (self.format, self.by);
        let (sender, mut items) = mpsc::channel(AHEAD);
        // Ends with the file, or when nobody listens any more.
        let reading = tokio::task::spawn_blocking(move || {
            let mut sink = |item| sender.blocking_send(item).map_err(|_| ());
            let _heard = match format {
                Form::Keycloak => keycloak::read(source, by, &mut sink),
                Form::Phc | Form::Plaintext | Form::Supabase => {
                    lines::read(source, format, &mut sink)
                }
            };
        });
        let mut seen = HashSet::new();
        while let Some(item) = items.recv().await {
            let (at, read) = match item {
                Item::Account(at, read) => (at, read),
                Item::Broken(reason) => {
                    return Err(
                        Failure::new(format!("the file cannot be read on: {reason}"))
                            .remedy("see that it is whole and of the form that --format names"),
                    );
                }
            };
            let Read { batch, weak } = match read {
                Ok(read) => read,
                Err(reason) => {
                    report.add(at, None, Fate::Refused(reason));
                    continue;
                }
            };
            let fate = if !seen.insert(batch.account.clone()) {
                Fate::Refused("its account stood in the file before".into())
            } else if let Err(unfit) = mfa.import_fits(&batch) {
                Fate::Refused(unfit.to_string().into())
            } else {
                let was_here = mfa.is_known(&batch.account).await?;
                let outcome = if self.dry_run {
                    mfa.would_import(&batch.account, how).await?
                } else {
                    mfa.import(&batch, how).await?
                };
                fate(outcome, was_here, &batch, weak)
            };
            report.add(at, Some(&batch.account), fate);
        }
        reading
            .await
            .map_err(|error| Failure::new("reading the file broke off").because(&error))
    }

    fn source(&self) -> Result<Box<dyn BufRead + Send>, Failure> {
        if self.file.as_os_str() == "-" {
            return Ok(Box::new(BufReader::new(stdin())));
        }
        let file = File::open(&self.file).map_err(|error| {
            Failure::new(format!("cannot read {}", self.file.display()))
                .because(&error)
                .remedy("name a file that is there, or - for standard input")
        })?;
        Ok(Box::new(BufReader::new(file)))
    }
}

fn fate(outcome: ImportOutcome, was_here: bool, batch: &ForeignBatch, weak: bool) -> Fate {
    match outcome {
        ImportOutcome::Taken => Fate::Imported {
            codes: batch.codes.len(),
            created: !was_here,
            weak,
        },
        ImportOutcome::HasCodes => Fate::LeftAlone,
        ImportOutcome::NoAccount => Fate::NotHere,
        ImportOutcome::NoAuthenticator => Fate::NoAuthenticator,
    }
}
