//! What people's own programs carry, and authenticators by number.

use spare_key_server::model::{AccountId, EventKind, Millis};
use spare_key_server::store::{
    AcceptTotp, ApiKeyAdded, Carried, LATE_COMERS, Progress, RemoveTotp, SessionKind, Store,
    TotpAccepted, TotpRemoved, TryTotp,
};

use super::sample::{self, T0, TEN_MINUTES, after, event, id, token};
use super::{Fixture, at_once};

async fn adds(store: &dyn Store, account: &AccountId, key: &str) -> ApiKeyAdded {
    let new = sample::api_key(account, key);
    store.add_api_key(new).await.unwrap()
}

async fn has_key(store: &dyn Store, account: &AccountId, key: &str) -> i64 {
    match adds(store, account, key).await {
        ApiKeyAdded::Done(number) => number,
        other => panic!("{other:?}"),
    }
}

async fn removes(store: &dyn Store, account: &AccountId, number: i64) -> bool {
    let row = event(account, EventKind::KeyRemoved);
    let removed = store.remove_api_key(number, account, row).await;
    removed.unwrap()
}

async fn freshens(store: &dyn Store, account: &AccountId, carried: Carried) -> bool {
    let progress = Progress::Freshen { carried };
    store.pass(account, progress, T0).await.unwrap()
}

async fn has_carried(store: &dyn Store, account: &AccountId, name: &str) {
    let challenge = format!("challenge to {name}");
    sample::has_challenge(store, account, &challenge).await;
    let mut session = sample::session(account, name);
    session.kind = SessionKind::Carried;
    session.factor_at = None;
    let progress = Progress::Grant {
        challenge: token(&challenge),
        session,
    };
    assert!(store.pass(account, progress, T0).await.unwrap());
}

pub(crate) async fn a_key_is_added_found_listed_and_removed(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    let first = has_key(&*store, &alice, "first").await;
    let second = has_key(&*store, &bob, "second").await;
    let found = db.right().api_key(&token("first")).await.unwrap().unwrap();
    assert_eq!(found.number, first);
    assert_eq!(found.account, alice);
    assert_eq!(found.name.as_deref(), Some("named first"));
    assert_eq!((found.factor_at, found.created_at), (None, T0));
    let own = store.api_keys(Some(&alice)).await.unwrap();
    assert_eq!(own, std::slice::from_ref(&found));
    assert_eq!(store.api_keys(None).await.unwrap().len(), 2);
    // Only of the account that is named.
    assert!(!removes(&*store, &bob, first).await);
    assert!(removes(&*store, &alice, first).await);
    assert_eq!(db.right().api_key(&token("first")).await.unwrap(), None);
    assert!(!removes(&*store, &alice, first).await);
    assert!(removes(&*store, &bob, second).await);
    let events = store.events(&alice, None, 9).await.unwrap();
    let kinds: Vec<_> = events.into_iter().map(|event| event.kind).collect();
    let expected = [EventKind::KeyRemoved, EventKind::KeyAdded];
    assert_eq!(kinds[..2], expected, "each once");
}

