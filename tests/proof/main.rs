//! The proof that nothing is lost and nothing is let in twice: `tests/proof/run`.
//!
//! Races between processes, processes killed and statements broken at every statement of every
//! deed, databases that go away, fill up, slow down or lose the connection in the middle of a
//! commit, clocks that step; over both stores. It prints a table, and it shows that it bites: with a
//! guard taken out of the statements it finds violations.

#[path = "../../server/tests/contract/cluster.rs"]
mod cluster;
#[path = "../../server/tests/contract/sample.rs"]
#[expect(dead_code, reason = "the port's contract uses the rest")]
mod sample;

mod bites;
mod child;
mod crash;
mod deeds;
mod ground;
mod outages;
mod proxy;
mod races;
mod table;
mod walk;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::OnceLock;

use ground::Kind;
use serde_json::json;
use table::Line;

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    Short,
    Long,
}

impl Depth {
    /// How often each race is run.
    fn rounds(self) -> usize {
        match self {
            Self::Short => 25,
            Self::Long => 1_000,
        }
    }
}

const USAGE: &str = "tests/proof/run [--long] [--json] [--store sqlite|postgres] \
                     [--part races|clocks|crashes|faults|outages|bites]";

/// What can be asked for by itself.
const PARTS: [&str; 6] = ["races", "clocks", "crashes", "faults", "outages", "bites"];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|first| first == child::ROLE) {
        child::main(&args[1..]);
        return ExitCode::SUCCESS;
    }
    let (mut depth, mut as_json) = (Depth::Short, false);
    let (mut kinds, mut parts) = (Kind::BOTH.to_vec(), PARTS.to_vec());
    let mut words = args.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--long" => depth = Depth::Long,
            "--json" => as_json = true,
            "--store" => match words.next() {
                Some("sqlite") => kinds = vec![Kind::Sqlite],
                Some("postgres") => kinds = vec![Kind::Postgres],
                _ => return misused(),
            },
            "--part" => match words.next().filter(|part| PARTS.contains(part)) {
                Some(part) => parts = vec![part],
                None => return misused(),
            },
            _ => return misused(),
        }
    }
    prove(depth, as_json, &kinds, &parts)
}

fn misused() -> ExitCode {
    tell(&format!("usage: {USAGE}"));
    ExitCode::from(2)
}

fn prove(depth: Depth, as_json: bool, kinds: &[Kind], parts: &[&str]) -> ExitCode {
    let mut lines: Vec<Line> = Vec::new();
    let mut add = |line: Line| {
        if !as_json {
            say(&line.row());
        }
        if line.violations() > 0 {
            tell(&line.words());
        }
        lines.push(line);
    };
    if !as_json {
        say(&table::head());
    }
    let asked = |part| parts.contains(&part);
    for kind in kinds.iter().copied() {
        if asked("races") {
            let raced = races::raced(kind, depth.rounds(), None, None);
            raced.into_iter().for_each(&mut add);
        }
        if asked("clocks") {
            add(walk::walked(kind, depth.rounds()));
        }
        if asked("crashes") {
            add(crash::killed(kind, depth, None));
        }
        if asked("faults") {
            add(crash::failing(kind, None));
        }
        if asked("outages") {
            outages::all(kind, depth, &mut add);
        }
    }
    let bites = if asked("bites") {
        bites::all(kinds)
    } else {
        Vec::new()
    };
    if as_json {
        let table: Vec<_> = lines.iter().map(Line::json).collect();
        let bites: Vec<_> = bites.iter().map(bites::Bite::json).collect();
        say(&json!({ "scenarios": table, "bites": bites }).to_string());
    } else {
        if !bites.is_empty() {
            say(&bites::head());
        }
        bites.iter().for_each(|bite| say(&bite.row()));
    }
    let held = lines.iter().all(|line| line.violations() == 0);
    let bitten = bites.iter().all(bites::Bite::bit);
    if held && bitten {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Where the proof itself waits for stores.
pub(crate) fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().expect("a runtime"))
}

/// A line on standard output, at once.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .expect("standard output");
}

/// Words for people, on standard error.
fn tell(words: &str) {
    let told = writeln!(std::io::stderr().lock(), "{}", words.trim_end());
    told.expect("standard error");
}
