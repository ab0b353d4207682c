//! Batches whose codes another system made: in all but where they came from, batches like any other.

use rusqlite::Connection;
use spare_key_server::model::{
    AccountId, BatchState, EventKind, Generation, Imported, Letters, Origin, Separators,
};
use spare_key_server::store::sqlite::SqliteStore;
use spare_key_server::store::{Over, Redeemed, Stage, Staged, Store};

use super::cluster::Database;
use super::postgres::store as postgres;
use super::sample::{self, T0, TEN_MINUTES, after, event, id};
use super::{Fixture, at_once};

const FROM_SUPABASE: Imported = Imported {
    origin: Origin::Supabase,
    letters: Letters::Lower,
    separators: Separators::Ignored,
};

/// How the code of this number was digested where it came from.
fn recipe(number: u32) -> String {
    format!("recipe {number}")
}

/// Ten imported codes, for an account that never had any.
pub(super) fn import(account: &AccountId, generation: u32) -> Stage {
    let mut stage = sample::at_once(account, generation);
    stage.batch.imported = Some(FROM_SUPABASE);
    stage.batch.seed_until = stage.batch.issued_at;
    for code in &mut stage.batch.codes {
        code.recipe = Some(recipe(code.number));
    }
    stage.over = Over::Nothing;
    stage.events = vec![event(account, EventKind::CodesImported)];
    stage
}

async fn imports(store: &dyn Store, account: &AccountId, generation: u32) -> Staged {
    let staged = store.stage(import(account, generation)).await;
    staged.expect("the store answers")
}

// Row L17: an existing set is imported.
pub(crate) async fn an_imported_batch_is_stored_as_it_was_given(db: impl Fixture) {
    let alice = id("alice");
    assert_eq!(imports(&*db.left(), &alice, 1).await, Staged::Done);
    let live = db.right().live_batch(&alice).await.unwrap().unwrap();
    assert_eq!(live.imported, Some(FROM_SUPABASE));
    let read = db.left().live_import(&alice).await.unwrap();
    assert_eq!(read, Some(FROM_SUPABASE));
    for code in &live.codes {
        assert_eq!(code.recipe, Some(recipe(code.number)));
        assert_eq!(code.digest, Some(sample::secret(&alice, 1, code.number)));
    }
    let latest = db.right().status(&alice, T0).await.unwrap().latest.unwrap();
    assert_eq!(latest.origin, Some(Origin::Supabase));
    assert_eq!((latest.total, latest.remaining), (10, 10));
    let told = db.left().events(&alice, None, 10).await.unwrap();
    assert_eq!(told[0].kind, EventKind::CodesImported);
    assert_eq!(db.rows()["outbox"], 1);
    let bob = id("bob");
    assert_eq!(db.left().live_import(&bob).await.unwrap(), None);
    sample::has_live(&*db.left(), &bob, 1).await;
    assert_eq!(db.right().live_import(&bob).await.unwrap(), None);
}

pub(crate) async fn an_imported_code_is_spent_once_however_many_redeem_it(db: impl Fixture) {
    let alice = id("alice");
    imports(&*db.left(), &alice, 1).await;
    let answers = at_once(&db, 64, |store, _| async move {
        sample::spends(&*store, &id("alice"), 1, 7).await
    })
    .await;
    let done = Redeemed::Done {
        remaining: 9,
        total: 10,
    };
    assert_eq!(answers.iter().filter(|answer| **answer == done).count(), 1);
    let latest = db.left().status(&alice, T0).await.unwrap().latest.unwrap();
    assert_eq!(latest.remaining, 9);
}

// Row L17: nothing is added to a set that is there, and a second run of an import changes nothing.
pub(crate) async fn an_import_leaves_alone_whoever_has_had_codes(db: impl Fixture) {
    let store = db.left();
    for name in ["live", "imported", "revoked", "superseded", "pending"] {
        let account = id(name);
        match name {
            "pending" => sample::has_pending(&*store, &account, 1).await,
            "imported" => assert_eq!(imports(&*store, &account, 1).await, Staged::Done),
            _ => sample::has_live(&*store, &account, 1).await,
        }
        let mut next = 2;
        if name == "superseded" {
            sample::has_live(&*store, &account, 2).await;
            next = 3;
        }
        if name == "revoked" {
            let row = event(&account, EventKind::CodesRevoked);
            assert!(store.revoke(&account, T0, row).await.unwrap());
        }
        let before = db.rows();
        assert_eq!(
            imports(&*store, &account, next).await,
            Staged::HasCodes,
            "{name}"
        );
        // Told before the number, which whoever has codes has had.
        assert_eq!(
            imports(&*store, &account, 1).await,
            Staged::HasCodes,
            "{name}"
        );
        assert_eq!(db.rows(), before, "{name}");
    }
    // What lapsed unsaved was never anybody's.
    let mut late = import(&id("pending"), 2);
    late.batch.issued_at = after(TEN_MINUTES);
    late.batch.seed_until = late.batch.issued_at;
    assert_eq!(store.stage(late).await.unwrap(), Staged::Done);
    // Who says so replaces what there is.
    let mut anyway = import(&id("live"), 2);
    anyway.over = Over::Anything;
    assert_eq!(store.stage(anyway).await.unwrap(), Staged::Done);
    let live = store.live_batch(&id("live")).await.unwrap().unwrap();
    assert_eq!((live.generation, live.codes.len()), (Generation(2), 10));
}

