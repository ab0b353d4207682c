//! Throttles.

use spare_key_server::model::{AccountId, EventKind, Millis, Timestamp};
use spare_key_server::store::{AcceptTotp, Lane, Progress, Reserved, Store, ThrottlePolicy};

use super::sample::{self, T0, after, id};
use super::{Fixture, at_once};

const POLICY: ThrottlePolicy = ThrottlePolicy {
    capacity: 10,
    refill: Millis::minutes(6),
    first_wait: Millis::seconds(30),
    longest_wait: Millis::minutes(60),
    dead_at: 100,
};

/// As above, but nothing comes back while a test looks.
const SLOW: ThrottlePolicy = ThrottlePolicy {
    refill: Millis::minutes(60 * 24 * 365),
    ..POLICY
};

async fn reserve(store: &dyn Store, account: &AccountId, now: Timestamp) -> Reserved {
    reserve_by(store, account, POLICY, now).await
}

async fn reserve_by(
    store: &dyn Store,
    account: &AccountId,
    policy: ThrottlePolicy,
    now: Timestamp,
) -> Reserved {
    let reserved = store
        .reserve_attempt(account, Lane::Recovery, policy, now)
        .await;
    reserved.expect("the store answers")
}

async fn look(store: &dyn Store, account: &AccountId, lane: Lane, now: Timestamp) -> Reserved {
    store
        .throttle(account, lane, POLICY, now)
        .await
        .expect("the store answers")
}

fn fresh() -> Reserved {
    Reserved::Granted {
        tries_left: 10,
        retry_at: None,
    }
}

/// Rows C8, S7, S9, A-54.
pub(crate) async fn a_burst_gets_what_the_bucket_holds_and_no_more(db: impl Fixture) {
    // The account does not exist: it is throttled like any other.
    let answers = at_once(&db, 50, |store, _| async move {
        reserve(&*store, &id("nobody"), T0).await
    })
    .await;
    let granted = answers
        .iter()
        .filter(|a| matches!(a, Reserved::Granted { .. }))
        .count();
    assert_eq!(granted, 10);
    for refused in answers
        .iter()
        .filter(|a| !matches!(a, Reserved::Granted { .. }))
    {
        assert_eq!(
            *refused,
            Reserved::Throttled {
                retry_at: after(Millis::seconds(30))
            }
        );
    }
}

pub(crate) async fn an_attempt_that_began_a_moment_earlier_is_not_made_to_wait(db: impl Fixture) {
    // Two at once, perhaps at two servers: the later one is charged first.
    let alice = id("alice");
    reserve(&*db.left(), &alice, after(Millis(7))).await;
    let earlier = reserve(&*db.right(), &alice, T0).await;
    let granted = matches!(earlier, Reserved::Granted { retry_at: None, .. });
    assert!(granted, "{earlier:?}");
}

/// Row A-51.
pub(crate) async fn waits_double_up_to_the_longest(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    for left in (1..10).rev() {
        let reserved = reserve_by(&*store, &alice, SLOW, T0).await;
        assert_eq!(
            reserved,
            Reserved::Granted {
                tries_left: left,
                retry_at: None
            }
        );
    }
    let mut now = T0;
    for seconds in [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600] {
        let next = now.plus(Millis::seconds(seconds));
        let reserved = reserve_by(&*store, &alice, SLOW, now).await;
        assert_eq!(
            reserved,
            Reserved::Granted {
                tries_left: 0,
                retry_at: Some(next)
            }
        );
        let early = next.plus(Millis(-1));
        let reserved = reserve_by(&*db.right(), &alice, SLOW, early).await;
        assert_eq!(reserved, Reserved::Throttled { retry_at: next });
        now = next;
    }
}

/// Row A-57.
pub(crate) async fn the_bucket_refills_with_time(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    for _ in 0..10 {
        reserve(&*store, &alice, T0).await;
    }
    let later = after(Millis::minutes(30));
    let expected = Reserved::Granted {
        tries_left: 5,
        retry_at: None,
    };
    assert_eq!(look(&*store, &alice, Lane::Recovery, later).await, expected);
    let expected = Reserved::Granted {
        tries_left: 4,
        retry_at: None,
    };
    assert_eq!(reserve(&*store, &alice, later).await, expected);
    // Full again, and so the waits begin at the first once more.
    let full = after(Millis::minutes(67));
    assert_eq!(look(&*store, &alice, Lane::Recovery, full).await, fresh());
    for _ in 0..9 {
        reserve(&*store, &alice, full).await;
    }
    let next = full.plus(Millis::seconds(30));
    let expected = Reserved::Granted {
        tries_left: 0,
        retry_at: Some(next),
    };
    assert_eq!(reserve(&*store, &alice, full).await, expected);
}

/// Fails until there is no next attempt; returns when.
async fn fail_to_the_end(store: &dyn Store, account: &AccountId) -> Timestamp {
    let mut now = T0;
    for made in 1..=100 {
        match reserve(store, account, now).await {
            Reserved::Granted {
                retry_at,
                tries_left,
            } => {
                now = retry_at.unwrap_or(now);
                assert!(made < 100 || (retry_at, tries_left) == (None, 0));
            }
            other => panic!("attempt {made}: {other:?}"),
        }
    }
    now
}

