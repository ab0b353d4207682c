//! Staging, showing, giving up, revoking. Rows C5, L1, L7, L9, L11, A-11, A-23, A-34, A-36, A-104.

use spare_key_core::Format;
use spare_key_server::model::{BatchState, EventKind, Generation, Locator, Millis, Timestamp};
use spare_key_server::store::{
    BatchLine, Beside, Idempotency, NewIdempotency, Redeemed, Shown, Staged,
};

use super::sample::{self, T0, TEN_MINUTES, after, event, id, token};
use super::{Fixture, at_once};

pub(crate) async fn a_batch_is_stored_as_it_was_given(db: impl Fixture) {
    let alice = id("alice");
    sample::has_live(&*db.left(), &alice, 1).await;
    let live = db.right().live_batch(&alice).await.unwrap().unwrap();
    assert_eq!(
        (live.generation, live.format),
        (Generation(1), Format::List)
    );
    assert_eq!(live.scheme, sample::scheme());
    assert_eq!(live.codes.len(), 10);
    for (code, number) in live.codes.iter().zip(1_u16..) {
        assert_eq!((code.number, code.used()), (u32::from(number), false));
        assert_eq!(code.locator, Locator(u16::MAX - number));
        assert_eq!(code.digest, Some(sample::secret(&alice, 1, code.number)));
    }
    let status = db.right().status(&alice, T0).await.unwrap();
    let line = BatchLine {
        generation: Generation(1),
        state: BatchState::Active,
        format: Format::List,
        origin: None,
        total: 10,
        remaining: 10,
        issued_at: T0,
        reminder_ended: false,
        kept: false,
    };
    assert_eq!(
        (status.latest, status.last_redeemed_at, status.pending),
        (Some(line), None, None)
    );
}

pub(crate) async fn staging_makes_a_hosts_account_and_no_other(db: impl Fixture) {
    let store = db.left();
    let mut stage = sample::stage(&id("alice"), 1);
    stage.beside = Beside::Authenticator;
    assert_eq!(store.stage(stage).await.unwrap(), Staged::NoAccount);
    assert_eq!(store.account(&id("alice")).await.unwrap(), None);
    // Not even a host's, when the batch is turned down.
    let stage = sample::stage(&id("alice"), 2);
    assert_eq!(store.stage(stage).await.unwrap(), Staged::GenerationTaken);
    assert_eq!(store.account(&id("alice")).await.unwrap(), None);
    assert_eq!(
        store.stage(sample::stage(&id("alice"), 1)).await.unwrap(),
        Staged::Done
    );
    let account = store.account(&id("alice")).await.unwrap().unwrap();
    assert_eq!(
        (account.last_generation, account.created_at),
        (Generation(1), T0)
    );
}

pub(crate) async fn codes_are_never_the_only_factor(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let mut stage = sample::stage(&alice, 1);
    stage.beside = Beside::Authenticator;
    store
        .begin_totp(sample::totp(&alice, "phone"))
        .await
        .unwrap();
    assert_eq!(
        store.stage(stage.clone()).await.unwrap(),
        Staged::NoAuthenticator
    );
    let account = store.account(&alice).await.unwrap().unwrap();
    assert_eq!(account.last_generation, Generation(0));
    sample::has_totp(&*store, &alice, "phone").await;
    assert_eq!(store.stage(stage).await.unwrap(), Staged::Done);
}

pub(crate) async fn two_that_stage_at_once_get_one_number(db: impl Fixture) {
    for generation in 1..=10 {
        let answers = at_once(&db, 2, |store, _| async move {
            store
                .stage(sample::stage(&id("alice"), generation))
                .await
                .unwrap()
        })
        .await;
        let done = answers.iter().filter(|a| **a == Staged::Done).count();
        let taken = answers
            .iter()
            .filter(|a| **a == Staged::GenerationTaken)
            .count();
        assert_eq!((done, taken), (1, 1), "generation {generation}");
    }
    assert_eq!(db.rows()["code"], 10, "one whole batch");
}

