//! Restoring what `pg_restore` has put into a database, and reading the past of another.
//!
//! Nothing in the database says that it was filled from a backup: whoever filled it calls this
//! before the first server is started on it.

use tokio_postgres::{IsolationLevel, Transaction};

use super::migrate::{Found, LOCK, OpenError, apply, broken, connect, examine};
use super::url::PostgresUrl;
use super::{PostgresStore, tls, waited_for};
use crate::store::restore::{KINDS, Kind, PastTable, TABLES};
use crate::store::{Counts, LiveCodes, NUMBERS_JUMP, Past, PastUnfit, Restoration, Restored};

/// What each choice does, and what all of them do.
const CARRY: &str = include_str!("../../../restore/postgres/carry.sql");
const END: &str = include_str!("../../../restore/postgres/end.sql");
const KEEP: &str = include_str!("../../../restore/postgres/keep.sql");
const FENCE: &str = include_str!("../../../restore/postgres/fence.sql");

/// Why nothing was restored. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is nothing in it.
    #[error("nothing of Spare Key is in the database {0}")]
    Absent(String),
    /// The other database.
    #[error(transparent)]
    Past(#[from] PastUnfit),
}

impl PostgresStore {
    /// Restores what is in the database. Blocks.
    ///
    /// # Errors
    /// [`RestoreError`]; then nothing was changed.
    pub fn restore(url: &PostgresUrl, restoration: &Restoration) -> Result<Restored, RestoreError> {
        let tls = tls::connector(url).map_err(OpenError::from)?;
        waited_for(async {
            let place = url.to_string();
            let broken = |error: tokio_postgres::Error| broken(&place, &error);
            let mut client = connect(url, &tls).await?;
            let db = client.transaction().await.map_err(broken)?;
            db.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
                .await
                .map_err(broken)?;
            let found = examine(db.client(), &place).await?;
            if let Found::Nothing = found {
                return Err(RestoreError::Absent(place));
            }
            apply(&db, &found, &place).await?;
            let done = fence(&db, restoration).await;
            let restored = done.map_err(|error| match error {
                Broken::Past(unfit) => RestoreError::Past(unfit),
                Broken::Database(error) => broken(error).into(),
            })?;
            db.commit().await.map_err(broken)?;
            Ok(restored)
        })
    }

    /// What the database knows of its codes and of who may use them. Changes nothing. Blocks.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn past(url: &PostgresUrl) -> Result<Past, RestoreError> {
        let tls = tls::connector(url).map_err(OpenError::from)?;
        waited_for(async {
            let place = url.to_string();
            let broken = |error: tokio_postgres::Error| broken(&place, &error);
            let mut client = connect(url, &tls).await?;
            // One state for all tables.
            let db = client
                .build_transaction()
                .isolation_level(IsolationLevel::RepeatableRead)
                .read_only(true)
                .start()
                .await
                .map_err(broken)?;
            if let Found::Nothing = examine(db.client(), &place).await? {
                return Err(RestoreError::Absent(place));
            }
            let mut all = Vec::with_capacity(TABLES.len());
            for table in &TABLES {
                all.push(rows(&db, table).await.map_err(broken)?);
            }
            Ok(Past {
                rows: all,
                last_event: last_event(&db).await.map_err(broken)?,
            })
        })
    }
}

enum Broken {
    Past(PastUnfit),
    Database(tokio_postgres::Error),
}

