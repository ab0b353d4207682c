//! Databases to break: made once, copied for each try, read as a stranger reads them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use spare_key_server::store::Store;
use spare_key_server::store::postgres::{PostgresStore, PostgresUrl};
use spare_key_server::store::sqlite::SqliteStore;
use tempfile::TempDir;

use crate::cluster::Database;

/// Which adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// What a database holds: of each table its rows, as text, in order.
pub(crate) type Rows = BTreeMap<String, Vec<String>>;

/// One database.
pub(crate) enum Ground {
    File(TempDir),
    Database(Database),
}

impl Ground {
    /// An empty one.
    pub(crate) fn new(kind: Kind) -> Self {
        let ground = match kind {
            Kind::Sqlite => Self::File(tempfile::tempdir().expect("a folder")),
            Kind::Postgres => Self::Database(Database::create(&[])),
        };
        drop(ground.open());
        ground
    }

    /// A copy; nobody may have this one open.
    pub(crate) fn copy(&self) -> Self {
        match self {
            Self::File(_) => {
                let folder = tempfile::tempdir().expect("a folder");
                let to = folder.path().join(FILE);
                std::fs::copy(self.file(), to).expect("a copy");
                Self::File(folder)
            }
            Self::Database(from) => Self::Database(Database::create(&["--template", &from.name])),
        }
    }

    /// Its file, of SQLite.
    pub(crate) fn file(&self) -> PathBuf {
        match self {
            Self::File(folder) => folder.path().join(FILE),
            Self::Database(_) => panic!("no file"),
        }
    }

    /// What [`open`] opens.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::File(_) => self.file().to_str().expect("a path").to_owned(),
            Self::Database(database) => format!("{}?max_connections=4", database.url()),
        }
    }

    /// A store on it.
    pub(crate) fn open(&self) -> Arc<dyn Store> {
        open(&self.address())
    }

    /// Runs statements as a stranger to the product; what they give, a line a row.
    pub(crate) fn sql(&self, sql: &str) -> String {
        match self {
            Self::File(_) => {
                let db =
                    Connection::open_with_flags(self.file(), OpenFlags::SQLITE_OPEN_READ_WRITE)
                        .expect("the file");
                let lines = sql.split(';').map(|one| lines(&db, one));
                lines.collect::<Vec<_>>().join("\n").trim().to_owned()
            }
            Self::Database(database) => {
                database.sql(&format!("SET search_path TO spare_key; {sql}"))
            }
        }
    }

    /// Everything it holds.
    pub(crate) fn rows(&self) -> Rows {
        let tables = match self {
            Self::File(_) => {
                "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1".to_owned()
            }
            // What the adapter notes of itself is no row of anybody's.
            Self::Database(_) => {
                "SELECT relname FROM pg_class WHERE relkind = 'r'
                 AND relnamespace = 'spare_key'::regnamespace AND relname <> 'migration' ORDER BY 1"
                    .to_owned()
            }
        };
        let tables = self.sql(&tables);
        let row = |table: &str| match self {
            Self::File(_) => format!("SELECT '{table}', * FROM \"{table}\""),
            Self::Database(_) => format!("SELECT '{table}|' || t::text FROM \"{table}\" AS t"),
        };
        let all: Vec<_> = tables.lines().map(row).collect();
        let between = if matches!(self, Self::File(_)) {
            ";"
        } else {
            " UNION ALL "
        };
        let mut rows = Rows::new();
        for line in self
            .sql(&all.join(between))
            .lines()
            .filter(|line| !line.is_empty())
        {
            let (table, row) = line.split_once('|').expect("a table and a row");
            rows.entry(table.to_owned())
                .or_default()
                .push(row.to_owned());
        }
        rows.values_mut().for_each(|rows| rows.sort());
        rows
    }

    /// What must hold whatever happened, and does not.
    pub(crate) fn violations(&self) -> Vec<String> {
        let counts: Vec<_> = INVARIANTS
            .iter()
            .map(|(name, sql)| format!("SELECT '{name}', count(*) FROM ({sql}) AS found"))
            .collect();
        let counted = self.sql(&counts.join(" UNION ALL "));
        let broken = counted.lines().filter(|line| !line.ends_with("|0"));
        broken.map(str::to_owned).collect()
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address())
    }
}

