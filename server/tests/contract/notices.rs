//! Telling people: what waits in the outbox reaches each address once, however many servers carry it.

use std::collections::BTreeSet;

use spare_key_server::model::{AccountId, EventKind, MailAddress, Millis, Timestamp};
use spare_key_server::store::{
    AddressAdded, Due, NewAccount, Notice, Settled, Settlement, Store, Waiting, Way, Ways,
};

use super::sample::{self, T0, after, event, id};
use super::{Fixture, at_once};

const BOTH: Ways = Ways {
    mail: true,
    webhook: true,
    since: Timestamp(0),
};

fn mail(text: &str) -> MailAddress {
    MailAddress::parse(text).expect("an address")
}

/// Somebody who signs in with this.
async fn signs_in_with(store: &dyn Store, name: &str, login: &str) -> AccountId {
    let account = id(name);
    let new = NewAccount {
        login: Some(login.to_owned()),
        ..sample::account(&account)
    };
    store.add_account(new).await.unwrap();
    account
}

async fn add(store: &dyn Store, account: &AccountId, address: &str) -> AddressAdded {
    let (address, row) = (mail(address), event(account, EventKind::AddressAdded));
    let added = store.add_address(account, &address, 2, row);
    added.await.unwrap()
}

/// One event that its person is to be told of.
async fn happens(store: &dyn Store, account: &AccountId) {
    let row = event(account, EventKind::CodesRedeemed);
    store.record(vec![row]).await.unwrap();
}

async fn nothing_waits(store: &dyn Store) {
    let none = store.address_notices(
        Ways {
            mail: false,
            webhook: false,
            since: T0,
        },
        T0,
        1_000,
    );
    none.await.unwrap();
}

async fn taken(store: &dyn Store, at: Timestamp) -> Vec<Notice> {
    let until = at.plus(Millis::minutes(3));
    let mut taken = Vec::new();
    for way in Way::ALL {
        let some = store.take_notices(way, at, until, 100).await.unwrap();
        assert!(some.iter().all(|notice| notice.way == way));
        taken.extend(some);
    }
    taken
}

fn settled(notice: &Notice, settlement: Settlement) -> Settled {
    Settled {
        id: notice.id,
        tries: notice.tries,
        settlement,
    }
}

/// Rows, O2.
pub(crate) async fn what_happened_goes_each_way_to_each_address(db: impl Fixture) {
    let store = db.left();
    let alice = signs_in_with(&*store, "alice", "alice@example.com").await;
    for address in ["b@example.com", "a@example.com"] {
        assert_eq!(add(&*store, &alice, address).await, AddressAdded::Done);
    }
    store.note_language(&alice, "ja").await.unwrap();
    nothing_waits(&*store).await;
    happens(&*store, &alice).await;
    assert_eq!(store.address_notices(BOTH, T0, 100).await.unwrap(), 1);
    assert_eq!(store.outbox(100).await.unwrap(), []);
    let notices = taken(&*db.right(), T0).await;
    let ways: BTreeSet<_> = notices
        .iter()
        .map(|notice| (notice.way == Way::Mail, notice.address.as_deref()))
        .collect();
    let expected = [
        (false, None),
        (true, Some("a@example.com")),
        (true, Some("alice@example.com")),
        (true, Some("b@example.com")),
    ];
    assert_eq!(ways, BTreeSet::from(expected));
    assert_eq!(notices.len(), 4);
    let trail = store.events(&alice, None, 1).await.unwrap();
    for notice in &notices {
        assert_eq!(notice.event, trail[0]);
        assert_eq!(notice.account, alice);
        assert_eq!(notice.login.as_deref(), Some("alice@example.com"));
        assert_eq!(notice.language.as_deref(), Some("ja"));
        assert_eq!(notice.tries, 1);
    }
}

pub(crate) async fn who_has_no_address_is_told_by_the_host_alone(db: impl Fixture) {
    let store = db.left();
    let nobody = sample::has_account(&*store, "host|alice").await;
    let named = signs_in_with(&*store, "bob", "bob").await;
    for account in [&nobody, &named] {
        happens(&*store, account).await;
    }
    assert_eq!(store.address_notices(BOTH, T0, 100).await.unwrap(), 2);
    let notices = taken(&*store, T0).await;
    assert_eq!(notices.len(), 2);
    assert!(notices.iter().all(|notice| notice.way == Way::Webhook));
}

