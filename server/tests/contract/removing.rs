//! Authenticators by their name: looking at them and taking them away.

use spare_key_server::model::{AccountId, BatchState, EventKind, Millis};
use spare_key_server::store::{
    AcceptTotp, NamedTotp, Progress, RemoveTotp, Store, TotpAccepted, TotpRemoved,
};

use super::sample::{self, T0, TEN_MINUTES, after, event, id, token};
use super::{Fixture, at_once};

fn remove(account: &AccountId, name: &str) -> RemoveTotp {
    RemoveTotp {
        account: account.clone(),
        id: sample::totp_id(account, name),
        at: T0,
        event: event(account, EventKind::FactorRemoved),
        codes: event(account, EventKind::CodesRevoked),
        devices: event(account, EventKind::DeviceForgotten),
        step_up: None,
    }
}

async fn removes(store: &dyn Store, account: &AccountId, name: &str) -> TotpRemoved {
    store.remove_totp(remove(account, name)).await.unwrap()
}

async fn trail(store: &dyn Store, account: &AccountId) -> Vec<EventKind> {
    let rows = store.events(account, None, 100).await.unwrap();
    rows.into_iter().map(|row| row.kind).collect()
}

/// Row L8.
pub(crate) async fn codes_end_with_the_last_authenticator_and_not_before(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    for name in ["phone", "tablet"] {
        sample::has_totp(&*store, &alice, name).await;
    }
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    assert_eq!(
        removes(&*db.right(), &alice, "phone").await,
        TotpRemoved::Done
    );
    assert!(store.live_batch(&alice).await.unwrap().is_some());
    assert!(store.shown(&alice, None, None, T0).await.unwrap().is_some());
    assert_eq!(trail(&*store, &alice).await[0], EventKind::FactorRemoved);
    let bound = store.authenticators(&alice).await.unwrap();
    assert_eq!(bound.len(), 1);
    assert_eq!(bound[0].id, sample::totp_id(&alice, "tablet"));

    assert_eq!(
        removes(&*db.right(), &alice, "tablet").await,
        TotpRemoved::Last
    );
    assert_eq!(store.authenticators(&alice).await.unwrap(), []);
    assert!(store.live_batch(&alice).await.unwrap().is_none());
    assert_eq!(store.shown(&alice, None, None, T0).await.unwrap(), None);
    assert_eq!(db.rows()["code"], 0);
    let status = store.status(&alice, T0).await.unwrap();
    assert_eq!(status.latest.unwrap().state, BatchState::Revoked);
    assert_eq!(status.pending, None);
    assert_eq!(
        trail(&*store, &alice).await[..2],
        [EventKind::CodesRevoked, EventKind::FactorRemoved]
    );
    assert_eq!(removes(&*store, &alice, "tablet").await, TotpRemoved::Gone);
}

pub(crate) async fn codes_that_are_not_there_are_not_on_record_as_ended(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "phone").await;
    assert_eq!(removes(&*store, &alice, "phone").await, TotpRemoved::Last);
    let kinds = trail(&*store, &alice).await;
    assert_eq!(kinds[0], EventKind::FactorRemoved);
    assert!(!kinds.contains(&EventKind::CodesRevoked));
}

pub(crate) async fn a_pending_authenticator_goes_without_a_word(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_live(&*store, &alice, 1).await;
    let begins = || async {
        let pending = sample::totp(&alice, "phone");
        store.begin_totp(pending).await.unwrap();
    };
    begins().await;
    let before = trail(&*store, &alice).await;
    let mut late = remove(&alice, "phone");
    late.at = after(TEN_MINUTES);
    assert_eq!(
        store.remove_totp(late).await.unwrap(),
        TotpRemoved::Gone,
        "lapsed is gone"
    );
    assert_eq!(removes(&*store, &alice, "phone").await, TotpRemoved::Done);
    let pending = store.pending_totp(&alice, &token("holder"), T0).await;
    assert_eq!(pending.unwrap(), None);
    assert_eq!(trail(&*store, &alice).await, before);
    assert!(
        store.live_batch(&alice).await.unwrap().is_some(),
        "no factor went, so no codes did"
    );
}

