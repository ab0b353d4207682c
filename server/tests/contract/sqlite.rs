//! The SQLite fixture: two stores on one file; and what only a file can break.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use spare_key_server::store::sqlite::{OpenError, SqliteStore};
use spare_key_server::store::{Redeemed, Restored, Staged, Store, Upkeep};
use tempfile::TempDir;

use super::sample::{self, T0};
use super::{Codes, Fixture, at_once};

pub(crate) struct OneFile {
    stores: Option<[Arc<SqliteStore>; 2]>,
    path: PathBuf,
    _folder: TempDir,
}

impl OneFile {
    fn close(&mut self) {
        for store in self.stores.take().into_iter().flatten() {
            assert_eq!(Arc::strong_count(&store), 1, "the test still holds a store");
        }
    }

    fn beside(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    fn store(&self, which: usize) -> Arc<dyn Store> {
        let stores = self.stores.as_ref().expect("the stores are open");
        Arc::clone(&stores[which]) as Arc<dyn Store>
    }
}

fn two(path: &Path) -> [Arc<SqliteStore>; 2] {
    [(), ()].map(|()| Arc::new(SqliteStore::open(path).expect("the store opens")))
}

impl Fixture for OneFile {
    fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("spare-key.db");
        Self {
            stores: Some(two(&path)),
            path,
            _folder: folder,
        }
    }

    fn left(&self) -> Arc<dyn Store> {
        self.store(0)
    }

    fn right(&self) -> Arc<dyn Store> {
        self.store(1)
    }

    fn reopen(&mut self) {
        self.close();
        self.stores = Some(two(&self.path));
    }

    fn rows(&self) -> BTreeMap<String, i64> {
        let db = Connection::open(&self.path).expect("the file opens");
        let mut tables = db
            .prepare(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
            )
            .expect("the schema is there");
        let names: Vec<String> = tables
            .query_map([], |row| row.get(0))
            .and_then(Iterator::collect)
            .expect("tables have names");
        let count = |name: String| {
            let sql = format!("SELECT count(*) FROM \"{name}\"");
            let rows = db
                .query_row(&sql, [], |row| row.get(0))
                .expect("rows can be counted");
            (name, rows)
        };
        names.into_iter().map(count).collect()
    }

