//! Restoring a backup into a file, and reading the past of another.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior, params};

use super::SqliteStore;
use super::backup::{BackupError, Copy, counts, read_only, sound};
use super::migrate::{
    self, APPLICATION_ID, OpenError, apply, connect, examine, overwrite_what_is_erased,
};
use crate::model::Timestamp;
use crate::store::restore::{KINDS, Kind, PastTable, TABLES};
use crate::store::{LiveCodes, NUMBERS_JUMP, Past, PastUnfit, Restoration, Restored};

/// What each choice does, and what all of them do.
const CARRY: &str = include_str!("../../../restore/sqlite/carry.sql");
const END: &str = include_str!("../../../restore/sqlite/end.sql");
const KEEP: &str = include_str!("../../../restore/sqlite/keep.sql");
const FENCE: &str = include_str!("../../../restore/sqlite/fence.sql");

/// Why nothing was restored. The backup is as it was, and nothing is served from it.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The copy of it.
    #[error(transparent)]
    Copy(#[from] BackupError),
    /// It is no backup.
    #[error("{} is no backup made by spare-key backup", .0.display())]
    NoBackup(PathBuf),
    /// The other database.
    #[error(transparent)]
    Past(#[from] PastUnfit),
    /// The other database is damaged where it matters.
    #[error("{} cannot be read whole: {why}", path.display())]
    Damaged {
        /// The other database.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The database said no; nothing was changed.
    #[error("the backup could not be restored; nothing was changed")]
    Database(#[from] rusqlite::Error),
}

impl SqliteStore {
    /// Copies the backup at `file` to `to`, where nothing may be, and restores it there. With no
    /// `file`, restores the backup that was put at `to` by other means. Blocks. Cut off, it leaves
    /// nothing at `to` or a backup, which can be restored without `file`.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn restore(
        file: Option<&Path>,
        to: &Path,
        restoration: &Restoration,
    ) -> Result<Restored, RestoreError> {
        if let Some(file) = file {
            if to.exists() {
                return Err(BackupError::Exists(to.to_owned()).into());
            }
            is_a_backup(file)?;
            let copy = Copy::of(&read_only(file)?, to)?;
            sound(&connect(&copy.partial)?)?;
            copy.put_in_place(to)?;
        }
        let restored = in_place(to, restoration);
        // What was put there a moment ago is of no use to anybody as it is.
        if restored.is_err() && file.is_some() && is_a_backup(to).is_ok() {
            let _removed = std::fs::remove_file(to);
        }
        restored
    }

    /// What the database at `path` knows of its codes and of who may use them. It may be damaged
    /// elsewhere. Changes nothing. Blocks.
    ///
    /// # Errors
    /// [`RestoreError`]: it is a backup itself, or damaged where it matters.
    pub fn past(path: &Path) -> Result<Past, RestoreError> {
        let mut db = read_only(path)?;
        let look = db.transaction()?;
        if examine(&look, path)? == 0 {
            return Err(BackupError::Absent(path.to_owned()).into());
        }
        for table in [
            "account", "batch", "code", "totp", "api_key", "client", "throttle",
        ] {
            let check = format!("PRAGMA integrity_check({table})");
            let said: String = look.query_row(&check, [], |row| row.get(0))?;
            if said != "ok" {
                return Err(RestoreError::Damaged {
                    path: path.to_owned(),
                    why: said,
                });
            }
        }
        let rows = TABLES.iter().map(|table| rows(&look, table));
        Ok(Past {
            rows: rows.collect::<Result<_, _>>()?,
            last_event: last_event(&look)?,
        })
    }
}

fn in_place(path: &Path, restoration: &Restoration) -> Result<Restored, RestoreError> {
    is_a_backup(path)?;
    let mut db = connect(path)?;
    overwrite_what_is_erased(&db)?;
    db.pragma_update(None, "foreign_keys", true)?;
    db.pragma_update(None, "synchronous", "EXTRA")?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    sound(&db)?;
    let restored = fence(&mut db, path, restoration)?;
    sound(&db)?;
    Ok(restored)
}

fn is_a_backup(path: &Path) -> Result<(), RestoreError> {
    match migrate::look(path) {
        Err(OpenError::Backup { .. }) => Ok(()),
        Ok(_) => Err(RestoreError::NoBackup(path.to_owned())),
        Err(other) => Err(other.into()),
    }
}

/// All of it in one transaction, which also takes the mark of a backup away.
fn fence(
    db: &mut Connection,
    path: &Path,
    restoration: &Restoration,
) -> Result<Restored, RestoreError> {
    let db = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let taken_at = migrate::taken_at(&db);
    let found: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    apply(&db, path, found)?;
    let before = counts(&db)?;
    begin(&db, restoration, taken_at)?;
    match &restoration.codes {
        LiveCodes::End => db.execute_batch(END)?,
        LiveCodes::Keep => db.execute_batch(KEEP)?,
        LiveCodes::SpentFrom(past) => carry(&db, past)?,
    }
    db.execute_batch(FENCE)?;
    db.execute_batch("DROP TABLE backup; DROP TABLE temp.restoring")?;
    db.pragma_update(None, "application_id", APPLICATION_ID)?;
    let after = counts(&db)?;
    db.commit()?;
    Ok(Restored {
        taken_at,
        before,
        after,
    })
}

/// What the scripts are told.
fn begin(
    db: &Connection,
    restoration: &Restoration,
    taken_at: Option<Timestamp>,
) -> rusqlite::Result<()> {
    db.execute_batch(
        "CREATE TEMP TABLE restoring (at, taken_at, codes, jump, ended, kept, last_event)",
    )?;
    let [ended, kept] = KINDS;
    db.execute(
        "INSERT INTO restoring VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            restoration.at,
            taken_at,
            restoration.codes.name(),
            NUMBERS_JUMP,
            ended,
            kept,
            last_event(db)?
        ],
    )?;
    Ok(())
}

fn carry(db: &Connection, past: &Past) -> Result<(), RestoreError> {
    if past.last_event < last_event(db)? {
        return Err(PastUnfit::Older.into());
    }
    for (place, table) in TABLES.iter().enumerate() {
        let PastTable { name, columns, .. } = table;
        let names: Vec<_> = columns.iter().map(|(name, ..)| *name).collect();
        let names = names.join(", ");
        db.execute_batch(&format!("CREATE TEMP TABLE {name} ({names})"))?;
        let values: Vec<_> = columns
            .iter()
            .map(|(name, ..)| format!("value ->> '$.{name}'"))
            .collect();
        let values = values.join(", ");
        let fill = format!("INSERT INTO {name} ({names}) SELECT {values} FROM json_each(?1)");
        for slice in past.slices(place) {
            db.execute(&fill, [slice])?;
        }
    }
    let strangers: bool = db.query_row(
        "SELECT EXISTS (SELECT 1 FROM account) AND NOT EXISTS (
             SELECT 1 FROM account AS a JOIN past_account AS p
                 ON p.account = a.id AND p.created_at = a.created_at)",
        [],
        |row| row.get(0),
    )?;
    if strangers {
        return Err(PastUnfit::Another.into());
    }
    db.execute_batch(CARRY)?;
    for PastTable { name, .. } in &TABLES {
        db.execute_batch(&format!("DROP TABLE temp.{name}"))?;
    }
    Ok(())
}

fn last_event(db: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce(max(id), 0) FROM event";
    db.query_row(sql, [], |row| row.get(0))
}

fn has_column(db: &Connection, table: Option<&str>, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2)";
    db.query_row(sql, (table, name), |row| row.get(0))
}

fn rows(db: &Connection, table: &PastTable) -> rusqlite::Result<Vec<String>> {
    let whole = table.from.split(' ').next();
    let mut columns = Vec::with_capacity(table.columns.len());
    for (name, source, kind) in table.columns {
        columns.push(match kind {
            Kind::Text | Kind::Number | Kind::Flag => format!("'{name}', {source}"),
            Kind::Bytes => format!("'{name}', iif({source} IS NULL, NULL, hex({source}))"),
            Kind::Later if has_column(db, whole, name)? => format!("'{name}', {source}.{name}"),
            Kind::Later => format!("'{name}', NULL"),
        });
    }
    let sql = format!(
        "SELECT json_object({}) FROM {}",
        columns.join(", "),
        table.from
    );
    db.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
}
