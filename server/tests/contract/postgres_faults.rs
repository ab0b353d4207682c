//! What only a database behind a connection can break: it goes away, it comes back, its connection
//! is cut in the middle of a commit, two transactions stand in each other's way.

use std::sync::Arc;

use spare_key_server::model::{EventKind, Generation};
use spare_key_server::store::postgres::{PostgresStore, PostgresUrl};
use spare_key_server::store::{Client, Redeemed, Staged, Store, Upkeep as _};
use tokio_postgres::NoTls;

use super::cluster::Database;
use super::postgres::{OneDatabase, few};
use super::sample::{self, T0, id};
use super::{Fixture as _, at_once};

const DONE: Redeemed = Redeemed::Done {
    remaining: 9,
    total: 10,
};

/// Has this happen at every row that is written on the audit trail.
fn whenever_recorded(db: &OneDatabase, kind: &str, body: &str) {
    db.database.sql(&format!(
        "CREATE SEQUENCE public.times;
         CREATE FUNCTION public.trouble() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN {body} RETURN NULL; END $$;
         CREATE {kind} TRIGGER trouble AFTER INSERT ON spare_key.event
         {} FOR EACH ROW EXECUTE FUNCTION public.trouble()",
        if kind.is_empty() {
            ""
        } else {
            "DEFERRABLE INITIALLY DEFERRED"
        }
    ));
}

fn no_more_trouble(db: &OneDatabase) {
    db.database.sql("DROP TRIGGER trouble ON spare_key.event");
}

async fn redemptions(store: &dyn Store) -> usize {
    let events = store.events(&id("alice"), None, 100).await.unwrap();
    let redeemed = events
        .iter()
        .filter(|event| event.kind == EventKind::CodesRedeemed);
    redeemed.count()
}

#[tokio::test]
async fn what_the_database_has_rolled_back_is_begun_anew() {
    // Two transactions that stood in each other's way, also in the commit; a server that has
    // become a replica.
    for (state, moments) in [
        ("40001", ["", "CONSTRAINT"].as_slice()),
        ("40P01", &["", "CONSTRAINT"]),
        ("25006", &[""]),
    ] {
        for deferred in moments {
            let db = OneDatabase::open();
            sample::has_live(&*db.left(), &id("alice"), 1).await;
            // Twice, then no more: what a sequence counts is not rolled back.
            let trouble = format!(
                "IF nextval('public.times') < 3 THEN
                     RAISE EXCEPTION 'in the way' USING ERRCODE = '{state}';
                 END IF;"
            );
            whenever_recorded(&db, deferred, &trouble);
            assert_eq!(sample::spends(&*db.left(), &id("alice"), 1, 4).await, DONE);
            assert_eq!(redemptions(&*db.right()).await, 1, "{state} {deferred}");
            assert_eq!(db.database.sql("SELECT last_value FROM public.times"), "3");
        }
    }
}

#[tokio::test]
async fn one_that_always_stands_in_the_way_is_a_fault_in_the_end() {
    let db = OneDatabase::open();
    sample::has_live(&*db.left(), &id("alice"), 1).await;
    let trouble = "PERFORM nextval('public.times');
                   RAISE EXCEPTION 'in the way' USING ERRCODE = '40001';";
    whenever_recorded(&db, "", trouble);
    let redeem = sample::redeem(&id("alice"), 1, 4);
    let fault = db.left().redeem(redeem).await.unwrap_err();
    assert_eq!(fault.context, "redeeming a code");
    assert!(fault.source.to_string().contains("40001"), "{fault:?}");
    assert_eq!(db.database.sql("SELECT last_value FROM public.times"), "5");
    no_more_trouble(&db);
    assert_eq!(sample::spends(&*db.right(), &id("alice"), 1, 4).await, DONE);
}

#[tokio::test]
async fn a_connection_that_is_cut_before_the_commit_is_replaced() {
    let db = OneDatabase::open();
    sample::has_live(&*db.left(), &id("alice"), 1).await;
    let trouble = "IF nextval('public.times') = 1 THEN
                       PERFORM pg_terminate_backend(pg_backend_pid());
                   END IF;";
    whenever_recorded(&db, "", trouble);
    assert_eq!(sample::spends(&*db.left(), &id("alice"), 1, 4).await, DONE);
    assert_eq!(redemptions(&*db.right()).await, 1);
}

#[tokio::test]
async fn a_connection_that_is_cut_in_the_commit_is_a_fault_and_is_not_tried_again() {
    let db = OneDatabase::open();
    sample::has_live(&*db.left(), &id("alice"), 1).await;
    let trouble = "PERFORM nextval('public.times');
                   PERFORM pg_terminate_backend(pg_backend_pid());";
    whenever_recorded(&db, "CONSTRAINT", trouble);
    let redeem = sample::redeem(&id("alice"), 1, 4);
    let fault = db.left().redeem(redeem).await.unwrap_err();
    let words = fault.source.to_string();
    assert!(words.contains("unknown whether"), "{words}");
    assert_eq!(db.database.sql("SELECT last_value FROM public.times"), "1");
    no_more_trouble(&db);
    // Honest afterwards: it was not carried out, so the code is there to be spent.
    assert_eq!(redemptions(&*db.left()).await, 0);
    assert_eq!(sample::spends(&*db.left(), &id("alice"), 1, 4).await, DONE);
}

