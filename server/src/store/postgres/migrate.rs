//! Bringing the schema up to this binary's.
//!
//! Everything lies in the schema `spare_key`, so that the database may be shared with what has
//! tables of the same names. Its table `migration` says which migrations were applied; it is looked
//! at before anything is written, so a foreign or a newer one is left as it is.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Client, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::{Broken, words};
use super::tls::RootsError;
use super::url::PostgresUrl;
use crate::store::Standing;

/// "SpKy": whoever migrates holds this advisory lock.
pub(super) const LOCK: i64 = 0x5370_4b79;

/// The migrations, the first is number 1.
const MIGRATIONS: [(&str, &str); 4] = [
    (
        "0001_first",
        include_str!("../../../migrations/postgres/0001_first.sql"),
    ),
    (
        "0002_retention",
        include_str!("../../../migrations/postgres/0002_retention.sql"),
    ),
    (
        "0003_imported",
        include_str!("../../../migrations/postgres/0003_imported.sql"),
    ),
    (
        "0004_notices",
        include_str!("../../../migrations/postgres/0004_notices.sql"),
    ),
];

/// This binary's schema.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// How long all of it may take, another server's migration that is waited for included.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached, or does not let us in.
    #[error("cannot connect to the database {place}: {why}")]
    Connect {
        /// Which.
        place: String,
        /// What was said.
        why: String,
    },
    /// TLS cannot be spoken.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// It cannot hold every text.
    #[error("the database {place} has the encoding {encoding}, and Spare Key needs UTF8")]
    Encoding {
        /// Which.
        place: String,
        /// Its own.
        encoding: String,
    },
    /// The schema is somebody else's.
    #[error(
        "the schema spare_key of the database {place} is not Spare Key's; name another database"
    )]
    Foreign {
        /// Which.
        place: String,
    },
    /// A newer binary has migrated it.
    #[error(
        "the database {place} has schema {found}, this binary knows up to {known}: use a newer \
         spare-key"
    )]
    Newer {
        /// Which.
        place: String,
        /// Its schema.
        found: i64,
        /// The latest this binary knows.
        known: i64,
    },
    /// A migration failed; the database is as it was.
    #[error("migration {number} of the database {place} failed, and nothing was changed: {why}")]
    Migration {
        /// Which.
        place: String,
        /// Which migration.
        number: i64,
        /// What the database said.
        why: String,
    },
    /// It broke off on the way.
    #[error("the database {place} could not be looked at: {why}")]
    Broken {
        /// Which.
        place: String,
        /// What was said.
        why: String,
    },
    /// The operating system gave no thread to wait on.
    #[error("no thread to wait on")]
    NoThread(#[source] std::io::Error),
}

/// What there is.
pub(super) enum Found {
    /// Nothing of ours.
    Nothing,
    /// A schema that we own, with so many migrations applied.
    Applied(i64),
}

/// Applies what is missing in one transaction; several servers may start at once.
pub(super) async fn migrate(url: &PostgresUrl, tls: &MakeRustlsConnect) -> Result<(), OpenError> {
    let place = url.to_string();
    let work = async {
        let mut db = connect(url, tls).await?;
        fits(&db, &place).await?;
        // A look before the lock: what is up to date is not to be written to at all.
        if applied(&examine(&db, &place).await?) == KNOWN {
            return Ok(());
        }
        let broken = |error: tokio_postgres::Error| broken(&place, &error);
        let transaction = db.transaction().await.map_err(broken)?;
        transaction
            .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
            .await
            .map_err(broken)?;
        let found = examine(transaction.client(), &place).await?;
        apply(&transaction, &found, &place).await?;
        transaction.commit().await.map_err(broken)
    };
    within(&place, work).await
}

/// What there is; brings nothing up to date.
pub(super) async fn look(
    url: &PostgresUrl,
    tls: &MakeRustlsConnect,
) -> Result<Standing, OpenError> {
    let place = url.to_string();
    let work = async {
        let db = connect(url, tls).await?;
        fits(&db, &place).await?;
        Ok(match applied(&examine(&db, &place).await?) {
            0 => Standing::Absent,
            KNOWN => Standing::Current,
            found => Standing::Older {
                found: u32::try_from(found).unwrap_or(0),
                known: u32::try_from(KNOWN).unwrap_or(0),
            },
        })
    };
    within(&place, work).await
}