pub(crate) async fn only_ways_that_there_are_are_taken(db: impl Fixture) {
    let store = db.left();
    let alice = signs_in_with(&*store, "alice", "alice@example.com").await;
    for (mail, webhook, expected) in [(true, false, 1), (false, true, 1), (false, false, 0)] {
        happens(&*store, &alice).await;
        let ways = Ways {
            mail,
            webhook,
            ..BOTH
        };
        assert_eq!(store.address_notices(ways, T0, 100).await.unwrap(), 1);
        let notices = taken(&*store, T0).await;
        assert_eq!(notices.len(), expected);
        assert!(
            notices
                .iter()
                .all(|notice| (notice.way == Way::Mail) == mail)
        );
    }
    assert_eq!(db.rows()["outbox"], 0, "nothing piles up");
}

pub(crate) async fn what_happened_long_ago_is_told_no_more(db: impl Fixture) {
    let store = db.left();
    let alice = signs_in_with(&*store, "alice", "alice@example.com").await;
    happens(&*store, &alice).await;
    let ways = Ways {
        since: after(Millis(1)),
        ..BOTH
    };
    assert_eq!(store.address_notices(ways, T0, 100).await.unwrap(), 1);
    assert_eq!(taken(&*store, T0).await, []);
    assert_eq!(db.rows()["outbox"], 0);
}

/// Several servers carry side by side.
pub(crate) async fn each_is_addressed_and_taken_once_however_many_carry(db: impl Fixture) {
    let store = db.left();
    let alice = signs_in_with(&*store, "alice", "alice@example.com").await;
    let rows = (0..200).map(|_| event(&alice, EventKind::CodesRedeemed));
    store.record(rows.collect()).await.unwrap();
    let addressed = at_once(&db, 8, |store, _| async move {
        let mut addressed = 0;
        loop {
            let some = store.address_notices(BOTH, T0, 7).await.unwrap();
            // What another one holds at this moment is passed over.
            if some == 0 && store.outbox(1).await.unwrap().is_empty() {
                return addressed;
            }
            addressed += some;
        }
    })
    .await;
    assert_eq!(addressed.iter().sum::<u64>(), 200);
    assert_eq!(db.rows()["notice"], 400);
    let until = after(Millis::minutes(3));
    let taken = at_once(&db, 8, |store, _| async move {
        let mut taken = Vec::new();
        for way in Way::ALL.into_iter().cycle() {
            let some = store.take_notices(way, T0, until, 7).await.unwrap();
            if some.is_empty() && store.notices_due(T0).await.unwrap() == Due::default() {
                return taken;
            }
            taken.extend(some.into_iter().map(|notice| notice.id));
        }
        taken
    })
    .await;
    let taken: Vec<i64> = taken.into_iter().flatten().collect();
    assert_eq!(taken.len(), 400);
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), 400);
}

/// A server that died had taken it: it is not lost.
pub(crate) async fn what_is_not_settled_is_taken_again_and_who_comes_late_is_not_heard(
    db: impl Fixture,
) {
    let store = db.left();
    let alice = signs_in_with(&*store, "alice", "alice@example.com").await;
    happens(&*store, &alice).await;
    let ways = Ways {
        webhook: false,
        ..BOTH
    };
    let outbox = Due {
        outbox: true,
        ..Due::default()
    };
    assert_eq!(store.notices_due(T0).await.unwrap(), outbox);
    store.address_notices(ways, T0, 100).await.unwrap();
    let mail = Due {
        mail: true,
        ..Due::default()
    };
    assert_eq!(store.notices_due(T0).await.unwrap(), mail);
    let first = taken(&*store, T0).await;
    assert_eq!(first.len(), 1);
    let held_until = after(Millis::minutes(3));
    let before = Timestamp(held_until.0 - 1);
    assert_eq!(store.notices_due(before).await.unwrap(), Due::default());
    assert_eq!(taken(&*db.right(), Timestamp(held_until.0 - 1)).await, []);
    let second = taken(&*db.right(), held_until).await;
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].tries, 2);
    for late in [
        Settlement::Sent,
        Settlement::Later(T0),
        Settlement::GivenUp(event(&alice, EventKind::NoticeGivenUp)),
    ] {
        let late = vec![settled(&first[0], late)];
        assert_eq!(store.settle_notices(late).await.unwrap(), 0);
    }
    assert_eq!(db.rows()["notice"], 1);
    let sent = vec![settled(&second[0], Settlement::Sent)];
    assert_eq!(store.settle_notices(sent.clone()).await.unwrap(), 1);
    assert_eq!(store.settle_notices(sent).await.unwrap(), 0);
    assert_eq!(db.rows()["notice"], 0);
    let newest = store.events(&alice, None, 1).await.unwrap();
    assert_eq!(
        newest[0].kind,
        EventKind::CodesRedeemed,
        "nothing on record"
    );
}

