//! P1 and P2: redemptions and wrong attempts through HTTP, at the real cost.

use std::time::Duration;

use spare_key_core::{Batch, Code, Format, Spec};
use spare_key_server::clock::Stopwatch;

use crate::bare::Bare;
use crate::driver::{Ask, Connection, closed};
use crate::figures::{Runs, millis, ratios};
use crate::ground::{Ground, Kind};
use crate::servers::{Server, cores};
use crate::table::Row;
use crate::{Depth, waited_for};

/// Codes of live lists of ten, each with its account; those of one list lie far apart, so that no
/// two are redeemed at the same moment.
pub(crate) async fn issued(server: &Server, name: &str, lists: usize) -> Vec<(String, String)> {
    let mut connection = Connection::open(server.address)
        .await
        .expect("a connection");
    let mut all = Vec::new();
    for list in 0..lists {
        let account = format!("{name}-{list}");
        let (_, answer) = connection.timed(&Ask::issue(&account, 10), 201).await;
        let codes = answer.json["codes"].as_array().cloned().unwrap_or_default();
        for (place, code) in codes.iter().enumerate() {
            let code = code["code"].as_str().expect("a code").to_owned();
            all.push((place, account.clone(), code));
        }
    }
    all.sort_by_key(|(place, ..)| *place);
    all.into_iter()
        .map(|(_, account, code)| (account, code))
        .collect()
}

/// P1.
pub(crate) fn redemptions(kind: Kind, depth: Depth) -> Row {
    waited_for(async {
        let ground = Ground::new(kind);
        let workers = cores();
        let server = Server::real(&ground.address(), workers);
        let bare = Bare::new(workers);
        let window = Duration::from_millis(depth.window());
        // Warm-up, and how many codes a window takes.
        let a_second = bare.a_second(Duration::from_millis(300)).await;
        let lists = (a_second * window.as_secs_f64() / 10.0 * 1.2).ceil() as usize + 1;
        let (mut with, mut without) = (Vec::new(), Vec::new());
        let mut seen_all = String::new();
        for round in 0..depth.rounds() {
            let codes = issued(&server, &format!("p1-{round}"), lists).await;
            let asks = |number: usize| {
                let (account, code) = codes.get(number)?;
                Some(Ask::redeem(account, code))
            };
            without.push(bare.a_second(window).await);
            let seen = closed(&[server.address], workers * 4, window, &asks).await;
            with.push(seen.a_second(200));
            seen_all = seen.words();
        }
        let shares = ratios(&with, &without);
        // Of all the processors' time, what goes to anything but the bare hash.
        let beside =
            |(with, without): (&f64, &f64)| workers as f64 * 1e3 * (1.0 / with - 1.0 / without);
        let beside: Runs = with.iter().zip(&without).map(beside).collect();
        let with: Runs = with.into_iter().collect();
        Row::new("P1", format!("redemptions, {}, closed load, {} callers, {workers} workers: share of the bare hash", kind.name(), workers * 4))
            .figure(shares.median(), format!("{}; {} redemptions/s; {} ms of a processor beside the hash", shares.words(3), with.words(1), beside.words(2)))
            .at_least(match kind {
                Kind::Sqlite => 0.95,
                Kind::Postgres => 0.93,
            })
            .limited_by(format!("the hash; what is left is HTTP, two commits and the callers, which share the processors ({seen_all} in the last round)"))
    })
}

/// P2.
pub(crate) fn wrong_attempts(depth: Depth) -> Vec<Row> {
    waited_for(async {
        let ground = Ground::new(Kind::Sqlite);
        let server = Server::real(&ground.address(), cores());
        let bare = Bare::new(1);
        let mut connection = Connection::open(server.address)
            .await
            .expect("a connection");
        let wrong = wrong_code();
        let (mut ten, mut one, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        let mut attempts = 0;
        let mut hashes = 0;
        // A round is a little below where the throttle begins.
        for round in 0..depth.of(1, 9) {
            let (many, few) = (format!("p2-ten-{round}"), format!("p2-one-{round}"));
            connection.timed(&Ask::issue(&many, 10), 201).await;
            connection.timed(&Ask::issue(&few, 1), 201).await;
            bare.one().await;
            let before = server.slow_hashes();
            let mut spans = [Vec::new(), Vec::new()];
            for _ in 0..8 {
                for (account, spans) in [&many, &few].into_iter().zip(&mut spans) {
                    let (span, _) = connection.timed(&Ask::redeem(account, &wrong), 403).await;
                    spans.push(millis(span));
                    attempts += 1;
                }
            }
            hashes += server.slow_hashes() - before;
            let watch = Stopwatch::start();
            for _ in 0..10 {
                bare.one().await;
            }
            theirs.push(millis(watch.elapsed()));
            let [of_ten, of_one] = spans;
            ten.push(Runs::from_iter(of_ten).median());
            one.push(Runs::from_iter(of_one).median());
        }
        let each = hashes as f64 / f64::from(attempts);
        let ratio = ratios(&ten, &one);
        let share = ratios(&ten, &theirs);
        let ten: Runs = ten.into_iter().collect();
        vec![
            Row::new("P2", "a wrong attempt with 10 codes outstanding, one caller: share of one with 1 outstanding")
                .figure(ratio.median(), format!("{}; {} ms", ratio.words(3), ten.words(1)))
                .between(0.95, 1.05)
                .limited_by("the hash: one, found by the locator"),
            Row::new("P2", "slow hashes an attempt, counted by the server")
                .figure(each, format!("{each} ({attempts} attempts)"))
                .between(1.0, 1.0)
                .limited_by("–"),
            Row::new("P2", "the same attempt: share of ten bare hashes, what systems pay that hash once an outstanding code")
                .figure(share.median(), share.words(3))
                .at_most(0.12)
                .limited_by("the hash; HTTP and two commits come on top of the tenth"),
        ]
    })
}

/// A code with a sound check symbol that nobody was given.
pub(crate) fn wrong_code() -> String {
    let spec = Spec::new(Format::List, 1).expect("a size that there is");
    let batch = Batch::draft(spec, |bytes| bytes.fill(0), |_| true).expect("a code");
    let code: Vec<_> = batch.codes().iter().map(Code::expose).collect();
    code[0].to_string()
}
