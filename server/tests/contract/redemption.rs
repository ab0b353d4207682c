//! Redeeming.

use spare_key_server::model::{EventKind, Generation};
use spare_key_server::store::{Activated, AtTheEnd, Redeem, Redeemed, Staged};

use super::sample::{self, T0, id, token};
use super::{Fixture, at_once};

fn done(answers: &[Redeemed]) -> usize {
    answers
        .iter()
        .filter(|a| matches!(a, Redeemed::Done { .. }))
        .count()
}

/// Rows C1, A-33.
pub(crate) async fn a_code_is_spent_once_however_many_redeem_it(db: impl Fixture) {
    let alice = id("alice");
    sample::has_live(&*db.left(), &alice, 1).await;
    for number in 1..=10 {
        let answers = at_once(&db, 64, |store, _| async move {
            sample::spends(&*store, &id("alice"), 1, number).await
        })
        .await;
        assert_eq!(done(&answers), 1, "code {number}");
        assert_eq!(
            answers
                .iter()
                .filter(|a| **a == Redeemed::AlreadyUsed)
                .count(),
            63
        );
    }
    let status = db.left().status(&alice, T0).await.unwrap();
    assert_eq!(status.latest.unwrap().remaining, 0);
    let trail = db.left().events(&alice, None, 1_000).await.unwrap();
    let rows = trail
        .iter()
        .filter(|row| row.kind == EventKind::CodesRedeemed)
        .count();
    assert_eq!(rows, 10);
}

/// Row C2.
pub(crate) async fn different_codes_are_all_spent(db: impl Fixture) {
    sample::has_live(&*db.left(), &id("alice"), 1).await;
    let answers = at_once(&db, 10, |store, turn| async move {
        let number = u32::try_from(turn + 1).unwrap();
        sample::spends(&*store, &id("alice"), 1, number).await
    })
    .await;
    let mut left: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            Redeemed::Done {
                remaining,
                total: 10,
            } => *remaining,
            other => panic!("{other:?}"),
        })
        .collect();
    left.sort_unstable();
    assert_eq!(
        left,
        Vec::from_iter(0..10),
        "each was told a different rest"
    );
    let live = db.right().live_batch(&id("alice")).await.unwrap().unwrap();
    assert!(
        live.codes
            .iter()
            .all(spare_key_server::store::StoredCode::used)
    );
}

/// Rows C11, L5, L6, L10, A-32.
pub(crate) async fn a_used_code_stays_used_and_the_others_work(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    sample::spends(&*store, &alice, 1, 4).await;
    for _ in 0..3 {
        assert_eq!(
            sample::spends(&*db.right(), &alice, 1, 4).await,
            Redeemed::AlreadyUsed
        );
    }
    let live = store.live_batch(&alice).await.unwrap().unwrap();
    let used: Vec<_> = live
        .codes
        .iter()
        .filter(|code| code.used())
        .map(|code| code.number)
        .collect();
    assert_eq!(used, [4]);
    for (number, remaining) in [(1, 8), (10, 7)] {
        let spent = sample::spends(&*store, &alice, 1, number).await;
        assert_eq!(
            spent,
            Redeemed::Done {
                remaining,
                total: 10
            }
        );
    }
}

/// Row C10.
pub(crate) async fn a_spent_code_is_told_from_a_dead_one(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    assert_eq!(
        sample::spends(&*store, &alice, 1, 1).await,
        Redeemed::NotLive
    );
    sample::has_live(&*store, &alice, 1).await;
    sample::spends(&*store, &alice, 1, 1).await;
    assert_eq!(
        sample::spends(&*store, &alice, 1, 1).await,
        Redeemed::AlreadyUsed
    );
    assert_eq!(
        sample::spends(&*store, &alice, 1, 11).await,
        Redeemed::NotLive
    );
    sample::has_live(&*store, &alice, 2).await;
    for number in [1, 2] {
        assert_eq!(
            sample::spends(&*store, &alice, 1, number).await,
            Redeemed::NotLive
        );
    }
}

/// Row L12.
pub(crate) async fn the_last_code_can_be_used(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    for number in 1..=9 {
        sample::spends(&*store, &alice, 1, number).await;
    }
    let spent = sample::spends(&*store, &alice, 1, 10).await;
    assert_eq!(
        spent,
        Redeemed::Done {
            remaining: 0,
            total: 10
        }
    );
    let live = store.live_batch(&alice).await.unwrap().unwrap();
    assert_eq!(live.generation, Generation(1), "used up is still live");
}

pub(crate) async fn redeeming_erases_the_seed(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    let shown = || store.shown(&alice, Some(Generation(1)), None, T0);
    assert!(shown().await.unwrap().is_some());
    sample::spends(&*store, &alice, 1, 1).await;
    assert_eq!(shown().await.unwrap(), None);
}

