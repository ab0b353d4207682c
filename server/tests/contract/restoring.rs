//! Restoring an older backup.

use spare_key_server::model::{EventKind, Generation, Millis, Sealed};
use spare_key_server::store::{Redeemed, Restored, Staged, Store, StoredKey};

use super::sample::{self, T0, after, event, id, token};
use super::{Codes, Fixture, imported};

const DONE: fn(u32) -> Redeemed = |remaining| Redeemed::Done {
    remaining,
    total: 10,
};

/// A database whose backup is older than what it knows, restored.
async fn restored(db: &mut impl Fixture, codes: Codes) -> Restored {
    let store = db.left();
    let [alice, bob, carol, erin] = ["alice", "bob", "carol", "erin"].map(id);
    for account in [&alice, &bob, &carol] {
        sample::has_live(&*store, account, 1).await;
    }
    sample::spends(&*store, &alice, 1, 1).await;
    let dora = sample::has_account(&*store, "dora").await;
    sample::has_totp(&*store, &dora, "phone").await;
    sample::has_live(&*store, &dora, 1).await;
    sample::has_pending(&*store, &erin, 1).await;
    sample::has_totp(&*store, &bob, "lost phone").await;
    sample::has_session(&*store, &alice, "cookie").await;
    sample::has_challenge(&*store, &alice, "open").await;
    sample::has_refresh(&*store, &alice, "refresh").await;
    sample::has_bearer(&*store, &alice, "bearer").await;
    sample::has_step_up(&*store, &alice, "bearer", "step").await;
    sample::has_device(&*store, &bob, "device").await;
    store
        .add_api_key(sample::api_key(&bob, "leaked key"))
        .await
        .unwrap();
    let signing = StoredKey {
        id: "kid".to_owned(),
        secret: Sealed(vec![0, 0, 0, 3]),
        signs_from: T0,
        verifies_until: None,
        created_at: T0,
    };
    assert!(store.add_signing_key(signing, None, T0).await.unwrap());
    drop(store);

    db.back_up();

    let store = db.left();
    sample::spends(&*store, &alice, 1, 2).await;
    sample::has_live(&*store, &bob, 2).await;
    sample::spends(&*store, &bob, 2, 10).await;
    store
        .reset_mfa(&carol, T0, event(&carol, EventKind::MfaReset))
        .await
        .unwrap();
    store.remove_account(&dora).await.unwrap();
    sample::activates(&*store, &erin, 1).await;
    sample::has_live(&*store, &id("frank"), 1).await;
    let mut newer = sample::confirm(&bob, "new phone");
    newer.others = spare_key_server::store::Others::Replace;
    store
        .begin_totp(sample::totp(&bob, "new phone"))
        .await
        .unwrap();
    store.confirm_totp(newer).await.unwrap();
    let number = store.api_keys(None).await.unwrap()[0].number;
    let gone = event(&bob, EventKind::KeyRemoved);
    assert!(store.remove_api_key(number, &bob, gone).await.unwrap());
    drop(store);

    db.restore(codes)
}

async fn has_codes(store: &dyn Store, name: &str) -> bool {
    store.live_batch(&id(name)).await.unwrap().is_some()
}

async fn told(store: &dyn Store, kind: EventKind) -> Vec<String> {
    let told = store.outbox(1_000).await.unwrap().into_iter();
    let mut told: Vec<_> = told
        .filter(|note| note.event.kind == kind)
        .filter(|note| note.event.detail.as_deref() == Some("a backup was restored"))
        .map(|note| note.account.as_str().to_owned())
        .collect();
    told.sort();
    told
}

// L16, C6: retired loudly.
pub(crate) async fn codes_can_end_with_a_restore(mut db: impl Fixture) {
    let restored = restored(&mut db, Codes::End).await;
    assert_eq!((restored.before.live, restored.before.codes), (4, 39));
    assert_eq!((restored.after.live, restored.after.codes), (0, 0));
    let store = db.right();
    for name in ["alice", "bob", "carol", "dora", "erin"] {
        assert!(!has_codes(&*store, name).await, "{name}");
    }
    assert_eq!(
        sample::spends(&*store, &id("alice"), 1, 2).await,
        Redeemed::NotLive
    );
    let ended = told(&*store, EventKind::CodesRevoked).await;
    assert_eq!(ended, ["alice", "bob", "carol", "dora"]);
    let last = store.events(&id("alice"), None, 1).await.unwrap();
    assert_eq!(last[0].generation, Some(Generation(1)));
}

pub(crate) async fn codes_can_be_kept_by_a_restore_and_their_owners_are_told(mut db: impl Fixture) {
    restored(&mut db, Codes::Keep).await;
    let store = db.right();
    let kept = told(&*store, EventKind::CodesKept).await;
    assert_eq!(kept, ["alice", "bob", "carol", "dora"]);
    let alice = id("alice");
    let status = store.status(&alice, T0).await.unwrap().latest.unwrap();
    assert!(status.kept && !status.reminder_ended);
    assert!(store.live_batch(&alice).await.unwrap().unwrap().kept);
    // What was used before the backup stays used; what was used after it is good again.
    assert_eq!(
        sample::spends(&*store, &alice, 1, 1).await,
        Redeemed::AlreadyUsed
    );
    assert_eq!(sample::spends(&*store, &alice, 1, 2).await, DONE(8));
    // A new list is like any other.
    sample::has_live(&*store, &alice, 1_002).await;
    assert!(!store.status(&alice, T0).await.unwrap().latest.unwrap().kept);
    // A pending one was not saved by anybody that we know of.
    assert!(!has_codes(&*store, "erin").await);
}