    fn dump(&self) -> Vec<String> {
        let db = Connection::open(&self.path).expect("the file opens");
        let mut found = Vec::new();
        for table in self.rows().into_keys() {
            let mut all = db
                .prepare(&format!("SELECT * FROM \"{table}\""))
                .expect("a table");
            let width = all.column_count();
            let mut rows = all.query([]).expect("its rows");
            while let Some(row) = rows.next().expect("a row") {
                let cells = (0..width).map(|at| match row.get_ref(at).expect("a column") {
                    ValueRef::Null => "null".to_owned(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Real(number) => number.to_string(),
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    ValueRef::Blob(bytes) => bytes.iter().map(|b| format!("{b:02x}")).collect(),
                });
                found.push(format!("{table} {}", cells.collect::<Vec<_>>().join(" ")));
            }
        }
        found
    }

    fn count_accounts_from(&self, number: i64) {
        let db = Connection::open(&self.path).expect("the file opens");
        db.execute(
            "UPDATE sqlite_sequence SET seq = ?1 WHERE name = 'account'",
            [number - 1],
        )
        .expect("numbers can be set");
    }

    fn back_up(&mut self) {
        let at = sample::T0;
        SqliteStore::back_up(&self.path, &self.beside("backup.db"), at).expect("a backup");
    }

    fn restore(&mut self, codes: Codes) -> Restored {
        self.close();
        let old = self.beside("old.db");
        std::fs::rename(&self.path, &old).expect("it can be moved");
        let restoration = codes.restoration(|| SqliteStore::past(&old).expect("its past"));
        let backup = self.beside("backup.db");
        let restored = SqliteStore::restore(Some(&backup), &self.path, &restoration);
        self.stores = Some(two(&self.path));
        restored.expect("it is restored")
    }
}

/// Whether the closed file, or a log left beside it, holds these bytes anywhere.
fn file_holds(path: &Path, bytes: &[u8]) -> bool {
    let log = path.with_file_name("spare-key.db-wal");
    [path, &log]
        .into_iter()
        .filter_map(|file| std::fs::read(file).ok())
        .any(|content| content.windows(bytes.len()).any(|window| window == bytes))
}

/// Rows O5, A-20.
#[tokio::test(flavor = "multi_thread")]
async fn digests_and_seeds_are_gone_from_the_file_once_superseded() {
    let mut db = OneFile::open();
    let alice = sample::id("alice");
    sample::has_live(&*db.left(), &alice, 1).await;
    db.close();
    assert!(
        file_holds(&db.path, &sample::secret(&alice, 1, 7).digest),
        "the scan finds what is there"
    );
    assert!(file_holds(&db.path, &sample::seed(&alice, 1).0));

    db.reopen();
    // A single takes the place of ten: what it does not happen to overwrite must be gone too.
    let staged = db.right().stage(sample::single(&alice, 2)).await.unwrap();
    assert_eq!(staged, Staged::Done);
    db.close();
    for number in 1..=10 {
        let old = sample::secret(&alice, 1, number);
        assert!(!file_holds(&db.path, &old.digest), "code {number}");
        assert!(!file_holds(&db.path, &old.salt), "code {number}");
    }
    assert!(!file_holds(&db.path, &sample::seed(&alice, 1).0));
    assert!(file_holds(&db.path, &sample::secret(&alice, 2, 1).digest));
}

// O5
#[tokio::test(flavor = "multi_thread")]
async fn the_digest_of_a_used_code_is_gone_from_the_file() {
    let mut db = OneFile::open();
    let alice = sample::id("alice");
    sample::has_live(&*db.left(), &alice, 1).await;
    sample::spends(&*db.right(), &alice, 1, 7).await;
    db.left().sweep(T0).await.unwrap();
    for number in 1..=10 {
        let stored = sample::secret(&alice, 1, number);
        let unused = number != 7;
        assert_eq!(
            file_holds(&db.path, &stored.digest),
            unused,
            "code {number}"
        );
        assert_eq!(file_holds(&db.path, &stored.salt), unused, "code {number}");
    }
    db.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_empties_the_log_while_the_stores_are_open() {
    let db = OneFile::open();
    let alice = sample::id("alice");
    sample::has_live(&*db.left(), &alice, 1).await;
    let log = db.path.with_file_name("spare-key.db-wal");
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
    db.left().sweep(T0).await.unwrap();
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
}

#[tokio::test]
async fn a_closed_store_leaves_one_file() {
    let mut db = OneFile::open();
    sample::has_live(&*db.left(), &sample::id("alice"), 1).await;
    db.close();
    let names: Vec<_> = std::fs::read_dir(db.path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["spare-key.db"]);
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let db = OneFile::open();
    sample::has_live(&*db.left(), &sample::id("alice"), 1).await;
    let mut seen = 0;
    for entry in std::fs::read_dir(db.path.parent().unwrap()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        seen += 1;
    }
    assert_eq!(seen, 3, "the file, its log and the log's index");
}

// What were written to it would be lost with it (row C7).
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_moved_away_takes_no_more_writes() {
    let db = OneFile::open();
    let alice = sample::id("alice");
    sample::has_live(&*db.left(), &alice, 1).await;
    let aside = db.path.with_extension("aside");
    std::fs::rename(&db.path, &aside).unwrap();
    let fault = db.left().redeem(sample::redeem(&alice, 1, 4)).await;
    let why = fault.unwrap_err().source.to_string();
    assert!(why.contains("not at its path"), "{why}");
    assert!(db.right().ping().await.is_err(), "and says so when asked");
    std::fs::write(&db.path, "another").unwrap();
    let fault = db.left().redeem(sample::redeem(&alice, 1, 4)).await;
    assert!(fault.is_err(), "nor does what was put in its place");
    std::fs::rename(&aside, &db.path).unwrap();
    let spent = sample::spends(&*db.right(), &alice, 1, 4).await;
    assert!(matches!(spent, Redeemed::Done { remaining: 9, .. }));
}

#[test]
fn a_newer_schema_is_refused_with_both_numbers() {
    let db = OneFile::open();
    let path = db.path.clone();
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 4_711)
        .unwrap();
    let refused = SqliteStore::open(&path).unwrap_err();
    let OpenError::Newer { found, known, .. } = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(*found, 4_711);
    let (words, ours) = (refused.to_string(), format!("up to {known}"));
    assert!(words.contains("4711") && words.contains(&ours) && words.contains("newer spare-key"));
}

#[test]
fn a_foreign_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE recipe (cake TEXT)")
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(
        SqliteStore::open(&path),
        Err(OpenError::Foreign { .. })
    ));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    let letter = "Dear Alice, ".repeat(500);
    std::fs::write(&path, &letter).unwrap();
    assert!(matches!(
        SqliteStore::open(&path),
        Err(OpenError::Foreign { .. })
    ));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), letter);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let refused = SqliteStore::open(Path::new("/nonexistent/spare-key.db")).unwrap_err();
    assert!(matches!(refused, OpenError::Open { .. }));
    assert!(refused.to_string().contains("/nonexistent/spare-key.db"));
}

