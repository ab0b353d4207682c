//! What a run has found, a line a scenario and store.

use serde_json::{Value, json};

use crate::ground::Kind;

/// How many violations are told in words.
const TOLD: usize = 5;

/// How many characters of one.
const LONGEST: usize = 300;

/// One scenario over one store.
pub(crate) struct Line {
    pub(crate) scenario: String,
    pub(crate) store: &'static str,
    /// How often it was gone through.
    pub(crate) runs: u64,
    /// Processes killed, statements and connections broken, clocks set, processes that raced.
    pub(crate) faults: u64,
    violations: u64,
    words: Vec<String>,
}

impl Line {
    pub(crate) fn new(scenario: &str, kind: Kind) -> Self {
        Self {
            scenario: scenario.to_owned(),
            store: kind.name(),
            runs: 0,
            faults: 0,
            violations: 0,
            words: Vec::new(),
        }
    }

    /// Notes a violation.
    pub(crate) fn broken(&mut self, what: impl AsRef<str>) {
        self.violations += 1;
        if self.words.len() < TOLD {
            self.words
                .push(what.as_ref().chars().take(LONGEST).collect());
        }
    }

    pub(crate) fn violations(&self) -> u64 {
        self.violations
    }

    /// The violations that are told, a line each.
    pub(crate) fn words(&self) -> String {
        let told = self.words.iter().map(|word| format!("  {word}\n"));
        let more = self.violations.saturating_sub(self.words.len() as u64);
        let rest = (more > 0).then(|| format!("  … and {more} more\n"));
        told.chain(rest).collect()
    }

    pub(crate) fn row(&self) -> String {
        format!(
            "| {:<46} | {:<10} | {:>7} | {:>7} | {:>10} |",
            self.scenario, self.store, self.runs, self.faults, self.violations
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "scenario": self.scenario,
            "store": self.store,
            "runs": self.runs,
            "faults": self.faults,
            "violations": self.violations,
        })
    }
}

/// The table's head.
pub(crate) fn head() -> String {
    let rule = |width: usize| "-".repeat(width);
    format!(
        "| {:<46} | {:<10} | {:>7} | {:>7} | {:>10} |\n| {} | {} | {}: | {}: | {}: |",
        "scenario",
        "store",
        "runs",
        "faults",
        "violations",
        rule(46),
        rule(10),
        rule(6),
        rule(6),
        rule(9),
    )
}