pub(crate) async fn a_key_is_one_accounts_and_its_number_never_anothers(db: impl Fixture) {
    let store = db.left();
    assert_eq!(
        adds(&*store, &id("nobody"), "key").await,
        ApiKeyAdded::NoAccount
    );
    let alice = sample::has_account(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    let first = has_key(&*store, &alice, "key").await;
    assert_eq!(adds(&*store, &bob, "key").await, ApiKeyAdded::Taken);
    let found = store.api_key(&token("key")).await.unwrap().unwrap();
    assert_eq!(found.account, alice);
    assert!(removes(&*store, &alice, first).await);
    assert!(has_key(&*store, &bob, "key").await > first);
    // Nor an account's.
    let number = store.account(&bob).await.unwrap().unwrap().number;
    assert!(store.remove_account(&bob).await.unwrap());
    assert_eq!(db.rows()["api_key"], 0);
    sample::has_account(&*store, "bob").await;
    let anew = store.account(&bob).await.unwrap().unwrap().number;
    assert!(anew > number);
}

pub(crate) async fn a_proof_is_noted_on_what_carried_it_and_on_nothing_else(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    for key in ["one", "other"] {
        has_key(&*store, &alice, key).await;
    }
    has_carried(&*store, &alice, "session").await;
    let key = Carried::Key(token("one"));
    let session = Carried::Session(token("session"));
    assert!(!freshens(&*store, &bob, key).await, "another's");
    assert!(!freshens(&*store, &bob, session).await, "another's");
    assert!(!freshens(&*store, &alice, Carried::Key(token("none"))).await);
    let session_at = async || {
        let found = store.session(&token("session"), T0, T0).await.unwrap();
        found.unwrap().factor_at
    };
    let key_at = async |name: &str| {
        let found = store.api_key(&token(name)).await.unwrap();
        found.unwrap().factor_at
    };
    assert_eq!((key_at("one").await, session_at().await), (None, None));
    assert!(freshens(&*db.right(), &alice, key).await);
    assert_eq!(key_at("one").await, Some(T0));
    assert_eq!((key_at("other").await, session_at().await), (None, None));
    assert!(freshens(&*db.right(), &alice, session).await);
    assert_eq!(session_at().await, Some(T0));
    assert_eq!(key_at("other").await, None);
    // A reset takes back what was proven.
    let reset = event(&alice, EventKind::MfaReset);
    store.reset_mfa(&alice, T0, reset).await.unwrap();
    assert_eq!(key_at("one").await, None);
    assert!(!freshens(&*store, &alice, session).await, "ended");
}

pub(crate) async fn only_a_carried_session_stays_the_same_when_proven(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_session(&*store, &alice, "cookie").await;
    assert!(!freshens(&*store, &alice, Carried::Session(token("cookie"))).await);
    has_carried(&*store, &alice, "session").await;
    let late = Progress::Freshen {
        carried: Carried::Session(token("session")),
    };
    let end = after(Millis::minutes(60));
    assert!(!store.pass(&alice, late, end).await.unwrap(), "run out");
}

fn attempt(account: &AccountId, holder: &str) -> TryTotp {
    TryTotp {
        account: account.clone(),
        id: sample::totp_id(account, "phone"),
        holder: token(holder),
        most: 5,
        at: T0,
    }
}

pub(crate) async fn a_first_password_has_so_many_tries_and_no_more(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let new = sample::totp(&alice, "phone");
    store.begin_totp(new).await.unwrap();
    let stranger = store.try_totp(attempt(&alice, "stranger")).await.unwrap();
    assert_eq!(stranger, None);
    let mut late = attempt(&alice, "holder");
    late.at = after(TEN_MINUTES);
    assert_eq!(store.try_totp(late).await.unwrap(), None);
    let tries = at_once(&db, 8, |store, _| {
        let attempt = attempt(&id("alice"), "holder");
        async move { store.try_totp(attempt).await.unwrap() }
    });
    let mut left: Vec<_> = tries.await.into_iter().flatten().collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
    // A new one begins anew.
    let new = sample::totp(&alice, "phone");
    store.begin_totp(new).await.unwrap();
    let first = store.try_totp(attempt(&alice, "holder")).await.unwrap();
    assert_eq!(first, Some(4));
}

pub(crate) async fn authenticators_have_numbers_that_are_never_used_again(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "phone").await;
    let mut named = sample::totp(&alice, "tablet");
    named.name = Some("My tablet".to_owned());
    store.begin_totp(named).await.unwrap();
    let cards = db.right().totp_cards(&alice).await.unwrap();
    let [phone, tablet] = &cards[..] else {
        panic!("{cards:?}")
    };
    assert!(phone.number < tablet.number);
    assert_eq!(phone.id, sample::totp_id(&alice, "phone"));
    assert_eq!((phone.name.as_deref(), phone.begun_at), (None, T0));
    assert_eq!((phone.confirmed_at, phone.expires_at), (Some(T0), None));
    assert_eq!(tablet.name.as_deref(), Some("My tablet"));
    let end = Some(after(TEN_MINUTES));
    assert_eq!((tablet.confirmed_at, tablet.expires_at), (None, end));
    store
        .begin_totp(sample::totp(&alice, "tablet"))
        .await
        .unwrap();
    let anew = store.totp_cards(&alice).await.unwrap();
    assert_eq!(anew.len(), 2);
    assert!(anew[1].number > tablet.number);
}

