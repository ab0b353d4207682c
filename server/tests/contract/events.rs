//! The audit trail and the outbox.

use std::collections::BTreeSet;
use std::net::IpAddr;

use spare_key_server::model::{EventKind, Generation};
use spare_key_server::store::{Actor, Event, NewEvent, RemoveTotp, TotpRemoved};

use super::Fixture;
use super::sample::{self, T0, event, id};

pub(crate) async fn events_come_newest_first_a_page_at_a_time(db: impl Fixture) {
    let (store, alice) = (db.left(), id("alice"));
    for kind in EventKind::ALL {
        let rows = vec![event(&alice, kind), event(&id("bob"), EventKind::SignedOut)];
        store.record(rows).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = db.right().events(&alice, before, 5).await.unwrap();
        assert!(page.len() <= 5);
        assert!(page.windows(2).all(|pair| pair[0].id > pair[1].id));
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        seen.extend(page.into_iter().map(|row| row.kind));
    }
    seen.reverse();
    assert_eq!(seen, EventKind::ALL);
}

/// Rows O1, A-105.
pub(crate) async fn an_event_comes_back_as_it_was_written(db: impl Fixture) {
    let alice = id("alice");
    let actors = [
        Actor::Person,
        Actor::Through("dev:app ü".to_owned()),
        Actor::Administrator,
        Actor::Server,
        Actor::Appointed("auth0|ada:x ü".to_owned()),
        Actor::Client("dev:host ü".to_owned()),
    ];
    let ips: [Option<IpAddr>; 3] = [
        None,
        "192.0.2.7".parse().ok(),
        "2001:db8::ffff:1".parse().ok(),
    ];
    for (actor, ip) in actors.into_iter().zip(ips.into_iter().cycle()) {
        let new = NewEvent {
            generation: Some(Generation(u32::MAX)),
            number: Some(4),
            remaining: Some(0),
            detail: Some("wrong".to_owned()),
            actor: actor.clone(),
            ip,
            ..event(&alice, EventKind::CodesRefused)
        };
        db.left().record(vec![new]).await.unwrap();
        let found = db.right().events(&alice, None, 1).await.unwrap();
        let expected = Event {
            id: found[0].id,
            kind: EventKind::CodesRefused,
            at: T0,
            actor,
            generation: Some(Generation(u32::MAX)),
            number: Some(4),
            remaining: Some(0),
            detail: Some("wrong".to_owned()),
            ip,
        };
        assert_eq!(found, [expected]);
    }
}

/// Rows S24, A-101.
pub(crate) async fn the_person_is_told_of_exactly_what_notifies(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let rows = EventKind::ALL
        .into_iter()
        .map(|kind| event(&alice, kind))
        .collect();
    store.record(rows).await.unwrap();
    let outbox = db.right().outbox(100).await.unwrap();
    let told: Vec<_> = outbox
        .iter()
        .map(|notification| notification.event.kind)
        .collect();
    let expected: Vec<_> = EventKind::ALL
        .into_iter()
        .filter(|kind| kind.notifies())
        .collect();
    assert_eq!(told, expected, "oldest first");
    assert!(
        outbox
            .iter()
            .all(|notification| notification.account == alice)
    );
    let numbers: BTreeSet<_> = outbox.iter().map(|notification| notification.id).collect();
    assert_eq!(numbers.len(), outbox.len());
    assert_eq!(store.outbox(2).await.unwrap(), outbox[..2]);
    let trail = store.events(&alice, None, 100).await.unwrap();
    assert!(
        outbox
            .iter()
            .all(|notification| trail.contains(&notification.event))
    );
}

pub(crate) async fn nobody_is_told_of_an_unknown_account(db: impl Fixture) {
    let nobody = id("nobody");
    db.left()
        .record(vec![event(&nobody, EventKind::CodesRedeemed)])
        .await
        .unwrap();
    assert_eq!(db.left().outbox(100).await.unwrap(), []);
    assert_eq!(db.left().events(&nobody, None, 100).await.unwrap().len(), 1);
}

/// Rows, O2: by the store itself, so whether anybody reads the answer or not.
pub(crate) async fn what_happens_to_codes_and_factors_is_told_in_the_same_step(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    sample::has_totp(&*store, &alice, "phone").await;
    sample::has_pending(&*store, &alice, 1).await;
    sample::activates(&*store, &alice, 1).await;
    sample::spends(&*store, &alice, 1, 1).await;
    let revoked = event(&alice, EventKind::CodesRevoked);
    assert!(store.revoke(&alice, T0, revoked).await.unwrap());
    sample::has_live(&*store, &alice, 2).await;
    let remove = RemoveTotp {
        account: alice.clone(),
        id: sample::totp_id(&alice, "phone"),
        at: T0,
        event: event(&alice, EventKind::FactorRemoved),
        codes: event(&alice, EventKind::CodesRevoked),
        devices: event(&alice, EventKind::DeviceForgotten),
        step_up: None,
    };
    assert_eq!(store.remove_totp(remove).await.unwrap(), TotpRemoved::Last);
    let reset = event(&alice, EventKind::MfaReset);
    assert!(store.reset_mfa(&alice, T0, reset).await.unwrap());
    let mut trail = db.right().events(&alice, None, 100).await.unwrap();
    trail.reverse();
    trail.retain(|event| event.kind.notifies());
    let outbox = db.right().outbox(100).await.unwrap();
    let told: Vec<_> = outbox.into_iter().map(|told| told.event).collect();
    assert_eq!(told, trail);
    for kind in [
        EventKind::CodesStaged,
        EventKind::CodesActivated,
        EventKind::CodesRedeemed,
        EventKind::CodesRevoked,
        EventKind::FactorEnrolled,
        EventKind::FactorRemoved,
        EventKind::MfaReset,
    ] {
        assert!(told.iter().any(|event| event.kind == kind), "{kind:?}");
    }
}
