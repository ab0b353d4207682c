//! Activating.

use spare_key_server::model::{EventKind, Generation};
use spare_key_server::store::{Activated, Beside, Redeemed, Staged};

use super::sample::{self, T0, TEN_MINUTES, after, id, token};
use super::{Fixture, at_once};

/// Row L7.
pub(crate) async fn activating_supersedes_in_the_same_step(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    assert_eq!(
        sample::activates(&*db.right(), &alice, 2).await,
        Activated::Done
    );
    let live = store.live_batch(&alice).await.unwrap().unwrap();
    assert_eq!((live.generation, live.codes.len()), (Generation(2), 10));
    assert_eq!(
        sample::spends(&*store, &alice, 1, 1).await,
        Redeemed::NotLive
    );
    assert_eq!((db.rows()["code"], db.rows()["batch"]), (10, 2));
    for generation in [1, 2] {
        let shown = store
            .shown(&alice, Some(Generation(generation)), None, T0)
            .await
            .unwrap();
        assert_eq!(shown, None, "the seed is erased");
    }
}

pub(crate) async fn activating_twice_is_no_error(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_pending(&*store, &alice, 1).await;
    assert_eq!(sample::activates(&*store, &alice, 1).await, Activated::Done);
    assert_eq!(
        sample::activates(&*db.right(), &alice, 1).await,
        Activated::Already
    );
    let mut held = sample::activate(&alice, 1);
    held.holder = Some(token("host"));
    held.beside = Beside::Authenticator;
    assert_eq!(store.activate(held).await.unwrap(), Activated::Already);
    let trail = store.events(&alice, None, 100).await.unwrap();
    let rows = trail
        .iter()
        .filter(|row| row.kind == EventKind::CodesActivated)
        .count();
    assert_eq!(rows, 1);
}

/// Row A-47.
pub(crate) async fn only_the_pending_batch_is_activated(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    assert_eq!(
        sample::activates(&*store, &alice, 1).await,
        sample::stale(None)
    );
    sample::has_live(&*store, &alice, 1).await;
    sample::has_live(&*store, &alice, 2).await;
    assert_eq!(
        sample::activates(&*store, &alice, 1).await,
        sample::stale(None)
    );
    sample::has_pending(&*store, &alice, 3).await;
    for generation in [0, 1, 4] {
        let activated = sample::activates(&*store, &alice, generation).await;
        assert_eq!(activated, sample::stale(Some(3)));
    }
    let live = store.live_batch(&alice).await.unwrap().unwrap();
    assert_eq!(
        (live.generation, live.codes.len()),
        (Generation(2), 10),
        "nothing changed"
    );
}

pub(crate) async fn a_stranger_cannot_activate(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    let mut held = sample::activate(&alice, 2);
    held.holder = Some(token("stranger"));
    assert_eq!(
        store.activate(held.clone()).await.unwrap(),
        sample::stale(Some(2))
    );
    assert_eq!(
        store.live_batch(&alice).await.unwrap().unwrap().generation,
        Generation(1)
    );
    held.holder = Some(token("host"));
    assert_eq!(store.activate(held).await.unwrap(), Activated::Done);
}

/// Row A-44.
pub(crate) async fn an_expired_batch_cannot_be_activated_even_before_the_sweep(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    let mut late = sample::activate(&alice, 2);
    late.at = after(TEN_MINUTES);
    assert_eq!(
        store.activate(late.clone()).await.unwrap(),
        sample::stale(None)
    );
    assert_eq!(
        store.live_batch(&alice).await.unwrap().unwrap().generation,
        Generation(1)
    );
    store.sweep(after(TEN_MINUTES)).await.unwrap();
    late.at = T0;
    assert_eq!(store.activate(late).await.unwrap(), sample::stale(None));
}