/// Row A-50.
pub(crate) async fn at_the_end_nothing_is_tried_any_more(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    let now = fail_to_the_end(&*store, &alice).await;
    let years = now.plus(Millis::minutes(60 * 24 * 365 * 10));
    store.sweep(years).await.unwrap();
    for at in [now, years] {
        assert_eq!(reserve(&*store, &alice, at).await, Reserved::Dead);
        assert_eq!(
            look(&*db.right(), &alice, Lane::Recovery, at).await,
            Reserved::Dead
        );
    }
}

/// Row A-52.
pub(crate) async fn a_new_batch_clears_the_count(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    let now = fail_to_the_end(&*store, &alice).await;
    sample::has_pending(&*store, &alice, 1).await;
    assert_eq!(
        reserve(&*store, &alice, now).await,
        Reserved::Dead,
        "not while it is pending"
    );
    sample::activates(&*store, &alice, 1).await;
    assert_eq!(look(&*store, &alice, Lane::Recovery, now).await, fresh());
    fail_to_the_end(&*store, &alice).await;
    sample::has_live(&*store, &alice, 2).await;
    assert_eq!(look(&*store, &alice, Lane::Recovery, now).await, fresh());
}

/// Row A-52.
pub(crate) async fn success_clears_the_count(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    sample::has_live(&*store, &alice, 1).await;
    for _ in 0..5 {
        reserve(&*store, &alice, T0).await;
    }
    sample::spends(&*store, &alice, 1, 1).await;
    assert_eq!(
        look(&*db.right(), &alice, Lane::Recovery, T0).await,
        fresh()
    );
}

/// Row C9.
pub(crate) async fn a_forgiven_attempt_was_never_made(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    let forgive = || store.forgive_attempt(&alice, Lane::Recovery, POLICY, T0);
    forgive().await.unwrap();
    assert_eq!(
        look(&*store, &alice, Lane::Recovery, T0).await,
        fresh(),
        "never above full"
    );
    for _ in 0..10 {
        reserve(&*store, &alice, T0).await;
    }
    forgive().await.unwrap();
    let next = after(Millis::seconds(30));
    let expected = Reserved::Granted {
        tries_left: 0,
        retry_at: Some(next),
    };
    assert_eq!(
        reserve(&*db.right(), &alice, T0).await,
        expected,
        "the same wait as before"
    );
    for _ in 0..12 {
        forgive().await.unwrap();
    }
    assert_eq!(look(&*store, &alice, Lane::Recovery, T0).await, fresh());
}

/// Rows S8, S11, A-51.
pub(crate) async fn the_lanes_and_accounts_do_not_touch(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    for _ in 0..10 {
        reserve(&*store, &alice, T0).await;
    }
    assert_eq!(look(&*store, &alice, Lane::Totp, T0).await, fresh());
    assert_eq!(look(&*store, &id("bob"), Lane::Recovery, T0).await, fresh());
    store
        .reserve_attempt(&alice, Lane::Totp, POLICY, T0)
        .await
        .unwrap();
    sample::has_totp(&*store, &alice, "phone").await;
    let accept = AcceptTotp {
        account: alice.clone(),
        id: sample::totp(&alice, "phone").id,
        step: 101,
        progress: Progress::Nothing,
        at: T0,
        event: sample::event(&alice, EventKind::FactorVerified),
    };
    store.accept_totp(accept).await.unwrap();
    let expected = Reserved::Throttled {
        retry_at: after(Millis::seconds(30)),
    };
    assert_eq!(look(&*store, &alice, Lane::Recovery, T0).await, expected);
}

pub(crate) async fn looking_charges_nothing(db: impl Fixture) {
    let alice = id("alice");
    for _ in 0..30 {
        assert_eq!(look(&*db.left(), &alice, Lane::Recovery, T0).await, fresh());
    }
}

/// Rows C9, A-58.
pub(crate) async fn a_count_outlives_the_process_and_the_sweep(mut db: impl Fixture) {
    let alice = id("alice");
    for _ in 0..10 {
        reserve_by(&*db.left(), &alice, SLOW, T0).await;
    }
    db.reopen();
    let expected = Reserved::Throttled {
        retry_at: after(Millis::seconds(30)),
    };
    assert_eq!(reserve_by(&*db.right(), &alice, SLOW, T0).await, expected);
    // Whatever time passes, these were ten failures in a row: ninety are left.
    let years = after(Millis::minutes(60 * 24 * 365 * 20));
    db.left().sweep(years).await.unwrap();
    let wide = ThrottlePolicy {
        capacity: 1_000,
        ..POLICY
    };
    let expected = Reserved::Granted {
        tries_left: 89,
        retry_at: None,
    };
    assert_eq!(reserve_by(&*db.left(), &alice, wide, years).await, expected);
}

/// Row S11.
pub(crate) async fn a_clock_that_steps_back_locks_nobody_out(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    for at in [
        Timestamp(i64::MAX),
        Timestamp(i64::MIN),
        Timestamp(i64::MAX),
    ] {
        reserve(&*store, &alice, at).await;
    }
    let ahead = after(Millis::minutes(60 * 24 * 3_650));
    for _ in 0..12 {
        reserve(&*store, &alice, ahead).await;
    }
    let Reserved::Throttled { retry_at } = reserve(&*store, &alice, T0).await else {
        panic!("a wait that began is not lost");
    };
    assert_eq!(retry_at, after(POLICY.longest_wait));
    assert!(matches!(
        reserve(&*db.right(), &alice, retry_at).await,
        Reserved::Granted { .. }
    ));
}
