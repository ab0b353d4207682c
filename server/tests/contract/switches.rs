//! The tenant's switches, and the keys that tokens are signed with.

use spare_key_server::model::{Millis, Sealed, Timestamp};
use spare_key_server::store::{Setting, Store, StoredKey};

use super::sample::{T0, after};
use super::{Fixture, at_once};

const HOUR: Millis = Millis::minutes(60);

fn key(name: &str, signs_from: Timestamp) -> StoredKey {
    StoredKey {
        id: name.to_owned(),
        secret: Sealed(format!("sealed {name}").into_bytes()),
        signs_from,
        verifies_until: None,
        created_at: T0,
    }
}

async fn published(store: &dyn Store, at: Timestamp) -> Vec<String> {
    let keys = store.signing_keys(at).await.unwrap();
    keys.into_iter().map(|key| key.id).collect()
}

async fn found(store: &dyn Store, setting: Setting) -> Option<String> {
    store.setting(setting).await.unwrap()
}

pub(crate) async fn a_switch_stands_as_it_was_last_set(mut db: impl Fixture) {
    for setting in [Setting::RecoveryCodes, Setting::SecondFactor] {
        assert_eq!(db.left().setting(setting).await.unwrap(), None);
    }
    let (left, right) = (db.left(), db.right());
    left.set(Setting::RecoveryCodes, "on").await.unwrap();
    assert_eq!(
        found(&*right, Setting::RecoveryCodes).await.as_deref(),
        Some("on")
    );
    assert_eq!(found(&*right, Setting::SecondFactor).await, None);
    right.set(Setting::RecoveryCodes, "off").await.unwrap();
    right.set(Setting::SecondFactor, "enrolled").await.unwrap();
    left.set(Setting::SecondFactor, "all").await.unwrap();
    drop((left, right));
    db.reopen();
    assert_eq!(
        found(&*db.left(), Setting::RecoveryCodes).await.as_deref(),
        Some("off")
    );
    assert_eq!(
        found(&*db.right(), Setting::SecondFactor).await.as_deref(),
        Some("all")
    );
    assert_eq!(db.rows()["setting"], 2);
}

pub(crate) async fn a_switch_is_changed_only_from_where_it_was_seen_to_stand(db: impl Fixture) {
    let setting = Setting::SignInPolicy;
    let (left, right) = (db.left(), db.right());
    assert!(left.change(setting, None, "one").await.unwrap());
    assert!(!right.change(setting, None, "other").await.unwrap());
    assert!(!right.change(setting, Some("other"), "two").await.unwrap());
    let changed = at_once(&db, 8, |store, turn| async move {
        let to = format!("two {turn}");
        store.change(setting, Some("one"), &to).await.unwrap()
    })
    .await;
    assert_eq!(changed.iter().filter(|changed| **changed).count(), 1);
    let stands = left.setting(setting).await.unwrap().unwrap();
    let won = changed.iter().position(|changed| *changed).unwrap();
    assert_eq!(stands, format!("two {won}"));
}

pub(crate) async fn of_many_first_keys_one_is(db: impl Fixture) {
    assert_eq!(db.left().signing_keys(T0).await.unwrap(), []);
    let answers = at_once(&db, 16, |store, turn| async move {
        let new = key(&format!("key {turn}"), T0);
        store.add_signing_key(new, None, T0).await.unwrap()
    })
    .await;
    assert_eq!(answers.iter().filter(|added| **added).count(), 1);
    let winner = answers.iter().position(|added| *added).unwrap();
    let expected = key(&format!("key {winner}"), T0);
    assert_eq!(db.left().signing_keys(T0).await.unwrap(), [expected]);
}

