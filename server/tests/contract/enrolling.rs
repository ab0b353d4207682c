//! An authenticator and its first codes, confirmed together.

use std::sync::Arc;

use spare_key_server::model::{AccountId, EventKind, Generation, Millis};
use spare_key_server::store::{
    Activated, Activation, Beside, ConfirmTotp, Lane, Others, Reserved, Stage, Staged, Store,
    ThrottlePolicy, TotpConfirmed,
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

/// A list staged with the pending authenticator of this holder.
fn staged_by(account: &AccountId, generation: u32, holder: &str) -> Stage {
    let mut stage = sample::stage(account, generation);
    stage.beside = Beside::Enrolling(token(holder));
    stage.batch.holder = token(holder);
    stage
}

/// Confirms `phone`, and the codes with it.
fn confirm_both(account: &AccountId) -> ConfirmTotp {
    ConfirmTotp {
        codes: Some(event(account, EventKind::CodesActivated)),
        ..sample::confirm(account, "phone")
    }
}

/// An account whose pending authenticator `phone` and pending codes `holder` holds.
async fn is_enrolling(store: &Arc<dyn Store>, name: &str) -> AccountId {
    let account = sample::has_account(&**store, name).await;
    store
        .begin_totp(sample::totp(&account, "phone"))
        .await
        .unwrap();
    let staged = store.stage(staged_by(&account, 1, "holder")).await;
    assert_eq!(staged.unwrap(), Staged::Done);
    account
}

async fn live(store: &dyn Store, account: &AccountId) -> Option<Generation> {
    let live = store.live_batch(account).await.unwrap();
    live.map(|batch| batch.generation)
}

async fn pending(store: &dyn Store, account: &AccountId) -> Option<Generation> {
    let status = store.status(account, T0).await.unwrap();
    status.pending.map(|(generation, _)| generation)
}

async fn recovery_tries(store: &dyn Store, account: &AccountId) -> Reserved {
    store
        .throttle(account, Lane::Recovery, POLICY, T0)
        .await
        .unwrap()
}

const fn tries(tries_left: u32) -> Reserved {
    Reserved::Granted {
        tries_left,
        retry_at: None,
    }
}

pub(crate) async fn codes_of_an_enrollment_need_its_pending_authenticator(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let none = Staged::NoAuthenticator;
    let stages = |stage: Stage| {
        let store = db.right();
        async move { store.stage(stage).await.unwrap() }
    };
    assert_eq!(stages(staged_by(&alice, 1, "holder")).await, none);
    store
        .begin_totp(sample::totp(&alice, "phone"))
        .await
        .unwrap();
    let before = db.rows();
    assert_eq!(stages(staged_by(&alice, 1, "stranger")).await, none);
    let mut lapsed = staged_by(&alice, 1, "holder");
    lapsed.batch.issued_at = after(TEN_MINUTES);
    assert_eq!(stages(lapsed).await, none);
    let mut at_once = staged_by(&alice, 1, "holder");
    at_once.activation = Activation::AtOnce;
    assert_eq!(stages(at_once).await, none, "never at once");
    let nobody = id("nobody");
    assert_eq!(
        stages(staged_by(&nobody, 1, "holder")).await,
        Staged::NoAccount
    );
    assert_eq!(
        stages(staged_by(&alice, 2, "holder")).await,
        Staged::GenerationTaken
    );
    assert_eq!(db.rows(), before);
    assert_eq!(stages(staged_by(&alice, 1, "holder")).await, Staged::Done);
    assert_eq!(pending(&*store, &alice).await, Some(Generation(1)));
    assert_eq!(live(&*store, &alice).await, None);
}

/// Row L4.
pub(crate) async fn codes_of_an_enrollment_are_for_who_has_nothing_yet(db: impl Fixture) {
    let store = db.left();
    let bound = sample::has_account(&*store, "bound").await;
    sample::has_totp(&*store, &bound, "first").await;
    let live = id("live");
    sample::has_live(&*store, &live, 1).await;
    for (account, generation) in [(&bound, 1), (&live, 2)] {
        store
            .begin_totp(sample::totp(account, "phone"))
            .await
            .unwrap();
        let before = db.rows();
        let staged = store.stage(staged_by(account, generation, "holder")).await;
        assert_eq!(staged.unwrap(), Staged::NoAuthenticator);
        assert_eq!(db.rows(), before);
    }
}

pub(crate) async fn codes_of_an_enrollment_do_not_go_live_before_it(db: impl Fixture) {
    let store = db.left();
    let alice = is_enrolling(&store, "alice").await;
    for beside in [Beside::Authenticator, Beside::Enrolling(token("holder"))] {
        let mut activate = sample::activate(&alice, 1);
        activate.holder = Some(token("holder"));
        activate.beside = beside;
        assert_eq!(
            store.activate(activate).await.unwrap(),
            Activated::NoAuthenticator
        );
    }
    assert_eq!(live(&*db.right(), &alice).await, None);
}

/// Row L4.
pub(crate) async fn confirming_makes_the_codes_live_in_the_same_step(db: impl Fixture) {
    let store = db.left();
    let alice = is_enrolling(&store, "alice").await;
    for lane in [Lane::Recovery, Lane::Totp] {
        store
            .reserve_attempt(&alice, lane, POLICY, T0)
            .await
            .unwrap();
    }
    assert_eq!(
        store.confirm_totp(confirm_both(&alice)).await.unwrap(),
        TotpConfirmed::Done
    );
    let store = db.right();
    assert_eq!(live(&*store, &alice).await, Some(Generation(1)));
    assert_eq!(pending(&*store, &alice).await, None);
    assert_eq!(store.authenticators(&alice).await.unwrap().len(), 1);
    assert_eq!(recovery_tries(&*store, &alice).await, tries(10));
    let shown = store.shown(&alice, Some(Generation(1)), None, T0).await;
    assert_eq!(shown.unwrap(), None, "the seed has done its work");
    let trail = store.events(&alice, None, 9).await.unwrap();
    let row = |kind| trail.iter().find(|row| row.kind == kind).unwrap();
    assert_eq!(
        row(EventKind::CodesActivated).generation,
        Some(Generation(1)),
        "the store says which"
    );
    assert_eq!(row(EventKind::FactorEnrolled).generation, None);
    assert!(matches!(
        sample::spends(&*store, &alice, 1, 1).await,
        spare_key_server::store::Redeemed::Done { remaining: 9, .. }
    ));
}

/// Row L4.
pub(crate) async fn of_many_who_confirm_both_one_does(db: impl Fixture) {
    let alice = is_enrolling(&db.left(), "alice").await;
    let answers = at_once(&db, 16, |store, _| async move {
        store
            .confirm_totp(confirm_both(&id("alice")))
            .await
            .unwrap()
    })
    .await;
    let done = answers.iter().filter(|a| **a == TotpConfirmed::Done);
    assert_eq!(done.count(), 1);
    let trail = db.left().events(&alice, None, 100).await.unwrap();
    let rows = trail
        .iter()
        .filter(|row| row.kind == EventKind::CodesActivated);
    assert_eq!(rows.count(), 1);
    assert_eq!(live(&*db.right(), &alice).await, Some(Generation(1)));
}

pub(crate) async fn confirming_without_progress_leaves_the_codes_pending(db: impl Fixture) {
    let store = db.left();
    let alice = is_enrolling(&store, "alice").await;
    for lane in [Lane::Recovery, Lane::Totp] {
        store
            .reserve_attempt(&alice, lane, POLICY, T0)
            .await
            .unwrap();
    }
    let before = db.rows();
    let mut confirm = confirm_both(&alice);
    confirm.others = Others::Replace;
    confirm.progress = sample::grant(&alice, "never opened", "cookie");
    assert_eq!(
        store.confirm_totp(confirm).await.unwrap(),
        TotpConfirmed::NoProgress
    );
    assert_eq!(db.rows(), before);
    assert_eq!(live(&*store, &alice).await, None);
    assert_eq!(pending(&*store, &alice).await, Some(Generation(1)));
    assert_eq!(recovery_tries(&*store, &alice).await, tries(9));
    assert_eq!(store.authenticators(&alice).await.unwrap(), []);
    let shown = store.shown(&alice, None, Some(&token("holder")), T0).await;
    assert!(shown.unwrap().is_some());
}

pub(crate) async fn confirming_alone_leaves_the_codes_pending(db: impl Fixture) {
    let store = db.left();
    let alice = is_enrolling(&store, "alice").await;
    store
        .reserve_attempt(&alice, Lane::Recovery, POLICY, T0)
        .await
        .unwrap();
    let alone = sample::confirm(&alice, "phone");
    assert_eq!(
        store.confirm_totp(alone).await.unwrap(),
        TotpConfirmed::Done
    );
    assert_eq!(live(&*db.right(), &alice).await, None);
    assert_eq!(pending(&*db.right(), &alice).await, Some(Generation(1)));
    assert_eq!(recovery_tries(&*store, &alice).await, tries(9));
}

pub(crate) async fn confirming_brings_no_codes_but_its_own(db: impl Fixture) {
    let store = db.left();
    // Another holder's, lapsed ones, and pending ones beside live ones: all of a host's.
    let of_another = id("of another");
    sample::has_pending(&*store, &of_another, 1).await;
    let lapsed = id("lapsed");
    let mut stage = sample::stage(&lapsed, 1);
    stage.batch.holder = token("holder");
    stage.batch.seed_until = T0;
    assert_eq!(store.stage(stage).await.unwrap(), Staged::Done);
    let beside_live = id("beside live");
    sample::has_live(&*store, &beside_live, 1).await;
    let mut stage = sample::stage(&beside_live, 2);
    stage.batch.holder = token("holder");
    assert_eq!(store.stage(stage).await.unwrap(), Staged::Done);
    for (account, expected) in [
        (of_another, None),
        (lapsed, None),
        (beside_live, Some(Generation(1))),
        (sample::has_account(&*store, "none").await, None),
    ] {
        let name = account.as_str();
        store
            .begin_totp(sample::totp(&account, "phone"))
            .await
            .unwrap();
        assert_eq!(
            store.confirm_totp(confirm_both(&account)).await.unwrap(),
            TotpConfirmed::Done,
            "{name}"
        );
        assert_eq!(live(&*db.right(), &account).await, expected, "{name}");
        let trail = store.events(&account, None, 9).await.unwrap();
        assert!(
            trail
                .iter()
                .all(|row| row.kind != EventKind::CodesActivated),
            "{name}"
        );
    }
}

pub(crate) async fn what_a_challenge_enrolled_opens_its_session_with_live_codes(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_challenge(&*store, &alice, "sign-in").await;
    let mut totp = sample::totp(&alice, "phone");
    totp.holder = token("sign-in");
    store.begin_totp(totp).await.unwrap();
    let staged = store.stage(staged_by(&alice, 1, "sign-in")).await;
    assert_eq!(staged.unwrap(), Staged::Done);
    let mut confirm = confirm_both(&alice);
    confirm.holder = token("sign-in");
    confirm.progress = sample::grant(&alice, "sign-in", "cookie");
    assert_eq!(
        store.confirm_totp(confirm).await.unwrap(),
        TotpConfirmed::Done
    );
    let store = db.right();
    let session = store.session(&token("cookie"), T0, T0).await.unwrap();
    assert!(session.is_some());
    assert_eq!(live(&*store, &alice).await, Some(Generation(1)));
}