pub(crate) async fn of_many_who_import_one_does(db: impl Fixture) {
    let answers = at_once(&db, 16, |store, _| async move {
        imports(&*store, &id("alice"), 1).await
    })
    .await;
    let done = answers.iter().filter(|answer| **answer == Staged::Done);
    assert_eq!(done.count(), 1, "{answers:?}");
    assert!(!answers.contains(&Staged::GenerationTaken), "{answers:?}");
    assert_eq!(db.rows()["code"], 10);
}

// Row L16: a batch of our own has no recipe, whatever was there before it.
pub(crate) async fn our_own_codes_replace_imported_ones_and_leave_no_trace_of_them(
    db: impl Fixture,
) {
    for (name, pending) in [("alice", false), ("bob", true)] {
        let (store, account) = (db.left(), id(name));
        imports(&*store, &account, 1).await;
        if pending {
            sample::has_pending(&*store, &account, 2).await;
            let live = store.live_batch(&account).await.unwrap().unwrap();
            assert_eq!(
                live.generation,
                Generation(1),
                "until the new ones are saved"
            );
            sample::activates(&*store, &account, 2).await;
        } else {
            sample::has_live(&*store, &account, 2).await;
        }
        let live = db.right().live_batch(&account).await.unwrap().unwrap();
        assert_eq!((live.generation, live.imported), (Generation(2), None));
        assert!(live.codes.iter().all(|code| code.recipe.is_none()));
        let latest = db.right().status(&account, T0).await.unwrap().latest;
        assert_eq!(latest.unwrap().origin, None);
        assert_eq!(
            sample::spends(&*store, &account, 1, 3).await,
            Redeemed::NotLive
        );
    }
    assert_eq!(db.rows()["code"], 20, "the imported rows are gone");
}

/// A live batch as the first schema has it.
const OLD: &str = "
    INSERT INTO account (id, uuid, created_at, last_generation) VALUES ('alice', $uuid, 1, 1);
    INSERT INTO batch (account_n, generation, state, format, memory_kib, passes, lanes, key_id,
                       total, issued_at, activated_at)
        VALUES (1, 1, 1, 0, 19456, 2, 1, 1, 1, 1, 1);
    INSERT INTO code (account_n, generation, number, locator, salt, digest)
        VALUES (1, 1, 1, 5, $salt, $digest);";

async fn is_as_it_was(store: &dyn Store) {
    let alice = id("alice");
    let live = store.live_batch(&alice).await.unwrap().unwrap();
    assert_eq!((live.imported, live.codes.len()), (None, 1));
    assert_eq!(live.codes[0].recipe, None);
    let latest = store.status(&alice, T0).await.unwrap().latest.unwrap();
    assert_eq!((latest.origin, latest.state), (None, BatchState::Active));
    let spent = sample::spends(store, &alice, 1, 1).await;
    assert!(matches!(spent, Redeemed::Done { remaining: 0, .. }));
    sample::has_live(store, &alice, 2).await;
}

#[tokio::test]
async fn a_database_with_codes_is_brought_up_to_date_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../migrations/sqlite/0001_first.sql"))
        .unwrap();
    let uuid = id("alice").uuid().simple().to_string();
    let rows = OLD
        .replace("$uuid", &format!("x'{uuid}'"))
        .replace("$salt", "zeroblob(16)")
        .replace("$digest", "zeroblob(32)");
    old.execute_batch(&rows).unwrap();
    old.execute_batch("PRAGMA application_id = 1399868281; PRAGMA user_version = 1")
        .unwrap();
    drop(old);
    is_as_it_was(&SqliteStore::open(&path).unwrap()).await;
}

#[tokio::test]
async fn a_database_with_codes_is_brought_up_to_date_in_postgres() {
    let database = Database::create(&[]);
    let first = include_str!("../../migrations/postgres/0001_first.sql");
    let rows = OLD
        .replace("$uuid", &format!("'{}'", id("alice").uuid()))
        .replace("$salt", "decode(repeat('00', 16), 'hex')")
        .replace("$digest", "decode(repeat('00', 32), 'hex')");
    database.sql(&format!(
        "CREATE SCHEMA spare_key; SET search_path TO spare_key;
         CREATE TABLE migration (number bigint PRIMARY KEY, name text NOT NULL,
                                 probed bigint NOT NULL DEFAULT 0);
         INSERT INTO migration (number, name) VALUES (1, '0001_first'); {first} {rows}"
    ));
    is_as_it_was(&postgres(&database)).await;
}
