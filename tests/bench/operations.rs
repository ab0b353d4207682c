//! P9: operations of the store by themselves, in process and without any hash, against what the
//! disk and the database can do.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use spare_key_server::clock::Stopwatch;
use spare_key_server::domain::Policy;
use spare_key_server::store::{Lane, Redeemed, Reserved, Staged, Store};

use crate::figures::{Runs, rate};
use crate::ground::{Ground, Kind, postgres_program};
use crate::sample::{T0, activate, id, redeem, stage};
use crate::table::Row;
use crate::{Depth, waited_for};

/// So many callers at once.
const CALLERS: usize = 128;

/// Does all of these, so many at once; how many a second.
pub(crate) async fn a_second<F, D>(count: usize, callers: usize, deed: F) -> f64
where
    F: Fn(usize) -> D + Send + Sync + 'static,
    D: Future<Output = ()> + Send,
{
    let (next, deed) = (Arc::new(AtomicUsize::new(0)), Arc::new(deed));
    let watch = Stopwatch::start();
    let mut under_way = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let (next, deed) = (Arc::clone(&next), Arc::clone(&deed));
        under_way.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                deed(number).await;
            }
        });
    }
    while let Some(ended) = under_way.join_next().await {
        ended.expect("no panic");
    }
    rate(count as u64, watch.elapsed())
}

async fn staged(store: Arc<dyn Store>, name: String) {
    let account = id(&name);
    let staged = store.stage(stage(&account, 1)).await;
    assert_eq!(staged.expect("the store answers"), Staged::Done);
    let live = store.activate(activate(&account, 1)).await;
    live.expect("the store answers");
}

async fn redeemed(store: Arc<dyn Store>, name: String, number: u32) {
    let account = id(&name);
    let spent = store.redeem(redeem(&account, 1, number)).await;
    let spent = spent.expect("the store answers");
    assert!(matches!(spent, Redeemed::Done { .. }), "{spent:?}");
}

async fn reserved(store: Arc<dyn Store>, name: String) {
    let (account, policy) = (id(&name), Policy::standard(true).recovery_throttle);
    let reserved = store
        .reserve_attempt(&account, Lane::Recovery, policy, T0)
        .await;
    let reserved = reserved.expect("the store answers");
    assert!(matches!(reserved, Reserved::Granted { .. }), "{reserved:?}");
}

pub(crate) fn measured(kind: Kind, depth: Depth, add: &mut dyn FnMut(Row)) {
    let ground = Ground::new(kind);
    let store = ground.open();
    let accounts = depth.of(50, 1_000);
    let (mut stages, mut redeems, mut reserves) = (Vec::new(), Vec::new(), Vec::new());
    let (mut single, mut grouped) = (Vec::new(), Vec::new());
    waited_for(async {
        for round in 0..depth.rounds() {
            single.push(single_commits(&ground, depth));
            if kind == Kind::Postgres {
                grouped.push(pgbench(&ground, 16, depth));
            }
            let name = move |number: usize| format!("customer-{round}-{}", number % accounts);
            let one = Arc::clone(&store);
            let stage = move |number| staged(Arc::clone(&one), name(number));
            stages.push(a_second(accounts, CALLERS, stage).await);
            let one = Arc::clone(&store);
            let redeem = move |number: usize| {
                let place = 1 + u32::try_from(number / accounts).expect("small");
                redeemed(Arc::clone(&one), name(number), place)
            };
            redeems.push(a_second(accounts * 10, CALLERS, redeem).await);
            let one = Arc::clone(&store);
            let reserve = move |number| reserved(Arc::clone(&one), name(number));
            reserves.push(a_second(accounts * 8, CALLERS, reserve).await);
        }
    });
    let [stages, redeems, reserves] = [stages, redeems, reserves].map(Runs::from_iter);
    let [single, grouped] = [single, grouped].map(Runs::from_iter);
    let store = kind.name();
    let row = |what: &str, runs: &Runs| {
        let what = format!("{what}, {store}, {CALLERS} callers, no hash");
        Row::new("P9", what).figure(runs.median(), runs.words(0))
    };
    let above =
        |row: Row, runs: &Runs| row.and("above single commits", runs.median() > single.median());
    let (what, limit) = match kind {
        Kind::Sqlite => (
            "single durable commits a second on the same disk, one writer",
            "the disk",
        ),
        Kind::Postgres => (
            "pgbench (simple update) with one client, transactions a second",
            "the disk and a round trip a statement",
        ),
    };
    add(Row::new("P9", what)
        .figure(single.median(), single.words(0))
        .limited_by(limit));
    if kind == Kind::Postgres {
        let what = "pgbench (simple update) with 16 clients, transactions a second";
        add(Row::new("P9", what)
            .figure(grouped.median(), grouped.words(0))
            .limited_by("processors that all share"));
    }
    let redeems_row = row("redemptions a second", &redeems);
    let redeems_row = match kind {
        Kind::Sqlite => redeems_row
            .at_least(5_000.0)
            .limited_by("one writing thread: statements, not the disk"),
        Kind::Postgres => redeems_row.limited_by("a round trip a statement, 16 connections"),
    };
    add(above(redeems_row, &redeems));
    add(above(
        row("stage + activate (two commits) a second", &stages),
        &stages,
    )
    .limited_by("ten rows of codes a batch"));
    add(
        above(row("attempts reserved a second", &reserves), &reserves)
            .limited_by("one statement a commit's share"),
    );
}

/// What one caller that waits for the disk each time gets.
fn single_commits(ground: &Ground, depth: Depth) -> f64 {
    match ground {
        Ground::File(folder) => {
            let path = folder.path().join("single.db");
            let db = rusqlite::Connection::open(path).expect("a file");
            db.execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, v INTEGER) STRICT;
                 INSERT OR REPLACE INTO t VALUES (1, 0)",
            )
            .expect("a table");
            let mut update = db
                .prepare("UPDATE t SET v = v + 1 WHERE n = 1")
                .expect("it parses");
            let (watch, mut count) = (Stopwatch::start(), 0);
            while watch.elapsed() < Duration::from_millis(depth.window() / 2) {
                update.execute([]).expect("a commit");
                count += 1;
            }
            rate(count, watch.elapsed())
        }
        Ground::Database(_) => pgbench(ground, 1, depth),
    }
}

/// Transactions a second of PostgreSQL's own benchmark.
fn pgbench(ground: &Ground, clients: usize, depth: Depth) -> f64 {
    let program = postgres_program("pgbench").expect("pgbench comes with PostgreSQL");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command
            .args(arguments)
            .arg(ground.address())
            .env("PGSSLMODE", "disable");
        let ended = command.output().expect("pgbench runs");
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        String::from_utf8_lossy(&ended.stdout).into_owned()
    };
    let there = ground.sql("SELECT to_regclass('public.pgbench_accounts') IS NOT NULL");
    if there != "t" {
        run(&["-i", "-q", "-s", "5"]);
    }
    let (clients, seconds) = (clients.to_string(), depth.of("1", "2"));
    let said = run(&[
        "-n", "-N", "-M", "prepared", "-c", &clients, "-j", "2", "-T", seconds,
    ]);
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let figure = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    figure.unwrap_or(f64::NAN)
}
