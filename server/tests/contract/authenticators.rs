//! Authenticators.

use spare_key_server::model::{EventKind, Millis, Sealed};
use spare_key_server::store::{
    AcceptTotp, BoundTotp, Lane, Others, PendingTotp, Progress, Reserved, ThrottlePolicy,
    TotpAccepted, TotpConfirmed,
};

use super::sample::{self, T0, TEN_MINUTES, after, event, id, token};
use super::{Fixture, at_once};

const POLICY: ThrottlePolicy = ThrottlePolicy {
    capacity: 10,
    refill: Millis::minutes(6),
    first_wait: Millis::seconds(30),
    longest_wait: Millis::minutes(60),
    dead_at: 100,
};

fn accept(step: i64) -> AcceptTotp {
    AcceptTotp {
        account: id("alice"),
        id: sample::totp_id(&id("alice"), "phone"),
        step,
        progress: Progress::Nothing,
        at: after(Millis::minutes(1)),
        event: event(&id("alice"), EventKind::FactorVerified),
    }
}

/// Row A-47.
pub(crate) async fn an_authenticator_is_nobodys_factor_until_confirmed(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    store
        .begin_totp(sample::totp(&alice, "phone"))
        .await
        .unwrap();
    assert_eq!(store.authenticators(&alice).await.unwrap(), []);
    assert_eq!(
        store.accept_totp(accept(200)).await.unwrap(),
        TotpAccepted::StepSpent
    );
    let expected = PendingTotp {
        id: sample::totp_id(&alice, "phone"),
        secret: Sealed(b"sealed phone".to_vec()),
        expires_at: after(TEN_MINUTES),
    };
    let pending = db
        .right()
        .pending_totp(&alice, &token("holder"), T0)
        .await
        .unwrap();
    assert_eq!(pending, Some(expected));
    assert_eq!(
        store
            .pending_totp(&alice, &token("stranger"), T0)
            .await
            .unwrap(),
        None
    );
    let mut stranger = sample::confirm(&alice, "phone");
    stranger.holder = token("stranger");
    assert_eq!(
        store.confirm_totp(stranger).await.unwrap(),
        TotpConfirmed::Gone
    );
    let confirmed = store
        .confirm_totp(sample::confirm(&alice, "phone"))
        .await
        .unwrap();
    assert_eq!(confirmed, TotpConfirmed::Done);
    let expected = BoundTotp {
        id: sample::totp_id(&alice, "phone"),
        secret: Sealed(b"sealed phone".to_vec()),
        last_step: 100,
        confirmed_at: T0,
        last_used_at: None,
    };
    assert_eq!(db.right().authenticators(&alice).await.unwrap(), [expected]);
    assert_eq!(
        store
            .pending_totp(&alice, &token("holder"), T0)
            .await
            .unwrap(),
        None
    );
    // For an account that is gone, nothing begins and nothing is confirmed.
    store
        .begin_totp(sample::totp(&id("nobody"), "x"))
        .await
        .unwrap();
    let confirmed = store
        .confirm_totp(sample::confirm(&id("nobody"), "x"))
        .await
        .unwrap();
    assert_eq!(confirmed, TotpConfirmed::Gone);
}

pub(crate) async fn a_new_one_drops_the_pending_ones_before(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "bound").await;
    store
        .begin_totp(sample::totp(&alice, "first"))
        .await
        .unwrap();
    store
        .begin_totp(sample::totp(&alice, "second"))
        .await
        .unwrap();
    let pending = store
        .pending_totp(&alice, &token("holder"), T0)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(pending.id, sample::totp_id(&alice, "second"));
    let confirmed = store
        .confirm_totp(sample::confirm(&alice, "first"))
        .await
        .unwrap();
    assert_eq!(confirmed, TotpConfirmed::Gone);
    assert_eq!(store.authenticators(&alice).await.unwrap().len(), 1);
}

pub(crate) async fn an_expired_one_cannot_be_confirmed(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    store
        .begin_totp(sample::totp(&alice, "phone"))
        .await
        .unwrap();
    let end = after(TEN_MINUTES);
    assert_eq!(
        store
            .pending_totp(&alice, &token("holder"), end)
            .await
            .unwrap(),
        None
    );
    let mut late = sample::confirm(&alice, "phone");
    late.at = end;
    assert_eq!(store.confirm_totp(late).await.unwrap(), TotpConfirmed::Gone);
}

