//! Databases that go away, fill up, slow down, take nothing, or lose a connection in a commit.
//!
//! Several processes redeem all the while. What was said to be done is done, what was refused for a
//! fault is not, but for the one that was under way, which is honestly unknown; and when the trouble
//! is over the same processes go on. Rows C7, C9, O2.
//! Row A-48.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use spare_key_server::model::AccountId;
use spare_key_server::store::postgres::{PostgresStore, PostgresUrl};
use spare_key_server::store::{Redeemed, Store};

use crate::cluster::Database;
use crate::crash::full;
use crate::deeds::DEEDS;
use crate::ground::{Ground, Kind};
use crate::proxy::{Commit, Proxy};
use crate::races::{self, Racers, Told};
use crate::sample::{self, id};
use crate::table::Line;
use crate::{Depth, runtime};

/// Each racer makes so many lists.
const LISTS: usize = 4;

/// A shell that lets a process outlive a write beyond its limit.
const PATIENT: &[&str] = &["bash", "-c", "trap '' XFSZ; exec \"$@\"", "bash"];

/// One kind of trouble.
struct Trouble<'a> {
    name: &'a str,
    /// Whether anything can be done while it lasts.
    stops_all: bool,
    begin: &'a dyn Fn(&[u32]),
    end: &'a dyn Fn(&[u32]),
}

/// Each of them, told as it is done.
pub(crate) fn all(kind: Kind, depth: Depth, add: &mut dyn FnMut(Line)) {
    let rounds = match depth {
        Depth::Short => 4,
        Depth::Long => 50,
    };
    match kind {
        Kind::Sqlite => of_a_file(rounds, add),
        Kind::Postgres => of_a_server(rounds, add),
    }
}

fn of_a_file(rounds: usize, add: &mut dyn FnMut(Line)) {
    let ground = Ground::new(Kind::Sqlite);
    let file = ground.file();
    let aside = file.with_extension("aside");
    let size = || std::fs::metadata(file.with_extension("db-wal")).map_or(0, |log| log.len());
    let troubles = [
        Trouble {
            name: "the file is gone for a time",
            stops_all: true,
            begin: &|_| std::fs::rename(&file, &aside).expect("it can be moved"),
            end: &|_| std::fs::rename(&aside, &file).expect("it can be moved back"),
        },
        Trouble {
            name: "the disk is full",
            stops_all: false,
            begin: &|ids| limit(ids, &(size() + 30_000).to_string()),
            end: &|ids| limit(ids, "unlimited"),
        },
        Trouble {
            name: "nothing can be written",
            stops_all: true,
            begin: &|ids| limit(ids, "0"),
            end: &|ids| limit(ids, "unlimited"),
        },
    ];
    for trouble in &troubles {
        add(through(&ground, Kind::Sqlite, trouble, rounds));
    }
    add(held_up(&ground, rounds));
}

/// Another process holds the file's lock for a moment: everybody waits, nobody is refused.
fn held_up(ground: &Ground, rounds: usize) -> Line {
    let mut line = Line::new("slow: the lock is held elsewhere", Kind::Sqlite);
    let mut racers = Racers::start(&ground.address(), &[], None);
    for round in 0..rounds {
        let told = thread::scope(|scope| {
            let slow = scope.spawn(|| {
                let other = Connection::open(ground.file()).expect("the file");
                other.busy_timeout(Duration::from_secs(10)).expect("a wait");
                other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
                thread::sleep(Duration::from_millis(150));
                other.execute_batch("ROLLBACK").expect("its release");
            });
            let told = racers.run("load", &format!("held-{round}"));
            slow.join().expect("no panic");
            told
        });
        line.runs += 1;
        line.faults += 1;
        look(&mut line, ground, &told, true);
    }
    racers.end();
    line
}

fn of_a_server(rounds: usize, add: &mut dyn FnMut(Line)) {
    let ground = Ground::new(Kind::Postgres);
    let Ground::Database(database) = &ground else {
        return;
    };
    // Another database, to speak to the server from.
    let desk = Database::create(&[]);
    let name = &database.name;
    let disconnect = || {
        desk.sql(&format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
    };
    let set = |what: &str| {
        desk.sql(&format!("ALTER DATABASE {name} {what}"));
        disconnect();
    };
    let backends = || -> Vec<u32> {
        let ids = desk.sql(&format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = '{name}'"
        ));
        ids.lines().filter_map(|id| id.parse().ok()).collect()
    };
    let troubles = [
        Trouble {
            name: "the database is gone for a time",
            stops_all: true,
            begin: &|_| set("ALLOW_CONNECTIONS false"),
            end: &|_| set("ALLOW_CONNECTIONS true"),
        },
        Trouble {
            name: "nothing can be written",
            stops_all: true,
            begin: &|_| set("SET default_transaction_read_only = on"),
            end: &|_| set("RESET default_transaction_read_only"),
        },
        Trouble {
            name: "the server is killed and comes back",
            stops_all: false,
            begin: &|_| {
                if let Some(one) = backends().first() {
                    run("kill", &["-9", &one.to_string()]);
                }
            },
            end: &|_| come_back(&ground),
        },
    ];
    for trouble in &troubles {
        add(through(&ground, Kind::Postgres, trouble, rounds));
    }
    add(full_disk(&ground, &desk, &backends, rounds));
    add(slow(&ground, database, rounds));
    add(cut_in_the_commit(database));
}

