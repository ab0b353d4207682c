//! What a slow hash costs is an operator's to say, and nobody's codes hang on it.

use std::process::Command;

use rusqlite::Connection;
use spare_key_tests::process::{Place, spare_key_binary};

/// Memory and passes of each list, in the order in which they were made.
fn costs(place: &Place) -> Vec<(u32, u32)> {
    let db = Connection::open(place.database()).expect("the file");
    let mut read = db
        .prepare("SELECT memory_kib, passes FROM batch ORDER BY account_n, generation")
        .expect("a statement");
    let rows = read.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

#[test]
fn codes_made_at_one_cost_redeem_when_the_server_has_another() {
    let place = Place::default();
    let before = place.dev();
    let (_, old) = before.host().issue("alice");
    before.terminate();
    before.wait();
    let after = place.start(&[
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--hash-cost",
        "m=7168,t=5,p=1",
    ]);
    let (_, new) = after.host().issue("bob");
    assert_eq!(costs(&place), [(19_456, 2), (7_168, 5)]);
    for (account, code) in [("alice", &old[0]), ("bob", &new[0])] {
        let redeemed = after.host().redeem(account, code).expect("an answer");
        assert_eq!(redeemed.expect(200).json()["remaining"], 9, "{account}");
    }
    after.terminate();
    after.wait();
    let again = place.dev();
    let redeemed = again.host().redeem("bob", &new[1]).expect("an answer");
    assert_eq!(redeemed.expect(200).json()["remaining"], 8);
}

#[test]
fn a_cost_below_owasps_floor_is_refused_with_what_would_do() {
    let place = Place::default();
    let refused = Command::new(spare_key_binary())
        .args(["dev", "--hash-cost", "m=4096,t=3,p=1"])
        .current_dir(place.path("."))
        .output()
        .expect("the binary");
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("m=12288,t=3"), "{said}");
    assert!(!place.data().exists());
}
