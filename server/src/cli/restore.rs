//! `spare-key restore`: putting a backup in place.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ask::Yes;
use super::backup;
use super::failure::Failure;
use super::open;
use super::output::Output;
use super::wire::RestoreAnswer;
use crate::app::{RestoreError, StoreUrl};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::store::postgres::{self, PostgresStore};
use crate::store::sqlite::{self, SqliteStore};
use crate::store::{LiveCodes, PastUnfit, Restoration};

pub(super) const NOTE: &str = "\
Examples:
  spare-key restore backup.db --store sqlite:spare-key.db --spent-from damaged.db
  spare-key restore backup.db --store sqlite:spare-key.db --codes end
  spare-key restore --store postgres://spare_key@localhost/spare_key --codes end

What becomes of the codes that were live in the backup, the safest first:
  --spent-from OLD  they are what they are in the newer or damaged database: used codes, ended
                    batches, removed authenticators, API keys, programs and accounts, passwords
  --codes end       they end; people make new ones after their next sign-in
  --codes keep      they stay, also those that were used since: whoever has such a sheet and the
                    password is let in with it again; people are told and asked for new ones

Stop the servers first. Nothing is overwritten: move a damaged file aside before, with its -wal and
-shm. Without FILE, what is in the store already is restored: a backup that was copied there, or, on
PostgreSQL, what pg_restore has put there. See /docs/operations.";

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup; the store is made from it
    file: Option<PathBuf>,

    /// What becomes of codes that were live in the backup: end or keep
    #[arg(long, value_name = "end|keep", hide_possible_values = true)]
    codes: Option<Codes>,

    /// The newer or damaged database, a file or an address as of --store, that still knows which
    /// codes were used and ended
    #[arg(long, value_name = "OLD", conflicts_with = "codes")]
    spent_from: Option<String>,

    #[command(flatten)]
    yes: Yes,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Codes {
    End,
    Keep,
}

impl Restore {
    pub(super) fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let url = open::store_alone(config)?;
        let codes = match (self.codes, &self.spent_from) {
            (Some(Codes::End), _) => LiveCodes::End,
            (Some(Codes::Keep), _) => LiveCodes::Keep,
            (None, Some(old)) => {
                LiveCodes::SpentFrom(past(old)?.past().map_err(|error| failure(&url, &error))?)
            }
            (None, None) => {
                return Err(Failure::usage(
                    "a backup knows nothing of what came after it: codes that were used since \
                     would be good again, and batches that ended would be live",
                )
                .remedy(
                    "say what becomes of its codes: --spent-from OLD, where the database that \
                     came after it can still be read; otherwise --codes end, and people make new \
                     ones; or --codes keep, which lets used ones in again (spare-key restore \
                     --help)",
                ));
            }
        };
        let restoration = Restoration {
            codes,
            at: SystemClock.now(),
        };
        let restored = match (&url, &self.file) {
            (StoreUrl::Sqlite(path), file) => {
                SqliteStore::restore(file.as_deref(), path, &restoration)
                    .map_err(RestoreError::from)
            }
            (StoreUrl::Postgres(_), Some(_)) => {
                return Err(
                    Failure::usage("a PostgreSQL database is filled by pg_restore").remedy(
                        "fill it first, then give this command without a file: spare-key restore \
                     --store postgres://… --codes end",
                    ),
                );
            }
            (StoreUrl::Postgres(place), None) => {
                // Nothing in it says that it is a backup.
                self.yes.confirm(&format!(
                    "Ending every session in {url}, and treating what is there as a backup,"
                ))?;
                PostgresStore::restore(place, &restoration).map_err(RestoreError::from)
            }
        };
        let restored = restored.map_err(|error| failure(&url, &error))?;
        let answer = RestoreAnswer::of(&url, &restored);
        if self.json {
            return Ok(output.json(&answer)?);
        }
        Ok(output.print(&answer.text())?)
    }
}

/// A file, or an address.
fn past(old: &str) -> Result<StoreUrl, Failure> {
    if old.starts_with("sqlite:") || old.starts_with("postgres") && old.contains("://") {
        return StoreUrl::parse(old).map_err(|error| {
            Failure::usage("--spent-from does not name a database")
                .because(&error)
                .remedy("give a file, or an address as of --store")
        });
    }
    Ok(StoreUrl::Sqlite(PathBuf::from(old)))
}

fn failure(url: &StoreUrl, error: &RestoreError) -> Failure {
    let what = "nothing was restored";
    match error {
        RestoreError::Sqlite(sqlite::RestoreError::Copy(error)) => match error {
            sqlite::BackupError::Exists(path) => {
                let path = path.display();
                Failure::new(format!(
                    "{path} is there already; nothing is ever overwritten"
                ))
                .remedy(format!(
                    "move it aside with its log, for example: mv {path} {path}.damaged (and \
                         {path}-wal, {path}-shm, if they are there); if a restore was cut off, end \
                         it without naming the backup: spare-key restore --store sqlite:{path}"
                ))
            }
            other => backup::failure(url, other),
        },
        RestoreError::Sqlite(sqlite::RestoreError::NoBackup(_)) => Failure::new(error.to_string())
            .remedy(
                "name a file that spare-key backup has made, and a --store that is not there yet",
            ),
        RestoreError::Sqlite(sqlite::RestoreError::Open(sqlite::OpenError::Backup { .. })) => {
            Failure::new("the database to take used codes from is a backup itself")
                .because(error)
                .remedy("if it is the newer one, restore that")
        }
        RestoreError::Sqlite(sqlite::RestoreError::Damaged { .. }) => {
            Failure::new(error.to_string())
                .remedy("without it nobody knows which codes were used: --codes end")
        }
        RestoreError::Sqlite(sqlite::RestoreError::Past(unfit))
        | RestoreError::Postgres(postgres::RestoreError::Past(unfit)) => {
            Failure::new(unfit.to_string()).remedy(match unfit {
                PastUnfit::Older => "name the one that was in use last, or take --codes end",
                PastUnfit::Another => "name the one that the backup was taken of",
            })
        }
        other => Failure::new(what).because(other).remedy(
            "see that the files can be read and the store can be written to, and try again",
        ),
    }
}
