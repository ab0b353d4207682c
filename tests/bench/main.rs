//! How fast everything is, measured against something in the same run: `tests/bench/run`.
//!
//! It prints a table and JSON and judges each figure against what is wanted; it is no test, and an
//! absolute time in it says little on a shared machine. Closed load (so many callers, each waits
//! for its answer) and open load (so many requests a second, whatever the answers do) are told
//! apart. README.md beside this says how to read it.

#[path = "../../server/tests/contract/cluster.rs"]
mod cluster;
#[path = "../../server/tests/contract/sample.rs"]
#[expect(dead_code, reason = "the port's contract uses the rest")]
mod sample;

mod bare;
mod browser;
mod driver;
mod figures;
mod ground;
mod hashing;
mod load;
mod mixed;
mod operations;
mod overload;
mod served;
mod servers;
mod starting;
mod table;
mod upkeep;

use std::io::Write as _;
use std::process::ExitCode;

use ground::Kind;
use table::{Row, Table};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Only whether each figure comes about; nothing is judged.
    Short,
    /// Medians of five rounds.
    Full,
}

impl Depth {
    pub(crate) fn rounds(self) -> usize {
        self.of(1, 5)
    }

    /// How long one round of a load lasts, in milliseconds.
    pub(crate) fn window(self) -> u64 {
        self.of(300, 2_000)
    }

    pub(crate) fn of<T>(self, short: T, full: T) -> T {
        match self {
            Self::Short => short,
            Self::Full => full,
        }
    }
}

const USAGE: &str = "tests/bench/run [--short] [--json] [P1 P2 …]
       tests/bench/run load N sqlite:PATH|postgres://…
       tests/bench/run scale [N]";

/// Every measurement, by its name in the table.
const ALL: [&str; 12] = [
    "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11", "P12",
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        [servers::ROLE, store, keyring, workers] => {
            servers::cheap(store, keyring, workers);
            return ExitCode::SUCCESS;
        }
        ["load", count, store] => {
            let Some(count) = number(count) else {
                return misused();
            };
            load::filled(store, count);
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let (mut depth, mut as_json, mut asked) = (Depth::Full, false, Vec::new());
    let mut scale = None;
    for word in words {
        match word {
            "--short" => depth = Depth::Short,
            "--json" => as_json = true,
            "scale" => scale = Some(1_000_000),
            count if scale.is_some() => match number(count) {
                Some(count) => scale = Some(count),
                None => return misused(),
            },
            name if ALL.contains(&name) => asked.push(name),
            _ => return misused(),
        }
    }
    let mut table = Table::new(depth, as_json);
    match scale {
        Some(count) => {
            for kind in Kind::BOTH {
                load::compared(kind, count, depth, &mut |row| table.add(row));
            }
        }
        None => {
            if asked.is_empty() {
                asked = ALL.to_vec();
            }
            measured(depth, &asked, &mut |row| table.add(row));
        }
    }
    table.end()
}

fn measured(depth: Depth, asked: &[&str], add: &mut dyn FnMut(Row)) {
    for name in asked {
        match *name {
            "P1" => Kind::BOTH
                .into_iter()
                .for_each(|kind| add(served::redemptions(kind, depth))),
            "P2" => served::wrong_attempts(depth)
                .into_iter()
                .for_each(&mut *add),
            "P3" => add(hashing::one(depth)),
            "P4" => add(hashing::batches(depth)),
            "P5" => add(mixed::malformed(depth)),
            "P6" => add(mixed::status_beside_redemptions(depth)),
            "P7" => overload::measured(depth).into_iter().for_each(&mut *add),
            "P8" => Kind::BOTH.into_iter().for_each(|kind| {
                load::compared(kind, depth.of(2_000, 50_000), depth, &mut *add);
            }),
            "P9" => Kind::BOTH
                .into_iter()
                .for_each(|kind| operations::measured(kind, depth, &mut *add)),
            "P10" => starting::measured(depth).into_iter().for_each(&mut *add),
            "P11" => browser::measured().into_iter().for_each(&mut *add),
            "P12" => mixed::several_servers(depth)
                .into_iter()
                .for_each(&mut *add),
            _ => unreachable!("it was looked up"),
        }
    }
}

fn number(word: &str) -> Option<u64> {
    word.replace('_', "").parse().ok()
}

fn misused() -> ExitCode {
    tell(&format!("usage: {USAGE}"));
    ExitCode::from(2)
}

/// Does this on a runtime of its own, which ends with it.
pub(crate) fn waited_for<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(work)
}

/// A line on standard output, at once.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .expect("standard output");
}

/// Words for people, on standard error.
pub(crate) fn tell(words: &str) {
    let told = writeln!(std::io::stderr().lock(), "{}", words.trim_end());
    told.expect("standard error");
}