/// Row C4.
pub(crate) async fn redeeming_racing_a_new_batch_leaves_one_whole(db: impl Fixture) {
    let alice = id("alice");
    sample::has_live(&*db.left(), &alice, 1).await;
    for generation in 2..=21 {
        let answers = at_once(&db, 8, |store, turn| async move {
            if turn == 3 {
                let staged = store
                    .stage(sample::at_once(&id("alice"), generation))
                    .await
                    .unwrap();
                assert_eq!(staged, Staged::Done);
                None
            } else {
                let number = u32::try_from(turn + 1).unwrap();
                Some(sample::spends(&*store, &id("alice"), generation - 1, number).await)
            }
        })
        .await;
        for answer in answers.into_iter().flatten() {
            assert!(matches!(
                answer,
                Redeemed::Done { total: 10, .. } | Redeemed::NotLive
            ));
        }
        let live = db.right().live_batch(&alice).await.unwrap().unwrap();
        assert_eq!(live.generation, Generation(generation));
        assert_eq!(live.codes.iter().filter(|code| !code.used()).count(), 10);
    }
    assert_eq!(db.rows()["code"], 10);
}

/// Row C4.
pub(crate) async fn redeeming_racing_activation_leaves_one_whole(db: impl Fixture) {
    let alice = id("alice");
    sample::has_live(&*db.left(), &alice, 1).await;
    for generation in 2..=21 {
        sample::has_pending(&*db.left(), &alice, generation).await;
        let answers = at_once(&db, 2, |store, turn| async move {
            if turn == 0 {
                let activated = sample::activates(&*store, &id("alice"), generation).await;
                assert_eq!(activated, Activated::Done);
                None
            } else {
                Some(sample::spends(&*store, &id("alice"), generation - 1, 1).await)
            }
        })
        .await;
        let spent = answers.into_iter().flatten().next().unwrap();
        let expected = Redeemed::Done {
            remaining: 9,
            total: 10,
        };
        assert!(spent == expected || spent == Redeemed::NotLive, "{spent:?}");
        let live = db.right().live_batch(&alice).await.unwrap().unwrap();
        assert_eq!(live.generation, Generation(generation));
        assert_eq!(live.codes.iter().filter(|code| !code.used()).count(), 10);
    }
}

/// Row A-35.
pub(crate) async fn a_single_is_replaced_in_the_same_step(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    store.stage(sample::single(&alice, 1)).await.unwrap();
    let answers = at_once(&db, 16, |store, _| async move {
        let mut redeem = sample::redeem(&id("alice"), 1, 1);
        redeem.replacement = Some(sample::single(&id("alice"), 2));
        store.redeem(redeem).await.unwrap()
    })
    .await;
    assert_eq!(done(&answers), 1);
    assert!(answers.contains(&Redeemed::Done {
        remaining: 0,
        total: 1
    }));
    let live = store.live_batch(&alice).await.unwrap().unwrap();
    assert_eq!((live.generation, live.codes.len()), (Generation(2), 1));
    assert!(!live.codes[0].used());
    assert_eq!(db.rows()["code"], 1);
    let shown = store
        .shown(&alice, Some(Generation(2)), None, T0)
        .await
        .unwrap();
    assert!(shown.is_some(), "it can be shown again");
}

pub(crate) async fn a_replacement_is_held_by_the_session_it_opens(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    store.stage(sample::single(&alice, 1)).await.unwrap();
    sample::has_challenge(&*store, &alice, "sign-in").await;
    let mut redeem = sample::redeem(&alice, 1, 1);
    let mut next = sample::single(&alice, 2);
    next.batch.holder = token("sign-in");
    redeem.replacement = Some(next);
    redeem.progress = sample::grant(&alice, "sign-in", "cookie");
    let expected = Redeemed::Done {
        remaining: 0,
        total: 1,
    };
    assert_eq!(store.redeem(redeem).await.unwrap(), expected);
    let shown = |holder| {
        let store = db.right();
        async move {
            let generation = Some(Generation(2));
            store
                .shown(&id("alice"), generation, Some(&token(holder)), T0)
                .await
                .unwrap()
        }
    };
    assert!(shown("cookie").await.is_some());
    assert_eq!(shown("sign-in").await, None);
}

/// Spends a code of the first list, which is to be replaced with its last.
fn to_be_replaced(number: u32) -> Redeem {
    let mut redeem = sample::redeem(&id("alice"), 1, number);
    redeem.at_the_end = AtTheEnd::Replace;
    redeem
}

