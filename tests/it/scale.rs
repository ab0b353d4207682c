//! The arithmetic of `web/docs/scale.md`, done again from its assumptions.

use std::fs;
use std::path::Path;

const ACCOUNTS: u64 = 100_000_000;

/// The rows below a header that begins like this: each cell's first number.
fn table(header: &str) -> Vec<Vec<u64>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/docs/scale.md");
    let text = fs::read_to_string(file).expect("the guide");
    let lines = text.lines().skip_while(|line| !line.starts_with(header));
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    let rows: Vec<_> = rows.map(cells).collect();
    assert!(!rows.is_empty(), "no table {header}");
    rows
}

fn cells(row: &str) -> Vec<u64> {
    let number = |cell: &str| {
        let digits = cell.trim().replace(',', "");
        let end = digits.find(|c: char| !c.is_ascii_digit());
        digits[..end.unwrap_or(digits.len())].parse().ok()
    };
    let cells = row.trim_matches('|').split('|');
    cells.filter_map(number).collect()
}

/// Rounded up, at 7 tenths of the time.
fn cores(attempts: u64, milliseconds: u64) -> u64 {
    (attempts * milliseconds).div_ceil(700)
}

#[test]
fn the_cores_follow_from_the_attempts() {
    for row in table("| attempts a second | cores") {
        let [attempts, vector, portable, memory] = row[..] else {
            panic!("{row:?}");
        };
        assert_eq!(vector, cores(attempts, 20));
        assert_eq!(portable, cores(attempts, 35));
        assert_eq!(memory, vector * 19);
    }
}

#[test]
fn another_cost_follows_from_memory_and_passes() {
    for row in table("| memory | passes |") {
        let [memory, passes, time, needed, pool] = row[..] else {
            panic!("{row:?}");
        };
        // From 20 ms for 19 MiB and 2 passes; the cores from what is not rounded yet.
        assert_eq!(time, (20 * memory * passes + 19) / 38);
        assert_eq!(needed, (1_000 * 20 * memory * passes).div_ceil(38 * 700));
        assert_eq!(pool, needed * memory);
    }
}

#[test]
fn the_tables_sum_up_to_what_is_said_of_all() {
    let rows = table("| | SQLite | PostgreSQL |");
    let [parts @ .., each, all] = &rows[..] else {
        panic!("{rows:?}");
    };
    for store in [0, 1] {
        let sum: u64 = parts.iter().map(|part| part[store]).sum();
        assert_eq!(each[store], sum);
        let gigabytes = (sum * ACCOUNTS + 500_000_000) / 1_000_000_000;
        assert_eq!(all[store], gigabytes);
    }
}
