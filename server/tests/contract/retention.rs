//! What is kept and for how long.

use spare_key_server::model::{EventKind, KeyId, Millis};
use spare_key_server::store::{Actor, KeyUse, Redeemed, StoredKey};

use super::Fixture;
use super::sample::{self, T0, after, event, id};
use spare_key_server::model::Sealed;

// O5, A-20: retained used rows hold no secret.
pub(crate) async fn a_used_code_keeps_its_place_and_no_digest(db: impl Fixture) {
    let store = db.left();
    let alice = id("alice");
    sample::has_live(&*store, &alice, 1).await;
    sample::spends(&*store, &alice, 1, 4).await;
    let live = db.right().live_batch(&alice).await.unwrap().unwrap();
    assert_eq!(live.codes.len(), 10);
    for code in &live.codes {
        let expected = (code.number != 4).then(|| sample::secret(&alice, 1, code.number));
        assert_eq!(code.digest, expected, "code {}", code.number);
        assert_eq!(code.used(), code.number == 4);
    }
    let hexadecimal = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let erased = hexadecimal(&sample::secret(&alice, 1, 4).digest);
    let there = hexadecimal(&sample::secret(&alice, 1, 5).digest);
    let dump = db.dump();
    assert!(dump.iter().any(|row| row.contains(&there)));
    assert!(!dump.iter().any(|row| row.contains(&erased)));
    // Spending it again finds it used, and changes nothing.
    let again = sample::spends(&*store, &alice, 1, 4).await;
    assert_eq!(again, Redeemed::AlreadyUsed);
}

/// Row O5.
pub(crate) async fn events_are_forgotten_when_they_are_old_and_not_before(db: impl Fixture) {
    let store = db.left();
    let alice = sample::has_account(&*store, "alice").await;
    let mut rows = Vec::new();
    for day in 0..1_200 {
        let mut row = event(&alice, EventKind::FactorRemoved);
        row.at = after(Millis::days(day));
        rows.push(row);
    }
    store.record(rows).await.unwrap();
    let (events, told) = (db.rows()["event"], db.rows()["outbox"]);
    assert_eq!(store.forget_events(T0).await.unwrap(), 0);
    // More than a slice.
    let before = after(Millis::days(1_100));
    assert_eq!(store.forget_events(before).await.unwrap(), 1_101);
    assert_eq!(db.rows()["event"], events - 1_101);
    assert_eq!(
        db.rows()["outbox"],
        told - 1_100,
        "notifications go with them"
    );
    let left = db.right().events(&alice, None, 1_000).await.unwrap();
    assert_eq!(left.len(), 100);
    assert!(left.iter().all(|row| row.at >= before));
    assert_eq!(store.forget_events(before).await.unwrap(), 0);
}

// L8, S1: deleting an account deletes all of it.
pub(crate) async fn a_removed_account_leaves_no_trace_in_any_table(db: impl Fixture) {
    const NUMBER: i64 = 918_273_645;
    let store = db.left();
    let other = sample::has_account(&*store, "other").await;
    db.count_accounts_from(NUMBER);
    let alice = id("zebra|alice");
    let mut new = sample::account(&alice);
    new.login = Some("zebra.login@example.com".to_owned());
    store.add_account(new).await.unwrap();
    assert_eq!(store.account(&alice).await.unwrap().unwrap().number, NUMBER);
    sample::has_totp(&*store, &alice, "phone").await;
    store
        .begin_totp(sample::totp(&alice, "next"))
        .await
        .unwrap();
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    sample::spends(&*store, &alice, 1, 1).await;
    sample::has_challenge(&*store, &alice, "open").await;
    sample::has_session(&*store, &alice, "cookie").await;
    sample::has_bearer(&*store, &alice, "bearer").await;
    sample::has_step_up(&*store, &alice, "bearer", "step").await;
    sample::has_refresh(&*store, &alice, "refresh").await;
    sample::has_device(&*store, &alice, "device").await;
    store
        .add_api_key(sample::api_key(&alice, "key"))
        .await
        .unwrap();
    // What it did to somebody else, as an administrator.
    let mut deed = event(&other, EventKind::CodesRevoked);
    deed.actor = Actor::Appointed(alice.as_str().to_owned());
    store.record(vec![deed]).await.unwrap();

    let uuid = alice.uuid();
    let traces = [
        alice.as_str().to_owned(),
        "zebra".to_owned(),
        NUMBER.to_string(),
        uuid.to_string(),
        uuid.simple().to_string(),
    ];
    let found = |trace: &String| db.dump().iter().filter(|row| row.contains(trace)).count();
    assert!(
        found(&traces[1]) > 3 && found(&traces[2]) > 5,
        "the scan finds what is there"
    );
    assert!(store.remove_account(&alice).await.unwrap());
    for trace in &traces {
        assert_eq!(found(trace), 0, "{trace}");
    }
    let deeds = store.events(&other, None, 10).await.unwrap();
    assert_eq!(
        deeds[0].actor,
        Actor::Administrator,
        "the deed stays on record"
    );
    assert!(store.account(&other).await.unwrap().is_some());
}

/// Row O3.
pub(crate) async fn what_hangs_on_each_key_is_counted(db: impl Fixture) {
    let store = db.left();
    assert_eq!(store.key_uses(T0).await.unwrap(), []);
    let (alice, bob) = (id("alice"), id("bob"));
    sample::has_live(&*store, &alice, 1).await;
    sample::has_pending(&*store, &alice, 2).await;
    let mut later = sample::at_once(&bob, 1);
    later.batch.scheme.key = KeyId(4);
    store.stage(later).await.unwrap();
    let mut ended = sample::at_once(&id("carol"), 1);
    ended.batch.scheme.key = KeyId(9);
    store.stage(ended).await.unwrap();
    let revoked = event(&id("carol"), EventKind::CodesRevoked);
    store.revoke(&id("carol"), T0, revoked).await.unwrap();
    let mut totp = sample::totp(&bob, "phone");
    totp.secret = Sealed(vec![0, 0, 0, 4, 7, 7]);
    store.begin_totp(totp).await.unwrap();
    let signing = StoredKey {
        id: "kid".to_owned(),
        secret: Sealed(vec![0, 0, 1, 0, 7, 7]),
        signs_from: T0,
        verifies_until: None,
        created_at: T0,
    };
    assert!(store.add_signing_key(signing, None, T0).await.unwrap());
    let uses = db.right().key_uses(T0).await.unwrap();
    assert_eq!(
        uses,
        [
            KeyUse {
                live: 1,
                pending: 1,
                ..KeyUse::none(KeyId(3))
            },
            KeyUse {
                live: 1,
                authenticators: 1,
                ..KeyUse::none(KeyId(4))
            },
            KeyUse {
                signing_keys: 1,
                ..KeyUse::none(KeyId(256))
            },
        ]
    );
}