async fn within<T>(
    place: &str,
    work: impl Future<Output = Result<T, OpenError>>,
) -> Result<T, OpenError> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| {
        Err(OpenError::Broken {
            place: place.to_owned(),
            why: Broken::Silent.to_string(),
        })
    })
}

pub(super) async fn connect(
    url: &PostgresUrl,
    tls: &MakeRustlsConnect,
) -> Result<Client, OpenError> {
    let refused = |why: String| OpenError::Connect {
        place: url.to_string(),
        why,
    };
    let connecting = timeout(url.patience(), url.config.connect(tls.clone()));
    let (client, connection) = connecting
        .await
        .map_err(|_| refused(Broken::Silent.to_string()))?
        .map_err(|error| refused(words(&error)))?;
    // Ends with the client; what broke is told by the statement that was being run.
    tokio::spawn(async move { drop(connection.await) });
    client
        .batch_execute(
            "SET search_path TO spare_key, pg_temp; SET client_min_messages TO 'warning'",
        )
        .await
        .map_err(|error| refused(words(&error)))?;
    Ok(client)
}

async fn fits(db: &Client, place: &str) -> Result<(), OpenError> {
    let encoding: String = db
        .query_one("SELECT current_setting('server_encoding')", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| broken(place, &error))?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(OpenError::Encoding {
        place: place.to_owned(),
        encoding,
    })
}

pub(super) async fn examine(db: &Client, place: &str) -> Result<Found, OpenError> {
    let read = async {
        let row = db
            .query_one(
                "SELECT to_regclass('spare_key.migration') IS NOT NULL,
                 EXISTS (SELECT 1 FROM pg_class
                         WHERE relnamespace = to_regnamespace('spare_key'))",
                &[],
            )
            .await?;
        let ours = match (row.try_get(0)?, row.try_get(1)?) {
            (true, _) => true,
            (false, true) => return Ok(None),
            (false, false) => false,
        };
        if !ours {
            return Ok(Some(Found::Nothing));
        }
        let row = db
            .query_one(
                "SELECT coalesce(max(number), 0) FROM spare_key.migration",
                &[],
            )
            .await?;
        Ok(Some(Found::Applied(row.try_get(0)?)))
    };
    let place = || place.to_owned();
    match read.await {
        Ok(Some(Found::Applied(found))) if found > KNOWN => Err(OpenError::Newer {
            place: place(),
            found,
            known: KNOWN,
        }),
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(OpenError::Foreign { place: place() }),
        Err(error) => Err(broken(&place(), &error)),
    }
}

fn applied(found: &Found) -> i64 {
    match found {
        Found::Nothing => 0,
        Found::Applied(number) => *number,
    }
}

pub(super) async fn apply(
    db: &Transaction<'_>,
    found: &Found,
    place: &str,
) -> Result<(), OpenError> {
    let missing = (1..).zip(MIGRATIONS);
    for (number, (name, sql)) in missing.skip_while(|(number, _)| *number <= applied(found)) {
        let work = async {
            if number == 1 {
                prepare(db).await?;
            }
            db.batch_execute(sql).await?;
            let note = "INSERT INTO migration (number, name) VALUES ($1, $2)";
            db.execute(note, &[&number, &name]).await
        };
        work.await.map_err(|error| OpenError::Migration {
            place: place.to_owned(),
            number,
            why: words(&error),
        })?;
    }
    Ok(())
}

/// Makes the schema, unless whoever looks after the database has made it for us, and the table that
/// says what was applied.
async fn prepare(db: &Transaction<'_>) -> Result<(), tokio_postgres::Error> {
    let there: bool = db
        .query_one("SELECT to_regnamespace('spare_key') IS NOT NULL", &[])
        .await?
        .try_get(0)?;
    if !there {
        db.batch_execute("CREATE SCHEMA spare_key").await?;
    }
    db.batch_execute(
        "CREATE TABLE migration (
             number bigint PRIMARY KEY,                      -- which, from 1
             name   text NOT NULL,                           -- its file's
             probed bigint NOT NULL DEFAULT 0                -- probes of whether it can be written
         )",
    )
    .await
}

pub(super) fn broken(place: &str, error: &tokio_postgres::Error) -> OpenError {
    OpenError::Broken {
        place: place.to_owned(),
        why: words(error),
    }
}