/// Row A-104.
pub(crate) async fn a_lapsed_authenticator_is_remembered_without_its_secret(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let new = sample::totp(&alice, "phone");
    store.begin_totp(new).await.unwrap();
    assert_eq!(store.sweep(after(TEN_MINUTES)).await.unwrap(), 1);
    let cards = store.totp_cards(&alice).await.unwrap();
    assert_eq!(cards[0].expires_at, Some(after(TEN_MINUTES)));
    // Asked as of the start: what held it is gone, and with it what it could be confirmed by.
    let holder = token("holder");
    let pending = store.pending_totp(&alice, &holder, T0).await.unwrap();
    assert_eq!(pending, None);
    let end = after(TEN_MINUTES).plus(LATE_COMERS);
    assert_eq!(store.sweep(end).await.unwrap(), 1);
    assert_eq!(store.totp_cards(&alice).await.unwrap(), []);
}

fn removal(account: &AccountId, name: &str) -> Progress {
    Progress::Unbind(Box::new(RemoveTotp {
        account: account.clone(),
        id: sample::totp_id(account, name),
        at: T0,
        event: event(account, EventKind::FactorRemoved),
        codes: event(account, EventKind::CodesRevoked),
        devices: event(account, EventKind::DeviceForgotten),
        step_up: None,
    }))
}

fn accept(account: &AccountId, step: i64, progress: Progress) -> AcceptTotp {
    AcceptTotp {
        account: account.clone(),
        id: sample::totp_id(account, "phone"),
        step,
        progress,
        at: T0,
        event: event(account, EventKind::FactorVerified),
    }
}

pub(crate) async fn a_proof_for_a_removal_is_spent_with_it_or_not_at_all(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    for name in ["phone", "tablet"] {
        sample::has_totp(&*store, &alice, name).await;
    }
    sample::has_live(&*store, &alice, 1).await;
    let gone = accept(&alice, 200, removal(&alice, "none"));
    let answer = store.accept_totp(gone).await.unwrap();
    assert_eq!(answer, TotpAccepted::NoProgress);
    let right = accept(&alice, 200, removal(&alice, "tablet"));
    assert_eq!(
        store.accept_totp(right.clone()).await.unwrap(),
        TotpAccepted::Done
    );
    let answer = store.accept_totp(right).await.unwrap();
    assert_eq!(answer, TotpAccepted::StepSpent);
    assert_eq!(store.authenticators(&alice).await.unwrap().len(), 1);
    assert!(store.live_batch(&alice).await.unwrap().is_some());
    // A code, and the last authenticator: the other codes end with it.
    let mut redeem = sample::redeem(&alice, 1, 1);
    redeem.progress = removal(&alice, "none");
    let answer = store.redeem(redeem.clone()).await.unwrap();
    assert_eq!(answer, spare_key_server::store::Redeemed::NoProgress);
    redeem.progress = removal(&alice, "phone");
    let answer = store.redeem(redeem).await.unwrap();
    assert_eq!(
        answer,
        spare_key_server::store::Redeemed::Done {
            remaining: 9,
            total: 10
        }
    );
    assert!(store.live_batch(&alice).await.unwrap().is_none());
    assert_eq!(
        store
            .remove_totp(RemoveTotp {
                account: alice.clone(),
                id: sample::totp_id(&alice, "phone"),
                at: T0,
                event: event(&alice, EventKind::FactorRemoved),
                codes: event(&alice, EventKind::CodesRevoked),
                devices: event(&alice, EventKind::DeviceForgotten),
                step_up: None,
            })
            .await
            .unwrap(),
        TotpRemoved::Gone
    );
}