/// A table cannot grow any more: the limit is on the server's own processes.
fn full_disk(
    ground: &Ground,
    desk: &Database,
    backends: &dyn Fn() -> Vec<u32>,
    rounds: usize,
) -> Line {
    // Beyond the size of a file of its log, which must not meet the limit.
    ground.sql(
        "INSERT INTO event (account_id, kind, at, actor, detail)
         SELECT 'filler', 'codes.refused', 0, 'person', repeat('x', 200)
         FROM generate_series(1, 80000)",
    );
    let postmaster: u32 = desk
        .sql("SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)")
        .parse()
        .expect("its number");
    let everybody = || [backends(), vec![postmaster]].concat();
    let trouble = Trouble {
        name: "the disk is full",
        stops_all: false,
        begin: &|_| {
            let size = ground.sql("SELECT pg_relation_size('event') + 24576");
            limit_as(SERVER, &everybody(), &size);
        },
        end: &|_| limit_as(SERVER, &everybody(), "unlimited"),
    };
    through(ground, Kind::Postgres, &trouble, rounds)
}

/// Every answer takes a while, and the races are run all the same.
fn slow(ground: &Ground, database: &Database, rounds: usize) -> Line {
    let proxy = Proxy::to(port(database));
    proxy.delay(Duration::from_millis(5));
    let mut line = Line::new("slow: every race, each answer 5 ms late", Kind::Postgres);
    let by = by_way_of(&proxy, database);
    for race in races::raced_on(ground, &by, Kind::Postgres, rounds.min(8), None, None) {
        line.runs += race.runs;
        line.faults += race.faults;
        if race.violations() > 0 {
            line.broken(race.words());
        }
    }
    line
}

/// The connection breaks in the commit of each deed: the answer is "unknown", and what is left is
/// the state before or after, whichever the server has made of it.
fn cut_in_the_commit(database: &Database) -> Line {
    let mut line = Line::new("the connection is cut in the commit", Kind::Postgres);
    let full = full(Kind::Postgres);
    let proxy = Proxy::to(port(database));
    for deed in DEEDS {
        for commit in [Commit::Passes, Commit::IsLost, Commit::IsNotAnswered] {
            let ground = full.copy();
            let Ground::Database(copy) = &ground else {
                continue;
            };
            let before = ground.rows();
            let store = crate::ground::open(&by_way_of(&proxy, copy));
            proxy.commit(commit);
            let told = runtime().block_on((deed.act)(store));
            proxy.commit(Commit::Passes);
            line.runs += 1;
            let unchanged = ground.rows() == before;
            let unknown = told.as_ref().is_err_and(|why| why.contains("unknown"));
            let honest = match commit {
                Commit::Passes => told.is_ok() && !unchanged,
                // A single statement commits by itself, and no commit is sent that could be cut.
                _ if told.is_ok() => !unchanged,
                Commit::IsLost => unknown && (unchanged || !deed.whole),
                Commit::IsNotAnswered => unknown && !unchanged,
            };
            line.faults += u64::from(unknown);
            if !honest {
                line.broken(format!(
                    "{}, {commit:?}: told {told:?}, unchanged: {unchanged}",
                    deed.name
                ));
            }
            ground
                .violations()
                .into_iter()
                .for_each(|broken| line.broken(broken));
        }
    }
    line
}

fn port(database: &Database) -> u16 {
    let url = database.url();
    let after = url
        .rsplit(':')
        .next()
        .and_then(|rest| rest.split('/').next());
    after.and_then(|port| port.parse().ok()).expect("a port")
}

fn by_way_of(proxy: &Proxy, database: &Database) -> String {
    let port = proxy.port();
    format!(
        "postgres://postgres@localhost:{port}/{}?sslmode=disable&max_connections=2",
        database.name
    )
}

