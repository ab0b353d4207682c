//! A process that dies at a statement, and a statement that fails.
//!
//! Every deed is one transaction: whatever happens to its process or to one of its statements, the
//! database holds afterwards what it held before the deed or what it holds after it, and nothing
//! between, and the deed can be done. Rows C6, C7, C9, C10.
//! Row A-34.

use crate::child::{self, Plan};
use crate::deeds::{self, DEEDS, Deed};
use crate::ground::{Ground, Kind, Rows};
use crate::table::Line;
use crate::{Depth, runtime};

/// How one deed goes when nothing comes between.
struct Course {
    statements: Vec<String>,
    outcome: Option<Result<String, String>>,
    before: Rows,
    after: Rows,
}

/// Something that has gone on, ready to be done again.
struct Stage<'a> {
    kind: Kind,
    full: &'a Ground,
    without: Option<&'a str>,
}

/// A database with everything in it, closed.
pub(crate) fn full(kind: Kind) -> Ground {
    let ground = Ground::new(kind);
    runtime().block_on(async { deeds::prepare(&*ground.open()).await });
    ground
}

/// `kill -9` before and after each statement of each deed.
pub(crate) fn killed(kind: Kind, depth: Depth, without: Option<&str>) -> Line {
    let mut line = Line::new("killed at each statement", kind);
    over_all(&mut line, kind, without, |stage, deed, course, line| {
        stage.kill_everywhere(deed, course, depth, line);
    });
    line
}

/// Each statement of each deed fails.
pub(crate) fn failing(kind: Kind, without: Option<&str>) -> Line {
    let mut line = Line::new("each statement fails", kind);
    over_all(&mut line, kind, without, |stage, deed, course, line| {
        stage.break_everywhere(deed, course, line);
    });
    line
}

fn over_all(
    line: &mut Line,
    kind: Kind,
    without: Option<&str>,
    each: impl Fn(&Stage<'_>, &Deed, &Course, &mut Line),
) {
    for method in deeds::missing() {
        line.broken(format!("no deed tries `{method}`"));
    }
    let full = full(kind);
    let stage = Stage {
        kind,
        full: &full,
        without,
    };
    for deed in DEEDS {
        let course = stage.course(deed);
        if !matches!(course.outcome, Some(Ok(_))) || course.before == course.after {
            line.broken(format!("{}: did nothing: {:?}", deed.name, course.outcome));
            continue;
        }
        each(&stage, deed, &course, line);
    }
}

impl Stage<'_> {
    fn course(&self, deed: &Deed) -> Course {
        let ground = self.full.copy();
        let before = ground.rows();
        let done = child::deed(&ground.address(), deed.name, Plan::Watch, self.without);
        Course {
            statements: done.statements,
            outcome: done.outcome,
            before,
            after: ground.rows(),
        }
    }

    fn kill_everywhere(&self, deed: &Deed, course: &Course, depth: Depth, line: &mut Line) {
        let mut ground = self.full.copy();
        let mut fresh = true;
        for at in 0..course.statements.len() * 2 {
            let which = format!("{}, killed {}", deed.name, place(course, at));
            let mut rows = self.killed_at(&ground, deed, at, line);
            if rows != course.before && !fresh {
                // What a counter has counted stays counted: only on a fresh copy are the numbers
                // those of the undisturbed course.
                ground = self.full.copy();
                rows = self.killed_at(&ground, deed, at, line);
            }
            fresh = false;
            line.runs += 1;
            let unchanged = rows == course.before;
            if deed.whole && !unchanged && rows != course.after {
                line.broken(format!(
                    "{which}: neither as before nor as after: {}",
                    differing(course, &rows)
                ));
            }
            for broken in ground.violations() {
                line.broken(format!("{which}: {broken}"));
            }
            let last = at + 1 == course.statements.len() * 2;
            if !unchanged || last || depth == Depth::Long {
                self.go_on(&ground, deed, &which, unchanged.then_some(course), line);
                ground = self.full.copy();
                fresh = true;
            }
        }
    }

    fn killed_at(&self, ground: &Ground, deed: &Deed, at: usize, line: &mut Line) -> Rows {
        line.faults += 1;
        let done = child::deed(&ground.address(), deed.name, Plan::Stop(at), self.without);
        if done.outcome.is_some() {
            line.broken(format!("{}: did not come by boundary {at}", deed.name));
        }
        ground.rows()
    }

    /// Another process opens what is left, and the deed can be done, or was.
    fn go_on(
        &self,
        ground: &Ground,
        deed: &Deed,
        which: &str,
        as_before: Option<&Course>,
        line: &mut Line,
    ) {
        let store = ground.open();
        let outcome = runtime().block_on((deed.act)(store));
        let expected = as_before.and_then(|course| course.outcome.clone());
        let as_expected = match &expected {
            Some(Ok(words)) => outcome
                .as_ref()
                .is_ok_and(|told| numberless(told) == numberless(words)),
            // What is drawn for one deed, such as a challenge's name, comes a second time only here.
            _ => outcome
                .as_ref()
                .map_or_else(|why| stored_twice(why), |_| true),
        };
        if deed.whole && !as_expected {
            line.broken(format!("{which}, then done again: {outcome:?}"));
        }
        for broken in ground.violations() {
            line.broken(format!("{which}, then done again: {broken}"));
        }
    }

    fn break_everywhere(&self, deed: &Deed, course: &Course, line: &mut Line) {
        let mut ground = self.full.copy();
        for (number, statement) in course.statements.iter().enumerate() {
            // PostgreSQL's driver commits by itself; connections that are cut are tried elsewhere.
            if self.kind == Kind::Postgres && statement == "COMMIT" {
                continue;
            }
            if !deed.whole {
                ground = self.full.copy();
            }
            line.runs += 1;
            line.faults += 1;
            let which = format!("{}, `{statement}` fails", deed.name);
            let plan = Plan::Break(number);
            let done = child::deed(&ground.address(), deed.name, plan, self.without);
            if !matches!(done.outcome, Some(Err(_))) {
                line.broken(format!("{which}: told {:?}", done.outcome));
            }
            let rows = ground.rows();
            if deed.whole && rows != course.before {
                line.broken(format!("{which}: {}", differing(course, &rows)));
                return;
            }
            for broken in ground.violations() {
                line.broken(format!("{which}: {broken}"));
            }
        }
        self.go_on(&ground, deed, deed.name, Some(course), line);
    }
}

fn place(course: &Course, at: usize) -> String {
    let side = if at.is_multiple_of(2) {
        "before"
    } else {
        "after"
    };
    let statement = course.statements.get(at / 2);
    format!("{side} `{}`", statement.map_or("?", String::as_str))
}

fn stored_twice(why: &str) -> bool {
    ["UNIQUE constraint failed", "SQLSTATE 23505"]
        .iter()
        .any(|word| why.contains(word))
}

/// Numbers that a counter gives are others after a try that was undone.
fn numberless(words: &str) -> String {
    words
        .chars()
        .filter(|sign| !sign.is_ascii_digit())
        .collect()
}

/// The tables that are neither as before nor as after.
fn differing(course: &Course, rows: &Rows) -> String {
    let of = |all: &Rows, table: &String| all.get(table).cloned();
    let tables: Vec<_> = course
        .before
        .keys()
        .chain(course.after.keys())
        .filter(|table| {
            of(rows, table) != of(&course.before, table)
                || of(rows, table) != of(&course.after, table)
        })
        .map(String::as_str)
        .collect();
    tables.join(", ")
}
