//! `calibrate`: what it measures and says. How long anything took is nobody's promise here.

use crate::support::Place;

/// The least that it takes, so that the tests are short.
const LEAST: [&str; 7] = [
    "calibrate",
    "--time",
    "1ms",
    "--memory",
    "20MiB",
    "--workers",
    "2",
];

#[test]
fn what_is_proposed_is_within_the_memory_and_never_below_a_floor() {
    let place = Place::new();
    let answer = place
        .run(&[LEAST.as_slice(), &["--json"]].concat())
        .done()
        .json();
    // Two have no room at 19 MiB each.
    assert_eq!(answer["workers"], 1);
    assert_eq!(answer["in_use"]["memory_kib"], 19_456);
    assert_eq!(answer["in_use"]["passes"], 2);
    let floors = [47_104, 19_456, 12_288, 9_216, 7_168];
    let mut rows = answer["possible"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 4, "one pass needs 46 MiB");
    rows.push(answer["proposed"].clone());
    for row in rows {
        let passes = usize::try_from(row["passes"].as_u64().unwrap()).unwrap();
        let memory = row["memory_kib"].as_u64().unwrap();
        assert!((floors[passes - 1]..=20_480).contains(&memory), "{row}");
        assert!(row["hashes_a_second"].as_f64().unwrap() > 0.0, "{row}");
    }
}

#[test]
fn the_cost_of_guessing_is_shown_with_its_arithmetic() {
    let place = Place::new();
    let dear = [LEAST.as_slice(), &["--core-hour-price", "0.5"]].concat();
    let said = place.run(&dear).done().stdout;
    for part in [
        "PARAMETERS",
        "in use",
        "proposed",
        "To use what is proposed: --workers 1 --hash-cost m=",
        "2^255 hashes",
        "2^58 slow hashes",
        "2^47 slow hashes",
        "2^15 slow hashes",
        "× 0.5 =",
        "graphics card",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_time_a_size_or_a_price_that_is_none_is_wrong_usage() {
    let place = Place::new();
    for wrong in [
        ["--time", "50"],
        ["--memory", "512"],
        ["--core-hour-price", "0"],
        ["--memory", "8MiB"],
    ] {
        place.run(&["calibrate", wrong[0], wrong[1]]).wrong_usage();
    }
}