/// Row O2: that it failed is reported.
pub(crate) async fn what_fails_comes_again_at_its_time_or_is_given_up_on_record(db: impl Fixture) {
    let store = db.left();
    let alice = signs_in_with(&*store, "alice", "alice@example.com").await;
    happens(&*store, &alice).await;
    store.address_notices(BOTH, T0, 100).await.unwrap();
    let notices = taken(&*store, T0).await;
    let later = after(Millis::minutes(1));
    let mut given_up = event(&alice, EventKind::NoticeGivenUp);
    given_up.detail = Some("webhook: codes.redeemed".to_owned());
    let (by_mail, by_webhook): (Vec<_>, Vec<_>) = notices
        .into_iter()
        .partition(|notice| notice.way == Way::Mail);
    let both = vec![
        settled(&by_mail[0], Settlement::Later(later)),
        settled(&by_webhook[0], Settlement::GivenUp(given_up)),
    ];
    assert_eq!(db.right().settle_notices(both).await.unwrap(), 2);
    assert_eq!(taken(&*store, Timestamp(later.0 - 1)).await, []);
    let again = taken(&*store, later).await;
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].way, again[0].tries), (Way::Mail, 2));
    let newest = store.events(&alice, None, 1).await.unwrap();
    assert_eq!(newest[0].kind, EventKind::NoticeGivenUp);
    assert_eq!(
        db.rows()["outbox"],
        0,
        "nobody is told that they were not told"
    );
}

pub(crate) async fn what_waits_is_counted_with_its_oldest(db: impl Fixture) {
    let store = db.left();
    assert_eq!(store.waiting_notices().await.unwrap(), Waiting::default());
    let alice = signs_in_with(&*store, "alice", "alice@example.com").await;
    for minutes in [0, 5] {
        let mut row = event(&alice, EventKind::CodesRedeemed);
        row.at = after(Millis::minutes(minutes));
        store.record(vec![row]).await.unwrap();
    }
    let waiting = |notices, minutes| Waiting {
        notices,
        oldest: Some(after(Millis::minutes(minutes))),
    };
    assert_eq!(store.waiting_notices().await.unwrap(), waiting(2, 0));
    store.address_notices(BOTH, T0, 1).await.unwrap();
    assert_eq!(store.waiting_notices().await.unwrap(), waiting(3, 0));
    let sent = taken(&*store, T0).await;
    let sent = sent.iter().map(|notice| settled(notice, Settlement::Sent));
    store.settle_notices(sent.collect()).await.unwrap();
    assert_eq!(db.right().waiting_notices().await.unwrap(), waiting(1, 5));
}

pub(crate) async fn a_removed_account_is_told_nothing(db: impl Fixture) {
    let store = db.left();
    let alice = signs_in_with(&*store, "alice", "alice@example.com").await;
    happens(&*store, &alice).await;
    happens(&*store, &alice).await;
    store.address_notices(BOTH, T0, 1).await.unwrap();
    assert!(store.remove_account(&alice).await.unwrap());
    assert_eq!(taken(&*store, T0).await, []);
    assert_eq!(store.waiting_notices().await.unwrap(), Waiting::default());
}

