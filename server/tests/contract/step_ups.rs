//! Step-up tokens: one session's, for one change, spent with it or not at all.

use spare_key_server::model::{AccountId, EventKind, Millis};
use spare_key_server::store::{
    Activation, Beside, Progress, Redeemed, RemoveTotp, Stage, Staged, StepUpUse, Store,
    TotpConfirmed, TotpRemoved,
};

use super::sample::{self, T0, after, event, token};
use super::{Fixture, at_once};

/// An account with an authenticator, a session and a step-up token in it.
async fn stepped_up(store: &dyn Store, name: &str) -> (AccountId, StepUpUse) {
    let account = sample::has_account(store, name).await;
    sample::has_totp(store, &account, "phone").await;
    let session = format!("session of {name}");
    let step_up = format!("step-up of {name}");
    sample::has_bearer(store, &account, &session).await;
    sample::has_step_up(store, &account, &session, &step_up).await;
    (account, sample::step_up(&session, &step_up))
}

async fn is_good(store: &dyn Store, account: &AccountId, step_up: StepUpUse) -> bool {
    store.step_up_is_good(account, step_up, T0).await.unwrap()
}

fn regenerate(account: &AccountId, generation: u32, step_up: StepUpUse) -> Stage {
    Stage {
        beside: Beside::Authenticator,
        activation: Activation::AtOnce,
        step_up: Some(step_up),
        ..sample::stage(account, generation)
    }
}