pub(crate) async fn a_number_is_never_given_twice(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    let given_up = event(&alice, EventKind::CodesGivenUp);
    assert!(store.give_up_pending(&alice, T0, given_up).await.unwrap());
    let revoked = event(&alice, EventKind::CodesRevoked);
    assert!(store.revoke(&alice, T0, revoked).await.unwrap());
    for used in [0, 1, 2, 4] {
        let staged = store.stage(sample::stage(&alice, used)).await.unwrap();
        assert_eq!(staged, Staged::GenerationTaken, "{used}");
    }
    sample::has_live(&*store, &alice, 3).await;
}

pub(crate) async fn a_new_pending_batch_ends_the_one_before(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_pending(&*store, &alice, 1).await;
    sample::has_pending(&*db.right(), &alice, 2).await;
    let shown = |generation| store.shown(&alice, generation, None, T0);
    assert_eq!(shown(Some(Generation(1))).await.unwrap(), None);
    assert_eq!(
        shown(None).await.unwrap().unwrap().generation,
        Generation(2)
    );
    assert_eq!(
        sample::activates(&*store, &alice, 1).await,
        sample::stale(Some(2))
    );
    assert_eq!((db.rows()["code"], db.rows()["batch"]), (10, 2));
}

pub(crate) async fn a_pending_batch_leaves_the_live_one_alone(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    let live = store.live_batch(&alice).await.unwrap().unwrap();
    assert_eq!((live.generation, live.codes.len()), (Generation(1), 10));
    assert_eq!(
        sample::spends(&*store, &alice, 2, 1).await,
        Redeemed::NotLive
    );
    let spent = sample::spends(&*store, &alice, 1, 1).await;
    assert_eq!(
        spent,
        Redeemed::Done {
            remaining: 9,
            total: 10
        }
    );
    let status = store.status(&alice, T0).await.unwrap();
    assert_eq!(status.latest.unwrap().generation, Generation(1));
    assert_eq!(status.pending, Some((Generation(2), after(TEN_MINUTES))));
    assert_eq!(
        store
            .status(&alice, after(TEN_MINUTES))
            .await
            .unwrap()
            .pending,
        None
    );
}

pub(crate) async fn at_once_supersedes_and_erases(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    sample::has_live(&*db.right(), &alice, 3).await;
    let live = store.live_batch(&alice).await.unwrap().unwrap();
    assert_eq!(live.generation, Generation(3));
    assert_eq!(
        db.rows()["code"],
        10,
        "the digests of the older two are gone"
    );
    assert_eq!(db.rows()["batch"], 3, "their rows are not");
    for generation in [1, 2] {
        assert_eq!(
            sample::spends(&*store, &alice, generation, 1).await,
            Redeemed::NotLive
        );
        let shown = store
            .shown(&alice, Some(Generation(generation)), None, T0)
            .await
            .unwrap();
        assert_eq!(shown, None);
    }
}

pub(crate) async fn at_once_without_time_keeps_no_seed(db: impl Fixture) {
    let alice = id("alice");
    let mut stage = sample::at_once(&alice, 1);
    stage.batch.seed_until = T0;
    assert_eq!(db.left().stage(stage).await.unwrap(), Staged::Done);
    let long_ago = Timestamp(0);
    let shown = db
        .left()
        .shown(&alice, Some(Generation(1)), None, long_ago)
        .await
        .unwrap();
    assert_eq!(shown, None);
}

pub(crate) async fn a_pending_batch_is_shown_to_its_holder_until_its_time(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_pending(&*store, &alice, 1).await;
    let expected = Shown {
        generation: Generation(1),
        state: BatchState::Pending,
        format: Format::List,
        total: 10,
        scheme: sample::scheme(),
        seed: sample::seed(&alice, 1),
        seed_until: after(TEN_MINUTES),
        issued_at: T0,
    };
    let (holder, stranger) = (token("host"), token("stranger"));
    for held in [None, Some(&holder)] {
        for generation in [None, Some(Generation(1))] {
            let shown = db
                .right()
                .shown(&alice, generation, held, T0)
                .await
                .unwrap();
            assert_eq!(shown.as_ref(), Some(&expected));
        }
    }
    assert_eq!(
        store
            .shown(&alice, None, Some(&stranger), T0)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        store
            .shown(&id("bob"), None, Some(&holder), T0)
            .await
            .unwrap(),
        None
    );
    let other = Some(Generation(2));
    assert_eq!(
        store.shown(&alice, other, Some(&holder), T0).await.unwrap(),
        None
    );
    let end = after(TEN_MINUTES);
    assert_eq!(
        store.shown(&alice, None, Some(&holder), end).await.unwrap(),
        None
    );
}