/// Row L11.
pub(crate) async fn activating_needs_an_authenticator_beside_it(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    let mut activate = sample::activate(&alice, 2);
    activate.beside = Beside::Authenticator;
    assert_eq!(
        store.activate(activate.clone()).await.unwrap(),
        Activated::NoAuthenticator
    );
    assert_eq!(
        store.live_batch(&alice).await.unwrap().unwrap().generation,
        Generation(1)
    );
    sample::has_totp(&*store, &alice, "phone").await;
    assert_eq!(store.activate(activate).await.unwrap(), Activated::Done);
}

pub(crate) async fn activating_without_progress_changes_nothing(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    let before = db.rows();
    let mut activate = sample::activate(&alice, 2);
    activate.progress = sample::grant(&alice, "never opened", "cookie");
    assert_eq!(
        store.activate(activate).await.unwrap(),
        Activated::NoProgress
    );
    assert_eq!(db.rows(), before);
    assert_eq!(
        store.live_batch(&alice).await.unwrap().unwrap().generation,
        Generation(1)
    );
    assert_eq!(sample::activates(&*store, &alice, 2).await, Activated::Done);
}

pub(crate) async fn activating_opens_the_session(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "phone").await;
    sample::has_challenge(&*store, &alice, "enrollment").await;
    let mut stage = sample::stage(&alice, 1);
    stage.beside = Beside::Authenticator;
    stage.batch.holder = token("enrollment");
    assert_eq!(store.stage(stage).await.unwrap(), Staged::Done);
    let mut activate = sample::activate(&alice, 1);
    activate.holder = Some(token("enrollment"));
    activate.beside = Beside::Authenticator;
    activate.progress = sample::grant(&alice, "enrollment", "cookie");
    assert_eq!(
        store.activate(activate.clone()).await.unwrap(),
        Activated::Done
    );
    assert!(
        db.right()
            .session(&token("cookie"), T0, T0)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(store.activate(activate).await.unwrap(), Activated::Already);
    assert_eq!(db.rows()["session"], 1);
}

pub(crate) async fn of_many_who_activate_one_does(db: impl Fixture) {
    for generation in 1..=10 {
        sample::has_pending(&*db.left(), &id("alice"), generation).await;
        let answers = at_once(&db, 8, |store, _| async move {
            sample::activates(&*store, &id("alice"), generation).await
        })
        .await;
        let done = answers.iter().filter(|a| **a == Activated::Done).count();
        let already = answers.iter().filter(|a| **a == Activated::Already).count();
        assert_eq!((done, already), (1, 7));
    }
}

pub(crate) async fn confirming_a_live_batch_erases_its_seed(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    assert_eq!(
        store.stage(sample::single(&alice, 1)).await.unwrap(),
        Staged::Done
    );
    let shown = || store.shown(&alice, Some(Generation(1)), None, T0);
    let mut confirm = sample::activate(&alice, 1);
    confirm.holder = Some(token("stranger"));
    assert_eq!(
        store.activate(confirm.clone()).await.unwrap(),
        Activated::Already
    );
    assert!(
        shown().await.unwrap().is_some(),
        "a stranger takes nothing from its holder"
    );
    confirm.holder = Some(token("host"));
    assert_eq!(store.activate(confirm).await.unwrap(), Activated::Already);
    assert_eq!(shown().await.unwrap(), None);
    let spent = sample::spends(&*store, &alice, 1, 1).await;
    assert_eq!(
        spent,
        Redeemed::Done {
            remaining: 0,
            total: 1
        }
    );
}

/// Row L2.
pub(crate) async fn new_codes_end_no_session(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    for name in ["here", "elsewhere"] {
        sample::has_session(&*store, &alice, name).await;
    }
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    assert_eq!(sample::activates(&*store, &alice, 2).await, Activated::Done);
    sample::has_live(&*db.right(), &alice, 3).await;
    for name in ["here", "elsewhere"] {
        let live = db.right().session(&token(name), T0, T0).await.unwrap();
        assert!(live.is_some(), "{name}");
    }
}