/// Row A-74.
pub(crate) async fn a_step_up_token_needs_the_session_it_is_made_in(db: impl Fixture) {
    let store = db.left();
    let (alice, _) = stepped_up(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    sample::has_session(&*store, &alice, "cookie").await;
    for (account, session) in [
        (&alice, "no session"),
        (&alice, "cookie"),
        (&bob, "session of alice"),
    ] {
        let new = sample::step_up(session, "another");
        let expires_at = after(Millis::minutes(5));
        let progress = Progress::StepUpToken { new, expires_at };
        assert!(
            !store.pass(account, progress, T0).await.unwrap(),
            "{session}"
        );
        assert!(!is_good(&*store, account, new).await);
    }
}

/// Row S6.
pub(crate) async fn a_step_up_token_is_good_where_it_was_made_and_until_its_time(db: impl Fixture) {
    let store = db.left();
    let (alice, step_up) = stepped_up(&*store, "alice").await;
    let (bob, _) = stepped_up(&*store, "bob").await;
    sample::has_bearer(&*store, &alice, "second").await;
    assert!(is_good(&*db.right(), &alice, step_up).await);
    let elsewhere = StepUpUse {
        session: token("second"),
        ..step_up
    };
    assert!(!is_good(&*store, &alice, elsewhere).await);
    assert!(!is_good(&*store, &bob, step_up).await);
    // Looking is not spending: neither is spent where it would not be good.
    for stray in [
        regenerate(&alice, 1, elsewhere),
        regenerate(&bob, 1, step_up),
    ] {
        assert_eq!(store.stage(stray).await.unwrap(), Staged::NoProof);
    }
    let end = after(Millis::minutes(5));
    for (at, good) in [(end.plus(Millis(-1)), true), (end, false)] {
        let found = store.step_up_is_good(&alice, step_up, at).await;
        assert_eq!(found.unwrap(), good);
    }
    store
        .end_session(&step_up.session, event(&alice, EventKind::SignedOut))
        .await
        .unwrap();
    assert!(!is_good(&*store, &alice, step_up).await);
    let late = regenerate(&alice, 1, step_up);
    assert_eq!(store.stage(late).await.unwrap(), Staged::NoProof);
}

/// Row A-74.
pub(crate) async fn a_step_up_token_is_spent_once_however_many_bring_it(db: impl Fixture) {
    let (alice, step_up) = stepped_up(&*db.left(), "alice").await;
    let answers = at_once(&db, 8, move |store, _| {
        let alice = alice.clone();
        async move {
            for generation in 1.. {
                let answer = store.stage(regenerate(&alice, generation, step_up)).await;
                match answer.unwrap() {
                    Staged::GenerationTaken => {}
                    other => return other,
                }
            }
            unreachable!("numbers do not run out")
        }
    })
    .await;
    let done = answers.iter().filter(|answer| **answer == Staged::Done);
    assert_eq!(done.count(), 1, "{answers:?}");
    let refused = answers.iter().filter(|answer| **answer == Staged::NoProof);
    assert_eq!(refused.count(), 7, "{answers:?}");
}

fn remove(account: &AccountId, name: &str, step_up: StepUpUse) -> RemoveTotp {
    RemoveTotp {
        account: account.clone(),
        id: sample::totp_id(account, name),
        at: T0,
        event: event(account, EventKind::FactorRemoved),
        codes: event(account, EventKind::CodesRevoked),
        devices: event(account, EventKind::DeviceForgotten),
        step_up: Some(step_up),
    }
}

/// Row A-70.
pub(crate) async fn a_step_up_token_buys_one_removal(db: impl Fixture) {
    let store = db.left();
    let (alice, step_up) = stepped_up(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "tablet").await;
    for (name, removed) in [
        ("no such", TotpRemoved::Gone),
        ("phone", TotpRemoved::Done),
        ("tablet", TotpRemoved::NoProof),
    ] {
        let answer = store.remove_totp(remove(&alice, name, step_up)).await;
        assert_eq!(answer.unwrap(), removed, "{name}");
    }
    assert_eq!(store.authenticators(&alice).await.unwrap().len(), 1);
}

/// Row A-70.
pub(crate) async fn a_step_up_token_buys_one_enrollment(db: impl Fixture) {
    let store = db.left();
    let (alice, step_up) = stepped_up(&*store, "alice").await;
    for (name, confirmed) in [
        ("tablet", TotpConfirmed::Done),
        ("watch", TotpConfirmed::NoProgress),
    ] {
        store.begin_totp(sample::totp(&alice, name)).await.unwrap();
        let mut confirm = sample::confirm(&alice, name);
        confirm.progress = Progress::Enrolled {
            session: step_up.session,
            step_up: Some(step_up),
        };
        let answer = store.confirm_totp(confirm).await.unwrap();
        assert_eq!(answer, confirmed, "{name}");
    }
    assert_eq!(store.authenticators(&alice).await.unwrap().len(), 2);
}

pub(crate) async fn what_is_refused_or_undone_spends_no_step_up_token(db: impl Fixture) {
    let store = db.left();
    let (alice, step_up) = stepped_up(&*store, "alice").await;
    let taken = regenerate(&alice, 7, step_up);
    assert_eq!(store.stage(taken).await.unwrap(), Staged::GenerationTaken);
    let gone = store.remove_totp(remove(&alice, "no such", step_up)).await;
    assert_eq!(gone.unwrap(), TotpRemoved::Gone);
    let mut confirm = sample::confirm(&alice, "never begun");
    confirm.progress = Progress::Enrolled {
        session: step_up.session,
        step_up: Some(step_up),
    };
    let gone = store.confirm_totp(confirm).await.unwrap();
    assert_eq!(gone, TotpConfirmed::Gone);
    assert!(is_good(&*store, &alice, step_up).await);
    let staged = store.stage(regenerate(&alice, 1, step_up)).await.unwrap();
    assert_eq!(staged, Staged::Done);
    assert!(!is_good(&*store, &alice, step_up).await);
}

pub(crate) async fn a_proof_for_a_step_up_token_is_spent_with_it_or_not_at_all(db: impl Fixture) {
    let store = db.left();
    let (alice, _) = stepped_up(&*store, "alice").await;
    sample::has_live(&*store, &alice, 1).await;
    let new = sample::step_up("no session", "bought");
    let mut redeem = sample::redeem(&alice, 1, 1);
    redeem.progress = Progress::StepUpToken {
        new,
        expires_at: after(Millis::minutes(5)),
    };
    let refused = store.redeem(redeem.clone()).await.unwrap();
    assert_eq!(refused, Redeemed::NoProgress);
    let new = sample::step_up("session of alice", "bought");
    redeem.progress = Progress::StepUpToken {
        new,
        expires_at: after(Millis::minutes(5)),
    };
    let done = store.redeem(redeem).await.unwrap();
    assert!(matches!(done, Redeemed::Done { remaining: 9, .. }));
    assert!(is_good(&*store, &alice, new).await);
}