pub(crate) async fn removing_what_is_not_there_changes_nothing(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    sample::has_totp(&*store, &alice, "phone").await;
    sample::has_live(&*store, &alice, 1).await;
    let before = db.rows();
    let mut of_another = remove(&bob, "phone");
    of_another.id = sample::totp_id(&alice, "phone");
    for wrong in [
        of_another,
        remove(&alice, "tablet"),
        remove(&id("nobody"), "phone"),
    ] {
        let said = format!("{wrong:?}");
        let removed = store.remove_totp(wrong).await.unwrap();
        assert_eq!(removed, TotpRemoved::Gone, "{said}");
        assert_eq!(db.rows(), before, "{said}");
    }
    assert!(store.live_batch(&alice).await.unwrap().is_some());
}

pub(crate) async fn of_many_who_remove_one_does(db: impl Fixture) {
    let alice = sample::has_account(&*db.left(), "alice").await;
    sample::has_totp(&*db.left(), &alice, "phone").await;
    let answers = at_once(&db, 16, |store, _| async move {
        removes(&*store, &id("alice"), "phone").await
    })
    .await;
    let last = answers.iter().filter(|a| **a == TotpRemoved::Last).count();
    let gone = answers.iter().filter(|a| **a == TotpRemoved::Gone).count();
    assert_eq!((last, gone), (1, 15));
}

pub(crate) async fn an_authenticator_is_found_by_its_name(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let named = |at| {
        let store = db.right();
        async move {
            let phone = sample::totp_id(&id("alice"), "phone");
            store.named_totp(&phone, at).await.unwrap()
        }
    };
    assert_eq!(named(T0).await, None);
    store
        .begin_totp(sample::totp(&alice, "phone"))
        .await
        .unwrap();
    let mut expected = NamedTotp {
        account: alice.clone(),
        begun_at: T0,
        confirmed_at: None,
        last_used_at: None,
    };
    assert_eq!(named(T0).await.as_ref(), Some(&expected));
    assert_eq!(named(after(TEN_MINUTES)).await, None, "lapsed");
    let minute = after(Millis::minutes(1));
    let mut confirm = sample::confirm(&alice, "phone");
    confirm.at = minute;
    store.confirm_totp(confirm).await.unwrap();
    expected.confirmed_at = Some(minute);
    assert_eq!(named(after(TEN_MINUTES)).await.as_ref(), Some(&expected));
    let two_minutes = after(Millis::minutes(2));
    let accept = AcceptTotp {
        account: alice.clone(),
        id: sample::totp_id(&alice, "phone"),
        step: 200,
        progress: Progress::Nothing,
        at: two_minutes,
        event: event(&alice, EventKind::FactorVerified),
    };
    assert_eq!(store.accept_totp(accept).await.unwrap(), TotpAccepted::Done);
    expected.last_used_at = Some(two_minutes);
    assert_eq!(named(T0).await, Some(expected));
}

pub(crate) async fn a_waiting_authenticator_is_seen_whoever_began_it(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "bound").await;
    let waiting = |at| {
        let store = db.right();
        async move { store.waiting_totp(&id("alice"), at).await.unwrap() }
    };
    assert_eq!(waiting(T0).await, None, "a bound one waits for nothing");
    let mut pending = sample::totp(&alice, "phone");
    pending.holder = token("somebody");
    pending.at = T0.plus(Millis(7));
    store.begin_totp(pending).await.unwrap();
    let expected = (
        sample::totp_id(&alice, "phone"),
        T0.plus(Millis(7)),
        token("somebody"),
    );
    assert_eq!(waiting(T0).await, Some(expected));
    assert_eq!(waiting(after(TEN_MINUTES)).await, None);
    let nobody = store.waiting_totp(&id("nobody"), T0).await.unwrap();
    assert_eq!(nobody, None);
}