const FILE: &str = "spare-key.db";

/// What holds in every state that a reader can see. Each finds rows that break it.
const INVARIANTS: [(&str, &str); 12] = [
    (
        "a batch that can be used has all its codes",
        "SELECT 1 FROM batch AS b WHERE b.state < 2 AND b.total <> (SELECT count(*) FROM code AS c
         WHERE c.account_n = b.account_n AND c.generation = b.generation)",
    ),
    (
        "a batch knows how many of its codes are used",
        "SELECT 1 FROM batch AS b WHERE b.state < 2 AND b.used <> (SELECT count(*) FROM code AS c
         WHERE c.account_n = b.account_n AND c.generation = b.generation
           AND c.used_at IS NOT NULL)",
    ),
    (
        "a used code has lost what it was measured by, and no other has",
        "SELECT 1 FROM code WHERE (used_at IS NULL) <> (digest IS NOT NULL)
         OR (digest IS NULL) <> (salt IS NULL)",
    ),
    (
        "an ended batch has no codes",
        "SELECT 1 FROM code AS c JOIN batch AS b
         ON c.account_n = b.account_n AND c.generation = b.generation WHERE b.state > 1",
    ),
    (
        "an ended batch has no seed",
        "SELECT 1 FROM batch WHERE state > 1 AND seed IS NOT NULL",
    ),
    (
        "an account has one live batch at most",
        "SELECT 1 FROM batch WHERE state = 1 GROUP BY account_n HAVING count(*) > 1",
    ),
    (
        "no number is above the highest given",
        "SELECT 1 FROM batch AS b JOIN account AS a ON a.n = b.account_n
         WHERE b.generation > a.last_generation",
    ),
    (
        "a code is redeemed once on the audit trail",
        "SELECT 1 FROM event WHERE kind = 'codes.redeemed' AND number IS NOT NULL
         GROUP BY account_id, generation, number HAVING count(*) > 1",
    ),
    (
        "a number is given once on the audit trail",
        "SELECT 1 FROM event WHERE kind = 'codes.staged' AND generation IS NOT NULL
         GROUP BY account_id, generation HAVING count(*) > 1",
    ),
    (
        "who is told of an event finds it",
        "SELECT 1 FROM outbox WHERE event_id NOT IN (SELECT id FROM event)",
    ),
    (
        "a notice tells of an event that is there",
        "SELECT 1 FROM notice WHERE event_id NOT IN (SELECT id FROM event)",
    ),
    (
        "what has been addressed waits no more",
        "SELECT 1 FROM outbox AS o JOIN notice AS n ON n.event_id = o.event_id",
    ),
];

/// The store at this address: a file's path, or a PostgreSQL address.
pub(crate) fn open(address: &str) -> Arc<dyn Store> {
    if address.starts_with("postgres://") {
        let url = PostgresUrl::parse(address).expect("an address");
        Arc::new(PostgresStore::open(&url).expect("the store opens"))
    } else {
        Arc::new(SqliteStore::open(address.as_ref()).expect("the store opens"))
    }
}

/// What a query gives, a line a row, with bars between the columns.
fn lines(db: &Connection, sql: &str) -> String {
    let mut query = db.prepare(sql).expect("a statement");
    let columns = query.column_count();
    let mut rows = query.query([]).expect("it runs");
    let mut out = String::new();
    while let Some(row) = rows.next().expect("a row") {
        for column in 0..columns {
            if column > 0 {
                out.push('|');
            }
            match row.get_ref(column).expect("a column") {
                ValueRef::Null => {}
                ValueRef::Integer(number) => out.push_str(&number.to_string()),
                ValueRef::Real(number) => out.push_str(&number.to_string()),
                ValueRef::Text(text) => out.push_str(&String::from_utf8_lossy(text)),
                ValueRef::Blob(bytes) => bytes
                    .iter()
                    .for_each(|byte| out.push_str(&format!("{byte:02x}"))),
            }
        }
        out.push('\n');
    }
    out
}