/// Row A-102: the person is told of the address too.
pub(crate) async fn an_address_is_there_once_and_there_are_so_many(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let nobody = id("nobody");
    assert_eq!(
        add(&*store, &nobody, "a@b").await,
        AddressAdded::UnknownAccount
    );
    for address in ["b@example.com", "a@example.com", "b@example.com"] {
        assert_eq!(add(&*store, &alice, address).await, AddressAdded::Done);
    }
    assert_eq!(
        add(&*store, &alice, "c@example.com").await,
        AddressAdded::TooMany
    );
    let told = db.right().addresses(&alice).await.unwrap();
    assert_eq!(told, [mail("a@example.com"), mail("b@example.com")]);
    let removed = || event(&alice, EventKind::AddressRemoved);
    let (a, c) = (mail("a@example.com"), mail("c@example.com"));
    assert!(!store.remove_address(&alice, &c, removed()).await.unwrap());
    assert!(!store.remove_address(&nobody, &a, removed()).await.unwrap());
    assert!(store.remove_address(&alice, &a, removed()).await.unwrap());
    assert_eq!(
        add(&*store, &alice, "c@example.com").await,
        AddressAdded::Done
    );
    let outbox = store.outbox(100).await.unwrap();
    let told: Vec<_> = outbox.iter().map(|told| told.event.kind).collect();
    assert_eq!(
        told,
        [
            EventKind::AddressAdded,
            EventKind::AddressAdded,
            EventKind::AddressRemoved,
            EventKind::AddressAdded
        ]
    );
}

/// Whoever takes somebody's addresses away does not do so unseen.
pub(crate) async fn a_removed_address_is_told_of_its_removal_and_of_nothing_after_it(
    db: impl Fixture,
) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    add(&*store, &alice, "a@example.com").await;
    nothing_waits(&*store).await;
    let mut removed = event(&alice, EventKind::AddressRemoved);
    removed.at = after(Millis::minutes(1));
    let mut used = event(&alice, EventKind::CodesRedeemed);
    used.at = after(Millis::minutes(2));
    let address = mail("a@example.com");
    assert!(
        store
            .remove_address(&alice, &address, removed)
            .await
            .unwrap()
    );
    assert_eq!(store.addresses(&alice).await.unwrap(), []);
    store.record(vec![used]).await.unwrap();
    let by_mail = Ways {
        webhook: false,
        ..BOTH
    };
    store.address_notices(by_mail, T0, 100).await.unwrap();
    let notices = taken(&*store, T0).await;
    let told: Vec<_> = notices.iter().map(|notice| notice.event.kind).collect();
    assert_eq!(told, [EventKind::AddressRemoved]);
    // Kept for as long as it is tried to tell it, and not longer.
    let later = after(Millis::minutes(1 + 3 * 24 * 60));
    store.sweep(Timestamp(later.0 - 1)).await.unwrap();
    assert_eq!(db.rows()["address"], 1);
    store.sweep(later).await.unwrap();
    assert_eq!(db.rows()["address"], 0);
    // One that comes back is there again.
    for _ in 0..2 {
        assert_eq!(
            add(&*store, &alice, "a@example.com").await,
            AddressAdded::Done
        );
        assert_eq!(store.addresses(&alice).await.unwrap().len(), 1);
        let removed = event(&alice, EventKind::AddressRemoved);
        assert!(
            store
                .remove_address(&alice, &address, removed)
                .await
                .unwrap()
        );
    }
}

pub(crate) async fn no_more_addresses_than_there_may_be_however_many_are_added_at_once(
    db: impl Fixture,
) {
    let alice = sample::has_account(&*db.left(), "alice").await;
    let added = at_once(&db, 8, |store, turn| {
        let alice = alice.clone();
        async move { add(&*store, &alice, &format!("{turn}@example.com")).await }
    })
    .await;
    let done = added.iter().filter(|added| **added == AddressAdded::Done);
    assert_eq!(done.count(), 2);
    assert_eq!(db.left().addresses(&alice).await.unwrap().len(), 2);
}

pub(crate) async fn a_language_is_noted_when_it_is_another(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    assert!(store.note_language(&alice, "de").await.unwrap());
    assert!(!db.right().note_language(&alice, "de").await.unwrap());
    assert!(store.note_language(&alice, "ar").await.unwrap());
    assert!(!store.note_language(&id("nobody"), "ar").await.unwrap());
}
