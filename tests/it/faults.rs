//! A process that is asked to stop, and databases that take no more: nothing is answered with
//! success that did not happen, and nothing is charged.

use std::thread;

use rusqlite::Connection;
use spare_key_tests::process::{Http, Place, until};

const WHO: &str = "somebody";

/// Jobs that the pool has let in.
const ADMITTED: &str = r#"spare_key_pool_admitted{lane="codes"}"#;

/// Waits until a redemption is under way.
fn under_way(http: Http) {
    until("a redemption under way", || {
        http.figure(ADMITTED).filter(|admitted| *admitted > 0)
    });
}

/// Another process that holds the database's lock.
fn lock(place: &Place) -> Connection {
    let db = Connection::open(place.database()).expect("the database");
    db.execute_batch("BEGIN EXCLUSIVE").expect("its lock");
    db
}

#[test]
fn a_redemption_under_way_is_answered_after_sigterm() {
    let place = Place::default();
    let server = place.dev();
    let host = server.host();
    let (_, codes) = host.issue(WHO);
    let lock = lock(&place);
    thread::scope(|scope| {
        let redemption = scope.spawn(|| host.redeem(WHO, &codes[0]));
        under_way(server.http());
        server.terminate();
        until("the server to take notice", || {
            server.log().contains("stopping").then_some(())
        });
        // The redemption waits for this lock, and so it was under way all the time.
        lock.execute_batch("ROLLBACK").expect("a release");
        let answer = redemption.join().expect("a thread").expect("an answer");
        assert_eq!(answer.expect(200).json()["remaining"], 9);
    });
    let ended = server.wait();
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    let server = place.dev();
    assert_eq!(server.host().status(WHO).json()["remaining"], 9);
}

/// Row A-48.
#[test]
fn a_database_that_cannot_be_written_gives_no_success_and_costs_nothing() {
    let place = Place::default();
    let server = place.dev();
    let host = server.host();
    let (generation, codes) = host.issue(WHO);
    let before = host.status(WHO).json();
    let lock = lock(&place);
    thread::scope(|scope| {
        // More than one at a time: the writing thread's wait is one for all.
        let asked = [
            scope.spawn(|| host.redeem(WHO, &codes[0])),
            scope.spawn(|| host.redeem(WHO, &codes[1])),
            scope.spawn(|| host.stage(WHO)),
        ];
        for asked in asked {
            let answer = asked.join().expect("a thread").expect("an answer");
            assert!(answer.status >= 500, "{}", answer.text());
            let json = answer.json();
            assert_eq!(json["status"], answer.status);
            assert!(answer.codes().is_empty());
        }
    });
    lock.execute_batch("ROLLBACK").expect("a release");
    assert_eq!(host.status(WHO).json(), before);
    for code in &codes[..2] {
        let answer = host.redeem(WHO, code).expect("an answer").expect(200);
        assert_eq!(answer.generation(), generation);
    }
    // Said once each, and with the cause.
    let log = server.log();
    assert!(log.contains("locked"), "{log}");
}

/// Rows C7, A-48.
#[test]
fn a_full_disk_gives_no_success_and_spends_no_code() {
    let place = Place::default();
    let server = place.dev();
    let (_, codes) = server.host().issue(WHO);
    server.terminate();
    server.wait();

    let server = place.dev_with_room_for(96);
    let host = server.host();
    let answers: Vec<_> = codes
        .iter()
        .map(|code| host.redeem(WHO, code).expect("an answer").status)
        .collect();
    assert!(
        answers
            .iter()
            .all(|status| *status == 200 || *status >= 500)
    );
    assert!(
        answers.contains(&200),
        "there was room for none: {answers:?}"
    );
    let failed = answers.iter().filter(|status| **status >= 500).count();
    assert!(failed > 1, "there was room for all: {answers:?}");
    server.kill();

    let server = place.dev();
    let host = server.host();
    let status = host.status(WHO).json();
    assert_eq!(status["remaining"], failed, "{status}");
    // Where there was no room to take a charge back either, it stands. A success clears it, so
    // those that are good still go first.
    for (code, before) in codes.iter().zip(answers).rev() {
        let again = host.redeem(WHO, code).expect("an answer").status;
        assert_eq!(again, if before == 200 { 403 } else { 200 });
    }
}
