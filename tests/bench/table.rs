//! The table: what was measured, what is wanted, whether it held, what limits it.

use std::process::{Command, ExitCode};

use serde_json::{Value, json};

use crate::{Depth, say};

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: &'static str,
    /// What was measured, on which store, under closed or open load.
    pub(crate) what: String,
    /// The median and the spread, in words.
    pub(crate) measured: String,
    /// The figure that is judged.
    pub(crate) figure: f64,
    /// What is wanted, in words.
    pub(crate) wanted: String,
    /// `None`: nothing is wanted, it is there to be read.
    pub(crate) held: Option<bool>,
    /// What it comes from.
    pub(crate) limit: String,
}

impl Row {
    pub(crate) fn new(id: &'static str, what: impl Into<String>) -> Self {
        Self {
            id,
            what: what.into(),
            measured: String::new(),
            figure: f64::NAN,
            wanted: String::new(),
            held: None,
            limit: String::new(),
        }
    }

    pub(crate) fn figure(mut self, figure: f64, measured: impl Into<String>) -> Self {
        self.figure = figure;
        self.measured = measured.into();
        self
    }

    pub(crate) fn at_least(mut self, least: f64) -> Self {
        self.wanted = format!("≥ {least}");
        self.held = Some(self.figure >= least);
        self
    }

    pub(crate) fn at_most(mut self, most: f64) -> Self {
        self.wanted = format!("≤ {most}");
        self.held = Some(self.figure <= most);
        self
    }

    pub(crate) fn between(mut self, least: f64, most: f64) -> Self {
        self.wanted = format!("{least} to {most}");
        self.held = Some((least..=most).contains(&self.figure));
        self
    }

    /// One thing more that must be so.
    pub(crate) fn and(mut self, wanted: &str, held: bool) -> Self {
        self.wanted = match self.wanted.as_str() {
            "" => wanted.to_owned(),
            before => format!("{before}; {wanted}"),
        };
        self.held = Some(self.held.unwrap_or(true) && held);
        self
    }

    pub(crate) fn limited_by(mut self, limit: impl Into<String>) -> Self {
        self.limit = limit.into();
        self
    }

    fn markdown(&self, depth: Depth) -> String {
        let held = match (self.held, depth) {
            (None, _) | (_, Depth::Short) => "–",
            (Some(true), _) => "yes",
            (Some(false), _) => "**no**",
        };
        format!(
            "| {} | {} | {} | {} | {held} | {} |",
            self.id, self.what, self.measured, self.wanted, self.limit
        )
    }

    fn json(&self, depth: Depth) -> Value {
        json!({
            "id": self.id,
            "what": self.what,
            "measured": self.measured,
            "figure": self.figure,
            "wanted": self.wanted,
            "held": self.held.filter(|_| depth == Depth::Full),
            "limit": self.limit,
        })
    }
}

/// All of them, printed as they come.
pub(crate) struct Table {
    depth: Depth,
    as_json: bool,
    rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(depth: Depth, as_json: bool) -> Self {
        if !as_json {
            let short = if depth == Depth::Short {
                " Short form: one small round each, nothing is judged."
            } else {
                ""
            };
            say(&format!("{}{short}\n", surroundings()));
            say("| | what | measured: median (least to most) | wanted | held | what limits it |");
            say("|---|---|---|---|---|---|");
        }
        Self {
            depth,
            as_json,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, row: Row) {
        if !self.as_json {
            say(&row.markdown(self.depth));
        }
        self.rows.push(row);
    }

    /// What did not hold is in the table; the exit status tells only whether every figure came
    /// about.
    pub(crate) fn end(self) -> ExitCode {
        if self.as_json {
            let rows: Vec<_> = self.rows.iter().map(|row| row.json(self.depth)).collect();
            say(&json!({ "surroundings": surroundings(), "rows": rows }).to_string());
        }
        let missing: Vec<_> = self.rows.iter().filter(|row| row.figure.is_nan()).collect();
        for row in &missing {
            crate::tell(&format!("{}: no figure came about: {}", row.id, row.what));
        }
        if missing.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// What the figures depend on: the processor, the versions, the commit, the build.
fn surroundings() -> String {
    let first = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        text.lines().next().map(str::to_owned)
    };
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown processor", |(_, name)| name)
        .to_owned();
    let commit = first("git", &["describe", "--always", "--dirty", "--abbrev=10"]);
    let build = if cfg!(debug_assertions) {
        "debug build"
    } else {
        "release build"
    };
    let postgres = crate::ground::postgres_version().unwrap_or_else(|| "no PostgreSQL".to_owned());
    format!(
        "Commit {}, {build}; {} × {processor}; {}; SQLite {}; {postgres}; Argon2id 19456 KiB, t=2, \
         p=1 where not marked cheap (8 KiB, t=1).",
        commit.as_deref().unwrap_or("unknown"),
        crate::servers::cores(),
        first("rustc", &["--version"])
            .as_deref()
            .unwrap_or("rustc unknown"),
        rusqlite::version(),
    )
}
