//! P5, P6 and P12: what is refused without a hash, what is read while hashes run, and several
//! servers on one database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::driver::{Ask, Seen, closed, open};
use crate::figures::{Runs, ratios};
use crate::ground::{Ground, Kind};
use crate::served::{issued, wrong_code};
use crate::servers::{Server, cores, keyring};
use crate::table::Row;
use crate::{Depth, waited_for};

/// P5.
pub(crate) fn malformed(depth: Depth) -> Row {
    waited_for(async {
        let ground = Ground::new(Kind::Sqlite);
        let server = Server::real(&ground.address(), cores());
        let window = Duration::from_millis(depth.window());
        issued(&server, "p5", 1).await;
        let rows =
            || ground.sql("SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM throttle)");
        let (before, hashes) = (rows(), server.slow_hashes());
        // Too short, and one symbol that does not check.
        let malformed = |_| Some(Ask::redeem("p5-0", "KZ3M-Q7TB-WJ5R-HXY"));
        let health = |_| Some(Ask::get("/healthz"));
        let (mut refused, mut healthy) = (Vec::new(), Vec::new());
        closed(&[server.address], 16, window / 4, &malformed).await;
        for _ in 0..depth.rounds() {
            healthy.push(
                closed(&[server.address], 16, window, &health)
                    .await
                    .a_second(200),
            );
            refused.push(
                closed(&[server.address], 16, window, &malformed)
                    .await
                    .a_second(422),
            );
        }
        let untouched = rows() == before && server.slow_hashes() == hashes;
        let shares = ratios(&refused, &healthy);
        let refused: Runs = refused.into_iter().collect();
        Row::new("P5", "malformed codes refused, closed load, 16 callers: share of /healthz")
            .figure(shares.median(), format!("{}; {} a second", shares.words(2), refused.words(0)))
            .at_least(0.8)
            .and("no hash, no write", untouched)
            .limited_by("the caller's credentials are read from the store before anything is looked at; the callers share the processors")
    })
}

/// P6.
pub(crate) fn status_beside_redemptions(depth: Depth) -> Row {
    waited_for(async {
        let ground = Ground::new(Kind::Sqlite);
        let server = Server::real(&ground.address(), cores());
        let window = Duration::from_millis(depth.of(500, 4_000));
        issued(&server, "p6", 1).await;
        let status: Arc<dyn Fn(usize) -> Ask + Send + Sync> = Arc::new(|_| Ask::status("p6-0"));
        let reads = || open(server.address, 100.0, window, Arc::clone(&status));
        let wrong = wrong_code();
        let next = AtomicUsize::new(0);
        let (mut idle, mut busy, mut worst) = (Vec::new(), Vec::new(), Vec::new());
        let mut starved = 0;
        for _ in 0..depth.rounds() {
            idle.push(reads().await.millis(200, 0.99));
            let over = AtomicBool::new(false);
            let attempts = |_| {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let more = !over.load(Ordering::Relaxed);
                more.then(|| Ask::redeem(&format!("nobody-{number}"), &wrong))
            };
            let addresses = [server.address];
            let saturating = closed(&addresses, cores() * 4, window * 4, &attempts);
            let reading = async {
                let seen = reads().await;
                over.store(true, Ordering::Relaxed);
                seen
            };
            let (_, seen): (Seen, Seen) = tokio::join!(saturating, reading);
            starved += seen.total() - seen.count(200);
            busy.push(seen.millis(200, 0.99));
            worst.push(seen.millis(200, 1.0));
        }
        let busy: Runs = busy.into_iter().collect();
        let idle: Runs = idle.into_iter().collect();
        let worst: Runs = worst.into_iter().collect();
        Row::new("P6", "p99 of a status read, open load of 100/s, while attempts saturate every worker, ms")
            .figure(busy.median(), format!("{}; idle {}; slowest {:.1}", busy.words(1), idle.words(1), worst.most()))
            .at_most(20.0)
            .and("all answered", starved == 0)
            .limited_by("the hash threads and the callers take the processors; a read waits for its turn there, not for a lock")
    })
}

/// P12.
pub(crate) fn several_servers(depth: Depth) -> Vec<Row> {
    waited_for(async {
        let ground = Ground::new(Kind::Postgres);
        let folder = tempfile::tempdir().expect("a folder");
        let keyring = keyring(folder.path());
        let servers: Vec<Server> = (0..4)
            .map(|_| Server::cheap(&ground.address(), &keyring, cores()))
            .collect();
        let window = Duration::from_millis(depth.window());
        let mut rates: [Vec<f64>; 3] = Default::default();
        for round in 0..depth.rounds() {
            for (place, count) in [1, 2, 4].into_iter().enumerate() {
                let name = format!("p12-{round}-{count}");
                // More than a window takes.
                let codes = issued(&servers[0], &name, depth.of(40, 500)).await;
                let asks = |number: usize| {
                    let (account, code) = codes.get(number)?;
                    Some(Ask::redeem(account, code))
                };
                let addresses: Vec<_> = servers[..count]
                    .iter()
                    .map(|server| server.address)
                    .collect();
                let seen = closed(&addresses, 32, window, &asks).await;
                rates[place].push(seen.a_second(200));
            }
        }
        let [one, two, four] = rates;
        let doubled = ratios(&two, &one);
        let fourfold = ratios(&four, &one);
        let [one, two, four] = [one, two, four].map(Runs::from_iter);
        vec![
            Row::new("P12", "one server on PostgreSQL, cheap hash, closed load, 32 callers: redemptions a second")
                .figure(one.median(), one.words(0))
                .limited_by("on one computer the database, the servers and the callers share the processors"),
            Row::new("P12", "two servers: share of one")
                .figure(doubled.median(), format!("{}; {} a second", doubled.words(2), two.words(0)))
                .limited_by("as above: only with processors to spare can it be linear"),
            Row::new("P12", "four servers: share of one")
                .figure(fourfold.median(), format!("{}; {} a second", fourfold.words(2), four.words(0)))
                .limited_by("as above"),
        ]
    })
}
