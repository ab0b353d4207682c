//! The proof of the proof: with a guard taken out of the statements it must find violations.

use serde_json::{Value, json};

use crate::crash;
use crate::ground::Kind;
use crate::races;

/// A guard, and who must miss it.
struct Guard {
    text: [&'static str; 2],
    /// The race that needs it; `None`: what happens when a statement fails.
    race: Option<&'static str>,
    stores: &'static [Kind],
}

const GUARDS: [Guard; 6] = [
    Guard {
        text: ["AND used_at IS NULL"; 2],
        race: Some("redeem × redeem"),
        stores: &Kind::BOTH,
    },
    Guard {
        text: [
            "AND last_generation = ?2 - 1",
            "AND last_generation = $2 - 1::bigint",
        ],
        race: Some("regenerate × regenerate"),
        stores: &Kind::BOTH,
    },
    Guard {
        text: ["AND spent_at IS NULL"; 2],
        race: Some("a code × a password of one challenge"),
        stores: &Kind::BOTH,
    },
    Guard {
        text: ["AND last_step < ?3", "AND last_step < $3"],
        race: Some("one time step × itself"),
        stores: &Kind::BOTH,
    },
    Guard {
        text: ["", "FOR NO KEY UPDATE"],
        race: Some("remove factor × regenerate"),
        stores: &[Kind::Postgres],
    },
    Guard {
        text: ["ROLLBACK TO job", ""],
        race: None,
        stores: &[Kind::Sqlite],
    },
];

/// The most rounds in which a race must miss its guard.
const ROUNDS: usize = 60;

/// What came of taking one guard away.
pub(crate) struct Bite {
    text: &'static str,
    scenario: &'static str,
    store: &'static str,
    violations: u64,
}

/// Takes each guard away.
pub(crate) fn all(kinds: &[Kind]) -> Vec<Bite> {
    let mut bites = Vec::new();
    for guard in GUARDS {
        for kind in guard.stores.iter().filter(|kind| kinds.contains(kind)) {
            let text = guard.text[usize::from(*kind == Kind::Postgres)];
            let violations = match guard.race {
                Some(race) => races::raced(*kind, ROUNDS, Some(text), Some(race))
                    .iter()
                    .map(crate::table::Line::violations)
                    .sum(),
                None => crash::failing(*kind, Some(text)).violations(),
            };
            bites.push(Bite {
                text,
                scenario: guard.race.unwrap_or("each statement fails"),
                store: kind.name(),
                violations,
            });
        }
    }
    bites
}

impl Bite {
    /// Whether the guard was missed.
    pub(crate) fn bit(&self) -> bool {
        self.violations > 0
    }

    pub(crate) fn row(&self) -> String {
        format!(
            "| {:<36} | {:<36} | {:<10} | {:>10} |",
            self.text, self.scenario, self.store, self.violations
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "without": self.text,
            "scenario": self.scenario,
            "store": self.store,
            "violations": self.violations,
        })
    }
}

/// The head of their table.
pub(crate) fn head() -> String {
    format!(
        "\nWith a guard taken out, there must be violations:\n\n| {:<36} | {:<36} | {:<10} | {:>10} |\n| {} | {} | {} | {}: |",
        "without",
        "scenario",
        "store",
        "violations",
        "-".repeat(36),
        "-".repeat(36),
        "-".repeat(10),
        "-".repeat(9),
    )
}
