//! What is left when the process is killed: `kill -9` at random moments, on a real file.
//!
//! The moments come from a seed that is printed; `SPARE_KEY_SEED` takes one again. Eight rounds, or
//! two hundred where `SPARE_KEY_LONG` is set. The sleep before a kill waits for nothing: it is the
//! moment itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;
use spare_key_server::entropy::{Entropy as _, SystemEntropy};
use spare_key_tests::process::{Host, Place, Reply, at_once};

/// The longest a burst of requests goes on.
const BURST: u64 = 150;

fn rounds() -> u64 {
    if std::env::var_os("SPARE_KEY_LONG").is_some() {
        200
    } else {
        8
    }
}

/// Moments, the same for the same seed (xorshift64).
struct Moments(u64);

impl Moments {
    fn draw() -> Self {
        let seed = std::env::var("SPARE_KEY_SEED")
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| {
                let mut bytes = [0; 8];
                SystemEntropy.fill(&mut bytes).expect("a seed");
                u64::from_le_bytes(bytes) | 1
            });
        Self(seed)
    }

    fn next(&mut self) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_micros(self.0 % (BURST * 1000))
    }
}

/// What the database itself says of an account's live batch.
#[derive(Debug)]
struct Live {
    generation: u64,
    used: BTreeSet<u64>,
}

/// The live batch, whole: all its codes and no others but those of a pending one, which is whole
/// too.
#[track_caller]
fn whole(database: &Path, account: &str) -> Live {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .expect("the database");
    let sound: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a check");
    assert_eq!(sound, "ok");
    let mut batches = db
        .prepare(
            "SELECT generation, state, total, used FROM batch JOIN account ON n = account_n
             WHERE id = ?1 ORDER BY generation",
        )
        .expect("a statement");
    let number = |row: &Row<'_>, at: usize| row.get::<_, u32>(at).map(u64::from);
    let batches: Vec<(u64, u64, u64, u64)> = batches
        .query_map([account], |row| {
            Ok((
                number(row, 0)?,
                number(row, 1)?,
                number(row, 2)?,
                number(row, 3)?,
            ))
        })
        .expect("batches")
        .collect::<Result<_, _>>()
        .expect("batches");
    let mut codes = db
        .prepare(
            "SELECT generation, number, used_at IS NOT NULL FROM code JOIN account ON n = account_n
             WHERE id = ?1",
        )
        .expect("a statement");
    let codes: Vec<(u64, u64, bool)> = codes
        .query_map([account], |row| {
            Ok((number(row, 0)?, number(row, 1)?, row.get(2)?))
        })
        .expect("codes")
        .collect::<Result<_, _>>()
        .expect("codes");
    let mut live = None;
    for &(generation, state, total, used) in &batches {
        let own: Vec<_> = codes.iter().filter(|code| code.0 == generation).collect();
        let numbers: BTreeSet<u64> = own.iter().map(|code| code.1).collect();
        let spent: BTreeSet<u64> = own.iter().filter(|code| code.2).map(|c| c.1).collect();
        if state > 1 {
            assert!(own.is_empty(), "codes of an ended batch: {batches:?}");
            continue;
        }
        assert_eq!(numbers, (1..=total).collect(), "not whole: {batches:?}");
        assert_eq!(own.len() as u64, total);
        assert_eq!(spent.len() as u64, used, "not counted: {batches:?}");
        if state == 1 {
            let before = live.replace(Live {
                generation,
                used: spent,
            });
            assert!(before.is_none(), "two are live: {batches:?}");
        }
    }
    live.unwrap_or_else(|| panic!("none is live: {batches:?}"))
}

/// The same, and the product says the same of it.
#[track_caller]
fn agreed(place: &Place, host: Host, account: &str) -> Live {
    let live = whole(&place.database(), account);
    let status = host.status(account).json();
    assert_eq!(status["state"], "active", "{status}");
    assert_eq!(status["generation"], live.generation, "{status}");
    assert_eq!(status["total"], 10, "{status}");
    assert_eq!(status["remaining"], 10 - live.used.len(), "{status}");
    live
}

#[track_caller]
fn refused(answer: &Reply) {
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(answer.json()["type"], "/problems/code-not-accepted");
}

/// Sends until an answer is lost, which is the kill.
fn until_killed(mut send: impl FnMut(Host) -> std::io::Result<()>, host: Host) {
    while send(host).is_ok() {}
}

