//! Databases to measure on: a file in a folder that goes, or a database of a PostgreSQL server
//! that goes.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;
use spare_key_server::app::StoreUrl;
use spare_key_server::store::Store;
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

/// One database.
pub(crate) enum Ground {
    File(TempDir),
    Database(Database),
}

impl Ground {
    /// An empty one.
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::File(tempfile::tempdir().expect("a folder")),
            Kind::Postgres => {
                durable();
                Self::Database(Database::create(&[]))
            }
        }
    }

    /// Its address, as `--store` takes it.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::File(_) => format!("sqlite:{}", self.file().display()),
            Self::Database(database) => database.url(),
        }
    }

    /// Its file, of SQLite.
    pub(crate) fn file(&self) -> PathBuf {
        match self {
            Self::File(folder) => folder.path().join("spare-key.db"),
            Self::Database(_) => panic!("no file"),
        }
    }

    /// A store on it, made when it is not there.
    pub(crate) fn open(&self) -> Arc<dyn Store> {
        let url = StoreUrl::parse(&self.address()).expect("an address");
        url.open().expect("the store opens")
    }

    /// Runs statements as a stranger to the product; the first value of the last.
    pub(crate) fn sql(&self, text: &str) -> String {
        sql(&self.address(), text)
    }
}

/// Runs statements at this address; the value, if it is one query.
pub(crate) fn sql(address: &str, text: &str) -> String {
    let Some(path) = address.strip_prefix("sqlite:") else {
        let program = postgres_program("psql").expect("psql comes with PostgreSQL");
        let ended = Command::new(program)
            .args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-d", address])
            .args(["-c", "SET search_path TO spare_key", "-c", text])
            .output()
            .expect("psql runs");
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        return String::from_utf8_lossy(&ended.stdout).trim().to_owned();
    };
    let db = Connection::open(path).expect("the file");
    db.busy_timeout(Duration::from_secs(60)).expect("patience");
    if text.starts_with("SELECT") {
        let value = db.query_row(text, [], |row| row.get::<_, Value>(0));
        return match value.expect("a value") {
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
            Value::Text(text) => text,
            Value::Null | Value::Blob(_) => String::new(),
        };
    }
    db.execute_batch(text).expect("it runs");
    String::new()
}

/// The tests' server flushes nothing to the disk. What is measured here does.
fn durable() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let database = Database::create(&[]);
        for setting in [
            "fsync = on",
            "full_page_writes = on",
            "max_wal_size = '1GB'",
            "checkpoint_timeout = '15min'",
        ] {
            database.sql(&format!("ALTER SYSTEM SET {setting}"));
        }
        database.sql("SELECT pg_reload_conf()");
        // It is heeded when a new connection sees it.
        while database.sql("SHOW fsync") != "on" {}
    });
}

/// A program of the PostgreSQL that is here.
pub(crate) fn postgres_program(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let programs = versions.map(|version| version.path().join("bin").join(name));
    programs.filter(|program| program.is_file()).max()
}

pub(crate) fn postgres_version() -> Option<String> {
    let output = Command::new(postgres_program("postgres")?)
        .arg("--version")
        .output();
    let text = String::from_utf8(output.ok()?.stdout).ok()?;
    Some(text.trim().replace("postgres (PostgreSQL)", "PostgreSQL"))
}
