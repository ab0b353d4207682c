//! The PostgreSQL fixture: two stores on one database of a server that the tests start; and what
//! only a database behind a connection can break.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use spare_key_server::store::postgres::{PostgresStore, PostgresUrl};
use spare_key_server::store::{Restored, Store};

use super::cluster::Database;
use super::{Codes, Fixture, dumps};

pub(crate) struct OneDatabase {
    stores: Option<[Arc<PostgresStore>; 2]>,
    pub(crate) database: Database,
    backup: Option<Database>,
}

/// A database that was migrated once; each test's is a copy of it.
fn template() -> Database {
    static TEMPLATE: OnceLock<Database> = OnceLock::new();
    let template = TEMPLATE.get_or_init(|| {
        let new = Database::create(&[]);
        drop(store(&new));
        new
    });
    Database::create(&["--template", &template.name])
}

/// Every statement that stands in the adapter's sources as one piece of text.
pub(crate) fn statements() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/store/postgres");
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder).expect("the adapter") {
        let path = file.expect("a file").path();
        // What migrates is run by every test.
        if path.ends_with("migrate.rs") {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("a source");
        // Between quotation marks, of which SQL has none here.
        for piece in text.split('"').skip(1).step_by(2) {
            let words = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];
            // One that ends in a point goes on with a column's name.
            let whole = !piece.ends_with('.');
            if whole && words.iter().any(|word| piece.starts_with(word)) {
                found.push(piece.to_owned());
            }
        }
    }
    found
}

/// A store on it, with few connections: many tests share the server.
#[track_caller]
pub(crate) fn store(database: &Database) -> PostgresStore {
    PostgresStore::open(&few(&database.url())).expect("the store opens")
}

#[track_caller]
pub(crate) fn few(url: &str) -> PostgresUrl {
    let between = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{between}max_connections=6");
    PostgresUrl::parse(&url).expect("an address")
}

impl OneDatabase {
    fn two(&mut self) {
        self.stores = Some([(), ()].map(|()| Arc::new(store(&self.database))));
    }

    fn store(&self, which: usize) -> Arc<dyn Store> {
        let stores = self.stores.as_ref().expect("the stores are open");
        Arc::clone(&stores[which]) as Arc<dyn Store>
    }
}

impl Fixture for OneDatabase {
    fn open() -> Self {
        let mut fixture = Self {
            stores: None,
            database: template(),
            backup: None,
        };
        fixture.two();
        fixture
    }

    fn left(&self) -> Arc<dyn Store> {
        self.store(0)
    }

    fn right(&self) -> Arc<dyn Store> {
        self.store(1)
    }

    fn reopen(&mut self) {
        for store in self.stores.take().into_iter().flatten() {
            assert_eq!(Arc::strong_count(&store), 1, "the test still holds a store");
        }
        self.two();
    }

    fn rows(&self) -> BTreeMap<String, i64> {
        // What the adapter notes of itself is no row of anybody's.
        let names = self.database.sql(
            "SELECT relname FROM pg_class
             WHERE relnamespace = 'spare_key'::regnamespace AND relkind = 'r'
               AND relname <> 'migration'",
        );
        let counts: Vec<String> = names
            .lines()
            .map(|name| format!("SELECT '{name}', count(*) FROM spare_key.\"{name}\""))
            .collect();
        let counted = self.database.sql(&counts.join(" UNION ALL "));
        counted
            .lines()
            .map(|line| {
                let (name, count) = line.split_once('|').expect("two columns");
                (name.to_owned(), count.parse().expect("a count"))
            })
            .collect()
    }

    fn dump(&self) -> Vec<String> {
        let tables = self.rows().into_keys();
        let rows = tables.map(|table| {
            format!("SELECT '{table} ' || row_to_json(t)::text FROM spare_key.\"{table}\" AS t")
        });
        let all = self
            .database
            .sql(&rows.collect::<Vec<_>>().join(" UNION ALL "));
        all.lines().map(str::to_owned).collect()
    }

    fn count_accounts_from(&self, number: i64) {
        self.database.sql(&format!(
            "ALTER TABLE spare_key.account ALTER COLUMN n RESTART WITH {number}"
        ));
    }

    fn back_up(&mut self) {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = folder.path().join("codes.dump");
        dumps::dump(&self.database, &file);
        let filled = Database::create(&[]);
        dumps::fill(&filled, &file);
        self.backup = Some(filled);
    }

    fn restore(&mut self, codes: Codes) -> Restored {
        self.stores = None;
        let backup = self.backup.take().expect("a backup was taken");
        let old = std::mem::replace(&mut self.database, backup);
        let past = || PostgresStore::past(&few(&old.url())).expect("its past");
        let restoration = codes.restoration(past);
        let restored = PostgresStore::restore(&few(&self.database.url()), &restoration);
        self.two();
        restored.expect("it is restored")
    }
}

#[tokio::test]
async fn a_probe_writes() {
    let db = OneDatabase::open();
    let probes = || {
        db.database
            .sql("SELECT probed FROM spare_key.migration WHERE number = 1")
    };
    let before = probes();
    db.left().ping().await.unwrap();
    assert_ne!(probes(), before);
}