pub(crate) async fn a_live_batch_is_shown_by_number_until_its_time(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    assert_eq!(
        store.shown(&alice, None, None, T0).await.unwrap(),
        None,
        "it is not pending"
    );
    let number = Some(Generation(1));
    let shown = store
        .shown(&alice, number, None, T0)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(shown.state, BatchState::Active);
    assert_eq!(
        store
            .shown(&alice, number, Some(&token("stranger")), T0)
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        store
            .shown(&alice, number, None, after(TEN_MINUTES))
            .await
            .unwrap(),
        None
    );
}

fn key(request: &str) -> Option<NewIdempotency> {
    Some(NewIdempotency {
        key: token("caller and key"),
        request: token(request),
        until: after(TEN_MINUTES),
    })
}

pub(crate) async fn an_idempotency_key_works_once(db: impl Fixture) {
    let answers = at_once(&db, 10, |store, turn| async move {
        let mut stage = sample::at_once(&id("alice"), 1);
        stage.idempotency = key(&format!("request {turn}"));
        store.stage(stage).await.unwrap()
    })
    .await;
    assert_eq!(answers.iter().filter(|a| **a == Staged::Done).count(), 1);
    assert_eq!(
        answers.iter().filter(|a| **a == Staged::KeyTaken).count(),
        9
    );
    let first = answers.iter().position(|a| *a == Staged::Done).unwrap();
    let expected = Idempotency {
        request: token(&format!("request {first}")),
        account: id("alice"),
        generation: Generation(1),
    };
    let found = db
        .right()
        .idempotency(&token("caller and key"), T0)
        .await
        .unwrap();
    assert_eq!(found, Some(expected));
    // With the right number, too, and for whatever account.
    for (name, generation) in [("alice", 2), ("bob", 1)] {
        let mut stage = sample::at_once(&id(name), generation);
        stage.idempotency = key("another");
        assert_eq!(db.left().stage(stage).await.unwrap(), Staged::KeyTaken);
    }
    assert_eq!(db.rows()["batch"], 1);
    assert_eq!(db.left().account(&id("bob")).await.unwrap(), None);
}

pub(crate) async fn an_idempotency_key_is_forgotten_in_time(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    let mut stage = sample::at_once(&alice, 1);
    stage.idempotency = key("first");
    store.stage(stage).await.unwrap();
    let end = after(TEN_MINUTES);
    assert_eq!(
        store
            .idempotency(&token("caller and key"), end)
            .await
            .unwrap(),
        None
    );
    let mut stage = sample::at_once(&alice, 2);
    stage.batch.issued_at = end;
    stage.batch.seed_until = end.plus(TEN_MINUTES);
    stage.idempotency = key("second").map(|k| NewIdempotency {
        until: end.plus(TEN_MINUTES),
        ..k
    });
    assert_eq!(store.stage(stage).await.unwrap(), Staged::Done);
    let found = store
        .idempotency(&token("caller and key"), end)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.request, found.generation),
        (token("second"), Generation(2))
    );
}

pub(crate) async fn an_idempotency_key_outlives_the_seed(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    let mut stage = sample::at_once(&alice, 1);
    stage.idempotency = key("first");
    store.stage(stage).await.unwrap();
    sample::spends(&*store, &alice, 1, 1).await;
    assert_eq!(
        store
            .shown(&alice, Some(Generation(1)), None, T0)
            .await
            .unwrap(),
        None
    );
    assert!(
        store
            .idempotency(&token("caller and key"), T0)
            .await
            .unwrap()
            .is_some()
    );
}