#[test]
fn many_can_open_a_new_file_at_the_same_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spare-key.db");
    std::thread::scope(|scope| {
        let opening: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| SqliteStore::open(&path)))
            .collect();
        let stores: Vec<_> = opening
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        assert!(stores.iter().all(Result::is_ok), "{stores:?}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_takes_none_of_its_group_with_it() {
    let db = OneFile::open();
    let answers = at_once(&db, 60, |store, turn| async move {
        let mut stage = sample::at_once(&sample::id(&format!("account {turn}")), 1);
        if turn % 6 == 3 {
            // Two codes of one number: the database says no in the middle of the batch.
            stage.batch.codes[9].number = 1;
        }
        store.stage(stage).await
    })
    .await;
    let left = db.left();
    for (turn, answer) in answers.iter().enumerate() {
        let account = sample::id(&format!("account {turn}"));
        if turn % 6 == 3 {
            let fault = answer.as_ref().unwrap_err();
            assert_eq!(fault.context, "staging a batch");
            assert_eq!(
                left.account(&account).await.unwrap(),
                None,
                "nothing is half done"
            );
        } else {
            assert_eq!(*answer.as_ref().unwrap(), Staged::Done);
            assert_eq!(
                left.live_batch(&account)
                    .await
                    .unwrap()
                    .unwrap()
                    .codes
                    .len(),
                10
            );
        }
    }
}

/// Row O2.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_cannot_be_written_is_a_fault_and_spends_nothing() {
    let db = OneFile::open();
    let alice = sample::id("alice");
    sample::has_live(&*db.left(), &alice, 1).await;
    // What cannot be put on record must not happen.
    let other = Connection::open(&db.path).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT raise(FAIL, 'full'); END",
        )
        .unwrap();
    let fault = db
        .left()
        .redeem(sample::redeem(&alice, 1, 1))
        .await
        .unwrap_err();
    assert_eq!(fault.context, "redeeming a code");
    other.execute_batch("DROP TRIGGER full").unwrap();
    let redeemed = sample::spends(&*db.right(), &alice, 1, 1).await;
    assert_eq!(
        redeemed,
        Redeemed::Done {
            remaining: 9,
            total: 10
        }
    );
}

#[tokio::test]
async fn a_probe_writes() {
    let db = OneFile::open();
    let store = SqliteStore::open(&db.path).unwrap();
    let log = || {
        std::fs::metadata(db.path.with_file_name("spare-key.db-wal"))
            .unwrap()
            .len()
    };
    let before = log();
    store.ping().await.unwrap();
    assert!(log() > before);
}
