//! `spare-key backup`: a copy of the database.

use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::open;
use super::output::Output;
use super::wire::BackupAnswer;
use crate::app::StoreUrl;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::store::sqlite::{BackupError, SqliteStore};

pub(super) const NOTE: &str = "\
Example:
  spare-key backup /var/backups/spare-key-2026-11-21.db --store sqlite:/var/lib/spare-key/spare-key.db

Keep a copy of the keyring too, and not beside this one. PostgreSQL has tools of its own: this
command names the line.";

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to make
    file: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(super) fn run(self, config: &Config, output: &mut Output) -> Result<(), Failure> {
        let url = open::store_alone(config)?;
        let path = match &url {
            StoreUrl::Sqlite(path) => path,
            StoreUrl::Postgres(url) => {
                return Err(
                    Failure::new("PostgreSQL is backed up with its own tools").remedy(format!(
                        "pg_dump --format=custom --schema=spare_key --file={} \
                         --dbname='{}'",
                        self.file.display(),
                        url.for_tools()
                    )),
                );
            }
        };
        let now = SystemClock.now();
        let taken =
            SqliteStore::back_up(path, &self.file, now).map_err(|error| failure(&url, &error))?;
        let answer = BackupAnswer::of(&self.file, now, &taken);
        if self.json {
            return Ok(output.json(&answer)?);
        }
        Ok(output.print(&answer.text())?)
    }
}

pub(super) fn failure(url: &StoreUrl, error: &BackupError) -> Failure {
    match error {
        BackupError::Open(error) => {
            let failure = Failure::new("the store could not be opened").because(error);
            failure.remedy(match error {
                crate::store::sqlite::OpenError::Backup { .. } => {
                    "it is a backup already: copy it as it is"
                }
                _ => "name the one that the server uses: --store sqlite:PATH",
            })
        }
        BackupError::Absent(_) => Failure::new(error.to_string())
            .remedy("name the one that is meant: --store sqlite:PATH"),
        BackupError::Exists(_) => Failure::new(error.to_string()).remedy("name another file"),
        BackupError::Io { .. } => Failure::new(error.to_string()).because(error).remedy(
            "name a file in a folder that you may write to, on a file system with hard links",
        ),
        BackupError::Database(_) => Failure::new(error.to_string())
            .because(error)
            .remedy("see whether there is room for a second file of that size, and try again"),
        BackupError::Damaged(_) => Failure::new(error.to_string()).remedy(format!(
            "keep {url} as it is, and see what can be restored: spare-key restore --help"
        )),
    }
}
