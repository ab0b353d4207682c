//! The processes that do the deeds: this program once more, told what to do by its arguments.
//!
//! A process that is told to stop at a statement says so and waits there until it is killed, so
//! that what is left is what `kill -9` leaves at that very place.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use spare_key_server::store::failpoint::{self, Moment};

use crate::deeds::DEEDS;
use crate::ground::open;
use crate::{races, say};

/// What a process does at the statements that it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Nothing: it tells of each.
    Watch,
    /// It stops at this boundary, counted from 0; each statement has two.
    Stop(usize),
    /// It runs nonsense in the place of this statement, counted from 0.
    Break(usize),
}

/// Whatever is taken out of every statement, to show that the proof bites.
const WITHOUT: &str = "SPARE_KEY_PROOF_WITHOUT";

/// The first argument of such a process.
pub(crate) const ROLE: &str = "--as-child";

/// A process under way.
pub(crate) struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Option<ChildStdin>,
}

impl Process {
    /// Starts one with these arguments, after `wrapper` if there is one.
    pub(crate) fn start(wrapper: &[&str], args: &[&str], without: Option<&str>) -> Self {
        let program = std::env::current_exe().expect("this program's own path");
        let mut command = match wrapper {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        let mut child = command
            .arg(ROLE)
            .args(args)
            .env(WITHOUT, without.unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let out = child.stdout.take().expect("its standard output");
        Self {
            lines: BufReader::new(out).lines(),
            said: child.stdin.take(),
            child,
        }
    }

    /// Its next line; `None` when it has ended.
    pub(crate) fn line(&mut self) -> Option<String> {
        self.lines.next().map(|line| line.expect("text"))
    }

    /// Tells it something.
    pub(crate) fn tell(&mut self, line: &str) {
        let to = self.said.as_mut().expect("its standard input");
        writeln!(to, "{line}")
            .and_then(|()| to.flush())
            .expect("it listens");
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) {
        drop(self.said.take());
        self.child.wait().expect("it ends");
    }
}

/// One process that did one deed, or was killed in the middle of it.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// The statements it ran, each by its first words.
    pub(crate) statements: Vec<String>,
    /// What came of it; `None`: it was killed, or ended by itself.
    pub(crate) outcome: Option<Result<String, String>>,
}

/// Has a process of its own do a deed.
pub(crate) fn deed(address: &str, name: &str, plan: Plan, without: Option<&str>) -> Done {
    let (how, at) = match plan {
        Plan::Watch => ("watch", 0),
        Plan::Stop(at) => ("stop", at),
        Plan::Break(at) => ("break", at),
    };
    let args = ["deed", address, name, how, &at.to_string()];
    let mut process = Process::start(&[], &args, without);
    let mut done = Done::default();
    while let Some(line) = process.line() {
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("stopped", _) => {
                process.kill();
                return done;
            }
            ("statement", words) => done.statements.push(words.to_owned()),
            ("well", outcome) => done.outcome = Some(Ok(outcome.to_owned())),
            ("broken", why) => done.outcome = Some(Err(why.to_owned())),
            _ => {}
        }
    }
    process.wait();
    done
}

/// What a process does that was started by [`Process::start`].
pub(crate) fn main(args: &[String]) {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match args[..] {
        ["deed", address, name, how, at] => {
            let at = at.parse().expect("a number");
            let plan = match how {
                "stop" => Plan::Stop(at),
                "break" => Plan::Break(at),
                _ => Plan::Watch,
            };
            runtime.block_on(one_deed(address, name, plan));
        }
        ["racer", address, ip] => {
            watch(Plan::Break(usize::MAX));
            runtime.block_on(races::racer(address, ip));
        }
        _ => panic!("no such role: {args:?}"),
    }
}

async fn one_deed(address: &str, name: &str, plan: Plan) {
    let deed = DEEDS.iter().find(|deed| deed.name == name).expect("a deed");
    let store = open(address);
    watch(plan);
    match (deed.act)(store).await {
        Ok(outcome) => say(&format!("well {outcome}")),
        Err(why) => say(&format!("broken {why}")),
    }
}

/// Looks at every statement from now on.
fn watch(plan: Plan) {
    let without = std::env::var(WITHOUT).unwrap_or_default();
    let (boundary, statement) = (AtomicUsize::new(0), AtomicUsize::new(0));
    failpoint::watch(move |moment, sql| {
        let here = boundary.fetch_add(1, Ordering::SeqCst);
        if plan == Plan::Stop(here) {
            say("stopped");
            loop {
                std::thread::park();
            }
        }
        if moment == Moment::After {
            return None;
        }
        let number = statement.fetch_add(1, Ordering::SeqCst);
        if plan == Plan::Watch {
            let words: Vec<&str> = sql.split_whitespace().take(3).collect();
            say(&format!("statement {}", words.join(" ")));
        }
        if plan == Plan::Break(number) {
            return Some("nothing that a database understands".to_owned());
        }
        (!without.is_empty() && sql.contains(&without)).then(|| stripped(sql, &without))
    });
}

/// The statement without this; a statement of nothing but this becomes one that does nothing.
fn stripped(sql: &str, without: &str) -> String {
    let rest = sql.replace(without, "");
    if rest.trim().is_empty() {
        "SELECT 1 WHERE 0 = 1".to_owned()
    } else {
        rest
    }
}
