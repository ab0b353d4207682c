//! Trusted devices: whose they are, until when, and what ends the trust.

use spare_key_server::model::{AccountId, EventKind, Millis, Timestamp};
use spare_key_server::store::{Progress, Redeemed, RemoveTotp, Store, TotpRemoved};

use super::Fixture;
use super::sample::{self, T0, after, event, token};

const LONG_AGO: Timestamp = Timestamp(0);

async fn is_recognized(store: &dyn Store, account: &AccountId, name: &str, at: Timestamp) -> bool {
    store
        .recognize(account, &token(name), LONG_AGO, at)
        .await
        .unwrap()
}

async fn labels(store: &dyn Store, account: &AccountId) -> Vec<String> {
    let listed = store.trusted_devices(account, LONG_AGO, T0).await.unwrap();
    listed.into_iter().map(|device| device.label).collect()
}

async fn events(store: &dyn Store, account: &AccountId, kind: EventKind) -> usize {
    let events = store.events(account, None, 99).await.unwrap();
    events.iter().filter(|event| event.kind == kind).count()
}

pub(crate) async fn a_device_is_trusted_with_the_session_that_it_opened(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_device(&*store, &alice, "laptop").await;
    assert!(is_recognized(&*db.right(), &alice, "laptop", T0).await);
    assert_eq!(events(&*store, &alice, EventKind::DeviceTrusted).await, 1);

    // Without the session there is no trust either.
    let mut session = sample::bearer(&alice, "none");
    session.device = Some(sample::device(&alice, "phone"));
    let progress = Progress::Grant {
        challenge: token("no such challenge"),
        session,
    };
    assert!(!store.pass(&alice, progress, T0).await.unwrap());
    assert!(!is_recognized(&*store, &alice, "phone", T0).await);
}

pub(crate) async fn a_device_is_recognized_for_its_own_account_and_in_its_time(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    sample::has_device(&*store, &alice, "laptop").await;
    assert!(!is_recognized(&*store, &bob, "laptop", T0).await);
    assert!(!is_recognized(&*store, &alice, "another", T0).await);
    let last = after(Millis::days(30)).plus(Millis(-1));
    assert!(is_recognized(&*store, &alice, "laptop", last).await);
    assert!(!is_recognized(&*store, &alice, "laptop", last.plus(Millis(1))).await);
    // Trusted on the policy's oldest day or before: trusted no more.
    let since = T0;
    let known = store.recognize(&alice, &token("laptop"), since, T0).await;
    assert!(!known.unwrap());
    assert_eq!(store.trusted_devices(&alice, since, T0).await.unwrap(), []);
    // The sweep takes it once its time has run out.
    store.sweep(after(Millis::days(30))).await.unwrap();
    assert!(!is_recognized(&*store, &alice, "laptop", T0).await);
}

pub(crate) async fn trusted_devices_are_listed_last_seen_first(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_device(&*store, &alice, "laptop").await;
    sample::has_device(&*store, &alice, "phone").await;
    let later = after(Millis::minutes(3));
    assert!(is_recognized(&*store, &alice, "laptop", later).await);
    // A clock that steps back unsees nothing.
    assert!(is_recognized(&*store, &alice, "laptop", T0).await);
    let listed = db
        .right()
        .trusted_devices(&alice, LONG_AGO, T0)
        .await
        .unwrap();
    let [laptop, phone] = listed.as_slice() else {
        panic!("two devices: {listed:?}");
    };
    assert_eq!(laptop.id, sample::uuid("laptop"));
    assert_eq!(laptop.label, "browser laptop");
    assert_eq!(laptop.ip.as_deref(), Some("192.0.2.1"));
    assert_eq!((laptop.created_at, laptop.last_seen_at), (T0, later));
    assert_eq!(laptop.expires_at, after(Millis::days(30)));
    assert_eq!(
        (phone.label.as_str(), phone.last_seen_at),
        ("browser phone", T0)
    );
}

pub(crate) async fn a_device_is_forgotten_by_its_owner_alone(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    sample::has_device(&*store, &alice, "laptop").await;
    let id = sample::uuid("laptop");
    let row = |account| event(account, EventKind::DeviceForgotten);
    assert!(!store.forget_device(&bob, id, row(&bob)).await.unwrap());
    assert!(is_recognized(&*store, &alice, "laptop", T0).await);
    assert!(store.forget_device(&alice, id, row(&alice)).await.unwrap());
    assert!(!is_recognized(&*db.right(), &alice, "laptop", T0).await);
    assert!(!store.forget_device(&alice, id, row(&alice)).await.unwrap());
    assert_eq!(events(&*store, &alice, EventKind::DeviceForgotten).await, 1);
    assert_eq!(events(&*store, &bob, EventKind::DeviceForgotten).await, 0);
}

pub(crate) async fn all_devices_are_forgotten_at_once(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let bob = sample::has_account(&*store, "bob").await;
    for (account, name) in [(&alice, "laptop"), (&alice, "phone"), (&bob, "tablet")] {
        sample::has_device(&*store, account, name).await;
    }
    let row = event(&alice, EventKind::DeviceForgotten);
    assert_eq!(store.forget_devices(&alice, row.clone()).await.unwrap(), 2);
    assert_eq!(store.forget_devices(&alice, row).await.unwrap(), 0);
    assert_eq!(events(&*store, &alice, EventKind::DeviceForgotten).await, 1);
    assert_eq!(labels(&*store, &alice).await, [""; 0]);
    assert_eq!(labels(&*store, &bob).await, ["browser tablet"]);
}

/// Rows L14, S18.
pub(crate) async fn a_spent_code_ends_the_trust_in_devices(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_live(&*store, &alice, 1).await;
    sample::has_device(&*store, &alice, "laptop").await;
    // A code that is not spent ends nothing.
    assert_eq!(
        sample::spends(&*store, &alice, 2, 1).await,
        Redeemed::NotLive
    );
    assert!(is_recognized(&*store, &alice, "laptop", T0).await);
    sample::spends(&*store, &alice, 1, 1).await;
    assert!(!is_recognized(&*store, &alice, "laptop", T0).await);
    sample::spends(&*store, &alice, 1, 2).await;
    assert_eq!(events(&*store, &alice, EventKind::DeviceForgotten).await, 1);
}

pub(crate) async fn the_last_authenticator_takes_the_trust_in_devices_along(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "phone").await;
    sample::has_totp(&*store, &alice, "tablet").await;
    sample::has_device(&*store, &alice, "laptop").await;
    for (name, removed, trusted) in [
        ("phone", TotpRemoved::Done, true),
        ("tablet", TotpRemoved::Last, false),
    ] {
        let remove = RemoveTotp {
            account: alice.clone(),
            id: sample::totp_id(&alice, name),
            at: T0,
            event: event(&alice, EventKind::FactorRemoved),
            codes: event(&alice, EventKind::CodesRevoked),
            devices: event(&alice, EventKind::DeviceForgotten),
            step_up: None,
        };
        assert_eq!(store.remove_totp(remove).await.unwrap(), removed);
        assert_eq!(is_recognized(&*store, &alice, "laptop", T0).await, trusted);
    }
}

pub(crate) async fn a_reset_ends_the_trust_in_devices(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_device(&*store, &alice, "laptop").await;
    let row = event(&alice, EventKind::MfaReset);
    assert!(store.reset_mfa(&alice, T0, row).await.unwrap());
    assert!(!is_recognized(&*store, &alice, "laptop", T0).await);
}