/// Rows C6, A-34.
#[test]
fn a_kill_while_codes_are_made_anew_at_once_leaves_one_whole_batch() {
    const WHO: &str = "at-once";
    let place = Place::default();
    let mut moments = Moments::draw();
    println!("SPARE_KEY_SEED={}", moments.0);
    let mut server = place.dev();
    let (mut newest, codes) = server.host().issue(WHO);
    let mut sheets = BTreeMap::from([(newest, codes)]);
    let keys = AtomicU64::new(0);
    let mut lost_and_live = 0;
    for _ in 0..rounds() {
        let host = server.host();
        let answered = Mutex::new(Vec::new());
        let open = Mutex::new(None);
        thread::scope(|scope| {
            scope.spawn(|| {
                until_killed(
                    |host| {
                        let key = keys.fetch_add(1, Ordering::Relaxed).to_string();
                        let body = at_once();
                        *open.lock().expect("open") = Some((key.clone(), body.clone()));
                        let answer = host.regenerate(WHO, &key, &body)?.expect(201);
                        *open.lock().expect("open") = None;
                        let sheet = (answer.generation(), answer.codes());
                        answered.lock().expect("answers").push(sheet);
                        Ok(())
                    },
                    host,
                );
            });
            thread::sleep(moments.next());
            server.kill();
        });
        for (generation, codes) in answered.into_inner().expect("answers") {
            assert!(generation > newest, "{generation} after {newest}");
            newest = generation;
            sheets.insert(generation, codes);
        }

        server = place.dev();
        let host = server.host();
        let live = agreed(&place, host, WHO);
        assert!(live.used.is_empty());
        assert!(
            live.generation >= newest,
            "{live:?} after {newest} was answered"
        );
        // What was lost is asked for again: the same codes if they went live, new ones if not.
        if let Some((key, body)) = open.into_inner().expect("open") {
            let answer = host.regenerate(WHO, &key, &body).expect("an answer");
            let answer = answer.expect(201);
            let again = answer.header("idempotency-replayed") == Some("true");
            assert_eq!(again, live.generation > newest);
            assert_eq!(again, answer.generation() == live.generation);
            lost_and_live += u64::from(again);
            newest = answer.generation();
            sheets.insert(newest, answer.codes());
        }
        // The live sheet's codes are accepted, those of the one before are not.
        let dead = sheets.range(..newest).next_back().map(|(_, codes)| codes);
        if let Some(codes) = dead {
            refused(&host.redeem(WHO, &codes[0]).expect("an answer"));
        }
        let answer = host
            .redeem(WHO, &sheets[&newest][9])
            .expect("an answer")
            .expect(200);
        assert_eq!(answer.generation(), newest);
        assert_eq!(agreed(&place, host, WHO).used, BTreeSet::from([10]));
        let (generation, codes) = host.issue(WHO);
        assert!(generation > newest);
        newest = generation;
        sheets.insert(generation, codes);
    }
    println!("answers lost behind a commit: {lost_and_live}");
}

/// Row C6.
#[test]
fn a_kill_while_codes_are_staged_and_activated_leaves_the_old_or_the_new_whole() {
    const WHO: &str = "on-confirm";
    let place = Place::default();
    let mut moments = Moments::draw();
    println!("SPARE_KEY_SEED={}", moments.0);
    let mut server = place.dev();
    let (first, codes) = server.host().issue(WHO);
    let sheets = Mutex::new(BTreeMap::from([(first, codes)]));
    let mut live = first;
    for _ in 0..rounds() {
        let host = server.host();
        let activated = AtomicU64::new(live);
        thread::scope(|scope| {
            scope.spawn(|| {
                until_killed(
                    |host| {
                        let staged = host.stage(WHO)?.expect(201);
                        let generation = staged.generation();
                        let mut sheets = sheets.lock().expect("sheets");
                        sheets.insert(generation, staged.codes());
                        drop(sheets);
                        host.activate(WHO, generation)?.expect(200);
                        activated.store(generation, Ordering::Relaxed);
                        Ok(())
                    },
                    host,
                );
            });
            thread::sleep(moments.next());
            server.kill();
        });

        server = place.dev();
        let host = server.host();
        let now = agreed(&place, host, WHO);
        assert!(now.used.is_empty());
        let activated = activated.into_inner();
        let mut sheets = sheets.lock().expect("sheets");
        // Only what was answered can have been activated, and at most one answer was lost.
        let after: Vec<_> = sheets.range(activated + 1..).map(|(n, _)| *n).collect();
        assert!(
            now.generation == activated || after == [now.generation],
            "{now:?} after {activated}, then staged {after:?}"
        );
        // A pending batch is the one that was answered, or one whose answer was lost.
        let shown = host.show(WHO).expect("an answer");
        if shown.status == 200 {
            let codes = sheets.entry(shown.generation()).or_insert(shown.codes());
            assert_eq!(*codes, shown.codes());
            assert!(shown.generation() > now.generation);
            refused(&host.redeem(WHO, &shown.codes()[0]).expect("an answer"));
        } else {
            shown.expect(404);
        }
        let answer = host
            .redeem(WHO, &sheets[&now.generation][3])
            .expect("an answer")
            .expect(200);
        assert_eq!(answer.generation(), now.generation);
        let (generation, codes) = host.issue(WHO);
        assert!(sheets.keys().all(|older| *older < generation));
        sheets.insert(generation, codes);
        live = generation;
    }
}