// C1, L6, L7, L8: what was used or ended before the restore is so after it.
pub(crate) async fn codes_can_be_taken_over_as_they_were_before_the_restore(mut db: impl Fixture) {
    let restored = restored(&mut db, Codes::SpentFrom).await;
    assert_eq!(restored.after.accounts, restored.before.accounts - 1);
    let store = db.right();
    let [alice, bob, carol, dora, erin] = ["alice", "bob", "carol", "dora", "erin"].map(id);
    assert_eq!(
        sample::spends(&*store, &alice, 1, 1).await,
        Redeemed::AlreadyUsed
    );
    assert_eq!(
        sample::spends(&*store, &alice, 1, 2).await,
        Redeemed::AlreadyUsed
    );
    assert_eq!(sample::spends(&*store, &alice, 1, 3).await, DONE(7));
    assert_eq!(sample::spends(&*store, &bob, 1, 3).await, Redeemed::NotLive);
    assert_eq!(
        sample::spends(&*store, &bob, 2, 10).await,
        Redeemed::AlreadyUsed
    );
    assert_eq!(sample::spends(&*store, &bob, 2, 9).await, DONE(8));
    let live = store.live_batch(&bob).await.unwrap().unwrap();
    assert_eq!(live.codes[0].digest, Some(sample::secret(&bob, 2, 1)));
    assert!(!live.kept);
    assert!(!has_codes(&*store, "carol").await);
    assert!(
        store
            .account(&carol)
            .await
            .unwrap()
            .unwrap()
            .reset_at
            .is_some()
    );
    assert_eq!(
        store.account(&dora).await.unwrap(),
        None,
        "removed is removed"
    );
    assert!(store.events(&dora, None, 10).await.unwrap().is_empty());
    assert_eq!(sample::spends(&*store, &erin, 1, 1).await, DONE(9));
    let factors = store.authenticators(&bob).await.unwrap();
    assert_eq!(factors.len(), 1);
    assert_eq!(factors[0].id, sample::totp_id(&bob, "new phone"));
    assert!(store.api_keys(None).await.unwrap().is_empty());
    assert!(told(&*store, EventKind::CodesRevoked).await.is_empty());
}

pub(crate) async fn imported_codes_are_taken_over_with_how_they_are_read(mut db: impl Fixture) {
    let alice = sample::has_account(&*db.left(), "alice").await;
    db.back_up();
    let import = imported::import(&alice, 1);
    assert_eq!(db.left().stage(import).await.unwrap(), Staged::Done);
    sample::spends(&*db.left(), &alice, 1, 3).await;
    let before = db.left().live_batch(&alice).await.unwrap().unwrap();
    assert!(before.imported.is_some());
    db.restore(Codes::SpentFrom);
    let after = db.right().live_batch(&alice).await.unwrap().unwrap();
    assert_eq!(format!("{after:?}"), format!("{before:?}"));
}

pub(crate) async fn whatever_becomes_of_the_codes_nothing_else_stays_open(mut db: impl Fixture) {
    restored(&mut db, Codes::Keep).await;
    let rows = db.rows();
    for table in [
        "session",
        "challenge",
        "refresh",
        "step_up",
        "trusted_device",
        "idempotency",
        "signing_key",
    ] {
        assert_eq!(rows[table], 0, "{table}");
    }
    assert_eq!(rows["restored"], 1);
    let store = db.left();
    assert_eq!(store.session(&token("cookie"), T0, T0).await.unwrap(), None);
    assert_eq!(
        store.shown(&id("erin"), None, None, T0).await.unwrap(),
        None
    );
    assert_eq!(
        store
            .shown(&id("alice"), Some(Generation(1)), None, T0)
            .await
            .unwrap(),
        None
    );
    // People begin anew.
    sample::has_session(&*store, &id("alice"), "another").await;
    store.sweep(after(Millis::days(2))).await.unwrap();
}

pub(crate) async fn no_number_is_given_twice_after_a_restore(mut db: impl Fixture) {
    for (codes, bobs) in [(Codes::End, 1_001), (Codes::SpentFrom, 1_002)] {
        if codes == Codes::SpentFrom {
            db = Fixture::open();
        }
        restored(&mut db, codes).await;
        let store = db.left();
        let bob = id("bob");
        let account = store.account(&bob).await.unwrap().unwrap();
        assert_eq!(account.last_generation, Generation(bobs));
        let stale = store.stage(sample::at_once(&bob, 3)).await.unwrap();
        assert_eq!(stale, Staged::GenerationTaken);
        sample::has_live(&*store, &bob, bobs + 1).await;
        // The backup knows nothing of frank, who had a batch of number 1 since.
        assert_eq!(store.first_number().await.unwrap(), Generation(1_000));
        let frank = id("frank");
        let again = store.stage(sample::at_once(&frank, 1)).await.unwrap();
        assert_eq!(again, Staged::GenerationTaken);
        sample::has_live(&*store, &frank, 1_001).await;
        sample::has_account(&*store, "gina").await;
        let gina = store.account(&id("gina")).await.unwrap().unwrap();
        assert_eq!(gina.last_generation, Generation(1_000));
        assert!(gina.number > 1_000_000, "numbers of accounts go on too");
    }
}