impl From<tokio_postgres::Error> for Broken {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

async fn fence(db: &Transaction<'_>, restoration: &Restoration) -> Result<Restored, Broken> {
    let before = counts(db).await?;
    db.batch_execute(
        "CREATE TEMP TABLE restoring (at bigint, taken_at bigint, codes text, jump bigint,
             ended text, kept text, last_event bigint) ON COMMIT DROP",
    )
    .await?;
    let [ended, kept] = KINDS;
    let last_event = last_event(db).await?;
    let told = [
        "INSERT",
        "INTO restoring VALUES ($1, NULL, $2, $3, $4, $5, $6)",
    ]
    .join(" ");
    let jump = i64::from(NUMBERS_JUMP);
    let codes = restoration.codes.name();
    db.execute(
        &told,
        &[&restoration.at.0, &codes, &jump, &ended, &kept, &last_event],
    )
    .await?;
    match &restoration.codes {
        LiveCodes::End => db.batch_execute(END).await?,
        LiveCodes::Keep => db.batch_execute(KEEP).await?,
        LiveCodes::SpentFrom(past) => carry(db, past, last_event).await?,
    }
    db.batch_execute(FENCE).await?;
    Ok(Restored {
        taken_at: None,
        before,
        after: counts(db).await?,
    })
}

async fn carry(db: &Transaction<'_>, past: &Past, last_event: i64) -> Result<(), Broken> {
    if past.last_event < last_event {
        return Err(Broken::Past(PastUnfit::Older));
    }
    for (place, PastTable { name, columns, .. }) in TABLES.iter().enumerate() {
        let typed: Vec<_> = columns
            .iter()
            .map(|(name, _, kind)| match kind {
                Kind::Number | Kind::Flag => format!("{name} bigint"),
                // Names compare byte by byte, as they do in the tables beside them.
                Kind::Text | Kind::Bytes | Kind::Later => {
                    format!("{name} text COLLATE \"C\"")
                }
            })
            .collect();
        let typed = typed.join(", ");
        db.batch_execute(&format!(
            "CREATE TEMP TABLE {name} ({typed}) ON COMMIT DROP"
        ))
        .await?;
        let fill = format!(
            "\nINSERT INTO {name} SELECT * FROM json_populate_recordset(NULL::{name}, $1::text::json)"
        );
        for slice in past.slices(place) {
            db.execute(&fill, &[&slice]).await?;
        }
        db.batch_execute(&format!("ANALYZE {name}")).await?;
    }
    let strangers = ["SELECT", STRANGERS].join(" ");
    if db.query_one(&strangers, &[]).await?.try_get(0)? {
        return Err(Broken::Past(PastUnfit::Another));
    }
    db.batch_execute(CARRY).await?;
    Ok(())
}

/// Over a table that is there for the time of the transaction.
const STRANGERS: &str = "EXISTS (SELECT 1 FROM account) AND NOT EXISTS (
    SELECT 1 FROM account AS a JOIN past_account AS p
        ON p.account = a.id AND p.created_at = a.created_at)";

async fn last_event(db: &Transaction<'_>) -> Result<i64, tokio_postgres::Error> {
    let sql = "SELECT coalesce(max(id), 0) FROM event";
    db.query_one(sql, &[]).await?.try_get(0)
}

async fn counts(db: &Transaction<'_>) -> Result<Counts, tokio_postgres::Error> {
    let row = db.query_one(Counts::SQL, &[]).await?;
    let count = |at: usize| row.try_get::<_, i64>(at).map(i64::unsigned_abs);
    Ok(Counts {
        accounts: count(0)?,
        authenticators: count(1)?,
        live: count(2)?,
        codes: count(3)?,
    })
}

async fn rows(
    db: &Transaction<'_>,
    table: &PastTable,
) -> Result<Vec<String>, tokio_postgres::Error> {
    let columns: Vec<_> = table
        .columns
        .iter()
        .map(|(name, source, kind)| match kind {
            Kind::Text | Kind::Number => format!("'{name}', {source}"),
            Kind::Flag => format!("'{name}', {source}::integer"),
            Kind::Bytes => format!("'{name}', encode({source}, 'hex')"),
            Kind::Later => format!("'{name}', to_jsonb({source}) ->> '{name}'"),
        })
        .collect();
    let columns = columns.join(", ");
    let from = table.from;
    let sql = format!("\nSELECT json_build_object({columns})::text FROM {from}");
    let rows = db.query(&sql, &[]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