/// Rows C2, C7.
#[test]
fn a_kill_while_codes_are_redeemed_gives_no_spent_code_back_and_loses_no_other() {
    const WHO: &str = "redeemer";
    let place = Place::default();
    let mut moments = Moments::draw();
    println!("SPARE_KEY_SEED={}", moments.0);
    let mut server = place.dev();
    let mut lost_and_spent = 0;
    for _ in 0..rounds() {
        let (generation, codes) = server.host().issue(WHO);
        let host = server.host();
        let next = AtomicU64::new(0);
        let answered = Mutex::new(BTreeSet::new());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    until_killed(
                        |host| {
                            // The last three stay for afterwards.
                            let place = next.fetch_add(1, Ordering::Relaxed);
                            let code = codes[..7].get(usize::try_from(place).expect("a place"));
                            let code = code.ok_or(std::io::ErrorKind::NotFound)?;
                            let answer = host.redeem(WHO, code)?.expect(200).json();
                            assert_eq!(answer["number"], place + 1);
                            answered.lock().expect("answers").insert(place + 1);
                            Ok(())
                        },
                        host,
                    );
                });
            }
            thread::sleep(moments.next());
            server.kill();
        });
        let answered = answered.into_inner().expect("answers");

        server = place.dev();
        let host = server.host();
        let live = agreed(&place, host, WHO);
        assert_eq!(live.generation, generation);
        assert!(
            live.used.is_superset(&answered),
            "{answered:?} were answered, {live:?} is left"
        );
        let lost: Vec<_> = live.used.difference(&answered).copied().collect();
        assert!(lost.len() <= 2, "two were asked for at a time: {lost:?}");
        lost_and_spent += lost.len();
        // What is spent is refused. A success in between, so that the throttle stays out of it.
        let code = |number: u64| &codes[usize::try_from(number).expect("a number") - 1];
        let mut fresh = (8..=10).rev();
        for (place, number) in live.used.iter().enumerate() {
            if place % 4 == 3 {
                let code = code(fresh.next().expect("a code"));
                host.redeem(WHO, code).expect("an answer").expect(200);
            }
            refused(&host.redeem(WHO, code(*number)).expect("an answer"));
        }
        // What is not spent is accepted, once.
        let unspent = (1..=7).find(|number| !live.used.contains(number));
        for number in unspent.into_iter().chain(fresh) {
            let answer = host.redeem(WHO, code(number)).expect("an answer");
            assert_eq!(answer.expect(200).json()["number"], number);
            refused(&host.redeem(WHO, code(number)).expect("an answer"));
        }
        agreed(&place, host, WHO);
    }
    println!("answers lost behind a commit: {lost_and_spent}");
}

/// Nothing of the kind was ever issued; valid by its check.
const STRANGER: &str = "KZ3M-Q7TB-WJ5R-HXYN";

/// Rows C9, A-58.
#[test]
fn a_kill_and_a_restart_forget_no_wrong_attempt() {
    const WHO: &str = "guesser";
    let place = Place::default();
    let server = place.dev();
    let (_, codes) = server.host().issue(WHO);
    for left in (0..10).rev() {
        let answer = server.host().redeem(WHO, STRANGER).expect("an answer");
        refused(&answer);
        assert_eq!(answer.json()["tries_left"], left);
    }
    let throttled = |host: Host| -> Value {
        let answer = host.redeem(WHO, &codes[0]).expect("an answer").expect(429);
        answer.json()["retry_at"].clone()
    };
    let before = throttled(server.host());
    assert!(before.is_string());
    server.kill();
    let server = place.dev();
    assert_eq!(throttled(server.host()), before);
    assert!(whole(&place.database(), WHO).used.is_empty());
}