/// Waits until the server takes connections again.
fn come_back(ground: &Ground) {
    let url = PostgresUrl::parse(&ground.address()).expect("an address");
    for _ in 0..200 {
        if PostgresStore::open(&url).is_ok() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("the server did not come back");
}

/// The largest file that our own processes may write, in bytes.
fn limit(ids: &[u32], bytes: &str) {
    limit_as("", ids, bytes);
}

/// Who the server runs as where the tests are run by root.
const SERVER: &str = "postgres";

/// The same of somebody else's processes, where root may only limit them as their owner.
fn limit_as(owner: &str, ids: &[u32], bytes: &str) {
    let script = "if [ -n \"$1\" ] && [ \"$(id -u)\" = 0 ]; then
            as=\"setpriv --reuid=$1 --regid=$1 --clear-groups --\"
        fi
        $as prlimit --pid \"$2\" --fsize=\"$3\":";
    for id in ids {
        run(
            "bash",
            &["-c", script, "bash", owner, &id.to_string(), bytes.trim()],
        );
    }
}

fn run(program: &str, args: &[&str]) {
    let ended = Command::new(program)
        .args(args)
        .status()
        .expect("it can be run");
    assert!(ended.success(), "{program} {args:?}");
}

/// Before, during and after the trouble, which begins while the racers are at it.
fn through(ground: &Ground, kind: Kind, trouble: &Trouble<'_>, rounds: usize) -> Line {
    let mut line = Line::new(trouble.name, kind);
    let word: String = trouble
        .name
        .chars()
        .filter(char::is_ascii_alphabetic)
        .collect();
    let mut racers = Racers::start(&ground.address(), PATIENT, None);
    let ids = racers.ids();
    for round in 0..rounds {
        let calm = racers.run("load", &format!("{word}-{round}-before"));
        look(&mut line, ground, &calm, true);
        let moment = Duration::from_millis(5 + (round as u64 * 37) % 60);
        let during = thread::scope(|scope| {
            let load = scope.spawn(|| racers.run("load", &format!("{word}-{round}-during")));
            thread::sleep(moment);
            (trouble.begin)(&ids);
            load.join().expect("no panic")
        });
        line.faults += 1;
        if trouble.stops_all {
            let refused = racers.run("load", &format!("{word}-{round}-refused"));
            if refused
                .iter()
                .any(|told| told.as_ref().is_ok_and(|told| told.contains('+')))
            {
                line.broken(format!("round {round}: done all the same: {refused:?}"));
            }
        }
        (trouble.end)(&ids);
        look(&mut line, ground, &during, false);
        let calm = racers.run("load", &format!("{word}-{round}-after"));
        look(&mut line, ground, &calm, true);
        line.runs += 1;
    }
    racers.end();
    line
}

/// Compares what was told with what is there; `calm`: nothing may have been refused.
fn look(line: &mut Line, ground: &Ground, told: &[Told], calm: bool) {
    let used = ground.sql(
        "SELECT a.id, c.number FROM code AS c JOIN account AS a ON a.n = c.account_n
         WHERE c.used_at IS NOT NULL",
    );
    let mut spent: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (account, number) in used.lines().filter_map(|line| line.split_once('|')) {
        spent
            .entry(account)
            .or_default()
            .extend(number.parse::<u32>());
    }
    let is_spent =
        |account: &str, number: u32| spent.get(account).is_some_and(|all| all.contains(&number));
    for told in told {
        let Ok(words) = told else {
            line.broken(format!("{told:?}"));
            continue;
        };
        // Each as `account/number` with what was told: + done, ? a fault.
        for word in words.trim_matches('"').split_whitespace() {
            let (what, answer) = word.split_at(word.len() - 1);
            let Some((account, number)) = what.split_once('/') else {
                continue;
            };
            let number = number.parse().unwrap_or(0);
            if answer == "+" && !is_spent(account, number) {
                line.broken(format!("{what} was said to be redeemed and is not"));
            }
            if answer == "!" && is_spent(account, number) {
                line.broken(format!(
                    "{what} was said to have failed without a trace and is redeemed"
                ));
            }
            if calm && answer != "+" {
                line.broken(format!("{word} although nothing was the matter"));
            }
        }
    }
    ground
        .violations()
        .into_iter()
        .for_each(|broken| line.broken(broken));
}

/// What each racer does meanwhile: lists at once, and all of their codes, one after the other.
/// Tells `account/number+` of what was redeemed, `?` where that is unknown, `!` of a fault.
pub(crate) async fn load(store: Arc<dyn Store>, account: AccountId, racer: usize) -> Told {
    let mut told = Vec::new();
    for list in 0..LISTS {
        let account = id(&format!("{}-{racer}-{list}", account.as_str()));
        if store.stage(sample::at_once(&account, 1)).await.is_err() {
            // A repeat is told that the number is taken, if it was stored after all.
            told.push(format!("{}/0?", account.as_str()));
            continue;
        }
        for number in 1..=10 {
            let mark = match store.redeem(sample::redeem(&account, 1, number)).await {
                Ok(Redeemed::Done { .. }) => '+',
                Ok(_) => '-',
                Err(fault) if fault.source.to_string().contains("unknown") => '?',
                Err(_) => '!',
            };
            told.push(format!("{}/{number}{mark}", account.as_str()));
        }
    }
    Ok(told.join(" "))
}