pub(crate) async fn one_is_confirmed_once(db: impl Fixture) {
    let alice = sample::has_account(&*db.left(), "alice").await;
    db.left()
        .begin_totp(sample::totp(&alice, "phone"))
        .await
        .unwrap();
    // Without progress nothing is bound.
    let mut without = sample::confirm(&alice, "phone");
    without.progress = sample::grant(&alice, "never opened", "cookie");
    without.others = Others::Replace;
    assert_eq!(
        db.left().confirm_totp(without).await.unwrap(),
        TotpConfirmed::NoProgress
    );
    assert_eq!(db.left().authenticators(&alice).await.unwrap(), []);
    let answers = at_once(&db, 10, |store, _| async move {
        store
            .confirm_totp(sample::confirm(&id("alice"), "phone"))
            .await
            .unwrap()
    })
    .await;
    assert_eq!(
        answers
            .iter()
            .filter(|a| **a == TotpConfirmed::Done)
            .count(),
        1
    );
    assert_eq!(
        answers
            .iter()
            .filter(|a| **a == TotpConfirmed::Gone)
            .count(),
        9
    );
}

/// Row L13.
pub(crate) async fn a_replacement_unbinds_the_others(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    for name in ["a", "b"] {
        sample::has_totp(&*store, &alice, name).await;
    }
    sample::has_totp(&*store, &bob, "a").await;
    store.begin_totp(sample::totp(&alice, "c")).await.unwrap();
    let mut confirm = sample::confirm(&alice, "c");
    confirm.others = Others::Replace;
    confirm.event.kind = EventKind::FactorReplaced;
    assert_eq!(
        store.confirm_totp(confirm).await.unwrap(),
        TotpConfirmed::Done
    );
    let bound = db.right().authenticators(&alice).await.unwrap();
    assert_eq!(bound.len(), 1);
    assert_eq!(bound[0].id, sample::totp_id(&alice, "c"));
    assert_eq!(store.authenticators(&bob).await.unwrap().len(), 1);
}

/// Row A-38.
pub(crate) async fn a_step_is_spent_once_however_many_present_it(db: impl Fixture) {
    let alice = sample::has_account(&*db.left(), "alice").await;
    sample::has_totp(&*db.left(), &alice, "phone").await;
    for step in 200..210 {
        let answers = at_once(&db, 32, |store, _| async move {
            store.accept_totp(accept(step)).await.unwrap()
        })
        .await;
        assert_eq!(
            answers.iter().filter(|a| **a == TotpAccepted::Done).count(),
            1
        );
        assert_eq!(
            answers
                .iter()
                .filter(|a| **a == TotpAccepted::StepSpent)
                .count(),
            31
        );
    }
}

/// Row A-38.
pub(crate) async fn no_step_goes_back(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "phone").await;
    let done = TotpAccepted::Done;
    let spent = TotpAccepted::StepSpent;
    for (step, expected) in [
        (100, spent),
        (102, done),
        (101, spent),
        (102, spent),
        (103, done),
    ] {
        assert_eq!(
            store.accept_totp(accept(step)).await.unwrap(),
            expected,
            "{step}"
        );
    }
    let bound = db.right().authenticators(&alice).await.unwrap();
    assert_eq!(bound[0].last_step, 103);
    assert_eq!(bound[0].last_used_at, Some(after(Millis::minutes(1))));
}

pub(crate) async fn accepting_without_progress_spends_no_step(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "phone").await;
    let before = db.rows();
    let mut without = accept(200);
    without.progress = sample::grant(&alice, "never opened", "cookie");
    assert_eq!(
        store.accept_totp(without).await.unwrap(),
        TotpAccepted::NoProgress
    );
    assert_eq!(db.rows(), before);
    assert_eq!(
        store.accept_totp(accept(200)).await.unwrap(),
        TotpAccepted::Done
    );
}

pub(crate) async fn accepting_clears_the_count(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let fresh = Reserved::Granted {
        tries_left: 10,
        retry_at: None,
    };
    let throttle = || store.throttle(&alice, Lane::Totp, POLICY, T0);
    store
        .reserve_attempt(&alice, Lane::Totp, POLICY, T0)
        .await
        .unwrap();
    sample::has_totp(&*store, &alice, "phone").await;
    assert_eq!(throttle().await.unwrap(), fresh, "by confirming");
    store
        .reserve_attempt(&alice, Lane::Totp, POLICY, T0)
        .await
        .unwrap();
    assert_ne!(throttle().await.unwrap(), fresh);
    store.accept_totp(accept(200)).await.unwrap();
    assert_eq!(throttle().await.unwrap(), fresh, "by accepting");
}
