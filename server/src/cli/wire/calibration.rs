//! What `calibrate --json` prints.

use serde::Serialize;

/// What was measured, what is proposed, what guessing costs.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Calibration {
    /// Which code hashes here.
    pub(in crate::cli) code: &'static str,
    pub(in crate::cli) workers: usize,
    /// Wanted, for all workers together.
    pub(in crate::cli) memory_kib: u32,
    /// Wanted, for one hash.
    pub(in crate::cli) time_ms: f64,
    pub(in crate::cli) in_use: CalibrationRow,
    pub(in crate::cli) possible: Vec<CalibrationRow>,
    pub(in crate::cli) proposed: CalibrationRow,
    /// Whether what is proposed keeps to the wanted time.
    pub(in crate::cli) in_time: bool,
    pub(in crate::cli) attack: Attack,
}

/// Parameters, and what they cost with all workers busy.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct CalibrationRow {
    pub(in crate::cli) memory_kib: u32,
    pub(in crate::cli) passes: u32,
    pub(in crate::cli) lanes: u32,
    pub(in crate::cli) milliseconds: f64,
    pub(in crate::cli) hashes_a_second: f64,
    pub(in crate::cli) memory_of_all_kib: u64,
}

/// What guessing one code costs, at what is in use.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Attack {
    pub(in crate::cli) core_seconds: f64,
    pub(in crate::cli) core_hour_price: f64,
    /// Without the keyring, its key must be guessed too.
    pub(in crate::cli) key_bits: i32,
    /// With it, so many bits of each guess are checked without a slow hash.
    pub(in crate::cli) locator_bits: i32,
    /// With the database and the keyring.
    pub(in crate::cli) codes: Vec<AttackCost>,
    /// A graphics card that moves 1 TB a second.
    pub(in crate::cli) card_hashes_a_second: f64,
    pub(in crate::cli) card_is_worth_cores: f64,
}

/// One strength of code.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct AttackCost {
    pub(in crate::cli) what: &'static str,
    pub(in crate::cli) bits: i32,
    pub(in crate::cli) guesses: f64,
    pub(in crate::cli) slow_hashes: f64,
    pub(in crate::cli) core_hours: f64,
    pub(in crate::cli) price: f64,
}
