//! P7: ten times the load it can carry.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::driver::{Ask, closed, open};
use crate::figures::Runs;
use crate::ground::{Ground, Kind};
use crate::served::wrong_code;
use crate::servers::{Server, cores};
use crate::table::Row;
use crate::{Depth, waited_for};

/// An attempt on an account that nobody has tried: one slow hash and two writes, as any.
pub(crate) fn measured(depth: Depth) -> Vec<Row> {
    waited_for(async {
        let ground = Ground::new(Kind::Sqlite);
        let workers = cores();
        let server = Server::real(&ground.address(), workers);
        let window = Duration::from_millis(depth.of(500, 3_000));
        let next = Arc::new(AtomicUsize::new(0));
        let wrong = wrong_code();
        let fresh: Arc<dyn Fn(usize) -> Ask + Send + Sync> = Arc::new(move |_| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            Ask::redeem(&format!("nobody-{number}"), &wrong)
        });
        let attempt = |number| Some(fresh(number));
        closed(&[server.address], workers * 4, window / 4, &attempt).await;
        let (mut goodput, mut refusal, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        let (mut sound, mut seen_last) = (true, String::new());
        for _ in 0..depth.rounds() {
            let carried = closed(&[server.address], workers * 4, window, &attempt).await;
            let capacity = carried.a_second(403);
            let seen = open(server.address, capacity * 10.0, window, Arc::clone(&fresh)).await;
            goodput.push(seen.a_second(403) / capacity);
            refusal.push(seen.millis(503, 0.99));
            refused.push(seen.millis(503, 0.5));
            sound &= seen.without_retry_after == 0 && seen.lost == 0;
            seen_last = seen.words();
        }
        let goodput: Runs = goodput.into_iter().collect();
        let refusal: Runs = refusal.into_iter().collect();
        let refused: Runs = refused.into_iter().collect();
        let most = server.memory("VmHWM");
        let room = 19.0 * workers as f64 + 64.0;
        vec![
            Row::new("P7", format!("goodput at ten times the load, open, {workers} workers: share of what closed load gives"))
                .figure(goodput.median(), format!("{}; {seen_last} in the last round", goodput.words(2)))
                .at_least(0.9)
                .limited_by("callers, refusals and hashes share the processors"),
            Row::new("P7", "p99 of a refusal there, from its intended start, ms")
                .figure(refusal.median(), format!("{}; median {}", refusal.words(1), refused.words(1)))
                .at_most(50.0)
                .and("each with Retry-After, none lost", sound)
                .limited_by("the processors: the refusal itself is a lookup of the caller"),
            Row::new("P7", "the most memory it had, MiB")
                .figure(most, format!("{most:.0}"))
                .at_most(room)
                .limited_by("workers × 19 MiB, connections, SQLite's cache"),
        ]
    })
}