#[tokio::test]
async fn a_database_that_comes_back_finds_the_store_at_work() {
    let db = OneDatabase::open();
    sample::has_live(&*db.left(), &id("alice"), 1).await;
    for number in 1..=3 {
        db.database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        let spent = sample::spends(&*db.left(), &id("alice"), 1, number).await;
        assert!(matches!(spent, Redeemed::Done { .. }), "{spent:?}");
    }
}

#[tokio::test]
async fn what_others_hold_is_waited_for_and_not_for_ever() {
    let db = OneDatabase::open();
    sample::has_live(&*db.left(), &id("alice"), 1).await;
    let (holder, connection) = tokio_postgres::connect(&db.database.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    holder
        .batch_execute("BEGIN; SELECT n FROM spare_key.account FOR UPDATE")
        .await
        .unwrap();
    let redeem = sample::redeem(&id("alice"), 1, 4);
    let fault = db.left().redeem(redeem).await.unwrap_err();
    let words = fault.source.to_string();
    assert!(words.contains("lock timeout"), "{words}");
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(sample::spends(&*db.left(), &id("alice"), 1, 4).await, DONE);
}

/// Row O2.
#[tokio::test]
async fn an_event_that_cannot_be_written_is_a_fault_and_spends_nothing() {
    let db = OneDatabase::open();
    sample::has_live(&*db.left(), &id("alice"), 1).await;
    // What cannot be put on record must not happen.
    whenever_recorded(&db, "", "RAISE EXCEPTION 'full' USING ERRCODE = '53100';");
    let redeem = sample::redeem(&id("alice"), 1, 1);
    let fault = db.left().redeem(redeem).await.unwrap_err();
    assert_eq!(fault.context, "redeeming a code");
    no_more_trouble(&db);
    assert_eq!(sample::spends(&*db.right(), &id("alice"), 1, 1).await, DONE);
}

/// Row S16.
#[tokio::test]
async fn a_fault_does_not_quote_what_is_stored() {
    let db = OneDatabase::open();
    let mut twice = sample::at_once(&id("alice"), 1);
    twice.batch.codes[9].number = 1;
    let fault = db.left().stage(twice).await.unwrap_err();
    let words = format!("{fault:?} {}", fault.source);
    assert!(
        words.contains("23505") && words.contains("code_pkey"),
        "{words}"
    );
    // PostgreSQL's own words go on with the key, and elsewhere with the whole row.
    assert!(!words.contains("already exists"), "{words}");
    assert_eq!(db.left().account(&id("alice")).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn few_connections_serve_many_at_once() {
    let db = OneDatabase::open();
    sample::has_live(&*db.left(), &id("alice"), 1).await;
    let url = format!("{}?max_connections=1", db.database.url());
    let narrow = PostgresUrl::parse(&url).unwrap();
    let narrow = Arc::new(PostgresStore::open(&narrow).unwrap());
    let tasks: Vec<_> = (0..40)
        .map(|turn| {
            let store = Arc::clone(&narrow);
            tokio::spawn(
                async move { sample::spends(&*store, &id("alice"), 1, turn % 10 + 1).await },
            )
        })
        .collect();
    let mut spent = 0;
    for task in tasks {
        spent += u32::from(matches!(task.await.unwrap(), Redeemed::Done { .. }));
    }
    assert_eq!(spent, 10);
    let used = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'spare-key'
                AND datname = current_database()";
    let others: u32 = db.database.sql(used).parse().unwrap();
    assert!(others <= 1 + 2 * 6, "{others} connections");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_for_good_is_a_fault_soon() {
    let db = OneDatabase::open();
    let store = PostgresStore::open(&few(&db.database.url())).unwrap();
    Database::create(&[]).sql(&format!(
        "ALTER DATABASE {0} WITH ALLOW_CONNECTIONS false;
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = '{0}'",
        db.database.name
    ));
    let fault = store.ping().await.unwrap_err();
    let words = fault.source.to_string();
    assert!(words.contains("no connection to the database"), "{words}");
}

#[tokio::test]
async fn a_character_that_postgresql_does_not_know_breaks_nothing() {
    let db = OneDatabase::open();
    let store = db.left();
    sample::has_client(&*store).await;
    assert_eq!(store.account_by_login("a\0lice").await.unwrap(), None);
    assert_eq!(store.client("app\0").await.unwrap(), None);
    let odd = Client {
        id: "odd".to_owned(),
        name: "na\0me".to_owned(),
        secret: None,
        scopes: Vec::new(),
        grants: Vec::new(),
        audiences: Vec::new(),
        origins: Vec::new(),
        created_at: T0,
    };
    assert!(store.add_client(odd).await.unwrap());
    let stored = store.client("odd").await.unwrap().unwrap();
    assert_eq!(stored.name, "na\u{fffd}me");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_takes_none_beside_it_along() {
    let db = OneDatabase::open();
    let answers = at_once(&db, 30, |store, turn| async move {
        let mut stage = sample::at_once(&id(&format!("account {turn}")), 1);
        if turn % 6 == 3 {
            // Two codes of one number: the database says no in the middle of the batch.
            stage.batch.codes[9].number = 1;
        }
        store.stage(stage).await
    })
    .await;
    for (turn, answer) in answers.iter().enumerate() {
        let account = id(&format!("account {turn}"));
        let live = db.left().live_batch(&account).await.unwrap();
        if turn % 6 == 3 {
            assert!(answer.is_err() && live.is_none());
        } else {
            assert_eq!(*answer.as_ref().unwrap(), Staged::Done);
            let live = live.unwrap();
            assert_eq!((live.generation, live.codes.len()), (Generation(1), 10));
        }
    }
}