pub(crate) async fn a_key_is_followed_with_an_overlap(db: impl Fixture) {
    let store = db.left();
    let first = key("first", T0);
    assert!(
        store
            .add_signing_key(first.clone(), None, T0)
            .await
            .unwrap()
    );
    let second = key("second", after(HOUR));
    let until = after(Millis::minutes(120));
    let added = db
        .right()
        .add_signing_key(second.clone(), Some("first"), until)
        .await;
    assert!(added.unwrap());
    let first = StoredKey {
        verifies_until: Some(until),
        ..first
    };
    assert_eq!(
        store.signing_keys(T0).await.unwrap(),
        [second, first],
        "the latest first, as they were stored"
    );
    let just_before = until.plus(Millis(-1));
    assert_eq!(published(&*store, just_before).await, ["second", "first"]);
    assert_eq!(published(&*store, until).await, ["second"]);
}

pub(crate) async fn a_key_that_comes_after_another_changes_nothing(db: impl Fixture) {
    let store = db.left();
    let end = after(HOUR);
    assert!(
        !store
            .add_signing_key(key("x", T0), Some("nothing"), end)
            .await
            .unwrap()
    );
    assert_eq!(published(&*store, T0).await, [""; 0]);
    store
        .add_signing_key(key("first", T0), None, T0)
        .await
        .unwrap();
    store
        .add_signing_key(key("second", T0), Some("first"), end)
        .await
        .unwrap();
    let before = store.signing_keys(T0).await.unwrap();
    for after in [None, Some("first"), Some("never")] {
        let added = db
            .right()
            .add_signing_key(key("late", T0), after, T0)
            .await
            .unwrap();
        assert!(!added, "{after:?}");
        assert_eq!(store.signing_keys(T0).await.unwrap(), before);
    }
    // A name that is taken leaves the latest where it was.
    let same = db
        .right()
        .add_signing_key(key("second", T0), Some("second"), T0)
        .await;
    assert!(!same.unwrap());
    assert_eq!(store.signing_keys(T0).await.unwrap(), before);
}

pub(crate) async fn of_many_that_follow_one_key_one_does(db: impl Fixture) {
    let first = key("first", T0);
    db.left().add_signing_key(first, None, T0).await.unwrap();
    let answers = at_once(&db, 16, |store, turn| async move {
        let new = key(&format!("key {turn}"), T0);
        let until = after(HOUR);
        store
            .add_signing_key(new, Some("first"), until)
            .await
            .unwrap()
    })
    .await;
    assert_eq!(answers.iter().filter(|added| **added).count(), 1);
    assert_eq!(published(&*db.left(), T0).await.len(), 2);
}

pub(crate) async fn a_key_that_is_not_to_be_trusted_takes_those_before_it_along(db: impl Fixture) {
    let store = db.left();
    store
        .add_signing_key(key("first", T0), None, T0)
        .await
        .unwrap();
    // The second signs in an hour only, so that what is in use is still the first.
    let second = key("second", after(HOUR));
    let day = after(Millis::minutes(25 * 60));
    store
        .add_signing_key(second, Some("first"), day)
        .await
        .unwrap();
    let third = key("third", T0);
    let added = store.add_signing_key(third, Some("second"), T0).await;
    assert!(added.unwrap());
    assert_eq!(published(&*db.right(), T0).await, ["third"]);
    assert_eq!(db.rows()["signing_key"], 1, "erased");
}

pub(crate) async fn keys_past_their_end_are_erased_by_the_next(db: impl Fixture) {
    let store = db.left();
    store
        .add_signing_key(key("first", T0), None, T0)
        .await
        .unwrap();
    let end = after(HOUR);
    store
        .add_signing_key(key("second", T0), Some("first"), end)
        .await
        .unwrap();
    assert_eq!(published(&*store, end).await, ["second"]);
    assert_eq!(db.rows()["signing_key"], 2, "not listed, not yet erased");
    let mut third = key("third", end);
    third.created_at = end;
    store
        .add_signing_key(third, Some("second"), end.plus(HOUR))
        .await
        .unwrap();
    assert_eq!(db.rows()["signing_key"], 2);
    assert_eq!(published(&*db.right(), T0).await, ["third", "second"]);
}