pub(crate) async fn a_batch_that_cannot_be_stored_leaves_nothing(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    let before = db.rows();
    let mut stage = sample::at_once(&alice, 2);
    stage.batch.codes[9].number = 1;
    assert!(store.stage(stage).await.is_err());
    assert_eq!(db.rows(), before);
    let account = store.account(&alice).await.unwrap().unwrap();
    assert_eq!(account.last_generation, Generation(1));
    let spent = sample::spends(&*store, &alice, 1, 1).await;
    assert_eq!(
        spent,
        Redeemed::Done {
            remaining: 9,
            total: 10
        }
    );
}

pub(crate) async fn a_batch_can_be_given_up(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    let give_up = |at| store.give_up_pending(&alice, at, event(&alice, EventKind::CodesGivenUp));
    assert!(!give_up(T0).await.unwrap(), "there is no account");
    sample::has_live(&*store, &alice, 1).await;
    assert!(!give_up(T0).await.unwrap(), "there is no pending batch");
    sample::has_pending(&*store, &alice, 2).await;
    assert!(give_up(T0).await.unwrap());
    assert!(!give_up(T0).await.unwrap());
    assert_eq!(
        sample::activates(&*store, &alice, 2).await,
        sample::stale(None)
    );
    assert_eq!(
        store.live_batch(&alice).await.unwrap().unwrap().generation,
        Generation(1)
    );
    sample::has_pending(&*store, &alice, 3).await;
    assert!(
        !give_up(after(TEN_MINUTES)).await.unwrap(),
        "its time has run out"
    );
    let trail = store.events(&alice, None, 100).await.unwrap();
    let rows = trail
        .iter()
        .filter(|row| row.kind == EventKind::CodesGivenUp)
        .count();
    assert_eq!(rows, 1);
}

pub(crate) async fn revoking_ends_live_and_pending(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    let revoke = || store.revoke(&alice, T0, event(&alice, EventKind::CodesRevoked));
    assert!(!revoke().await.unwrap());
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    assert!(revoke().await.unwrap());
    assert!(!revoke().await.unwrap());
    assert_eq!((db.rows()["code"], db.rows()["batch"]), (0, 2));
    assert_eq!(
        sample::spends(&*db.right(), &alice, 1, 1).await,
        Redeemed::NotLive
    );
    assert_eq!(
        sample::activates(&*db.right(), &alice, 2).await,
        sample::stale(None)
    );
    assert_eq!(
        store
            .shown(&alice, Some(Generation(1)), None, T0)
            .await
            .unwrap(),
        None
    );
    sample::has_pending(&*store, &alice, 3).await;
    assert!(revoke().await.unwrap(), "a pending one is enough");
    let trail = store.events(&alice, None, 100).await.unwrap();
    let rows = trail
        .iter()
        .filter(|row| row.kind == EventKind::CodesRevoked)
        .count();
    assert_eq!(rows, 2);
}

pub(crate) async fn status_names_the_latest_that_was_ever_live(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    let none = store.status(&alice, T0).await.unwrap();
    assert_eq!(
        (none.latest, none.last_redeemed_at, none.pending),
        (None, None, None)
    );
    sample::has_pending(&*store, &alice, 1).await;
    assert_eq!(store.status(&alice, T0).await.unwrap().latest, None);
    sample::has_live(&*store, &alice, 2).await;
    let mut redeem = sample::redeem(&alice, 2, 1);
    redeem.at = after(Millis::minutes(1));
    store.redeem(redeem).await.unwrap();
    sample::has_pending(&*store, &alice, 3).await;
    store
        .revoke(&alice, T0, event(&alice, EventKind::CodesRevoked))
        .await
        .unwrap();
    let status = db.right().status(&alice, T0).await.unwrap();
    let latest = status.latest.unwrap();
    assert_eq!(
        (latest.generation, latest.state),
        (Generation(2), BatchState::Revoked)
    );
    assert_eq!((latest.total, latest.remaining), (10, 0));
    assert_eq!(status.last_redeemed_at, Some(after(Millis::minutes(1))));
}
