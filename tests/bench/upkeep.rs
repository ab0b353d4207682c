//! What is swept and removed among a million people, and whether anybody waits behind it.

use spare_key_server::clock::Stopwatch;

use crate::figures::{Runs, millis};
use crate::ground::{Kind, sql};
use crate::load::People;
use crate::table::Row;

/// So many rows of each kind have run out.
const RUN_OUT: u32 = 20_000;

/// Redemptions by one caller, one after the other, as long as a sweep takes; then removals and
/// counting.
pub(crate) async fn measured(
    kind: Kind,
    address: &str,
    count: u64,
    people: &People,
    add: &mut dyn FnMut(Row),
) {
    let store = kind.name();
    sql(address, &run_out(kind));
    let mfa = people.app.mfa().clone();
    let mut quiet = Vec::new();
    // Fresh ones: what was measured before has spent or replaced the others.
    let mut fresh = Vec::new();
    for (account, _) in people.all.iter().rev().take(100) {
        let codes = people.issue(account).await;
        fresh.extend(codes.into_iter().map(|code| (account, code)));
    }
    for _ in 0..50 {
        let Some((account, code)) = fresh.pop() else {
            break;
        };
        quiet.push(millis(people.spend(account, &code).await));
    }
    let sweeping = tokio::spawn(async move {
        let watch = Stopwatch::start();
        let swept = mfa.sweep().await.expect("it sweeps");
        (swept, watch.elapsed())
    });
    let mut beside = Vec::new();
    while !sweeping.is_finished() {
        let Some((account, code)) = fresh.pop() else {
            break;
        };
        beside.push(millis(people.spend(account, &code).await));
    }
    let (swept, span) = sweeping.await.expect("no panic");
    let quiet: Runs = quiet.into_iter().collect();
    let beside: Runs = beside.into_iter().collect();
    let seconds = span.as_secs_f64();
    add(Row::new(
        "P8",
        format!("sweeping {swept} rows among {count} accounts, {store}, seconds"),
    )
    .figure(seconds, format!("{seconds:.1}"))
    .limited_by("slices of 500 rows, a commit each"));
    add(Row::new(
        "P8",
        format!("the slowest redemption beside that sweep, {store}, cheap hash, ms"),
    )
    .figure(
        beside.most(),
        format!("{}; without a sweep {}", beside.words(1), quiet.words(1)),
    )
    .at_most(250.0)
    .limited_by("one slice and its commit before one's own two"));
    let (mut removed, mut counted) = (Vec::new(), Vec::new());
    for (account, _) in people.all.iter().take(50) {
        let watch = Stopwatch::start();
        people
            .app
            .mfa()
            .forget(account)
            .await
            .expect("it is removed");
        removed.push(millis(watch.elapsed()));
    }
    for _ in 0..5 {
        let watch = Stopwatch::start();
        people.app.mfa().census().await.expect("they are counted");
        counted.push(millis(watch.elapsed()));
    }
    let removed: Runs = removed.into_iter().collect();
    let counted: Runs = counted.into_iter().collect();
    add(Row::new(
        "P8",
        format!("removing an account among {count}, {store}, ms"),
    )
    .figure(removed.median(), removed.words(1))
    .limited_by("a commit"));
    add(Row::new(
        "P8",
        format!("counting the live batches of {count} accounts for the metrics, {store}, ms"),
    )
    .figure(counted.median(), counted.words(0))
    .limited_by(
        "reads every batch, and is therefore begun again only after a hundred times as long",
    ));
}

/// Seeds whose time is over, and counts of guesses that are forgiven.
fn run_out(kind: Kind) -> String {
    let (blob, numbers) = match kind {
        Kind::Sqlite => (
            "zeroblob(48)",
            format!(
                "(WITH RECURSIVE i(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM i WHERE x < {RUN_OUT}) SELECT x FROM i) AS i"
            ),
        ),
        Kind::Postgres => (
            "'0'::bytea",
            format!("generate_series(1, {RUN_OUT}) AS i(x)"),
        ),
    };
    format!(
        "UPDATE batch SET seed = {blob}, holder = {blob}, seed_until = 1
         WHERE account_n > 20 AND account_n <= {RUN_OUT} + 20 AND state = 1;
         INSERT INTO throttle (account_id, lane, failures, full_at, waits, retry_at)
         SELECT 'forgiven-' || x, 0, 0, 1, 0, 0 FROM {numbers}"
    )
}