/// Row L12.
pub(crate) async fn a_last_code_waits_for_the_replacement_that_is_due(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    for number in 1..=9 {
        let spent = store.redeem(to_be_replaced(number)).await.unwrap();
        let expected = Redeemed::Done {
            remaining: 10 - number,
            total: 10,
        };
        assert_eq!(spent, expected, "none is due before the last");
    }
    sample::has_challenge(&*store, &alice, "sign-in").await;
    let before = db.rows();
    let mut redeem = to_be_replaced(10);
    redeem.progress = sample::grant(&alice, "sign-in", "cookie");
    assert_eq!(
        store.redeem(redeem.clone()).await.unwrap(),
        Redeemed::ReplacementDue
    );
    assert_eq!(db.rows(), before);
    let challenge = store.challenge(&token("sign-in")).await.unwrap().unwrap();
    assert_eq!(challenge.spent_at, None);
    let status = store.status(&alice, T0).await.unwrap();
    assert_eq!(status.latest.unwrap().remaining, 1);

    redeem.replacement = Some(sample::at_once(&alice, 2));
    let expected = Redeemed::Done {
        remaining: 0,
        total: 10,
    };
    assert_eq!(db.right().redeem(redeem).await.unwrap(), expected);
    let live = store.live_batch(&alice).await.unwrap().unwrap();
    assert_eq!((live.generation, live.codes.len()), (Generation(2), 10));
}

pub(crate) async fn of_two_last_codes_one_waits_for_the_replacement(db: impl Fixture) {
    let alice = id("alice");
    for generation in 1..=10 {
        sample::has_live(&*db.left(), &alice, generation).await;
        for number in 1..=8 {
            sample::spends(&*db.left(), &alice, generation, number).await;
        }
        let answers = at_once(&db, 2, |store, turn| async move {
            let mut redeem = to_be_replaced(if turn == 0 { 9 } else { 10 });
            redeem.generation = Generation(generation);
            store.redeem(redeem).await.unwrap()
        })
        .await;
        let expected = Redeemed::Done {
            remaining: 1,
            total: 10,
        };
        let waits = answers
            .iter()
            .position(|answer| *answer == Redeemed::ReplacementDue)
            .unwrap();
        assert_eq!(answers[1 - waits], expected);
        let live = db.right().live_batch(&alice).await.unwrap().unwrap();
        let unused: Vec<_> = live.codes.iter().filter(|code| !code.used()).collect();
        assert_eq!(unused.len(), 1);
        assert_eq!(unused[0].number, if waits == 0 { 9 } else { 10 });
    }
}

pub(crate) async fn a_replacement_that_comes_late_spends_nothing(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    store.stage(sample::single(&alice, 1)).await.unwrap();
    sample::has_pending(&*store, &alice, 2).await;
    let before = db.rows();
    let mut redeem = sample::redeem(&alice, 1, 1);
    redeem.replacement = Some(sample::single(&alice, 2));
    assert_eq!(
        store.redeem(redeem.clone()).await.unwrap(),
        Redeemed::GenerationTaken
    );
    assert_eq!(db.rows(), before);
    redeem.replacement = Some(sample::single(&alice, 3));
    let expected = Redeemed::Done {
        remaining: 0,
        total: 1,
    };
    assert_eq!(store.redeem(redeem).await.unwrap(), expected);
}

/// Row C10.
pub(crate) async fn redeeming_without_progress_spends_nothing(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    let before = db.rows();
    let mut redeem = sample::redeem(&alice, 1, 1);
    redeem.progress = sample::grant(&alice, "never opened", "cookie");
    assert_eq!(store.redeem(redeem).await.unwrap(), Redeemed::NoProgress);
    assert_eq!(db.rows(), before);
    let status = store.status(&alice, T0).await.unwrap();
    assert_eq!(status.last_redeemed_at, None);
    assert!(
        store
            .shown(&alice, Some(Generation(1)), None, T0)
            .await
            .unwrap()
            .is_some()
    );
    let expected = Redeemed::Done {
        remaining: 9,
        total: 10,
    };
    assert_eq!(sample::spends(&*store, &alice, 1, 1).await, expected);
}

/// Rows O1, A-100.
pub(crate) async fn a_redemption_is_on_record_with_what_is_left(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    let mut redeem = sample::redeem(&alice, 1, 7);
    redeem.event.number = Some(7);
    store.redeem(redeem).await.unwrap();
    let newest = store.events(&alice, None, 1).await.unwrap();
    assert_eq!(newest[0].kind, EventKind::CodesRedeemed);
    assert_eq!((newest[0].number, newest[0].remaining), (Some(7), Some(9)));
    let told = store.outbox(100).await.unwrap();
    assert_eq!(told.last().unwrap().event, newest[0]);
}

/// Row C7.
pub(crate) async fn a_redemption_outlives_the_process(mut db: impl Fixture) {
    let alice = id("alice");
    sample::has_live(&*db.left(), &alice, 1).await;
    sample::spends(&*db.left(), &alice, 1, 1).await;
    db.reopen();
    assert_eq!(
        sample::spends(&*db.right(), &alice, 1, 1).await,
        Redeemed::AlreadyUsed
    );
    let expected = Redeemed::Done {
        remaining: 8,
        total: 10,
    };
    assert_eq!(sample::spends(&*db.left(), &alice, 1, 2).await, expected);
}
