//! P3 and P4: one slow hash, and ten of them as one batch.

use std::process::Command;
use std::time::Duration;

use crate::bare::Bare;
use crate::driver::{Ask, Connection};
use crate::figures::{Runs, millis, ratios};
use crate::ground::{Ground, Kind};
use crate::servers::{Server, cores};
use crate::table::Row;
use crate::{Depth, waited_for};

/// P3. Debian's `argon2` is the reference C library, built for SSE2; builds for newer processors
/// are measured where the hash itself is worked on.
pub(crate) fn one(depth: Depth) -> Row {
    waited_for(async {
        let bare = Bare::new(1);
        bare.one().await;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..depth.of(1, 5) {
            let mut round = Vec::new();
            for _ in 0..depth.of(2, 20) {
                round.push(millis(bare.one().await));
            }
            ours.push(Runs::from_iter(round).median());
            if let Some(reference) = reference(depth.of(1, 5)) {
                theirs.push(reference);
            }
        }
        let shares = ratios(&ours, &theirs);
        let ours: Runs = ours.into_iter().collect();
        let row = Row::new("P3", "one Argon2id as the server runs it, one thread, ms");
        let row = if theirs.is_empty() {
            row.figure(ours.median(), ours.words(1))
                .limited_by("the reference is not here: apt-get install argon2")
        } else {
            let theirs: Runs = theirs.into_iter().collect();
            let words = format!(
                "{}; {} of the reference C library built for SSE2 ({} ms)",
                ours.words(1),
                shares.words(2),
                theirs.words(0)
            );
            row.figure(shares.median(), words)
                .at_most(0.7)
                .limited_by("memory bandwidth, vector code, pages")
        };
        Row {
            wanted: format!("{} (AVX2 of the same library: 0.6 of its SSE2)", row.wanted),
            ..row
        }
    })
}

/// Milliseconds of one hash, as the reference's own program measures them.
fn reference(times: usize) -> Option<f64> {
    let once = || {
        let told = Command::new("bash")
            .args([
                "-c",
                "printf KZ3MQ7TBWJ5RHXY | argon2 saltsaltsaltsalt -id -t 2 -k 19456 -p 1 -l 32",
            ])
            .output()
            .ok()?;
        let told = String::from_utf8(told.stdout).ok()?;
        let line = told.lines().find(|line| line.ends_with(" seconds"))?;
        let seconds: f64 = line.strip_suffix(" seconds")?.trim().parse().ok()?;
        Some(seconds * 1e3)
    };
    let found: Option<Runs> = (0..times).map(|_| once()).collect();
    found.map(|runs| runs.median())
}

/// P4.
pub(crate) fn batches(depth: Depth) -> Row {
    waited_for(async {
        let ground = Ground::new(Kind::Sqlite);
        let workers = cores();
        let server = Server::real(&ground.address(), workers);
        let bare = Bare::new(workers);
        let mut connection = Connection::open(server.address)
            .await
            .expect("a connection");
        let (mut with, mut without) = (Vec::new(), Vec::new());
        connection.timed(&Ask::issue("p4-warm", 10), 201).await;
        for round in 0..depth.of(1, 7) {
            let (mut issued, mut hashed) = (Vec::new(), Vec::new());
            for number in 0..depth.of(1, 5) {
                hashed.push(millis(bare.spread(10).await));
                let ask = Ask::issue(&format!("p4-{round}-{number}"), 10);
                let (span, _): (Duration, _) = connection.timed(&ask, 201).await;
                issued.push(millis(span));
            }
            with.push(Runs::from_iter(issued).median());
            without.push(Runs::from_iter(hashed).median());
        }
        let shares = ratios(&with, &without);
        let with: Runs = with.into_iter().collect();
        Row::new("P4", format!("issuing 10 codes through HTTP, SQLite, one caller, {workers} workers: share of 10 bare hashes spread over as many threads"))
            .figure(shares.median(), format!("{}; {} ms", shares.words(3), with.words(0)))
            .at_most(1.10)
            .limited_by("the hash; one commit and HTTP on top")
    })
}
