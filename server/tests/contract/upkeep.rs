//! Upkeep.

use spare_key_server::model::{Generation, Millis};
use spare_key_server::store::{LATE_COMERS, NewIdempotency, Staged};

use super::Fixture;
use super::sample::{self, T0, TEN_MINUTES, after, id, token};

pub(crate) async fn the_store_answers(db: impl Fixture) {
    db.left().ping().await.unwrap();
    db.right().ping().await.unwrap();
}

/// Rows O5, A-104.
pub(crate) async fn a_sweep_erases_what_has_run_out_and_nothing_else(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let (bob, carol) = (id("bob"), id("carol"));
    sample::has_live(&*store, &bob, 1).await;
    sample::has_pending(&*store, &bob, 2).await;
    let mut keyed = sample::at_once(&carol, 1);
    keyed.idempotency = Some(NewIdempotency {
        key: token("key"),
        request: token("r"),
        until: after(TEN_MINUTES),
    });
    store.stage(keyed).await.unwrap();
    sample::has_session(&*store, &alice, "cookie").await;
    sample::has_challenge(&*store, &alice, "open").await;
    store
        .begin_totp(sample::totp(&alice, "pending"))
        .await
        .unwrap();

    let just_before = after(TEN_MINUTES).plus(Millis(-1));
    assert_eq!(store.sweep(just_before).await.unwrap(), 0);
    assert!(
        store
            .shown(&bob, None, None, just_before)
            .await
            .unwrap()
            .is_some()
    );

    assert!(store.sweep(after(TEN_MINUTES)).await.unwrap() > 0);
    assert_eq!(
        store.sweep(after(TEN_MINUTES)).await.unwrap(),
        0,
        "a sweep is done when it ends"
    );
    // Asked as of the start: what is missing is missing because it was erased.
    let store = db.right();
    assert_eq!(store.shown(&bob, None, None, T0).await.unwrap(), None);
    assert_eq!(store.status(&bob, T0).await.unwrap().pending, None);
    assert_eq!(
        store
            .shown(&carol, Some(Generation(1)), None, T0)
            .await
            .unwrap(),
        None
    );
    assert_eq!(store.idempotency(&token("key"), T0).await.unwrap(), None);
    assert_eq!(
        store
            .pending_totp(&alice, &token("holder"), T0)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        db.rows()["code"],
        20,
        "the pending batch's codes are gone, the live ones are not"
    );
    assert_eq!(db.rows()["batch"], 3, "ended batches stay on record");
    assert!(
        store
            .session(&token("cookie"), T0, T0)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(store.authenticators(&alice).await.unwrap().len(), 1);

    let end = after(Millis::minutes(60));
    assert_eq!(store.sweep(end).await.unwrap(), 1);
    assert_eq!(store.session(&token("cookie"), T0, T0).await.unwrap(), None);
}

pub(crate) async fn a_challenge_is_remembered_for_late_comers(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    for name in ["open", "spent"] {
        sample::has_challenge(&*store, &alice, name).await;
    }
    let grant = sample::grant(&alice, "spent", "cookie");
    assert!(store.pass(&alice, grant, T0).await.unwrap());
    let end = after(TEN_MINUTES).plus(LATE_COMERS);
    // The session's own end comes before.
    assert_eq!(store.sweep(end.plus(Millis(-1))).await.unwrap(), 1);
    let open = db.right().challenge(&token("open")).await.unwrap().unwrap();
    assert_eq!(open.expires_at, after(TEN_MINUTES));
    let spent = db.right().challenge(&token("spent")).await.unwrap();
    assert_eq!(spent.unwrap().spent_at, Some(T0));
    let late = sample::grant(&alice, "open", "late");
    assert!(
        !store.pass(&alice, late, after(TEN_MINUTES)).await.unwrap(),
        "remembered is not good"
    );
    assert_eq!(store.sweep(end).await.unwrap(), 2);
    for name in ["open", "spent"] {
        let found = db.right().challenge(&token(name)).await.unwrap();
        assert_eq!(found, None, "{name}");
    }
}

pub(crate) async fn the_census_counts_live_lists_by_what_is_left(db: impl Fixture) {
    let store = db.left();
    for (name, spent) in [("a", 0), ("b", 3), ("c", 3), ("d", 10)] {
        sample::has_live(&*store, &id(name), 1).await;
        for number in 1..=spent {
            sample::spends(&*store, &id(name), 1, number).await;
        }
    }
    sample::has_pending(&*store, &id("a"), 2).await;
    let single = sample::single(&id("e"), 1);
    assert_eq!(store.stage(single).await.unwrap(), Staged::Done);
    assert_eq!(
        db.right().census().await.unwrap(),
        [(0, 1), (7, 2), (10, 1)]
    );
}
